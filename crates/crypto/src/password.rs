use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use tenantry_domain::{BoxError, PasswordHash};
use unicode_normalization::UnicodeNormalization;

use crate::RejectedPassword;

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
        // Room for all of it at once: a text that grows would leave copies of the password behind.
        let length = text.nfkc().map(char::len_utf8).sum();
        let mut normal = String::with_capacity(length);
        normal.extend(text.nfkc());
        Ok(Self(normal.into()))
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

/// What verifying a password came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The password is right, its hash is up to date.
    Match,
    /// The password is right, but its hash was made with other parameters than today's: hash it again and store that.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_taken_in_one_normal_form() {
        let composed = Password::new(&"caf\u{e9} \u{fb01}n".into()).unwrap();
        let decomposed = Password::new(&"cafe\u{301} fin".into()).unwrap();
        assert_eq!(composed.expose(), decomposed.expose());
    }

    #[test]
    fn a_password_of_more_than_1024_bytes_is_refused_and_not_cut() {
        assert!(Password::new(&"x".repeat(1_024).into()).is_ok());
        assert_eq!(
            Password::new(&"x".repeat(1_025).into()).unwrap_err(),
            RejectedPassword::TooLong
        );
    }

    #[test]
    fn debug_does_not_show_the_password() {
        assert_eq!(
            format!("{:?}", Password::new(&"hunter2".into()).unwrap()),
            "Password(..)"
        );
    }
}
