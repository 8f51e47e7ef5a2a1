//! Answers that no passage supports.

use tenantry_domain::{MessageStatus, WithoutSupport};
use tenantry_llm_client::{FinishReason, Grounding};
use tenantry_retrieval::Question;

use super::bench::{Bench, QUESTION, Scripted, breaks_off, down, spoken, spoken_until};

const ELSEWHERE: &str = "Quantum chromodynamics?";

#[test]
fn where_nothing_is_found_no_model_is_asked() {
    let model = Scripted::saying(&["I happen to know."]);
    let bench = Bench::new(model.clone());
    let answer = bench.ask(Question::opening(ELSEWHERE)).unwrap();
    assert_eq!(answer.text, "I found nothing about this in the documents.");
    assert!(!answer.supported);
    assert_eq!(
        (answer.status, answer.finish),
        (MessageStatus::Complete, FinishReason::Stop)
    );
    assert_eq!(answer.model, "scripted", "the one that would have answered");
    assert!(model.prompts().is_empty() && answer.spent.is_empty());
    let kept = &bench.messages(&answer)[1];
    assert_eq!(
        (&kept.text, kept.model.as_deref(), kept.usage),
        (&answer.text, None, None)
    );
}

#[test]
fn the_sentence_is_handed_out_like_any_answer() {
    let bench = Bench::new(Scripted::saying(&["I happen to know."]));
    let mut turn = bench.retrieved(Question::opening(ELSEWHERE));
    let (heard, outcome) = spoken(&mut turn);
    outcome.unwrap();
    assert_eq!(heard.concat(), bench.settle(turn).text);
}

#[test]
fn the_tenant_says_it_in_its_own_words_or_language() {
    let bench = Bench::new(Scripted::saying(&["I happen to know."]));
    let said = || bench.ask(Question::alone(ELSEWHERE)).unwrap().text;
    for (language, begins) in [
        ("German", "Dazu"),
        ("French", "Je"),
        ("Spanish", "No he"),
        ("Italian", "Non"),
        ("Dutch", "Hierover"),
        ("Portuguese", "Não"),
        ("Finnish", "I found"),
    ] {
        bench.set("acme", |chat| chat.language = Some(language.into()));
        assert!(said().starts_with(begins), "{language}: {}", said());
    }
    bench.set("acme", |chat| {
        chat.unsupported_text = Some("Call us: 555.".into());
    });
    assert_eq!(said(), "Call us: 555.");
}

#[test]
fn a_finished_answer_that_cites_nothing_says_so_in_its_last_piece() {
    let bench = Bench::new(Scripted::saying(&["I think it is two euros [9]."]));
    let mut turn = bench.retrieved(Question::opening(QUESTION));
    let (heard, outcome) = spoken(&mut turn);
    outcome.unwrap();
    assert_eq!(
        heard.last().unwrap(),
        "\n\nNo passage of the documents is cited for this answer."
    );
    let answer = bench.settle(turn);
    assert!(!answer.supported && answer.sources.len() == 1 && answer.citations.is_empty());
    assert_eq!(answer.text, heard.concat());
    assert_eq!(bench.messages(&answer)[1].text, answer.text);

    bench.set("acme", |chat| chat.language = Some("Deutsch".into()));
    let text = bench.ask(Question::alone(QUESTION)).unwrap().text;
    assert!(
        text.ends_with("\n\nFür diese Antwort ist keine Stelle der Dokumente belegt."),
        "{text}"
    );
}

#[test]
fn an_empty_answer_is_the_sentence_alone() {
    let bench = Bench::new(Scripted::saying(&[]));
    let answer = bench.ask(Question::alone(QUESTION)).unwrap();
    assert_eq!(
        answer.text,
        "No passage of the documents is cited for this answer."
    );
}

#[test]
fn an_answer_that_breaks_off_or_is_left_says_nothing_more() {
    let bench = Bench::new(Scripted::new(|_| breaks_off(&["I think"], down())));
    let mut turn = bench.retrieved(Question::alone(QUESTION));
    assert_eq!(spoken(&mut turn).0.concat(), "I think");
    let bench = Bench::new(Scripted::saying(&["I think", " so."]));
    let mut turn = bench.retrieved(Question::alone(QUESTION));
    assert_eq!(spoken_until(&mut turn, 1).0.concat(), "I think");
}

#[test]
fn a_tenant_may_let_the_model_answer_without_support() {
    let model = Scripted::saying(&["Not from the documents: it is two euros."]);
    let bench = Bench::new(model.clone());
    bench.set("acme", |chat| chat.without_support = WithoutSupport::Answer);
    for question in [ELSEWHERE, QUESTION] {
        let answer = bench.ask(Question::alone(question)).unwrap();
        assert_eq!(answer.text, "Not from the documents: it is two euros.");
        assert!(!answer.supported);
    }
    let prompts = model.prompts();
    assert_eq!(prompts.len(), 2);
    assert!(
        prompts
            .iter()
            .all(|prompt| prompt.grounding == Grounding::PassagesFirst)
    );
    assert_eq!((prompts[0].passages.len(), prompts[1].passages.len()), (0, 1));
}

#[test]
fn an_answer_that_cites_is_supported_wherever_it_may_answer_without() {
    let bench = Bench::new(Scripted::saying(&["Three euros [1]."]));
    bench.set("acme", |chat| chat.without_support = WithoutSupport::Answer);
    assert!(bench.ask(Question::alone(QUESTION)).unwrap().supported);
}
