//! Indexes that another tool fills are searched as they are, and cited by record.

use std::collections::BTreeMap;
use std::sync::Arc;

use secrecy::SecretString;
use tenantry_crypto::{KeyId, MemorySealer};
use tenantry_domain::{
    Dimension, ExternalIndex, Filter, ManualClock, MetadataValue, Origin, Span, SystemClock, TenantId,
    TenantScope, Timestamp,
};
use tenantry_llm_client::{Embedder, MemoryReranker, Reranker};
use tenantry_retrieval::{
    Asker, Chat, ChatModels, ChatParts, Collections, DenseSearch, Embedders, NewTenant, PineconeLookup,
    Question, Reranking, Resolver, SearchError, SearchRequest, Searcher, Superuser, TenantUpdate, Tenants,
};
use tenantry_tenant_store::MemoryStore;
use tenantry_vector_client::{
    IndexDescription, MemoryIndexCatalog, MemoryRecordIndex, MemoryRemoteStores, MemoryVectorStore, Metric,
};

use crate::library::{Themes, ask, texts};

const KEY: &str = "pcsk_0123456789abcdef_WXYZ";
const HOST: &str = "docs-abc.svc.pinecone.io";

/// One tenant whose index another tool has filled.
struct Foreign {
    records: Arc<MemoryRecordIndex>,
    scope: TenantScope,
    tenants: Tenants,
    documents: Arc<MemoryStore>,
    collections: Arc<Collections>,
    embedders: Arc<Embedders>,
}

impl Foreign {
    fn new(embedder: Option<Arc<dyn Embedder>>) -> Self {
        let clock = Arc::new(ManualClock::new(Timestamp::from_unix_micros(0).unwrap()));
        let store = Arc::new(MemoryStore::new());
        let resolver = Arc::new(Resolver::new(store.clone(), store.clone(), clock.clone()));
        let sealer = Arc::new(MemorySealer::new(KeyId::from_bytes([7; 8])));
        let catalog = Arc::new(MemoryIndexCatalog::default());
        let index = IndexDescription {
            name: "docs".into(),
            host: Some(HOST.into()),
            dimension: Dimension::new(3).ok(),
            metric: Some(Metric::Cosine),
            ready: true,
            environment: None,
        };
        catalog.set_account(KEY, vec![index]);
        let lookup = PineconeLookup::new(catalog, Dimension::new(3).ok());
        let remote = Arc::new(MemoryRemoteStores::default());
        let embedders = Arc::new(Embedders::new(embedder, Vec::new()));
        let local = Arc::new(MemoryVectorStore::default());
        let collections = Collections::new(local, store.clone(), embedders.clone(), clock.clone())
            .with_remote(remote.clone(), lookup.clone(), sealer.clone(), store.clone());
        let tenants = Tenants::new(store.clone(), sealer, lookup, resolver.clone(), clock);
        let id = TenantId::parse("acme").unwrap();
        let new = NewTenant {
            pinecone_api_key: Some(SecretString::from(KEY)),
            pinecone_external: Some(ExternalIndex {
                namespace: "handbook".into(),
                text_field: "body".into(),
            }),
            ..NewTenant::named(id.clone(), "Acme")
        };
        let root = Superuser::operator();
        tenants.create(&root, new).unwrap();
        Self {
            records: remote.records(HOST),
            scope: resolver.operator_scope(&root, &id).unwrap(),
            tenants,
            documents: store,
            collections: Arc::new(collections),
            embedders,
        }
    }

    fn of_themes() -> Self {
        let foreign = Self::new(Some(Arc::new(Themes)));
        foreign.put("handbook", "fee#1", &[("body", "late late price")]);
        foreign.put(
            "handbook",
            "fee#2",
            &[("body", "price of an hour"), ("title", "Prices"), ("lang", "en")],
        );
        foreign.put("handbook", "fee#3", &[("text", "late, in another field")]);
        foreign.put("secret", "fee#4", &[("body", "late late late")]);
        foreign
    }

    fn put(&self, namespace: &str, id: &str, fields: &[(&str, &str)]) {
        let embedding = Themes.embed(&[fields[0].1]).unwrap().embeddings.remove(0);
        let fields: BTreeMap<_, _> = fields
            .iter()
            .map(|(key, value)| ((*key).to_owned(), MetadataValue::Text((*value).into())))
            .collect();
        self.records.put(namespace, id, &embedding, fields).unwrap();
    }

    fn searcher(&self, reranker: Option<Arc<dyn Reranker>>) -> Arc<Searcher> {
        Arc::new(Searcher::new(
            self.documents.clone(),
            self.collections.clone(),
            self.embedders.clone(),
            reranker,
        ))
    }
}

#[test]
fn records_of_the_namespace_are_found_by_their_embeddings() {
    let foreign = Foreign::of_themes();
    let request = SearchRequest {
        explain: true,
        ..ask("late")
    };
    let result = foreign.searcher(None).search(&foreign.scope, &request).unwrap();
    assert_eq!(texts(&result), ["late late price", "price of an hour"]);
    let first = &result.hits[0];
    assert_eq!(first.origin, Origin::Record("fee#1".into()));
    assert_eq!(first.chunk.span, Span { start: 0, end: 15 });
    assert_eq!(
        (first.title.as_str(), result.hits[1].title.as_str()),
        ("fee#1", "Prices")
    );
    assert!(first.score.lexical.is_none() && first.score.dense.is_some());
    assert!((first.score.score - 1.0).abs() < 1e-6);
    let explanation = result.explanation.unwrap();
    assert!(!explanation.lexical);
    assert_eq!(explanation.dense, DenseSearch::Searched(Themes.identity()));
    for (hit, explained) in result.hits.iter().zip(&explanation.hits) {
        assert!((explained.dense.unwrap().part - hit.score.fused).abs() < 1e-6);
        assert_eq!(explained.chunks.len(), 1);
    }
}

#[test]
fn a_filter_asks_for_the_records_own_metadata() {
    let foreign = Foreign::of_themes();
    let english = Filter::Eq("lang".into(), MetadataValue::Text("en".into()));
    let request = SearchRequest {
        filter: Some(english),
        ..ask("late")
    };
    let result = foreign.searcher(None).search(&foreign.scope, &request).unwrap();
    assert_eq!(texts(&result), ["price of an hour"]);
}

#[test]
fn an_index_without_words_is_searched_by_embedding_in_any_language_and_says_so() {
    let foreign = Foreign::of_themes();
    let request = SearchRequest {
        explain: true,
        ..ask("año late")
    };
    let result = foreign.searcher(None).search(&foreign.scope, &request).unwrap();
    assert_eq!(result.hits.len(), 2);
    assert_eq!(
        result.explanation.unwrap().dense,
        DenseSearch::SearchedUnread(Themes.identity())
    );
}

#[test]
fn records_can_be_reranked_and_made_diverse() {
    let foreign = Foreign::of_themes();
    let searcher = foreign.searcher(Some(Arc::new(MemoryReranker)));
    let request = SearchRequest {
        diversity: Some(0.3),
        ..ask("an hour")
    };
    let result = searcher.search(&foreign.scope, &request).unwrap();
    assert!(matches!(result.reranking, Reranking::Done));
    assert_eq!(result.hits[0].origin, Origin::Record("fee#2".into()));
}

#[test]
fn without_a_model_such_an_index_cannot_be_searched() {
    let foreign = Foreign::new(None);
    let refused = foreign.searcher(None).search(&foreign.scope, &ask("late"));
    assert!(matches!(refused, Err(SearchError::NoModel)));
}

#[test]
fn an_answer_cites_records() {
    let foreign = Foreign::of_themes();
    let chat = Chat::new(ChatParts {
        searcher: foreign.searcher(None),
        models: Arc::new(ChatModels::extractive()),
        messages: foreign.documents.clone(),
        usage: foreign.documents.clone(),
        clock: Arc::new(SystemClock),
    });
    let question = Question::alone("What is the price of an hour?");
    let answer = chat.answer(&foreign.scope, &Asker::operator(), question).unwrap();
    assert!(
        answer.text.contains("[2]") || answer.text.contains("[1]"),
        "{}",
        answer.text
    );
    let origins: Vec<_> = answer
        .sources
        .iter()
        .map(|source| source.hit.origin.clone())
        .collect();
    assert!(origins.contains(&Origin::Record("fee#2".into())));
}

#[test]
fn a_namespace_is_read_no_more_when_it_became_another_tenants_own() {
    let foreign = Foreign::of_themes();
    let searcher = foreign.searcher(None);
    let new = |id: &str, key: Option<&str>| NewTenant {
        pinecone_api_key: key.map(SecretString::from),
        ..NewTenant::named(TenantId::parse(id).unwrap(), "Other")
    };
    let root = Superuser::operator();
    // Its id is the namespace that is read, but its chunks are not in Pinecone.
    foreign.tenants.create(&root, new("handbook", None)).unwrap();
    assert!(searcher.search(&foreign.scope, &ask("late")).is_ok());
    let update = TenantUpdate {
        pinecone_api_key: Some(SecretString::from(KEY)),
        ..TenantUpdate::default()
    };
    let id = TenantId::parse("handbook").unwrap();
    foreign.tenants.update(&root, &id, &update).unwrap();
    let refused = searcher.search(&foreign.scope, &ask("late")).unwrap_err();
    assert!(matches!(refused, SearchError::Collection(_)), "{refused:?}");
}
