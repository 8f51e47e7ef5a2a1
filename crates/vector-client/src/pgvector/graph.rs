//! The graphs of large indexes: one HNSW index for each, over its own rows alone.
//!
//! A graph over several tenants would let one tenant's rows push another's out of the candidates, and let its size slow
//! another's search (<https://github.com/pgvector/pgvector#filtering>). A graph is built with `CREATE INDEX CONCURRENTLY`, so that
//! reads and writes go on, on a thread and a connection of its own; until it is there, searches compare one by one. One
//! graph of a database is built at a time, whichever server does it.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::dsl::sql;
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Bool, Nullable, Text};
use tenantry_domain::{Dimension, TenantId};

use super::connection::patient;
use super::fault::Fault;
use crate::VectorError;

/// How long to wait between two looks at whether another server has done building.
const PAUSE: Duration = Duration::from_secs(1);

/// One builder of a database. The number is this store's own: "pg graph" in ASCII.
const TRY_LOCK: &str = "pg_try_advisory_lock(8099005776321016936)";
const UNLOCK: &str = "SELECT pg_advisory_unlock(8099005776321016936)";

/// How embeddings of one dimension stand in a graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Form {
    pub(super) dimension: Dimension,
    kind: &'static str,
}

impl Form {
    /// Whole up to 2,000 numbers, in half precision up to 4,000, the most that HNSW takes
    /// (<https://github.com/pgvector/pgvector#hnsw>); longer ones are compared one by one.
    pub(super) fn of(dimension: Dimension) -> Option<Self> {
        let kind = match dimension.get() {
            ..=2_000 => "vector",
            2_001..=4_000 => "halfvec",
            _ => return None,
        };
        Some(Self { dimension, kind })
    }

    /// The type that the graph compares, as `vector(384)`.
    pub(super) fn cast(self) -> String {
        format!("{}({})", self.kind, self.dimension)
    }
}

/// An index that should have a graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) tenant: TenantId,
    pub(super) generation: i64,
    /// The index's number, after which the graph is named.
    pub(super) id: i64,
    pub(super) form: Form,
}

/// Builds graphs one after the other, and removes those of indexes that are gone.
#[derive(Debug)]
pub(super) struct Graphs {
    shared: Arc<Shared>,
}

struct Shared {
    url: String,
    memory_mb: u32,
    state: Mutex<State>,
    idle: Condvar,
}

#[derive(Debug, Default)]
struct State {
    queue: VecDeque<Task>,
    /// The indexes whose graph was asked for, so that each is asked for once.
    asked: HashSet<i64>,
    is_running: bool,
    is_closed: bool,
    failure: Option<VectorError>,
}

#[derive(Debug)]
enum Task {
    Build(Target),
    Sweep,
}

impl Graphs {
    pub(super) fn new(url: &str, memory_mb: u32) -> Self {
        let shared = Shared {
            url: url.to_owned(),
            memory_mb,
            state: Mutex::default(),
            idle: Condvar::new(),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// Has the graph built unless that was asked for before.
    pub(super) fn want(&self, target: Target) {
        let mut state = self.shared.lock();
        if state.asked.insert(target.id) {
            self.run(&mut state, Task::Build(target));
        }
    }

    /// Has the graphs of indexes that are gone removed.
    pub(super) fn sweep(&self) {
        let mut state = self.shared.lock();
        self.run(&mut state, Task::Sweep);
    }

    /// Waits until nothing is left to build, and tells what failed since the last time.
    pub(super) fn finish(&self) -> Result<(), VectorError> {
        let mut state = self.shared.lock();
        while state.is_running {
            state = self
                .shared
                .idle
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        state.failure.take().map_or(Ok(()), Err)
    }

    fn run(&self, state: &mut State, task: Task) {
        state.queue.push_back(task);
        if state.is_running {
            return;
        }
        let shared = self.shared.clone();
        let started = thread::Builder::new()
            .name("pgvector-graphs".into())
            .spawn(move || shared.work());
        match started {
            Ok(_) => state.is_running = true,
            // The next one to ask tries again.
            Err(error) => {
                state.queue.clear();
                state.asked.clear();
                state.failure = Some(VectorError::Unavailable(error.into()));
            }
        }
    }
}

impl Drop for Graphs {
    /// What is being built goes on; the rest is asked for again by the next server.
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.is_closed = true;
        state.queue.clear();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_closed(&self) -> bool {
        self.lock().is_closed
    }

    fn work(&self) {
        while let Some(task) = self.next() {
            let id = match &task {
                Task::Build(target) => Some(target.id),
                Task::Sweep => None,
            };
            if let Err(fault) = self.perform(task) {
                let error = VectorError::from(fault);
                let mut state = self.lock();
                // What may pass is asked for again; what the user may not do is not.
                if let Some(id) = id.filter(|_| error.is_transient()) {
                    state.asked.remove(&id);
                }
                state.failure = Some(error);
            }
        }
    }

    /// The next task; without one the thread ends.
    fn next(&self) -> Option<Task> {
        let mut state = self.lock();
        let task = state.queue.pop_front();
        if task.is_none() {
            state.is_running = false;
            self.idle.notify_all();
        }
        task
    }

    fn perform(&self, task: Task) -> Result<(), Fault> {
        let mut conn = patient(&self.url)?;
        // Not a lock that waits: building waits for every transaction that is open, and so for one that waits for the lock.
        while !diesel::select(sql::<Bool>(TRY_LOCK)).get_result::<bool>(&mut conn)? {
            if self.is_closed() {
                return Ok(());
            }
            thread::sleep(PAUSE);
        }
        let done = match task {
            Task::Build(target) => build(&mut conn, &target, self.memory_mb),
            Task::Sweep => sweep(&mut conn),
        };
        conn.batch_execute(UNLOCK)?;
        done
    }
}

impl std::fmt::Debug for Shared {
    /// Without the URL, which may have a password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared")
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

#[derive(QueryableByName)]
struct Begun {
    #[diesel(sql_type = Text)]
    tenant_id: String,
    #[diesel(sql_type = BigInt)]
    generation: i64,
    #[diesel(sql_type = BigInt)]
    index_id: i64,
}

#[derive(QueryableByName)]
struct Valid {
    #[diesel(sql_type = Nullable<Bool>)]
    valid: Option<bool>,
}

fn name(id: i64) -> String {
    format!("tenantry_vector_graph_{id}")
}

/// Builds the graph of `target`, unless it is there; one that was begun and not finished is begun again.
fn build(conn: &mut PgConnection, target: &Target, memory_mb: u32) -> Result<(), Fault> {
    sweep(conn)?;
    let name = name(target.id);
    match is_valid(conn, &name)? {
        Some(true) => return Ok(()),
        Some(false) => drop_graph(conn, &name)?,
        None => {}
    }
    if !exists(conn, target.tenant.as_str(), target.generation, target.id)? {
        return Ok(());
    }
    // First the row, so that no graph is ever without one.
    sql_query(
        "INSERT INTO tenantry_vector_graphs (tenant_id, generation, index_id) VALUES ($1, $2, $3)
         ON CONFLICT DO NOTHING",
    )
    .bind::<Text, _>(target.tenant.as_str())
    .bind::<BigInt, _>(target.generation)
    .bind::<BigInt, _>(target.id)
    .execute(conn)?;
    conn.batch_execute(&format!("SET maintenance_work_mem = '{memory_mb}MB'"))?;
    conn.batch_execute(&definition(target))?;
    Ok(())
}

/// The statement takes no bound values; a tenant's id has nothing in it that could end the quotes.
fn definition(target: &Target) -> String {
    let Target {
        tenant,
        generation,
        id,
        form,
    } = target;
    let (name, cast, kind) = (name(*id), form.cast(), form.kind);
    format!(
        "CREATE INDEX CONCURRENTLY {name} ON tenantry_vector_embeddings
         USING hnsw ((embedding::{cast}) {kind}_cosine_ops)
         WHERE tenant_id = '{tenant}' AND generation = {generation} AND dimension = {}",
        form.dimension
    )
}

/// Whether the graph can be used; `None` when there is none.
fn is_valid(conn: &mut PgConnection, name: &str) -> Result<Option<bool>, Fault> {
    let found =
        sql_query("SELECT (SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass($1)) AS valid")
            .bind::<Text, _>(name)
            .get_result::<Valid>(conn)?;
    Ok(found.valid)
}

/// Removes the graphs of indexes that are gone.
fn sweep(conn: &mut PgConnection) -> Result<(), Fault> {
    let begun = sql_query("SELECT tenant_id, generation, index_id FROM tenantry_vector_graphs")
        .load::<Begun>(conn)?;
    for graph in begun {
        if exists(conn, &graph.tenant_id, graph.generation, graph.index_id)? {
            continue;
        }
        drop_graph(conn, &name(graph.index_id))?;
        sql_query(
            "DELETE FROM tenantry_vector_graphs WHERE tenant_id = $1 AND generation = $2 AND index_id = $3",
        )
        .bind::<Text, _>(graph.tenant_id)
        .bind::<BigInt, _>(graph.generation)
        .bind::<BigInt, _>(graph.index_id)
        .execute(conn)?;
    }
    Ok(())
}

fn drop_graph(conn: &mut PgConnection, name: &str) -> Result<(), Fault> {
    Ok(conn.batch_execute(&format!("DROP INDEX CONCURRENTLY IF EXISTS {name}"))?)
}

/// Whether the index is still there; the owner of the tables too sees it only in its tenant's name.
fn exists(conn: &mut PgConnection, tenant: &str, generation: i64, id: i64) -> Result<bool, Fault> {
    conn.transaction(|conn| {
        sql_query("SELECT set_config('app.tenant_id', $1, true)")
            .bind::<Text, _>(tenant)
            .execute(conn)?;
        let found = sql_query(
            "SELECT EXISTS (SELECT FROM tenantry_vector_indexes
                 WHERE tenant_id = $1 AND generation = $2 AND id = $3) AS valid",
        )
        .bind::<Text, _>(tenant)
        .bind::<BigInt, _>(generation)
        .bind::<BigInt, _>(id)
        .get_result::<Valid>(conn)?;
        Ok(found.valid.unwrap_or(false))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cast(dimension: usize) -> Option<String> {
        Form::of(Dimension::new(dimension).unwrap()).map(Form::cast)
    }

    #[test]
    fn long_embeddings_stand_in_half_precision_and_the_longest_in_no_graph() {
        assert_eq!(cast(384).as_deref(), Some("vector(384)"));
        assert_eq!(cast(2_000).as_deref(), Some("vector(2000)"));
        assert_eq!(cast(3_072).as_deref(), Some("halfvec(3072)"));
        assert_eq!(cast(4_001), None);
    }

    #[test]
    fn a_graph_has_the_rows_of_one_index_alone() {
        let target = Target {
            tenant: "acme-eu".parse().unwrap(),
            generation: 2,
            id: 7,
            form: Form::of(Dimension::new(3).unwrap()).unwrap(),
        };
        let definition = definition(&target);
        assert!(definition.contains("WHERE tenant_id = 'acme-eu' AND generation = 2 AND dimension = 3"));
        assert!(definition.contains("tenantry_vector_graph_7"));
    }

    #[test]
    fn the_url_is_not_told() {
        let graphs = Graphs::new("postgres://u:hunter2@127.0.0.1/x", 1);
        assert!(!format!("{graphs:?}").contains("hunter2"));
    }
}
