use std::fmt;
use std::sync::Arc;

use jsonwebtoken::{EncodingKey, Header};
use secrecy::{ExposeSecret, SecretString};
use tenantry_domain::{AccessClaims, Clock, TenantId};

use super::claims::Claims;
use super::{JwtKeys, JwtSettings, TOKEN_TYPE};
use crate::token::random_id;
use crate::{IssueError, IssuedToken, TokenIssuer};

/// Issues access tokens as JSON Web Tokens signed with the active key.
pub struct JwtIssuer {
    header: Header,
    key: EncodingKey,
    settings: JwtSettings,
    clock: Arc<dyn Clock>,
}

impl JwtIssuer {
    /// An issuer of tokens that begin to live by `clock`.
    pub fn new(keys: &JwtKeys, settings: JwtSettings, clock: Arc<dyn Clock>) -> Self {
        let mut header = Header::new(keys.algorithm().wire());
        header.typ = Some(TOKEN_TYPE.to_owned());
        header.kid = Some(keys.active().id.clone());
        let key = EncodingKey::from_secret(keys.active().secret.expose_secret().as_bytes());
        Self {
            header,
            key,
            settings,
            clock,
        }
    }
}

impl TokenIssuer for JwtIssuer {
    fn issue(&self, claims: &AccessClaims) -> Result<IssuedToken, IssueError> {
        let now = self.clock.now();
        let seconds = u64::try_from(now.unix_seconds()).unwrap_or(0);
        let expires_in = self.settings.lifetime.seconds();
        let claims = Claims {
            iss: self.settings.issuer.clone(),
            aud: self.settings.audience.clone(),
            sub: claims.user.to_string(),
            tenant_id: claims.tenant.as_ref().map(TenantId::to_string),
            ver: claims.token_version,
            sid: claims.session.map(|session| session.to_string()),
            iat: seconds,
            nbf: seconds,
            exp: seconds.saturating_add(expires_in.into()),
            jti: random_id(now).to_string(),
        };
        let token = jsonwebtoken::encode(&self.header, &claims, &self.key)
            .map_err(|error| IssueError::Unavailable(error.into()))?;
        Ok(IssuedToken {
            token: SecretString::from(token),
            expires_in,
        })
    }
}

impl fmt::Debug for JwtIssuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwtIssuer")
            .field("key", &self.header.kid)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
