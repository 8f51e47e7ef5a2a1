use std::collections::BTreeMap;
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use super::jwk::Algorithm;
use super::{ClaimValue, ForeignClaims, IdentityError, MAX_IDENTITY_TOKEN_BYTES};

/// The most audiences of one token that are looked at.
const MAX_AUDIENCES: usize = 32;
/// A claim of tokens that tell of an event, as a log-out (RFC 8417, section 2.2): whoever holds one has not logged in.
const EVENTS: &str = "events";

/// A token taken apart (RFC 7515, section 7.1), of which nothing is verified.
pub(super) struct Parsed<'a> {
    /// The algorithm that its header names.
    pub(super) algorithm: Algorithm,
    /// The key that its header names.
    pub(super) kid: Option<String>,
    /// What is signed.
    pub(super) signed: &'a str,
    /// The signature.
    pub(super) signature: Vec<u8>,
    payload: Map<String, Value>,
}

impl<'a> Parsed<'a> {
    /// Takes a token apart.
    pub(super) fn new(token: &'a str) -> Result<Self, IdentityError> {
        if token.len() > MAX_IDENTITY_TOKEN_BYTES {
            return Err(IdentityError::TooLong);
        }
        let parts = || {
            let (signed, signature) = token.rsplit_once('.')?;
            let (header, payload) = signed.split_once('.')?;
            Some((signed, header, object(payload)?, decode(signature)?))
        };
        let (signed, header, payload, signature) = parts().ok_or(IdentityError::Malformed)?;
        let header = object(header).ok_or(IdentityError::Malformed)?;
        let (algorithm, kid) = judge(&header).ok_or(IdentityError::Malformed)?;
        Ok(Self {
            algorithm,
            kid,
            signed,
            signature,
            payload,
        })
    }

    /// Claim `iss`.
    pub(super) fn issuer(&self) -> Option<&str> {
        self.payload.get("iss")?.as_str()
    }

    /// Its claims, and of the others those of these names.
    pub(super) fn claims<'n>(
        &self,
        others: impl Iterator<Item = &'n str>,
    ) -> Result<ForeignClaims, IdentityError> {
        let read = || {
            let required_text = |name| self.text(name).ok().flatten();
            Some(ForeignClaims {
                issuer: required_text("iss")?,
                audiences: self.audiences()?,
                authorized_party: self.text("azp").ok()?,
                subject: required_text("sub")?,
                issued_at: self.seconds("iat").ok()??,
                not_before: self.seconds("nbf").ok()?,
                expires_at: self.seconds("exp").ok()??,
                others: self.others(others),
            })
        };
        let claims = read().ok_or(IdentityError::Malformed)?;
        if self.payload.contains_key(EVENTS) {
            return Err(IdentityError::Malformed);
        }
        Ok(claims)
    }

    /// `aud`: a text, or a list of them (RFC 7519, section 4.1.3).
    fn audiences(&self) -> Option<Vec<String>> {
        match self.payload.get("aud")? {
            Value::String(one) => Some(vec![one.clone()]),
            Value::Array(all) if (1..=MAX_AUDIENCES).contains(&all.len()) => texts(all),
            _ => None,
        }
    }

    /// A claim that is missing or a text.
    fn text(&self, name: &str) -> Result<Option<String>, ()> {
        match self.payload.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(()),
        }
    }

    /// A claim that is missing or a whole number of seconds since 1970.
    fn seconds(&self, name: &str) -> Result<Option<i64>, ()> {
        match self.payload.get(name) {
            None => Ok(None),
            Some(value) => match value.as_i64() {
                Some(seconds) if seconds >= 0 => Ok(Some(seconds)),
                Some(_) | None => Err(()),
            },
        }
    }

    fn others<'n>(&self, names: impl Iterator<Item = &'n str>) -> BTreeMap<String, ClaimValue> {
        let value = |name| match self.other(name)? {
            Value::String(text) => Some(ClaimValue::Text(text.clone())),
            Value::Array(all) => texts(all).map(ClaimValue::Texts),
            Value::Bool(flag) => Some(ClaimValue::Flag(*flag)),
            Value::Null | Value::Number(_) | Value::Object(_) => None,
        };
        names
            .filter_map(|name| Some((name.to_owned(), value(name)?)))
            .collect()
    }

    /// The claim of that name; one that begins with `/` says where inside a claim (RFC 6901), as `/realm_access/roles`.
    fn other(&self, name: &str) -> Option<&Value> {
        let Some(path) = name.strip_prefix('/') else {
            return self.payload.get(name);
        };
        let mut steps = path
            .split('/')
            .map(|step| step.replace("~1", "/").replace("~0", "~"));
        let first = self.payload.get(&steps.next()?);
        steps.fold(first, |value, step| value?.get(&step))
    }
}

/// What the header names, when it is one that is accepted.
fn judge(header: &Map<String, Value>) -> Option<(Algorithm, Option<String>)> {
    // Whoever does not know an extension that a token calls critical must refuse it (RFC 7515, section 4.1.11); we know none.
    if header.contains_key("crit") {
        return None;
    }
    // An access token, an ID token, or one that does not say (RFC 9068, section 2.1; RFC 7519, section 5.1).
    if let Some(kind) = header.get("typ") {
        let kind = kind.as_str()?.to_ascii_lowercase();
        let kind = kind.strip_prefix("application/").unwrap_or(&kind);
        if !matches!(kind, "jwt" | "at+jwt") {
            return None;
        }
    }
    let kid = match header.get("kid") {
        None => None,
        Some(Value::String(kid)) => Some(kid.clone()),
        Some(_) => return None,
    };
    Some((Algorithm::parse(header.get("alg")?.as_str()?)?, kid))
}

/// Each a text, or nothing.
fn texts(values: &[Value]) -> Option<Vec<String>> {
    values
        .iter()
        .map(|value| value.as_str().map(str::to_owned))
        .collect()
}

/// Strict base64url: no padding, no other letters, no bits left over.
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

fn object(part: &str) -> Option<Map<String, Value>> {
    serde_json::from_slice(&decode(part)?)
        .ok()
        .map(|Unambiguous(map)| map)
}

/// A JSON object without two members of one name, which two readers would understand differently (RFC 7519, section 4).
struct Unambiguous(Map<String, Value>);

impl<'de> Deserialize<'de> for Unambiguous {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = Unambiguous;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object without two members of one name")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Unambiguous, A::Error> {
                let mut map = Map::new();
                while let Some((name, value)) = members.next_entry::<String, Value>()? {
                    if map.insert(name, value).is_some() {
                        return Err(A::Error::custom("two members have one name"));
                    }
                }
                Ok(Unambiguous(map))
            }
        }

        deserializer.deserialize_map(Members)
    }
}
