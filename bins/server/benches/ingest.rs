//! Prints how fast documents are taken in, with an embedder that costs nothing, and how little other tenants' documents matter.
//!
//! ```text
//! cargo bench --bench ingest -- [--documents N] [--database URL] [--tenants N]
//! ```
//!
//! Documents of about 6,000 characters go from the hand-in to ready by 1 and by 4 workers: records in SQLite in a temporary folder, or
//! in the PostgreSQL database that `--database` names, which must be empty and is migrated; chunks in embedded files. Then the given number of
//! tenants gets 100 small documents each, and one tenant's search is timed before and after.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a bench shows what it measured"
)]

use std::fmt::Write as _;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use clap::Parser;
use tenantry_domain::{
    Actor, Cancellation, ChatSettings, Clock, Dimension, Embedding, EmbeddingModel, Ingesters, MediaType,
    PineconeSettings, SearchSettings, SystemClock, Tenant, TenantId, TenantScope, TopK,
};
use tenantry_extraction::MemoryExtractor;
use tenantry_llm_client::{Embedded, Embedder, LlmError};
use tenantry_retrieval::{
    Collections, Embedders, IngestLimits, IngestOptions, IngestParts, Ingestor, Knowledge, NewFile, Resolver,
    SearchRequest, Searcher, Superuser, Worked,
};
use tenantry_tenant_store::{DatabaseUrl, PoolOptions, SqlStore, TenantStore};
use tenantry_vector_client::{EmbeddedOptions, EmbeddedVectorStore};

/// Dimensions of an embedding.
const DIMENSION: usize = 384;
/// Among how many tenants the documents are shared out: the file of one has one writer at a time.
const TENANTS: u32 = 4;
/// Words of an ordinary document.
const WORDS: u32 = 1_000;
/// How often a search is timed.
const SEARCHES: usize = 500;

#[derive(Debug, Parser)]
struct Options {
    /// How many documents each run takes in.
    #[arg(long, default_value_t = 300)]
    documents: u32,
    /// A PostgreSQL database for the records.
    #[arg(long)]
    database: Option<String>,
    /// How many other tenants get 100 documents each.
    #[arg(long, default_value_t = 0)]
    tenants: u32,
    /// What cargo passes to every bench.
    #[arg(long, hide = true)]
    bench: bool,
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("ingest: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let sqlite = format!("sqlite://{}", folder.path().join("records.db").display());
    let url = DatabaseUrl::parse(options.database.as_deref().unwrap_or(&sqlite))?;
    let store = Arc::new(SqlStore::connect(&url, PoolOptions::default())?);
    store.migrate()?;
    let vectors = EmbeddedVectorStore::open(&folder.path().join("vectors"), EmbeddedOptions::default())?;
    let house = House::new(store, Arc::new(vectors));
    println!("records in {url}");
    for workers in [1_u32, 4] {
        let scopes = (0..TENANTS)
            .map(|tenant| house.tenant(&format!("w{workers}-{tenant}")))
            .collect::<Result<Vec<_>, _>>()?;
        for (number, scope) in (0..options.documents).zip(scopes.iter().cycle()) {
            house.submit(scope, number, WORDS)?;
        }
        let begun = Instant::now();
        house.work(workers)?;
        let seconds = begun.elapsed().as_secs_f64();
        let chunks = scopes
            .iter()
            .try_fold(0, |sum, scope| Ok::<_, Failure>(sum + house.chunks(scope)?))?;
        println!(
            "{workers} workers: {:.0} documents/s, {:.0} chunks/s ({} documents of {TENANTS} tenants, {chunks} chunks, {seconds:.1} s)",
            f64::from(options.documents) / seconds,
            f64::from(u32::try_from(chunks)?) / seconds,
            options.documents
        );
    }
    if options.tenants > 0 {
        neighbours(&house, options.tenants)?;
    }
    Ok(())
}

/// Times one tenant's search before and after others came.
fn neighbours(house: &House, tenants: u32) -> Result<(), Failure> {
    let scope = house.tenant("one")?;
    fill(house, &scope)?;
    house.work(2)?;
    house.time(&scope, "one tenant's search, alone")?;
    for tenant in 0..tenants {
        fill(house, &house.tenant(&format!("other-{tenant}"))?)?;
    }
    let begun = Instant::now();
    house.work(2)?;
    println!(
        "{tenants} tenants with 100 documents each taken in after {:.0} s",
        begun.elapsed().as_secs_f64()
    );
    house.time(&scope, "one tenant's search, beside them")
}

fn fill(house: &House, scope: &TenantScope) -> Result<(), Failure> {
    (0..100).try_for_each(|number| house.submit(scope, number, 60))
}

/// The use cases over one record store.
struct House {
    store: Arc<SqlStore>,
    resolver: Arc<Resolver>,
    collections: Arc<Collections>,
    knowledge: Knowledge,
    searcher: Searcher,
    ingestor: Ingestor,
}

impl House {
    fn new(store: Arc<SqlStore>, vectors: Arc<EmbeddedVectorStore>) -> Self {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let embedders = Arc::new(Embedders::new(Some(Arc::new(Costless)), Vec::new()));
        let collections = Arc::new(Collections::new(
            vectors,
            store.clone(),
            embedders.clone(),
            clock.clone(),
        ));
        let resolver = Arc::new(Resolver::new(store.clone(), store.clone(), clock.clone()));
        let parts = IngestParts {
            queue: store.clone(),
            documents: store.clone(),
            sources: store.clone(),
            collections: collections.clone(),
            embedders: embedders.clone(),
            usage: store.clone(),
            extractor: Arc::new(MemoryExtractor),
            resolver: resolver.clone(),
            clock: clock.clone(),
        };
        let limits = IngestLimits::default();
        Self {
            knowledge: Knowledge::new(store.clone(), store.clone(), store.clone(), limits, clock),
            searcher: Searcher::new(store.clone(), collections.clone(), embedders, None),
            ingestor: Ingestor::new(parts, IngestOptions::default()),
            store,
            resolver,
            collections,
        }
    }

    fn tenant(&self, id: &str) -> Result<TenantScope, Failure> {
        let (id, now) = (TenantId::parse(id)?, SystemClock.now());
        self.store.create_tenant(
            &Tenant {
                id: id.clone(),
                name: id.to_string(),
                pinecone: PineconeSettings::default(),
                system_prompt: None,
                search: SearchSettings::default(),
                chat: ChatSettings::default(),
                llm: None,
                ingesters: Ingesters::default(),
                is_active: true,
                created_at: now,
                updated_at: now,
            },
            &Actor::system(),
        )?;
        Ok(self.resolver.operator_scope(&Superuser::operator(), &id)?)
    }

    fn chunks(&self, scope: &TenantScope) -> Result<u64, Failure> {
        let own = self.collections.own(scope)?;
        Ok(own.store().count(scope.index(own.live().generation))?)
    }

    fn submit(&self, scope: &TenantScope, number: u32, words: u32) -> Result<(), Failure> {
        let file = NewFile {
            title: Some(format!("Document {number}")),
            declared: Some(MediaType::PlainText),
            ..NewFile::default()
        };
        self.knowledge
            .submit(scope, &file, &mut text(number, words).as_bytes())?;
        Ok(())
    }

    /// Does every job that waits.
    fn work(&self, workers: u32) -> Result<(), Failure> {
        thread::scope(|threads| {
            let running: Vec<_> = (0..workers)
                .map(|_| {
                    threads.spawn(|| {
                        let stop = Cancellation::new();
                        loop {
                            match self.ingestor.run_one(None, &stop)? {
                                Worked::Idle => return Ok(()),
                                Worked::Did {
                                    cause: Some(cause), ..
                                } => return Err(cause),
                                _ => {}
                            }
                        }
                    })
                })
                .collect();
            running
                .into_iter()
                .try_for_each(|worker| worker.join().unwrap_or_else(|_| Err("a worker panicked".into())))
        })
    }

    fn time(&self, scope: &TenantScope, what: &str) -> Result<(), Failure> {
        let mut took = Vec::new();
        for number in 0..SEARCHES {
            let number = u32::try_from(number % 100)?;
            let query = text(number, 6);
            let request = SearchRequest::new(query, TopK::new(10)?);
            let begun = Instant::now();
            self.searcher.search(scope, &request)?;
            took.push(begun.elapsed());
        }
        took.sort_unstable();
        let at = |share: usize| {
            took.get(SEARCHES * share / 100)
                .copied()
                .unwrap_or(Duration::ZERO)
        };
        println!(
            "{what}: p50 {:.2} ms, p99 {:.2} ms",
            at(50).as_secs_f64() * 1e3,
            at(99).as_secs_f64() * 1e3
        );
        Ok(())
    }
}

/// Words that look like a language's: few are frequent, most are rare.
fn text(number: u32, words: u32) -> String {
    let mut state = number.wrapping_mul(2_654_435_761).wrapping_add(1);
    let mut text = String::new();
    for place in 0..words {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let (rank, spread) = (state >> 16, 1 + state % 61);
        let end = if place % 12 == 11 { ".\n" } else { " " };
        // Writing into a text cannot fail.
        let _ = write!(text, "w{}{end}", rank / (spread * spread));
    }
    text
}

/// An embedder that costs next to nothing: the direction comes from a text's bytes.
struct Costless;

impl Embedder for Costless {
    fn identity(&self) -> EmbeddingModel {
        EmbeddingModel {
            provider: "bench".to_owned(),
            name: "costless".to_owned(),
            dimension: Dimension::new(DIMENSION).ok(),
        }
    }

    fn embed(&self, texts: &[&str]) -> Result<Embedded, LlmError> {
        let embed = |text: &&str| {
            let mut values = vec![0.1_f32; DIMENSION];
            for (byte, value) in text.bytes().zip((0..DIMENSION).cycle()) {
                if let Some(value) = values.get_mut(value) {
                    *value += f32::from(byte) - 100.0;
                }
            }
            Embedding::new(values).map_err(|error| LlmError::Protocol(error.into()))
        };
        let embeddings = texts.iter().map(embed).collect::<Result<_, _>>()?;
        Ok(Embedded {
            embeddings,
            tokens: None,
        })
    }
}
