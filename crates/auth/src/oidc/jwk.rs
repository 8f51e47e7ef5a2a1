//! Public keys as JSON Web Keys (RFC 7517), and the signatures that they verify.
//!
//! A key is of one algorithm. There is no code here that could take a public key for the secret of an HMAC, nor any that signs.

use ring::signature::{self, RsaPublicKeyComponents, UnparsedPublicKey};
use serde_json::{Map, Value};

use super::parse::decode;

/// The most keys of one set.
const MAX_KEYS: usize = 64;
/// The fewest and the most bits of an RSA modulus (RFC 7518, section 3.3).
const RSA_BITS: std::ops::RangeInclusive<usize> = 2_048..=8_192;

/// The algorithms that a provider may sign with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// Ed25519.
    Ed25519,
}

impl Algorithm {
    /// Reads the exact name. Ed25519 has two: of its family (RFC 8037) and its own (RFC 9864).
    pub(super) fn parse(name: &str) -> Option<Self> {
        match name {
            "RS256" => Some(Self::Rs256),
            "ES256" => Some(Self::Es256),
            "EdDSA" | "Ed25519" => Some(Self::Ed25519),
            _ => None,
        }
    }
}

/// A key that a provider publishes for signatures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Jwk {
    pub(super) kid: Option<String>,
    key: PublicKey,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum PublicKey {
    /// Modulus and exponent, big-endian, without zeros in front.
    Rsa {
        n: Vec<u8>,
        e: Vec<u8>,
    },
    /// An uncompressed point (SEC 1, section 2.3.3).
    P256(Vec<u8>),
    Ed25519(Vec<u8>),
}

impl Jwk {
    /// The one algorithm that the key is for.
    pub(super) fn algorithm(&self) -> Algorithm {
        match self.key {
            PublicKey::Rsa { .. } => Algorithm::Rs256,
            PublicKey::P256(_) => Algorithm::Es256,
            PublicKey::Ed25519(_) => Algorithm::Ed25519,
        }
    }

    /// Whether the signature of the message is of this key.
    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match &self.key {
            PublicKey::Rsa { n, e } => RsaPublicKeyComponents { n, e }.verify(
                &signature::RSA_PKCS1_2048_8192_SHA256,
                message,
                signature,
            ),
            PublicKey::P256(point) => {
                UnparsedPublicKey::new(&signature::ECDSA_P256_SHA256_FIXED, point).verify(message, signature)
            }
            PublicKey::Ed25519(point) => {
                UnparsedPublicKey::new(&signature::ED25519, point).verify(message, signature)
            }
        }
        .is_ok()
    }

    /// Reads a key that may verify signatures; `None` for any other, which a set may well have (RFC 7517, section 5).
    fn read(jwk: &Value) -> Option<Self> {
        let jwk = jwk.as_object()?;
        // A private key that is published is nobody's any more.
        if jwk.contains_key("d") || !is_for_signatures(jwk) {
            return None;
        }
        let kid = match jwk.get("kid") {
            None => None,
            Some(kid) => Some(kid.as_str()?.to_owned()),
        };
        let key = Self {
            kid,
            key: PublicKey::read(jwk)?,
        };
        match jwk.get("alg") {
            Some(alg) if Algorithm::parse(alg.as_str()?) != Some(key.algorithm()) => None,
            _ => Some(key),
        }
    }
}

/// `use` and `key_ops` (RFC 7517, sections 4.2 and 4.3): what is there must allow it.
fn is_for_signatures(jwk: &Map<String, Value>) -> bool {
    let may_verify = |operations: &Value| {
        let operations = operations.as_array();
        operations.is_some_and(|all| all.iter().any(|one| one == "verify"))
    };
    jwk.get("use").is_none_or(|purpose| purpose == "sig") && jwk.get("key_ops").is_none_or(may_verify)
}

impl PublicKey {
    fn read(jwk: &Map<String, Value>) -> Option<Self> {
        let text = |name: &str| jwk.get(name)?.as_str();
        let bytes = |name: &str| decode(text(name)?);
        let coordinate = |name: &str| bytes(name).filter(|bytes| bytes.len() == 32);
        match (text("kty")?, text("crv")) {
            ("RSA", None) => {
                let (n, e) = (number(&bytes("n")?), number(&bytes("e")?));
                RSA_BITS.contains(&bits(&n)).then_some(Self::Rsa { n, e })
            }
            ("EC", Some("P-256")) => {
                let (x, y) = (coordinate("x")?, coordinate("y")?);
                Some(Self::P256([&[4], x.as_slice(), &y].concat()))
            }
            ("OKP", Some("Ed25519")) => coordinate("x").map(Self::Ed25519),
            _ => None,
        }
    }
}

/// The number's bytes without zeros in front, which some providers write although they should not.
fn number(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().copied().skip_while(|byte| *byte == 0).collect()
}

fn bits(number: &[u8]) -> usize {
    let unused = number.first().map_or(0, |first| first.leading_zeros());
    (number.len() * 8).saturating_sub(usize::try_from(unused).unwrap_or(8))
}

/// The usable keys of a set; `None` for what is no set, or one that is too large.
pub(super) fn read_set(body: &[u8]) -> Option<Vec<Jwk>> {
    let set: Value = serde_json::from_slice(body).ok()?;
    let keys = set.get("keys")?.as_array()?;
    (keys.len() <= MAX_KEYS).then(|| keys.iter().filter_map(Jwk::read).collect())
}

/// The one key that may have made such a signature; `None` also when several may.
pub(super) fn pick<'k>(keys: &'k [Jwk], algorithm: Algorithm, kid: Option<&str>) -> Option<&'k Jwk> {
    let mut fitting = keys
        .iter()
        .filter(|key| key.algorithm() == algorithm && kid.is_none_or(|kid| key.kid.as_deref() == Some(kid)));
    let one = fitting.next()?;
    fitting.next().is_none().then_some(one)
}
