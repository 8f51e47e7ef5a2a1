use std::collections::HashMap;
use std::fmt;

use diesel::Connection;
use diesel::pg::PgConnection;
use diesel::r2d2::{ConnectionManager, PooledConnection};
use tenantry_domain::{ChunkHash, DocumentId, DocumentVersion, Embedding, IndexScope, Metadata};

use super::builder::Graphs;
use super::connection::{self, PgPool, patient};
use super::facts::{Facts, Key};
use super::fault::Fault;
use super::graph::{Form, Target};
use super::guard::Guard;
use super::options::PgVectorOptions;
use super::passing::Passing;
use super::read::{self, Search};
use super::{erase, schema, stored, write};
use crate::store::index_dimension;
use crate::{IndexedChunk, Match, StoredVersion, VectorError, VectorQuery, VectorStore, fusion};

/// The most numbers that a `vector` has (<https://github.com/pgvector/pgvector#vector-type>).
const MAX_DIMENSION: usize = 16_000;

/// Keeps every tenant's chunks in the tenant's rows of a PostgreSQL database with pgvector, 0.8.0 or later.
///
/// Each operation runs in a transaction of its own that is bound to one tenant by row-level security. A server that reads this
/// database through a pooler needs one that keeps sessions apart: each has limits of its own.
pub struct PgVectorStore {
    pool: PgPool,
    guard: Guard,
    graphs: Graphs,
    options: PgVectorOptions,
}

impl PgVectorStore {
    /// Opens the database at `url`, `postgres://user@host/name`, and makes the tables and the extension where they are missing.
    /// Any number of servers may do so at once.
    ///
    /// # Errors
    /// [`VectorError::Unavailable`] when the server cannot be reached; [`VectorError::Refused`] when it has no pgvector, an old
    /// one, or the user may not make what is missing: the source says what to do.
    pub fn open(url: &str, options: PgVectorOptions) -> Result<Self, VectorError> {
        let mut conn = patient(url).map_err(|error| VectorError::Unavailable(error.into()))?;
        schema::prepare(&mut conn)?;
        let guard = Guard::find(&mut conn).map_err(|error| VectorError::from(Fault::Sql(error)))?;
        Ok(Self {
            pool: connection::pool(url, &options),
            guard,
            graphs: Graphs::new(url, options.build_memory_mb),
            options,
        })
    }

    /// Why the database itself does not keep tenants apart, in words for the operator; `None` when it does. Every statement
    /// names its tenant all the same.
    pub fn unguarded_because(&self) -> Option<&str> {
        self.guard.open_because.as_deref()
    }

    /// Waits until the graphs are built that this store has begun: the first search of a large index begins its graph.
    ///
    /// # Errors
    /// When one could not be, since the last call; searches go on without it, only slower.
    pub fn finish_graphs(&self) -> Result<(), VectorError> {
        self.graphs.finish()
    }

    /// Takes what kept a graph from being built since the last call, for the operator to know why searches are slow.
    pub fn graph_failure(&self) -> Option<VectorError> {
        self.graphs.failure()
    }

    fn connection(&self) -> Result<PooledConnection<ConnectionManager<PgConnection>>, VectorError> {
        self.pool
            .get()
            .map_err(|error| VectorError::Unavailable(error.into()))
    }

    /// Runs `work` in a transaction that sees one state of the tenant's rows and changes nothing.
    fn read<T>(
        &self,
        index: IndexScope<'_>,
        work: impl FnOnce(&mut PgConnection) -> Result<T, Fault>,
    ) -> Result<T, VectorError> {
        let mut conn = self.connection()?;
        let done = conn
            .build_transaction()
            .repeatable_read()
            .read_only()
            .run(|conn| {
                self.guard.enter(conn, index.tenant().id())?;
                work(conn)
            });
        done.map_err(|fault: Fault| fault.into())
    }

    /// Runs `work` in a transaction that may change the tenant's rows.
    fn write<T>(
        &self,
        index: IndexScope<'_>,
        work: impl FnOnce(&mut PgConnection) -> Result<T, Fault>,
    ) -> Result<T, VectorError> {
        let mut conn = self.connection()?;
        let done = conn.transaction(|conn| {
            self.guard.enter(conn, index.tenant().id())?;
            work(conn)
        });
        done.map_err(|fault: Fault| fault.into())
    }

    /// Has a graph built for an index that has grown too large for comparing one by one. Searches ask for it and writes do
    /// not: a large load is several times faster before there is a graph than after.
    fn tend(&self, index: IndexScope<'_>, facts: &Facts) {
        let form = facts.dimension.and_then(Form::of);
        let is_large = facts.chunks > i64::from(self.options.exact_up_to);
        if let Some(form) = form.filter(|_| is_large && !facts.has_graph) {
            self.graphs.want(Target {
                tenant: index.tenant().id().clone(),
                generation: i64::from(index.generation().get()),
                id: facts.id,
                form,
            });
        }
    }
}

impl VectorStore for PgVectorStore {
    fn upsert(
        &self,
        index: IndexScope<'_>,
        of: DocumentVersion,
        metadata: &Metadata,
        chunks: &[IndexedChunk],
    ) -> Result<(), VectorError> {
        if let Some(dimension) = index_dimension(None, chunks)?.filter(|given| given.get() > MAX_DIMENSION) {
            let problem =
                format!("pgvector keeps vectors of up to {MAX_DIMENSION} numbers, these have {dimension}");
            return Err(VectorError::Refused(problem.into()));
        }
        for batch in write::distinct(chunks).chunks(write::BATCH) {
            self.write(index, |conn| {
                write::upsert(conn, index.into(), of, metadata, batch)
            })?;
        }
        Ok(())
    }

    fn search(&self, index: IndexScope<'_>, query: VectorQuery<'_>) -> Result<Vec<Match>, VectorError> {
        let found = self.read(index, |conn| {
            let key = Key::from(index);
            let Some(facts) = Facts::load(conn, key)? else {
                return Ok(None);
            };
            let search = Search {
                key,
                facts,
                query,
                passing: Passing::of(conn, key, query.filter, i64::from(self.options.exact_up_to))?,
                candidates: i64::try_from(fusion::candidates(query.limit)).unwrap_or(i64::MAX),
            };
            Ok(Some((facts, read::search(conn, &search)?)))
        })?;
        let Some((facts, matches)) = found else {
            return Ok(Vec::new());
        };
        self.tend(index, &facts);
        Ok(matches)
    }

    fn embeddings(
        &self,
        index: IndexScope<'_>,
        document: DocumentId,
        hashes: &[ChunkHash],
    ) -> Result<HashMap<ChunkHash, Embedding>, VectorError> {
        self.read(index, |conn| {
            stored::embeddings(conn, index.into(), document, hashes)
        })
    }

    fn remove(
        &self,
        index: IndexScope<'_>,
        document: DocumentId,
        keep: Option<u32>,
    ) -> Result<(), VectorError> {
        while self.write(index, |conn| {
            erase::remove_some(conn, index.into(), document, keep)
        })? {}
        Ok(())
    }

    fn clear(&self, index: IndexScope<'_>) -> Result<(), VectorError> {
        let key = Key::from(index);
        let facts = self.read(index, |conn| Facts::load(conn, key))?;
        let Some(facts) = facts else { return Ok(()) };
        while self.write(index, |conn| erase::clear_some(conn, key))? {}
        self.write(index, |conn| erase::clear_rest(conn, key))?;
        if facts.has_graph {
            self.graphs.sweep();
        }
        Ok(())
    }

    fn count(&self, index: IndexScope<'_>) -> Result<u64, VectorError> {
        let facts = self.read(index, |conn| Facts::load(conn, index.into()))?;
        let chunks = facts.map_or(0, |facts| facts.chunks);
        u64::try_from(chunks).map_err(|_| Fault::out_of_range("count").into())
    }

    fn contents(&self, index: IndexScope<'_>) -> Result<Vec<StoredVersion>, VectorError> {
        self.read(index, |conn| stored::contents(conn, index.into()))
    }
}

impl fmt::Debug for PgVectorStore {
    /// Without the URL, which may have a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PgVectorStore")
            .field("pool", &self.pool.state())
            .field("guard", &self.guard)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}
