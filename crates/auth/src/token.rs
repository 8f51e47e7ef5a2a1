use std::fmt;

use secrecy::SecretString;
use tenantry_domain::{AccessClaims, BoxError};

/// An access token with its lifetime.
pub struct IssuedToken {
    /// The token; show it to its bearer alone.
    pub token: SecretString,
    /// Its lifetime in seconds.
    pub expires_in: u32,
}

impl fmt::Debug for IssuedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IssuedToken").field("expires_in", &self.expires_in).finish_non_exhaustive()
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
