//! Whether what was read of a caller lets a credential in.

use tenantry_domain::{AccessClaims, Timestamp};

use super::memory::{KnownUser, Seen, Who};
use super::{AdmittedIdentity, Credential, ResolveError};

pub(super) fn admit(seen: &Seen, credential: &Credential, now: Timestamp) -> Result<(), ResolveError> {
    match (credential, &seen.who) {
        (Credential::Token(claims), Who::User(known)) => admit_token(seen, known, claims),
        (Credential::Identity(identity), Who::User(known)) => admit_identity(seen, known, identity, now),
        (Credential::ApiKey(_), Who::ApiKey(key)) if key.is_live(now) => tenant_is_active(seen),
        _ => Err(ResolveError::Unauthenticated),
    }
}

/// A closed tenant is told before an ended session: closing it has ended them all.
fn admit_token(seen: &Seen, known: &KnownUser, claims: &AccessClaims) -> Result<(), ResolveError> {
    let user = &known.user;
    if !user.is_active {
        return Err(ResolveError::Unauthenticated);
    }
    // A superuser manages the platform also when their own tenant is closed; the tenant's routes look at the tenant themselves.
    if !user.is_superuser {
        if user.tenant != claims.tenant {
            return Err(ResolveError::Unauthenticated);
        }
        if user.tenant.is_some() {
            tenant_is_active(seen)?;
        }
    }
    let is_live = user.token_version == claims.token_version && known.session_is_live;
    is_live.then_some(()).ok_or(ResolveError::Unauthenticated)
}

fn admit_identity(
    seen: &Seen,
    known: &KnownUser,
    identity: &AdmittedIdentity,
    now: Timestamp,
) -> Result<(), ResolveError> {
    let user = &known.user;
    if !user.is_active || user.tenant.as_ref() != Some(&identity.tenant) {
        return Err(ResolveError::Unauthenticated);
    }
    tenant_is_active(seen)?;
    let has_ended = known
        .sessions_ended_at
        .is_some_and(|ended| identity.issued_at < ended);
    let is_live = !has_ended && now < identity.expires_at;
    is_live.then_some(()).ok_or(ResolveError::Unauthenticated)
}

fn tenant_is_active(seen: &Seen) -> Result<(), ResolveError> {
    let is_active = seen.tenant.as_ref().is_some_and(|tenant| tenant.is_active);
    is_active.then_some(()).ok_or(ResolveError::TenantForbidden)
}
