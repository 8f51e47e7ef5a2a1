//! What every [`IdentityStore`] must do with the subjects of a provider, beside the tenants, users and audit log of the same records.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "an obligation panics where the store fails it"
)]

use std::collections::BTreeSet;

use tenantry_domain::{
    Actor, AuditAction, Email, ForeignIdentity, IdentityProvider, Page, Role, TenantId, TenantScope, User,
    UserId,
};

use super::samples::{at, foreign_scope, provider, scope, user};
use crate::{
    Admission, AuditFilter, AuditLog, AuditStore, IdentityStore, StoreError, TenantStore, UserChange,
    UserFilter, UserStore,
};

const ISSUER: &str = "https://a.example";

/// Everything that an admission touches.
pub trait AdmittingStore: TenantStore + UserStore + IdentityStore + AuditStore + Sync {}

impl<S: TenantStore + UserStore + IdentityStore + AuditStore + Sync> AdmittingStore for S {}

/// Somebody with a verified address.
fn identity(subject: &str, email: &str) -> ForeignIdentity {
    ForeignIdentity {
        subject: subject.into(),
        email: Some(Email::parse(email).unwrap()),
        email_is_verified: true,
        role: Role::Member,
        role_is_mapped: false,
        issued_at: at(0),
        expires_at: at(600),
    }
}

fn unverified(subject: &str, email: &str) -> ForeignIdentity {
    ForeignIdentity {
        email_is_verified: false,
        ..identity(subject, email)
    }
}

/// A tenant with a provider that makes users.
fn with_provider<S: AdmittingStore>(store: &S, id: &str) -> (TenantScope, IdentityProvider) {
    let scope = scope(store, id);
    let provider = provider(ISSUER);
    store.create_identity_provider(&scope, &provider).unwrap();
    (scope, provider)
}

fn try_admit<S: IdentityStore>(
    store: &S,
    tenant: &TenantId,
    provider: &IdentityProvider,
    identity: &ForeignIdentity,
) -> Result<Admission, StoreError> {
    let new = UserId::generate(at(8));
    store.admit_identity(tenant, provider, identity, new, &Actor::system(), at(8))
}

fn admit<S: IdentityStore>(
    store: &S,
    scope: &TenantScope,
    provider: &IdentityProvider,
    identity: &ForeignIdentity,
) -> Admission {
    try_admit(store, scope.id(), provider, identity).unwrap()
}

/// The user that an identity is admitted as, as the store keeps them.
fn admitted<S: AdmittingStore>(
    store: &S,
    scope: &TenantScope,
    provider: &IdentityProvider,
    identity: &ForeignIdentity,
) -> User {
    let Admission::User(user) = admit(store, scope, provider, identity) else {
        panic!("{identity:?} is nobody")
    };
    assert_eq!(store.user(user.id).unwrap().as_ref(), Some(&*user));
    *user
}

fn member<S: AdmittingStore>(store: &S, email: &str, tenant: Option<&TenantScope>) -> User {
    let user = User {
        tenant: tenant.map(|scope| scope.id().clone()),
        ..user(email)
    };
    store.create_user(&user, &Actor::system()).unwrap();
    user
}

fn users<S: UserStore>(store: &S) -> Vec<User> {
    let page = Page::new(Page::MAX_LIMIT, 0).unwrap();
    store.users(&UserFilter::default(), page).unwrap().items
}

/// What was done in the tenant since it was made, the latest last, but for providers.
fn actions<S: AuditStore>(store: &S, scope: &TenantScope) -> Vec<AuditAction> {
    let filter = AuditFilter {
        log: Some(AuditLog::Tenant(scope.id().clone())),
        target: Some("user".into()),
        ..AuditFilter::default()
    };
    let page = Page::new(Page::MAX_LIMIT, 0).unwrap();
    let found = store.audit(&filter, page).unwrap().items;
    found.into_iter().rev().map(|entry| entry.action).collect()
}

/// Somebody seen for the first time becomes a user of the provider's tenant without a password, and is that user from then on, by
/// whatever address.
pub fn somebody_new_becomes_a_user_once<S: AdmittingStore>(store: &S) {
    let (acme, provider) = with_provider(store, "acme");
    let reader = ForeignIdentity {
        role: Role::Reader,
        ..identity("s-1", "Ada@example.org")
    };
    let ada = admitted(store, &acme, &provider, &reader);
    let expected = User {
        id: ada.id,
        tenant: Some(acme.id().clone()),
        role: Role::Reader,
        created_at: at(8),
        updated_at: at(8),
        ..user("ada@example.org")
    };
    assert_eq!(ada, expected);
    let moved = identity("s-1", "countess@example.org");
    let nameless = ForeignIdentity {
        email: None,
        ..identity("s-1", "x@example.org")
    };
    for again in [&reader, &moved, &nameless] {
        assert_eq!(admitted(store, &acme, &provider, again), ada);
    }
    assert_eq!(users(store), [ada]);
    let told = [AuditAction::UserCreated, AuditAction::IdentityLinked];
    assert_eq!(actions(store, &acme), told);
}

/// A user of the tenant with the verified address is linked, and keeps what they are; a link goes before an address.
pub fn a_verified_address_is_linked_to_its_user<S: AdmittingStore>(store: &S) {
    let (acme, provider) = with_provider(store, "acme");
    let ada = member(store, "ada@example.org", Some(&acme));
    let bob = member(store, "bob@example.org", Some(&acme));
    for email in ["ADA@example.org", "bob@example.org"] {
        assert_eq!(admitted(store, &acme, &provider, &identity("s-1", email)), ada);
    }
    let second = identity("s-2", "ada@example.org");
    assert_eq!(admitted(store, &acme, &provider, &second), ada);
    assert_eq!(users(store), [ada, bob]);
    let told = [
        AuditAction::UserCreated,
        AuditAction::UserCreated,
        AuditAction::IdentityLinked,
        AuditAction::IdentityLinked,
    ];
    assert_eq!(actions(store, &acme), told);
}

/// An address that belongs to a user of another tenant or of none, to a superuser, or to a user and is not verified, admits nobody.
pub fn an_address_of_somebody_else_admits_nobody<S: AdmittingStore>(store: &S) {
    let (acme, provider) = with_provider(store, "acme");
    let globex = scope(store, "acme2");
    member(store, "ada@example.org", Some(&globex));
    member(store, "bob@example.org", None);
    member(store, "eve@example.org", Some(&acme));
    for (email, tenant) in [
        ("root@example.org", None),
        ("boss@example.org", Some(acme.id().clone())),
    ] {
        let superuser = User {
            is_superuser: true,
            tenant,
            ..user(email)
        };
        store.create_user(&superuser, &Actor::system()).unwrap();
    }
    let before = (users(store), actions(store, &acme));
    for taken in [
        identity("s-1", "ada@example.org"),
        identity("s-1", "bob@example.org"),
        identity("s-1", "root@example.org"),
        identity("s-1", "boss@example.org"),
        unverified("s-1", "eve@example.org"),
    ] {
        let answer = admit(store, &acme, &provider, &taken);
        assert_eq!(answer, Admission::AddressTaken, "{taken:?}");
    }
    assert_eq!((users(store), actions(store, &acme)), before);
}

/// Where the provider makes no users, or the token has no address, somebody new is nobody.
pub fn somebody_unknown_is_nobody<S: AdmittingStore>(store: &S) {
    let (acme, open) = with_provider(store, "acme");
    let mut strict = provider(ISSUER);
    (strict.audience, strict.creates_users) = ("B".into(), false);
    store.create_identity_provider(&acme, &strict).unwrap();
    let nameless = ForeignIdentity {
        email: None,
        ..identity("s-1", "x@example.org")
    };
    assert_eq!(admit(store, &acme, &open, &nameless), Admission::Unknown);
    let ada = identity("s-1", "ada@example.org");
    // What the store keeps decides, not what the caller was told before.
    let stale = IdentityProvider {
        creates_users: true,
        ..strict.clone()
    };
    for provider in [&strict, &stale] {
        assert_eq!(admit(store, &acme, provider, &ada), Admission::Unknown);
    }
    assert_eq!(users(store), []);
    let known = member(store, "ada@example.org", Some(&acme));
    assert_eq!(admitted(store, &acme, &strict, &ada), known);
}

/// A subject is somebody of its own provider alone: the same subject of another provider or tenant is somebody else.
pub fn a_subject_is_known_to_its_own_provider_alone<S: AdmittingStore>(store: &S) {
    let (acme, first) = with_provider(store, "acme");
    let (globex, of_globex) = with_provider(store, "acme2");
    let mut second = provider("https://b.example");
    second.creates_users = false;
    store.create_identity_provider(&acme, &second).unwrap();
    let ada = admitted(store, &acme, &first, &identity("s-1", "ada@example.org"));
    let other = identity("s-1", "bob@example.org");
    assert_eq!(admit(store, &acme, &second, &other), Admission::Unknown);
    let bob = admitted(store, &globex, &of_globex, &other);
    assert!(bob.id != ada.id && bob.tenant.as_ref() == Some(globex.id()));
    let spelled_otherwise = identity("S-1", "eve@example.org");
    assert_ne!(admitted(store, &acme, &first, &spelled_otherwise).id, ada.id);
}

/// A provider that is gone, idle, of another issuer by now or of another tenant admits nobody.
pub fn a_provider_that_does_not_speak_any_more_admits_nobody<S: AdmittingStore>(store: &S) {
    let (acme, provider) = with_provider(store, "acme");
    let globex = scope(store, "acme2");
    let ada = identity("s-1", "ada@example.org");
    admitted(store, &acme, &provider, &ada);
    let refused = |scope: &TenantScope, why| {
        let refused = try_admit(store, scope.id(), &provider, &ada);
        assert!(
            matches!(refused, Err(StoreError::UnknownTenant)),
            "{why}: {refused:?}"
        );
    };
    refused(&globex, "another tenant");
    refused(&foreign_scope("nowhere"), "no tenant");
    let idle = IdentityProvider {
        is_active: false,
        ..provider.clone()
    };
    assert!(store.update_identity_provider(&acme, &idle).unwrap());
    refused(&acme, "idle");
    let of_another = IdentityProvider {
        issuer: "https://b.example".into(),
        ..provider.clone()
    };
    assert!(store.update_identity_provider(&acme, &of_another).unwrap());
    refused(&acme, "of another issuer");
    assert!(store.remove_identity_provider(&acme, provider.id, at(9)).unwrap());
    refused(&acme, "gone");
}

/// With another issuer, or the provider's removal, who its subjects were is forgotten; the users stay.
pub fn subjects_are_forgotten_with_their_issuer<S: AdmittingStore>(store: &S) {
    let (acme, provider) = with_provider(store, "acme");
    let ada = admitted(store, &acme, &provider, &identity("s-1", "ada@example.org"));
    let renamed = IdentityProvider {
        name: "Renamed".into(),
        creates_users: false,
        ..provider.clone()
    };
    assert!(store.update_identity_provider(&acme, &renamed).unwrap());
    let other = identity("s-1", "bob@example.org");
    assert_eq!(admitted(store, &acme, &renamed, &other), ada);
    let of_another = IdentityProvider {
        issuer: "https://b.example".into(),
        ..renamed
    };
    assert!(store.update_identity_provider(&acme, &of_another).unwrap());
    assert_eq!(admit(store, &acme, &of_another, &other), Admission::Unknown);
    let ada_again = identity("s-9", "ada@example.org");
    assert_eq!(admitted(store, &acme, &of_another, &ada_again), ada);
    assert!(
        store
            .remove_identity_provider(&acme, of_another.id, at(9))
            .unwrap()
    );
    store.create_identity_provider(&acme, &of_another).unwrap();
    let other = identity("s-9", "bob@example.org");
    assert_eq!(admit(store, &acme, &of_another, &other), Admission::Unknown);
    assert_eq!(users(store), [ada]);
}

/// A user who went to another tenant is nobody in the old one, even by a link.
pub fn a_user_who_left_is_not_admitted<S: AdmittingStore>(store: &S) {
    let (acme, provider) = with_provider(store, "acme");
    let globex = scope(store, "acme2");
    let token = identity("s-1", "ada@example.org");
    let ada = admitted(store, &acme, &provider, &token);
    let moved = UserChange {
        tenant: Some(Some(globex.id().clone())),
        ..UserChange::default()
    };
    store.update_user(ada.id, &moved, at(9)).unwrap().unwrap();
    assert_eq!(admit(store, &acme, &provider, &token), Admission::AddressTaken);
    let successor = identity("s-1", "bob@example.org");
    let bob = admitted(store, &acme, &provider, &successor);
    assert_ne!(bob.id, ada.id);
    assert_eq!(admitted(store, &acme, &provider, &successor), bob);
}

/// Inactive users are found too; whether they may do anything is not decided here.
pub fn an_inactive_user_is_found_as_such<S: AdmittingStore>(store: &S) {
    let (acme, provider) = with_provider(store, "acme");
    let token = identity("s-1", "ada@example.org");
    let ada = admitted(store, &acme, &provider, &token);
    let off = UserChange {
        is_active: Some(false),
        ..UserChange::default()
    };
    store.update_user(ada.id, &off, at(9)).unwrap().unwrap();
    assert!(!admitted(store, &acme, &provider, &token).is_active);
}

/// A mapped role becomes the user's and ends their sessions when it was another; one that is not mapped changes nothing, and a
/// superuser's stays.
pub fn a_mapped_role_is_followed<S: AdmittingStore>(store: &S) {
    let (acme, provider) = with_provider(store, "acme");
    let as_role = |role, role_is_mapped| ForeignIdentity {
        role,
        role_is_mapped,
        ..identity("s-1", "ada@example.org")
    };
    let ada = member(store, "ada@example.org", Some(&acme));
    let before = admitted(store, &acme, &provider, &as_role(Role::Admin, false));
    assert_eq!(before, ada);
    let version = |user: &User| user.token_version;
    let raised = admitted(store, &acme, &provider, &as_role(Role::Admin, true));
    assert_eq!((raised.role, version(&raised)), (Role::Admin, version(&ada) + 1));
    assert_eq!(raised.updated_at, at(8));
    let access = store.access(ada.id, None, at(8)).unwrap().unwrap();
    let issued_at = identity("s-1", "ada@example.org").issued_at;
    assert_eq!(
        access.sessions_ended_at,
        Some(issued_at),
        "the token itself goes on"
    );
    let same = admitted(store, &acme, &provider, &as_role(Role::Admin, true));
    assert_eq!(same, raised);
    let told = [
        AuditAction::UserCreated,
        AuditAction::IdentityLinked,
        AuditAction::UserChanged,
    ];
    assert_eq!(actions(store, &acme), told);
    let lowered = admitted(store, &acme, &provider, &as_role(Role::Reader, true));
    assert_eq!(
        (lowered.role, version(&lowered)),
        (Role::Reader, version(&ada) + 2)
    );
    let promoted = UserChange {
        is_superuser: Some(true),
        ..UserChange::default()
    };
    let root = store.update_user(ada.id, &promoted, at(9)).unwrap().unwrap();
    assert_eq!(
        admitted(store, &acme, &provider, &as_role(Role::Admin, true)),
        root
    );
}

/// A role comes from the latest token: one from before the user's sessions were last ended brings no role back.
pub fn a_role_that_was_taken_is_not_brought_back<S: AdmittingStore>(store: &S) {
    let (acme, provider) = with_provider(store, "acme");
    let at_second = |second, role| ForeignIdentity {
        role,
        role_is_mapped: true,
        issued_at: at(second),
        ..identity("s-1", "ada@example.org")
    };
    let admin = admitted(store, &acme, &provider, &at_second(3, Role::Admin));
    let reader = admitted(store, &acme, &provider, &at_second(5, Role::Reader));
    assert_eq!((admin.role, reader.role), (Role::Admin, Role::Reader));
    let again = admitted(store, &acme, &provider, &at_second(4, Role::Admin));
    assert_eq!(again, reader, "neither the role nor the sessions change");
    let access = store.access(reader.id, None, at(8)).unwrap().unwrap();
    assert_eq!(access.sessions_ended_at, Some(at(5)));
}

/// Of those who bring a person's first token at once one makes the user, whatever provider of the tenant it is of, and all are
/// admitted as that user.
pub fn first_sights_at_once_make_one_user<S: AdmittingStore>(store: &S) {
    let (acme, first) = with_provider(store, "acme");
    let second = provider("https://b.example");
    store.create_identity_provider(&acme, &second).unwrap();
    let token = identity("s-1", "ada@example.org");
    let ids: BTreeSet<_> = std::thread::scope(|threads| {
        let admit = |place: usize| {
            let provider = if place.is_multiple_of(2) { &first } else { &second };
            let (acme, token) = (&acme, &token);
            threads.spawn(move || admit(store, acme, provider, token))
        };
        let threads: Vec<_> = (0..6).map(admit).collect();
        let admissions = threads.into_iter().map(|thread| thread.join().unwrap());
        admissions
            .map(|admission| match admission {
                Admission::User(user) => user.id,
                other => panic!("{other:?}"),
            })
            .collect()
    });
    assert_eq!(ids.len(), 1);
    assert_eq!(users(store).len(), 1);
    let told = [
        AuditAction::UserCreated,
        AuditAction::IdentityLinked,
        AuditAction::IdentityLinked,
    ];
    assert_eq!(actions(store, &acme), told);
}

/// An id for the new user that is taken is an error, and nobody is linked to its owner.
pub fn a_taken_id_admits_nobody<S: AdmittingStore>(store: &S) {
    let (acme, provider) = with_provider(store, "acme");
    let bob = member(store, "bob@example.org", Some(&acme));
    let token = identity("s-1", "ada@example.org");
    let refused = store.admit_identity(acme.id(), &provider, &token, bob.id, &Actor::system(), at(8));
    assert!(matches!(refused, Err(StoreError::IdTaken)), "{refused:?}");
    assert_eq!(users(store), [bob]);
    assert_eq!(actions(store, &acme), [AuditAction::UserCreated]);
}

/// A subject with U+0000 is refused as [`StoreError::Failed`]; any other is kept to the letter.
pub fn any_other_subject_is_kept<S: AdmittingStore>(store: &S) {
    let (acme, provider) = with_provider(store, "acme");
    let refused = try_admit(store, acme.id(), &provider, &identity("\0", "x@example.org"));
    assert!(matches!(refused, Err(StoreError::Failed(_))), "{refused:?}");
    let subjects = [
        "",
        " ",
        "a",
        "A",
        "a ",
        "'; DROP TABLE identities; --",
        "%",
        "\u{1}\u{1F989}",
    ];
    let ids: BTreeSet<_> = (0..)
        .zip(subjects)
        .map(|(n, subject)| {
            let token = identity(subject, &format!("u{n}@example.org"));
            let user = admitted(store, &acme, &provider, &token);
            assert_eq!(admitted(store, &acme, &provider, &token), user);
            user.id
        })
        .collect();
    assert_eq!(ids.len(), subjects.len());
}
