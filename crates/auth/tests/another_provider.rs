//! A process that has its own provider for `jsonwebtoken` keeps it. Alone in its file: a process has one.
#![cfg(feature = "jwt")]

use std::sync::Arc;

use hmac::{Hmac, KeyInit, Mac};
use jsonwebtoken::crypto::{CryptoProvider, JwtSigner, JwtVerifier as Verify, KeyUtils};
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::signature::{Error, Signer, Verifier};
use secrecy::ExposeSecret;
use sha2::Sha256;
use tenantry_auth::{
    Algorithm, JwtIssuer, JwtKeyError, JwtKeys, JwtSettings, JwtVerifier, Lifetime, TokenIssuer,
    TokenVerifier,
};
use tenantry_domain::{AccessClaims, SystemClock, UserId};

/// Knows HS256 and nothing else.
struct Hs256(Hmac<Sha256>);

impl Hs256 {
    fn new(algorithm: jsonwebtoken::Algorithm, key: &[u8]) -> Result<Box<Self>, jsonwebtoken::errors::Error> {
        let mac = Hmac::new_from_slice(key).map_err(|_| ErrorKind::InvalidKeyFormat)?;
        match algorithm {
            jsonwebtoken::Algorithm::HS256 => Ok(Box::new(Self(mac))),
            _ => Err(ErrorKind::UnsupportedAlgorithm.into()),
        }
    }
}

impl Signer<Vec<u8>> for Hs256 {
    fn try_sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        Ok(self
            .0
            .clone()
            .chain_update(message)
            .finalize()
            .into_bytes()
            .to_vec())
    }
}

impl Verifier<Vec<u8>> for Hs256 {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), Error> {
        self.0
            .clone()
            .chain_update(message)
            .verify_slice(signature)
            .map_err(|_| Error::new())
    }
}

impl JwtSigner for Hs256 {
    fn algorithm(&self) -> jsonwebtoken::Algorithm {
        jsonwebtoken::Algorithm::HS256
    }
}

impl Verify for Hs256 {
    fn algorithm(&self) -> jsonwebtoken::Algorithm {
        jsonwebtoken::Algorithm::HS256
    }
}

static OTHER: CryptoProvider = CryptoProvider {
    signer_factory: |algorithm, key| Ok(Hs256::new(*algorithm, key.as_bytes())?),
    verifier_factory: |algorithm, key| Ok(Hs256::new(*algorithm, key.try_get_as_bytes()?)?),
    key_utils: KeyUtils::new_unimplemented(),
};

#[test]
fn another_provider_is_used_as_far_as_it_goes() {
    OTHER.install_default().unwrap();
    let secret = "n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg-n4bQgYhMfWWaL-qgxVrQFaO".into();
    let refused = JwtKeys::new(Algorithm::Hs512, &secret, &[]);
    assert!(matches!(refused, Err(JwtKeyError::Provider(_))), "{refused:?}");

    let keys = JwtKeys::new(Algorithm::Hs256, &secret, &[]).unwrap();
    let settings = JwtSettings {
        issuer: "tenantry".to_owned(),
        audience: "tenantry-api".to_owned(),
        lifetime: Lifetime::from_minutes(30).unwrap(),
    };
    let verifier = JwtVerifier::new(&keys, &settings, Arc::new(SystemClock));
    let issuer = JwtIssuer::new(&keys, settings, Arc::new(SystemClock));
    let user = UserId::from_uuid(uuid::Uuid::from_u128(7));
    let claims = AccessClaims {
        user,
        tenant: None,
        token_version: 0,
        session: None,
    };
    let token = issuer.issue(&claims).unwrap().token;
    assert_eq!(verifier.verify(token.expose_secret()), Ok(claims));
}
