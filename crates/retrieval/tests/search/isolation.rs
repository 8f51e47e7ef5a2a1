//! Two tenants with the same document ids never read a byte of each other, whatever is asked and whatever fails.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use tenantry_domain::{Filter, Fusion, MetadataValue, TenantScope, TopK};
use tenantry_llm_client::{LlmError, MemoryEmbedder, MemoryReranker, Reranker};
use tenantry_retrieval::{SearchError, SearchRequest, SearchResult};
use tenantry_tenant_store::testing::{failed, unavailable};
use tenantry_vector_client::conformance::{self, Random};
use tenantry_vector_client::testing::Operation;
use tenantry_vector_client::{
    EmbeddedOptions, EmbeddedVectorStore, HybridStore, MemoryVectorStore, VectorError, VectorStore,
};

use crate::library::{Library, Volume};

/// Ids of which one begins as the other, so that a prefix is no boundary; and what all of a tenant's own words have in them.
const TENANTS: [(&str, &str); 2] = [("acme", "alphamarker"), ("acme-2", "betamarker")];
const DOCUMENTS: u8 = 4;

/// Fills both tenants with documents of the same ids, external ids, versions and ordinals.
fn fill(library: &Library, random: &mut Random) {
    for (tenant, marker) in TENANTS {
        let scope = library.tenant(tenant);
        for n in 0..DOCUMENTS {
            for version in 0..=random.below(2) {
                let mut volume = volume(random, n, marker);
                volume.title = format!("{} v{version}", volume.title);
                library.shelve(&scope, &volume);
            }
        }
        // One that is never published.
        library.write(
            &scope,
            &Volume {
                id: conformance::document(99),
                ..volume(random, 99, marker)
            },
        );
    }
}

fn volume(random: &mut Random, n: u8, marker: &str) -> Volume {
    let chunk = |n: u32| format!("late return {marker} chapter {n} of apples");
    let chunks: Vec<String> = (0..=random.below(4)).map(chunk).collect();
    let chunks: Vec<&str> = chunks.iter().map(String::as_str).collect();
    let mut values: BTreeMap<_, _> = random
        .metadata()
        .iter()
        .map(|(key, value)| (key.to_owned(), value.clone()))
        .collect();
    values.insert("owner".into(), MetadataValue::Text(marker.into()));
    Volume {
        id: conformance::document(n),
        metadata: tenantry_domain::Metadata::new(values).unwrap(),
        ..Volume::of(&format!("Title {marker} {n}"), &chunks)
    }
    .known_as(&format!("file-{n}"))
}

/// A request at random; its query, filter and settings are a stranger's.
#[derive(Debug, Clone)]
struct Question {
    query: String,
    seed: u64,
    limit: u16,
    diversity: Option<f32>,
    min_score: Option<f32>,
    merge_neighbours: bool,
    rerank: bool,
    fusion: Option<(f32, f32, f32)>,
    fault: u8,
}

fn question() -> impl Strategy<Value = Question> {
    let query = prop_oneof![
        Just("alphamarker betamarker".to_owned()),
        Just("late return apples".to_owned()),
        Just("acme-2 file-1 Title betamarker".to_owned()),
        Just(conformance::document(1).to_string()),
        Just("apples\" OR tenant_id:acme-2 --'; DROP TABLE chunks; $.owner ${x} \\".to_owned()),
        "\\PC{1,60}",
        "[a-z\" *:^(){}'%;$-]{1,60}",
    ];
    let fusion = proptest::option::of((1.0..100.0_f32, 0.0..10.0_f32, 0.1..10.0_f32));
    (
        query,
        any::<u64>(),
        1..=100_u16,
        proptest::option::of(0.0..=1.0_f32),
        proptest::option::of(0.0..0.5_f32),
        any::<bool>(),
        any::<bool>(),
        fusion,
        0..10_u8,
    )
        .prop_map(
            |(query, seed, limit, diversity, min_score, merge_neighbours, rerank, fusion, fault)| Question {
                query,
                seed,
                limit,
                diversity,
                min_score,
                merge_neighbours,
                rerank,
                fusion,
                fault,
            },
        )
}

impl Question {
    fn request(&self) -> SearchRequest {
        let fusion = |(k, dense, lexical)| Fusion::new(k, dense, lexical).unwrap();
        SearchRequest {
            filter: self.filter(),
            min_score: self.min_score,
            fusion: self.fusion.map(fusion),
            diversity: self.diversity,
            merge_neighbours: self.merge_neighbours,
            rerank: Some(self.rerank),
            explain: true,
            ..SearchRequest::new(self.query.clone(), TopK::new(self.limit).unwrap())
        }
    }

    /// Also one that asks for the other tenant by name, or for everything.
    fn filter(&self) -> Option<Filter> {
        let mut random = Random::new(self.seed);
        let (_, marker) = *random.pick(&TENANTS);
        let owner = MetadataValue::Text(marker.into());
        match random.below(6) {
            0 => None,
            1 => Some(Filter::Eq("owner".into(), owner)),
            2 => Some(Filter::Or(vec![
                random.filter(),
                Filter::Ne("owner".into(), owner),
            ])),
            3 => Some(Filter::Eq(
                "tenant_id".into(),
                MetadataValue::Text("acme-2".into()),
            )),
            4 => Some(Filter::Not(Box::new(random.filter()))),
            _ => Some(random.filter()),
        }
    }
}

/// Lets one step fail, for some faults.
fn break_something(library: &Library, fault: u8) {
    match fault {
        0 => library
            .vectors
            .fail_next(Operation::Search, VectorError::Unavailable("scripted".into())),
        1 => library
            .store
            .fail_when(|method| (method == "ready_documents").then(unavailable)),
        2 => library
            .store
            .fail_when(|method| (method == "segments").then(failed)),
        3 => library
            .store
            .fail_when(|method| (method == "indexes").then(unavailable)),
        _ => {}
    }
}

/// Asks for both tenants, and gives how many hits there were.
fn check(library: &Library, question: &Question) -> Result<u32, TestCaseError> {
    let request = question.request();
    let mut found = 0;
    for (which, (tenant, _)) in TENANTS.iter().enumerate() {
        let (_, foreign) = TENANTS[1 - which];
        let scope = library.scope(tenant);
        break_something(library, question.fault);
        let result = library.searcher().search(&scope, &request);
        library.store.heal();
        check_result(&scope, &request, &result, foreign)?;
        found += result.map_or(0, |result| u32::try_from(result.hits.len()).unwrap());
    }
    Ok(found)
}

/// Everything that a caller could be shown has no byte of the foreign text in it, the query's own words aside.
fn check_result(
    scope: &TenantScope,
    request: &SearchRequest,
    result: &Result<SearchResult, SearchError>,
    foreign: &str,
) -> Result<(), TestCaseError> {
    match result {
        Ok(result) => {
            for hit in &result.hits {
                let shown = format!("{hit:?}");
                prop_assert!(!shown.contains(foreign), "{} was shown {shown}", scope.id());
            }
            let explained = format!("{:?}", result.explanation);
            prop_assert!(
                !explained.contains(foreign),
                "{} was told {explained}",
                scope.id()
            );
            prop_assert!(result.hits.len() <= usize::from(request.limit.get()));
        }
        Err(error) => {
            let mut cause: Option<&dyn std::error::Error> = Some(error);
            while let Some(error) = cause {
                let said = format!("{error} {error:?}");
                prop_assert!(!said.contains(foreign), "{} was told {said}", scope.id());
                cause = error.source();
            }
        }
    }
    Ok(())
}

fn run(vectors: Arc<dyn VectorStore>, cases: u32) {
    let library = Library::on(vectors, Some(Arc::new(MemoryEmbedder))).with_reranker(Arc::new(Moody));
    fill(&library, &mut Random::new(7));
    for (tenant, marker) in TENANTS {
        let found = library.texts(&library.scope(tenant), "late return");
        assert!(found.len() >= usize::from(DOCUMENTS), "{found:?}");
        assert!(found.iter().all(|text| text.contains(marker)));
    }
    let config = ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(cases)
    };
    let found = Cell::new(0);
    proptest!(config, |(question in question())| found.set(found.get() + check(&library, &question)?));
    assert!(
        found.get() > cases,
        "the questions found {} hits in all",
        found.get()
    );
}

/// Ranks by shared words, and fails for every query of odd length.
struct Moody;

impl Reranker for Moody {
    fn model(&self) -> &'static str {
        "moody"
    }

    fn rerank(&self, query: &str, passages: &[&str]) -> Result<Vec<f32>, LlmError> {
        if query.len() % 2 == 1 {
            return Err(LlmError::Unavailable("scripted".into()));
        }
        MemoryReranker.rerank(query, passages)
    }
}

#[test]
fn no_question_reads_another_tenants_text_in_memory() {
    run(Arc::new(MemoryVectorStore::default()), 300);
}

#[test]
fn no_question_reads_another_tenants_text_in_two_stores_together() {
    let memory = || Arc::new(MemoryVectorStore::default());
    run(Arc::new(HybridStore::new(memory(), memory())), 100);
}

#[test]
fn no_question_reads_another_tenants_text_in_files() {
    let folder = tempfile::tempdir().unwrap();
    let store = EmbeddedVectorStore::open(folder.path(), EmbeddedOptions::default()).unwrap();
    run(Arc::new(store), 100);
}
