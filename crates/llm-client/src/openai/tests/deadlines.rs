//! Each deadline by itself: the others are too long to be met.

use tenantry_http_client::{BreakerPolicy, Breaking};

use super::*;
use crate::{Budget, Task};

const SOON: Duration = Duration::from_millis(60);
const NEVER: Duration = Duration::from_hours(1);

const UNMET: CompletionDeadlines = CompletionDeadlines {
    first_token: NEVER,
    between_tokens: NEVER,
    total: NEVER,
};

fn event(json: &str) -> Vec<u8> {
    format!("data: {json}\n\n").into_bytes()
}

fn text(text: &str) -> Piece {
    Piece::Bytes(event(&content(text)))
}

/// What servers send that shows that they are there, and is no token.
fn signs_of_life() -> Vec<Vec<u8>> {
    vec![
        b": keep-alive\n\n".to_vec(),
        event(&chunk(&json!({"role": "assistant", "content": ""}), None)),
        event(&chunk(&json!({}), None)),
        event(&chunk(&json!({"content": null, "reasoning_content": ""}), None)),
        event(r#"{"choices":[]}"#),
    ]
}

fn ask(deadlines: CompletionDeadlines, pieces: Vec<Piece>) -> (String, Result<Completion, LlmError>) {
    let answer = Answer::new(200)
        .header("content-type", "text/event-stream")
        .pieces(pieces);
    let server = StubServer::start(move |_| answer.clone());
    let settings = OpenAiSettings {
        deadlines,
        ..settings(&server)
    };
    let outcome = stream(&OpenAiCompleter::new(Arc::new(UreqTransport::new()), settings));
    assert_eq!(
        server.requests().len(),
        1,
        "what came too late was asked for again"
    );
    outcome
}

#[test]
fn an_answer_that_does_not_begin_is_given_up() {
    let deadlines = CompletionDeadlines {
        first_token: SOON,
        ..UNMET
    };
    let silent = Answer::new(200).before_head(Piece::Hold);
    let server = StubServer::start(move |_| silent.clone());
    let settings = OpenAiSettings {
        deadlines,
        ..settings(&server)
    };
    let model = OpenAiCompleter::new(Arc::new(UreqTransport::new()), settings);
    assert!(matches!(stream(&model).1, Err(LlmError::Unavailable(_))));
    for bytes in signs_of_life() {
        let every = Duration::from_millis(5);
        let (heard, outcome) = ask(deadlines, vec![Piece::Trickle { bytes, every }]);
        assert!(matches!(outcome, Err(LlmError::Unavailable(_))), "{outcome:?}");
        assert_eq!(heard, "");
    }
    // The head has come, and nothing after it.
    let (_, outcome) = ask(deadlines, vec![Piece::Hold]);
    assert!(matches!(outcome, Err(LlmError::Unavailable(_))), "{outcome:?}");
}

#[test]
fn an_answer_that_stops_coming_is_broken_off() {
    let deadlines = CompletionDeadlines {
        between_tokens: SOON,
        ..UNMET
    };
    for bytes in signs_of_life() {
        let every = Duration::from_millis(5);
        let (heard, outcome) = ask(deadlines, vec![text("half"), Piece::Trickle { bytes, every }]);
        assert!(matches!(outcome, Err(LlmError::Truncated(_))), "{outcome:?}");
        assert_eq!(heard, "half");
    }
    let (_, outcome) = ask(deadlines, vec![text("half"), Piece::Hold]);
    assert!(matches!(outcome, Err(LlmError::Truncated(_))), "{outcome:?}");
}

#[test]
fn an_answer_that_never_ends_is_broken_off() {
    let deadlines = CompletionDeadlines {
        total: Duration::from_secs(1),
        ..UNMET
    };
    let every = Duration::from_millis(5);
    let bytes = event(&content("more "));
    let (heard, outcome) = ask(deadlines, vec![Piece::Trickle { bytes, every }]);
    assert!(matches!(outcome, Err(LlmError::Truncated(_))), "{outcome:?}");
    assert!(heard.starts_with("more more "), "{heard}");
}

#[test]
fn a_thought_is_a_token_though_it_is_no_text() {
    let deadlines = CompletionDeadlines {
        between_tokens: SOON,
        ..UNMET
    };
    for field in ["reasoning_content", "reasoning"] {
        let thought = Piece::Bytes(event(&chunk(&json!({field: "hm"}), None)));
        let life = Piece::Trickle {
            bytes: b":\n".to_vec(),
            every: Duration::from_millis(5),
        };
        // The deadline of the first token is met by it, and the one of the next token is not.
        let (heard, outcome) = ask(deadlines, vec![thought, life]);
        assert!(matches!(outcome, Err(LlmError::Unavailable(_))), "{outcome:?}");
        assert_eq!(heard, "");
    }
}

#[test]
fn an_answer_that_is_whole_but_for_its_last_word_is_not_given_up() {
    let deadlines = CompletionDeadlines {
        between_tokens: SOON,
        ..UNMET
    };
    let life = Piece::Trickle {
        bytes: b":\n".to_vec(),
        every: Duration::from_millis(5),
    };
    let (heard, outcome) = ask(deadlines, vec![text("Yes."), Piece::Bytes(event(&stop())), life]);
    assert_eq!(
        (heard.as_str(), outcome.unwrap().finish),
        ("Yes.", FinishReason::Stop)
    );
}

#[test]
fn time_that_the_reader_takes_is_not_the_models() {
    let between_tokens = Duration::from_millis(500);
    let deadlines = CompletionDeadlines {
        between_tokens,
        ..UNMET
    };
    let reading = Gate::new();
    let answer = Answer::new(200)
        .header("content-type", "text/event-stream")
        .pieces([
            text("one "),
            Piece::Wait(reading.clone()),
            text("two"),
            Piece::Bytes(event(&stop())),
        ]);
    let server = StubServer::start(move |_| answer.clone());
    let settings = OpenAiSettings {
        deadlines,
        ..settings(&server)
    };
    let model = OpenAiCompleter::new(Arc::new(UreqTransport::new()), settings);
    let outcome = model.stream(&prompt(), &Cancellation::new(), &mut |delta| {
        if delta == "one " {
            reading.open();
            std::thread::sleep(between_tokens * 2);
        }
        ControlFlow::Continue(())
    });
    assert_eq!(outcome.unwrap().text, "one two");
}

#[test]
fn the_budget_of_a_prompt_shortens_every_deadline() {
    let shortened = |budget: Budget, task| {
        let prompt = Prompt {
            task,
            budget,
            ..prompt()
        };
        let own = CompletionDeadlines::default().of(&prompt);
        [own.first_token, own.between_tokens, own.total].map(|deadline| deadline.as_secs())
    };
    let budget = |first: Option<u64>, total: Option<u64>| Budget {
        first_token: first.map(Duration::from_secs),
        total: total.map(Duration::from_secs),
    };
    assert_eq!(shortened(budget(None, None), Task::Answer), [30, 30, 600]);
    assert_eq!(shortened(budget(Some(7), Some(90)), Task::Answer), [7, 30, 90]);
    assert_eq!(
        shortened(budget(Some(50), Some(900)), Task::Answer),
        [30, 30, 600]
    );
    // A query that is not there by then would come too late.
    assert_eq!(shortened(budget(None, None), Task::Rewrite), [30, 30, 30]);
    assert_eq!(shortened(budget(Some(5), Some(10)), Task::Rewrite), [5, 30, 10]);
    assert_eq!(shortened(budget(None, Some(10)), Task::Answer), [10, 30, 10]);
}

#[test]
fn an_answer_in_one_piece_has_a_deadline_too() {
    let silent = Answer::new(200).before_head(Piece::Hold);
    let server = StubServer::start(move |_| silent.clone());
    let settings = OpenAiSettings {
        deadlines: CompletionDeadlines { total: SOON, ..UNMET },
        patience: SOON,
        ..settings(&server)
    };
    let model = OpenAiCompleter::new(Arc::new(UreqTransport::new()), settings.clone());
    assert!(matches!(model.complete(&prompt()), Err(LlmError::Unavailable(_))));
    let embedder = OpenAiEmbedder::new(Arc::new(UreqTransport::new()), settings);
    assert!(matches!(embedder.embed(&["a"]), Err(LlmError::Unavailable(_))));
}

#[test]
fn a_refusal_that_does_not_end_is_one_all_the_same() {
    let deadlines = CompletionDeadlines {
        first_token: SOON,
        ..UNMET
    };
    for ending in [
        Piece::Break,
        Piece::Hold,
        Piece::Trickle {
            bytes: b" ".to_vec(),
            every: Duration::from_millis(5),
        },
    ] {
        let refusal = Answer::new(401).pieces([Piece::Bytes(b"{".to_vec()), ending]);
        let server = StubServer::start(move |_| refusal.clone());
        let settings = OpenAiSettings {
            deadlines,
            ..settings(&server)
        };
        let model = OpenAiCompleter::new(Arc::new(UreqTransport::new()), settings);
        let outcome = stream(&model).1;
        assert!(matches!(outcome, Err(LlmError::Unauthorized(_))), "{outcome:?}");
    }
}

#[test]
fn a_fallback_answers_where_a_model_does_not_begin() {
    let life = Answer::new(200)
        .header("content-type", "text/event-stream")
        .pieces([Piece::Trickle {
            bytes: b": keep-alive\n\n".to_vec(),
            every: Duration::from_millis(5),
        }]);
    let stuck = StubServer::start(move |_| life.clone());
    let server = StubServer::start(completion);
    let settings = OpenAiSettings {
        deadlines: CompletionDeadlines {
            first_token: SOON,
            ..UNMET
        },
        ..settings(&stuck)
    };
    let first = OpenAiCompleter::new(Arc::new(UreqTransport::new()), settings);
    let model = FallbackCompleter::new(Arc::new(first), vec![Arc::new(completer_of(&server))]);
    let completion = model.stream(
        &prompt(),
        &Cancellation::new(),
        &mut |_| ControlFlow::Continue(()),
    );
    assert_eq!(completion.unwrap().text, "Within 30 days [1].");
}

#[test]
fn a_question_that_cannot_wait_does_not_close_the_provider_to_those_that_can() {
    let silent = Answer::new(200).before_head(Piece::Hold);
    let server = StubServer::start(move |_| silent.clone());
    let policy = BreakerPolicy {
        failures: 1,
        ..BreakerPolicy::default()
    };
    let transport = Arc::new(Breaking::new(UreqTransport::new(), policy));
    let asked = |first_token, budget| {
        let settings = OpenAiSettings {
            deadlines: CompletionDeadlines { first_token, ..UNMET },
            ..settings(&server)
        };
        let mut prompt = prompt();
        prompt.budget.first_token = budget;
        let model = OpenAiCompleter::new(transport.clone(), settings);
        let outcome = model.stream(&prompt, &Cancellation::new(), &mut |_| ControlFlow::Continue(()));
        assert!(matches!(outcome, Err(LlmError::Unavailable(_))), "{outcome:?}");
        server.requests().len()
    };
    assert_eq!(asked(NEVER, Some(SOON)), 1);
    assert_eq!(asked(NEVER, Some(SOON)), 2);
    assert_eq!(asked(SOON, None), 3, "hurry had closed it");
    assert_eq!(
        asked(SOON, None),
        3,
        "it is closed by one who has waited long enough"
    );
}
