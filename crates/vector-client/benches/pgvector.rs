//! Writes and hybrid searches in PostgreSQL, by the number of chunks and of floats in an embedding, beside a search for words
//! alone; the texts are those of the bench of the embedded store.
//!
//! ```sh
//! scripts/with-pgvector cargo bench -p tenantry-vector-client --features pgvector-tests --bench pgvector -- 1000 10000
//! ```
//!
//! Without numbers it takes 1,000, 10,000 and 100,000 chunks; what is stored in that database is found again by the next run.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a benchmark that cannot be set up has nothing to measure, and what it measures it prints"
)]

mod support;

use std::time::Instant;

use tenantry_domain::{Generation, IndexScope, TopK};
use tenantry_vector_client::conformance::scope;
use tenantry_vector_client::{PgVectorOptions, PgVectorStore, VectorQuery, VectorStore};

fn main() {
    let sizes = support::sizes();
    if sizes.is_empty() {
        return;
    }
    let store = PgVectorStore::open(&url(), PgVectorOptions::default()).unwrap();
    for (dimension, size) in sizes {
        let tenant = scope(&format!("chunks-{size}-{dimension}"));
        let index = tenant.index(Generation::FIRST);
        support::fill(&store, index, (dimension, size));
        build_graph(&store, index, (dimension, size));
        support::search(&store, index, (dimension, size));
        support::measure((dimension, size), "words alone", |text, _| {
            let query = VectorQuery::words(text, TopK::new(10).unwrap());
            store.search(index, query).unwrap().len()
        });
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the environment says where the server is"
)]
fn url() -> String {
    std::env::var("TEST_DATABASE_URL").unwrap_or_else(|_| {
        panic!("this needs a PostgreSQL server with pgvector: run it with `scripts/with-pgvector cargo bench ...`")
    })
}

/// Has the first search of a large index begin its graph, and waits for that.
fn build_graph(store: &PgVectorStore, index: IndexScope<'_>, (dimension, size): (usize, u32)) {
    let begun = Instant::now();
    store
        .search(index, VectorQuery::words("w100", TopK::new(1).unwrap()))
        .unwrap();
    store.finish_graphs().unwrap();
    let taken = begun.elapsed().as_secs_f64();
    println!(
        "{dimension:>5} floats {size:>7} chunks  {:<24} {taken:>8.1} s",
        "graph built"
    );
}
