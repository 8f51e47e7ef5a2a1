//! Hybrid search in the embedded store, by the number of chunks: embeddings of 384 numbers, texts of 80 words drawn as
//! Zipf's law has them. The sets are kept between runs in Cargo's folder for temporary files.
#![expect(
    clippy::unwrap_used,
    reason = "a benchmark that cannot be set up has nothing to measure"
)]

use std::hint::black_box;
use std::path::Path;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use tenantry_domain::{Embedding, TopK};
use tenantry_vector_client::conformance::{chunk, document, scope};
use tenantry_vector_client::{EmbeddedOptions, EmbeddedVectorStore, IndexedChunk, VectorQuery, VectorStore};

const DIMENSION: usize = 384;
const WORDS_PER_CHUNK: usize = 80;
const SIZES: [u32; 3] = [1_000, 10_000, 100_000];
const BATCH: u32 = 1_000;

fn hybrid_search(c: &mut Criterion) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("search-bench");
    let store = EmbeddedVectorStore::open(&folder, EmbeddedOptions::default()).unwrap();
    let mut group = c.benchmark_group("hybrid_search");
    group.sample_size(20);
    for size in SIZES {
        let tenant = format!("chunks-{size}");
        fill(&store, &tenant, size);
        let mut numbers = Numbers(99);
        let queries: Vec<_> = (0..16).map(|_| (numbers.query(), numbers.embedding())).collect();
        let mut next = queries.iter().cycle();
        let tenant = scope(&tenant);
        group.bench_function(BenchmarkId::from_parameter(size), |b| {
            b.iter(|| {
                let (text, embedding) = next.next().unwrap();
                let query = VectorQuery {
                    text,
                    embedding: Some(embedding),
                    limit: TopK::new(10).unwrap(),
                };
                black_box(store.search(&tenant, query).unwrap())
            });
        });
    }
    group.finish();
}

fn fill(store: &EmbeddedVectorStore, tenant: &str, size: u32) {
    let tenant = scope(tenant);
    if store.count(&tenant).unwrap() == u64::from(size) {
        return;
    }
    store.clear(&tenant).unwrap();
    let mut numbers = Numbers(7);
    for first in (0..size).step_by(usize::try_from(BATCH).unwrap()) {
        let chunks: Vec<_> = (first..first + BATCH)
            .map(|ordinal| numbers.chunk(ordinal))
            .collect();
        store.upsert(&tenant, &chunks).unwrap();
    }
}

/// A small generator (xorshift64) so that every run sees the same numbers.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> f32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        f32::from(u16::try_from(self.0 >> 48).unwrap()) / 65_536.0
    }

    fn embedding(&mut self) -> Embedding {
        Embedding::new((0..DIMENSION).map(|_| self.next() - 0.5).collect()).unwrap()
    }

    /// The word of rank r comes about 1/r as often as the first: e to the power of a uniform number is so distributed.
    fn text(&mut self, words: usize) -> String {
        let words = (0..words).map(|_| format!("w{:.0}", (self.next() * 10.0).exp()));
        words.collect::<Vec<_>>().join(" ")
    }

    /// Six words, but none of the first sixty: in a language those are the stopwords, which are not searched for.
    fn query(&mut self) -> String {
        let words = self.text(100);
        let rare = words.split(' ').filter(|word| {
            word.trim_start_matches('w')
                .parse::<u32>()
                .is_ok_and(|rank| rank > 60)
        });
        rare.take(6).collect::<Vec<_>>().join(" ")
    }

    fn chunk(&mut self, ordinal: u32) -> IndexedChunk {
        let text = self.text(WORDS_PER_CHUNK);
        IndexedChunk {
            embedding: Some(self.embedding()),
            ..chunk(document(1), ordinal, &text, None)
        }
    }
}

criterion_group!(benches, hybrid_search);
criterion_main!(benches);
