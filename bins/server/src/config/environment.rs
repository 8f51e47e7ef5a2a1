use std::fmt;

use super::EnvFile;

/// Where variables are looked up: the process's environment first, then a file.
pub struct Environment {
    process: fn(&str) -> Option<String>,
    file: Option<EnvFile>,
}

impl Environment {
    /// The variables that `process` knows, and no others.
    pub fn new(process: fn(&str) -> Option<String>) -> Self {
        Self { process, file: None }
    }

    /// Looks up in `file` what the process's environment lacks.
    #[must_use]
    pub fn with_file(mut self, file: EnvFile) -> Self {
        self.file = Some(file);
        self
    }

    /// The value of a variable.
    pub fn get(&self, name: &str) -> Option<String> {
        let from_file = || self.file.as_ref()?.get(name).map(str::to_owned);
        (self.process)(name).or_else(from_file)
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Environment")
            .field("file", &self.file)
            .finish_non_exhaustive()
    }
}
