use std::fmt::Display;
use std::str::FromStr;

use super::problems::Problems;
use super::{Unset, Variable};

/// Reads variables one by one and remembers what is wrong with them.
///
/// What its methods give is `None` after a problem, and what is built of their answers then is never used.
pub(super) struct Reader<'a> {
    lookup: &'a dyn Fn(&str) -> Option<String>,
    pub(super) problems: Problems,
}

impl<'a> Reader<'a> {
    pub(super) fn new(lookup: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self {
            lookup,
            problems: Problems::default(),
        }
    }

    /// The variable's value or default, as `parse` reads it.
    pub(super) fn value<T, E: Display>(
        &mut self,
        variable: &Variable,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let text = self.text(variable)?;
        let Some(text) = text else {
            self.problems.add(variable, "is not set");
            return None;
        };
        self.problems.keep(variable, parse(&text))
    }

    /// The variable's value as `parse` reads it; `Some(None)` when it is not set.
    pub(super) fn optional<T, E: Display>(
        &mut self,
        variable: &Variable,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<Option<T>> {
        match self.text(variable)? {
            Some(text) => self.problems.keep(variable, parse(&text)).map(Some),
            None => Some(None),
        }
    }

    fn text(&mut self, variable: &Variable) -> Option<Option<String>> {
        let text = (self.lookup)(variable.name);
        match (text, variable.unset) {
            (Some(text), _) if text.contains(char::REPLACEMENT_CHARACTER) => {
                self.problems.add(variable, "is not valid UTF-8");
                None
            }
            (Some(text), Unset::Refused | Unset::Default(_)) if text.is_empty() => {
                self.problems.add(variable, "is empty");
                None
            }
            (Some(text), _) if !text.is_empty() => Some(Some(text)),
            (None, Unset::Default(default)) => Some(Some(default.to_owned())),
            _ => Some(None),
        }
    }
}

/// A number from `least` to `most`.
pub(super) fn number<N: FromStr + PartialOrd + Copy>(
    least: N,
    most: N,
) -> impl FnOnce(&str) -> Result<N, &'static str> {
    move |text| {
        // `u16::from_str` takes a leading plus sign, which nobody means.
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        match text.parse::<N>() {
            Ok(number) if digits && (least..=most).contains(&number) => Ok(number),
            Ok(_) if digits => Err("is out of range"),
            _ => Err("is not a whole number in range"),
        }
    }
}

/// One of `choices`, letter by letter.
pub(super) fn choice<T: Copy>(
    choices: &'static [(&'static str, T)],
) -> impl FnOnce(&str) -> Result<T, &'static str> {
    move |text| {
        let found = choices.iter().find(|(name, _)| *name == text);
        found
            .map(|(_, value)| *value)
            .ok_or("is none of the known values")
    }
}

/// A text of visible ASCII characters.
pub(super) fn token(text: &str) -> Result<String, &'static str> {
    if text.bytes().all(|byte| byte.is_ascii_graphic()) {
        Ok(text.to_owned())
    } else {
        Err("has blanks, control characters or characters outside ASCII")
    }
}
