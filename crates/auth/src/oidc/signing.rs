//! Signs what the tests of this module have verified.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::rsa;
use ring::signature::{
    self, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256,
    RsaKeyPair,
};
use serde_json::{Value, json};

use super::{ClaimValue, ForeignClaims};

/// The modulus of the key of RFC 7515, appendix A.2.
pub(super) const RFC_7515_N: &str = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ";
const RFC_7515_D: &str = "Eq5xpGnNCivDflJsRQBXHx1hdR1k6Ulwe2JZD50LpXyWPEAeP88vLNO97IjlA7_GQ5sLKMgvfTeXZx9SE-7YwVol2NXOoAJe46sui395IW_GO-pWJ1O0BkTGoVEn2bKVRUCgu-GjBVaYLU6f3l9kJfFNS3E0QbVdxzubSu3Mkqzjkn439X0M_V51gfpRLI9JYanrC4D4qAdGcopV_0ZHHzQlBjudU2QvXt4ehNYTCBr6XCLQUShb1juUO1ZdiYoFaFQT5Tw8bGUl_x_jTj3ccPDVZFD9pIuhLhBOneufuBiB4cS98l2SR_RQyGWSeWjnczT0QU91p1DhOVRuOopznQ";
const RFC_7515_P: &str = "4BzEEOtIpmVdVEZNCqS7baC4crd0pqnRH_5IB3jw3bcxGn6QLvnEtfdUdiYrqBdss1l58BQ3KhooKeQTa9AB0Hw_Py5PJdTJNPY8cQn7ouZ2KKDcmnPGBY5t7yLc1QlQ5xHdwW1VhvKn-nXqhJTBgIPgtldC-KDV5z-y2XDwGUc";
const RFC_7515_Q: &str = "uQPEfgmVtjL0Uyyx88GZFF1fOunH3-7cepKmtH4pxhtCoHqpWmT8YAmZxaewHgHAjLYsp1ZSe7zFYHj7C6ul7TjeLQeZD_YwD66t62wDmpe_HlB-TnBA-njbglfIsRLtXlnDzQkv5dTltRJ11BKBBypeeF6689rjcJIDEz9RWdc";
const RFC_7515_DP: &str = "BwKfV3Akq5_MFZDFZCnW-wzl-CCo83WoZvnLQwCTeDv8uzluRSnm71I3QCLdhrqE2e9YkxvuxdBfpT_PI7Yz-FOKnu1R6HsJeDCjn12Sk3vmAktV2zb34MCdy7cpdTh_YVr7tss2u6vneTwrA86rZtu5Mbr1C1XsmvkxHQAdYo0";
const RFC_7515_DQ: &str = "h_96-mK1R_7glhsum81dZxjTnYynPbZpHziZjeeHcXYsXaaMwkOlODsWa7I9xXDoRwbKgB719rrmI2oKr6N3Do9U0ajaHF-NKJnwgjMd2w9cjz3_-kyNlxAr2v4IKhGNpmM5iIgOS1VZnOZ68m6_pbLBSp3nssTdlqvd0tIiTHU";
const RFC_7515_QI: &str = "IYd7DHOhrWvxkwPQsRM2tOgrjbcrfvtQJipd-DlcxyVuuM9sQLdgjVk2oy26F0EmpScGLq2MowX7fhd_QJQ3ydy5cY7YIBi87w93IKLEdfnbJtoOPLUW0ITrJReOgo1cq9SbsxYawBgfp_gh6A5603k2-ZQwVK0JKSHuLFkuQ3U";

/// A provider's private key, with the name that it is published by.
pub(super) struct Signer {
    pub(super) kid: &'static str,
    key: Private,
}

enum Private {
    Rsa(Box<RsaKeyPair>),
    P256(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl Signer {
    /// One key of each kind.
    pub(super) fn all() -> [Self; 3] {
        [Self::rsa("rsa"), Self::p256("p256"), Self::ed25519("ed25519")]
    }

    /// The RSA key of RFC 7515.
    pub(super) fn rsa(kid: &'static str) -> Self {
        let components = rsa::KeyPairComponents {
            public_key: rsa::PublicKeyComponents {
                n: bytes(RFC_7515_N),
                e: bytes("AQAB"),
            },
            d: bytes(RFC_7515_D),
            p: bytes(RFC_7515_P),
            q: bytes(RFC_7515_Q),
            dP: bytes(RFC_7515_DP),
            dQ: bytes(RFC_7515_DQ),
            qInv: bytes(RFC_7515_QI),
        };
        let key = Private::Rsa(Box::new(RsaKeyPair::from_components(&components).unwrap()));
        Self { kid, key }
    }

    /// A new key on P-256.
    pub(super) fn p256(kid: &'static str) -> Self {
        let (algorithm, random) = (&ECDSA_P256_SHA256_FIXED_SIGNING, SystemRandom::new());
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
        let key = EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref(), &random).unwrap();
        Self {
            kid,
            key: Private::P256(key),
        }
    }

    /// A new key on Curve25519.
    pub(super) fn ed25519(kid: &'static str) -> Self {
        let pkcs8 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        let key = Ed25519KeyPair::from_pkcs8(pkcs8.as_ref()).unwrap();
        Self {
            kid,
            key: Private::Ed25519(key),
        }
    }

    pub(super) fn algorithm(&self) -> &'static str {
        match self.key {
            Private::Rsa(_) => "RS256",
            Private::P256(_) => "ES256",
            Private::Ed25519(_) => "EdDSA",
        }
    }

    /// The public key as it is published.
    pub(super) fn jwk(&self) -> Value {
        match &self.key {
            Private::Rsa(_) => json!({
                "kty": "RSA", "kid": self.kid, "use": "sig", "alg": "RS256", "n": RFC_7515_N, "e": "AQAB",
            }),
            Private::P256(key) => {
                let point = key.public_key().as_ref();
                let (x, y) = (encode(&point[1..33]), encode(&point[33..]));
                json!({ "kty": "EC", "crv": "P-256", "kid": self.kid, "use": "sig", "x": x, "y": y })
            }
            Private::Ed25519(key) => {
                let x = encode(key.public_key().as_ref());
                json!({ "kty": "OKP", "crv": "Ed25519", "kid": self.kid, "key_ops": ["verify"], "x": x })
            }
        }
    }

    pub(super) fn header(&self) -> Value {
        json!({ "alg": self.algorithm(), "kid": self.kid, "typ": "JWT" })
    }

    /// A token of these claims.
    pub(super) fn token(&self, claims: &ForeignClaims) -> String {
        self.signed(&self.header().to_string(), &json(claims).to_string())
    }

    /// A token of any header and payload, under a signature that is right.
    pub(super) fn signed(&self, header: &str, payload: &str) -> String {
        let message = format!("{}.{}", encode(header.as_bytes()), encode(payload.as_bytes()));
        let signature = encode(&self.sign(message.as_bytes()));
        format!("{message}.{signature}")
    }

    pub(super) fn sign(&self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match &self.key {
            Private::Rsa(key) => {
                let mut signature = vec![0; key.public().modulus_len()];
                let padding: &'static dyn signature::RsaEncoding = &RSA_PKCS1_SHA256;
                key.sign(padding, &random, message, &mut signature).unwrap();
                signature
            }
            Private::P256(key) => key.sign(&random, message).unwrap().as_ref().to_vec(),
            Private::Ed25519(key) => key.sign(message).as_ref().to_vec(),
        }
    }
}

/// The claims as a provider writes them.
pub(super) fn json(claims: &ForeignClaims) -> Value {
    let mut payload = json!({
        "iss": claims.issuer, "sub": claims.subject, "iat": claims.issued_at, "exp": claims.expires_at,
        "name": "Ada", "auth_time": 7, "address": { "country": "GB" },
    });
    payload["aud"] = match claims.audiences.as_slice() {
        [one] => json!(one),
        several => json!(several),
    };
    if let Some(party) = &claims.authorized_party {
        payload["azp"] = json!(party);
    }
    if let Some(at) = claims.not_before {
        payload["nbf"] = json!(at);
    }
    for (name, value) in &claims.others {
        payload[name] = match value {
            ClaimValue::Text(text) => json!(text),
            ClaimValue::Texts(texts) => json!(texts),
            ClaimValue::Flag(flag) => json!(flag),
        };
    }
    payload
}

pub(super) fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn bytes(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).unwrap()
}
