use tenantry_domain::Email;
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

use crate::Password;

/// Common passwords in lower case, one a line.
const COMMON: &str = include_str!("../data/common-passwords.txt");

/// How many digits and marks behind a common password still leave it one.
const COMMON_SUFFIX: usize = 6;

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
    /// On the list of common passwords, such a one with a few digits or marks behind it, or a plain run of characters.
    #[error("the password is one of the most common ones")]
    Common,
    /// Made of the user's own address or the service's name.
    #[error("the password is made of the e-mail address or the service's name")]
    Guessable,
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
        let lower = Zeroizing::new(text.to_lowercase());
        if is_common(&lower) || is_run(&lower) {
            return Err(RejectedPassword::Common);
        }
        let local_part: String = email.local_part().nfkc().collect();
        if lower.contains("tenantry") || (local_part.chars().count() >= 4 && lower.contains(&local_part)) {
            return Err(RejectedPassword::Guessable);
        }
        Ok(())
    }
}

/// Whether `lower` is a common password, alone, repeated, or with up to [`COMMON_SUFFIX`] digits and marks behind it.
fn is_common(lower: &str) -> bool {
    let stem = lower.trim_end_matches(|c: char| !c.is_alphabetic());
    let stem = if lower.len() - stem.len() <= COMMON_SUFFIX {
        stem
    } else {
        lower
    };
    let half = lower
        .get(..lower.len() / 2)
        .filter(|half| lower.strip_prefix(*half) == Some(*half))
        .unwrap_or(lower);
    // A scan of 18,000 lines costs a hundredth of the hash that follows it.
    COMMON
        .lines()
        .any(|common| common == lower || common == stem || common == half)
}

/// Whether `lower` goes up, down or nowhere by one step throughout, or repeats a piece of at most four characters.
fn is_run(lower: &str) -> bool {
    let characters = Zeroizing::new(lower.chars().collect::<Vec<char>>());
    let repeats = |length: usize| {
        let again = characters.iter().skip(length);
        again.len() >= length && characters.iter().zip(again).all(|(a, b)| a == b)
    };
    let climbs = |first: &[char], then: &[char]| {
        first
            .iter()
            .zip(then)
            .all(|(&a, &b)| u32::from(a) + 1 == u32::from(b) || (a, b) == ('9', '0'))
    };
    let rest = characters.get(1..).unwrap_or_default();
    (1..=4).any(repeats) || climbs(&characters, rest) || climbs(rest, &characters)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> Result<(), RejectedPassword> {
        let email = Email::parse("grace.hopper@example.org").unwrap();
        PasswordPolicy::default().check(&Password::new(&text.into()).unwrap(), &email)
    }

    #[test]
    fn the_list_holds_thousands_in_the_form_that_is_compared() {
        let entries: Vec<&str> = COMMON.lines().filter(|line| !line.starts_with("# ")).collect();
        assert!(entries.len() >= 3_000, "{}", entries.len());
        assert!(entries.is_sorted());
        for entry in entries {
            let form: String = entry.nfkc().collect::<String>().to_lowercase();
            assert!(
                entry.len() >= 8 && entry == form && entry == entry.trim(),
                "{entry:?}"
            );
        }
    }

    #[test]
    fn a_password_has_twelve_characters_however_many_bytes() {
        assert_eq!(check("kvd8#mqzw2p"), Err(RejectedPassword::TooShort { min: 12 }));
        assert_eq!(check("пароль-кот7"), Err(RejectedPassword::TooShort { min: 12 }));
        assert_eq!(check("kvd8#mqzw2pt"), Ok(()));
    }

    #[test]
    fn a_common_password_is_refused_in_any_case_and_with_a_tail() {
        for text in [
            "1qaz2wsx3edc",
            "Administrator",
            "PROFESSIONAL",
            "password12345",
            "Football2024!",
            "princess!!!!",
            "sunshinesunshine",
            "\u{ff30}assword1234",
        ] {
            assert_eq!(check(text), Err(RejectedPassword::Common), "{text}");
        }
        assert_eq!(check("princess 93 teacups"), Ok(()));
        assert_eq!(check("princess93175208446"), Ok(()));
    }

    #[test]
    fn a_plain_run_is_refused() {
        for text in [
            "aaaaaaaaaaaa",
            "abcdefghijkl",
            "lkjihgfedcba",
            "1234567890123",
            "3210987654321",
            "abcabcabcabc",
        ] {
            assert_eq!(check(text), Err(RejectedPassword::Common), "{text}");
        }
    }

    #[test]
    fn a_short_password_that_a_policy_allows_is_no_run_for_being_short() {
        let email = Email::parse("grace.hopper@example.org").unwrap();
        let policy = PasswordPolicy { min_characters: 4 };
        let check = |text: &str| policy.check(&Password::new(&text.into()).unwrap(), &email);
        assert_eq!((check("k9#q"), check("k9#qk")), (Ok(()), Ok(())));
        assert_eq!(check("k9k9"), Err(RejectedPassword::Common));
    }

    #[test]
    fn the_address_and_the_service_are_no_passwords() {
        for text in ["xx-grace.hopper-xx", "My-Tenantry-1z"] {
            assert_eq!(check(text), Err(RejectedPassword::Guessable), "{text}");
        }
    }
}
