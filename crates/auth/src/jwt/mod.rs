//! Tokens as JSON Web Tokens (RFC 7519) signed with HMAC, with the header type of RFC 9068.

mod algorithm;
mod claims;
mod issuer;
mod keys;
mod provider;
#[cfg(test)]
mod traps;
mod verifier;

pub use algorithm::{Algorithm, ParseAlgorithmError};
pub use issuer::JwtIssuer;
pub use keys::{JwtKeyError, JwtKeys};
pub use verifier::JwtVerifier;

use crate::Lifetime;

/// The header's `typ`: an access token, so that no other JWT made with the same key passes for one (RFC 9068,
/// section 2.1).
const TOKEN_TYPE: &str = "at+jwt";

/// What issuer and verifier agree on besides the keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JwtSettings {
    /// Who issues the tokens, claim `iss`.
    pub issuer: String,
    /// Whom they are for, claim `aud`.
    pub audience: String,
    /// How long they live; a token that claims to live longer is refused.
    pub lifetime: Lifetime,
}
