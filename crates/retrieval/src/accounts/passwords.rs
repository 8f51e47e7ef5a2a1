use std::sync::Arc;

use secrecy::SecretString;
use tenantry_crypto::{Password, PasswordError, RejectedPassword, Verdict};
use tenantry_domain::{AuditAction, AuditEvent, User};
use tenantry_tenant_store::{AuditLog, StoreError, UserChange};

use super::throttle::{Counts, ThrottleError};
use super::{AccountParts, Client, TooManyAttempts};
use crate::opaque::NoRandomness;
use crate::resolve::AccountHolder;
use crate::sessions::{BeginError, LoggedIn, Sessions};

/// Why a password was not changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChangePasswordError {
    /// The current password is another one, or there is none.
    #[error("the current password is wrong")]
    Wrong,
    /// The account was changed or deactivated by somebody else at the same time.
    #[error("the account was changed meanwhile")]
    Changed,
    /// The new password may not be used.
    #[error(transparent)]
    Rejected(#[from] RejectedPassword),
    /// Too many attempts had another password.
    #[error(transparent)]
    TooMany(#[from] TooManyAttempts),
    /// A password could not be verified or hashed.
    #[error(transparent)]
    Hash(#[from] PasswordError),
    /// The next session's token could not be made.
    #[error(transparent)]
    Random(#[from] NoRandomness),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<ThrottleError> for ChangePasswordError {
    fn from(error: ThrottleError) -> Self {
        match error {
            ThrottleError::TooMany(error) => error.into(),
            ThrottleError::Store(error) => error.into(),
        }
    }
}

impl From<BeginError> for ChangePasswordError {
    fn from(error: BeginError) -> Self {
        match error {
            BeginError::Random(error) => error.into(),
            BeginError::Store(error) => error.into(),
        }
    }
}

/// Changes the passwords of users who know theirs.
#[derive(Debug)]
pub struct Passwords {
    parts: AccountParts,
    sessions: Arc<Sessions>,
}

impl Passwords {
    /// Passwords of the users who have `sessions`.
    pub fn new(parts: AccountParts, sessions: Arc<Sessions>) -> Self {
        Self { parts, sessions }
    }

    /// Sets another password, which ends every session of the user, and begins a new one here.
    ///
    /// # Errors
    /// [`ChangePasswordError::Wrong`] when the current password is another one; when the new one may not be used, too many attempts have
    /// failed, or the hasher or the store fails.
    pub fn change(
        &self,
        holder: &AccountHolder,
        current: &SecretString,
        new: &SecretString,
        client: &Client,
    ) -> Result<LoggedIn, ChangePasswordError> {
        let user = holder.user();
        let new = Password::new(new)?;
        self.parts.policy.check(&new, &user.email)?;
        let current = Password::new(current).map_err(|_| ChangePasswordError::Wrong)?;
        let admitted = self.parts.throttle.attempt(Counts::own_password(user.id))?;
        match self.is_right(user, &current) {
            Ok(true) => admitted.succeeded()?,
            Ok(false) => {
                self.enter_failure(holder)?;
                return Err(ChangePasswordError::Wrong);
            }
            Err(error) => {
                admitted.undo();
                return Err(error);
            }
        }
        self.replace(holder, &new, client)
    }

    fn is_right(&self, user: &User, current: &Password) -> Result<bool, ChangePasswordError> {
        let user = self.parts.users.user(user.id)?;
        let hash = user.and_then(|user| user.password_hash);
        let verdict = self.parts.hasher.verify(current, hash.as_ref())?;
        Ok(verdict != Verdict::Mismatch)
    }

    fn replace(
        &self,
        holder: &AccountHolder,
        new: &Password,
        client: &Client,
    ) -> Result<LoggedIn, ChangePasswordError> {
        let change = UserChange {
            password_hash: Some(self.parts.hasher.hash(new)?),
            end_sessions: true,
            actor: holder.actor().clone(),
            ..UserChange::default()
        };
        let now = self.parts.clock.now();
        let changed = self.parts.users.update_user(holder.user().id, &change, now)?;
        self.parts.resolver.forget();
        let user = changed.ok_or(ChangePasswordError::Changed)?;
        let logged_in = self.sessions.begin(user, None, client)?;
        logged_in.ok_or(ChangePasswordError::Changed)
    }

    fn enter_failure(&self, holder: &AccountHolder) -> Result<(), StoreError> {
        let user = holder.user();
        let event = AuditEvent::new(AuditAction::LoginFailed)
            .on("user", user.id)
            .with("account", &user.email)
            .with("for", "a new password");
        let log = AuditLog::of(user.tenant.as_ref());
        let now = self.parts.clock.now();
        self.parts.audit.record(&log, holder.actor(), &event, now)
    }
}
