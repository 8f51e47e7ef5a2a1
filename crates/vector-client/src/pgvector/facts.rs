use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Bool, Integer, Nullable, Text};
use tenantry_domain::{Dimension, IndexScope};

use super::fault::Fault;

/// Which index: the first two columns of every key, and the first two values that every statement binds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Key<'s> {
    pub(super) tenant: &'s str,
    pub(super) generation: i64,
}

impl<'s> From<IndexScope<'s>> for Key<'s> {
    fn from(index: IndexScope<'s>) -> Self {
        Self {
            tenant: index.tenant().id().as_str(),
            generation: i64::from(index.generation().get()),
        }
    }
}

/// What is known of an index as a whole.
#[derive(Debug, Clone, Copy)]
pub(super) struct Facts {
    /// Its number, never given twice.
    pub(super) id: i64,
    /// Its embeddings' dimension; `None` before the first.
    pub(super) dimension: Option<Dimension>,
    /// How many chunks it has.
    pub(super) chunks: i64,
    /// How many words these have together.
    pub(super) words: i64,
    /// Whether its graph is built.
    pub(super) has_graph: bool,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Nullable<Integer>)]
    dimension: Option<i32>,
    #[diesel(sql_type = BigInt)]
    chunks: i64,
    #[diesel(sql_type = BigInt)]
    words: i64,
    #[diesel(sql_type = Bool)]
    has_graph: bool,
}

impl Facts {
    /// `None` for an index that was never written.
    pub(super) fn load(conn: &mut PgConnection, key: Key<'_>) -> Result<Option<Self>, Fault> {
        Self::select(conn, key, "")
    }

    /// As [`Facts::load`], and keeps the index from being cleared until the transaction ends.
    pub(super) fn hold(conn: &mut PgConnection, key: Key<'_>) -> Result<Option<Self>, Fault> {
        Self::select(conn, key, "FOR KEY SHARE OF i")
    }

    fn select(conn: &mut PgConnection, key: Key<'_>, lock: &str) -> Result<Option<Self>, Fault> {
        let row = sql_query(format!(
            "SELECT i.id, i.dimension, i.chunks, i.words, coalesce((
                 SELECT g.indisvalid FROM pg_index AS g
                 WHERE g.indexrelid = to_regclass('tenantry_vector_graph_' || i.id)
             ), false) AS has_graph
             FROM tenantry_vector_indexes AS i WHERE i.tenant_id = $1 AND i.generation = $2 {lock}"
        ))
        .bind::<Text, _>(key.tenant)
        .bind::<BigInt, _>(key.generation)
        .get_result::<Row>(conn)
        .optional()?;
        row.map(Self::try_from).transpose()
    }

    /// Adds to what is counted of a version and of its index. It is the last statement of a transaction: the index's row is
    /// every writer's, and stays locked until the transaction ends.
    pub(super) fn add(
        conn: &mut PgConnection,
        key: Key<'_>,
        version: i64,
        chunks: i64,
        words: i64,
    ) -> Result<(), Fault> {
        sql_query(
            "WITH of_version AS (
                 UPDATE tenantry_vector_versions SET chunks = chunks + $4
                 WHERE tenant_id = $1 AND generation = $2 AND id = $3
             )
             UPDATE tenantry_vector_indexes SET chunks = chunks + $4, words = words + $5
             WHERE tenant_id = $1 AND generation = $2",
        )
        .bind::<Text, _>(key.tenant)
        .bind::<BigInt, _>(key.generation)
        .bind::<BigInt, _>(version)
        .bind::<BigInt, _>(chunks)
        .bind::<BigInt, _>(words)
        .execute(conn)?;
        Ok(())
    }
}

impl TryFrom<Row> for Facts {
    type Error = Fault;

    fn try_from(row: Row) -> Result<Self, Fault> {
        let dimension = row.dimension.map(|dimension| {
            let dimension = usize::try_from(dimension).map_err(|_| Fault::out_of_range("dimension"))?;
            Dimension::new(dimension).map_err(|_| Fault::out_of_range("dimension"))
        });
        Ok(Self {
            id: row.id,
            dimension: dimension.transpose()?,
            chunks: row.chunks,
            words: row.words,
            has_graph: row.has_graph,
        })
    }
}
