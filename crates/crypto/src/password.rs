use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use tenantry_domain::{BoxError, Email, PasswordHash};
use unicode_normalization::UnicodeNormalization;

/// Why a password may not be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RejectedPassword {
    /// Fewer code points than the policy asks for.
    #[error("the password has fewer than {min} characters")]
    TooShort {
        /// The policy's minimum.
        min: usize,
    },
    /// More than 1,024 bytes.
    #[error("the password has more than 1024 bytes")]
    TooLong,
    /// On the list of common passwords.
    #[error("the password is one of the most common ones")]
    Common,
    /// Made of the user's own address or the service's name.
    #[error("the password is made of the e-mail address or the service's name")]
    Guessable,
}

/// A password as it was given, in NFKC form; `Debug` does not show it.
#[derive(Clone)]
pub struct Password(SecretString);

impl Password {
    /// The longest password in bytes; a longer one is refused before it is hashed, never cut.
    pub const MAX_BYTES: usize = 1_024;

    /// Takes a password to verify.
    ///
    /// # Errors
    /// [`RejectedPassword::TooLong`] above [`Password::MAX_BYTES`].
    pub fn new(text: &SecretString) -> Result<Self, RejectedPassword> {
        let text = text.expose_secret();
        if text.len() > Self::MAX_BYTES {
            return Err(RejectedPassword::TooLong);
        }
        Ok(Self(text.nfkc().collect::<String>().into()))
    }

    /// The password's text, for hashing alone.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(..)")
    }
}

/// What a new password must be like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PasswordPolicy {
    /// The fewest code points; NIST SP 800-63B-4 asks for 15 where a password stands alone.
    pub min_characters: usize,
}

impl Default for PasswordPolicy {
    /// 12 code points.
    fn default() -> Self {
        Self { min_characters: 12 }
    }
}

/// What verifying a password came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The password is right, its hash is up to date.
    Match,
    /// The password is right, but its hash was made with weaker parameters: hash it again and store that.
    MatchOutdated,
    /// The password is wrong, or there is none to match.
    Mismatch,
}

/// Why a password was neither hashed nor verified.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PasswordError {
    /// The stored hash is not one, or the hasher failed.
    #[error("the password hash could not be computed")]
    Unavailable(#[source] BoxError),
}

/// Hashes and verifies passwords.
pub trait PasswordHasher: Send + Sync {
    /// Hashes a password for storage, with a fresh salt.
    ///
    /// # Errors
    /// When the operating system gives no random numbers or the hash fails.
    fn hash(&self, password: &Password) -> Result<PasswordHash, PasswordError>;

    /// Verifies `password` against a stored hash. Without one the same work is done against a fixed dummy, so that an
    /// unknown account takes as long as a wrong password, and the answer is [`Verdict::Mismatch`].
    ///
    /// # Errors
    /// When the stored hash is malformed or the hash fails.
    fn verify(&self, password: &Password, hash: Option<&PasswordHash>) -> Result<Verdict, PasswordError>;
}

impl PasswordPolicy {
    /// Whether `password` may be set for `email`.
    ///
    /// # Errors
    /// With the first rule that it breaks.
    pub fn check(&self, password: &Password, email: &Email) -> Result<(), RejectedPassword> {
        let text = password.expose();
        if text.chars().count() < self.min_characters {
            return Err(RejectedPassword::TooShort {
                min: self.min_characters,
            });
        }
        let lower = text.to_lowercase();
        if lower.contains("tenantry") || (email.local_part().len() >= 4 && lower.contains(email.local_part()))
        {
            return Err(RejectedPassword::Guessable);
        }
        Ok(())
    }
}
