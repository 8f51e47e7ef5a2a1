//! What is counted, for whom, and as whose number.

use std::sync::Arc;

use tenantry_domain::{Dimension, Embedding, EmbeddingModel, MessageStatus, Timestamp, TopK, UsageKind};
use tenantry_llm_client::{Embedded, Embedder, FinishReason, LlmError};
use tenantry_retrieval::{Asker, ChatModels, Question, SearchRequest, Searcher};
use tenantry_tenant_store::testing::unavailable;
use tenantry_tenant_store::{UsageFilter, UsageGroup, UsageStore};
use tenantry_vector_client::VectorError;
use tenantry_vector_client::testing::Operation;

use super::bench::{Bench, QUESTION, Said, Scripted, breaks_off, down, kinds, says, spoken};
use crate::support::World;

/// Embeds everything in one place, and counts seven tokens a text when it counts.
struct Counting {
    counts: bool,
}

impl Embedder for Counting {
    fn identity(&self) -> EmbeddingModel {
        EmbeddingModel {
            provider: "tests".into(),
            name: "counting".into(),
            dimension: Dimension::new(2).ok(),
        }
    }

    fn embed(&self, texts: &[&str]) -> Result<Embedded, LlmError> {
        let place = |_: &&str| Embedding::new(vec![1.0, 0.0]).unwrap();
        let tokens = u64::try_from(texts.len()).unwrap() * 7;
        Ok(Embedded {
            embeddings: texts.iter().map(place).collect(),
            tokens: self.counts.then_some(tokens),
        })
    }
}

fn embedded(counts: bool) -> Bench {
    let world = World::with_embedders(Arc::new(Counting { counts }), Vec::new());
    Bench::in_world(world, ChatModels::fixed(Scripted::saying(&["Three euros [1]."])))
}

#[test]
fn embedding_a_document_and_a_question_is_counted_as_the_provider_says() {
    let bench = embedded(true);
    assert_eq!(bench.counted("acme"), [("embedding".to_owned(), 7, 0)]);
    let answer = bench.ask(Question::alone(QUESTION)).unwrap();
    assert_eq!(
        kinds(&answer.spent),
        [("embedding", 7, 0, false), ("answering", 40, 4, false)]
    );
    assert_eq!(answer.spent[0].model, "counting");
    assert_eq!(
        bench.counted("acme"),
        [("answering".to_owned(), 40, 4), ("embedding".to_owned(), 14, 0)]
    );
}

#[test]
fn what_a_provider_does_not_count_is_estimated_and_said_to_be() {
    let bench = embedded(false);
    let answer = bench.ask(Question::alone(QUESTION)).unwrap();
    let (kind, prompt, _, estimated) = kinds(&answer.spent)[0];
    assert!(kind == "embedding" && estimated && prompt > 0);

    let bench = Bench::new(Scripted::new(|_| Said {
        end: Ok((FinishReason::Stop, None)),
        ..says(&["Three euros [1]."])
    }));
    let answer = bench.ask(Question::alone(QUESTION)).unwrap();
    let (kind, prompt, completion, estimated) = kinds(&answer.spent)[0];
    assert!(kind == "answering" && estimated && prompt > 20 && completion > 2);
    assert!(answer.usage.estimated);
}

#[test]
fn a_search_that_fails_after_embedding_counts_what_embedding_took() {
    let bench = embedded(true);
    bench
        .world
        .local
        .fail_next(Operation::Search, VectorError::Unavailable("scripted".into()));
    bench.ask(Question::alone(QUESTION)).unwrap_err();
    assert_eq!(bench.counted("acme"), [("embedding".to_owned(), 14, 0)]);
}

#[test]
fn a_model_that_was_never_reached_took_nothing_and_one_that_began_took_an_estimate() {
    let bench = Bench::new(Scripted::new(|_| breaks_off(&[], down())));
    let mut turn = bench.retrieved(Question::opening(QUESTION));
    spoken(&mut turn).1.unwrap_err();
    let answer = bench.settle(turn);
    assert_eq!(answer.status, MessageStatus::Failed);
    assert!(answer.spent.is_empty() && bench.messages(&answer)[1].usage.is_none());

    let bench = Bench::new(Scripted::new(|_| breaks_off(&["It costs "], down())));
    let mut turn = bench.retrieved(Question::opening(QUESTION));
    spoken(&mut turn).1.unwrap_err();
    let answer = bench.settle(turn);
    let (kind, prompt, completion, estimated) = kinds(&answer.spent)[0];
    assert!(kind == "answering" && estimated && prompt > 20 && completion > 0);
}

#[test]
fn a_search_is_counted_for_who_searches_also_when_it_fails() {
    let bench = embedded(true);
    let world = &bench.world;
    let searcher = Searcher::new(
        world.store.clone(),
        world.collections.clone(),
        world.embedders.clone(),
        None,
    );
    let searcher = searcher.counting(world.store.clone(), world.clock.clone());
    let request = SearchRequest::new(QUESTION, TopK::new(3).unwrap());
    let search = || searcher.search_for(&bench.scope(), bench.ada.id, &request);
    assert!(search().unwrap().spent.is_some());
    world
        .local
        .fail_next(Operation::Search, VectorError::Unavailable("scripted".into()));
    assert!(search().is_err());
    let filter = UsageFilter {
        from: Timestamp::from_unix_micros(0).unwrap(),
        until: Timestamp::from_unix_micros(4_000_000_000_000_000).unwrap(),
        user: Some(bench.ada.id),
    };
    let sums = world
        .store
        .usage(&bench.scope(), &filter, UsageGroup::Kind)
        .unwrap();
    assert_eq!(
        (sums[0].key.as_str(), sums[0].totals.prompt_tokens),
        ("embedding", 14)
    );
    assert_eq!(bench.counted("acme"), [("embedding".to_owned(), 21, 0)]);
}

#[test]
fn calls_are_on_the_account_of_who_asks() {
    let bench = embedded(true);
    let answer = bench.ask(Question::opening(QUESTION)).unwrap();
    assert!(
        answer
            .spent
            .iter()
            .all(|record| record.user == Some(bench.ada.id))
    );
    let scope = bench.scope();
    let answer = bench
        .chat
        .answer(&scope, &Asker::operator(), Question::alone(QUESTION))
        .unwrap();
    assert!(answer.spent.iter().all(|record| record.user.is_none()));
}

#[test]
fn quotes_take_no_tokens() {
    let bench = Bench::with_models(ChatModels::extractive());
    let answer = bench.ask(Question::opening(QUESTION)).unwrap();
    assert!(answer.supported && answer.spent.is_empty());
    assert_eq!(answer.usage.total_tokens(), 0);
    assert_eq!(answer.model, "extractive");
    assert!(bench.counted("acme").is_empty());
}

#[test]
fn a_document_is_not_embedded_uncounted() {
    let bench = embedded(true);
    bench.world.submit(
        "acme",
        &crate::support::titled("More"),
        "A late return costs more on Sundays.",
    );
    bench
        .world
        .store
        .fail_when(|method| (method == "add_usage").then(unavailable));
    bench.world.work();
    bench.world.store.heal();
    assert_eq!(bench.counted("acme"), [("embedding".to_owned(), 7, 0)]);
    bench.world.finish_quickly();
    assert_eq!(bench.counted("acme"), [("embedding".to_owned(), 14, 0)]);
}

#[test]
fn each_call_is_of_its_kind() {
    let bench = embedded(true);
    let answer = bench.ask(Question::alone(QUESTION)).unwrap();
    let kinds: Vec<UsageKind> = answer.spent.iter().map(|record| record.kind).collect();
    assert_eq!(kinds, [UsageKind::Embedding, UsageKind::Answering]);
}
