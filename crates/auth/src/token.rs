use std::fmt;

use secrecy::SecretString;
use tenantry_domain::{AccessClaims, BoxError, Timestamp};
use uuid::{NoContext, Uuid};

/// The longest token in bytes that is looked at; a longer one is refused before it is parsed.
pub const MAX_TOKEN_BYTES: usize = 4_096;

/// An access token with its lifetime.
pub struct IssuedToken {
    /// The token; show it to its bearer alone.
    pub token: SecretString,
    /// Its lifetime in seconds.
    pub expires_in: u32,
}

impl fmt::Debug for IssuedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IssuedToken")
            .field("expires_in", &self.expires_in)
            .finish_non_exhaustive()
    }
}

/// Why no token was issued.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IssueError {
    /// Signing failed.
    #[error("the token could not be signed")]
    Unavailable(#[source] BoxError),
}

/// Why a token was not accepted. Tell the bearer that it was not, and no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// Longer than 4 KiB.
    #[error("the token is longer than 4096 bytes")]
    TooLong,
    /// Not a token of ours: format, header, algorithm or claims.
    #[error("the token is malformed")]
    Malformed,
    /// Signed with another key, or altered.
    #[error("the token's signature is wrong")]
    Signature,
    /// Its lifetime is over.
    #[error("the token has expired")]
    Expired,
    /// Its lifetime has not begun, or is longer than any that we issue.
    #[error("the token is not valid at this time")]
    NotValidNow,
    /// Issued by or for somebody else.
    #[error("the token is for another service")]
    WrongAudience,
}

/// Issues access tokens.
pub trait TokenIssuer: Send + Sync {
    /// A token that says `claims` of its bearer from now on until its lifetime ends.
    ///
    /// # Errors
    /// When signing fails.
    fn issue(&self, claims: &AccessClaims) -> Result<IssuedToken, IssueError>;
}

/// Verifies access tokens; who only verifies holds no issuer.
pub trait TokenVerifier: Send + Sync {
    /// What `token` says of its bearer.
    ///
    /// # Errors
    /// When the token is not one of ours or not valid now; see [`TokenError`].
    fn verify(&self, token: &str) -> Result<AccessClaims, TokenError>;
}

/// A new id with 74 random bits (UUID version 7) that sorts by `now`.
pub(crate) fn random_id(now: Timestamp) -> Uuid {
    let seconds = u64::try_from(now.unix_seconds()).unwrap_or(0);
    let nanos = now.to_offset_date_time().nanosecond();
    Uuid::new_v7(uuid::Timestamp::from_unix(NoContext, seconds, nanos))
}
