use std::fmt;
use std::str::FromStr;

use crate::{Role, TenantId, Timestamp, UserId};

/// An e-mail address, kept in lower case so that one account has one spelling.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Email(String);

/// Text that is not an e-mail address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected an e-mail address of at most 254 characters, as name@example.org")]
pub struct ParseEmailError;

impl Email {
    /// Reads an address: one `@` between two parts, no white space, nothing invisible, at most 254 bytes
    /// (RFC 5321, section 4.5.3.1.3). Whether a mailbox is behind it only a mail can tell.
    ///
    /// # Errors
    /// When the text has another form.
    pub fn parse(text: &str) -> Result<Self, ParseEmailError> {
        let lower = text.to_lowercase();
        let well_formed = lower.len() <= 254
            && !lower.chars().any(|c| c.is_whitespace() || is_invisible(c))
            && lower.split_once('@').is_some_and(|(local, host)| {
                !local.is_empty() && local.len() <= 64 && !host.is_empty() && !host.contains('@')
            });
        if well_formed {
            Ok(Self(lower))
        } else {
            Err(ParseEmailError)
        }
    }

    /// The address in lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part before the `@`.
    pub fn local_part(&self) -> &str {
        self.0.split_once('@').map_or("", |(local, _)| local)
    }
}

/// Whether a character makes an address look like another one: controls, and format characters that show nothing or turn
/// the direction of the text.
fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

impl FromStr for Email {
    type Err = ParseEmailError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A password's hash as it is stored; what it looks like is the hasher's business.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// Takes the hash as it was stored.
    pub fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// The text to store.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(..)")
    }
}

/// Somebody who can log in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The user's id, which never changes.
    pub id: UserId,
    /// The address to log in with.
    pub email: Email,
    /// The password's hash; without one the user cannot log in with a password.
    pub password_hash: Option<PasswordHash>,
    /// Whether the user manages the platform.
    pub is_superuser: bool,
    /// Whether the user may log in.
    pub is_active: bool,
    /// The tenant that the user belongs to.
    pub tenant: Option<TenantId>,
    /// What the user may do there.
    pub role: Role,
    /// Raised to end every token that was issued before.
    pub token_version: u32,
    /// When the user was created.
    pub created_at: Timestamp,
    /// When the user last changed.
    pub updated_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_one_spelling() {
        assert_eq!(
            Email::parse("Ada@Example.ORG").unwrap().as_str(),
            "ada@example.org"
        );
        assert_eq!(Email::parse("Ada@Example.ORG").unwrap().local_part(), "ada");
    }

    #[test]
    fn what_is_no_address_is_refused() {
        let long = format!("{}@example.org", "a".repeat(250));
        for text in [
            "",
            "ada",
            "@example.org",
            "ada@",
            "a@b@c",
            "a b@c.d",
            "a\n@b.c",
            "a\0@b.c",
            "a\u{200b}@b.c",
            "a\u{202e}@b.c",
            "a@b\u{e0041}.c",
            long.as_str(),
        ] {
            assert_eq!(Email::parse(text), Err(ParseEmailError), "{text:?}");
        }
    }

    #[test]
    fn a_password_hash_shows_nothing_in_debug() {
        assert_eq!(
            format!("{:?}", PasswordHash::from_stored("$argon2id$".into())),
            "PasswordHash(..)"
        );
    }
}
