//! Tokens of identity providers (`OpenID Connect`), verified by the keys that the provider publishes.

mod claims;
#[cfg(feature = "oidc")]
mod fetch;
#[cfg(feature = "oidc")]
mod jwk;
#[cfg(feature = "oidc")]
mod keys;
mod memory;
#[cfg(feature = "oidc")]
mod parse;
#[cfg(test)]
#[cfg(feature = "oidc")]
mod signing;
#[cfg(test)]
#[cfg(feature = "oidc")]
mod tests;
#[cfg(test)]
#[cfg(all(feature = "jwt", feature = "oidc"))]
mod traps;
#[cfg(feature = "oidc")]
mod verifier;

pub use claims::{ClaimValue, ForeignClaims};
pub use memory::MemoryIdentities;
#[cfg(feature = "oidc")]
pub use verifier::OidcVerifier;

use std::time::Duration;

use tenantry_domain::{BoxError, ForeignIdentity, IdentityProvider};

/// The longest token of an identity provider in bytes that is looked at: they carry groups and more, so they are longer than ours.
pub const MAX_IDENTITY_TOKEN_BYTES: usize = 16_384;

/// How far the clocks of a provider and of this machine may differ.
pub const IDENTITY_LEEWAY: Duration = Duration::from_mins(1);

/// Why a provider's token was not accepted. Tell the bearer that it was not, and no more.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IdentityError {
    /// Longer than [`MAX_IDENTITY_TOKEN_BYTES`].
    #[error("the token is longer than 16384 bytes")]
    TooLong,
    /// Not a token of the kind that is accepted: format, header, algorithm or the form of a claim.
    #[error("the token is malformed")]
    Malformed,
    /// Issued by or for somebody else.
    #[error("the token is for another service")]
    WrongAudience,
    /// Without the claim that the provider's tenant asks for.
    #[error("the token is for another tenant")]
    WrongTenant,
    /// Its lifetime is over, or it was issued too long ago.
    #[error("the token has expired")]
    Expired,
    /// Its lifetime has not begun.
    #[error("the token is not valid at this time")]
    NotValidNow,
    /// Signed with a key that the provider does not publish, or altered.
    #[error("the token's signature is wrong")]
    Signature,
    /// The provider's keys are not known, and could not be fetched now.
    #[error("the identity provider's keys cannot be fetched")]
    Unavailable(#[source] BoxError),
}

impl IdentityError {
    /// Whether the same token may be accepted a moment later.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unavailable(_) => true,
            Self::TooLong
            | Self::Malformed
            | Self::WrongAudience
            | Self::WrongTenant
            | Self::Expired
            | Self::NotValidNow
            | Self::Signature => false,
        }
    }
}

/// Why an issuer's URL is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the issuer {}", self.reason())]
#[non_exhaustive]
pub enum RejectedIssuer {
    /// Not a URL, or with characters that a URL does not have.
    NotAUrl,
    /// Not `https`.
    NotHttps,
    /// With a user name or a password.
    Credentials,
    /// With a query or a fragment (`OpenID Connect Discovery 1.0`, section 3).
    QueryOrFragment,
    /// A host without a public address.
    NotPublic,
    /// Longer than 500 characters.
    TooLong,
}

impl RejectedIssuer {
    /// What is wrong, to be read after the issuer's name.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::NotAUrl => "is no URL as `https://login.example.org`",
            Self::NotHttps => "is not https",
            Self::Credentials => "has a user name or a password",
            Self::QueryOrFragment => "has a query or a fragment",
            Self::NotPublic => "names an address that is not public",
            Self::TooLong => "is longer than 500 characters",
        }
    }
}

/// Verifies what identity providers say of a bearer. Beside it in this crate: [`OidcVerifier`](crate::OidcVerifier), the real one,
/// and [`MemoryIdentities`].
///
/// # Examples
/// ```
/// use tenantry_auth::{IdentityError, IdentityVerifier};
/// use tenantry_domain::{ForeignIdentity, IdentityProvider};
///
/// /// What the first of `providers` that accepts the token says of its bearer.
/// fn first(
///     verifier: &dyn IdentityVerifier,
///     providers: &[IdentityProvider],
///     token: &str,
/// ) -> Option<ForeignIdentity> {
///     providers.iter().find_map(|provider| verifier.verify(provider, token).ok())
/// }
/// ```
pub trait IdentityVerifier: Send + Sync {
    /// The issuer that the token names, without anything having been verified: good for finding whom to ask, and for
    /// nothing else. `None` for text that is no token of an identity provider, one of our own among it.
    fn issuer_of(&self, token: &str) -> Option<String>;

    /// What `token` says of its bearer, read by the provider's mapping. May call the provider; see the implementation.
    ///
    /// # Errors
    /// When the token is not of that provider, not for its audience or tenant, or not valid now; see [`IdentityError`].
    fn verify(&self, provider: &IdentityProvider, token: &str) -> Result<ForeignIdentity, IdentityError>;

    /// Says whether keys may be fetched from that issuer, as far as its text tells.
    ///
    /// # Errors
    /// When the URL is not an issuer's, or leads where a tenant may not.
    fn check_issuer(&self, issuer: &str) -> Result<(), RejectedIssuer>;
}
