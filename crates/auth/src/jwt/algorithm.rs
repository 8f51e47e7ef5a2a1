use std::fmt;
use std::str::FromStr;

/// The algorithms that a token may be signed with: HMAC with SHA-2, nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// HMAC with SHA-256.
    Hs256,
    /// HMAC with SHA-384.
    Hs384,
    /// HMAC with SHA-512.
    Hs512,
}

/// The name of no algorithm that tokens may be signed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected HS256, HS384 or HS512")]
pub struct ParseAlgorithmError;

impl Algorithm {
    /// The algorithm's name (RFC 7518, section 3.1).
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hs256 => "HS256",
            Self::Hs384 => "HS384",
            Self::Hs512 => "HS512",
        }
    }

    /// The fewest bytes of a secret: as many as the hash gives (RFC 7518, section 3.2).
    pub const fn min_secret_bytes(self) -> usize {
        match self {
            Self::Hs256 => 32,
            Self::Hs384 => 48,
            Self::Hs512 => 64,
        }
    }

    pub(super) const fn wire(self) -> jsonwebtoken::Algorithm {
        match self {
            Self::Hs256 => jsonwebtoken::Algorithm::HS256,
            Self::Hs384 => jsonwebtoken::Algorithm::HS384,
            Self::Hs512 => jsonwebtoken::Algorithm::HS512,
        }
    }
}

impl FromStr for Algorithm {
    type Err = ParseAlgorithmError;

    /// Reads the exact name; another letter case or a blank is another name.
    fn from_str(name: &str) -> Result<Self, Self::Err> {
        [Self::Hs256, Self::Hs384, Self::Hs512]
            .into_iter()
            .find(|algorithm| algorithm.as_str() == name)
            .ok_or(ParseAlgorithmError)
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_algorithm_has_one_spelling_and_is_an_hmac() {
        for name in ["HS256", "HS384", "HS512"] {
            assert_eq!(name.parse::<Algorithm>().map(Algorithm::as_str), Ok(name));
        }
        for name in [
            "", "hs256", "HS256 ", " HS256", "HS-256", "none", "None", "RS256", "ES256", "EdDSA", "HS1",
        ] {
            assert_eq!(name.parse::<Algorithm>(), Err(ParseAlgorithmError), "{name:?}");
        }
    }
}
