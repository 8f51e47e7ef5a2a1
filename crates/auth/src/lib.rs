#![cfg_attr(feature = "jwt", doc = include_str!("../README.md"))]
#![cfg_attr(not(feature = "jwt"), doc = "Issues and verifies Tenantry's access tokens.")]
#![forbid(unsafe_code)]

#[cfg(any(test, feature = "testing"))]
pub mod conformance;
#[cfg(any(test, feature = "testing"))]
pub mod testing;

#[cfg(feature = "jwt")]
mod jwt;
mod lifetime;
mod memory;
mod oidc;
mod token;

#[cfg(feature = "jwt")]
pub use jwt::{Algorithm, JwtIssuer, JwtKeyError, JwtKeys, JwtSettings, JwtVerifier, ParseAlgorithmError};
pub use lifetime::{Lifetime, LifetimeOutOfRange};
pub use memory::MemoryTokens;
#[cfg(feature = "oidc")]
pub use oidc::OidcVerifier;
pub use oidc::{
    ClaimValue, ForeignClaims, IDENTITY_LEEWAY, IdentityError, IdentityVerifier, MAX_IDENTITY_TOKEN_BYTES,
    MemoryIdentities, RejectedIssuer,
};
pub use token::{IssueError, IssuedToken, MAX_TOKEN_BYTES, TokenError, TokenIssuer, TokenVerifier};
