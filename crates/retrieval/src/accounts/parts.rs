use std::fmt;
use std::sync::Arc;

use secrecy::SecretString;
use tenantry_crypto::{Password, PasswordHasher, PasswordPolicy};
use tenantry_domain::{Clock, Email, PasswordHash};
use tenantry_tenant_store::{AuditStore, SessionStore, UserStore};

use super::{AccountError, Throttle};
use crate::resolve::Resolver;

/// What the use cases of accounts are made of.
#[derive(Clone)]
pub struct AccountParts {
    /// The accounts.
    pub users: Arc<dyn UserStore>,
    /// Their sessions, and the secrets with which a password is set.
    pub sessions: Arc<dyn SessionStore>,
    /// Where failures are entered.
    pub audit: Arc<dyn AuditStore>,
    /// Who has to wait.
    pub throttle: Arc<Throttle>,
    /// Verifies and hashes passwords.
    pub hasher: Arc<dyn PasswordHasher>,
    /// What a new password must be like.
    pub policy: PasswordPolicy,
    /// What remembers callers.
    pub resolver: Arc<Resolver>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
}

impl AccountParts {
    /// The hash of a new password, if it may be one.
    pub(crate) fn new_hash(
        &self,
        password: &SecretString,
        email: &Email,
    ) -> Result<PasswordHash, AccountError> {
        let password = Password::new(password)?;
        self.policy.check(&password, email)?;
        Ok(self.hasher.hash(&password)?)
    }
}

impl fmt::Debug for AccountParts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccountParts")
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}
