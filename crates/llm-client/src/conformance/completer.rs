use std::ops::ControlFlow;

use tenantry_domain::{Cancellation, MessageRole};

use crate::{Completer, Completion, Grounding, LlmError, Passage, PastMessage, Prompt, Sampling};

/// Runs every obligation of a [`Completer`].
pub fn completer(subject: &dyn Completer) {
    an_answer_names_its_model(subject);
    the_pieces_are_the_text(subject);
    a_break_ends_the_answer(subject);
    a_raised_cancellation_ends_the_answer(subject);
    a_prompt_without_passages_is_answered(subject);
    every_kind_of_prompt_is_answered(subject);
    a_follow_up_is_rewritten_or_refused(subject);
    nothing_is_left_of_an_answer(subject);
}

/// An answer has text and says which model wrote it.
pub fn an_answer_names_its_model(subject: &dyn Completer) {
    assert!(!subject.model().is_empty());
    let completion = subject.complete(&prompt()).expect("an answer");
    assert!(!completion.text.is_empty(), "the answer is empty");
    assert!(!completion.model.is_empty(), "the answer does not name its model");
}

/// The pieces of a stream, put together, are the text of its completion.
pub fn the_pieces_are_the_text(subject: &dyn Completer) {
    let (heard, completion) = stream(subject, &Cancellation::new(), usize::MAX);
    let completion = completion.expect("an answer");
    assert!(!heard.is_empty(), "nothing was streamed");
    assert_eq!(heard.concat(), completion.text);
}

/// A reader that breaks hears nothing more, and the call says that it was cancelled.
pub fn a_break_ends_the_answer(subject: &dyn Completer) {
    let (heard, completion) = stream(subject, &Cancellation::new(), 1);
    assert_eq!(heard.len(), 1);
    assert!(
        matches!(completion, Err(LlmError::Cancelled)),
        "a break is not reported as one"
    );
}

/// A cancellation that was raised before ends the call before the first piece.
pub fn a_raised_cancellation_ends_the_answer(subject: &dyn Completer) {
    let cancellation = Cancellation::new();
    cancellation.cancel();
    let (heard, completion) = stream(subject, &cancellation, usize::MAX);
    assert!(heard.is_empty(), "pieces came after the cancellation");
    assert!(
        matches!(completion, Err(LlmError::Cancelled)),
        "a cancellation is not reported as one"
    );
}

/// A question without passages still gets an answer.
pub fn a_prompt_without_passages_is_answered(subject: &dyn Completer) {
    let prompt = Prompt {
        question: "When?".to_owned(),
        ..Prompt::default()
    };
    assert!(!subject.complete(&prompt).expect("an answer").text.is_empty());
}

/// Whatever an answer may rest on, and whatever stands beside the question, it is answered: in one piece and streamed.
pub fn every_kind_of_prompt_is_answered(subject: &dyn Completer) {
    let message = |role, text: &str| PastMessage {
        role,
        text: text.to_owned(),
    };
    let history = [
        message(MessageRole::User, "Do you take returns?"),
        message(MessageRole::Assistant, "Yes [1]."),
    ];
    for grounding in [Grounding::Passages, Grounding::PassagesFirst, Grounding::Off] {
        for turns in [&[][..], &history, &history[..1], &history[1..]] {
            let prompt = Prompt {
                grounding,
                history: turns.to_vec(),
                client_instruction: Some("Answer in one word.".to_owned()),
                language: Some("English".to_owned()),
                sampling: Sampling {
                    temperature: Some(0.0),
                    max_answer_tokens: Some(100),
                    stop: vec!["###".to_owned()],
                    seed: Some(1),
                    ..Sampling::default()
                },
                ..prompt()
            };
            assert!(!subject.complete(&prompt).expect("an answer").text.is_empty());
            let (heard, completion) = stream_of(subject, &prompt, &Cancellation::new(), usize::MAX);
            assert_eq!(heard.concat(), completion.expect("an answer").text);
            assert!(
                heard.iter().all(|piece| !piece.is_empty()),
                "an empty piece was passed on"
            );
        }
    }
}

/// Who says that it can rewrite does, and who does not refuses to: in one piece and streamed.
pub fn a_follow_up_is_rewritten_or_refused(subject: &dyn Completer) {
    let asked = PastMessage {
        role: MessageRole::User,
        text: "When are refunds paid?".to_owned(),
    };
    let prompt = Prompt::rewriting(vec![asked], "And postage?");
    let whole = subject.complete(&prompt);
    let (heard, streamed) = stream_of(subject, &prompt, &Cancellation::new(), usize::MAX);
    if subject.can_rewrite() {
        assert!(!whole.expect("a query").text.is_empty());
        assert_eq!(heard.concat(), streamed.expect("a query").text);
    } else {
        assert!(matches!(whole, Err(LlmError::Refused(_))), "{whole:?}");
        assert!(matches!(streamed, Err(LlmError::Refused(_))), "{streamed:?}");
        assert!(heard.is_empty());
    }
}

/// A cancellation after the end of an answer does no harm, and the next answer is whole.
pub fn nothing_is_left_of_an_answer(subject: &dyn Completer) {
    let cancellation = Cancellation::new();
    let (heard, completion) = stream(subject, &cancellation, usize::MAX);
    assert_eq!(heard.concat(), completion.expect("an answer").text);
    cancellation.cancel();
    let (again, completion) = stream(subject, &Cancellation::new(), usize::MAX);
    assert_eq!(again.concat(), completion.expect("an answer").text);
}

/// A prompt with a supported question.
pub fn prompt() -> Prompt {
    let passage = |number, title: &str, text: &str| Passage {
        number,
        title: title.into(),
        text: text.into(),
    };
    Prompt {
        system: Some("Be brief.".to_owned()),
        passages: vec![
            passage(1, "Returns", "Refunds are paid within 30 days."),
            passage(
                2,
                "Shipping",
                "We ship on weekdays. A refund of the postage is paid at once.",
            ),
        ],
        question: "When are refunds paid?".to_owned(),
        ..Prompt::default()
    }
}

pub(super) fn stream(
    subject: &dyn Completer,
    cancellation: &Cancellation,
    stop_after: usize,
) -> (Vec<String>, Result<Completion, LlmError>) {
    stream_of(subject, &prompt(), cancellation, stop_after)
}

fn stream_of(
    subject: &dyn Completer,
    prompt: &Prompt,
    cancellation: &Cancellation,
    stop_after: usize,
) -> (Vec<String>, Result<Completion, LlmError>) {
    let mut heard = Vec::new();
    let completion = subject.stream(prompt, cancellation, &mut |delta| {
        heard.push(delta.to_owned());
        if heard.len() == stop_after {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    });
    (heard, completion)
}
