//! A tenant with records of every kind, for the obligations that are about a tenant as a whole.
#![expect(clippy::unwrap_used, reason = "an obligation panics where the store fails it")]

use std::ops::ControlFlow;

use tenantry_domain::{
    Actor, ApiKey, ApiKeyId, AuditEntry, ForeignIdentity, Permission, Permissions, Principal, Role, TenantId,
    TenantScope, TokenHash, UsageKind, User, UserId,
};

use super::audit::AuditedStore;
use super::chat::{ChatStore, answer, begun, call, tokens};
use super::samples::{at, full_provider, full_tenant, provider, user};
use super::work::{metadata, submission, submit_with_source, take_in};
use crate::{
    Admission, ApiKeyStore, ArchivedRecord, IdentityStore, NewSession, SessionStore, TenantArchiveStore,
    TenantChange, TenantEraseStore,
};

/// Every trait of a store of whole tenants, on the same records.
pub trait WholeStore:
    AuditedStore + ChatStore + ApiKeyStore + IdentityStore + SessionStore + TenantArchiveStore + TenantEraseStore
{
}

impl<
    S: AuditedStore
        + ChatStore
        + ApiKeyStore
        + IdentityStore
        + SessionStore
        + TenantArchiveStore
        + TenantEraseStore,
> WholeStore for S
{
}

/// A member of the tenant, by that name.
pub(crate) fn member(name: &str, tenant: &TenantScope) -> User {
    User {
        tenant: Some(tenant.id().clone()),
        role: Role::Reader,
        ..user(&format!("{name}@{}.example.org", tenant.id()))
    }
}

/// Makes a tenant of that id with records of every kind, of which `byte` makes the secrets. Its scope, and a user of it who has a
/// session, a conversation and usage.
pub(crate) fn filled<S: WholeStore>(store: &S, id: &str, byte: u8) -> (TenantScope, UserId) {
    let tenant = full_tenant(id);
    store.create_tenant(&tenant, &Actor::system()).unwrap();
    let scope = std::sync::Arc::new(tenant).activate(Actor::system()).unwrap();
    let change = TenantChange {
        system_prompt: Some(None),
        ..TenantChange::default()
    };
    store.update_tenant(scope.id(), &change, at(4)).unwrap();
    let user = member("ada", &scope);
    store.create_user(&user, &Actor::system()).unwrap();
    let named = crate::Submission {
        external_id: Some("names/\u{e9}".into()),
        metadata: metadata(),
        ..submission("taken in", 10)
    };
    store.indexes(&scope, None, at(5)).unwrap();
    take_in(store, &scope, &named);
    submit_with_source(store, &scope, &submission("on its way", 20));
    let conversation = begun(store, &scope, user.id, 30);
    let usage = [call(user.id, UsageKind::Answering, tokens(12, 3))];
    store
        .finish_turn(
            &scope,
            user.id,
            conversation.id,
            &answer("By day [1].", 31),
            &usage,
        )
        .unwrap();
    begun(store, &scope, UserId::generate(at(40)), 40);
    with_credentials(store, &scope, &user, byte);
    (scope, user.id)
}

fn with_credentials<S: WholeStore>(store: &S, scope: &TenantScope, user: &User, byte: u8) {
    let key = ApiKey {
        id: ApiKeyId::generate(at(50)),
        name: "Importer".into(),
        prefix: "tnk_0a1b2c3d".into(),
        permissions: Permissions::of(&[Permission::Chat]),
        created_by: Principal::User(user.id),
        created_at: at(50),
        expires_at: None,
        used_at: None,
        revoked_at: None,
        replaced_by: None,
    };
    let hash = |n: u8| TokenHash::from_bytes([byte.wrapping_add(n); 32]);
    store.create_api_key(scope, &key, hash(0)).unwrap();
    let session = tenantry_domain::Session {
        id: tenantry_domain::SessionId::generate(at(51)),
        user: user.id,
        method: tenantry_domain::LoginMethod::Password,
        client: None,
        address: None,
        created_at: at(51),
        used_at: at(51),
        expires_at: at(1_000_000),
    };
    let new = NewSession {
        session,
        refresh: hash(1),
        token_version: 0,
        rehash: None,
    };
    assert!(store.begin_session(&new, &Actor::system()).unwrap());
    store
        .create_identity_provider(scope, &full_provider("https://full.example"))
        .unwrap();
    let provider = provider("https://a.example");
    store.create_identity_provider(scope, &provider).unwrap();
    let identity = ForeignIdentity {
        subject: "s-1".into(),
        email: Some(user.email.clone()),
        email_is_verified: true,
        role: Role::Member,
        role_is_mapped: false,
        issued_at: at(0),
        expires_at: at(600),
    };
    let admitted = store.admit_identity(
        scope.id(),
        &provider,
        &identity,
        UserId::generate(at(52)),
        &Actor::system(),
        at(52),
    );
    assert!(matches!(admitted.unwrap(), Admission::User(found) if found.id == user.id));
}

/// Every record of a tenant that is there.
pub(crate) fn read<S: TenantArchiveStore>(store: &S, id: &TenantId) -> Vec<ArchivedRecord> {
    let mut records = Vec::new();
    let found = store.read_tenant(id, &mut |record| {
        records.push(record);
        ControlFlow::Continue(())
    });
    assert!(found.unwrap());
    records
}

/// The entries of an audit log among records.
pub(crate) fn entries(records: &[ArchivedRecord]) -> Vec<AuditEntry> {
    let entry = |record: &ArchivedRecord| match record {
        ArchivedRecord::Audit(entry) => Some(entry.clone()),
        _ => None,
    };
    records.iter().filter_map(entry).collect()
}

/// Deactivates a tenant.
pub(crate) fn deactivate<S: WholeStore>(store: &S, id: &TenantId) {
    let change = TenantChange {
        is_active: Some(false),
        ..TenantChange::default()
    };
    store.update_tenant(id, &change, at(60)).unwrap().unwrap();
}

/// Removes the rows of an inactive tenant, three at a time, and gives how many those were.
pub(crate) fn emptied<S: WholeStore>(store: &S, id: &TenantId) -> u64 {
    let mut removed = 0;
    loop {
        match store.erase_some(id, 3).unwrap() {
            0 => return removed,
            some => removed += some,
        }
    }
}
