use serde_json::{Value, json};
use tenantry_vector_client::VectorError;
use tenantry_vector_client::testing::Operation;

use crate::http::testing::{Server, post};

async fn search(server: &Server, name: &str, query: Value) -> Value {
    let answer = server.call_as(name, post("/search", &query)).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

#[actix_web::test]
async fn each_tenant_finds_its_own_passages_alone() {
    let server = Server::new().await;
    for (name, text) in [
        ("ada", "Acme bikes are returned by noon."),
        ("grace", "Globex bikes are returned at night."),
    ] {
        server.add(name, "Bikes", text).await;
    }
    for (name, own, start) in [
        ("ada", "Acme bikes are returned by noon.", 0),
        ("grace", "Globex bikes are returned at night.", 0),
    ] {
        let found = search(&server, name, json!({"query": "bikes returned"})).await;
        let hits = found["items"].as_array().unwrap();
        assert_eq!(hits.len(), 1, "{found}");
        let hit = &hits[0];
        assert_eq!(
            (&hit["excerpt"], &hit["title"], &hit["start"]),
            (&json!(own), &json!("Bikes"), &json!(start))
        );
        assert_eq!(hit["end"], json!(own.chars().count()));
        assert!(hit["score"].is_number() && hit["chunk"] == json!(0), "{hit}");
    }
}

#[actix_web::test]
async fn a_query_is_read_strictly() {
    let server = Server::new().await;
    for body in [
        json!({"query": ""}),
        json!({"query": "x", "limit": 0}),
        json!({"query": "x", "limit": 101}),
        json!({"query": "x", "limit": -1}),
        json!({"query": "x", "limit": 100_000}),
        json!({"query": "x", "tenant_id": "globex"}),
        json!({"query": "x".repeat(16_001)}),
        json!({}),
        json!([]),
        json!(null),
    ] {
        server
            .call_as("ada", post("/search", &body))
            .await
            .is(422, "invalid_request");
    }
    assert_eq!(
        search(&server, "ada", json!({"query": "x", "limit": 100})).await,
        json!({"items": [], "reranked": false})
    );
}

#[actix_web::test]
async fn a_vector_store_that_is_down_is_told_without_its_words() {
    let server = Server::new().await;
    for (error, status, code) in [
        (
            VectorError::Unavailable("upstream-text".into()),
            503,
            "vector_store_unavailable",
        ),
        (
            VectorError::Refused("upstream-text".into()),
            502,
            "vector_store_refused",
        ),
        (
            VectorError::RateLimited {
                retry_after: Some(std::time::Duration::from_millis(6_500)),
                source: "upstream-text".into(),
            },
            503,
            "vector_store_rate_limited",
        ),
    ] {
        server.vectors.fail_next(Operation::Search, error);
        let answer = server
            .call_as("ada", post("/search", &json!({"query": "x"})))
            .await;
        answer.is(status, code);
        assert!(!answer.text().contains("upstream-text"));
        if code == "vector_store_rate_limited" {
            assert_eq!(answer.header("retry-after"), Some("7"));
        }
    }
}
