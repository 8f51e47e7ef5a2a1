use std::fmt;
use std::sync::Arc;

use tenantry_crypto::{PasswordHasher, PasswordPolicy};
use tenantry_domain::Clock;
use tenantry_tenant_store::{AuditStore, SessionStore, UserStore};

use super::Throttle;
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

impl fmt::Debug for AccountParts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccountParts")
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}
