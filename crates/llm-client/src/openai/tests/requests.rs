use super::*;
use crate::{PastMessage, Sampling};

fn body(settings: OpenAiSettings, server: &StubServer, prompt: &Prompt) -> Value {
    let model = OpenAiCompleter::new(Arc::new(UreqTransport::new()), settings);
    model.complete(prompt).unwrap();
    let mut body = server.requests().pop().unwrap().json();
    body.as_object_mut().unwrap().remove("messages");
    body
}

fn sampling() -> Sampling {
    Sampling {
        temperature: Some(1.5),
        top_p: Some(0.5),
        max_answer_tokens: Some(9),
        stop: vec!["\n".into(), "END".into()],
        presence_penalty: Some(-1.0),
        frequency_penalty: Some(2.0),
        seed: Some(-7),
    }
}

#[test]
fn what_is_asked_of_the_sampling_goes_before_the_settings() {
    let server = StubServer::start(completion);
    let tuned = OpenAiSettings {
        max_answer_tokens: Some(300),
        temperature: Some(0.5),
        ..settings(&server)
    };
    let plain = prompt();
    assert_eq!(
        body(tuned.clone(), &server, &plain),
        json!({"model": "chat-model", "max_completion_tokens": 300, "temperature": 0.5})
    );
    let asked = Prompt {
        sampling: sampling(),
        ..prompt()
    };
    let expected = json!({
        "model": "chat-model", "max_completion_tokens": 9, "temperature": 1.5, "top_p": 0.5, "stop": ["\n", "END"],
        "presence_penalty": -1.0, "frequency_penalty": 2.0, "seed": -7,
    });
    assert_eq!(body(tuned, &server, &asked), expected);
    assert_eq!(
        body(settings(&server), &server, &plain),
        json!({"model": "chat-model"})
    );
}

#[test]
fn a_rewriting_is_short_and_without_the_settings_temperature() {
    let server = StubServer::start(completion);
    let tuned = OpenAiSettings {
        max_answer_tokens: Some(4_000),
        max_tokens_field: MaxTokensField::MaxTokens,
        temperature: Some(1.8),
        ..settings(&server)
    };
    let history = vec![PastMessage {
        role: tenantry_domain::MessageRole::User,
        text: "a".into(),
    }];
    let rewriting = Prompt::rewriting(history, "b");
    assert_eq!(
        body(tuned.clone(), &server, &rewriting),
        json!({"model": "chat-model", "max_tokens": 512})
    );
    let shorter = Prompt {
        sampling: Sampling {
            max_answer_tokens: Some(64),
            ..Sampling::default()
        },
        ..rewriting
    };
    assert_eq!(body(tuned, &server, &shorter)["max_tokens"], 64);
}
