use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::{fmt, fs, io};

/// Variables from a file of `NAME=value` lines; blank lines and lines that begin with `#` mean nothing.
///
/// A value is taken as it stands, without quoting or expansion, as `docker run --env-file` does.
#[derive(Clone, Default)]
pub struct EnvFile(HashMap<String, String>);

/// Why a file of variables was not read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EnvFileError {
    /// The file cannot be read.
    #[error("cannot read {}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A line is not `NAME=value`.
    #[error("line {line} of {} is not NAME=value", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
    },
}

impl EnvFile {
    /// Reads a file.
    ///
    /// # Errors
    /// When it cannot be read, is not UTF-8, or has a line that is none of the three kinds.
    pub fn read(path: &Path) -> Result<Self, EnvFileError> {
        let text = fs::read_to_string(path).map_err(|source| EnvFileError::Unreadable {
            path: path.to_owned(),
            source,
        })?;
        Self::parse(&text).map_err(|line| EnvFileError::Malformed {
            path: path.to_owned(),
            line,
        })
    }

    /// The value of a variable.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    fn parse(text: &str) -> Result<Self, usize> {
        let mut values = HashMap::new();
        for (line, number) in text.lines().zip(1..) {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (name, value) = line.split_once('=').ok_or(number)?;
            let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
            if name.is_empty() || !name.chars().all(is_name) {
                return Err(number);
            }
            values.insert(name.to_owned(), value.to_owned());
        }
        Ok(Self(values))
    }
}

impl fmt::Debug for EnvFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_variable_a_comment_or_blank() {
        let file = EnvFile::parse("# keys\n\nA=1\r\n  B_2=x=y #z\nEMPTY=\n").unwrap();
        assert_eq!(file.get("A"), Some("1"));
        assert_eq!(file.get("B_2"), Some("x=y #z"));
        assert_eq!(file.get("EMPTY"), Some(""));
        assert_eq!(file.get("C"), None);
        for (text, line) in [("A", 1), ("A=1\nexport B=2", 2), ("=x", 1), ("A B=1", 1)] {
            assert_eq!(EnvFile::parse(text).unwrap_err(), line, "{text}");
        }
    }

    #[test]
    fn debug_shows_names_and_no_values() {
        let file = EnvFile::parse("SECRET_KEY=hunter2").unwrap();
        assert_eq!(format!("{file:?}"), r#"{"SECRET_KEY"}"#);
    }
}
