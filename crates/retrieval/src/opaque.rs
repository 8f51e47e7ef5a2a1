//! Secrets that are only ever compared: 32 random bytes behind a prefix, of which the store keeps a hash.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::SecretString;
use sha2::{Digest, Sha256};
use tenantry_domain::{BoxError, TokenHash};
use zeroize::Zeroizing;

/// How many characters follow the prefix: 32 bytes in base64url without padding (RFC 4648, section 5).
const CHARACTERS: usize = 43;

/// What such a secret is for, which its prefix tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// A session's next access token.
    Refresh,
    /// A new password.
    Reset,
    /// Whatever its API key may do.
    ApiKey,
}

/// The operating system gave no random numbers.
#[derive(Debug, thiserror::Error)]
#[error("no random numbers could be had")]
pub struct NoRandomness(#[source] BoxError);

/// A new secret with its hash.
pub(crate) struct Opaque {
    pub(crate) text: SecretString,
    pub(crate) hash: TokenHash,
}

impl Purpose {
    fn prefix(self) -> &'static str {
        match self {
            Self::Refresh => "tnr_",
            Self::Reset => "tnp_",
            Self::ApiKey => "tnk_",
        }
    }

    /// A new secret.
    pub(crate) fn generate(self) -> Result<Opaque, NoRandomness> {
        let mut bytes = Zeroizing::new([0; 32]);
        getrandom::fill(bytes.as_mut_slice()).map_err(|error| NoRandomness(error.into()))?;
        let prefix = self.prefix();
        // Room for all of it at once: a text that grows would leave copies behind.
        let mut text = String::with_capacity(prefix.len() + CHARACTERS);
        text.push_str(prefix);
        URL_SAFE_NO_PAD.encode_string(bytes.as_slice(), &mut text);
        Ok(Opaque {
            hash: hash_of(&text),
            text: text.into(),
        })
    }

    /// The hash of what may be such a secret; `None` when it has another form.
    pub(crate) fn hash(self, text: &str) -> Option<TokenHash> {
        let secret = text.strip_prefix(self.prefix())?;
        let of_alphabet = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        (secret.len() == CHARACTERS && secret.bytes().all(of_alphabet)).then(|| hash_of(text))
    }
}

/// The hash under which a secret is kept: of its whole text.
pub(crate) fn hash_of(secret: &str) -> TokenHash {
    TokenHash::from_bytes(Sha256::digest(secret).into())
}

impl fmt::Debug for Opaque {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Opaque(..)")
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn a_secret_is_known_by_its_purpose_and_its_hash() {
        for purpose in [Purpose::Refresh, Purpose::Reset, Purpose::ApiKey] {
            let (one, other) = (purpose.generate().unwrap(), purpose.generate().unwrap());
            assert_ne!(one.text.expose_secret(), other.text.expose_secret());
            assert_eq!(purpose.hash(one.text.expose_secret()), Some(one.hash));
            assert_ne!(one.hash, other.hash);
            assert_eq!(one.text.expose_secret().len(), 47);
        }
        let refresh = Purpose::Refresh.generate().unwrap();
        assert_eq!(Purpose::Reset.hash(refresh.text.expose_secret()), None);
    }

    #[test]
    fn what_has_another_form_is_no_secret() {
        let text = Purpose::Reset.generate().unwrap().text;
        let text = text.expose_secret();
        for other in [
            "",
            "tnp_",
            &text[..46],
            &format!("{text}a"),
            &format!(" {text}"),
            &format!("{}=", &text[..46]),
            &text.to_uppercase(),
        ] {
            assert_eq!(Purpose::Reset.hash(other), None, "{other}");
        }
    }

    #[test]
    fn debug_shows_nothing_of_it() {
        let secret = Purpose::Refresh.generate().unwrap();
        assert_eq!(format!("{secret:?}"), "Opaque(..)");
    }
}
