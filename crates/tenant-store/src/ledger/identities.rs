//! Who somebody with a token of an identity provider is, and what the audit log says of providers.

use tenantry_domain::{
    AuditAction, AuditEvent, Email, ForeignIdentity, IdentityProvider, IdentityProviderId, Role, TenantId,
    Timestamp, User, UserId,
};

use crate::AuditLog;

/// What somebody with a foreign identity is, before it is made so.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// This user of the provider's tenant, who is to be linked.
    Known(Box<User>),
    /// Not seen before; to be made a user with that address.
    New(Email),
    /// Nobody, and the provider makes no users or the token has no address.
    Unknown,
    /// Nobody, because the address is somebody's.
    AddressTaken,
}

/// What somebody is whom no link leads to a user of the tenant, while `of_address` is whoever has the token's address.
pub(crate) fn standing(
    tenant: &TenantId,
    provider: &IdentityProvider,
    identity: &ForeignIdentity,
    of_address: Option<User>,
) -> Standing {
    let Some(email) = &identity.email else {
        return Standing::Unknown;
    };
    match of_address {
        Some(user) => {
            let may_be_linked =
                identity.email_is_verified && !user.is_superuser && user.tenant.as_ref() == Some(tenant);
            if may_be_linked {
                Standing::Known(Box::new(user))
            } else {
                Standing::AddressTaken
            }
        }
        None if provider.creates_users => Standing::New(email.clone()),
        None => Standing::Unknown,
    }
}

/// The role that the user, whose sessions were last ended at `ended_at`, gets because the provider says so. A token from before that is
/// good for nothing any more, nor for bringing back a role that was taken.
pub(crate) fn new_role(identity: &ForeignIdentity, user: &User, ended_at: Option<Timestamp>) -> Option<Role> {
    let is_good = ended_at.is_none_or(|ended| identity.issued_at >= ended);
    let follows = is_good && identity.role_is_mapped && !user.is_superuser && user.role != identity.role;
    follows.then_some(identity.role)
}

/// As of when a role that a token says ends what was before it: the token itself goes on.
pub(crate) fn role_since(identity: &ForeignIdentity, now: Timestamp) -> Timestamp {
    identity.issued_at.min(now)
}

/// The user that somebody becomes who is seen for the first time: without a password.
pub(crate) fn new_user(
    tenant: &TenantId,
    identity: &ForeignIdentity,
    id: UserId,
    email: Email,
    now: Timestamp,
) -> User {
    User {
        id,
        email,
        password_hash: None,
        is_superuser: false,
        is_active: true,
        tenant: Some(tenant.clone()),
        role: identity.role,
        token_version: 0,
        created_at: now,
        updated_at: now,
    }
}

/// Whether a token that was verified by `presented` may still be admitted: the provider is there as `kept`, and speaks for the same
/// issuer.
pub(crate) fn still_speaks(kept: &IdentityProvider, presented: &IdentityProvider) -> bool {
    kept.is_active && kept.issuer == presented.issuer
}

/// A provider was added.
pub(crate) fn added(tenant: &TenantId, provider: &IdentityProvider) -> (AuditLog, AuditEvent) {
    let event = about(AuditAction::IdentityProviderAdded, provider.id).with("issuer", &provider.issuer);
    in_log_of(tenant, event)
}

/// A provider was changed; `None` when it was that already.
pub(crate) fn changed(
    tenant: &TenantId,
    before: &IdentityProvider,
    after: &IdentityProvider,
) -> Option<(AuditLog, AuditEvent)> {
    let fields = [
        ("name", before.name != after.name),
        ("issuer", before.issuer != after.issuer),
        ("audience", before.audience != after.audience),
        ("claims", before.claims != after.claims),
        ("creates_users", before.creates_users != after.creates_users),
        ("is_active", before.is_active != after.is_active),
    ];
    let names: Vec<_> = fields
        .into_iter()
        .filter_map(|(name, is_changed)| is_changed.then_some(name))
        .collect();
    if names.is_empty() {
        return None;
    }
    let event = about(AuditAction::IdentityProviderChanged, after.id).with("fields", names.join(" "));
    Some(in_log_of(tenant, event))
}

/// A provider was removed.
pub(crate) fn removed(tenant: &TenantId, id: IdentityProviderId) -> (AuditLog, AuditEvent) {
    in_log_of(tenant, about(AuditAction::IdentityProviderRemoved, id))
}

/// A subject of a provider is that user from now on.
pub(crate) fn linked(
    tenant: &TenantId,
    provider: IdentityProviderId,
    user: UserId,
) -> (AuditLog, AuditEvent) {
    let event = AuditEvent::new(AuditAction::IdentityLinked)
        .on("user", user)
        .with("identity_provider", provider);
    in_log_of(tenant, event)
}

fn about(action: AuditAction, id: IdentityProviderId) -> AuditEvent {
    AuditEvent::new(action).on("identity_provider", id)
}

fn in_log_of(tenant: &TenantId, event: AuditEvent) -> (AuditLog, AuditEvent) {
    (AuditLog::Tenant(tenant.clone()), event)
}
