use std::sync::Arc;

use serde_json::json;
use tenantry_llm_client::MemoryCompleter;

use crate::http::testing::{Parts, Server, get};
use crate::routes::v1::testing::{error, record};

async fn server(model: &str) -> Server {
    Server::with(Parts {
        completer: Arc::new(MemoryCompleter::saying("x").named(model)),
        ..Parts::default()
    })
    .await
}

#[actix_web::test]
async fn the_models_are_those_that_the_tenant_may_ask() {
    let server = server("small").await;
    let listed = server.call_as("ada", get("/v1/models")).await;
    assert_eq!(listed.status, 200, "{}", listed.text());
    record("ListModelsResponse", "one", &listed.json());
    let created = listed.json()["data"][0]["created"].clone();
    assert!(created.as_i64().unwrap() > 1_700_000_000, "seconds");
    let model = json!({"id": "small", "object": "model", "created": created, "owned_by": "tenantry"});
    assert_eq!(listed.json(), json!({"object": "list", "data": [model]}));
    let shown = server.call_as("ada", get("/v1/models/small")).await;
    record("Model", "one", &shown.json());
    assert_eq!(shown.json(), model);
    assert_eq!(
        server.call_as("ada", get("/v1/models/")).await.json(),
        listed.json()
    );
}

#[test]
fn the_schemas_refuse_what_is_wrong() {
    record(
        "refused-ListModelsResponse",
        "other-object",
        &json!({"object": "models", "data": []}),
    );
    record(
        "refused-Model",
        "without-owner",
        &json!({"id": "a", "object": "model", "created": 1}),
    );
}

#[actix_web::test]
async fn a_models_name_may_have_slashes() {
    let server = server("openai/gpt-oss-20b").await;
    for path in ["/v1/models/openai/gpt-oss-20b", "/v1/models/openai%2Fgpt-oss-20b"] {
        let shown = server.call_as("ada", get(path)).await;
        assert_eq!(shown.status, 200, "{path}: {}", shown.text());
        assert_eq!(shown.json()["id"], "openai/gpt-oss-20b");
    }
}

#[actix_web::test]
async fn a_model_that_the_tenant_does_not_have_is_404() {
    let server = server("small").await;
    for path in ["/v1/models/smal", "/v1/models/small/er", "/v1/models/%00"] {
        let answer = server.call_as("ada", get(path)).await;
        error(
            &answer,
            404,
            "invalid_request_error",
            Some("model_not_found"),
            Some("model"),
        );
    }
    let nomad = server.call_as("nomad", get("/v1/models")).await;
    error(&nomad, 403, "permission_error", Some("tenant_forbidden"), None);
    error(
        &server.call(get("/v1/models")).await,
        401,
        "invalid_request_error",
        Some("invalid_api_key"),
        None,
    );
}
