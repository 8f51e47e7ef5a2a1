use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tenantry_domain::{Clock, ForeignIdentity, IdentityProvider};

use super::{ForeignClaims, IdentityError, IdentityVerifier, MAX_IDENTITY_TOKEN_BYTES, RejectedIssuer};
use crate::token::random_id;

/// Identity providers that issue opaque random tokens and remember what they say: for tests and trials, gone with the process.
///
/// # Examples
/// ```
/// use std::sync::Arc;
///
/// use tenantry_auth::{IdentityVerifier, MemoryIdentities};
/// use tenantry_domain::SystemClock;
///
/// let identities = MemoryIdentities::new(Arc::new(SystemClock));
/// assert_eq!(identities.issuer_of("no token"), None);
/// ```
pub struct MemoryIdentities {
    clock: Arc<dyn Clock>,
    tokens: Mutex<HashMap<String, ForeignClaims>>,
}

impl MemoryIdentities {
    /// Providers whose tokens live by `clock`.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            tokens: Mutex::default(),
        }
    }

    /// A token that says `claims`, as their issuer would have signed it.
    pub fn issue(&self, claims: ForeignClaims) -> String {
        let now = self.clock.now();
        let token = format!("foreign.{}.{}", random_id(now).simple(), random_id(now).simple());
        self.tokens().insert(token.clone(), claims);
        token
    }

    fn tokens(&self) -> MutexGuard<'_, HashMap<String, ForeignClaims>> {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl IdentityVerifier for MemoryIdentities {
    fn issuer_of(&self, token: &str) -> Option<String> {
        Some(self.tokens().get(token)?.issuer.clone())
    }

    fn verify(&self, provider: &IdentityProvider, token: &str) -> Result<ForeignIdentity, IdentityError> {
        if token.len() > MAX_IDENTITY_TOKEN_BYTES {
            return Err(IdentityError::TooLong);
        }
        let claims = self
            .tokens()
            .get(token)
            .cloned()
            .ok_or(IdentityError::Malformed)?;
        claims.are_for(provider)?;
        claims.are_valid_at(self.clock.now())?;
        claims.read(&provider.claims)
    }

    fn check_issuer(&self, issuer: &str) -> Result<(), RejectedIssuer> {
        if issuer.len() > 500 {
            Err(RejectedIssuer::TooLong)
        } else if issuer.contains(['?', '#']) {
            Err(RejectedIssuer::QueryOrFragment)
        } else if issuer.contains('@') {
            Err(RejectedIssuer::Credentials)
        } else if issuer.starts_with("http://") {
            Err(RejectedIssuer::NotHttps)
        } else if issuer.starts_with("https://") {
            Ok(())
        } else {
            Err(RejectedIssuer::NotAUrl)
        }
    }
}

impl fmt::Debug for MemoryIdentities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryIdentities").finish_non_exhaustive()
    }
}
