//! Readers who leave, at every moment.

use std::ops::ControlFlow;
use std::sync::Arc;

use tenantry_domain::{Cancellation, MessageStatus};
use tenantry_llm_client::LlmError;
use tenantry_retrieval::{ChatError, Question};

use super::bench::{Bench, QUESTION, Scripted, breaks_off, kinds, says, spoken_until};

fn left(outcome: &Result<(), ChatError>) -> bool {
    matches!(outcome, Err(ChatError::Complete(LlmError::Cancelled)))
}

#[test]
fn before_the_search_nothing_is_searched_and_no_model_is_asked() {
    let model = Scripted::saying(&["Three euros [1]."]);
    let bench = Bench::new(model.clone());
    let mut turn = bench.begin(Question::opening(QUESTION));
    let gone = Cancellation::new();
    gone.cancel();
    assert!(left(&bench.chat.retrieve(&bench.scope(), &mut turn, &gone)));
    let answer = bench.settle(turn);
    assert_eq!(
        (answer.status, answer.text.as_str()),
        (MessageStatus::Cancelled, "")
    );
    assert!(answer.sources.is_empty() && answer.spent.is_empty());
    assert!(model.prompts().is_empty());
    assert_eq!(bench.messages(&answer)[1].status, MessageStatus::Cancelled);
}

#[test]
fn before_the_first_token_the_model_is_not_asked() {
    let model = Scripted::saying(&["Three euros [1]."]);
    let bench = Bench::new(model.clone());
    let mut turn = bench.retrieved(Question::opening(QUESTION));
    let gone = Cancellation::new();
    gone.cancel();
    assert!(left(&turn.speak(&gone, &mut |_| ControlFlow::Continue(()))));
    let answer = bench.settle(turn);
    assert_eq!(answer.status, MessageStatus::Cancelled);
    assert!(model.prompts().is_empty() && answer.spent.is_empty());
}

#[test]
fn while_the_model_keeps_silent_its_prompt_is_counted() {
    let gone = Cancellation::new();
    let leaving = gone.clone();
    let model = Scripted::new(move |_| {
        leaving.cancel();
        breaks_off(&[], LlmError::Cancelled)
    });
    let bench = Bench::new(model);
    let mut turn = bench.retrieved(Question::opening(QUESTION));
    assert!(left(&turn.speak(&gone, &mut |_| ControlFlow::Continue(()))));
    let answer = bench.settle(turn);
    let (kind, prompt, completion, estimated) = kinds(&answer.spent)[0];
    assert_eq!((kind, completion, estimated), ("answering", 0, true));
    assert!(prompt > 0);
    assert_eq!(bench.messages(&answer)[1].usage, Some(answer.usage));
}

#[test]
fn between_tokens_the_part_that_was_handed_out_is_kept() {
    let bench = Bench::new(Scripted::saying(&[
        "It costs ",
        "three euros [1], ",
        "never heard",
    ]));
    let mut turn = bench.retrieved(Question::opening(QUESTION));
    let (heard, outcome) = spoken_until(&mut turn, 2);
    assert!(left(&outcome));
    let answer = bench.settle(turn);
    assert_eq!(answer.text, heard.concat());
    assert!(!answer.text.contains("never"));
    assert_eq!(answer.status, MessageStatus::Cancelled);
    let kept = &bench.messages(&answer)[1];
    assert_eq!(
        (&kept.text, kept.status),
        (&answer.text, MessageStatus::Cancelled)
    );
    assert_eq!(kept.citations.len(), 1);
    assert!(
        kinds(&answer.spent)[0].3,
        "what a broken-off stream took is estimated"
    );
}

#[test]
fn the_signal_between_tokens_ends_the_answer_too() {
    let bench = Bench::new(Scripted::saying(&["It costs ", "three ", "euros [1]."]));
    let mut turn = bench.retrieved(Question::opening(QUESTION));
    let gone = Cancellation::new();
    let mut heard = String::new();
    let outcome = turn.speak(&gone, &mut |delta| {
        heard.push_str(delta);
        gone.cancel();
        ControlFlow::Continue(())
    });
    assert!(left(&outcome));
    assert_eq!(bench.settle(turn).text, heard);
}

#[test]
fn at_the_end_a_whole_answer_is_kept_as_whole() {
    let bench = Bench::new(Scripted::new(|_| {
        says(&["It costs three euros [1]. Ask ", "again"])
    }));
    let mut turn = bench.retrieved(Question::opening(QUESTION));
    let gone = Cancellation::new();
    let outcome = turn.speak(&gone, &mut |_| ControlFlow::Continue(()));
    gone.cancel();
    assert!(outcome.is_ok());
    turn.interrupted(MessageStatus::Cancelled);
    assert_eq!(bench.settle(turn).status, MessageStatus::Complete);
}

#[test]
fn an_interruption_names_the_status_of_a_part() {
    let bench = Bench::new(Scripted::saying(&["It costs ", "never heard"]));
    let mut turn = bench.retrieved(Question::opening(QUESTION));
    assert!(left(&spoken_until(&mut turn, 1).1));
    // As when a deadline raised the signal.
    turn.interrupted(MessageStatus::Failed);
    assert_eq!(bench.settle(turn).status, MessageStatus::Failed);
}

#[test]
fn a_thousand_readers_who_leave_hold_on_to_nothing() {
    let model = Scripted::saying(&["It costs ", "three euros [1]."]);
    let bench = Bench::new(model.clone());
    let held = Arc::strong_count(&model);
    for n in 0..1_000 {
        let mut turn = bench.retrieved(Question::alone(QUESTION));
        if n % 2 == 0 {
            assert!(left(&spoken_until(&mut turn, 1).1));
        }
        if n % 3 == 0 {
            bench.settle(turn);
        }
    }
    assert_eq!(Arc::strong_count(&model), held);
}
