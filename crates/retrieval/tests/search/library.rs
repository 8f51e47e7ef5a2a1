//! A small library of documents that were put on their shelves straight through the stores, chunk by chunk, so that a search
//! can be asked about exactly these.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tenantry_domain::{
    Chunk, Clock, ContentHash, Dimension, DocumentId, DocumentVersion, Embedding, EmbeddingModel, Generation,
    JobId, ManualClock, MediaType, Metadata, MetadataValue, Segment, SourceId, Span, TenantId, TenantScope,
    TextFormat, Timestamp, TopK,
};
use tenantry_llm_client::{Completer, Embedded, Embedder, LlmError, Reranker};
use tenantry_retrieval::{
    Chat, ChatModels, ChatParts, Collections, Embedders, NewTenant, Resolver, SearchRequest, SearchResult,
    SearchTuning, Searcher, Superuser, Tenants,
};
use tenantry_tenant_store::testing::FailingStore;
use tenantry_tenant_store::{
    Claim, ClaimedJob, DocumentStore, Held, IndexStore, JobQueue, MemoryStore, Published, Settlement,
    Submission, TextRead,
};
use tenantry_vector_client::conformance::hash;
use tenantry_vector_client::testing::FailingVectorStore;
use tenantry_vector_client::{IndexedChunk, MemoryVectorStore, VectorStore};

/// A file on its way onto a shelf.
#[derive(Clone)]
pub(crate) struct Volume {
    pub(crate) id: DocumentId,
    pub(crate) external_id: Option<String>,
    pub(crate) title: String,
    pub(crate) metadata: Metadata,
    /// The chunks of each segment; two chunks have a blank line between them.
    pub(crate) segments: Vec<Vec<String>>,
}

impl Volume {
    /// A file of these chunks in one segment.
    pub(crate) fn of(title: &str, chunks: &[&str]) -> Self {
        static SEQUENCE: AtomicUsize = AtomicUsize::new(0);
        let n = i64::try_from(SEQUENCE.fetch_add(1, Ordering::Relaxed)).unwrap();
        Self {
            id: DocumentId::generate(Timestamp::from_unix_micros(n * 1_000).unwrap()),
            external_id: None,
            title: title.into(),
            metadata: Metadata::default(),
            segments: vec![chunks.iter().map(|&chunk| chunk.to_owned()).collect()],
        }
    }

    pub(crate) fn known_as(mut self, external_id: &str) -> Self {
        self.external_id = Some(external_id.into());
        self
    }

    pub(crate) fn with(mut self, key: &str, value: &str) -> Self {
        let mut values: BTreeMap<_, _> = self
            .metadata
            .iter()
            .map(|(key, value)| (key.to_owned(), value.clone()))
            .collect();
        values.insert(key.into(), MetadataValue::Text(value.into()));
        self.metadata = Metadata::new(values).unwrap();
        self
    }

    fn pages(&self) -> Vec<Segment> {
        let mut start = 0;
        let texts = self.segments.iter().map(|chunks| chunks.join("\n\n") + "\n\n");
        (0..)
            .zip(texts)
            .map(|(ordinal, text)| {
                let segment = Segment {
                    ordinal,
                    start,
                    text,
                    headings: Vec::new(),
                    pages: Vec::new(),
                };
                start += length(&segment.text);
                segment
            })
            .collect()
    }

    pub(crate) fn text(&self) -> String {
        self.pages().into_iter().map(|segment| segment.text).collect()
    }

    fn chunks(&self) -> Vec<Chunk> {
        let mut start = 0;
        (0..)
            .zip(self.segments.iter().flatten())
            .map(|(ordinal, text)| {
                let end = start + length(text);
                let span = Span { start, end };
                start = end + 2;
                Chunk {
                    ordinal,
                    span,
                    text: text.clone(),
                    headings: Vec::new(),
                    page: None,
                }
            })
            .collect()
    }
}

fn length(text: &str) -> u32 {
    u32::try_from(text.chars().count()).unwrap()
}

pub(crate) struct Library {
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) store: Arc<FailingStore<MemoryStore>>,
    pub(crate) vectors: Arc<FailingVectorStore>,
    pub(crate) resolver: Arc<Resolver>,
    pub(crate) root: Superuser,
    pub(crate) tenants: Tenants,
    pub(crate) collections: Arc<Collections>,
    pub(crate) embedders: Arc<Embedders>,
    embedder: Option<Arc<dyn Embedder>>,
    reranker: Option<Arc<dyn Reranker>>,
}

impl Library {
    /// One that is searched by words alone.
    pub(crate) fn of_words() -> Self {
        Self::on(Arc::new(MemoryVectorStore::default()), None)
    }

    /// One that is searched by words and [`Themes`].
    pub(crate) fn of_themes() -> Self {
        Self::on(Arc::new(MemoryVectorStore::default()), Some(Arc::new(Themes)))
    }

    pub(crate) fn on(vectors: Arc<dyn VectorStore>, embedder: Option<Arc<dyn Embedder>>) -> Self {
        let clock = Arc::new(ManualClock::new(
            Timestamp::from_unix_micros(1_700_000_000_000_000).unwrap(),
        ));
        let store = Arc::new(FailingStore::new(MemoryStore::new()));
        let vectors = Arc::new(FailingVectorStore::new(vectors));
        let resolver = Arc::new(Resolver::new(store.clone(), store.clone(), clock.clone()));
        let embedders = Arc::new(Embedders::new(embedder.clone(), Vec::new()));
        Self {
            tenants: Tenants::local(store.clone(), resolver.clone(), clock.clone()),
            collections: Arc::new(Collections::new(
                vectors.clone(),
                store.clone(),
                embedders.clone(),
                clock.clone(),
            )),
            clock,
            store,
            vectors,
            resolver,
            root: Superuser::operator(),
            embedders,
            embedder,
            reranker: None,
        }
    }

    pub(crate) fn with_reranker(mut self, reranker: Arc<dyn Reranker>) -> Self {
        self.reranker = Some(reranker);
        self
    }

    pub(crate) fn tenant(&self, id: &str) -> TenantScope {
        self.tuned(id, None)
    }

    /// A tenant with settings of its own.
    pub(crate) fn tuned(&self, id: &str, search: Option<SearchTuning>) -> TenantScope {
        let new = NewTenant {
            search,
            system_prompt: Some(format!("You speak for {id}.")),
            ..NewTenant::named(TenantId::parse(id).unwrap(), id)
        };
        self.tenants.create(&self.root, new).unwrap();
        self.scope(id)
    }

    pub(crate) fn scope(&self, id: &str) -> TenantScope {
        self.resolver
            .operator_scope(&self.root, &TenantId::parse(id).unwrap())
            .unwrap()
    }

    pub(crate) fn searcher(&self) -> Arc<Searcher> {
        Arc::new(Searcher::new(
            self.store.clone(),
            self.collections.clone(),
            self.embedders.clone(),
            self.reranker.clone(),
        ))
    }

    pub(crate) fn chat(&self, completer: Arc<dyn Completer>) -> Chat {
        Chat::new(ChatParts {
            searcher: self.searcher(),
            models: Arc::new(ChatModels::fixed(completer)),
            messages: self.store.clone(),
            usage: self.store.clone(),
            clock: self.clock.clone(),
        })
    }

    pub(crate) fn search(&self, scope: &TenantScope, request: &SearchRequest) -> SearchResult {
        self.searcher().search(scope, request).unwrap()
    }

    /// The texts that a search for `query` finds, best first, neighbours left apart.
    pub(crate) fn texts(&self, scope: &TenantScope, query: &str) -> Vec<String> {
        let request = SearchRequest {
            merge_neighbours: false,
            ..ask(query)
        };
        texts(&self.search(scope, &request))
    }

    /// Makes a volume searchable.
    pub(crate) fn shelve(&self, scope: &TenantScope, volume: &Volume) -> DocumentVersion {
        let (of, claimed) = self.write(scope, volume);
        self.publish(scope, volume, &claimed);
        of
    }

    /// Writes a volume's text and chunks, and stops right before they may be found.
    pub(crate) fn write(&self, scope: &TenantScope, volume: &Volume) -> (DocumentVersion, ClaimedJob) {
        let claimed = self.claim(scope, volume);
        let of = DocumentVersion {
            document: claimed.job.document,
            version: claimed.job.version,
        };
        let store = self.store.inner();
        let (now, until) = (self.clock.now(), self.lease_until());
        let segments = volume.pages();
        let held = store.add_segments(scope, &claimed.lease, &segments, now, until);
        assert_eq!(held.unwrap(), Held::Yes);
        let read = TextRead {
            media_type: MediaType::PlainText,
            format: TextFormat::Plain,
            title: volume.title.clone(),
            characters: length(&volume.text()),
            segments: u32::try_from(segments.len()).unwrap(),
        };
        assert_eq!(
            store.text_read(scope, &claimed.lease, &read, now).unwrap(),
            Held::Yes
        );
        let model = self.embedders.current_model();
        store.indexes(scope, model.as_ref(), now).unwrap();
        let index = scope.index(Generation::FIRST);
        self.vectors
            .upsert(index, of, &volume.metadata, &self.indexed(volume))
            .unwrap();
        (of, claimed)
    }

    pub(crate) fn publish(&self, scope: &TenantScope, volume: &Volume, claimed: &ClaimedJob) {
        let store = self.store.inner();
        let chunks = u32::try_from(volume.chunks().len()).unwrap();
        let published = store.publish(
            scope,
            &claimed.lease,
            chunks,
            &[Generation::FIRST],
            self.clock.now(),
        );
        assert_eq!(published.unwrap(), Published::Yes);
        assert!(
            store
                .settle(scope, &claimed.lease, &Settlement::Done, self.clock.now())
                .unwrap()
        );
    }

    fn claim(&self, scope: &TenantScope, volume: &Volume) -> ClaimedJob {
        let now = self.clock.now();
        let submission = Submission {
            source: SourceId::generate(now),
            document: volume.id,
            job: JobId::generate(now),
            external_id: volume.external_id.clone(),
            title: Some(volume.title.clone()),
            file_name: None,
            declared: None,
            metadata: volume.metadata.clone(),
            hash: content_hash(volume),
            at: now,
        };
        let store = self.store.inner();
        let submitted = store.submit(scope, &submission).unwrap();
        let claim = Claim {
            tenant: Some(scope.id().clone()),
            now,
            lease_until: self.lease_until(),
        };
        let claimed = store.claim(&claim).unwrap().unwrap();
        assert_eq!(claimed.job.id, submitted.job.id);
        claimed
    }

    fn lease_until(&self) -> Timestamp {
        let minute = i64::try_from(Duration::from_mins(1).as_micros()).unwrap();
        Timestamp::from_unix_micros(self.clock.now().unix_micros() + minute).unwrap()
    }

    fn indexed(&self, volume: &Volume) -> Vec<IndexedChunk> {
        let embedded = |text: &str| {
            let embedder = self.embedder.as_ref()?;
            embedder.embed(&[text]).unwrap().embeddings.pop()
        };
        let chunks = volume.chunks().into_iter().map(|chunk| IndexedChunk {
            context: volume.title.clone(),
            hash: hash(&chunk.text),
            embedding: embedded(&chunk.text),
            chunk,
        });
        chunks.collect()
    }
}

/// Two volumes are the same file when they have the same text and title.
fn content_hash(volume: &Volume) -> ContentHash {
    let text = format!("{}\n{}", volume.title, volume.text());
    let mut bytes = [0; 32];
    bytes[..16].copy_from_slice(hash(&text).as_bytes());
    ContentHash::from_bytes(bytes)
}

/// A request for ten hits.
pub(crate) fn ask(query: &str) -> SearchRequest {
    SearchRequest::new(query, TopK::new(10).unwrap())
}

pub(crate) fn texts(result: &SearchResult) -> Vec<String> {
    result.hits.iter().map(|hit| hit.chunk.text.clone()).collect()
}

/// Places texts by how often they speak of lateness, prices and hours; it reads no text with a `ñ`.
pub(crate) struct Themes;

impl Embedder for Themes {
    fn identity(&self) -> EmbeddingModel {
        EmbeddingModel {
            provider: "tests".into(),
            name: "themes".into(),
            dimension: Dimension::new(3).ok(),
        }
    }

    fn understands(&self, text: &str) -> bool {
        !text.contains('ñ')
    }

    fn embed(&self, texts: &[&str]) -> Result<Embedded, LlmError> {
        let place = |text: &&str| {
            let count = |word: &str| f32::from(u16::try_from(text.matches(word).count()).unwrap());
            Embedding::new(vec![
                count("late") + 0.1,
                count("price") + 0.1,
                count("hour") + 0.1,
            ])
            .unwrap()
        };
        Ok(Embedded {
            embeddings: texts.iter().map(place).collect(),
            tokens: None,
        })
    }
}
