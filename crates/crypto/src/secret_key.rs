use std::collections::HashSet;
use std::fmt::{self, Write};

use argon2::Params;
use base64::Engine;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use secrecy::{ExposeSecret, SecretString};
use tenantry_domain::BoxError;
use zeroize::Zeroizing;

use crate::argon2id::argon2id;
use crate::weakness::is_surrounded;
use crate::{SealingKey, WeakSecret, weak_secret};

/// Why a configured text is not taken as a sealing key. Never tells the text.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SecretKeyError {
    /// Easy to guess, or copied with something around it.
    #[error(transparent)]
    Weak(#[from] WeakSecret),
    /// Neither a raw key nor long enough for a passphrase.
    #[error(
        "it is neither 64 hexadecimal digits, nor base64 of 32 bytes, nor a passphrase of at least {min} characters"
    )]
    TooShort {
        /// The fewest characters of a passphrase.
        min: usize,
    },
    /// The operating system gave no random numbers, or the passphrase could not be stretched.
    #[error("the key could not be derived")]
    Unavailable(#[source] BoxError),
}

/// What a configured text comes to: a key, or a passphrase that needs a salt to become one.
///
/// # Examples
/// ```
/// use tenantry_crypto::SecretKey;
///
/// let text = tenantry_crypto::generate_secret_key()?;
/// assert!(matches!(SecretKey::parse(&text)?, SecretKey::Raw(_)));
/// # Ok::<(), tenantry_crypto::SecretKeyError>(())
/// ```
#[derive(Debug)]
pub enum SecretKey {
    /// The text was the key itself.
    Raw(SealingKey),
    /// The text is a passphrase.
    Passphrase(Passphrase),
}

impl SecretKey {
    /// Reads a configured text. The first that fits: 64 hexadecimal digits; base64 or base64url of exactly 32 bytes,
    /// padded or not; a passphrase of at least [`Passphrase::MIN_CHARACTERS`] characters.
    ///
    /// # Errors
    /// When white space or quotation marks surround the text, when nothing fits, or when it is easy to guess; see
    /// [`WeakSecret`].
    pub fn parse(text: &SecretString) -> Result<Self, SecretKeyError> {
        let plain = text.expose_secret();
        if is_surrounded(plain) {
            return Err(WeakSecret::Surrounded.into());
        }
        if let Some(bytes) = hexadecimal(plain).or_else(|| base64_of_32_bytes(plain)) {
            return Self::raw(&bytes).map_err(SecretKeyError::Weak);
        }
        let is_short = plain.chars().count() < Passphrase::MIN_CHARACTERS;
        match weak_secret(text) {
            // A few characters are hardly ever varied enough; their number is what to mend.
            Some(WeakSecret::Repeated | WeakSecret::Predictable) | None if is_short => {
                Err(SecretKeyError::TooShort {
                    min: Passphrase::MIN_CHARACTERS,
                })
            }
            Some(weakness) => Err(weakness.into()),
            None => Ok(Self::Passphrase(Passphrase(text.clone()))),
        }
    }

    fn raw(bytes: &[u8; 32]) -> Result<Self, WeakSecret> {
        // 32 random bytes have about 30 different ones; fewer than 16 come by chance less than once in 10^17.
        match bytes.iter().collect::<HashSet<_>>().len() {
            ..=1 => Err(WeakSecret::Repeated),
            2..16 => Err(WeakSecret::Predictable),
            _ => Ok(Self::Raw(SealingKey::derive(bytes))),
        }
    }
}

/// A passphrase fit for sealing secrets; `Debug` does not show it.
pub struct Passphrase(SecretString);

impl Passphrase {
    /// The fewest characters.
    pub const MIN_CHARACTERS: usize = 20;

    /// Makes the key of this passphrase under `salt`: Argon2id with 64 MiB, three passes and one lane. Takes a tenth
    /// of a second and more, on purpose.
    ///
    /// # Errors
    /// [`SecretKeyError::Unavailable`] when the hash fails.
    pub fn stretch(&self, salt: &[u8; 16]) -> Result<SealingKey, SecretKeyError> {
        let mut root = Zeroizing::new([0; 32]);
        Params::new(64 * 1_024, 3, 1, Some(root.len()))
            .and_then(|params| {
                argon2id(
                    params,
                    self.0.expose_secret().as_bytes(),
                    salt,
                    root.as_mut_slice(),
                )
            })
            .map_err(|error| SecretKeyError::Unavailable(error.into()))?;
        Ok(SealingKey::derive(&root))
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase(..)")
    }
}

/// A fresh salt for [`Passphrase::stretch`]; keep it where the sealed secrets are kept.
///
/// # Errors
/// [`SecretKeyError::Unavailable`] when the operating system gives no random numbers.
pub fn fresh_salt() -> Result<[u8; 16], SecretKeyError> {
    let mut salt = [0; 16];
    getrandom::fill(&mut salt).map_err(|error| SecretKeyError::Unavailable(error.into()))?;
    Ok(salt)
}

/// A fresh random key as text: 64 hexadecimal digits, fit for sealing and for signing.
///
/// # Errors
/// [`SecretKeyError::Unavailable`] when the operating system gives no random numbers.
pub fn generate_secret_key() -> Result<SecretString, SecretKeyError> {
    let mut bytes = Zeroizing::new([0; 32]);
    getrandom::fill(bytes.as_mut_slice()).map_err(|error| SecretKeyError::Unavailable(error.into()))?;
    let mut text = String::with_capacity(64);
    for byte in *bytes {
        // Writing to a `String` never fails.
        let _ = write!(text, "{byte:02x}");
    }
    Ok(text.into())
}

fn hexadecimal(text: &str) -> Option<Zeroizing<[u8; 32]>> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if pairs.len() != 32 || !rest.is_empty() {
        return None;
    }
    let digit = |byte: u8| {
        char::from(byte)
            .to_digit(16)
            .and_then(|digit| u8::try_from(digit).ok())
    };
    let mut bytes = Zeroizing::new([0; 32]);
    for (byte, &[high, low]) in bytes.iter_mut().zip(pairs) {
        *byte = digit(high)? << 4 | digit(low)?;
    }
    Some(bytes)
}

fn base64_of_32_bytes(text: &str) -> Option<Zeroizing<[u8; 32]>> {
    let lenient = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    [STANDARD, URL_SAFE].iter().find_map(|alphabet| {
        let decoded = Zeroizing::new(GeneralPurpose::new(alphabet, lenient).decode(text).ok()?);
        <[u8; 32]>::try_from(decoded.as_slice()).ok().map(Zeroizing::new)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

    fn raw(text: &str) -> SealingKey {
        match SecretKey::parse(&text.into()) {
            Ok(SecretKey::Raw(key)) => key,
            other => panic!("{text:?}: {other:?}"),
        }
    }

    #[test]
    fn every_spelling_of_the_same_32_bytes_is_the_same_key() {
        let key = raw(HEX).id();
        for text in [
            HEX.to_uppercase().as_str(),
            "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
            "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
        ] {
            assert_eq!(raw(text).id(), key, "{text}");
        }
        let standard = raw("+/ECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=");
        assert_eq!(
            raw("-_ECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8").id(),
            standard.id()
        );
        assert_ne!(standard.id(), key);
    }

    #[test]
    fn a_raw_key_without_variety_is_refused() {
        for (text, reason) in [
            ("0".repeat(64), WeakSecret::Repeated),
            ("A".repeat(43), WeakSecret::Repeated),
            ("0123456789abcdef".repeat(4), WeakSecret::Predictable),
            ("deadbeef".repeat(8), WeakSecret::Predictable),
        ] {
            let refused = SecretKey::parse(&text.as_str().into());
            assert!(
                matches!(refused, Err(SecretKeyError::Weak(found)) if found == reason),
                "{text}: {refused:?}"
            );
        }
    }

    #[test]
    fn surroundings_are_refused_rather_than_trimmed() {
        for text in [
            format!("{HEX}\n"),
            format!(" {HEX}"),
            format!("\"{HEX}\""),
            format!("'{HEX}'"),
        ] {
            let refused = SecretKey::parse(&text.as_str().into());
            assert!(
                matches!(refused, Err(SecretKeyError::Weak(WeakSecret::Surrounded))),
                "{text:?}: {refused:?}"
            );
        }
    }

    #[test]
    fn what_is_no_key_is_a_passphrase_if_long_and_varied_enough() {
        for text in [
            "correct horse battery staple",
            "abcdefghijklmnopqrst",
            &HEX[1..],
            &format!("{HEX}0"),
        ] {
            assert!(
                matches!(SecretKey::parse(&text.into()), Ok(SecretKey::Passphrase(_))),
                "{text:?}"
            );
        }
        for text in ["abcdefghijklmnopqrs", "short", "aaaaaa"] {
            let short = SecretKey::parse(&text.into());
            assert!(
                matches!(short, Err(SecretKeyError::TooShort { min: 20 })),
                "{text}: {short:?}"
            );
        }
        let placeholder = SecretKey::parse(&"your-secret-key".into());
        assert!(
            matches!(placeholder, Err(SecretKeyError::Weak(WeakSecret::Placeholder))),
            "{placeholder:?}"
        );
    }

    #[test]
    fn a_passphrase_makes_one_key_per_salt() {
        let Ok(SecretKey::Passphrase(phrase)) = SecretKey::parse(&"correct horse battery staple".into())
        else {
            panic!("a passphrase");
        };
        let id = |salt: [u8; 16]| phrase.stretch(&salt).unwrap().id();
        assert_eq!(id([1; 16]), id([1; 16]));
        assert_ne!(id([1; 16]), id([2; 16]));
    }

    #[test]
    fn no_error_and_no_debug_tells_the_text() {
        for text in [
            "hunter2 hunter2",
            "hunter2-changeme",
            " hunter2",
            "hunter2 is a fine passphrase",
        ] {
            let shown = match SecretKey::parse(&text.into()) {
                Ok(key) => format!("{key:?}"),
                Err(error) => format!("{error} {error:?}"),
            };
            assert!(!shown.contains("hunter2"), "{shown}");
        }
    }

    #[test]
    fn a_generated_key_is_a_raw_key_and_no_weak_secret() {
        let (one, other) = (generate_secret_key().unwrap(), generate_secret_key().unwrap());
        assert_ne!(one.expose_secret(), other.expose_secret());
        assert_eq!(weak_secret(&one), None);
        assert_ne!(raw(one.expose_secret()).id(), raw(other.expose_secret()).id());
        assert_ne!(fresh_salt().unwrap(), fresh_salt().unwrap());
    }
}
