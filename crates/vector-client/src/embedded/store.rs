use std::path::{Path, PathBuf};
use std::{fs, io};

use tenantry_domain::{BoxError, DocumentId, TenantScope};

use super::files::Files;
use super::options::EmbeddedOptions;
use super::{extension, read, schema, write};
use crate::store::collection_dimension;
use crate::{IndexedChunk, Match, VectorError, VectorQuery, VectorStore};

/// Keeps each tenant's chunks in one SQLite file and finds them by words (FTS5's BM25) and by embedding (sqlite-vec),
/// fused into one ranking.
///
/// A file is made by the first write, for its owner alone, and erasing a tenant removes it. Several processes may search
/// and write one folder; they must not clear a tenant that another one is writing.
#[derive(Debug)]
pub struct EmbeddedVectorStore {
    files: Files,
    options: EmbeddedOptions,
}

impl EmbeddedVectorStore {
    /// A store in `folder`, which is made, for its owner alone, where it is missing.
    ///
    /// # Errors
    /// [`VectorError::Unavailable`] when the folder cannot be made or its name is not UTF-8.
    pub fn open(folder: &Path, options: EmbeddedOptions) -> Result<Self, VectorError> {
        extension::register().map_err(VectorError::Unavailable)?;
        let folder = prepare(folder).map_err(|error| VectorError::Unavailable(error.into()))?;
        let files = Files::new(folder, options.busy_timeout, options.open_files);
        Ok(Self { files, options })
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the vector folder {} cannot be used", folder.display())]
struct FolderError {
    folder: PathBuf,
    source: BoxError,
}

fn prepare(folder: &Path) -> Result<PathBuf, FolderError> {
    let failure = |source: BoxError| FolderError {
        folder: folder.to_owned(),
        source,
    };
    make_private(folder).map_err(|error| failure(error.into()))?;
    let absolute = std::path::absolute(folder).map_err(|error| failure(error.into()))?;
    if absolute.to_str().is_none() {
        return Err(failure("its name is not UTF-8".into()));
    }
    Ok(absolute)
}

fn make_private(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

impl VectorStore for EmbeddedVectorStore {
    fn upsert(&self, scope: &TenantScope, chunks: &[IndexedChunk]) -> Result<(), VectorError> {
        // Before a file is made for chunks that cannot be stored.
        collection_dimension(None, chunks)?;
        if chunks.is_empty() {
            return Ok(());
        }
        let stored = self
            .files
            .of(scope.id())
            .and_then(|file| file.write(true, |conn| write::upsert(conn, chunks)));
        stored.map(drop).map_err(|fault| fault.of_tenant(scope.id()))
    }

    fn search(&self, scope: &TenantScope, query: VectorQuery<'_>) -> Result<Vec<Match>, VectorError> {
        let file = self.files.of(scope.id());
        let found = file.and_then(|file| file.read(|conn| read::search(conn, query, &self.options)));
        found
            .map(Option::unwrap_or_default)
            .map_err(|fault| fault.of_tenant(scope.id()))
    }

    fn remove_document(&self, scope: &TenantScope, document: DocumentId) -> Result<(), VectorError> {
        let file = self.files.of(scope.id());
        let removed = file.and_then(|file| file.write(false, |conn| write::remove_document(conn, document)));
        removed.map(drop).map_err(|fault| fault.of_tenant(scope.id()))
    }

    fn clear(&self, scope: &TenantScope) -> Result<(), VectorError> {
        let removed = self.files.of(scope.id()).and_then(|file| file.remove());
        removed.map_err(|fault| fault.of_tenant(scope.id()))
    }

    fn count(&self, scope: &TenantScope) -> Result<u64, VectorError> {
        let counted = self
            .files
            .of(scope.id())
            .and_then(|file| file.read(schema::count));
        counted
            .map(Option::unwrap_or_default)
            .map_err(|fault| fault.of_tenant(scope.id()))
    }
}
