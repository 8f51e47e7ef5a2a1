//! Answers rest on the tenant's own passages, under the tenant's own prompt.

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};

use tenantry_domain::Cancellation;
use tenantry_llm_client::{
    Completer, Completion, ExtractiveCompleter, FinishReason, LlmError, Prompt, Usage,
};
use tenantry_retrieval::{AnswerError, AnswerEvent, SearchError, SearchTuning};
use tenantry_vector_client::VectorError;
use tenantry_vector_client::testing::Operation;

use crate::library::{Library, Volume};

/// Answers with fixed pieces and keeps every prompt.
#[derive(Default)]
struct Scribe {
    prompts: Mutex<Vec<Prompt>>,
}

impl Completer for Scribe {
    fn model(&self) -> &'static str {
        "scribe"
    }

    fn complete(&self, prompt: &Prompt) -> Result<Completion, LlmError> {
        self.stream(prompt, &Cancellation::new(), &mut |_| ControlFlow::Continue(()))
    }

    fn stream(
        &self,
        prompt: &Prompt,
        cancellation: &Cancellation,
        on_delta: &mut dyn FnMut(&str) -> ControlFlow<()>,
    ) -> Result<Completion, LlmError> {
        self.prompts.lock().unwrap().push(prompt.clone());
        for piece in ["It costs ", "three euros ", "[1]."] {
            if cancellation.is_cancelled() || on_delta(piece).is_break() {
                return Err(LlmError::Cancelled);
            }
        }
        Ok(Completion {
            text: "It costs three euros [1].".into(),
            model: "scribe-1".into(),
            finish: FinishReason::Stop,
            usage: Some(Usage {
                prompt_tokens: 9,
                completion_tokens: 5,
            }),
        })
    }
}

fn two_tenants() -> Library {
    let library = Library::of_words();
    for (tenant, fee) in [("acme", "three euros"), ("other", "ten francs")] {
        let scope = library.tenant(tenant);
        library.shelve(
            &scope,
            &Volume::of("Fees", &[&format!("A late return costs {fee} a day.")]),
        );
    }
    library
}

#[test]
fn a_prompt_has_the_tenants_instruction_and_passages_and_nobody_elses() {
    let library = two_tenants();
    let scribe = Arc::new(Scribe::default());
    let answers = library.answers(scribe.clone());
    let answer = answers
        .answer(&library.scope("acme"), "What does a late return cost?")
        .unwrap();
    assert_eq!(
        (answer.text.as_str(), answer.model.as_str()),
        ("It costs three euros [1].", "scribe-1")
    );
    assert_eq!(answer.usage.map(|usage| usage.completion_tokens), Some(5));
    assert_eq!(
        (answer.sources[0].number, answer.sources[0].hit.title.as_str()),
        (1, "Fees")
    );
    let prompts = scribe.prompts.lock().unwrap();
    assert_eq!(prompts[0].system.as_deref(), Some("You speak for acme."));
    assert_eq!(prompts[0].passages.len(), 1);
    assert!(!format!("{prompts:?}").contains("francs"));
}

#[test]
fn the_same_question_has_two_different_cited_answers() {
    let library = two_tenants();
    let answers = library.answers(Arc::new(ExtractiveCompleter));
    for (tenant, fee) in [("acme", "three euros"), ("other", "ten francs")] {
        let answer = answers
            .answer(&library.scope(tenant), "What does a late return cost?")
            .unwrap();
        assert!(
            answer.text.contains(fee) && answer.text.contains("[1]"),
            "{}",
            answer.text
        );
    }
}

#[test]
fn a_stream_gives_sources_first_and_its_pieces_are_the_answer() {
    let library = two_tenants();
    let answers = library.answers(Arc::new(Scribe::default()));
    let mut seen = Vec::new();
    let mut text = String::new();
    let answer = answers
        .stream(
            &library.scope("acme"),
            "late return",
            &Cancellation::new(),
            &mut |event| {
                match event {
                    AnswerEvent::Sources(sources) => seen.push(format!("sources {}", sources.len())),
                    AnswerEvent::Delta(delta) => {
                        seen.push("delta".into());
                        text.push_str(delta);
                    }
                }
                ControlFlow::Continue(())
            },
        )
        .unwrap();
    assert_eq!(seen, ["sources 1", "delta", "delta", "delta"]);
    assert_eq!(text, answer.text);
}

#[test]
fn a_reader_who_leaves_ends_the_answer() {
    let library = two_tenants();
    let scribe = Arc::new(Scribe::default());
    let answers = library.answers(scribe.clone());
    let scope = library.scope("acme");
    let left = |result| matches!(result, Err(AnswerError::Complete(LlmError::Cancelled)));

    let at_the_sources = answers.stream(&scope, "late", &Cancellation::new(), &mut |_| {
        ControlFlow::Break(())
    });
    assert!(left(at_the_sources));
    let gone = Cancellation::new();
    gone.cancel();
    assert!(left(
        answers.stream(&scope, "late", &gone, &mut |_| ControlFlow::Continue(()))
    ));
    assert!(scribe.prompts.lock().unwrap().is_empty(), "no model was asked");

    let mut deltas = 0;
    let midway = answers.stream(&scope, "late", &Cancellation::new(), &mut |event| match event {
        AnswerEvent::Sources(_) => ControlFlow::Continue(()),
        AnswerEvent::Delta(_) => {
            deltas += 1;
            ControlFlow::Break(())
        }
    });
    assert!(left(midway));
    assert_eq!(deltas, 1);
}

#[test]
fn a_failed_search_is_no_answer_from_memory() {
    let library = two_tenants();
    let scribe = Arc::new(Scribe::default());
    let answers = library.answers(scribe.clone());
    library
        .vectors
        .fail_next(Operation::Search, VectorError::Unavailable("scripted".into()));
    let failed = answers.answer(&library.scope("acme"), "late");
    assert!(matches!(failed, Err(AnswerError::Search(SearchError::Vector(_)))));
    assert!(scribe.prompts.lock().unwrap().is_empty());
}

#[test]
fn an_answer_rests_on_no_more_than_six_passages_as_the_tenant_is_set() {
    let library = Library::of_words();
    let tuning = SearchTuning {
        min_score: Some(0.9),
        ..SearchTuning::default()
    };
    for (tenant, tuning, passages) in [("usual", None, 6), ("strict", Some(tuning), 2)] {
        let scope = library.tuned(tenant, tuning);
        for n in 0..8 {
            library.shelve(
                &scope,
                &Volume::of(&format!("Fees {n}"), &["A late return costs three euros."]),
            );
        }
        let answer = library
            .answers(Arc::new(Scribe::default()))
            .answer(&scope, "late return")
            .unwrap();
        assert_eq!(answer.sources.len(), passages);
        assert!(
            answer
                .sources
                .iter()
                .zip(1..)
                .all(|(source, number)| source.number == number)
        );
    }
}

#[test]
fn long_passages_do_not_crowd_a_prompt_and_the_best_is_always_there() {
    let library = Library::of_words();
    let acme = library.tenant("acme");
    let text = |words: usize| format!("late return {}", "word ".repeat(words));
    for (title, words) in [("Book", 2_800), ("Tome", 1_000), ("Note", 100), ("Slip", 10)] {
        library.shelve(&acme, &Volume::of(title, &[&text(words)]));
    }
    let cited = |question: &str| -> Vec<String> {
        let answer = library
            .answers(Arc::new(Scribe::default()))
            .answer(&acme, question)
            .unwrap();
        answer
            .sources
            .into_iter()
            .map(|source| source.hit.title)
            .collect()
    };
    // Of what is about as good, the shorter comes first; the longest goes beyond what is left.
    assert_eq!(cited("late return"), ["Slip", "Note", "Tome"]);
    assert_eq!(cited("book")[0], "Book");
}

#[test]
fn a_question_that_cannot_be_asked_is_called_a_message() {
    let library = two_tenants();
    let refused = library
        .answers(Arc::new(Scribe::default()))
        .answer(&library.scope("acme"), " ");
    match refused {
        Err(AnswerError::Search(SearchError::Invalid(invalid))) => assert_eq!(invalid.field, "message"),
        other => panic!("{other:?}"),
    }
}
