//! Hybrid search in the embedded store beside a flat scan in memory, by the number of chunks and of floats in an embedding;
//! texts of 80 words drawn as Zipf's law has them, ten chunks in each version. The sets are kept between runs in Cargo's
//! folder for temporary files. `cargo bench --bench search -- 1000 10000` leaves larger ones out.
#![expect(
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark that cannot be set up has nothing to measure, and tells the rest"
)]

mod support;

use std::path::Path;

use support::Numbers;
use tenantry_domain::{Embedding, Generation};
use tenantry_vector_client::conformance::scope;
use tenantry_vector_client::{EmbeddedOptions, EmbeddedVectorStore};

fn main() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("search-bench-2");
    let store = EmbeddedVectorStore::open(&folder, EmbeddedOptions::default()).unwrap();
    for (dimension, size) in support::sizes() {
        let tenant = scope(&format!("chunks-{size}-{dimension}"));
        let index = tenant.index(Generation::FIRST);
        support::fill(&store, index, (dimension, size));
        support::search(&store, index, (dimension, size));
        let vectors = flat(dimension, size);
        support::measure((dimension, size), "flat scan in memory", |_, wanted| {
            best(&vectors, wanted).len()
        });
    }
}

fn flat(dimension: usize, size: u32) -> Vec<f32> {
    let mut numbers = Numbers::new(7);
    let mut vectors = Vec::new();
    for _ in 0..size {
        vectors.extend_from_slice(numbers.embedding(dimension).as_slice());
    }
    vectors
}

/// The places of the ten vectors with the greatest dot products.
fn best(vectors: &[f32], wanted: &Embedding) -> Vec<usize> {
    let wanted = wanted.as_slice();
    let mut scored: Vec<_> = vectors
        .chunks_exact(wanted.len())
        .enumerate()
        .map(|(place, vector)| (dot(vector, wanted), place))
        .collect();
    scored.select_nth_unstable_by(10, |a, b| b.0.total_cmp(&a.0));
    scored.truncate(10);
    scored.into_iter().map(|(_, place)| place).collect()
}

/// Eight sums at a time, which the compiler keeps in one register.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0_f32; 8];
    for (a, b) in a.as_chunks::<8>().0.iter().zip(b.as_chunks::<8>().0) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += a * b;
        }
    }
    sums.iter().sum()
}
