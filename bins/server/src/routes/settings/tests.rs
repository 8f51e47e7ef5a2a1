use serde_json::{Value, json};
use tenantry_domain::Role;

use crate::http::testing::{Answer, PASSWORD, Server, bearer, get, logged, post, put};

const KEY: &str = "sk-0123456789abcdef-WXYZ";
const OWN: &str = "https://llm.example.org/v1";

async fn with_admin() -> Server {
    let server = Server::new().await;
    server.appoint("ada", Role::Admin);
    server
}

async fn change(server: &Server, body: &Value) -> Answer {
    server.call_as("ada", put("/tenant/settings", body)).await
}

#[actix_web::test]
async fn an_admin_sees_the_settings_and_what_may_be_chosen() {
    let server = with_admin().await;
    let shown = server.call_as("ada", get("/tenant/settings")).await;
    assert_eq!(shown.status, 200, "{}", shown.text());
    let expected = json!({
        "tenant_id": "acme",
        "name": "acme",
        "role": "admin",
        "search": {"dense_weight": 0.5, "lexical_weight": 1.0, "rrf_k": 10.0, "min_score": null},
        "chat": {
            "models": [], "temperature": null, "max_answer_tokens": null, "passages": null, "language": null,
            "without_support": "decline", "unsupported_text": null, "follow_ups": "rewrite", "history_tokens": null,
            "on_leave": "cancel", "client_instructions": "demote", "allowed_hosts": [], "embedding_model": null,
            "server_provider": false, "streams_per_user": null, "streams_per_tenant": null
        },
        "ingesters": "members",
        "system_prompt": "the prompt of acme",
        "llm_provider": null,
        "offered": {"chat_models": ["usual", "better"], "embedding_models": ["hashed-words"]},
    });
    assert_eq!(shown.json(), expected);
}

#[actix_web::test]
async fn a_member_sees_no_settings_and_changes_none() {
    let server = Server::new().await;
    let provider = json!({
        "chat": {"models": ["own"]}, "llm_provider": {"base_url": OWN, "api_key": KEY}
    });
    let saved = server
        .call_as("root", put("/admin/tenants/acme", &provider))
        .await;
    assert_eq!(saved.status, 200, "{}", saved.text());
    let shown = server.call_as("ada", get("/tenant/settings/")).await;
    shown.is(403, "permission_required");
    assert!(shown.message().contains("`admin`"), "{}", shown.text());
    for hidden in ["the prompt of acme", "llm.example.org", "WXYZ", "offered"] {
        assert!(!shown.text().contains(hidden), "{}", shown.text());
    }
    let answer = change(&server, &json!({"chat": {"temperature": 1}})).await;
    answer.is(403, "permission_required");
}

#[actix_web::test]
async fn a_role_is_read_from_the_store_and_ends_the_tokens_of_the_one_before() {
    let server = Server::new().await;
    let token = server.token("ada");
    let attempt = |token: &str| bearer(put("/tenant/settings", &json!({})), token);
    server.call(attempt(&token)).await.is(403, "permission_required");
    let me = server.call(bearer(get("/users/me"), &token)).await.json();
    let path = format!("/admin/users/{}", me["id"].as_str().unwrap());
    let role = async |role: &str| server.call_as("root", put(&path, &json!({ "role": role }))).await;
    assert_eq!(role("admin").await.json()["role"], json!("admin"));
    server.call(attempt(&token)).await.is(401, "unauthenticated");
    let as_admin = server.token("ada");
    assert_eq!(server.call(attempt(&as_admin)).await.status, 200);
    assert_eq!(role("member").await.status, 200);
    for token in [&token, &as_admin] {
        server.call(attempt(token)).await.is(401, "unauthenticated");
    }
    server
        .call(attempt(&server.token("ada")))
        .await
        .is(403, "permission_required");
}

#[actix_web::test]
async fn an_admin_who_is_moved_is_a_member_of_the_other_tenant() {
    let server = with_admin().await;
    let me = server.call_as("ada", get("/users/me")).await.json();
    let path = format!("/admin/users/{}", me["id"].as_str().unwrap());
    let moved = server
        .call_as("root", put(&path, &json!({"tenant_id": "globex"})))
        .await;
    assert_eq!(moved.json()["role"], json!("member"), "{}", moved.text());
    change(&server, &json!({})).await.is(403, "permission_required");
    let both = json!({"tenant_id": "acme", "role": "admin"});
    let back = server.call_as("root", put(&path, &both)).await;
    assert_eq!(back.json()["role"], json!("admin"));
}

#[actix_web::test]
async fn a_superuser_is_no_admin_of_a_tenant_without_being_made_one() {
    let server = Server::new().await;
    let me = server.call_as("root", get("/users/me")).await.json();
    let path = format!("/admin/users/{}", me["id"].as_str().unwrap());
    let moved = server
        .call_as("root", put(&path, &json!({"tenant_id": "acme"})))
        .await;
    assert_eq!(moved.status, 200);
    let answer = server.call_as("root", put("/tenant/settings", &json!({}))).await;
    answer.is(403, "permission_required");
}

#[actix_web::test]
async fn settings_are_merged_value_by_value_and_null_brings_the_default_back() {
    let server = with_admin().await;
    let all = json!({"chat": {
        "models": ["better", "usual"], "temperature": 0.5, "max_answer_tokens": 800, "passages": 8, "language": " German ",
        "without_support": "answer", "unsupported_text": "No idea.", "follow_ups": "as_asked", "history_tokens": 0,
        "on_leave": "finish", "client_instructions": "refuse", "allowed_hosts": ["example.org", "*.example.net"],
        "embedding_model": "hashed-words", "server_provider": true
    }});
    let saved = change(&server, &all).await;
    assert_eq!(saved.status, 200, "{}", saved.text());
    let chat = saved.json()["chat"].clone();
    for (field, value) in all["chat"].as_object().unwrap() {
        let expected = if field == "language" {
            json!("German")
        } else {
            value.clone()
        };
        assert_eq!(chat[field], expected, "{field}");
    }
    let one = change(&server, &json!({"chat": {"temperature": null}}))
        .await
        .json();
    let mut expected = chat.clone();
    expected["temperature"] = Value::Null;
    assert_eq!(one["chat"], expected);
    let mut nulls = all["chat"].clone();
    nulls
        .as_object_mut()
        .unwrap()
        .values_mut()
        .for_each(|value| *value = Value::Null);
    let cleared = change(&server, &json!({ "chat": nulls })).await.json();
    change(&server, &all).await;
    assert_eq!(change(&server, &json!({"chat": null})).await.json(), cleared);
    assert_eq!(cleared["chat"]["models"], json!([]));
    assert_eq!(cleared["chat"]["on_leave"], json!("cancel"));
}

#[actix_web::test]
async fn what_superusers_alone_set_is_kept_and_refused_to_admins() {
    let server = with_admin().await;
    let caps = json!({"chat": {"streams_per_user": 3, "streams_per_tenant": 30}});
    let saved = server.call_as("root", put("/admin/tenants/acme", &caps)).await;
    assert_eq!(
        saved.json()["chat"]["streams_per_user"],
        json!(3),
        "{}",
        saved.text()
    );
    for field in ["streams_per_user", "streams_per_tenant"] {
        for value in [json!(4), Value::Null] {
            let answer = change(&server, &json!({"chat": {field: value}})).await;
            answer.is(422, "invalid_request");
            assert!(
                answer.message().contains(&format!("`chat.{field}`")),
                "{}",
                answer.message()
            );
        }
    }
    for field in ["name", "is_active", "pinecone_index", "pinecone_api_key"] {
        change(&server, &json!({field: "x"}))
            .await
            .is(422, "invalid_request");
    }
    let reset = change(&server, &json!({"chat": null})).await.json();
    assert_eq!(
        (
            &reset["chat"]["streams_per_user"],
            &reset["chat"]["streams_per_tenant"]
        ),
        (&json!(3), &json!(30))
    );
}

#[actix_web::test]
async fn a_value_that_cannot_be_used_is_told_by_its_name_to_admins_and_superusers() {
    let server = with_admin().await;
    let before = server.call_as("ada", get("/tenant/settings")).await.json();
    for (field, values) in [
        ("temperature", vec![json!(-0.1), json!(2.1), json!(1e30)]),
        (
            "max_answer_tokens",
            vec![json!(0), json!(128_001), json!(-1), json!(i64::MAX)],
        ),
        ("passages", vec![json!(0), json!(21), json!(65_537)]),
        ("history_tokens", vec![json!(-1), json!(100_001)]),
        ("language", vec![json!(""), json!("a\nb"), json!("x".repeat(65))]),
        ("unsupported_text", vec![json!(" "), json!("x".repeat(2_001))]),
        ("without_support", vec![json!("maybe"), json!("Decline")]),
        ("follow_ups", vec![json!("")]),
        ("on_leave", vec![json!("stay")]),
        ("client_instructions", vec![json!("obey")]),
        (
            "allowed_hosts",
            vec![
                json!(["https://example.org"]),
                json!(["*"]),
                json!(vec!["a.de"; 101]),
            ],
        ),
        (
            "models",
            vec![
                json!(["a b"]),
                json!([""]),
                json!(["usual", "usual"]),
                json!((0..9).map(|n| n.to_string()).collect::<Vec<_>>()),
            ],
        ),
        ("embedding_model", vec![json!("unknown"), json!("a b")]),
    ] {
        for value in values {
            let body = json!({"chat": {field: value}});
            for answer in [
                change(&server, &body).await,
                server.call_as("root", put("/admin/tenants/acme", &body)).await,
            ] {
                answer.is(422, "invalid_request");
                assert!(
                    answer.message().contains(&format!("`chat.{field}`")),
                    "{}",
                    answer.message()
                );
            }
        }
    }
    change(&server, &json!({"chat": {"top_k": 1}}))
        .await
        .is(422, "invalid_request");
    assert_eq!(
        server.call_as("ada", get("/tenant/settings")).await.json(),
        before
    );
}

#[actix_web::test]
async fn an_admin_chooses_among_the_models_that_the_server_offers() {
    let server = with_admin().await;
    let dear = json!({"chat": {"models": ["dear"]}});
    let refused = change(&server, &dear).await;
    refused.is(422, "invalid_request");
    assert!(
        refused.message().contains("`chat.models`"),
        "{}",
        refused.message()
    );
    assert_eq!(
        server
            .call_as("root", put("/admin/tenants/acme", &dear))
            .await
            .status,
        200
    );
    let kept = change(&server, &json!({"chat": {"temperature": 1}})).await;
    assert_eq!(
        (kept.status, &kept.json()["chat"]["models"]),
        (200, &json!(["dear"])),
        "what a superuser allowed stays"
    );
    assert_eq!(
        change(&server, &json!({"chat": {"models": ["better"]}}))
            .await
            .status,
        200
    );
}

#[actix_web::test]
async fn a_provider_of_the_tenants_own_has_other_models_and_takes_them_with_it() {
    let server = with_admin().await;
    let provider = json!({"base_url": OWN, "api_key": KEY});
    let alone = change(&server, &json!({ "llm_provider": provider })).await;
    alone.is(422, "invalid_request");
    assert!(alone.message().contains("`chat.models`"), "{}", alone.message());
    let both = json!({"llm_provider": provider, "chat": {"models": ["own-large"]}});
    let saved = change(&server, &both).await;
    assert_eq!(
        saved.json()["llm_provider"],
        json!({"base_url": OWN, "has_api_key": true, "api_key_last_four": "WXYZ"}),
        "{}",
        saved.text()
    );
    change(&server, &json!({"chat": {"models": []}}))
        .await
        .is(422, "invalid_request");
    let bare = change(&server, &json!({"llm_provider": null})).await;
    bare.is(422, "invalid_request");
    let gone = change(&server, &json!({"llm_provider": null, "chat": {"models": null}})).await;
    assert_eq!((gone.status, &gone.json()["llm_provider"]), (200, &Value::Null));
}

#[actix_web::test]
async fn a_stored_key_is_sent_to_no_other_address() {
    let server = with_admin().await;
    let both = json!({"llm_provider": {"base_url": OWN, "api_key": KEY}, "chat": {"models": ["own"]}});
    assert_eq!(change(&server, &both).await.status, 200);
    let provider = async |body: Value| change(&server, &json!({ "llm_provider": body })).await;
    let moved = provider(json!({"base_url": "https://elsewhere.example.org/v1"})).await;
    moved.is(422, "invalid_request");
    assert!(
        moved.message().contains("`llm_provider.api_key`"),
        "{}",
        moved.message()
    );
    let same = provider(json!({ "base_url": OWN })).await.json();
    assert_eq!(same["llm_provider"]["has_api_key"], json!(true));
    let rotated = provider(json!({"api_key": "sk-another-key-0123-6789"}))
        .await
        .json();
    assert_eq!(rotated["llm_provider"]["api_key_last_four"], json!("6789"));
    let keyless = provider(json!({"base_url": "https://elsewhere.example.org/v1", "api_key": null}))
        .await
        .json();
    assert_eq!(keyless["llm_provider"]["has_api_key"], json!(false));
}

#[actix_web::test]
async fn an_address_or_key_that_cannot_be_used_is_named_and_not_repeated() {
    let server = with_admin().await;
    for (body, field) in [
        (json!({"api_key": KEY}), "llm_provider.base_url"),
        (json!({"base_url": "llm.example.org"}), "llm_provider.base_url"),
        (
            json!({"base_url": "ftp://hunter2.example.org"}),
            "llm_provider.base_url",
        ),
        (
            json!({"base_url": "http://hunter2.example.org/v1"}),
            "llm_provider.base_url",
        ),
        (
            json!({"base_url": "https://u:hunter2@x.example.org"}),
            "llm_provider.base_url",
        ),
        (
            json!({"base_url": "https://x.example.org/v1?key=hunter2"}),
            "llm_provider.base_url",
        ),
        (
            json!({"base_url": format!("https://x.example.org/{}", "hunter2".repeat(200))}),
            "llm_provider.base_url",
        ),
        (json!({"base_url": OWN, "api_key": ""}), "llm_provider.api_key"),
        (
            json!({"base_url": OWN, "api_key": "hunter2 hunter2"}),
            "llm_provider.api_key",
        ),
        (
            json!({"base_url": OWN, "api_key": "hunter2".repeat(80)}),
            "llm_provider.api_key",
        ),
    ] {
        let answer = change(
            &server,
            &json!({"llm_provider": body, "chat": {"models": ["own"]}}),
        )
        .await;
        answer.is(422, "invalid_request");
        let message = answer.message();
        assert!(
            message.contains(field) && !message.contains("hunter2"),
            "{message}"
        );
    }
}

#[actix_web::test]
async fn a_key_is_in_no_answer_and_no_line_of_the_log() {
    let server = with_admin().await;
    let both = json!({"llm_provider": {"base_url": OWN, "api_key": KEY}, "chat": {"models": ["own"]}});
    let new = json!({"id": "initech", "name": "I", "llm_provider": {"base_url": OWN, "api_key": KEY},
        "chat": {"models": ["own"]}});
    let lines = logged(async {
        for (name, request) in [
            ("ada", put("/tenant/settings", &both)),
            ("ada", get("/tenant/settings")),
            ("root", put("/admin/tenants/acme", &both)),
            ("root", get("/admin/tenants/acme")),
            ("root", post("/admin/tenants", &new)),
            ("root", get("/admin/tenants")),
        ] {
            let answer = server.call_as(name, request).await;
            assert!(matches!(answer.status, 200 | 201), "{}", answer.text());
            assert!(
                !answer.text().contains(KEY) && !answer.text().contains("v1."),
                "{}",
                answer.text()
            );
        }
        let token = server.token("ada");
        server.fail_store();
        let failed = server.call(bearer(put("/tenant/settings", &both), &token)).await;
        assert_eq!(failed.status, 503);
    });
    let lines = lines.await.join("\n");
    assert!(
        lines.contains("store_unavailable") && !lines.contains(KEY),
        "{lines}"
    );
}

#[actix_web::test]
async fn an_admin_changes_no_other_tenant() {
    let server = with_admin().await;
    let before = server.call_as("root", get("/admin/tenants/globex")).await.json();
    let changed = change(
        &server,
        &json!({"system_prompt": "Only for acme.", "chat": {"language": "German"}}),
    )
    .await;
    assert_eq!(changed.status, 200);
    assert_eq!(
        server.call_as("root", get("/admin/tenants/globex")).await.json(),
        before
    );
    let other = server.call_as("grace", get("/tenant/settings")).await;
    assert!(!other.text().contains("German"), "{}", other.text());
}

#[actix_web::test]
async fn the_command_that_makes_an_admin_may_be_given_with_the_account() {
    let server = Server::new().await;
    let new = json!({"email": "lin@example.org", "password": PASSWORD, "tenant_id": "acme", "role": "admin"});
    let made = server.call_as("root", post("/admin/users", &new)).await;
    assert_eq!((made.status, &made.json()["role"]), (201, &json!("admin")));
    assert_eq!(
        server
            .call_as("lin", put("/tenant/settings", &json!({})))
            .await
            .status,
        200
    );
    let path = format!("/admin/users/{}", made.json()["id"].as_str().unwrap());
    for role in [json!("owner"), json!("Admin"), Value::Null] {
        let answer = server.call_as("root", put(&path, &json!({ "role": role }))).await;
        answer.is(422, "invalid_request");
    }
}
