//! Hybrid search in the embedded store beside a flat scan in memory, by the number of chunks and of the embeddings'
//! numbers; texts of 80 words drawn as Zipf's law has them, each version of ten chunks with metadata. The sets are kept
//! between runs in Cargo's folder for temporary files.
#![expect(
    clippy::unwrap_used,
    reason = "a benchmark that cannot be set up has nothing to measure"
)]

use std::hint::black_box;
use std::path::Path;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, criterion_group, criterion_main};
use tenantry_domain::{
    Bound, Bounds, DocumentVersion, Embedding, Filter, Generation, IndexScope, MetadataValue, TopK,
};
use tenantry_vector_client::conformance::{chunk, document, metadata, scope};
use tenantry_vector_client::{EmbeddedOptions, EmbeddedVectorStore, IndexedChunk, VectorQuery, VectorStore};

const DIMENSIONS: [usize; 2] = [384, 1_536];
const SIZES: [u32; 3] = [1_000, 10_000, 100_000];
const WORDS_PER_CHUNK: usize = 80;
const CHUNKS_PER_DOCUMENT: u32 = 10;

/// Filters by how many of a hundred versions they let through.
const FILTERS: [(&str, Option<f64>); 4] = [
    ("hybrid", None),
    ("hybrid, 90 % pass", Some(10.0)),
    ("hybrid, 10 % pass", Some(90.0)),
    ("hybrid, 1 % pass", Some(99.0)),
];

fn hybrid_search(c: &mut Criterion) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("search-bench-2");
    let store = EmbeddedVectorStore::open(&folder, EmbeddedOptions::default()).unwrap();
    for dimension in DIMENSIONS {
        let mut group = c.benchmark_group(format!("{dimension} numbers"));
        group.sample_size(20);
        for size in SIZES {
            let tenant = scope(&format!("chunks-{size}-{dimension}"));
            let index = tenant.index(Generation::FIRST);
            fill(&store, index, size, dimension);
            for (name, from) in FILTERS {
                let filter = from.map(share_from);
                search(
                    &mut group,
                    BenchmarkId::new(name, size),
                    dimension,
                    |text, wanted| {
                        let query = VectorQuery {
                            embedding: Some(wanted),
                            filter: filter.as_ref(),
                            ..VectorQuery::words(text, TopK::new(10).unwrap())
                        };
                        black_box(store.search(index, query).unwrap());
                    },
                );
            }
            let vectors = flat(size, dimension);
            search(
                &mut group,
                BenchmarkId::new("flat scan in memory", size),
                dimension,
                |_, wanted| {
                    black_box(best(&vectors, wanted));
                },
            );
        }
        group.finish();
    }
}

fn search(
    group: &mut BenchmarkGroup<'_, WallTime>,
    id: BenchmarkId,
    dimension: usize,
    mut once: impl FnMut(&str, &Embedding),
) {
    let mut numbers = Numbers(99);
    let queries: Vec<_> = (0..16)
        .map(|_| (numbers.query(), numbers.embedding(dimension)))
        .collect();
    let mut next = queries.iter().cycle();
    group.bench_function(id, |b| {
        b.iter(|| {
            let (text, wanted) = next.next().unwrap();
            once(text, wanted);
        });
    });
}

/// Lets through the versions whose number, 0 to 99, is not below.
fn share_from(number: f64) -> Filter {
    let value = MetadataValue::Number(number);
    let lower = Some(Bound {
        value,
        inclusive: true,
    });
    Filter::Range("number".to_owned(), Bounds { lower, upper: None })
}

fn fill(store: &EmbeddedVectorStore, index: IndexScope<'_>, size: u32, dimension: usize) {
    if store.count(index).unwrap() == u64::from(size) {
        return;
    }
    store.clear(index).unwrap();
    let mut numbers = Numbers(7);
    for version in 1..=size / CHUNKS_PER_DOCUMENT {
        let chunks: Vec<_> = (0..CHUNKS_PER_DOCUMENT)
            .map(|ordinal| numbers.chunk(ordinal, dimension))
            .collect();
        let of = DocumentVersion {
            document: document(1),
            version,
        };
        let metadata = metadata([
            ("number", MetadataValue::Number(f64::from(version % 100))),
            ("lang", MetadataValue::Text("en".to_owned())),
        ]);
        store.upsert(index, of, &metadata, &chunks).unwrap();
    }
}

fn flat(size: u32, dimension: usize) -> Vec<f32> {
    let mut numbers = Numbers(7);
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

/// A small generator (xorshift64) so that every run sees the same numbers.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> f32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        f32::from(u16::try_from(self.0 >> 48).unwrap()) / 65_536.0
    }

    fn embedding(&mut self, dimension: usize) -> Embedding {
        Embedding::new((0..dimension).map(|_| self.next() - 0.5).collect()).unwrap()
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

    fn chunk(&mut self, ordinal: u32, dimension: usize) -> IndexedChunk {
        let text = self.text(WORDS_PER_CHUNK);
        IndexedChunk {
            embedding: Some(self.embedding(dimension)),
            ..chunk(ordinal, &text, None)
        }
    }
}

criterion_group!(benches, hybrid_search);
criterion_main!(benches);
