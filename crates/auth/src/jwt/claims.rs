use serde::{Deserialize, Deserializer, Serialize};
use tenantry_domain::{AccessClaims, TenantId};

use crate::TokenError;

/// A token's claims as they are written (RFC 7519, section 4.1), times in seconds since 1970.
#[derive(Serialize, Deserialize)]
pub(super) struct Claims {
    pub(super) iss: String,
    pub(super) aud: String,
    pub(super) sub: String,
    #[serde(
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    pub(super) tenant_id: Option<String>,
    pub(super) ver: u32,
    #[serde(
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    pub(super) sid: Option<String>,
    pub(super) iat: u64,
    pub(super) nbf: u64,
    pub(super) exp: u64,
    pub(super) jti: String,
}

/// A claim that is absent or a string; `null` is neither.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    String::deserialize(deserializer).map(Some)
}

impl TryFrom<Claims> for AccessClaims {
    type Error = TokenError;

    fn try_from(claims: Claims) -> Result<Self, Self::Error> {
        let tenant = claims.tenant_id.as_deref().map(TenantId::parse).transpose();
        let session = claims.sid.as_deref().map(str::parse).transpose();
        Ok(Self {
            user: claims.sub.parse().map_err(|_| TokenError::Malformed)?,
            tenant: tenant.map_err(|_| TokenError::Malformed)?,
            token_version: claims.ver,
            session: session.map_err(|_| TokenError::Malformed)?,
        })
    }
}
