use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{DecodingKey, Validation};
use secrecy::ExposeSecret;
use serde::Deserialize;
use tenantry_domain::{AccessClaims, Clock};

use super::claims::Claims;
use super::{Algorithm, JwtKeys, JwtSettings, TOKEN_TYPE};
use crate::{Lifetime, MAX_TOKEN_BYTES, TokenError, TokenVerifier};

/// How far the clocks of issuer and verifier may differ, in seconds.
const LEEWAY: u64 = 5;

/// Verifies access tokens that a [`JwtIssuer`](super::JwtIssuer) of the same keys and settings issued.
pub struct JwtVerifier {
    algorithm: Algorithm,
    keys: Vec<(String, DecodingKey)>,
    validation: Validation,
    lifetime: Lifetime,
    clock: Arc<dyn Clock>,
}

/// All that a header of ours holds; with any other member, above all `crit`, it is not ours.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StrictHeader<'a> {
    #[serde(borrow)]
    alg: Cow<'a, str>,
    #[serde(borrow)]
    typ: Cow<'a, str>,
    #[serde(borrow)]
    kid: Cow<'a, str>,
}

impl JwtVerifier {
    /// A verifier that goes by `clock`.
    pub fn new(keys: &JwtKeys, settings: &JwtSettings, clock: Arc<dyn Clock>) -> Self {
        let mut validation = Validation::new(keys.algorithm().wire());
        // A claim that is only set here may still be missing in a token: it must be required as well.
        validation.set_required_spec_claims(&["iss", "aud", "sub", "exp", "nbf"]);
        validation.set_issuer(&[&settings.issuer]);
        validation.set_audience(&[&settings.audience]);
        // The crate reads the machine's clock; `check_times` below goes by ours.
        validation.validate_exp = false;
        validation.validate_nbf = false;
        let decoding = |secret: &str| DecodingKey::from_secret(secret.as_bytes());
        Self {
            algorithm: keys.algorithm(),
            keys: keys
                .all()
                .map(|key| (key.id.clone(), decoding(key.secret.expose_secret())))
                .collect(),
            validation,
            lifetime: settings.lifetime,
            clock,
        }
    }

    /// The key that the header names, when the header is one of ours.
    fn key(&self, header: &[u8]) -> Result<&DecodingKey, TokenError> {
        let header: StrictHeader<'_> = serde_json::from_slice(header).map_err(|_| TokenError::Malformed)?;
        if header.alg != self.algorithm.as_str() || header.typ != TOKEN_TYPE {
            return Err(TokenError::Malformed);
        }
        self.keys
            .iter()
            .find(|(id, _)| *id == header.kid)
            .map(|(_, key)| key)
            .ok_or(TokenError::Signature)
    }

    /// The one place that compares a token's times.
    fn check_times(&self, claims: &Claims) -> Result<(), TokenError> {
        let now = u64::try_from(self.clock.now().unix_seconds()).unwrap_or(0);
        let soon = now.saturating_add(LEEWAY);
        let lifetime = claims.exp.checked_sub(claims.iat);
        if claims.iat > soon
            || claims.nbf > soon
            || lifetime.is_none_or(|seconds| seconds > u64::from(self.lifetime.seconds()))
        {
            return Err(TokenError::NotValidNow);
        }
        if now >= claims.exp.saturating_add(LEEWAY) {
            Err(TokenError::Expired)
        } else {
            Ok(())
        }
    }
}

impl TokenVerifier for JwtVerifier {
    fn verify(&self, token: &str) -> Result<AccessClaims, TokenError> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(TokenError::TooLong);
        }
        let (header, _) = token.split_once('.').ok_or(TokenError::Malformed)?;
        let header = URL_SAFE_NO_PAD
            .decode(header)
            .map_err(|_| TokenError::Malformed)?;
        let key = self.key(&header)?;
        let claims = jsonwebtoken::decode::<Claims>(token, key, &self.validation)
            .map_err(|error| match error.kind() {
                ErrorKind::InvalidSignature => TokenError::Signature,
                ErrorKind::InvalidIssuer | ErrorKind::InvalidAudience => TokenError::WrongAudience,
                _ => TokenError::Malformed,
            })?
            .claims;
        self.check_times(&claims)?;
        claims.try_into()
    }
}

impl fmt::Debug for JwtVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids: Vec<&str> = self.keys.iter().map(|(id, _)| id.as_str()).collect();
        f.debug_struct("JwtVerifier")
            .field("algorithm", &self.algorithm)
            .field("keys", &ids)
            .field("lifetime", &self.lifetime)
            .finish_non_exhaustive()
    }
}
