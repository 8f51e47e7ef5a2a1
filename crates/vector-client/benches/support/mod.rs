//! What the benches of stores share: chunks and queries drawn at random, and times told as percentiles.

use std::time::{Duration, Instant};

use tenantry_domain::{Bound, Bounds, DocumentVersion, Embedding, Filter, IndexScope, MetadataValue, TopK};
use tenantry_vector_client::conformance::{chunk, document, metadata};
use tenantry_vector_client::{IndexedChunk, VectorQuery, VectorStore};

const WORDS_PER_CHUNK: usize = 80;
const CHUNKS_PER_VERSION: u32 = 10;
const QUERIES: usize = 200;

/// Which numbers of floats and of chunks are measured: `cargo bench --bench NAME -- 1000 10000` names those of chunks. None
/// where Cargo only wants to know that the program starts.
pub(crate) fn sizes() -> Vec<(usize, u32)> {
    if !std::env::args().any(|argument| argument == "--bench") {
        return Vec::new();
    }
    let named: Vec<u32> = std::env::args()
        .filter_map(|argument| argument.parse().ok())
        .collect();
    let sizes = if named.is_empty() {
        vec![1_000, 10_000, 100_000]
    } else {
        named
    };
    let of = |dimension| sizes.iter().map(move |size| (dimension, *size));
    [384, 1_536].into_iter().flat_map(of).collect()
}

/// Fills the index with `size` chunks, ten in each version, and tells how many a second; what is there already stays.
pub(crate) fn fill(store: &dyn VectorStore, index: IndexScope<'_>, (dimension, size): (usize, u32)) {
    if store.count(index).unwrap() == u64::from(size) {
        return;
    }
    store.clear(index).unwrap();
    let mut numbers = Numbers::new(7);
    let mut taken = Duration::ZERO;
    for version in 1..=size / CHUNKS_PER_VERSION {
        let chunks: Vec<_> = (0..CHUNKS_PER_VERSION)
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
        taken += begun.elapsed();
    }
    let rate = f64::from(size) / taken.as_secs_f64();
    println!(
        "{dimension:>5} floats {size:>7} chunks  {:<24} {rate:>8.0} a second",
        "written"
    );
}

/// Searches the index by words and embedding, without a filter and with three that let fewer and fewer through.
pub(crate) fn search(store: &dyn VectorStore, index: IndexScope<'_>, size: (usize, u32)) {
    let shares = [
        ("hybrid", None),
        ("hybrid, 90 % pass", Some(10.0)),
        ("hybrid, 10 % pass", Some(90.0)),
        ("hybrid, 1 % pass", Some(99.0)),
    ];
    for (name, from) in shares {
        let filter = from.map(numbered_from);
        measure(size, name, |text, wanted| {
            let query = VectorQuery {
                embedding: Some(wanted),
                filter: filter.as_ref(),
                ..VectorQuery::words(text, TopK::new(10).unwrap())
            };
            store.search(index, query).unwrap().len()
        });
    }
}

/// Lets through the versions whose number, 0 to 99, is not below.
fn numbered_from(number: f64) -> Filter {
    let value = MetadataValue::Number(number);
    let lower = Some(Bound {
        value,
        inclusive: true,
    });
    Filter::Range("number".to_owned(), Bounds { lower, upper: None })
}

/// Answers many queries, after a few to warm up, and prints how long half and nearly all of them took at most.
pub(crate) fn measure(
    (dimension, size): (usize, u32),
    name: &str,
    mut answer: impl FnMut(&str, &Embedding) -> usize,
) {
    let mut numbers = Numbers::new(99);
    let mut times = Vec::new();
    for n in 0..QUERIES + 10 {
        let (text, wanted) = (numbers.query(), numbers.embedding(dimension));
        let begun = Instant::now();
        let found = answer(&text, &wanted);
        if n >= 10 {
            times.push(begun.elapsed());
        }
        assert!(found > 0, "nothing is found for {text}");
    }
    times.sort_unstable();
    let at = |percent: usize| times[QUERIES * percent / 100 - 1].as_secs_f64() * 1e3;
    let (half, most) = (at(50), at(99));
    println!("{dimension:>5} floats {size:>7} chunks  {name:<24} p50 {half:>7.2} ms  p99 {most:>7.2} ms");
}

/// A small generator (xorshift64) so that every run sees the same numbers.
pub(crate) struct Numbers(u64);

impl Numbers {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> f32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        f32::from(u16::try_from(self.0 >> 48).unwrap()) / 65_536.0
    }

    pub(crate) fn embedding(&mut self, dimension: usize) -> Embedding {
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
