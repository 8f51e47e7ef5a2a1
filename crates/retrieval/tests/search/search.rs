//! A search finds what may be found, ranks it as it was told to, and can say why.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tenantry_domain::{
    ChunkHash, DocumentId, DocumentState, DocumentVersion, Embedding, EmbeddingModel, Filter, Fusion,
    Generation, IndexScope, JobId, Metadata, MetadataValue, Origin, TopK,
};
use tenantry_llm_client::{Embedder, FailingEmbedder, FailingReranker, LlmError, MemoryReranker, Reranker};
use tenantry_retrieval::{DenseSearch, Reranking, SearchError, SearchRequest, SearchTuning};
use tenantry_tenant_store::testing::unavailable;
use tenantry_tenant_store::{DocumentStore, IndexStore};
use tenantry_vector_client::testing::Operation;
use tenantry_vector_client::{
    IndexedChunk, Match, MemoryVectorStore, StoredVersion, VectorError, VectorQuery, VectorStore,
};

use crate::library::{Library, Themes, Volume, ask, texts};

fn top(n: u16) -> TopK {
    TopK::new(n).unwrap()
}

fn lang(language: &str) -> Filter {
    Filter::Eq("lang".into(), MetadataValue::Text(language.into()))
}

#[test]
fn a_hit_names_its_document_and_the_text_at_its_offsets_is_the_chunk() {
    let library = Library::of_words();
    let acme = library.tenant("acme");
    let rules = Volume::of(
        "House rules",
        &[
            "Opening hours are nine to five.",
            "A late return costs three euros.",
        ],
    );
    let of = library.shelve(&acme, &rules);
    let result = library.search(&acme, &ask("late return"));
    assert_eq!(result.hits.len(), 1);
    let hit = &result.hits[0];
    assert_eq!(
        (&hit.origin, hit.title.as_str()),
        (&Origin::Document(of.document), "House rules")
    );
    assert_eq!(hit.chunk.text, "A late return costs three euros.");
    assert_eq!(hit.chunk.span.slice(&rules.text()), hit.chunk.text);
    assert!(result.explanation.is_none() && matches!(result.reranking, Reranking::Off));
}

#[test]
fn a_document_is_found_once_it_is_ready_and_not_before() {
    let library = Library::of_words();
    let acme = library.tenant("acme");
    let fees = Volume::of("Fees", &["A late return costs three euros."]);
    let (_, claimed) = library.write(&acme, &fees);
    assert_eq!(library.texts(&acme, "late return"), [""; 0]);
    library.publish(&acme, &fees, &claimed);
    assert_eq!(library.texts(&acme, "late return").len(), 1);
}

#[test]
fn the_old_version_is_found_until_the_new_one_is_ready_and_never_after() {
    let library = Library::of_words();
    let acme = library.tenant("acme");
    library.shelve(
        &acme,
        &Volume::of("Fees", &["A late return costs three euros."]).known_as("fees"),
    );
    let new = Volume::of("New fees", &["A late return costs four euros."]).known_as("fees");
    let (_, claimed) = library.write(&acme, &new);
    assert_eq!(
        library.texts(&acme, "late return"),
        ["A late return costs three euros."]
    );
    library.publish(&acme, &new, &claimed);
    // The old version's chunks were never removed from the vector store.
    assert_eq!(library.vectors.count(acme.index(Generation::FIRST)).unwrap(), 2);
    let result = library.search(
        &acme,
        &SearchRequest {
            explain: true,
            ..ask("late return")
        },
    );
    assert_eq!(texts(&result), ["A late return costs four euros."]);
    assert_eq!(result.hits[0].title, "New fees");
    assert_eq!(result.explanation.unwrap().counts.not_ready, 1);
}

#[test]
fn a_document_that_is_being_removed_is_not_found() {
    let library = Library::of_words();
    let acme = library.tenant("acme");
    let of = library.shelve(&acme, &Volume::of("Fees", &["A late return costs three euros."]));
    let now = tenantry_domain::Clock::now(library.clock.as_ref());
    library
        .store
        .inner()
        .remove_document(&acme, of.document, JobId::generate(now), now)
        .unwrap();
    assert_eq!(library.texts(&acme, "late return"), [""; 0]);
    let document = library.store.inner().document(&acme, of.document).unwrap();
    assert!(document.is_none_or(|document| document.state == DocumentState::Deleting));
}

#[test]
fn the_same_query_finds_each_tenants_own_document() {
    let library = Library::of_themes();
    for (tenant, fee) in [("acme", "three euros"), ("other", "ten francs")] {
        let scope = library.tenant(tenant);
        library.shelve(
            &scope,
            &Volume::of("Fees", &[&format!("A late return costs {fee}.")]),
        );
    }
    assert_eq!(
        library.texts(&library.scope("acme"), "late return"),
        ["A late return costs three euros."]
    );
    assert_eq!(
        library.texts(&library.scope("other"), "late return"),
        ["A late return costs ten francs."]
    );
}

/// A store that searches without the filter, as one with a mistake would.
struct Unfiltered(MemoryVectorStore);

impl VectorStore for Unfiltered {
    fn upsert(
        &self,
        index: IndexScope<'_>,
        of: DocumentVersion,
        metadata: &Metadata,
        chunks: &[IndexedChunk],
    ) -> Result<(), VectorError> {
        self.0.upsert(index, of, metadata, chunks)
    }

    fn search(&self, index: IndexScope<'_>, query: VectorQuery<'_>) -> Result<Vec<Match>, VectorError> {
        self.0.search(
            index,
            VectorQuery {
                filter: None,
                ..query
            },
        )
    }

    fn embeddings(
        &self,
        index: IndexScope<'_>,
        document: DocumentId,
        hashes: &[ChunkHash],
    ) -> Result<std::collections::HashMap<ChunkHash, Embedding>, VectorError> {
        self.0.embeddings(index, document, hashes)
    }

    fn remove(
        &self,
        index: IndexScope<'_>,
        document: DocumentId,
        keep: Option<u32>,
    ) -> Result<(), VectorError> {
        self.0.remove(index, document, keep)
    }

    fn clear(&self, index: IndexScope<'_>) -> Result<(), VectorError> {
        self.0.clear(index)
    }

    fn count(&self, index: IndexScope<'_>) -> Result<u64, VectorError> {
        self.0.count(index)
    }

    fn contents(&self, index: IndexScope<'_>) -> Result<Vec<StoredVersion>, VectorError> {
        self.0.contents(index)
    }
}

#[test]
fn a_filter_narrows_what_is_found_even_where_the_store_forgets_it() {
    let libraries = [
        Library::of_words(),
        Library::of_themes(),
        Library::on(Arc::new(Unfiltered(MemoryVectorStore::default())), None),
    ];
    for library in libraries {
        let acme = library.tenant("acme");
        library.shelve(
            &acme,
            &Volume::of("Fees", &["A late return costs three euros."]).with("lang", "en"),
        );
        library.shelve(
            &acme,
            &Volume::of("Tarif", &["Un late return coûte trois euros."]).with("lang", "fr"),
        );
        let found = |filter| {
            let result = library.search(
                &acme,
                &SearchRequest {
                    filter: Some(filter),
                    ..ask("late return")
                },
            );
            let mut titles: Vec<_> = result.hits.into_iter().map(|hit| hit.title).collect();
            titles.sort();
            titles
        };
        assert_eq!(found(lang("en")), ["Fees"]);
        assert_eq!(found(Filter::Not(Box::new(lang("en")))), ["Tarif"]);
        assert_eq!(found(Filter::Or(vec![lang("en"), lang("fr")])), ["Fees", "Tarif"]);
        assert_eq!(found(Filter::And(vec![lang("en"), lang("fr")])), [""; 0]);
        assert_eq!(found(Filter::Or(vec![])), [""; 0]);
    }
}

#[test]
fn a_rare_document_that_passes_is_found_behind_a_thousand_that_do_not() {
    let library = Library::of_words();
    let acme = library.tenant("acme");
    let rare = "Somewhere in this long text a late return is spoken of, once, among a lot of other things.";
    library.shelve(&acme, &Volume::of("Rare", &[rare]).with("lang", "en"));
    library.shelve(
        &acme,
        &Volume::of("Many", &vec!["late return"; 1_100]).with("lang", "fr"),
    );
    let request = SearchRequest {
        filter: Some(lang("en")),
        ..ask("late return")
    };
    assert_eq!(texts(&library.search(&acme, &request)), [rare]);
}

#[test]
fn no_filter_reaches_beyond_the_tenant() {
    let library = Library::of_words();
    let (acme, other) = (library.tenant("acme"), library.tenant("other"));
    library.shelve(&acme, &Volume::of("Ours", &["late return"]).with("lang", "en"));
    library.shelve(&other, &Volume::of("Theirs", &["late return"]).with("lang", "fr"));
    for filter in [
        Filter::And(vec![]),
        Filter::Ne("lang".into(), MetadataValue::Text("en".into())),
        lang("fr"),
    ] {
        let everything = Filter::Or(vec![filter.clone(), Filter::Not(Box::new(filter))]);
        let result = library.search(
            &acme,
            &SearchRequest {
                filter: Some(everything),
                ..ask("late return")
            },
        );
        assert_eq!(
            result
                .hits
                .iter()
                .map(|hit| hit.title.as_str())
                .collect::<Vec<_>>(),
            ["Ours"]
        );
    }
}

#[test]
fn more_candidates_are_asked_for_when_most_may_not_be_shown() {
    let library = Library::of_words();
    let acme = library.tenant("acme");
    let fees = "A late return costs three euros in the long run, whatever else was said about it before.";
    library.shelve(&acme, &Volume::of("Fees", &[fees]));
    let unready = Volume::of("Draft", &["late return"; 300]);
    library.write(&acme, &unready);
    let request = SearchRequest {
        limit: top(1),
        explain: true,
        ..ask("late return")
    };
    let result = library.search(&acme, &request);
    assert_eq!(texts(&result), [fees]);
    let counts = result.explanation.unwrap().counts;
    assert_eq!((counts.asked, counts.found, counts.not_ready), (800, 301, 300));
}

#[test]
fn a_tenants_weights_decide_and_a_requests_go_before_them() {
    let library = Library::of_themes();
    let by_words = SearchTuning {
        dense_weight: Some(0.0),
        ..SearchTuning::default()
    };
    let by_meaning = SearchTuning {
        lexical_weight: Some(0.0),
        ..SearchTuning::default()
    };
    for (tenant, tuning) in [("words", by_words), ("meaning", by_meaning)] {
        let scope = library.tuned(tenant, Some(tuning));
        library.shelve(&scope, &Volume::of("A", &["price price price list"]));
        library.shelve(&scope, &Volume::of("B", &["the cost of a ticket"]));
    }
    // Of "prices" the words find nothing in A, but the theme does; of "ticket" only the words know.
    assert_eq!(
        library.texts(&library.scope("words"), "ticket prices"),
        ["the cost of a ticket"]
    );
    assert_eq!(
        library.texts(&library.scope("meaning"), "ticket prices")[0],
        "price price price list"
    );
    let request = SearchRequest {
        fusion: Some(Fusion::new(10.0, 1.0, 0.0).unwrap()),
        ..ask("ticket prices")
    };
    let result = library.search(&library.scope("words"), &request);
    assert_eq!(texts(&result)[0], "price price price list");
}

#[test]
fn hits_below_the_minimum_score_are_left_out() {
    let library = Library::of_words();
    let tuning = SearchTuning {
        min_score: Some(0.95),
        ..SearchTuning::default()
    };
    let strict = library.tuned("strict", Some(tuning));
    for title in ["A", "B", "C"] {
        library.shelve(&strict, &Volume::of(title, &["A late return costs three euros."]));
    }
    let counted = |min_score| {
        let result = library.search(
            &strict,
            &SearchRequest {
                min_score,
                explain: true,
                ..ask("late return")
            },
        );
        (
            result.hits.len(),
            result.explanation.unwrap().counts.below_min_score,
        )
    };
    // By words alone the second scores 11/12, the third 11/13.
    assert_eq!(counted(None), (1, 2));
    assert_eq!(counted(Some(0.9)), (2, 1));
    assert_eq!(counted(Some(0.0)), (3, 0));
}

#[test]
fn diversity_brings_up_what_is_new() {
    let library = Library::of_themes();
    let acme = library.tenant("acme");
    let fees = [
        "The late late fee of a return is high.",
        "The late late fee of a return is steep.",
    ];
    let hours = "An hour after the return the desk closes.";
    for text in [fees[0], fees[1], hours] {
        library.shelve(&acme, &Volume::of("Rules", &[text]));
    }
    let searched = |diversity| {
        let result = library.search(
            &acme,
            &SearchRequest {
                diversity,
                explain: true,
                ..ask("late fee return")
            },
        );
        (texts(&result), result.explanation.unwrap())
    };
    let (plain, explanation) = searched(None);
    assert_eq!(plain[2], hours);
    assert!(explanation.hits.iter().all(|hit| hit.diversity.is_none()));
    assert_eq!(searched(Some(0.0)).0, plain);
    let (diverse, explanation) = searched(Some(0.7));
    assert_eq!(diverse[1], hours);
    assert_eq!(diverse[0], plain[0]);
    let moved = &explanation.hits[1];
    assert_eq!(moved.relevance_place, 3);
    let repeated = explanation.hits[2].diversity.unwrap();
    assert!(repeated.similarity > 0.99 && moved.diversity.unwrap().similarity < 0.9);
}

#[test]
fn embeddings_tell_what_says_the_same_in_other_words() {
    let library = Library::of_themes();
    let acme = library.tenant("acme");
    let (fee, same) = ("late late fee", "late late surcharge on what comes back");
    let other = "a price list";
    for text in [fee, same, other] {
        library.shelve(&acme, &Volume::of("Rules", &[text]));
    }
    let request = SearchRequest {
        diversity: Some(0.5),
        ..ask("late fee")
    };
    assert_eq!(library.texts(&acme, "late fee"), [fee, same, other]);
    assert_eq!(texts(&library.search(&acme, &request)), [fee, other, same]);
}

fn chapters() -> Volume {
    let mut chapters = Volume::of(
        "Chapters",
        &["The late fee, one.", "The late fee, two.", "Opening hours."],
    );
    chapters.segments.push(vec![
        "The late fee, four.".into(),
        "The late fee, five ☕.".into(),
    ]);
    chapters
}

#[test]
fn neighbours_that_are_found_become_one_hit() {
    let library = Library::of_words();
    let acme = library.tenant("acme");
    let chapters = chapters();
    let of = library.shelve(&acme, &chapters);
    let result = library.search(
        &acme,
        &SearchRequest {
            explain: true,
            ..ask("late fee")
        },
    );
    let mut found = texts(&result);
    found.sort();
    assert_eq!(
        found,
        [
            "The late fee, four.\n\nThe late fee, five ☕.",
            "The late fee, one.\n\nThe late fee, two.",
        ]
    );
    for (hit, explained) in result.hits.iter().zip(&result.explanation.unwrap().hits) {
        assert_eq!(hit.chunk.span.slice(&chapters.text()), hit.chunk.text);
        assert_eq!(hit.origin, Origin::Document(of.document));
        let scores = explained.chunks.iter().map(|chunk| chunk.score);
        assert_eq!(explained.chunks.len(), 2);
        assert!((scores.fold(0.0, f32::max) - hit.score.score).abs() < f32::EPSILON);
        assert!(explained.chunks[0].ordinal + 1 == explained.chunks[1].ordinal);
    }
    assert_eq!(library.texts(&acme, "late fee").len(), 4);
}

#[test]
fn neighbours_in_two_segments_become_one_hit() {
    let library = Library::of_words();
    let acme = library.tenant("acme");
    let mut volume = Volume::of("Notes", &["Late fees begin."]);
    volume.segments.push(vec!["Late fees go on.".into()]);
    library.shelve(&acme, &volume);
    assert_eq!(
        texts(&library.search(&acme, &ask("late fees"))),
        ["Late fees begin.\n\nLate fees go on."]
    );
}

#[test]
fn a_limit_counts_hits_after_they_were_merged() {
    let library = Library::of_words();
    let acme = library.tenant("acme");
    library.shelve(&acme, &chapters());
    let found = |limit| {
        library
            .search(
                &acme,
                &SearchRequest {
                    limit: top(limit),
                    ..ask("late fee")
                },
            )
            .hits
            .len()
    };
    assert_eq!((found(1), found(2), found(10)), (1, 2, 2));
}

#[test]
fn the_text_between_neighbours_is_found_in_a_long_document_by_few_reads() {
    let library = Library::of_words();
    let acme = library.tenant("acme");
    let mut long = Volume::of("Long", &["nothing"]);
    for n in 0..2_000 {
        // Segments of uneven length.
        let filler = "word ".repeat(n % 7);
        long.segments.push(vec![
            format!("{filler} one{n} begins"),
            format!("{filler} one{n} ends"),
        ]);
    }
    library.shelve(&acme, &long);
    let text = long.text();
    let reads = Arc::new(AtomicUsize::new(0));
    let counter = reads.clone();
    library.store.fail_when(move |method| {
        counter.fetch_add(usize::from(method == "segments"), Ordering::SeqCst);
        None
    });
    for n in [0, 1, 999, 1_500, 1_999] {
        reads.store(0, Ordering::SeqCst);
        let result = library.search(&acme, &ask(&format!("one{n}")));
        assert_eq!(result.hits.len(), 1, "{n}");
        let chunk = &result.hits[0].chunk;
        assert!(
            chunk.text.contains("begins") && chunk.text.ends_with("ends"),
            "{chunk:?}"
        );
        assert_eq!(chunk.span.slice(&text), chunk.text);
        let reads = reads.load(Ordering::SeqCst);
        assert!(reads <= 15, "{reads} reads for {n}");
    }
}

#[test]
fn chunks_stay_apart_when_the_text_between_them_is_not_theirs() {
    let library = Library::of_words();
    let acme = library.tenant("acme");
    let volume = Volume::of("Notes", &["Late fees begin.", "Late fees go on."]);
    let of = library.shelve(&acme, &volume);
    let mut chunks: Vec<IndexedChunk> = Vec::new();
    let index = acme.index(Generation::FIRST);
    for found in library
        .vectors
        .search(index, VectorQuery::words("fees", top(10)))
        .unwrap()
    {
        let mut chunk = found.chunk;
        chunk.text = chunk.text.replace("Late", "Lost");
        chunks.push(IndexedChunk {
            context: String::new(),
            hash: tenantry_vector_client::conformance::hash(&chunk.text),
            embedding: None,
            chunk,
        });
    }
    library
        .vectors
        .upsert(index, of, &Metadata::default(), &chunks)
        .unwrap();
    let mut found = texts(&library.search(&acme, &ask("lost fees")));
    found.sort();
    assert_eq!(found, ["Lost fees begin.", "Lost fees go on."]);
    let one = SearchRequest {
        limit: top(1),
        explain: true,
        ..ask("lost fees")
    };
    let result = library.search(&acme, &one);
    assert_eq!(
        (result.hits.len(), result.explanation.unwrap().hits.len()),
        (1, 1)
    );
}

/// Scores passages by their length and keeps what it was given.
#[derive(Default)]
struct Longest {
    seen: Mutex<Vec<String>>,
}

impl Reranker for Longest {
    fn model(&self) -> &'static str {
        "longest"
    }

    fn rerank(&self, _: &str, passages: &[&str]) -> Result<Vec<f32>, LlmError> {
        self.seen
            .lock()
            .unwrap()
            .extend(passages.iter().map(|&passage| passage.to_owned()));
        let length = |passage: &&str| f32::from(u16::try_from(passage.len()).unwrap()) / 1_000.0;
        Ok(passages.iter().map(length).collect())
    }
}

fn three_fees(library: &Library) -> tenantry_domain::TenantScope {
    let acme = library.tenant("acme");
    for text in [
        "late return",
        "late return of a book",
        "late return of a book or of a record",
    ] {
        library.shelve(&acme, &Volume::of("Fees", &[text]));
    }
    acme
}

#[test]
fn a_reranker_orders_the_best_candidates_and_gives_the_score() {
    let longest = Arc::new(Longest::default());
    let library = Library::of_words().with_reranker(longest.clone());
    let acme = three_fees(&library);
    let plain = library.search(
        &acme,
        &SearchRequest {
            rerank: Some(false),
            ..ask("late return")
        },
    );
    assert!(matches!(plain.reranking, Reranking::Off) && longest.seen.lock().unwrap().is_empty());
    let result = library.search(
        &acme,
        &SearchRequest {
            explain: true,
            ..ask("late return")
        },
    );
    assert!(matches!(result.reranking, Reranking::Done));
    assert_eq!(texts(&result)[0], "late return of a book or of a record");
    let best = &result.hits[0];
    assert_eq!(best.score.rerank, Some(best.score.score));
    assert!(result.hits.is_sorted_by(|a, b| a.score.score >= b.score.score));
    assert!(best.score.fused < 1.0, "the fused score stays what it was");
    let explained = &result.explanation.unwrap().hits[0];
    assert_eq!((explained.fused_place, explained.relevance_place), (3, 1));
    assert!(
        longest.seen.lock().unwrap()[0].starts_with("Fees\n"),
        "with its title"
    );
}

#[test]
fn a_minimum_score_after_reranking_is_the_rerankers() {
    let library = Library::of_words().with_reranker(Arc::new(Longest::default()));
    let acme = three_fees(&library);
    let request = SearchRequest {
        min_score: Some(0.02),
        ..ask("late return")
    };
    assert_eq!(library.search(&acme, &request).hits.len(), 2);
}

#[test]
fn a_reranker_that_fails_leaves_the_fused_order_and_the_result_says_so() {
    let failing = FailingReranker::new(|| LlmError::Unavailable("scripted".into()));
    let library = Library::of_words().with_reranker(Arc::new(failing));
    let acme = three_fees(&library);
    let result = library.search(&acme, &ask("late return"));
    assert!(matches!(
        result.reranking,
        Reranking::Failed(LlmError::Unavailable(_))
    ));
    let unranked = library.search(
        &acme,
        &SearchRequest {
            rerank: Some(false),
            ..ask("late return")
        },
    );
    assert_eq!(result.hits, unranked.hits);
}

#[test]
fn no_more_than_a_hundred_candidates_are_reranked() {
    let longest = Arc::new(Longest::default());
    let library = Library::of_words().with_reranker(longest.clone());
    let acme = library.tenant("acme");
    library.shelve(&acme, &Volume::of("Fees", &["late return"; 300]));
    let mut request = SearchRequest {
        explain: true,
        ..ask("late return")
    };
    for (limit, reranked) in [(1, 50), (30, 60), (100, 100)] {
        request.limit = top(limit);
        longest.seen.lock().unwrap().clear();
        let result = library.search(&acme, &request);
        assert_eq!(longest.seen.lock().unwrap().len(), reranked);
        assert!(result.hits.iter().all(|hit| hit.score.rerank.is_some()));
        let counts = result.explanation.unwrap().counts;
        assert_eq!(counts.found, counts.not_reranked + reranked);
    }
}

#[test]
fn a_reranker_that_is_asked_for_and_not_there_is_refused() {
    let library = Library::of_words();
    let acme = three_fees(&library);
    let request = SearchRequest {
        rerank: Some(true),
        ..ask("late return")
    };
    match library.searcher().search(&acme, &request) {
        Err(SearchError::Invalid(invalid)) => assert_eq!(invalid.field, "rerank"),
        other => panic!("{other:?}"),
    }
    let library = Library::of_words().with_reranker(Arc::new(MemoryReranker));
    let acme = three_fees(&library);
    assert!(library.searcher().search(&acme, &request).is_ok());
}

#[test]
fn a_query_that_the_model_does_not_read_is_searched_by_words_alone() {
    let library = Library::of_themes();
    let acme = library.tenant("acme");
    library.shelve(
        &acme,
        &Volume::of("Fees", &["late late price", "el precio del año"]),
    );
    let request = |query| SearchRequest {
        explain: true,
        merge_neighbours: false,
        ..ask(query)
    };
    let result = library.search(&acme, &request("precio del año"));
    assert_eq!(texts(&result), ["el precio del año"]);
    assert!(result.hits[0].score.dense.is_none());
    let explanation = result.explanation.unwrap();
    assert_eq!(explanation.dense, DenseSearch::UnreadLanguage(Themes.identity()));
    assert!(explanation.lexical);
    let result = library.search(&acme, &request("precio del late"));
    assert_eq!(
        result.explanation.unwrap().dense,
        DenseSearch::Searched(Themes.identity())
    );
    assert_eq!(result.hits.len(), 2);
}

#[test]
fn a_query_is_not_embedded_where_embeddings_count_for_nothing() {
    let failing = || FailingEmbedder::new(|| LlmError::Unavailable("scripted".into()));
    let library = Library::on(Arc::new(MemoryVectorStore::default()), Some(Arc::new(failing())));
    let acme = library.tenant("acme");
    let request = SearchRequest {
        fusion: Some(Fusion::new(10.0, 0.0, 1.0).unwrap()),
        explain: true,
        ..ask("late")
    };
    let explanation = library.search(&acme, &request).explanation.unwrap();
    assert_eq!(explanation.dense, DenseSearch::NoWeight(failing().identity()));
    let failed = library.searcher().search(&acme, &ask("late"));
    assert!(matches!(
        failed,
        Err(SearchError::Embed(LlmError::Unavailable(_)))
    ));
}

#[test]
fn an_explanation_adds_up_to_the_score() {
    let library = Library::of_themes();
    let tuning = SearchTuning {
        dense_weight: Some(2.0),
        k: Some(7.0),
        ..SearchTuning::default()
    };
    let acme = library.tuned("acme", Some(tuning));
    for text in [
        "late fees",
        "a price for a late return",
        "opening hours",
        "prices of returns",
    ] {
        library.shelve(&acme, &Volume::of("Rules", &[text]));
    }
    let result = library.search(
        &acme,
        &SearchRequest {
            explain: true,
            ..ask("late returns")
        },
    );
    let explanation = result.explanation.unwrap();
    assert_eq!(explanation.hits.len(), result.hits.len());
    assert!(result.hits.len() > 3);
    let (mut both, whole) = (0, (2.0 + 1.0) / 8.0);
    for (place, (hit, explained)) in (1..).zip(result.hits.iter().zip(&explanation.hits)) {
        let parts = [explained.dense, explained.lexical].into_iter().flatten();
        let sum: f32 = parts.clone().map(|part| part.part).sum();
        assert!((sum - hit.score.fused).abs() < 1e-5, "{hit:?} {explained:?}");
        for part in parts {
            let expected = part.weight / (7.0 + f32::from(part.rank)) / whole;
            assert!((part.part - expected).abs() < 1e-5, "{part:?}");
        }
        both += usize::from(explained.dense.is_some() && explained.lexical.is_some());
        assert_eq!((explained.fused_place, explained.relevance_place), (place, place));
    }
    assert!(both > 0);
    let late = explanation
        .hits
        .iter()
        .zip(&result.hits)
        .find(|(_, hit)| hit.chunk.text.starts_with("a price"));
    assert_eq!(late.unwrap().0.terms, ["late", "returns"]);
}

#[test]
fn a_request_that_cannot_be_made_is_refused_before_anything_is_asked() {
    let library = Library::of_words();
    let acme = library.tenant("acme");
    let wide = Filter::And(vec![Filter::And(vec![]); 64]);
    for request in [
        ask(" "),
        SearchRequest {
            limit: top(101),
            ..ask("late")
        },
        SearchRequest {
            diversity: Some(1.5),
            ..ask("late")
        },
        SearchRequest {
            filter: Some(wide),
            ..ask("late")
        },
    ] {
        let refused = library.searcher().search(&acme, &request);
        assert!(matches!(
            refused,
            Err(SearchError::Invalid(_) | SearchError::Filter(_))
        ));
    }
    assert_eq!(library.vectors.calls(), []);
}

#[test]
fn an_index_of_a_model_that_is_not_configured_is_not_searched_by_another() {
    let library = Library::of_words();
    let acme = library.tenant("acme");
    let other = EmbeddingModel {
        name: "elsewhere".into(),
        ..Themes.identity()
    };
    let now = tenantry_domain::Clock::now(library.clock.as_ref());
    library.store.inner().indexes(&acme, Some(&other), now).unwrap();
    let error = library.searcher().search(&acme, &ask("late")).unwrap_err();
    assert!(matches!(error, SearchError::Model(_)));
    assert!(error.to_string().contains("tests/elsewhere (3)"), "{error}");
}

#[test]
fn a_store_that_fails_is_an_error_and_no_empty_result() {
    let library = Library::of_words();
    let acme = three_fees(&library);
    library
        .vectors
        .fail_next(Operation::Search, VectorError::Unavailable("scripted".into()));
    assert!(matches!(
        library.searcher().search(&acme, &ask("late")),
        Err(SearchError::Vector(_))
    ));
    library
        .store
        .fail_when(|method| (method == "ready_documents").then(unavailable));
    assert!(matches!(
        library.searcher().search(&acme, &ask("late")),
        Err(SearchError::Store(_))
    ));
}
