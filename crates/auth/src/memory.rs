use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use secrecy::SecretString;
use tenantry_domain::{AccessClaims, Clock};

use crate::token::random_id;
use crate::{IssueError, IssuedToken, Lifetime, MAX_TOKEN_BYTES, TokenError, TokenIssuer, TokenVerifier};

/// Issues opaque random tokens and remembers what they say: for tests and trials, gone with the process.
pub struct MemoryTokens {
    clock: Arc<dyn Clock>,
    lifetime: Lifetime,
    tokens: Mutex<HashMap<String, Entry>>,
}

struct Entry {
    claims: AccessClaims,
    expires_at: i64,
}

impl MemoryTokens {
    /// Tokens that live for `lifetime` by `clock`.
    pub fn new(clock: Arc<dyn Clock>, lifetime: Lifetime) -> Self {
        Self {
            clock,
            lifetime,
            tokens: Mutex::default(),
        }
    }

    fn tokens(&self) -> MutexGuard<'_, HashMap<String, Entry>> {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl TokenIssuer for MemoryTokens {
    fn issue(&self, claims: &AccessClaims) -> Result<IssuedToken, IssueError> {
        let now = self.clock.now();
        let token = format!("memory.{}{}", random_id(now).simple(), random_id(now).simple());
        let expires_at = now.unix_seconds().saturating_add(self.lifetime.seconds().into());
        self.tokens().insert(
            token.clone(),
            Entry {
                claims: claims.clone(),
                expires_at,
            },
        );
        Ok(IssuedToken {
            token: SecretString::from(token),
            expires_in: self.lifetime.seconds(),
        })
    }
}

impl TokenVerifier for MemoryTokens {
    fn verify(&self, token: &str) -> Result<AccessClaims, TokenError> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(TokenError::TooLong);
        }
        let tokens = self.tokens();
        let entry = tokens.get(token).ok_or(TokenError::Malformed)?;
        if self.clock.now().unix_seconds() >= entry.expires_at {
            return Err(TokenError::Expired);
        }
        Ok(entry.claims.clone())
    }
}

impl fmt::Debug for MemoryTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryTokens")
            .field("lifetime", &self.lifetime)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;
    use tenantry_domain::{ManualClock, Timestamp};

    use super::*;
    use crate::conformance::{self, Fixture};

    #[test]
    fn memory_tokens_keep_the_promises_of_tokens() {
        let clock = Arc::new(ManualClock::new(
            Timestamp::from_unix_micros(1_800_000_000_000_000).unwrap(),
        ));
        let lifetime = Lifetime::from_minutes(30).unwrap();
        let tokens = MemoryTokens::new(clock.clone(), lifetime);
        conformance::tokens(&Fixture {
            issuer: &tokens,
            verifier: &tokens,
            clock: &clock,
            lifetime,
        });
    }

    #[test]
    fn debug_shows_no_token() {
        let clock = Arc::new(ManualClock::new(Timestamp::from_unix_micros(0).unwrap()));
        let tokens = MemoryTokens::new(clock, Lifetime::from_minutes(1).unwrap());
        let issued = tokens.issue(&conformance::claims(None)).unwrap();
        let shown = format!("{tokens:?} {issued:?}");
        assert!(!shown.contains(issued.token.expose_secret()), "{shown}");
    }
}
