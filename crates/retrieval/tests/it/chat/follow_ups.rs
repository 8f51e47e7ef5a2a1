//! What a model is told of a conversation, and how follow-up questions are searched for.

use tenantry_domain::{Cancellation, ConversationId, FollowUps, MessageRole, MessageStatus};
use tenantry_llm_client::{LlmError, PastMessage, Prompt, Task, Usage, estimate_tokens};
use tenantry_retrieval::{ChatError, Question, Retrieval, Thread};

use super::bench::{Bench, QUESTION, Said, Scripted, breaks_off, down, kinds, says, spoken, spoken_until};

const FOLLOW_UP: &str = "And what does that cost on Sundays?";

fn said(messages: &[PastMessage]) -> Vec<(MessageRole, &str)> {
    messages
        .iter()
        .map(|message| (message.role, message.text.as_str()))
        .collect()
}

fn message(role: MessageRole, text: &str) -> PastMessage {
    PastMessage {
        role,
        text: text.into(),
    }
}

/// Rewrites by a script, and answers everything else.
fn rewriter(rewritten: impl Fn() -> Said + Send + Sync + 'static) -> impl Fn(&Prompt) -> Said + Send + Sync {
    move |prompt| match prompt.task {
        Task::Rewrite => rewritten(),
        Task::Answer => says(&["Three euros [1]."]),
    }
}

fn opened(bench: &Bench) -> ConversationId {
    let answer = bench.ask(Question::opening(QUESTION)).unwrap();
    answer.conversation.unwrap().id
}

#[test]
fn a_follow_up_question_is_asked_with_what_was_said_before() {
    let model = Scripted::without_rewriting(&["Three euros [1]."]);
    let bench = Bench::new(model.clone());
    let conversation = opened(&bench);
    bench
        .ask(Question::following(conversation, "A late return?"))
        .unwrap();
    let prompts = model.answering();
    assert!(prompts[0].history.is_empty());
    assert_eq!(
        said(&prompts[1].history),
        [
            (MessageRole::User, QUESTION),
            (MessageRole::Assistant, "Three euros [1].")
        ]
    );
    assert_eq!(prompts[1].question, "A late return?");
}

#[test]
fn a_follow_up_question_is_searched_for_as_the_model_rewrites_it() {
    let model = Scripted::new(rewriter(|| {
        says(&["What does a ", "late return\ncost on Sundays? "])
    }));
    let bench = Bench::new(model.clone());
    let conversation = opened(&bench);
    let answer = bench
        .ask(Question::following(conversation, "And there?"))
        .unwrap();
    // The words of the question itself find nothing.
    assert_eq!(answer.sources.len(), 1);
    let rewriting: Vec<Prompt> = model
        .prompts()
        .into_iter()
        .filter(|prompt| prompt.task == Task::Rewrite)
        .collect();
    assert_eq!(rewriting.len(), 1, "a first question is not rewritten");
    assert_eq!(rewriting[0].question, "And there?");
    assert_eq!(said(&rewriting[0].history).len(), 2);
    assert!(rewriting[0].budget.first_token.is_some() && rewriting[0].budget.total.is_some());
    // What is answered is the question as it was asked.
    assert_eq!(model.answering()[1].question, "And there?");
    assert_eq!(kinds(&answer.spent)[0], ("rewriting", 40, 4, false));
}

#[test]
fn a_rewriting_that_fails_or_is_no_query_leaves_the_question_as_it_is() {
    let cases: [fn() -> Said; 4] = [
        || breaks_off(&[], down()),
        || breaks_off(&["What does a "], LlmError::Truncated("scripted".into())),
        || says(&[" \n "]),
        || Said {
            pieces: vec!["nothing to see ".repeat(300)],
            ..says(&[])
        },
    ];
    for (place, case) in cases.into_iter().enumerate() {
        let bench = Bench::new(Scripted::new(rewriter(case)));
        let conversation = opened(&bench);
        let answer = bench
            .ask(Question::following(conversation, "late return on Sundays?"))
            .unwrap();
        assert_eq!(
            (answer.sources.len(), answer.status),
            (1, MessageStatus::Complete),
            "case {place}"
        );
        let spent = kinds(&answer.spent);
        let rewriting = spent.iter().filter(|spent| spent.0 == "rewriting").count();
        // A model that was never reached took nothing.
        assert_eq!(rewriting, usize::from(place > 0), "case {place}: {spent:?}");
    }
}

#[test]
fn the_tenant_may_have_questions_searched_for_as_they_are_asked() {
    let model = Scripted::new(rewriter(|| says(&["something else"])));
    let bench = Bench::new(model.clone());
    bench.set("acme", |chat| chat.follow_ups = FollowUps::AsAsked);
    let conversation = opened(&bench);
    bench.ask(Question::following(conversation, FOLLOW_UP)).unwrap();
    assert!(model.prompts().iter().all(|prompt| prompt.task == Task::Answer));
}

#[test]
fn nothing_is_rewritten_where_nothing_is_searched() {
    let model = Scripted::new(rewriter(|| says(&["something else"])));
    let bench = Bench::new(model.clone());
    let conversation = opened(&bench);
    bench
        .ask(Question {
            retrieval: Retrieval::Off,
            ..Question::following(conversation, FOLLOW_UP)
        })
        .unwrap();
    assert!(model.prompts().iter().all(|prompt| prompt.task == Task::Answer));
    assert_eq!(model.answering()[1].history.len(), 2);
}

#[test]
fn a_reader_who_leaves_during_rewriting_ends_the_turn() {
    let cancellation = Cancellation::new();
    let leaving = cancellation.clone();
    let model = Scripted::new(rewriter(move || {
        leaving.cancel();
        says(&["never read"])
    }));
    let bench = Bench::new(model.clone());
    let conversation = opened(&bench);
    let mut turn = bench.begin(Question::following(conversation, FOLLOW_UP));
    let left = bench.chat.retrieve(&bench.scope(), &mut turn, &cancellation);
    assert!(matches!(left, Err(ChatError::Complete(LlmError::Cancelled))));
    assert!(turn.sources().is_empty(), "nothing was searched");
    let answer = bench.settle(turn);
    assert_eq!(answer.status, MessageStatus::Cancelled);
    assert_eq!(kinds(&answer.spent).len(), 1, "the provider had read the prompt");
}

#[test]
fn failed_answers_are_left_out_with_their_questions_and_cancelled_ones_stay() {
    let answers = std::sync::Mutex::new(
        vec![
            says(&["First [1]."]),
            breaks_off(&["Half of "], LlmError::Truncated("scripted".into())),
            says(&["Third", " cut short"]),
            says(&["Fourth, never heard"]),
            says(&["Fifth [1]."]),
        ]
        .into_iter(),
    );
    let model = Scripted::named("scripted", move |_| answers.lock().unwrap().next().unwrap());
    let bench = Bench::new(model.clone());
    bench.set("acme", |chat| chat.follow_ups = FollowUps::AsAsked);
    let first = bench.ask(Question::opening("late return 1")).unwrap();
    let id = first.conversation.unwrap().id;
    bench.ask(Question::following(id, "late return 2")).unwrap_err();
    let mut turn = bench.retrieved(Question::following(id, "late return 3"));
    spoken_until(&mut turn, 1).1.unwrap_err();
    bench.settle(turn);
    let mut turn = bench.retrieved(Question::following(id, "late return 4"));
    let gone = Cancellation::new();
    gone.cancel();
    turn.speak(&gone, &mut |_| std::ops::ControlFlow::Continue(()))
        .unwrap_err();
    bench.settle(turn);

    let mut turn = bench.retrieved(Question::following(id, "late return 5"));
    spoken(&mut turn).1.unwrap();
    let history = model.answering().pop().unwrap().history;
    assert_eq!(
        said(&history),
        [
            (MessageRole::User, "late return 1"),
            (MessageRole::Assistant, "First [1]."),
            (MessageRole::User, "late return 3"),
            (MessageRole::Assistant, "Third"),
        ]
    );
}

#[test]
fn the_newest_messages_that_fit_are_sent_whole() {
    let model = Scripted::without_rewriting(&["Three euros [1]."]);
    let bench = Bench::new(model.clone());
    let history: Vec<PastMessage> = (0..40)
        .map(|n| {
            let role = [MessageRole::User, MessageRole::Assistant][n % 2];
            message(role, &format!("message {n} of many about late returns"))
        })
        .collect();
    let sent = |tokens: Option<u32>| {
        bench.set("acme", |chat| chat.history_tokens = tokens);
        let question = Question {
            thread: Thread::Stateless {
                history: history.clone(),
            },
            ..Question::alone(QUESTION)
        };
        bench.ask(question).unwrap();
        model.prompts().pop().unwrap().history
    };
    let each = estimate_tokens(&history[0].text);
    assert_eq!(estimate_tokens(&history[39].text), each);
    let three = u32::try_from(each * 3).unwrap();
    assert_eq!(sent(Some(three)), history[37..]);
    assert_eq!(sent(Some(three - 1)), history[38..]);
    assert_eq!(sent(Some(0)), []);
    assert_eq!(
        sent(None),
        history,
        "2,000 tokens unless the tenant says otherwise"
    );

    // A long one is not passed over for an older one that would fit.
    let long = message(MessageRole::User, &"late returns ".repeat(2_000));
    let mixed = vec![history[0].clone(), long, history[1].clone()];
    bench.set("acme", |chat| chat.history_tokens = None);
    let question = Question {
        thread: Thread::Stateless { history: mixed },
        ..Question::alone(QUESTION)
    };
    bench.ask(question).unwrap();
    assert_eq!(model.prompts().pop().unwrap().history, history[1..2]);
}

#[test]
fn the_history_of_a_conversation_is_bounded_too() {
    let model = Scripted::without_rewriting(&["Three euros [1]."]);
    let bench = Bench::new(model.clone());
    let conversation = opened(&bench);
    bench.set("acme", |chat| chat.history_tokens = Some(0));
    bench.ask(Question::following(conversation, QUESTION)).unwrap();
    assert!(model.prompts().pop().unwrap().history.is_empty());
}

#[test]
fn rewriting_whose_provider_does_not_count_is_estimated() {
    let model = Scripted::new(rewriter(|| Said {
        end: Ok((tenantry_llm_client::FinishReason::Stop, None::<Usage>)),
        ..says(&["late return on Sundays"])
    }));
    let bench = Bench::new(model);
    let conversation = opened(&bench);
    let answer = bench.ask(Question::following(conversation, FOLLOW_UP)).unwrap();
    let (kind, prompt, completion, estimated) = kinds(&answer.spent)[0];
    assert_eq!((kind, estimated), ("rewriting", true));
    assert!(prompt > 0 && completion > 0);
}
