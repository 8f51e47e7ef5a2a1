//! Failures on demand, for the tests of code that uses this crate.

use std::sync::atomic::{AtomicBool, Ordering};

use tenantry_domain::{AccessClaims, ForeignIdentity, IdentityProvider};

use crate::{
    IdentityError, IdentityVerifier, IssueError, IssuedToken, RejectedIssuer, TokenError, TokenIssuer,
    TokenVerifier,
};

/// Works as the issuer or verifier inside until it is broken, then fails every call until it is mended.
#[derive(Debug)]
pub struct Breakable<T> {
    inner: T,
    broken: AtomicBool,
}

impl<T> Breakable<T> {
    /// `inner`, unbroken.
    pub const fn new(inner: T) -> Self {
        Self {
            inner,
            broken: AtomicBool::new(false),
        }
    }

    /// Lets every call fail from now on.
    pub fn break_down(&self) {
        self.broken.store(true, Ordering::SeqCst);
    }

    /// Lets calls through again.
    pub fn mend(&self) {
        self.broken.store(false, Ordering::SeqCst);
    }

    fn is_broken(&self) -> bool {
        self.broken.load(Ordering::SeqCst)
    }
}

impl<T: TokenIssuer> TokenIssuer for Breakable<T> {
    fn issue(&self, claims: &AccessClaims) -> Result<IssuedToken, IssueError> {
        if self.is_broken() {
            return Err(IssueError::Unavailable("broken on purpose".into()));
        }
        self.inner.issue(claims)
    }
}

impl<T: TokenVerifier> TokenVerifier for Breakable<T> {
    fn verify(&self, token: &str) -> Result<AccessClaims, TokenError> {
        if self.is_broken() {
            Err(TokenError::Signature)
        } else {
            self.inner.verify(token)
        }
    }
}

/// What needs no network goes on.
impl<T: IdentityVerifier> IdentityVerifier for Breakable<T> {
    fn issuer_of(&self, token: &str) -> Option<String> {
        self.inner.issuer_of(token)
    }

    fn verify(&self, provider: &IdentityProvider, token: &str) -> Result<ForeignIdentity, IdentityError> {
        if self.is_broken() {
            return Err(IdentityError::Unavailable("broken on purpose".into()));
        }
        self.inner.verify(provider, token)
    }

    fn check_issuer(&self, issuer: &str) -> Result<(), RejectedIssuer> {
        self.inner.check_issuer(issuer)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use secrecy::ExposeSecret;
    use tenantry_domain::{ManualClock, Timestamp};

    use super::*;
    use crate::{Lifetime, MemoryIdentities, MemoryTokens, conformance};

    #[test]
    fn a_broken_part_fails_until_it_is_mended() {
        let clock = Arc::new(ManualClock::new(Timestamp::from_unix_micros(0).unwrap()));
        let tokens = Breakable::new(MemoryTokens::new(clock, Lifetime::from_minutes(1).unwrap()));
        let claims = conformance::claims(None);
        let issued = tokens.issue(&claims).unwrap();
        tokens.break_down();
        assert!(tokens.issue(&claims).is_err());
        assert_eq!(
            tokens.verify(issued.token.expose_secret()),
            Err(TokenError::Signature)
        );
        tokens.mend();
        assert_eq!(tokens.verify(issued.token.expose_secret()), Ok(claims));
    }

    #[test]
    fn a_broken_verifier_of_identities_is_one_that_reaches_nobody() {
        let clock = Arc::new(ManualClock::new(Timestamp::from_unix_micros(0).unwrap()));
        let memory = MemoryIdentities::new(clock.clone());
        let token = memory.issue(conformance::identities::claims(&*clock));
        let identities = Breakable::new(memory);
        let provider = conformance::identities::provider(&*clock);
        identities.break_down();
        let refused = identities.verify(&provider, &token).unwrap_err();
        assert!(refused.is_transient(), "{refused}");
        assert_eq!(identities.issuer_of(&token), Some(provider.issuer.clone()));
        identities.mend();
        identities.verify(&provider, &token).unwrap();
    }
}
