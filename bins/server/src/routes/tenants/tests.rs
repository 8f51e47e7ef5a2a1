use std::sync::Arc;

use serde_json::{Value, json};
use tenantry_llm_client::MemoryEmbedder;
use tenantry_vector_client::VectorError;
use tenantry_vector_client::testing::Operation;

use crate::http::testing::{PINECONE_KEY, Parts, Server, bearer, delete, get, post, put};

fn walkthrough() -> Value {
    json!({
        "id": "initech",
        "name": "Initech",
        "pinecone_environment": "us-east-1-aws",
        "pinecone_api_key": PINECONE_KEY,
        "system_prompt": "Answer as Initech."
    })
}

#[actix_web::test]
async fn the_body_of_the_walkthrough_makes_a_tenant() {
    let server = Server::new().await;
    let made = server
        .call_as("root", post("/admin/tenants/", &walkthrough()))
        .await;
    assert_eq!(made.status, 201, "{}", made.text());
    let expected = json!({
        "id": "initech",
        "name": "Initech",
        "pinecone_environment": "us-east-1-aws",
        "pinecone_index": "docs",
        "has_pinecone_api_key": true,
        "pinecone_api_key_last_four": "cdef",
        "pinecone_status": "verified",
        "pinecone_check": {"status": "verified"},
        "pinecone_external": null,
        "search": {"dense_weight": 0.5, "lexical_weight": 1.0, "rrf_k": 10.0, "min_score": null},
        "chat": {
            "models": [], "temperature": null, "max_answer_tokens": null, "passages": null, "language": null,
            "without_support": "decline", "unsupported_text": null, "follow_ups": "rewrite", "history_tokens": null,
            "on_leave": "cancel", "client_instructions": "demote", "allowed_hosts": [], "embedding_model": null,
            "server_provider": false, "streams_per_user": null, "streams_per_tenant": null
        },
        "llm_provider": null,
        "system_prompt": "Answer as Initech.",
        "is_active": true,
        "created_at": "2027-01-15T08:00:00Z",
        "updated_at": "2027-01-15T08:00:00Z",
    });
    assert_eq!(made.json(), expected);
    for path in [
        "/admin/tenants/initech",
        "/admin/tenants/initech/",
        "/admin/tenants/%69nitech",
    ] {
        let shown = server.call_as("root", get(path)).await;
        assert_eq!(
            (shown.status, &shown.json()["id"]),
            (200, &json!("initech")),
            "{path}"
        );
    }
}

#[actix_web::test]
async fn no_answer_holds_a_key() {
    let server = Server::new().await;
    let path = "/admin/tenants/initech";
    for request in [
        post("/admin/tenants", &walkthrough()),
        get(path),
        get("/admin/tenants"),
        put(path, &json!({"pinecone_api_key": PINECONE_KEY})),
        post("/admin/tenants", &walkthrough()),
        delete(path),
    ] {
        let answer = server.call_as("root", request).await;
        assert!(
            !answer.text().contains(PINECONE_KEY) && !answer.text().contains("memory."),
            "{}",
            answer.text()
        );
    }
}

#[actix_web::test]
async fn tenants_are_listed_in_pages() {
    let server = Server::new().await;
    let listed = server
        .call_as("root", get("/admin/tenants/?limit=1&offset=1"))
        .await;
    let list = listed.json();
    assert_eq!(
        (&list["total"], &list["items"][0]["id"]),
        (&json!(2), &json!("globex")),
        "{list}"
    );
    for query in [
        "limit=0",
        "limit=101",
        "offset=-1",
        "offset=9999999999",
        "limit=x",
        "page=2",
        "limit=1&limit=2",
    ] {
        let answer = server
            .call_as("root", get(&format!("/admin/tenants?{query}")))
            .await;
        answer.is(422, "invalid_request");
    }
}

#[actix_web::test]
async fn put_keeps_what_is_missing_and_null_clears() {
    let server = Server::new().await;
    server
        .call_as("root", post("/admin/tenants", &walkthrough()))
        .await;
    let path = "/admin/tenants/initech";
    let renamed = server
        .call_as("root", put(path, &json!({"name": "Initech GmbH"})))
        .await
        .json();
    assert_eq!(
        (&renamed["name"], &renamed["system_prompt"]),
        (&json!("Initech GmbH"), &json!("Answer as Initech."))
    );
    assert_eq!(
        renamed.get("pinecone_check"),
        None,
        "nothing of Pinecone was touched"
    );
    let cleared = server
        .call_as(
            "root",
            put(
                path,
                &json!({"system_prompt": null, "pinecone_environment": null, "pinecone_index": null}),
            ),
        )
        .await
        .json();
    assert_eq!(
        (&cleared["system_prompt"], &cleared["pinecone_environment"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(cleared["has_pinecone_api_key"], json!(true));
    let warned = server
        .call_as(
            "root",
            put(path, &json!({"pinecone_environment": "eu-west1-gcp"})),
        )
        .await
        .json();
    assert!(warned["pinecone_check"]["warning"].is_string(), "{warned}");
    let empty = server.call_as("root", put(path, &json!({}))).await;
    assert_eq!(empty.status, 200);
}

#[actix_web::test]
async fn a_value_that_cannot_be_kept_is_refused_and_nothing_stored() {
    let server = Server::new().await;
    let before = server.call_as("root", get("/admin/tenants/acme")).await.json();
    for body in [
        json!({"pinecone_api_key": null}),
        json!({"pinecone_api_key": ""}),
        json!({"name": null}),
        json!({"name": " "}),
        json!({"name": "a\nb"}),
        json!({"system_prompt": "a\u{0}b"}),
        json!({"is_active": null}),
        json!({"id": "other"}),
        json!({"pinecone_host": "evil.example.org"}),
    ] {
        server
            .call_as("root", put("/admin/tenants/acme", &body))
            .await
            .is(422, "invalid_request");
    }
    for id in [
        "",
        "..",
        "Acme",
        "a/b",
        "a b",
        "-a",
        &"a".repeat(64),
        &"a".repeat(10_000),
    ] {
        let body = json!({"id": id, "name": "X"});
        server
            .call_as("root", post("/admin/tenants", &body))
            .await
            .is(422, "invalid_request");
    }
    assert_eq!(
        server.call_as("root", get("/admin/tenants/acme")).await.json(),
        before
    );
    assert_eq!(
        server.call_as("root", get("/admin/tenants")).await.json()["total"],
        json!(2)
    );
}

#[actix_web::test]
async fn settings_that_cannot_work_are_named_without_the_words_of_pinecone() {
    let server = Server::new().await;
    for (key, index, code) in [
        ("pcsk_unknown_to_pinecone", Value::Null, "pinecone_key_refused"),
        (PINECONE_KEY, json!("other"), "pinecone_index_unknown"),
        (
            "pcsk_with_odd_indexes",
            json!("odd"),
            "pinecone_metric_unsupported",
        ),
        (
            "pcsk_with_odd_indexes",
            json!("small"),
            "pinecone_dimension_mismatch",
        ),
    ] {
        let body = json!({"id": "initech", "name": "I", "pinecone_api_key": key, "pinecone_index": index});
        let answer = server.call_as("root", post("/admin/tenants", &body)).await;
        answer.is(422, code);
        assert!(
            !answer.text().contains("upstream-text") && !answer.text().contains(key),
            "{}",
            answer.text()
        );
    }
}

#[actix_web::test]
async fn an_id_is_never_reused() {
    let server = Server::new().await;
    let again = || post("/admin/tenants", &json!({"id": "acme", "name": "Another"}));
    server.call_as("root", again()).await.is(409, "id_taken");
    let off = server.call_as("root", delete("/admin/tenants/acme/")).await;
    assert_eq!((off.status, &off.json()["is_active"]), (200, &json!(false)));
    server.call_as("root", again()).await.is(409, "id_taken");
    assert_eq!(
        server.call_as("root", get("/admin/tenants/acme")).await.status,
        200
    );
}

#[actix_web::test]
async fn an_id_that_nothing_has_and_one_that_nothing_can_have_are_alike() {
    let server = Server::new().await;
    let mut heard = Vec::new();
    let long = "a".repeat(10_000);
    for id in [
        "nowhere",
        "..",
        "%2e%2e",
        "%2F",
        "..%2fadmin",
        "ACME",
        "acme%00",
        "%ff%fe",
        "acme;a=b",
        &long,
    ] {
        let path = format!("/admin/tenants/{id}");
        for request in [get(&path), delete(&path), put(&path, &json!({"name": "X"}))] {
            let answer = server.call_as("root", request).await;
            answer.is(404, "not_found");
            heard.push(answer.anonymous());
        }
    }
    heard.dedup();
    assert_eq!(heard.len(), 1, "{heard:?}");
}

#[actix_web::test]
async fn a_suspended_tenant_is_shut_out_at_once_and_looks_like_none() {
    let server = Server::new().await;
    let before = server.token("ada");
    assert_eq!(server.call(bearer(get("/documents"), &before)).await.status, 200);
    server.call_as("root", delete("/admin/tenants/acme")).await;
    let tokens = [before, server.token("ada"), server.token("nomad")];
    let mut heard = Vec::new();
    for token in &tokens {
        for request in [
            get("/documents"),
            post("/search", &json!({"query": "x"})),
            post("/chat", &json!({"message": "x"})),
        ] {
            let answer = server.call(bearer(request, token)).await;
            answer.is(403, "tenant_forbidden");
            heard.push(answer.anonymous());
        }
    }
    heard.dedup();
    assert_eq!(heard.len(), 1, "{heard:?}");
    let back = server
        .call_as("root", put("/admin/tenants/acme", &json!({"is_active": true})))
        .await;
    assert_eq!(back.status, 200);
    // Closing the tenant ended the sessions that there were.
    let [ended, open] = [&tokens[0], &tokens[1]].map(|token| bearer(get("/documents"), token));
    server.call(ended).await.is(401, "unauthenticated");
    assert_eq!(server.call(open).await.status, 200);
}

#[actix_web::test]
async fn a_key_that_is_refused_in_use_is_no_mistake_of_the_caller() {
    let server = Server::with(Parts {
        embedder: Some(Arc::new(MemoryEmbedder)),
        ..Parts::default()
    })
    .await;
    let key = json!({"pinecone_api_key": PINECONE_KEY});
    assert_eq!(
        server
            .call_as("root", put("/admin/tenants/acme", &key))
            .await
            .status,
        200
    );
    server.pinecone.fail_next(
        Operation::Search,
        VectorError::Unauthorized("upstream-text".into()),
    );
    let answer = server
        .call_as("ada", post("/search", &json!({"query": "x"})))
        .await;
    answer.is(502, "vector_store_unauthorized");
    assert!(!answer.text().contains("upstream-text"));
}

#[actix_web::test]
async fn search_settings_are_shown_replaced_as_a_whole_and_cleared() {
    let server = Server::new().await;
    let put = async |search: Value| {
        let body = json!({ "search": search });
        server.call_as("root", put("/admin/tenants/acme", &body)).await
    };
    let settings = |dense: f32, lexical: f32, k: f32, least: Value| json!({"dense_weight": dense, "lexical_weight": lexical, "rrf_k": k, "min_score": least});
    for (body, shown) in [
        (
            json!({"dense_weight": 2, "min_score": 0.25}),
            settings(2.0, 1.0, 10.0, json!(0.25)),
        ),
        (json!({"rrf_k": 60}), settings(0.5, 1.0, 60.0, Value::Null)),
        (json!(null), settings(0.5, 1.0, 10.0, Value::Null)),
    ] {
        let answer = put(body).await;
        assert_eq!(
            (answer.status, &answer.json()["search"]),
            (200, &shown),
            "{}",
            answer.text()
        );
    }
    for body in [
        json!({"dense_weight": 11}),
        json!({"dense_weight": 0, "lexical_weight": 0}),
        json!({"min_score": 2}),
        json!({"bm25": 1}),
        json!([]),
    ] {
        put(body).await.is(422, "invalid_request");
    }
    let unchanged = server.call_as("root", get("/admin/tenants/acme")).await.json();
    assert_eq!(unchanged["search"], settings(0.5, 1.0, 10.0, Value::Null));
}

#[actix_web::test]
async fn an_index_that_another_tool_fills_is_named_shown_and_cleared() {
    let server = Server::new().await;
    let put = async |body: Value| server.call_as("root", put("/admin/tenants/acme", &body)).await;
    put(json!({"pinecone_external": {}}))
        .await
        .is(422, "invalid_request");
    let named =
        put(json!({"pinecone_api_key": PINECONE_KEY, "pinecone_external": {"namespace": "docs"}})).await;
    assert_eq!(named.status, 200, "{}", named.text());
    assert_eq!(
        named.json()["pinecone_external"],
        json!({"namespace": "docs", "text_field": "text"})
    );
    for external in [
        json!({"namespace": "ä"}),
        json!({"text_field": ""}),
        json!({"index": "docs"}),
    ] {
        put(json!({ "pinecone_external": external }))
            .await
            .is(422, "invalid_request");
    }
    let cleared = put(json!({"pinecone_external": null})).await;
    assert_eq!(
        (cleared.status, &cleared.json()["pinecone_external"]),
        (200, &Value::Null)
    );
}
