//! Writes and hybrid searches in PostgreSQL, by the number of chunks and of the embeddings' numbers: how many chunks are
//! written each second, and the times of single searches, which a mean would hide. Texts are of 80 words drawn as Zipf's
//! law has them, versions of ten chunks with metadata.
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

use std::time::{Duration, Instant};

use tenantry_domain::{
    Bound, Bounds, DocumentVersion, Embedding, Filter, Generation, IndexScope, MetadataValue, TopK,
};
use tenantry_vector_client::conformance::{chunk, document, metadata, scope};
use tenantry_vector_client::{IndexedChunk, PgVectorOptions, PgVectorStore, VectorQuery, VectorStore};

const DIMENSIONS: [usize; 2] = [384, 1_536];
const SIZES: [u32; 3] = [1_000, 10_000, 100_000];
const WORDS_PER_CHUNK: usize = 80;
const CHUNKS_PER_DOCUMENT: u32 = 10;
const WARM_UP: usize = 20;
const SEARCHES: usize = 200;

/// Filters by how many of a hundred versions they let through.
const FILTERS: [(&str, Option<f64>); 4] = [
    ("hybrid", None),
    ("hybrid, 90 % pass", Some(10.0)),
    ("hybrid, 10 % pass", Some(90.0)),
    ("hybrid, 1 % pass", Some(99.0)),
];

fn main() {
    let given: Vec<u32> = std::env::args().filter_map(|word| word.parse().ok()).collect();
    let sizes = if given.is_empty() { SIZES.to_vec() } else { given };
    let store = PgVectorStore::open(&url(), PgVectorOptions::default()).unwrap();
    for dimension in DIMENSIONS {
        for size in &sizes {
            let tenant = scope(&format!("chunks-{size}-{dimension}"));
            let index = tenant.index(Generation::FIRST);
            println!("{size} chunks of {dimension} numbers");
            fill(&store, index, *size, dimension);
            for (name, from) in FILTERS {
                let filter = from.map(share_from);
                report(name, &times(&store, index, dimension, filter.as_ref(), true));
            }
            report("words alone", &times(&store, index, dimension, None, false));
        }
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

fn times(
    store: &PgVectorStore,
    index: IndexScope<'_>,
    dimension: usize,
    filter: Option<&Filter>,
    hybrid: bool,
) -> Vec<Duration> {
    let mut numbers = Numbers(99);
    let mut times = Vec::new();
    for n in 0..WARM_UP + SEARCHES {
        let (text, wanted) = (numbers.query(), numbers.embedding(dimension));
        let query = VectorQuery {
            embedding: hybrid.then_some(&wanted),
            filter,
            ..VectorQuery::words(&text, TopK::new(10).unwrap())
        };
        let begun = Instant::now();
        let found = store.search(index, query).unwrap();
        if n >= WARM_UP {
            times.push(begun.elapsed());
        }
        assert!(found.len() <= 10);
    }
    times.sort_unstable();
    times
}

fn report(name: &str, sorted: &[Duration]) {
    let at = |percent: usize| sorted[(sorted.len() * percent / 100).min(sorted.len() - 1)];
    println!("  {name:<20} p50 {:>8.1?}  p99 {:>8.1?}", at(50), at(99));
}

fn fill(store: &PgVectorStore, index: IndexScope<'_>, size: u32, dimension: usize) {
    if store.count(index).unwrap() == u64::from(size) {
        return;
    }
    store.clear(index).unwrap();
    let mut numbers = Numbers(7);
    let mut writing = Duration::ZERO;
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
        let begun = Instant::now();
        store.upsert(index, of, &metadata, &chunks).unwrap();
        writing += begun.elapsed();
    }
    println!(
        "  written: {:.0} chunks/s",
        f64::from(size) / writing.as_secs_f64()
    );
    // The first search of a large index has its graph built.
    let begun = Instant::now();
    store
        .search(index, VectorQuery::words("w100", TopK::new(1).unwrap()))
        .unwrap();
    store.finish_graphs().unwrap();
    println!("  graph: {:.1?}", begun.elapsed());
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
