//! The files of a model.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use tenantry_domain::BoxError;

/// Why the model in the process cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LocalModelError {
    /// A file is not there.
    #[error("{} is not there: run `scripts/fetch-model {}`", .file.display(), folder(.file).display())]
    Missing {
        /// The file.
        file: PathBuf,
    },
    /// A file cannot be read.
    #[error("{} cannot be read", .file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file is damaged, or belongs to another kind of model.
    #[error("{} is not what all-MiniLM-L6-v2 needs: delete it and run `scripts/fetch-model {}`", .file.display(), folder(.file).display())]
    Unsuitable {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        #[source]
        source: BoxError,
    },
}

impl LocalModelError {
    pub(super) fn unsuitable(file: &Path, source: impl Into<BoxError>) -> Self {
        Self::Unsuitable {
            file: file.to_owned(),
            source: source.into(),
        }
    }
}

fn folder(file: &Path) -> &Path {
    file.parent().unwrap_or(file)
}

/// Reads a file that has to be there.
pub(super) fn read(file: &Path) -> Result<Vec<u8>, LocalModelError> {
    fs::read(file).map_err(|source| {
        let file = file.to_owned();
        match source.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => LocalModelError::Missing { file },
            _ => LocalModelError::Unreadable { file, source },
        }
    })
}

/// The SHA-256 of `bytes`, in lower-case hexadecimal.
pub(super) fn fingerprint(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .fold(String::with_capacity(64), |mut hex, byte| {
            // Writing to a string cannot fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_file_is_named_with_what_to_run() {
        let error = read(Path::new("/nowhere/minilm/model.onnx")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "/nowhere/minilm/model.onnx is not there: run `scripts/fetch-model /nowhere/minilm`"
        );
    }

    #[test]
    fn a_file_that_cannot_be_read_is_not_called_missing() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(
            read(folder.path()),
            Err(LocalModelError::Unreadable { .. })
        ));
    }

    #[test]
    fn a_fingerprint_is_the_sum_that_sha256sum_prints() {
        assert_eq!(
            fingerprint(b"abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }
}
