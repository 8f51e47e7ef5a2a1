use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};
use tenantry_crypto::generate_secret_key;

use super::samples::{SAMPLES, SUPERUSER_PASSWORD};
use crate::cli::Failure;
use crate::config::EnvFile;

/// Hexadecimal digits of a password: 96 random bits.
const PASSWORD_DIGITS: usize = 24;

/// The folder that a quickstart lives in, and the variables in its file `.env`.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    variables: EnvFile,
    fresh: bool,
}

impl Folder {
    /// Opens the folder; one that is new gets fresh keys and passwords, for the user's eyes alone.
    pub(super) fn open(path: &Path) -> Result<Self, Failure> {
        let cannot = |what: &str, error: &io::Error| {
            Failure::new(format!("cannot {what} {}: {error}", path.display()))
        };
        make(path).map_err(|error| cannot("make the folder", &error))?;
        let path = fs::canonicalize(path).map_err(|error| cannot("find the folder", &error))?;
        let file = path.join(".env");
        let fresh = match private(&file) {
            Ok(mut created) => {
                created.write_all(contents(&path)?.expose_secret().as_bytes())?;
                created.sync_all()?;
                true
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => false,
            Err(error) => return Err(cannot("write into", &error)),
        };
        let variables = EnvFile::read(&file)?;
        let folder = Self {
            path,
            variables,
            fresh,
        };
        for name in ["SECRET_KEY", "JWT_SECRET_KEY"].into_iter().chain(passwords()) {
            folder.password(name)?;
        }
        Ok(folder)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the folder was made just now.
    pub(super) fn is_fresh(&self) -> bool {
        self.fresh
    }

    /// A variable as the folder sets it; the paths follow the folder when it was moved.
    pub(super) fn variable(&self, name: &str) -> Option<String> {
        match name {
            "DATABASE_URL" => Some(database_url(&self.path)),
            "DATA_DIR" => Some(self.path.display().to_string()),
            _ => self.variables.get(name).map(str::to_owned),
        }
    }

    /// A secret of the folder's file.
    pub(super) fn password(&self, name: &str) -> Result<SecretString, Failure> {
        let value = self.variables.get(name).filter(|value| !value.is_empty());
        value.map(SecretString::from).ok_or_else(|| {
            let message = format!("{} lacks {name}", self.path.join(".env").display());
            Failure::new(message).hint("name another folder with --dir, or remove this one to start again")
        })
    }
}

fn passwords() -> impl Iterator<Item = &'static str> {
    std::iter::once(SUPERUSER_PASSWORD).chain(SAMPLES.iter().map(|sample| sample.password))
}

fn make(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// A new file that its owner alone may read; an existing one is left as it is.
fn private(path: &Path) -> io::Result<fs::File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn database_url(folder: &Path) -> String {
    format!("sqlite://{}", folder.join("tenantry.db").display())
}

fn contents(folder: &Path) -> Result<SecretString, Failure> {
    let mut lines = vec![
        "# Made by `tenantry quickstart`: keys and passwords, for your eyes alone.".to_owned(),
        format!("SECRET_KEY={}", generate_secret_key()?.expose_secret()),
        format!("JWT_SECRET_KEY={}", generate_secret_key()?.expose_secret()),
        format!("DATABASE_URL={}", database_url(folder)),
        format!("DATA_DIR={}", folder.display()),
        "# The log-ins that it made; the server does not read them.".to_owned(),
    ];
    for name in passwords() {
        let random = generate_secret_key()?;
        let digits = random.expose_secret().get(..PASSWORD_DIGITS).unwrap_or_default();
        lines.push(format!("{name}={digits}"));
    }
    lines.push(String::new());
    Ok(lines.join("\n").into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_opening_finds_the_same_keys() {
        let parent = tempfile::tempdir().unwrap();
        let at = parent.path().join("a").join("b");
        let first = Folder::open(&at).unwrap();
        let second = Folder::open(&at).unwrap();
        assert!(first.is_fresh() && !second.is_fresh());
        for name in ["SECRET_KEY", "JWT_SECRET_KEY", SUPERUSER_PASSWORD] {
            assert_eq!(first.variable(name), second.variable(name), "{name}");
            assert!(
                first
                    .variable(name)
                    .is_some_and(|value| value.len() >= PASSWORD_DIGITS),
                "{name}"
            );
        }
    }

    #[cfg(unix)]
    #[test]
    fn folder_and_file_are_the_owners_alone() {
        use std::os::unix::fs::PermissionsExt;

        let parent = tempfile::tempdir().unwrap();
        let folder = Folder::open(&parent.path().join("q")).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(folder.path()), 0o700);
        assert_eq!(mode(&folder.path().join(".env")), 0o600);
    }

    #[test]
    fn a_foreign_file_is_neither_used_nor_overwritten() {
        let parent = tempfile::tempdir().unwrap();
        fs::write(parent.path().join(".env"), "SECRET_KEY=mine\n").unwrap();
        assert!(Folder::open(parent.path()).is_err());
        assert_eq!(
            fs::read_to_string(parent.path().join(".env")).unwrap(),
            "SECRET_KEY=mine\n"
        );
    }
}
