//! An identity provider as small as one can be: discovery, one key, and tokens that it signs.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::{Value, json};
use tenantry_http_client::{Answer, StubServer};

/// Whom the tokens are for.
const AUDIENCE: &str = "tenantry-test";

pub(super) struct Issuer {
    server: StubServer,
    key: EcdsaKeyPair,
    key_id: &'static str,
}

impl Issuer {
    /// A provider with a new key for ES256 (RFC 7518, section 3.4).
    pub(super) fn start(key_id: &'static str) -> Self {
        let random = SystemRandom::new();
        let made = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, made.as_ref(), &random).unwrap();
        // An uncompressed point: 4, x, y.
        let point = key.public_key().as_ref().to_vec();
        let [x, y] = [&point[1..33], &point[33..]].map(|part| URL_SAFE_NO_PAD.encode(part));
        let jwk = json!({ "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": key_id, "x": x, "y": y });
        let server = StubServer::start(move |request| {
            let issuer = format!("http://{}", request.header("host").unwrap());
            match request.path() {
                "/.well-known/openid-configuration" => Answer::json(
                    200,
                    &json!({ "issuer": issuer, "jwks_uri": format!("{issuer}/keys"), "id_token_signing_alg_values_supported": ["ES256"] }),
                ),
                "/keys" => Answer::json(200, &json!({ "keys": [jwk.clone()] })),
                path => Answer::json(404, &json!({ "error": path })),
            }
        });
        Self { server, key, key_id }
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.server.address())
    }

    /// The body that makes a tenant accept it.
    pub(super) fn provider(&self, name: &str) -> Value {
        json!({
            "name": name, "issuer": self.url(), "audience": AUDIENCE, "creates_users": true,
            "claims": { "email": "email", "role": "groups", "roles": { "staff": "member" } },
        })
    }

    /// A token for an hour.
    pub(super) fn token(&self, subject: &str, email: &str, group: &str) -> String {
        let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs();
        let header = json!({ "alg": "ES256", "typ": "JWT", "kid": self.key_id });
        let claims = json!({
            "iss": self.url(), "aud": AUDIENCE, "sub": subject, "email": email, "email_verified": true,
            "groups": [group], "iat": now, "exp": now + 3_600,
        });
        let signed = [header, claims]
            .map(|part| URL_SAFE_NO_PAD.encode(part.to_string()))
            .join(".");
        let signature = self.key.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}
