//! What holds on a PostgreSQL server with pgvector, which `scripts/with-pgvector` starts for the tests.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a failed step fails the test")]

#[path = "pgvector/database.rs"]
mod database;
#[path = "pgvector/filters.rs"]
mod filters;
#[path = "pgvector/graphs.rs"]
mod graphs;
#[path = "pgvector/isolation.rs"]
mod isolation;
#[path = "pgvector/outages.rs"]
mod outages;
#[path = "pgvector/ranking.rs"]
mod ranking;
#[path = "pgvector/setup.rs"]
mod setup;

use tenantry_domain::{Embedding, Generation, Metadata, TenantScope, TopK};
use tenantry_vector_client::conformance::{self, Capabilities, chunk, version};
use tenantry_vector_client::{IndexedChunk, Match, PgVectorOptions, PgVectorStore, VectorQuery, VectorStore};

use database::Database;

#[test]
fn it_keeps_the_promises_of_a_vector_store() {
    let database = Database::create();
    conformance::vector_store(&database.store(), Capabilities::HYBRID);
}

#[test]
fn it_keeps_them_when_every_index_has_a_graph() {
    let database = Database::create();
    let options = PgVectorOptions {
        exact_up_to: 0,
        ..PgVectorOptions::default()
    };
    let store = database.store_with(None, options);
    conformance::vector_store(&store, Capabilities::HYBRID);
    store.finish_graphs().unwrap();
}

#[test]
fn no_tenant_sees_anothers_chunks_whatever_is_asked() {
    let database = Database::create();
    let store = database.store();
    for seed in 1..=3 {
        conformance::isolation(&store, Capabilities::HYBRID, seed, 200);
    }
}

/// Writes `chunks` into the tenant's first index, in a version of a document of their own.
fn put(store: &PgVectorStore, tenant: &TenantScope, document: u8, chunks: &[IndexedChunk]) {
    store
        .upsert(
            tenant.index(Generation::FIRST),
            version(document, 1),
            &Metadata::default(),
            chunks,
        )
        .unwrap();
}

/// `many` chunks of one word each, whose embeddings stand around a circle.
fn circle(many: u16) -> Vec<IndexedChunk> {
    let chunks = (0..many).map(|n| {
        let angle = f32::from(n) / f32::from(many) * std::f32::consts::TAU;
        chunk(
            n.into(),
            &format!("word{n}"),
            Some(&[angle.cos(), angle.sin(), 0.5]),
        )
    });
    chunks.collect()
}

fn search(store: &PgVectorStore, tenant: &TenantScope, text: &str, wanted: Option<&Embedding>) -> Vec<Match> {
    let query = VectorQuery {
        embedding: wanted,
        ..VectorQuery::words(text, TopK::new(10).unwrap())
    };
    store.search(tenant.index(Generation::FIRST), query).unwrap()
}

fn texts(matches: &[Match]) -> Vec<&str> {
    matches.iter().map(|found| found.chunk.text.as_str()).collect()
}
