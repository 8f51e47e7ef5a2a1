use std::fmt;

use super::Variable;

/// A variable that is wrong: its name and what was expected, never its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The variable.
    pub variable: &'static str,
    /// What is wrong with it, to be read after the name.
    pub reason: String,
    /// What was expected.
    pub expected: &'static str,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}; expected {}", self.variable, self.reason, self.expected)
    }
}

/// All that is wrong with the environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    problems: Vec<Problem>,
}

impl ConfigError {
    /// What is wrong, in the order in which the variables are documented.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the configuration cannot be used")?;
        for problem in &self.problems {
            write!(f, "\n  {problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}

/// Gathers what is wrong, so that all of it is told at once.
#[derive(Debug, Default)]
pub(super) struct Problems(Vec<Problem>);

impl Problems {
    pub(super) fn add(&mut self, variable: &Variable, reason: impl Into<String>) {
        self.0.push(Problem {
            variable: variable.name,
            reason: reason.into(),
            expected: variable.expected,
        });
    }

    /// The value, or nothing and a problem.
    pub(super) fn keep<T, E: fmt::Display>(&mut self, variable: &Variable, value: Result<T, E>) -> Option<T> {
        value.map_err(|error| self.add(variable, error.to_string())).ok()
    }

    /// What `value` holds when nothing was wrong.
    pub(super) fn finish<T>(self, value: Option<T>) -> Result<T, ConfigError> {
        match value {
            Some(value) if self.0.is_empty() => Ok(value),
            _ => Err(ConfigError { problems: self.0 }),
        }
    }
}
