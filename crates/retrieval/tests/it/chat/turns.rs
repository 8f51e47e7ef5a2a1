//! The four phases, and what is kept of them.

use std::sync::Arc;

use proptest::prelude::*;
use tenantry_domain::{Cancellation, Citation, ConversationId, MessageRole, MessageStatus, Origin, Page};
use tenantry_llm_client::{FinishReason, Grounding, LlmError, Usage};
use tenantry_retrieval::{Asker, ChatError, Question, Retrieval, SearchError, Thread};
use tenantry_tenant_store::testing::unavailable;
use tenantry_tenant_store::{ConversationStore, DocumentStore};
use tenantry_vector_client::VectorError;
use tenantry_vector_client::testing::Operation;

use super::bench::{ACME, Bench, QUESTION, Said, Scripted, breaks_off, down, says, spoken, spoken_until};

#[test]
fn an_answer_is_kept_in_its_conversation_with_what_it_cites() {
    let model = Scripted::saying(&["It costs ", "three euros ", "[1]."]);
    let bench = Bench::new(model.clone());
    let answer = bench.ask(Question::opening(QUESTION)).unwrap();

    assert_eq!(answer.text, "It costs three euros [1].");
    assert!(answer.supported);
    assert_eq!(answer.model, "scripted-2026");
    assert_eq!(
        (answer.finish, answer.status),
        (FinishReason::Stop, MessageStatus::Complete)
    );
    let conversation = answer.conversation.clone().unwrap();
    assert_eq!(
        (conversation.title.as_str(), conversation.owner),
        (QUESTION, bench.ada.id)
    );

    let messages = bench.messages(&answer);
    let [asked, answered] = messages.as_slice() else {
        panic!("{messages:?}")
    };
    assert_eq!((asked.role, asked.text.as_str()), (MessageRole::User, QUESTION));
    assert_eq!(Some(answered.id), answer.message);
    assert_eq!(
        (answered.role, &answered.text),
        (MessageRole::Assistant, &answer.text)
    );
    assert_eq!(answered.status, MessageStatus::Complete);
    assert_eq!(answered.model.as_deref(), Some("scripted-2026"));
    assert_eq!(answered.usage, Some(answer.usage));
    assert_eq!(answered.citations, answer.citations);
}

#[test]
fn a_citation_is_the_documents_text_to_the_letter() {
    let bench = Bench::new(Scripted::saying(&["Three euros [1]."]));
    let answer = bench.ask(Question::opening(QUESTION)).unwrap();
    let [citation] = answer.citations.as_slice() else {
        panic!("{:?}", answer.citations)
    };
    let Citation {
        number,
        origin,
        title,
        span,
        excerpt,
        ..
    } = citation;
    assert_eq!((*number, title.as_str()), (1, "Fees"));
    let Origin::Document(document) = origin else {
        panic!("{origin:?}")
    };
    let store = bench.world.store.inner();
    let of = tenantry_domain::DocumentVersion {
        document: *document,
        version: 1,
    };
    let text: String = store
        .segments(&bench.scope(), of, 0, 10)
        .unwrap()
        .into_iter()
        .map(|segment| segment.text)
        .collect();
    assert_eq!(span.slice(&text), excerpt);
    assert_eq!(excerpt, ACME);
}

#[test]
fn a_marker_of_a_passage_that_does_not_exist_is_removed() {
    let bench = Bench::new(Scripted::saying(&["Three euros [1", "] and more [7", "]."]));
    let answer = bench.ask(Question::alone(QUESTION)).unwrap();
    assert_eq!(answer.text, "Three euros [1] and more.");
    let numbers: Vec<u16> = answer.citations.iter().map(|citation| citation.number).collect();
    assert_eq!(numbers, [1]);
}

#[test]
fn only_what_is_cited_is_kept_as_a_citation() {
    let bench = Bench::new(Scripted::saying(&["It says so [2]."]));
    bench
        .world
        .ingest("acme", "More fees", "A late return costs more on Sundays.");
    let answer = bench.ask(Question::opening("late return")).unwrap();
    assert_eq!(answer.sources.len(), 2);
    let numbers: Vec<u16> = bench.messages(&answer)[1]
        .citations
        .iter()
        .map(|citation| citation.number)
        .collect();
    assert_eq!(numbers, [2]);
}

#[test]
fn a_turn_crosses_threads_phase_by_phase() {
    let bench = Arc::new(Bench::new(Scripted::saying(&["Three ", "euros [1]."])));
    let turn = bench.begin(Question::opening(QUESTION));
    assert!(turn.conversation().is_some() && turn.message().is_some());
    assert!(turn.sources().is_empty());
    let retrieving = bench.clone();
    let mut turn = std::thread::spawn(move || {
        let mut turn = turn;
        retrieving
            .chat
            .retrieve(&retrieving.scope(), &mut turn, &Cancellation::new())
            .unwrap();
        turn
    })
    .join()
    .unwrap();
    assert_eq!(turn.sources().len(), 1);
    let (turn, heard) = std::thread::spawn(move || {
        let (heard, outcome) = spoken(&mut turn);
        outcome.unwrap();
        (turn, heard.concat())
    })
    .join()
    .unwrap();
    assert_eq!(bench.settle(turn).text, heard);
}

#[test]
fn a_conversation_of_nobody_or_of_another_user_is_unknown_and_nothing_is_kept() {
    let model = Scripted::saying(&["Three euros [1]."]);
    let bench = Bench::new(model.clone());
    let mine = bench.ask(Question::opening(QUESTION)).unwrap();
    let mine = mine.conversation.unwrap().id;
    let bo = bench.world.user("bo@example.org", Some(&"acme".parse().unwrap()));
    let nobodys = ConversationId::generate(bench.world.now());
    let unknown = |scope: &str, asker: Asker, id| {
        let scope = bench.world.scope(scope);
        let refused = bench
            .chat
            .begin(&scope, &asker, Question::following(id, QUESTION));
        assert!(
            matches!(refused, Err(ChatError::UnknownConversation)),
            "{refused:?}"
        );
    };
    unknown("acme", bench.asker(), nobodys);
    unknown("acme", Asker::user(&bo), mine);
    unknown("globex", Asker::user(&bench.grace), mine);
    unknown("acme", Asker::operator(), mine);
    assert_eq!(bench.messages_of(mine).len(), 2);
}

#[test]
fn the_operator_begins_no_conversation() {
    let bench = Bench::new(Scripted::saying(&["Three euros [1]."]));
    let refused = bench
        .chat
        .begin(&bench.scope(), &Asker::operator(), Question::opening(QUESTION));
    assert!(matches!(refused, Err(ChatError::UnknownConversation)));
}

#[test]
fn a_question_that_cannot_be_asked_is_kept_nowhere() {
    let bench = Bench::new(Scripted::saying(&["Three euros [1]."]));
    let long = "x".repeat(16_001);
    let limited = |limit| Question {
        retrieval: Retrieval::On {
            limit: Some(limit),
            min_score: None,
            fusion: None,
            filter: None,
        },
        ..Question::opening(QUESTION)
    };
    for (question, field) in [
        (Question::opening(" "), "message"),
        (Question::opening("a\0b"), "message"),
        (Question::opening(long.as_str()), "message"),
        (limited(0), "limit"),
        (limited(21), "limit"),
        (
            Question {
                client_instruction: Some(long.clone()),
                ..Question::opening(QUESTION)
            },
            "instruction",
        ),
        (
            Question {
                retrieval: Retrieval::On {
                    limit: None,
                    min_score: Some(1.5),
                    fusion: None,
                    filter: None,
                },
                ..Question::opening(QUESTION)
            },
            "min_score",
        ),
    ] {
        match bench.chat.begin(&bench.scope(), &bench.asker(), question) {
            Err(ChatError::Invalid(invalid)) => assert_eq!(invalid.field, field),
            other => panic!("{field}: {other:?}"),
        }
    }
    let store = bench.world.store.inner();
    let kept = store.conversations(&bench.scope(), bench.ada.id, Page::default());
    assert_eq!(kept.unwrap().total, 0);
}

#[test]
fn a_failed_search_is_no_answer_from_memory_and_is_kept_as_failed() {
    let model = Scripted::saying(&["I think it is two euros."]);
    let bench = Bench::new(model.clone());
    bench
        .world
        .local
        .fail_next(Operation::Search, VectorError::Unavailable("scripted".into()));
    let mut turn = bench.begin(Question::opening(QUESTION));
    let failed = bench
        .chat
        .retrieve(&bench.scope(), &mut turn, &Cancellation::new());
    assert!(matches!(failed, Err(ChatError::Search(SearchError::Vector(_)))));
    let (heard, outcome) = spoken(&mut turn);
    assert!(outcome.is_err() && heard.is_empty());
    let answer = bench.settle(turn);
    assert_eq!((answer.status, answer.text.as_str()), (MessageStatus::Failed, ""));
    let kept = bench.messages(&answer);
    assert_eq!(
        (kept[1].status, kept[1].model.as_deref()),
        (MessageStatus::Failed, None)
    );
    assert!(model.prompts().is_empty(), "no model was asked");
}

#[test]
fn an_answer_that_breaks_off_keeps_what_was_handed_out_and_says_so() {
    let model = Scripted::new(|_| {
        breaks_off(
            &["It costs ", "three euros [1], "],
            LlmError::Truncated("scripted".into()),
        )
    });
    let bench = Bench::new(model);
    let mut turn = bench.retrieved(Question::opening(QUESTION));
    let (heard, outcome) = spoken(&mut turn);
    assert!(matches!(
        outcome,
        Err(ChatError::Complete(LlmError::Truncated(_)))
    ));
    let answer = bench.settle(turn);
    assert_eq!(answer.text, heard.concat());
    assert!(answer.text.starts_with("It costs three euros [1],"));
    assert_eq!(answer.status, MessageStatus::Failed);
    let kept = &bench.messages(&answer)[1];
    assert_eq!((&kept.text, kept.status), (&answer.text, MessageStatus::Failed));
    assert_eq!(kept.citations.len(), 1);
    assert!(kept.model.is_some());
}

#[test]
fn in_one_piece_a_failed_answer_is_an_error_and_kept_as_failed() {
    let bench = Bench::new(Scripted::new(|_| breaks_off(&["It "], down())));
    let failed = bench.ask(Question::opening(QUESTION));
    assert!(matches!(
        failed,
        Err(ChatError::Complete(LlmError::Unavailable(_)))
    ));
    let store = bench.world.store.inner();
    let mine = store
        .conversations(&bench.scope(), bench.ada.id, Page::default())
        .unwrap();
    let kept = bench.messages_of(mine.items[0].id);
    assert_eq!(
        (kept[1].text.as_str(), kept[1].status),
        ("It ", MessageStatus::Failed)
    );
}

#[test]
fn a_store_that_fails_at_the_end_is_an_error_and_leaves_the_question_unanswered() {
    let bench = Bench::new(Scripted::saying(&["Three euros [1]."]));
    let mut turn = bench.retrieved(Question::opening(QUESTION));
    spoken(&mut turn).1.unwrap();
    let conversation = turn.conversation().unwrap();
    bench
        .world
        .store
        .fail_when(|method| (method == "finish_turn").then(unavailable));
    let failed = bench.chat.settle(&bench.scope(), turn);
    assert!(matches!(failed, Err(ChatError::Store(_))));
    bench.world.store.heal();
    assert_eq!(bench.messages_of(conversation).len(), 1);
}

#[test]
fn a_turn_that_nobody_settles_leaves_its_question_and_no_trace_in_later_prompts() {
    let model = Scripted::saying(&["Three euros [1]."]);
    let bench = Bench::new(model.clone());
    let turn = bench.retrieved(Question::opening("A secret question?"));
    let conversation = turn.conversation().unwrap();
    drop(turn);
    assert_eq!(bench.messages_of(conversation).len(), 1);
    bench.ask(Question::following(conversation, QUESTION)).unwrap();
    assert!(model.answering()[0].history.is_empty());
}

#[test]
fn a_turn_that_never_spoke_is_kept_as_cancelled_or_as_it_is_said() {
    for (said, kept) in [
        (None, MessageStatus::Cancelled),
        (Some(MessageStatus::Failed), MessageStatus::Failed),
    ] {
        let bench = Bench::new(Scripted::saying(&["Three euros [1]."]));
        let mut turn = bench.begin(Question::opening(QUESTION));
        if let Some(said) = said {
            turn.interrupted(said);
        }
        assert_eq!(bench.settle(turn).status, kept);
    }
}

#[test]
fn a_whole_answer_stays_whole_whatever_ends_its_turn() {
    let bench = Bench::new(Scripted::saying(&["Three euros [1]."]));
    let mut turn = bench.retrieved(Question::opening(QUESTION));
    spoken(&mut turn).1.unwrap();
    turn.interrupted(MessageStatus::Failed);
    assert_eq!(bench.settle(turn).status, MessageStatus::Complete);
}

#[test]
fn a_turn_speaks_once_and_not_before_its_passages_are_found() {
    let bench = Bench::new(Scripted::saying(&["Three euros [1]."]));
    let mut turn = bench.begin(Question::opening(QUESTION));
    let nothing = |outcome| matches!(outcome, Err(ChatError::Complete(LlmError::Refused(_))));
    assert!(nothing(spoken(&mut turn).1));
    bench
        .chat
        .retrieve(&bench.scope(), &mut turn, &Cancellation::new())
        .unwrap();
    spoken(&mut turn).1.unwrap();
    assert!(nothing(spoken(&mut turn).1));
    let answer = bench.settle(turn);
    assert_eq!(
        (answer.text.as_str(), answer.status),
        ("Three euros [1].", MessageStatus::Complete)
    );
}

#[test]
fn a_model_is_named_as_no_store_could_choke_on() {
    let long = "x".repeat(5_000);
    for (says, kept) in [("gpt\0-\n5", "gpt-5"), ("", "scripted"), (&long, &long[..200])] {
        let bench = Bench::new(Scripted::calling_itself(says));
        let answer = bench.ask(Question::opening(QUESTION)).unwrap();
        assert_eq!(answer.model, kept);
        assert_eq!(bench.messages(&answer)[1].model.as_deref(), Some(kept));
        // No provider makes up what is counted under.
        assert_eq!(answer.spent[0].model, "scripted");
    }
}

#[test]
fn an_answer_to_a_removed_conversation_is_given_counted_and_kept_nowhere() {
    let bench = Bench::new(Scripted::saying(&["Three euros [1]."]));
    let mut turn = bench.retrieved(Question::opening(QUESTION));
    spoken(&mut turn).1.unwrap();
    let store = bench.world.store.inner();
    let id = turn.conversation().unwrap();
    assert!(
        store
            .remove_conversation(&bench.scope(), bench.ada.id, id)
            .unwrap()
    );
    let answer = bench.settle(turn);
    assert_eq!((answer.conversation, answer.message), (None, None));
    assert_eq!(answer.text, "Three euros [1].");
    assert_eq!(bench.counted("acme"), [("answering".to_owned(), 40, 4)]);
}

#[test]
fn a_question_alone_is_kept_nowhere_and_counted_all_the_same() {
    let bench = Bench::new(Scripted::saying(&["Three euros [1]."]));
    let answer = bench.ask(Question::alone(QUESTION)).unwrap();
    assert_eq!((answer.conversation, answer.message), (None, None));
    let store = bench.world.store.inner();
    let kept = store.conversations(&bench.scope(), bench.ada.id, Page::default());
    assert_eq!(kept.unwrap().total, 0);
    assert_eq!(bench.counted("acme"), [("answering".to_owned(), 40, 4)]);
}

#[test]
fn without_retrieval_the_model_gets_no_passages_and_nothing_is_cited_or_added() {
    let model = Scripted::saying(&["Hello [1]!"]);
    let bench = Bench::new(model.clone());
    let answer = bench
        .ask(Question {
            retrieval: Retrieval::Off,
            ..Question::alone("Hello")
        })
        .unwrap();
    assert_eq!(answer.text, "Hello!");
    assert!(!answer.supported && answer.sources.is_empty());
    let prompt = &model.prompts()[0];
    assert_eq!((prompt.grounding, prompt.passages.len()), (Grounding::Off, 0));
}

#[test]
fn what_no_store_can_keep_does_not_get_that_far() {
    let bench = Bench::new(Scripted::saying(&["Three\0 euros", " \0[1]."]));
    let answer = bench.ask(Question::opening(QUESTION)).unwrap();
    assert_eq!(answer.text, "Three euros [1].");
    assert_eq!(bench.messages(&answer)[1].text, answer.text);
}

#[test]
fn what_would_make_a_browser_call_a_foreign_host_is_neither_handed_out_nor_kept() {
    let bench = Bench::new(Scripted::saying(&[
        "Look ![",
        "x](https://evil.exam",
        "ple/?q=1) [1].",
    ]));
    let mut turn = bench.retrieved(Question::opening(QUESTION));
    let (heard, outcome) = spoken(&mut turn);
    outcome.unwrap();
    let answer = bench.settle(turn);
    assert_eq!(heard.concat(), answer.text);
    assert!(!answer.text.contains("](http"), "{}", answer.text);
}

fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        "\\PC{0,12}",
        "(\\[[0-9]{1,2}\\]|\\[|\\]|!\\[|\\]\\(|`{1,3}|<|http|s://|a\\.b|\\)|\n|\0| ){1,4}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_kept_answer_is_what_was_handed_out(
        pieces in prop::collection::vec(piece(), 0..12), fails: bool, leaves_at in prop::option::of(1..8_usize),
    ) {
        let script = move |_: &_| Said {
            pieces: pieces.clone(),
            end: if fails {
                Err(LlmError::Truncated("scripted".into()))
            } else {
                Ok((FinishReason::Stop, Some(Usage::default())))
            },
        };
        let bench = Bench::new(Scripted::new(script));
        let mut turn = bench.retrieved(Question::opening(QUESTION));
        let (heard, _) = spoken_until(&mut turn, leaves_at.unwrap_or(usize::MAX));
        let answer = bench.settle(turn);
        prop_assert_eq!(&answer.text, &heard.concat());
        let kept = bench.messages(&answer);
        prop_assert_eq!(&kept[1].text, &answer.text);
        prop_assert_eq!(&kept[1].citations, &answer.citations);
        for citation in &answer.citations {
            let marker = format!("[{}]", citation.number);
            prop_assert!(answer.text.contains(&marker));
        }
    }
}

#[test]
fn a_thread_without_history_sends_none() {
    let model = Scripted::new(|_| says(&["Three euros [1]."]));
    let bench = Bench::new(model.clone());
    bench
        .ask(Question {
            thread: Thread::Stateless { history: Vec::new() },
            ..Question::alone(QUESTION)
        })
        .unwrap();
    assert!(model.prompts()[0].history.is_empty());
}
