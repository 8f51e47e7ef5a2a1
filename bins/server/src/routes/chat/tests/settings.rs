//! What a change of settings does to the next question, and what one tenant's limits and keys do to others.

use std::sync::Arc;

use serde_json::json;
use tenantry_domain::Role;
use tenantry_http_client::{BreakerPolicy, Breaking, Recorded, StubServer, UreqTransport};
use tenantry_llm_client::{Grounding, MemoryCompleter, OpenAiProviders, OpenAiSettings};

use super::bench::{Puppet, TEXT, answered_by, ask, question, set, streamed};
use super::faults::whole_answer;
use crate::http::testing::{Parts, Server, bearer, put, until};

#[actix_web::test]
async fn a_change_of_the_settings_holds_for_the_next_question() {
    let model = Arc::new(MemoryCompleter::saying("x [1]"));
    let server = Server::with(Parts {
        completer: model.clone(),
        ..Parts::default()
    })
    .await;
    for what in ["by post", "in the shop", "from abroad"] {
        let text = format!("{TEXT} This is how it goes {what}.");
        server.add("ada", what, &text).await;
    }
    server.appoint("ada", Role::Admin);
    server.call_as("ada", question()).await;
    let change = json!({
        "system_prompt": "You answer for {tenant_name}.",
        "chat": {"temperature": 0.25, "max_answer_tokens": 77, "passages": 1, "language": "German", "without_support": "answer"}
    });
    let saved = server.call_as("ada", put("/tenant/settings", &change)).await;
    assert_eq!(saved.status, 200, "{}", saved.text());
    server.call_as("ada", streamed()).await;
    let prompts = model.prompts();
    let [before, after] = prompts.as_slice() else {
        panic!("{prompts:?}")
    };
    assert_eq!(before.system.as_deref(), Some("the prompt of acme"));
    assert_eq!((before.passages.len(), before.sampling.temperature), (3, None));
    assert_eq!(before.grounding, Grounding::Passages);
    assert_eq!(after.system.as_deref(), Some("You answer for acme."));
    assert_eq!(
        (after.passages.len(), after.sampling.temperature),
        (1, Some(0.25))
    );
    assert_eq!(after.sampling.max_answer_tokens, Some(77));
    assert_eq!(after.language.as_deref(), Some("German"));
    assert_eq!(after.grounding, Grounding::PassagesFirst);
    // Another tenant is answered as before.
    server.call_as("grace", ask(&json!({"retrieval": false}))).await;
    let prompts = model.prompts();
    let other = prompts.last().unwrap();
    assert_eq!(other.system.as_deref(), Some("the prompt of globex"));
    assert_eq!(
        (other.sampling.temperature, other.language.as_deref()),
        (None, None)
    );
}

#[actix_web::test]
async fn a_user_and_a_tenant_have_as_many_answers_at_once_as_the_settings_say() {
    for (cap, bobs) in [("streams_per_user", 200), ("streams_per_tenant", 429)] {
        let (puppet, mut strings) = Puppet::new();
        let server = answered_by(puppet).await;
        server.hire("bob", "acme", false);
        set(&server, "acme", json!({cap: 1})).await;
        let mut held = Vec::new();
        let mut first = server
            .begin(bearer(streamed(), &server.token("ada")))
            .await
            .into_body();
        strings.say("one ");
        until(&mut first, "one").await;
        for request in [question(), streamed()] {
            let refused = server.call_as("ada", request).await;
            refused.is(429, "too_many_streams");
            assert_eq!(refused.header("retry-after"), Some("2"));
        }
        for (name, status) in [("bob", bobs), ("grace", 200)] {
            let response = server.begin(bearer(streamed(), &server.token(name))).await;
            assert_eq!(response.status(), status, "{cap}: {name}");
            held.push(response);
        }
        set(&server, "acme", json!({cap: 9})).await;
        let response = server.begin(bearer(streamed(), &server.token("ada"))).await;
        assert_eq!(response.status(), 200, "{cap}");
        drop(held);
        strings.end();
        until(&mut first, "event: done").await;
        drop(response);
        server.drain_streams().await;
    }
}

/// How many requests came with a key.
fn calls(upstream: &StubServer, key: &str) -> usize {
    let bearer = format!("Bearer {key}");
    let with_key = |request: &Recorded| request.header("authorization") == Some(bearer.as_str());
    upstream
        .requests()
        .iter()
        .filter(|request| with_key(request))
        .count()
}

#[actix_web::test]
async fn one_tenants_bad_key_is_left_alone_and_slows_no_other() {
    let upstream = StubServer::start(|request| match request.header("authorization") {
        Some("Bearer sk-good") => whole_answer("Thirty days [1]."),
        _ => tenantry_http_client::Answer::new(401),
    });
    let policy = BreakerPolicy {
        failures: 3,
        ..BreakerPolicy::default()
    };
    let transport = Arc::new(Breaking::new(UreqTransport::new(), policy));
    let defaults = OpenAiSettings::new(upstream.url("/v1"), "usual", "");
    let providers = OpenAiProviders::new(transport, defaults);
    let providers = providers.with_allowed_origins([upstream.url("/").origin()]);
    let server = Server::with(Parts {
        providers: Arc::new(providers),
        ..Parts::default()
    })
    .await;
    let bring = async |tenant: &str, key: &str| {
        let provider = json!({"base_url": upstream.url("/v1").as_str(), "api_key": key});
        let change = json!({"llm_provider": provider, "chat": {"models": ["own"]}});
        let path = format!("/admin/tenants/{tenant}");
        let saved = server.call_as("root", put(&path, &change)).await;
        assert_eq!(saved.status, 200, "{}", saved.text());
    };
    for (name, tenant, key) in [("ada", "acme", "sk-bad"), ("grace", "globex", "sk-good")] {
        server.add(name, "Returns", TEXT).await;
        bring(tenant, key).await;
    }
    for turn in 1..=6 {
        let refused = server.call_as("ada", question()).await;
        if turn <= 3 {
            refused.is(502, "llm_unauthorized");
        } else {
            refused.is(503, "llm_unavailable");
        }
        let answered = server.call_as("grace", question()).await;
        assert_eq!(answered.status, 200, "{}", answered.text());
        assert_eq!(calls(&upstream, "sk-good"), turn);
    }
    assert_eq!(calls(&upstream, "sk-bad"), 3, "an open circuit sends nothing");
    // The right key is another circuit, so that it works at once.
    bring("acme", "sk-good").await;
    assert_eq!(server.call_as("ada", question()).await.status, 200);
}
