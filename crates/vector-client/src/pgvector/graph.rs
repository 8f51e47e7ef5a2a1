//! The graphs of large indexes: one HNSW index for each, over its own rows alone.
//!
//! A graph over several tenants would let one tenant's rows push another's out of the candidates, and let its size slow
//! another's search (<https://github.com/pgvector/pgvector#filtering>). A graph is built with `CREATE INDEX CONCURRENTLY`, so that
//! reads and writes go on, once the index is searched; until it is there, searches compare one by one.

use diesel::connection::SimpleConnection;
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Bool, Nullable, Text};
use tenantry_domain::{Dimension, TenantId};

use super::fault::Fault;

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
pub(super) fn build(conn: &mut PgConnection, target: &Target, memory_mb: u32) -> Result<(), Fault> {
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
pub(super) fn sweep(conn: &mut PgConnection) -> Result<(), Fault> {
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
}
