//! Whom a foreign token names, in which tenant, and for how long that is remembered.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tenantry_auth::{ClaimValue, ForeignClaims, IdentityError, MemoryIdentities, RejectedIssuer};
use tenantry_domain::{
    AccessClaims, ApiKey, ApiKeyId, AuditAction, ChatSettings, ClaimMapping, Email, Ingesters, ManualClock,
    PineconeSettings, Role, SearchSettings, Tenant, User,
};
use tenantry_tenant_store::testing::{FailingStore, unavailable};
use tenantry_tenant_store::{
    ApiKeyStore, AuditLog, AuditStore, MemoryStore, TenantChange, TenantStore, UserChange, UserStore,
};

use super::*;
use crate::{Credential, Resolver};

const ISSUER: &str = "https://login.example.org";

/// Issuers that sign whatever they are asked to, and a verifier that counts how often it was asked.
struct Issuers {
    tokens: MemoryIdentities,
    asked: AtomicUsize,
    are_away: AtomicBool,
}

impl IdentityVerifier for Issuers {
    fn issuer_of(&self, token: &str) -> Option<String> {
        self.tokens.issuer_of(token)
    }

    fn verify(&self, provider: &IdentityProvider, token: &str) -> Result<ForeignIdentity, IdentityError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        if self.are_away.load(Ordering::SeqCst) {
            return Err(IdentityError::Unavailable("away".into()));
        }
        self.tokens.verify(provider, token)
    }

    fn check_issuer(&self, issuer: &str) -> Result<(), RejectedIssuer> {
        self.tokens.check_issuer(issuer)
    }
}

/// Two servers on one store, with the tenants acme and globex, each with an admin.
struct House {
    clock: Arc<ManualClock>,
    store: Arc<FailingStore<MemoryStore>>,
    issuers: Arc<Issuers>,
    here: Identities,
    there: Identities,
    resolver: Resolver,
}

impl House {
    fn new() -> Self {
        let clock = Arc::new(ManualClock::new(
            Timestamp::from_unix_micros(1_800_000_000_000_000).unwrap(),
        ));
        let store = Arc::new(FailingStore::new(MemoryStore::new()));
        let issuers = Arc::new(Issuers {
            tokens: MemoryIdentities::new(clock.clone()),
            asked: AtomicUsize::default(),
            are_away: AtomicBool::default(),
        });
        let identities = || Identities::new(store.clone(), issuers.clone(), clock.clone());
        let house = Self {
            here: identities(),
            there: identities(),
            resolver: Resolver::new(store.clone(), store.clone(), clock.clone()),
            clock,
            store,
            issuers,
        };
        for id in ["acme", "globex"] {
            house.add_tenant(id);
        }
        house
    }

    fn add_tenant(&self, id: &str) {
        let now = self.clock.now();
        let tenant = Tenant {
            id: id.parse().unwrap(),
            name: id.to_owned(),
            pinecone: PineconeSettings::default(),
            system_prompt: None,
            search: SearchSettings::default(),
            chat: ChatSettings::default(),
            llm: None,
            ingesters: Ingesters::default(),
            is_active: true,
            created_at: now,
            updated_at: now,
        };
        self.store.create_tenant(&tenant, &Actor::system()).unwrap();
        self.user(&format!("admin@{id}.example"), Some(id), Role::Admin);
    }

    fn user(&self, email: &str, tenant: Option<&str>, role: Role) -> User {
        let now = self.clock.now();
        let user = User {
            id: UserId::generate(now),
            email: Email::parse(email).unwrap(),
            password_hash: None,
            is_superuser: false,
            is_active: true,
            tenant: tenant.map(|id| id.parse().unwrap()),
            role,
            token_version: 0,
            created_at: now,
            updated_at: now,
        };
        self.store.create_user(&user, &Actor::system()).unwrap();
        user
    }

    fn admin(&self, tenant: &str) -> TenantAdmin {
        let email = Email::parse(&format!("admin@{tenant}.example")).unwrap();
        let user = self.store.user_by_email(&email).unwrap().unwrap();
        let claims = AccessClaims {
            user: user.id,
            tenant: user.tenant,
            token_version: user.token_version,
            session: None,
        };
        let caller = self
            .resolver
            .caller(&Credential::Token(claims), &RequestOrigin::default());
        self.resolver.tenant_admin(&caller.unwrap()).unwrap()
    }

    /// A key of the tenant with those scopes.
    fn key(&self, tenant: &str, permissions: &[Permission]) -> TenantAdmin {
        let now = self.clock.now();
        let key = ApiKey {
            id: ApiKeyId::generate(now),
            name: "CI".to_owned(),
            prefix: "tnk_".to_owned(),
            permissions: Permissions::of(permissions),
            created_by: Principal::System,
            created_at: now,
            expires_at: None,
            used_at: None,
            revoked_at: None,
            replaced_by: None,
        };
        let hash = hash_of(&key.id.to_string());
        let admin = self.admin(tenant);
        self.store.create_api_key(admin.scope(), &key, hash).unwrap();
        let resolver = Resolver::new(self.store.clone(), self.store.clone(), self.clock.clone())
            .with_api_keys(self.store.clone());
        let caller = resolver.caller(&Credential::ApiKey(hash), &RequestOrigin::default());
        resolver.tenant_admin(&caller.unwrap()).unwrap()
    }

    /// A provider of [`ISSUER`] that makes users.
    fn provider(&self, tenant: &str, change: impl FnOnce(&mut NewIdentityProvider)) -> IdentityProvider {
        let mut new = plain();
        change(&mut new);
        self.here.create(&self.admin(tenant), new).unwrap()
    }

    /// The same written past the look at other tenants, as when two are added at the same moment.
    fn slipped_in(&self, tenant: &str, change: impl FnOnce(&mut NewIdentityProvider)) -> IdentityProvider {
        let mut new = plain();
        change(&mut new);
        let now = self.clock.now();
        let provider = new
            .provider(IdentityProviderId::generate(now), now, self.issuers.as_ref())
            .unwrap();
        let admin = self.admin(tenant);
        self.store
            .create_identity_provider(admin.scope(), &provider)
            .unwrap();
        self.here.remembered.forget();
        provider
    }

    fn token(&self, subject: &str, change: impl FnOnce(&mut ForeignClaims)) -> SecretString {
        let now = self.clock.now().unix_seconds();
        let mut claims = ForeignClaims {
            issuer: ISSUER.to_owned(),
            audiences: vec!["tenantry".to_owned()],
            authorized_party: None,
            subject: subject.to_owned(),
            issued_at: now,
            not_before: None,
            expires_at: now + 3_600,
            others: BTreeMap::from([
                ("email".to_owned(), text(&format!("{subject}@example.org"))),
                ("email_verified".to_owned(), ClaimValue::Flag(true)),
            ]),
        };
        change(&mut claims);
        self.issuers.tokens.issue(claims).into()
    }

    fn enter(&self, token: &SecretString) -> Result<AdmittedIdentity, ResolveError> {
        self.here.authenticate(token, &RequestOrigin::default())
    }

    fn asked(&self) -> usize {
        self.issuers.asked.load(Ordering::SeqCst)
    }

    fn role_of(&self, admitted: &AdmittedIdentity) -> Role {
        self.store.user(admitted.user).unwrap().unwrap().role
    }
}

fn plain() -> NewIdentityProvider {
    NewIdentityProvider {
        name: "Our own".to_owned(),
        issuer: ISSUER.to_owned(),
        audience: "tenantry".to_owned(),
        claims: ClaimMappingUpdate::default(),
        creates_users: true,
        is_active: true,
    }
}

fn asking(claim: &str, value: &str) -> ClaimMappingUpdate {
    ClaimMappingUpdate {
        tenant: Some(Some((claim.to_owned(), value.to_owned()))),
        ..ClaimMappingUpdate::default()
    }
}

fn text(value: &str) -> ClaimValue {
    ClaimValue::Text(value.to_owned())
}

#[track_caller]
#[expect(
    clippy::needless_pass_by_value,
    reason = "each call hands over what it has just got"
)]
fn refused(result: Result<AdmittedIdentity, ResolveError>) {
    assert!(matches!(result, Err(ResolveError::Unauthenticated)), "{result:?}");
}

#[track_caller]
fn invalid(result: Result<impl fmt::Debug, IdentityProviderError>, field: &str) {
    match result {
        Err(IdentityProviderError::Invalid(invalid)) => assert_eq!(invalid.field, field),
        other => panic!("{other:?}"),
    }
}

#[test]
fn somebody_seen_first_becomes_a_user_of_the_providers_tenant() {
    let house = House::new();
    house.provider("acme", |_| {});
    let token = house.token("ada", |_| {});
    let origin = RequestOrigin {
        request: Some("r-1".to_owned()),
        address: None,
    };
    let admitted = house.here.authenticate(&token, &origin).unwrap();
    assert_eq!(admitted.tenant.as_str(), "acme");
    assert_eq!(admitted.issued_at, house.clock.now());
    let user = house.store.user(admitted.user).unwrap().unwrap();
    assert_eq!(
        (user.email.as_str(), user.role),
        ("ada@example.org", Role::Member)
    );
    assert!(!user.is_superuser && user.password_hash.is_none());
    assert_eq!(user.tenant, Some(admitted.tenant.clone()));

    let log = AuditLog::Tenant(admitted.tenant.clone());
    let entries = house.store.audit_after(&log, 0, 100).unwrap();
    let entry = entries
        .iter()
        .find(|entry| entry.action == AuditAction::IdentityLinked);
    assert_eq!(entry.unwrap().actor.origin, origin);
    assert_eq!(
        house.enter(&house.token("ada", |_| {})).unwrap().user,
        admitted.user
    );
}

#[test]
fn a_token_of_no_provider_is_refused() {
    let house = House::new();
    refused(house.enter(&"no token".to_owned().into()));
    refused(house.enter(&house.token("ada", |_| {})));
    house.provider("acme", |_| {});
    refused(house.enter(&house.token("ada", |claims| claims.issuer.push('/'))));
    refused(house.enter(&house.token("ada", |claims| claims.audiences = vec!["another".to_owned()])));
    house.enter(&house.token("ada", |_| {})).unwrap();
}

#[test]
fn strangers_stay_out_where_the_provider_makes_no_users() {
    let house = House::new();
    house.provider("acme", |new| new.creates_users = false);
    refused(house.enter(&house.token("ada", |_| {})));
    let ada = house.user("ada@example.org", Some("acme"), Role::Reader);
    assert_eq!(house.enter(&house.token("ada", |_| {})).unwrap().user, ada.id);
}

#[test]
fn an_address_alone_is_nobody_elses() {
    let house = House::new();
    house.provider("acme", |_| {});
    let theirs = house.user("bo@example.org", Some("globex"), Role::Admin);
    let root = house.user("root@example.org", Some("acme"), Role::Member);
    let promote = UserChange {
        is_superuser: Some(true),
        ..UserChange::default()
    };
    house
        .store
        .update_user(root.id, &promote, house.clock.now())
        .unwrap();
    house.user("cy@example.org", Some("acme"), Role::Member);
    refused(house.enter(&house.token("bo", |_| {})));
    refused(house.enter(&house.token("root", |_| {})));
    refused(house.enter(&house.token("cy", |claims| {
        claims.others.remove("email_verified");
    })));
    refused(house.enter(&house.token("nobody", |claims| {
        claims.others.clear();
    })));
    assert_eq!(house.store.user(theirs.id).unwrap(), Some(theirs));
}

#[test]
fn one_tenants_issuer_never_speaks_for_another() {
    let house = House::new();
    house.provider("acme", |_| {});
    house.provider("globex", |new| {
        "https://login.globex.example".clone_into(&mut new.issuer);
    });
    let same = |issuer: &str| {
        let token = house.token("ada", |claims| {
            issuer.clone_into(&mut claims.issuer);
            claims.others.insert("tenant_id".to_owned(), text("globex"));
            claims
                .others
                .insert("email".to_owned(), text(&format!("ada@{}.example", issuer.len())));
        });
        house.enter(&token).unwrap()
    };
    let (acme, globex) = (same(ISSUER), same("https://login.globex.example"));
    assert_eq!((acme.tenant.as_str(), globex.tenant.as_str()), ("acme", "globex"));
    assert_ne!(acme.user, globex.user, "the same subject is somebody else");
}

#[test]
fn a_token_that_two_tenants_would_accept_is_nobodys() {
    let house = House::new();
    house.provider("acme", |_| {});
    let token = house.token("ada", |_| {});
    house.enter(&token).unwrap();
    let other = house.slipped_in("globex", |_| {});
    refused(house.enter(&token));
    house.here.remove(&house.admin("globex"), other.id).unwrap();
    house.enter(&token).unwrap();
}

#[test]
fn a_tenant_claim_tells_tenants_of_one_issuer_apart() {
    let house = House::new();
    house.provider("acme", |new| new.claims = asking("org", "acme"));
    house.provider("globex", |new| new.claims = asking("org", "globex"));
    let of = |org: &str| {
        house.token(&format!("ada-{org}"), |claims| {
            claims.others.insert("org".to_owned(), text(org));
        })
    };
    assert_eq!(house.enter(&of("acme")).unwrap().tenant.as_str(), "acme");
    assert_eq!(house.enter(&of("globex")).unwrap().tenant.as_str(), "globex");
    refused(house.enter(&of("initech")));
    refused(house.enter(&house.token("ada", |_| {})));
}

#[test]
fn who_asks_for_a_tenant_claim_is_not_overruled_by_who_does_not() {
    let house = House::new();
    house.provider("acme", |new| {
        new.claims = asking("org", "acme");
        new.claims.default_role = Some(Role::Admin);
    });
    house.provider("acme", |_| {});
    let staff = house.token("ada", |claims| {
        claims.others.insert("org".to_owned(), text("acme"));
    });
    let role_of = |token| house.role_of(&house.enter(token).unwrap());
    assert_eq!(role_of(&staff), Role::Admin);
    assert_eq!(role_of(&house.token("bo", |_| {})), Role::Member);
}

#[test]
fn a_claim_that_every_token_has_takes_nobody_from_another_tenant() {
    let house = House::new();
    house.provider("acme", |_| {});
    let token = house.token("ada", |claims| {
        claims.others.insert("org".to_owned(), text("acme"));
    });
    house.slipped_in("globex", |new| new.claims = asking("org", "acme"));
    refused(house.enter(&token));
}

#[test]
fn a_provider_whose_tokens_another_tenant_accepts_is_not_taken() {
    let house = House::new();
    house.provider("acme", |_| {});
    let globex = house.admin("globex");
    let mut asks = plain();
    asks.claims = asking("org", "globex");
    for new in [plain(), asks.clone()] {
        let refused = house.there.create(&globex, new);
        assert!(
            matches!(refused, Err(IdentityProviderError::Anothers)),
            "{refused:?}"
        );
    }
    // Nor by a change of one that was taken.
    let own = house.provider("globex", |new| new.audience = "globex".to_owned());
    let to_acmes = IdentityProviderUpdate {
        audience: Some("tenantry".to_owned()),
        ..IdentityProviderUpdate::default()
    };
    let refused = house.here.update(&globex, own.id, to_acmes);
    assert!(
        matches!(refused, Err(IdentityProviderError::Anothers)),
        "{refused:?}"
    );
    assert_eq!(house.here.provider(&globex, own.id).unwrap(), Some(own));
    house.enter(&house.token("ada", |_| {})).unwrap();
}

#[test]
fn a_key_that_may_not_all_names_no_issuer_that_may() {
    let house = House::new();
    let whole = house.admin("acme");
    let provider = house.provider("acme", |_| {});
    let some = house.key("acme", &[Permission::Admin]);
    let beyond = |result: Result<(), IdentityProviderError>| {
        assert!(
            matches!(result, Err(IdentityProviderError::Beyond(Permission::Chat))),
            "{result:?}"
        );
    };
    beyond(house.here.create(&some, plain()).map(drop));
    let change = IdentityProviderUpdate {
        issuer: Some("https://evil.example".to_owned()),
        ..IdentityProviderUpdate::default()
    };
    beyond(house.here.update(&some, provider.id, change).map(drop));
    assert_eq!(
        house.here.provider(&whole, provider.id).unwrap(),
        Some(provider.clone())
    );
    assert!(house.here.remove(&some, provider.id).unwrap());
    let all = house.key("acme", Permission::ALL);
    house.here.create(&all, plain()).unwrap();
}

#[test]
fn a_mapped_role_follows_the_token() {
    let house = House::new();
    house.provider("acme", |new| {
        new.claims = ClaimMappingUpdate {
            role: Some(Some("groups".to_owned())),
            roles: Some(BTreeMap::from([("leads".to_owned(), Role::Admin)])),
            default_role: Some(Role::Reader),
            ..ClaimMappingUpdate::default()
        };
    });
    let lead = house.token("ada", |claims| {
        claims
            .others
            .insert("groups".to_owned(), ClaimValue::Texts(vec!["leads".to_owned()]));
    });
    let admitted = house.enter(&lead).unwrap();
    assert_eq!(house.role_of(&admitted), Role::Admin);
    house.clock.advance(Duration::from_secs(5));
    let admitted = house.enter(&house.token("ada", |_| {})).unwrap();
    assert_eq!(house.role_of(&admitted), Role::Reader);
}

#[test]
fn a_token_is_admitted_once_a_minute() {
    let house = House::new();
    house.provider("acme", |_| {});
    let token = house.token("ada", |_| {});
    let admitted = house.enter(&token).unwrap();
    house.issuers.are_away.store(true, Ordering::SeqCst);
    house
        .store
        .fail_when(|call| (call == "admit_identity").then(unavailable));
    for _ in 0..59 {
        house.clock.advance(Duration::from_secs(1));
        assert_eq!(house.enter(&token).unwrap(), admitted);
    }
    assert_eq!(house.asked(), 1);
    house.clock.advance(Duration::from_secs(1));
    assert!(matches!(house.enter(&token), Err(ResolveError::Provider(_))));
    house.issuers.are_away.store(false, Ordering::SeqCst);
    assert!(matches!(house.enter(&token), Err(ResolveError::Store(_))));
    house.store.heal();
    assert_eq!(house.enter(&token).unwrap(), admitted);
}

#[test]
fn a_remembered_token_ends_with_its_lifetime() {
    let house = House::new();
    house.provider("acme", |_| {});
    let token = house.token("ada", |claims| claims.expires_at = claims.issued_at + 10);
    house.enter(&token).unwrap();
    house.clock.advance(Duration::from_secs(50));
    house.enter(&token).unwrap();
    house.clock.advance(Duration::from_secs(19));
    let admitted = house.enter(&token).unwrap();
    assert_eq!(
        admitted.expires_at.unix_seconds(),
        house.clock.now().unix_seconds() + 1
    );
    house.clock.advance(Duration::from_secs(1));
    refused(house.enter(&token));
}

#[test]
fn a_change_of_a_provider_is_known_here_at_once_and_elsewhere_within_a_second() {
    let house = House::new();
    let provider = house.provider("acme", |_| {});
    let token = house.token("ada", |_| {});
    let there = || house.there.authenticate(&token, &RequestOrigin::default());
    let change = |update: IdentityProviderUpdate| {
        house
            .here
            .update(&house.admin("acme"), provider.id, update)
            .unwrap()
            .unwrap()
    };
    house.enter(&token).unwrap();
    there().unwrap();
    for update in [
        IdentityProviderUpdate {
            is_active: Some(false),
            ..IdentityProviderUpdate::default()
        },
        IdentityProviderUpdate {
            audience: Some("another".to_owned()),
            ..IdentityProviderUpdate::default()
        },
        IdentityProviderUpdate {
            issuer: Some(format!("{ISSUER}/other")),
            ..IdentityProviderUpdate::default()
        },
        IdentityProviderUpdate {
            claims: asking("org", "acme"),
            ..IdentityProviderUpdate::default()
        },
    ] {
        change(update);
        refused(house.enter(&token));
        there().unwrap();
        house.clock.advance(Duration::from_secs(1));
        refused(there());
        change(IdentityProviderUpdate {
            issuer: Some(ISSUER.to_owned()),
            audience: Some("tenantry".to_owned()),
            is_active: Some(true),
            claims: ClaimMappingUpdate {
                tenant: Some(None),
                ..ClaimMappingUpdate::default()
            },
            ..IdentityProviderUpdate::default()
        });
        house.enter(&token).unwrap();
        house.clock.advance(Duration::from_secs(1));
        there().unwrap();
    }
    assert!(house.here.remove(&house.admin("acme"), provider.id).unwrap());
    refused(house.enter(&token));
    house.clock.advance(Duration::from_secs(1));
    refused(there());
    assert!(!house.here.remove(&house.admin("acme"), provider.id).unwrap());
}

#[test]
fn a_provider_added_elsewhere_works_at_once() {
    let house = House::new();
    house.provider("acme", |_| {});
    let token = house.token("ada", |claims| claims.audiences = vec!["another".to_owned()]);
    let there = || house.there.authenticate(&token, &RequestOrigin::default());
    refused(there());
    house.provider("acme", |new| "another".clone_into(&mut new.audience));
    there().unwrap();
}

#[test]
fn the_providers_of_a_suspended_tenant_speak_for_nobody() {
    let house = House::new();
    house.provider("acme", |_| {});
    let token = house.token("ada", |_| {});
    house.enter(&token).unwrap();
    let suspended = TenantChange {
        is_active: Some(false),
        ..TenantChange::default()
    };
    house
        .store
        .update_tenant(&"acme".parse().unwrap(), &suspended, house.clock.now())
        .unwrap();
    house.clock.advance(Duration::from_secs(1));
    refused(house.enter(&token));
}

#[test]
fn a_provider_that_cannot_be_asked_leaves_it_open_whose_the_token_is() {
    let house = House::new();
    house.provider("acme", |_| {});
    house.issuers.are_away.store(true, Ordering::SeqCst);
    let error = house.enter(&house.token("ada", |_| {})).unwrap_err();
    assert!(matches!(error, ResolveError::Provider(_)), "{error:?}");
    house
        .store
        .fail_when(|call| (call == "providers_of_issuer").then(unavailable));
    house.clock.advance(Duration::from_secs(1));
    let error = house.enter(&house.token("ada", |_| {})).unwrap_err();
    assert!(matches!(error, ResolveError::Store(_)), "{error:?}");
}

#[test]
fn a_provider_is_kept_as_it_was_given() {
    let house = House::new();
    let provider = house.provider("acme", |new| {
        new.name = "  Our\u{200B} own ".to_owned();
        new.claims = ClaimMappingUpdate {
            email: Some("upn".to_owned()),
            tenant: Some(Some(("org".to_owned(), "acme".to_owned()))),
            role: Some(Some("/realm_access/roles".to_owned())),
            roles: Some(BTreeMap::from([("leads".to_owned(), Role::Admin)])),
            default_role: Some(Role::Reader),
        };
    });
    assert_eq!(provider.name, "Our own");
    let admin = house.admin("acme");
    assert_eq!(
        house.here.provider(&admin, provider.id).unwrap(),
        Some(provider.clone())
    );
    assert_eq!(
        house.here.providers(&admin, Page::default()).unwrap().items,
        std::slice::from_ref(&provider)
    );

    let unchanged = house
        .here
        .update(&admin, provider.id, IdentityProviderUpdate::default());
    assert_eq!(unchanged.unwrap(), Some(provider.clone()));
    let cleared = IdentityProviderUpdate {
        claims: ClaimMappingUpdate {
            email: Some("email".to_owned()),
            tenant: Some(None),
            role: Some(None),
            roles: Some(BTreeMap::new()),
            default_role: Some(Role::Member),
        },
        ..IdentityProviderUpdate::default()
    };
    let changed = house.here.update(&admin, provider.id, cleared).unwrap().unwrap();
    assert_eq!(changed.claims, ClaimMapping::default());

    let other = house.admin("globex");
    assert_eq!(house.here.provider(&other, provider.id).unwrap(), None);
    let update = IdentityProviderUpdate::default();
    assert_eq!(house.here.update(&other, provider.id, update).unwrap(), None);
    assert!(!house.here.remove(&other, provider.id).unwrap());
}

#[test]
fn what_cannot_be_kept_is_refused_by_its_field() {
    let house = House::new();
    let admin = house.admin("acme");
    let create = |change: &dyn Fn(&mut NewIdentityProvider)| {
        let mut new = plain();
        change(&mut new);
        house.here.create(&admin, new)
    };
    invalid(create(&|new| new.name.clear()), "name");
    invalid(create(&|new| new.name = "n".repeat(101)), "name");
    for issuer in [
        "",
        "login.example.org",
        "http://login.example.org",
        "https://login.example.org?a",
    ] {
        invalid(create(&|new| issuer.clone_into(&mut new.issuer)), "issuer");
    }
    for audience in ["", " tenantry", "tenantry\n", &"a".repeat(201)] {
        invalid(create(&|new| audience.clone_into(&mut new.audience)), "audience");
    }
    let claims = |change: &dyn Fn(&mut ClaimMappingUpdate)| create(&|new| change(&mut new.claims));
    for name in ["", " email", "e\0mail", &"e".repeat(201)] {
        let name = || Some(name.to_owned());
        invalid(claims(&|claims| claims.email = name()), "claims.email");
        invalid(claims(&|claims| claims.role = Some(name())), "claims.role");
        invalid(
            claims(&|claims| claims.tenant = Some(name().map(|name| (name, "a".to_owned())))),
            "claims.tenant",
        );
        invalid(
            claims(&|claims| claims.tenant = Some(name().map(|name| ("a".to_owned(), name)))),
            "claims.tenant",
        );
        invalid(
            claims(&|claims| {
                claims.role = Some(Some("groups".to_owned()));
                claims.roles = name().map(|name| BTreeMap::from([(name, Role::Admin)]));
            }),
            "claims.roles",
        );
    }
    let roles = |count: usize| {
        (0..count)
            .map(|number| (number.to_string(), Role::Reader))
            .collect()
    };
    invalid(claims(&|claims| claims.roles = Some(roles(1))), "claims.roles");
    invalid(
        claims(&|claims| {
            claims.role = Some(Some("groups".to_owned()));
            claims.roles = Some(roles(101));
        }),
        "claims.roles",
    );
    assert_eq!(house.here.providers(&admin, Page::default()).unwrap().total, 0);
}

#[test]
fn a_tenant_has_ten_providers_and_each_kind_once() {
    let house = House::new();
    let admin = house.admin("acme");
    let first = house.provider("acme", |_| {});
    let again = house.here.create(&admin, plain());
    assert!(
        matches!(again, Err(IdentityProviderError::Store(StoreError::IdTaken))),
        "{again:?}"
    );
    for number in 1..10 {
        house.provider("acme", |new| new.audience = format!("tenantry-{number}"));
    }
    let more = NewIdentityProvider {
        audience: "one more".to_owned(),
        ..plain()
    };
    let many = house.here.create(&admin, more.clone());
    assert!(matches!(many, Err(IdentityProviderError::TooMany)), "{many:?}");
    house.here.remove(&admin, first.id).unwrap();
    house.here.create(&admin, more).unwrap();
}

#[test]
fn debug_shows_no_token() {
    assert_eq!(format!("{:?}", House::new().here), "Identities { .. }");
}
