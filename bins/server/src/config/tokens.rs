use std::collections::BTreeSet;

use secrecy::{ExposeSecret, SecretString};
use tenantry_auth::{Algorithm, JwtKeys, Lifetime};
use tenantry_crypto::{WeakSecret, weak_secret};

use super::reader::Reader;
use super::secrets::{HAS_COMMA, WrittenKeys};
use super::variables::{ACCESS_TOKEN_EXPIRE_MINUTES, ALGORITHM, JWT_SECRET_KEY, JWT_SECRET_KEY_PREVIOUS};

/// How access tokens are signed.
#[derive(Debug)]
pub struct Tokens {
    /// The key that signs, and those that still verify.
    pub keys: JwtKeys,
    /// How long a token is good for.
    pub lifetime: Lifetime,
}

/// Reads how tokens are signed; `sealing` are keys that must not sign as well.
pub(super) fn tokens(reader: &mut Reader<'_>, sealing: Option<&WrittenKeys>) -> Option<Tokens> {
    let algorithm = reader.value(&ALGORITHM, |text| {
        text.parse::<Algorithm>().map_err(|_| "is none of the three")
    });
    let lifetime = reader.value(&ACCESS_TOKEN_EXPIRE_MINUTES, |text| {
        // `u32::from_str` takes a leading plus sign, which nobody means.
        let minutes = text
            .bytes()
            .all(|byte| byte.is_ascii_digit())
            .then(|| text.parse().ok())
            .flatten();
        let lifetime = minutes.and_then(|minutes| Lifetime::from_minutes(minutes).ok());
        lifetime.ok_or("is out of range or no whole number")
    });
    // While the algorithm is wrong, the least that any of them asks for is checked.
    let judged_by = algorithm.unwrap_or(Algorithm::Hs256);
    let active = reader.value(&JWT_SECRET_KEY, |text| secret(text, judged_by, sealing));
    let previous = reader.optional(&JWT_SECRET_KEY_PREVIOUS, |list| {
        list.split(',')
            .map(|text| secret(text, judged_by, sealing))
            .collect::<Result<Vec<_>, _>>()
    });
    let (active, previous) = (active?, previous?.unwrap_or_default());
    // Who finds it there believes that the old one is no longer what signs.
    if repeats(&active, &previous) {
        reader.problems.add(
            &JWT_SECRET_KEY_PREVIOUS,
            "repeats a secret, or has the one of `JWT_SECRET_KEY`",
        );
        return None;
    }
    let keys = JwtKeys::new(algorithm?, &active, &previous);
    // Each secret has passed its own check, so that the reason is not in the earlier ones.
    let keys = reader.problems.keep(
        &JWT_SECRET_KEY,
        keys.map_err(|error| format!("cannot be used ({error})")),
    );
    Some(Tokens {
        keys: keys?,
        lifetime: lifetime?,
    })
}

fn repeats(active: &SecretString, previous: &[SecretString]) -> bool {
    let all: BTreeSet<&str> = previous
        .iter()
        .chain([active])
        .map(ExposeSecret::expose_secret)
        .collect();
    all.len() <= previous.len()
}

fn secret(text: &str, algorithm: Algorithm, sealing: Option<&WrittenKeys>) -> Result<SecretString, String> {
    let bytes = text.len();
    let secret = SecretString::from(text);
    let least = algorithm.min_secret_bytes();
    let weakness = weak_secret(&secret);
    // A few bytes are hardly ever varied enough; their number is what to mend.
    let is_regular = matches!(weakness, Some(WeakSecret::Repeated | WeakSecret::Predictable));
    if bytes < least && (is_regular || weakness.is_none()) {
        Err(format!("is too short: {algorithm} needs {least} bytes"))
    } else if let Some(weakness) = weakness {
        Err(format!("cannot be used ({weakness})"))
    } else if text.contains(',') {
        // It could never be listed as an earlier one.
        Err(HAS_COMMA.to_owned())
    } else if sealing.is_some_and(|keys| keys.contain(&secret)) {
        Err("is also a `SECRET_KEY`".to_owned())
    } else {
        Ok(secret)
    }
}
