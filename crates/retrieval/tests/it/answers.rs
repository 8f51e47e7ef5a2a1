//! Answers rest on the tenant's own passages, under the tenant's own prompt.

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};

use tenantry_domain::Cancellation;
use tenantry_llm_client::{
    Completer, Completion, ExtractiveCompleter, FinishReason, LlmError, Prompt, Usage,
};
use tenantry_retrieval::{AnswerError, AnswerEvent, SearchError};
use tenantry_vector_client::VectorError;
use tenantry_vector_client::testing::Operation;

use crate::support::World;

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

fn two_tenants() -> World {
    let world = World::new();
    for (tenant, fee) in [("acme", "three euros"), ("other", "ten francs")] {
        world.tenant(tenant);
        world.ingest(tenant, "Fees", &format!("A late return costs {fee} a day."));
    }
    world
}

#[test]
fn a_prompt_has_the_tenants_instruction_and_passages_and_nobody_elses() {
    let world = two_tenants();
    let scribe = Arc::new(Scribe::default());
    let answers = world.answers(scribe.clone());
    let answer = answers
        .answer(&world.scope("acme"), "What does a late return cost?")
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
    let world = two_tenants();
    let answers = world.answers(Arc::new(ExtractiveCompleter));
    for (tenant, fee) in [("acme", "three euros"), ("other", "ten francs")] {
        let answer = answers
            .answer(&world.scope(tenant), "What does a late return cost?")
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
    let world = two_tenants();
    let answers = world.answers(Arc::new(Scribe::default()));
    let mut seen = Vec::new();
    let mut text = String::new();
    let answer = answers
        .stream(
            &world.scope("acme"),
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
    let world = two_tenants();
    let scribe = Arc::new(Scribe::default());
    let answers = world.answers(scribe.clone());
    let scope = world.scope("acme");
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
    let world = two_tenants();
    let scribe = Arc::new(Scribe::default());
    let answers = world.answers(scribe.clone());
    world
        .local
        .fail_next(Operation::Search, VectorError::Unavailable("scripted".into()));
    let failed = answers.answer(&world.scope("acme"), "late");
    assert!(matches!(failed, Err(AnswerError::Search(SearchError::Vector(_)))));
    assert!(scribe.prompts.lock().unwrap().is_empty());
}
