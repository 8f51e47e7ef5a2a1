use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use tenantry_domain::BoxError;

use super::{Algorithm, provider};

/// Why secrets are not taken as signing keys. Never tells a secret.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JwtKeyError {
    /// A secret is shorter than the algorithm's hash.
    #[error("{algorithm} needs a secret of at least {min} bytes", min = .algorithm.min_secret_bytes())]
    TooShort {
        /// The algorithm.
        algorithm: Algorithm,
    },
    /// The process has another provider for `jsonwebtoken`, which does not know the algorithm.
    #[error("the process's provider of JWT cryptography cannot be used")]
    Provider(#[source] BoxError),
}

/// The secrets that tokens are signed and verified with: one that signs, and earlier ones that still verify.
///
/// Each has an id that tells nothing about it; a token names its key by that id, and an unknown id is refused.
pub struct JwtKeys {
    algorithm: Algorithm,
    active: JwtKey,
    previous: Vec<JwtKey>,
}

pub(super) struct JwtKey {
    pub(super) id: String,
    pub(super) secret: SecretString,
}

impl JwtKeys {
    /// Keys for `algorithm`: `active` signs and verifies, each of `previous` only verifies.
    ///
    /// Takes the secrets' bytes as they are. Whether they are guessable is not judged here.
    ///
    /// # Errors
    /// When a secret has fewer bytes than [`Algorithm::min_secret_bytes`], or when the process has another provider
    /// for `jsonwebtoken` that cannot compute HMACs.
    pub fn new(
        algorithm: Algorithm,
        active: &SecretString,
        previous: &[SecretString],
    ) -> Result<Self, JwtKeyError> {
        provider::ensure(algorithm.wire()).map_err(|error| JwtKeyError::Provider(error.into()))?;
        Ok(Self {
            algorithm,
            active: JwtKey::new(algorithm, active)?,
            previous: previous
                .iter()
                .map(|secret| JwtKey::new(algorithm, secret))
                .collect::<Result<_, _>>()?,
        })
    }

    pub(super) fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    pub(super) fn active(&self) -> &JwtKey {
        &self.active
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &JwtKey> {
        std::iter::once(&self.active).chain(&self.previous)
    }
}

impl fmt::Debug for JwtKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids: Vec<&str> = self.all().map(|key| key.id.as_str()).collect();
        f.debug_struct("JwtKeys")
            .field("algorithm", &self.algorithm)
            .field("ids", &ids)
            .finish_non_exhaustive()
    }
}

impl JwtKey {
    fn new(algorithm: Algorithm, secret: &SecretString) -> Result<Self, JwtKeyError> {
        let bytes = secret.expose_secret().as_bytes();
        if bytes.len() < algorithm.min_secret_bytes() {
            return Err(JwtKeyError::TooShort { algorithm });
        }
        let mac =
            Hmac::<Sha256>::new_from_slice(bytes).map_err(|error| JwtKeyError::Provider(error.into()))?;
        // No token's signed part has a `/`, so that this is never a signature.
        let tag = mac.chain_update(b"tenantry/v1/jwt-kid").finalize().into_bytes();
        let id = tag
            .iter()
            .take(8)
            .map(|byte| format!("{byte:02x}"))
            .collect::<Vec<_>>()
            .concat();
        Ok(Self {
            id,
            secret: secret.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(algorithm: Algorithm, bytes: usize) -> Result<JwtKeys, JwtKeyError> {
        JwtKeys::new(algorithm, &"k".repeat(bytes).into(), &[])
    }

    #[test]
    fn a_secret_is_as_long_as_the_hash() {
        for (algorithm, min) in [
            (Algorithm::Hs256, 32),
            (Algorithm::Hs384, 48),
            (Algorithm::Hs512, 64),
        ] {
            assert!(keys(algorithm, min).is_ok());
            let short = keys(algorithm, min - 1);
            assert!(matches!(short, Err(JwtKeyError::TooShort { algorithm: named }) if named == algorithm));
            let previous = ["k".repeat(min - 1).into()];
            assert!(JwtKeys::new(algorithm, &"k".repeat(min).into(), &previous).is_err());
        }
        let message = keys(Algorithm::Hs384, 0).unwrap_err().to_string();
        assert_eq!(message, "HS384 needs a secret of at least 48 bytes");
    }

    #[test]
    fn a_key_id_belongs_to_its_secret_and_does_not_change() {
        let id = |secret: &str| {
            JwtKeys::new(Algorithm::Hs256, &secret.into(), &[])
                .unwrap()
                .active
                .id
        };
        // Computed apart, with Python's `hmac`.
        assert_eq!(id(&"k".repeat(32)), "72c5d3574bfa98e7");
        assert_ne!(id(&"k".repeat(32)), id(&"k".repeat(33)));
    }

    #[test]
    fn debug_shows_ids_alone() {
        let keys = JwtKeys::new(Algorithm::Hs256, &"k".repeat(32).into(), &["q".repeat(32).into()]).unwrap();
        let shown = format!("{keys:?}");
        assert!(
            shown.contains(&keys.active.id) && !shown.contains("kkk") && !shown.contains("qqq"),
            "{shown}"
        );
    }
}
