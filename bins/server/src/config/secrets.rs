use std::fs::File;
use std::io::{self, Read};

use secrecy::{ExposeSecret, SecretString};
use tenantry_crypto::SecretKey;

use super::reader::Reader;
use super::variables::{SECRET_KEY, SECRET_KEY_FILE, SECRET_KEY_PREVIOUS};

/// A secret is far shorter; a larger file is the wrong file.
const MAX_KEY_FILE: u64 = 4_096;

/// What is wrong with a key that no list of earlier keys can hold.
pub(super) const HAS_COMMA: &str = "has a comma, which separates earlier keys from each other";

/// The keys that seal what tenants trust the server with.
#[derive(Debug)]
pub struct SecretKeys {
    /// The key that seals and opens.
    pub active: SecretKey,
    /// Keys that open what was sealed before.
    pub previous: Vec<SecretKey>,
}

/// A key as it was written and as it was read.
pub(super) struct Written {
    text: String,
    key: SecretKey,
}

impl Written {
    fn parse(text: &str) -> Result<Self, String> {
        let key = SecretKey::parse(&SecretString::from(text)).map_err(|error| reason(&error))?;
        // Such a key could never be listed as an earlier one.
        if text.contains(',') {
            return Err(HAS_COMMA.to_owned());
        }
        Ok(Self {
            text: text.to_owned(),
            key,
        })
    }

    /// Whether `text` is this key, also in another spelling.
    fn is(&self, text: &str) -> bool {
        match (&self.key, SecretKey::parse(&SecretString::from(text))) {
            (SecretKey::Raw(this), Ok(SecretKey::Raw(other))) => this.id() == other.id(),
            _ => self.text == text,
        }
    }
}

/// Every configured key, the active one first.
pub(super) struct WrittenKeys {
    active: Written,
    previous: Vec<Written>,
}

impl WrittenKeys {
    /// Whether `secret` is one of these keys.
    pub(super) fn contain(&self, secret: &SecretString) -> bool {
        let mut keys = std::iter::once(&self.active).chain(&self.previous);
        keys.any(|key| key.is(secret.expose_secret()))
    }

    pub(super) fn into_keys(self) -> SecretKeys {
        let previous = self.previous.into_iter().map(|written| written.key);
        SecretKeys {
            active: self.active.key,
            previous: previous.collect(),
        }
    }
}

/// Reads the active key and the earlier ones, all different.
pub(super) fn secret_keys(reader: &mut Reader<'_>) -> Option<WrittenKeys> {
    let active = active_key(reader);
    let previous = reader.optional(&SECRET_KEY_PREVIOUS, |list| {
        list.split(',').map(Written::parse).collect::<Result<Vec<_>, _>>()
    });
    let (active, previous) = (active?, previous?.unwrap_or_default());
    let repeated = previous.iter().enumerate().any(|(place, key)| {
        active.is(&key.text) || previous.iter().skip(place + 1).any(|other| key.is(&other.text))
    });
    if repeated {
        reader.problems.add(
            &SECRET_KEY_PREVIOUS,
            "repeats a key, or has the one of `SECRET_KEY`",
        );
        return None;
    }
    Some(WrittenKeys { active, previous })
}

fn active_key(reader: &mut Reader<'_>) -> Option<Written> {
    let direct = reader.optional(&SECRET_KEY, Written::parse);
    let file = reader.optional(&SECRET_KEY_FILE, |path| Ok::<_, String>(path.to_owned()))?;
    match (direct?, file) {
        (Some(_), Some(_)) => {
            reader
                .problems
                .add(&SECRET_KEY_FILE, "is set, and so is `SECRET_KEY`");
            None
        }
        (Some(key), None) => Some(key),
        (None, Some(path)) => {
            let key =
                read_secret(&path).map_err(|error| format!("names a file that cannot be read: {error}"));
            let key = key
                .and_then(|text| Written::parse(&text).map_err(|reason| format!("holds no key: {reason}")));
            reader.problems.keep(&SECRET_KEY_FILE, key)
        }
        (None, None) => {
            reader.problems.add(&SECRET_KEY, "is not set");
            None
        }
    }
}

/// What the file holds without the line end that an editor or `echo` leaves at its end.
pub(super) fn read_secret(path: &str) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?
        .take(MAX_KEY_FILE + 1)
        .read_to_string(&mut text)?;
    if u64::try_from(text.len()).is_ok_and(|bytes| bytes > MAX_KEY_FILE) {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "it is larger than a secret",
        ));
    }
    let key = text
        .strip_suffix('\n')
        .map_or(text.as_str(), |text| text.strip_suffix('\r').unwrap_or(text));
    Ok(key.to_owned())
}

/// Why a key is refused, to be read after the variable's name.
fn reason(error: &dyn std::error::Error) -> String {
    format!("cannot be used: {error}")
}
