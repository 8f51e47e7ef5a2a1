//! One tenant's knowledge, taken in as the server does, with its records in memory.

use std::collections::{HashMap, HashSet};
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;
use std::thread;

use tempfile::TempDir;
use tenantry_domain::{
    Actor, Cancellation, ChatSettings, Clock, DocumentId, Embedding, Fusion, Ingesters, MediaType,
    PineconeSettings, SearchSettings, SystemClock, Tenant, TenantId, TenantScope, TopK,
};
use tenantry_extraction::MemoryExtractor;
use tenantry_llm_client::{Embedder, LocalEmbedder};
use tenantry_retrieval::{
    Collections, Embedders, IngestLimits, IngestOptions, IngestParts, Ingestor, NewFile, Resolver, Settled,
    Superuser, Worked,
};
use tenantry_tenant_store::{MemoryStore, Settlement, SubmitOutcome, TenantStore};
use tenantry_vector_client::{EmbeddedOptions, EmbeddedVectorStore, VectorQuery};

use crate::collection;

/// How many documents are handed in before workers take them in.
const BATCH: usize = 1_000;
/// The longest title in characters.
const TITLE: usize = 200;
/// How many texts are embedded at a time.
const TEXTS: usize = 64;
/// The most chunks of a ranking, for as many different documents as a ranking needs.
const CHUNKS: usize = 1_000;

/// What was taken in.
pub(crate) struct Counts {
    /// Documents.
    pub(crate) documents: usize,
    /// Their chunks.
    pub(crate) chunks: u64,
}

/// A tenant and all that it needs.
pub(crate) struct Knowledge {
    scope: TenantScope,
    collections: Arc<Collections>,
    submissions: tenantry_retrieval::Knowledge,
    ingestor: Ingestor,
    embedder: Option<Arc<dyn Embedder>>,
    names: std::sync::Mutex<HashMap<DocumentId, String>>,
    /// Removed with everything in it at the end.
    _folder: TempDir,
}

impl Knowledge {
    /// An empty one, which embeds by the model in a folder when one is named.
    pub(crate) fn new(model: Option<&Path>) -> Result<Self, String> {
        let folder = tempfile::tempdir().map_err(told)?;
        let embedder: Option<Arc<dyn Embedder>> = match model {
            Some(model) => Some(Arc::new(LocalEmbedder::open(model).map_err(told)?)),
            None => None,
        };
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let store = Arc::new(MemoryStore::new());
        let vectors = EmbeddedVectorStore::open(folder.path(), EmbeddedOptions::default()).map_err(told)?;
        let embedders = Arc::new(Embedders::new(embedder.clone(), Vec::new()));
        let collections = Arc::new(Collections::new(
            Arc::new(vectors),
            store.clone(),
            embedders.clone(),
            clock.clone(),
        ));
        let resolver = Arc::new(Resolver::new(store.clone(), store.clone(), clock.clone()));
        let scope = tenant(&store, &resolver, clock.as_ref())?;
        let submissions = tenantry_retrieval::Knowledge::new(
            store.clone(),
            store.clone(),
            store.clone(),
            IngestLimits::default(),
            clock.clone(),
        );
        let parts = IngestParts {
            queue: store.clone(),
            documents: store.clone(),
            sources: store.clone(),
            collections: collections.clone(),
            embedders,
            usage: store,
            extractor: Arc::new(MemoryExtractor),
            resolver,
            clock,
        };
        Ok(Self {
            scope,
            collections,
            submissions,
            ingestor: Ingestor::new(parts, IngestOptions::default()),
            embedder,
            names: std::sync::Mutex::default(),
            _folder: folder,
        })
    }

    /// Takes in every document of the collection in `folder`.
    pub(crate) fn fill(&self, folder: &Path) -> Result<Counts, String> {
        let (mut documents, mut waiting) = (0, 0);
        collection::documents(folder, &mut |entry| {
            if entry.text.trim().is_empty() && entry.title.trim().is_empty() {
                return Ok(());
            }
            let file = NewFile {
                title: Some(title(&entry)),
                declared: Some(MediaType::PlainText),
                external_id: Some(entry.id.clone()),
                ..NewFile::default()
            };
            let text = if entry.text.trim().is_empty() {
                entry.title
            } else {
                entry.text
            };
            let submitted = self
                .submissions
                .submit(&self.scope, &file, &mut text.as_bytes())
                .map_err(told)?;
            if submitted.outcome != SubmitOutcome::New {
                return Err(format!("{} stands there twice", entry.id));
            }
            self.lock().insert(submitted.document.id, entry.id);
            (documents, waiting) = (documents + 1, waiting + 1);
            if waiting == BATCH {
                waiting = 0;
                self.work()?;
            }
            Ok(())
        })?;
        self.work()?;
        let own = self.collections.own(&self.scope).map_err(told)?;
        let chunks = own
            .store()
            .count(self.scope.index(own.live().generation))
            .map_err(told)?;
        Ok(Counts { documents, chunks })
    }

    /// Does every job that waits, on every core.
    fn work(&self) -> Result<(), String> {
        let workers = thread::available_parallelism().map_or(1, NonZeroUsize::get);
        thread::scope(|threads| {
            let running: Vec<_> = (0..workers)
                .map(|_| threads.spawn(|| self.work_alone()))
                .collect();
            running.into_iter().try_for_each(|worker| {
                worker
                    .join()
                    .unwrap_or_else(|_| Err("a worker panicked".to_owned()))
            })
        })
    }

    fn work_alone(&self) -> Result<(), String> {
        let stop = Cancellation::new();
        loop {
            match self.ingestor.run_one(None, &stop).map_err(told)? {
                Worked::Idle => return Ok(()),
                Worked::Did {
                    settled: Settled::Given(Settlement::Done | Settlement::Yielded),
                    ..
                } => {}
                Worked::Panicked { .. } => return Err("a worker panicked".to_owned()),
                Worked::Did {
                    job, settled, cause, ..
                } => {
                    let name = self.lock().get(&job.document).cloned().unwrap_or_default();
                    return Err(format!("{name} was not taken in: {settled:?} {cause:?}"));
                }
            }
        }
    }

    /// The embedding of each query, where there is a model, and whether the model reads its language.
    pub(crate) fn embed(&self, queries: &[&str]) -> Result<Vec<(Option<Embedding>, bool)>, String> {
        let Some(embedder) = &self.embedder else {
            return Ok(vec![(None, false); queries.len()]);
        };
        let mut all = Vec::new();
        for texts in queries.chunks(TEXTS) {
            let embeddings = embedder.embed(texts).map_err(told)?.embeddings;
            let understood = texts.iter().map(|text| embedder.understands(text));
            all.extend(embeddings.into_iter().map(Some).zip(understood));
        }
        Ok(all)
    }

    /// The collection's ids of the best `depth` documents, each by its best chunk.
    pub(crate) fn search(
        &self,
        query: &str,
        embedding: Option<&Embedding>,
        fusion: Fusion,
        depth: usize,
    ) -> Result<Vec<String>, String> {
        let own = self.collections.own(&self.scope).map_err(told)?;
        let query = VectorQuery {
            embedding,
            fusion,
            ..VectorQuery::words(query, TopK::clamp(CHUNKS))
        };
        let index = self.scope.index(own.live().generation);
        let matches = own.store().search(index, query).map_err(told)?;
        let names = self.lock();
        let mut seen = HashSet::new();
        let best = matches.into_iter().filter(|found| seen.insert(found.of.document));
        Ok(best
            .take(depth)
            .filter_map(|found| names.get(&found.of.document).cloned())
            .collect())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<DocumentId, String>> {
        self.names
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// The title as the collection gives it, else how the text begins, as an editor would name it.
fn title(entry: &collection::Entry) -> String {
    let given = [&entry.title, &entry.text]
        .into_iter()
        .find(|text| !text.trim().is_empty());
    let first = given
        .and_then(|text| text.trim().lines().next())
        .unwrap_or_default();
    first.chars().filter(|c| !c.is_control()).take(TITLE).collect()
}

fn tenant(store: &Arc<MemoryStore>, resolver: &Resolver, clock: &dyn Clock) -> Result<TenantScope, String> {
    let (id, now) = (TenantId::parse("judged").map_err(told)?, clock.now());
    let tenant = Tenant {
        id: id.clone(),
        name: "A judged collection".to_owned(),
        pinecone: PineconeSettings::default(),
        system_prompt: None,
        search: SearchSettings::default(),
        chat: ChatSettings::default(),
        llm: None,
        ingesters: Ingesters::default(),
        is_active: true,
        created_at: now,
        updated_at: now,
    };
    store.create_tenant(&tenant, &Actor::system()).map_err(told)?;
    resolver.operator_scope(&Superuser::operator(), &id).map_err(told)
}

/// An error with its causes, on one line.
fn told(error: impl std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}
