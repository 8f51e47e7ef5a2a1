use secrecy::{ExposeSecret, SecretString};

/// Why a configured secret is too easy to guess, or not what its owner meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WeakSecret {
    /// Copied together with something around it, which would make it another secret.
    #[error("it begins or ends with white space or a quotation mark, or has a control character in it")]
    Surrounded,
    /// A text from an example or a template.
    #[error("it is a placeholder")]
    Placeholder,
    /// The same character throughout.
    #[error("it is one character repeated")]
    Repeated,
    /// Fewer than 3 bits of Shannon entropy a character, or too few different bytes.
    #[error("it repeats itself too much to be random")]
    Predictable,
}

/// Whole texts that stand in examples for a secret; compared without case and punctuation.
const PLACEHOLDERS: &[&str] = &[
    "secret",
    "password",
    "passphrase",
    "test",
    "testing",
    "dev",
    "development",
    "none",
    "null",
];

/// What a placeholder contains. None is shorter than seven characters, so that a random key holds one by chance less
/// than once in a hundred million.
const PLACEHOLDER_PARTS: &[&str] = &[
    "changeme",
    "changethis",
    "changeit",
    "pleasechange",
    "yoursecret",
    "yourkey",
    "yourjwt",
    "yoursuper",
    "yourpassword",
    "replaceme",
    "replacethis",
    "replacewith",
    "placeholder",
    "insertyour",
    "enteryour",
    "putyour",
    "secretkey",
    "secrethere",
    "keyhere",
    "supersecret",
    "topsecret",
    "verysecret",
    "jwtsecret",
    "mysecret",
    "devsecret",
    "testsecret",
    "notasecret",
    "notsosecret",
    "defaultsecret",
    "examplekey",
    "examplesecret",
    "randomstring",
    "openssl",
    "generatewith",
];

/// What makes `text` unfit as a configured secret, if anything; its length is the caller's to judge.
///
/// # Examples
/// ```
/// use tenantry_crypto::{WeakSecret, weak_secret};
///
/// assert_eq!(weak_secret(&"your-secret-key-goes-here".into()), Some(WeakSecret::Placeholder));
/// assert_eq!(weak_secret(&"n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is".into()), None);
/// ```
pub fn weak_secret(text: &SecretString) -> Option<WeakSecret> {
    let text = text.expose_secret();
    if is_surrounded(text) {
        Some(WeakSecret::Surrounded)
    } else if is_placeholder(text) {
        Some(WeakSecret::Placeholder)
    } else if is_repeated(text) {
        Some(WeakSecret::Repeated)
    } else if bits_per_character(text) < 3.0 {
        Some(WeakSecret::Predictable)
    } else {
        None
    }
}

/// Whether `text` has something at an end, or a control character anywhere, that copying adds and nobody sees.
pub(crate) fn is_surrounded(text: &str) -> bool {
    let stray = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`' | '\u{feff}' | '\u{200b}');
    text.starts_with(stray) || text.ends_with(stray) || text.contains(char::is_control)
}

fn is_placeholder(text: &str) -> bool {
    let plain: String = text
        .chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect();
    PLACEHOLDERS.contains(&plain.as_str()) || PLACEHOLDER_PARTS.iter().any(|part| plain.contains(part))
}

fn is_repeated(text: &str) -> bool {
    let mut characters = text.chars();
    characters
        .next()
        .is_none_or(|first| characters.all(|c| c == first))
}

/// Shannon entropy of the distribution of characters in `text`.
fn bits_per_character(text: &str) -> f64 {
    let mut characters: Vec<char> = text.chars().collect();
    characters.sort_unstable();
    let count = |run: &[char]| u32::try_from(run.len()).map_or(f64::MAX, f64::from);
    let all = count(&characters);
    characters
        .chunk_by(|a, b| a == b)
        .map(|run| count(run) / all)
        .map(|share| -share * share.log2())
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<WeakSecret>) {
        assert_eq!(weak_secret(&text.into()), expected, "{text:?}");
    }

    #[test]
    fn a_secret_with_something_around_it_is_refused() {
        for text in [
            " key",
            "key ",
            "key\n",
            "\tkey",
            "\"key\"",
            "'key'",
            "`key`",
            "\u{feff}key",
            "a\0b",
            "a\nb",
            "key\u{a0}",
        ] {
            check(text, Some(WeakSecret::Surrounded));
        }
    }

    #[test]
    fn a_placeholder_is_refused_in_any_spelling() {
        for text in [
            "changeme",
            "CHANGE-ME-CHANGE-ME-CHANGE-ME",
            "changethis",
            "secret",
            "your-secret-key",
            "your_256_bit_secret_key_here",
            "super-secret-key-that-nobody-guesses",
            "<replace with the output of openssl rand -hex 32>",
            "please.change.this.in.production",
        ] {
            check(text, Some(WeakSecret::Placeholder));
        }
    }

    #[test]
    fn a_repetition_is_refused() {
        check("", Some(WeakSecret::Repeated));
        check("a", Some(WeakSecret::Repeated));
        check(&"x".repeat(64), Some(WeakSecret::Repeated));
        check(&"ab".repeat(32), Some(WeakSecret::Predictable));
        check("passwordpasswordpassword", Some(WeakSecret::Predictable));
        check(
            "12345671234567123456712345671234567",
            Some(WeakSecret::Predictable),
        );
    }

    #[test]
    fn three_bits_a_character_are_enough() {
        check("abcdefgh", None);
        check("correct horse battery staple", None);
        check(
            "5df5c0b4a0ad4e4a9c1b0f6d7e8a92b3c4d5e6f708192a3b4c5d6e7f8091a2b3",
            None,
        );
    }

    #[test]
    fn the_error_does_not_tell_the_secret() {
        let found = weak_secret(&"changeme-hunter2".into()).unwrap();
        assert!(!format!("{found} {found:?}").contains("hunter2"));
    }
}
