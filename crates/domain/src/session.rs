use std::fmt;
use std::net::IpAddr;

use crate::{SessionId, Timestamp, UserId};

/// One log-in of a user, with the tokens that come of it: it lives until it is ended or `expires_at`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// The session's id, claim `sid` of its access tokens.
    pub id: SessionId,
    /// Whose it is.
    pub user: UserId,
    /// How the user logged in.
    pub method: LoginMethod,
    /// What the client calls itself (`User-Agent`), at most 200 characters.
    pub client: Option<String>,
    /// The address that the user logged in from.
    pub address: Option<IpAddr>,
    /// When the user logged in.
    pub created_at: Timestamp,
    /// When it last got an access token.
    pub used_at: Timestamp,
    /// When it ends at the latest.
    pub expires_at: Timestamp,
}

/// Text that is no way to log in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a way to log in: `password` or `identity`")]
pub struct ParseLoginMethodError;

crate::names::names! {
    /// How a user logged in.
    LoginMethod, ParseLoginMethodError:
    /// With a password.
    Password = "password",
    /// With a token of an identity provider.
    Identity = "identity",
}

/// The SHA-256 of a secret that is only ever compared: a refresh token, an API key, a link to reset a password.
///
/// Such secrets are 32 random bytes, which nobody finds by trying, so that a fast hash without a salt is enough.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TokenHash([u8; 32]);

impl TokenHash {
    /// The hash of these bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenHash(..)")
    }
}
