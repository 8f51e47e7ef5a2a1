//! The HMACs behind the tokens, in the form that `jsonwebtoken` asks for.
//!
//! That crate looks its cryptography up in one place of the process. Its two ready-made providers bring RSA (with
//! RUSTSEC-2023-0071 open) or a C library; this one can compute HMACs and nothing else, so that a token cannot choose
//! another kind of algorithm. It is the one thing in the process that this crate sets: once, when keys are made.
//! Whoever needs another provider installs it before; then that one is used, if it can compute HMACs.

use hmac::{Hmac, KeyInit, Mac};
use jsonwebtoken::crypto::{self, CryptoProvider, JwtSigner, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{Error, ErrorKind, Result, new_error};
use jsonwebtoken::signature::{self, Signer, Verifier};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey};
use sha2::{Sha256, Sha384, Sha512};

static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: |algorithm, key| signer(*algorithm, key),
    verifier_factory: |algorithm, key| verifier(*algorithm, key),
    key_utils: KeyUtils {
        rsa_pub_components_from_private_key: |_| Err(unsupported()),
        rsa_pub_components_from_public_key: |_| Err(unsupported()),
        ec_pub_components_from_private_key: |_, _| Err(unsupported()),
        ed_pub_components_from_private_key: |_, _| Err(unsupported()),
        compute_digest: |_, _| Err(unsupported()),
    },
};

/// Makes sure that the process has a provider that signs and verifies with `algorithm`.
pub(super) fn ensure(algorithm: Algorithm) -> Result<()> {
    // An error means that there is a provider already, ours or another; the probe tells whether it will do.
    let _ = PROVIDER.install_default();
    let probe = [0; 64];
    let signature = crypto::sign(&probe, &EncodingKey::from_secret(&probe), algorithm)?;
    if crypto::verify(&signature, &probe, &DecodingKey::from_secret(&probe), algorithm)? {
        Ok(())
    } else {
        Err(ErrorKind::InvalidSignature.into())
    }
}

struct Keyed<M> {
    mac: M,
    algorithm: Algorithm,
}

impl<M: Mac + KeyInit> Keyed<M> {
    fn new(algorithm: Algorithm, key: &[u8]) -> Result<Self> {
        let mac = <M as KeyInit>::new_from_slice(key).map_err(|_| ErrorKind::InvalidKeyFormat)?;
        Ok(Self { mac, algorithm })
    }
}

impl<M: Mac + Clone> Signer<Vec<u8>> for Keyed<M> {
    fn try_sign(&self, message: &[u8]) -> std::result::Result<Vec<u8>, signature::Error> {
        Ok(self
            .mac
            .clone()
            .chain_update(message)
            .finalize()
            .into_bytes()
            .to_vec())
    }
}

impl<M: Mac + Clone> Verifier<Vec<u8>> for Keyed<M> {
    /// Compares in constant time.
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> std::result::Result<(), signature::Error> {
        self.mac
            .clone()
            .chain_update(message)
            .verify_slice(signature)
            .map_err(|_| signature::Error::new())
    }
}

impl<M: Mac + Clone> JwtSigner for Keyed<M> {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}

impl<M: Mac + Clone> JwtVerifier for Keyed<M> {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}

fn signer(algorithm: Algorithm, key: &EncodingKey) -> Result<Box<dyn JwtSigner>> {
    let key = key.as_bytes();
    Ok(match algorithm {
        Algorithm::HS256 => Box::new(Keyed::<Hmac<Sha256>>::new(algorithm, key)?),
        Algorithm::HS384 => Box::new(Keyed::<Hmac<Sha384>>::new(algorithm, key)?),
        Algorithm::HS512 => Box::new(Keyed::<Hmac<Sha512>>::new(algorithm, key)?),
        _ => return Err(unsupported()),
    })
}

fn verifier(algorithm: Algorithm, key: &DecodingKey) -> Result<Box<dyn JwtVerifier>> {
    let key = key.try_get_as_bytes()?;
    Ok(match algorithm {
        Algorithm::HS256 => Box::new(Keyed::<Hmac<Sha256>>::new(algorithm, key)?),
        Algorithm::HS384 => Box::new(Keyed::<Hmac<Sha384>>::new(algorithm, key)?),
        Algorithm::HS512 => Box::new(Keyed::<Hmac<Sha512>>::new(algorithm, key)?),
        _ => return Err(unsupported()),
    })
}

fn unsupported() -> Error {
    new_error(ErrorKind::UnsupportedAlgorithm)
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;

    fn check(algorithm: Algorithm, key: &[u8], message: &[u8], expected: &str) {
        ensure(algorithm).unwrap();
        assert_eq!(
            crypto::sign(message, &EncodingKey::from_secret(key), algorithm).unwrap(),
            expected
        );
        let key = DecodingKey::from_secret(key);
        assert!(crypto::verify(expected, message, &key, algorithm).unwrap());
        assert!(!crypto::verify(expected, b"another message", &key, algorithm).unwrap());
    }

    #[test]
    fn rfc_7515_appendix_a_1() {
        let key = URL_SAFE_NO_PAD
            .decode("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow")
            .unwrap();
        let message =
            b"eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0\
            dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
        check(
            Algorithm::HS256,
            &key,
            message,
            "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
        );
    }

    #[test]
    fn rfc_4231_test_case_2() {
        for (algorithm, mac) in [
            (
                Algorithm::HS256,
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            ),
            (
                Algorithm::HS384,
                "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649",
            ),
            (
                Algorithm::HS512,
                "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
            ),
        ] {
            let bytes: Vec<u8> = mac
                .as_bytes()
                .chunks(2)
                .map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap())
                .collect();
            check(
                algorithm,
                b"Jefe",
                b"what do ya want for nothing?",
                &URL_SAFE_NO_PAD.encode(bytes),
            );
        }
    }

    #[test]
    fn nothing_but_hmac_is_available() {
        for algorithm in [
            Algorithm::RS256,
            Algorithm::PS512,
            Algorithm::ES256,
            Algorithm::EdDSA,
        ] {
            assert!(
                signer(algorithm, &EncodingKey::from_secret(b"key")).is_err(),
                "{algorithm:?}"
            );
            assert!(
                verifier(algorithm, &DecodingKey::from_secret(b"key")).is_err(),
                "{algorithm:?}"
            );
        }
    }
}
