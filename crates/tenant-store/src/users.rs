use tenantry_domain::{
    Actor, Email, Page, Paged, PasswordHash, Role, SessionId, Tenant, TenantId, Timestamp, User, UserId,
};

use crate::StoreError;

/// What to change of a user: `None` keeps a value, `Some(None)` clears one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UserChange {
    /// The tenant.
    pub tenant: Option<Option<TenantId>>,
    /// What the user may do in the tenant; a user who goes to another one keeps the role unless told otherwise.
    pub role: Option<Role>,
    /// Whether the user may log in.
    pub is_active: Option<bool>,
    /// Whether the user manages the platform.
    pub is_superuser: Option<bool>,
    /// The password's hash.
    pub password_hash: Option<PasswordHash>,
    /// Whether to raise the token version, which ends every session and every token issued before.
    pub end_sessions: bool,
    /// For a change that an admin of this tenant makes: a user of another tenant or of none, and a superuser, is not there for it.
    pub within: Option<TenantId>,
    /// Who makes the change, for the audit log.
    pub actor: Actor,
}

impl UserChange {
    /// Whether the user, as it is before, is there for whoever makes the change.
    pub(crate) fn reaches(&self, user: &User) -> bool {
        let Some(tenant) = &self.within else {
            return true;
        };
        !user.is_superuser && user.tenant.as_ref() == Some(tenant)
    }
}

impl UserChange {
    /// The change that a link to set the password makes.
    pub(crate) fn of_reset(password: &PasswordHash, actor: &Actor) -> Self {
        Self {
            password_hash: Some(password.clone()),
            end_sessions: true,
            actor: actor.clone(),
            ..Self::default()
        }
    }
}

/// Which users to list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UserFilter {
    /// Only users of this tenant.
    pub tenant: Option<TenantId>,
    /// Only superusers, or only others.
    pub is_superuser: Option<bool>,
}

/// What one request needs to know of its caller, read in one step.
#[derive(Debug, Clone, PartialEq)]
pub struct Access {
    /// The user, active or not.
    pub user: User,
    /// The user's tenant, active or not.
    pub tenant: Option<Tenant>,
    /// Whether the session that was asked for is live; true when none was asked for.
    pub session_is_live: bool,
    /// When all the user's sessions were last ended: what was issued before is good no more.
    pub sessions_ended_at: Option<Timestamp>,
}

/// Keeps users. What it changes it enters in the audit log of the user's tenant, of both when the tenant changes, in the same step.
pub trait UserStore: Send + Sync {
    /// Adds a user.
    ///
    /// # Errors
    /// [`StoreError::IdTaken`], [`StoreError::EmailTaken`] or [`StoreError::UnknownTenant`] when that is so; else when the store fails.
    fn create_user(&self, user: &User, actor: &Actor) -> Result<(), StoreError>;

    /// The user of that id, active or not.
    ///
    /// # Errors
    /// When the store fails.
    fn user(&self, id: UserId) -> Result<Option<User>, StoreError>;

    /// The user with that address, active or not.
    ///
    /// # Errors
    /// When the store fails.
    fn user_by_email(&self, email: &Email) -> Result<Option<User>, StoreError>;

    /// A page of the users that `filter` lets through, ordered by address.
    ///
    /// # Errors
    /// When the store fails.
    fn users(&self, filter: &UserFilter, page: Page) -> Result<Paged<User>, StoreError>;

    /// Applies `change` in one step, sets `updated_at` to `now`, and gives the user as it is then; `None` when there is
    /// none of that id that the change reaches. A change of the password, the tenant, the role, the rank or the state raises the token
    /// version by one and ends all the user's sessions, also when `end_sessions` is not set; what is so already is no change.
    ///
    /// # Errors
    /// [`StoreError::UnknownTenant`] when the new tenant does not exist, [`StoreError::LastSuperuser`] when no active superuser would be
    /// left; else when the store fails.
    fn update_user(
        &self,
        id: UserId,
        change: &UserChange,
        now: Timestamp,
    ) -> Result<Option<User>, StoreError>;

    /// The user of that id with the tenant it belongs to, and whether `session` is a live one of that user's at `now`, in one read.
    ///
    /// # Errors
    /// When the store fails.
    fn access(
        &self,
        id: UserId,
        session: Option<SessionId>,
        now: Timestamp,
    ) -> Result<Option<Access>, StoreError>;
}
