use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

use diesel::SqliteConnection;
use tenantry_domain::{BoxError, ChunkHash, DocumentId, DocumentVersion, Embedding, IndexScope, Metadata};

use super::fault::Fault;
use super::files::Files;
use super::options::EmbeddedOptions;
use super::{extension, load, read, schema, write};
use crate::store::index_dimension;
use crate::{IndexedChunk, Match, StoredVersion, VectorError, VectorQuery, VectorStore};

/// Keeps each index of each tenant in one SQLite file and finds its chunks by words (FTS5's BM25) and by embedding
/// (sqlite-vec), fused into one ranking.
///
/// A file is made by the first write, for its owner alone, and clearing the index removes it. Several processes may search
/// and write one folder; they must not clear an index that another one is writing. A file of the version before is changed
/// into one of this version when it is first used.
#[derive(Debug)]
pub struct EmbeddedVectorStore {
    files: Files,
    rescored: u32,
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
        let rescored = options.rescored;
        Ok(Self { files, rescored })
    }

    /// Runs `work` in a read transaction; gives nothing when there is no file.
    fn read<T: Default>(
        &self,
        index: IndexScope<'_>,
        work: impl Fn(&mut SqliteConnection) -> Result<T, Fault>,
    ) -> Result<T, VectorError> {
        let read = || {
            let file = self.files.of(index)?;
            match file.read(&work) {
                Err(Fault::Former) => {
                    file.write(false, schema::bring_up_to_date)?;
                    file.read(&work)
                }
                answer => answer,
            }
        };
        read()
            .map(Option::unwrap_or_default)
            .map_err(|fault| fault.of_tenant(index.tenant().id()))
    }

    /// Runs `work` in a write transaction, if there is a file or one is to be made.
    fn write(
        &self,
        index: IndexScope<'_>,
        create: bool,
        work: impl FnOnce(&mut SqliteConnection) -> Result<(), Fault>,
    ) -> Result<(), VectorError> {
        let file = self.files.of(index);
        let written = file.and_then(|file| file.write(create, work));
        written
            .map(drop)
            .map_err(|fault| fault.of_tenant(index.tenant().id()))
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
    fn upsert(
        &self,
        index: IndexScope<'_>,
        of: DocumentVersion,
        metadata: &Metadata,
        chunks: &[IndexedChunk],
    ) -> Result<(), VectorError> {
        // Before a file is made for chunks that cannot be stored.
        index_dimension(None, chunks)?;
        if chunks.is_empty() {
            return Ok(());
        }
        self.write(index, true, |conn| write::upsert(conn, of, metadata, chunks))
    }

    fn search(&self, index: IndexScope<'_>, query: VectorQuery<'_>) -> Result<Vec<Match>, VectorError> {
        self.read(index, |conn| read::search(conn, query, self.rescored))
    }

    fn embeddings(
        &self,
        index: IndexScope<'_>,
        document: DocumentId,
        hashes: &[ChunkHash],
    ) -> Result<HashMap<ChunkHash, Embedding>, VectorError> {
        self.read(index, |conn| load::embeddings(conn, document, hashes))
    }

    fn remove(
        &self,
        index: IndexScope<'_>,
        document: DocumentId,
        keep: Option<u32>,
    ) -> Result<(), VectorError> {
        self.write(index, false, |conn| write::remove(conn, document, keep))
    }

    fn clear(&self, index: IndexScope<'_>) -> Result<(), VectorError> {
        let removed = self.files.of(index).and_then(|file| file.remove());
        removed.map_err(|fault| fault.of_tenant(index.tenant().id()))
    }

    fn count(&self, index: IndexScope<'_>) -> Result<u64, VectorError> {
        self.read(index, load::count)
    }

    fn contents(&self, index: IndexScope<'_>) -> Result<Vec<StoredVersion>, VectorError> {
        self.read(index, load::contents)
    }
}
