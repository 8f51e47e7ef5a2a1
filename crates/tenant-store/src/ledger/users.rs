//! What a change makes of a user.

use tenantry_domain::{Tenant, Timestamp, User};

use crate::{StoreError, UserChange};

/// The user's token version is the highest there is.
#[derive(Debug, thiserror::Error)]
#[error("the token version cannot be raised any more")]
struct TokenVersionExhausted;

/// A user as a change leaves it.
#[derive(Debug)]
pub(crate) struct ChangedUser {
    pub(crate) user: User,
    /// Whether every session ends, and every link to set the password with it: who was handed one may be less by now than whom it
    /// is for.
    pub(crate) ends_sessions: bool,
    /// Whether the platform loses an active superuser.
    pub(crate) steps_down: bool,
}

/// What `change` makes of `before`; the same value again changes nothing, and ends nothing.
pub(crate) fn changed(before: &User, change: &UserChange, now: Timestamp) -> Result<ChangedUser, StoreError> {
    let mut user = before.clone();
    set(&mut user.tenant, change.tenant.as_ref());
    set(&mut user.role, change.role.as_ref());
    set(&mut user.is_active, change.is_active.as_ref());
    set(&mut user.is_superuser, change.is_superuser.as_ref());
    if change.password_hash.is_some() {
        user.password_hash.clone_from(&change.password_hash);
    }
    let ends_sessions = change.end_sessions || user != *before;
    if ends_sessions {
        user.token_version = raised(before.token_version)?;
    }
    user.updated_at = now;
    Ok(ChangedUser {
        steps_down: manages(before) && !manages(&user),
        user,
        ends_sessions,
    })
}

/// The next token version.
pub(crate) fn raised(version: u32) -> Result<u32, StoreError> {
    let next = version.checked_add(1);
    next.ok_or_else(|| StoreError::Failed(TokenVersionExhausted.into()))
}

/// Whether the user manages the platform now.
pub(crate) fn manages(user: &User) -> bool {
    user.is_superuser && user.is_active
}

/// Whether a user with that tenant may use a session: an inactive tenant keeps all but superusers out.
pub(crate) fn may_log_in(user: &User, tenant: Option<&Tenant>) -> bool {
    let tenant_is_open = user.tenant.is_none() || tenant.is_some_and(|tenant| tenant.is_active);
    user.is_active && (tenant_is_open || user.is_superuser)
}

fn set<T: Clone>(place: &mut T, value: Option<&T>) {
    if let Some(value) = value {
        place.clone_from(value);
    }
}
