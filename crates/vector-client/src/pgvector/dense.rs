//! The dense ranking: one by one, or through the index's graph.

use diesel::connection::SimpleConnection;
use diesel::pg::PgConnection;
use diesel::sql_types::BigInt;
use tenantry_domain::Embedding;

use super::fault::Fault;
use super::graph::Form;
use super::read::{Place, Search, ranking};
use super::vector::{Floats, Vector};

/// The most that `hnsw.ef_search` takes; the scan goes on past it.
const MAX_EF: i64 = 1_000;

/// How many a graph looks at for the smallest search.
const MIN_EF: i64 = 100;

/// The nearest by cosine, best first.
pub(super) fn nearest(
    conn: &mut PgConnection,
    search: &Search<'_>,
    wanted: &Embedding,
) -> Result<Vec<(Place, f32)>, Fault> {
    let form = Form::of(wanted.dimension()).filter(|_| search.facts.has_graph && search.passing.is_many());
    let Some(form) = form else {
        return ranked(
            conn,
            search,
            wanted,
            "e.embedding <=> $3, e.version_id, e.ordinal",
            None,
        );
    };
    // The plan by the graph is the only one that sorts nothing. The order is put right afterwards, so the scan may go on in a
    // relaxed one, which loses fewer (<https://github.com/pgvector/pgvector#iterative-index-scans>).
    let ef_search = search.candidates.clamp(MIN_EF, MAX_EF);
    conn.batch_execute(&format!(
        "SET LOCAL hnsw.ef_search = {ef_search}; SET LOCAL hnsw.iterative_scan = relaxed_order;
         SET LOCAL hnsw.max_scan_tuples = 100000; SET LOCAL enable_sort = off"
    ))?;
    let cast = form.cast();
    let order = format!("e.embedding::{cast} <=> $3::{cast}");
    let found = ranked(conn, search, wanted, &order, Some(&form))?;
    conn.batch_execute("SET LOCAL enable_sort = on")?;
    Ok(found)
}

fn ranked(
    conn: &mut PgConnection,
    search: &Search<'_>,
    wanted: &Embedding,
    order: &str,
    graph: Option<&Form>,
) -> Result<Vec<(Place, f32)>, Fault> {
    // A graph is found by its condition, which names the dimension.
    let dimension = graph.map_or_else(String::new, |form| {
        format!("AND e.dimension = {}", form.dimension)
    });
    let passing = search.passing.condition("e.version_id", 5);
    let best = format!(
        "SELECT e.version_id, e.ordinal, 1 - (e.embedding <=> $3) AS score FROM tenantry_vector_embeddings AS e
         WHERE e.tenant_id = $1 AND e.generation = $2 {dimension} {passing} ORDER BY {order} LIMIT $4"
    );
    ranking(conn, search, &best, |query| {
        query
            .bind::<Vector, _>(Floats(wanted.clone()))
            .bind::<BigInt, _>(search.candidates)
    })
}
