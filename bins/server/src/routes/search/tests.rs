use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};
use tenantry_domain::{EmbeddingModel, MetadataValue};
use tenantry_llm_client::{
    Embedded, Embedder, FailingReranker, LlmError, MemoryEmbedder, MemoryReranker, Reranker,
};
use tenantry_vector_client::VectorError;
use tenantry_vector_client::testing::Operation;

use crate::http::testing::{PINECONE_KEY, Parts, Server, logged, post, put};

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
        json!({"query": "x", "min_score": 1.1}),
        json!({"query": "x", "diversity": -0.1}),
        json!({"query": "x", "weights": {"dense": 0, "lexical": 0}}),
        json!({"query": "x", "weights": {"k": 0.5}}),
        json!({"query": "x", "weights": {"bm25": 1}}),
        json!({"query": "x", "rerank": "yes"}),
        json!({"query": "x", "filter": []}),
        json!({"query": "x", "filter": {"a": null}}),
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

/// Titles of the hits, in their order.
fn titles(found: &Value) -> Vec<&str> {
    let items = found["items"].as_array().unwrap().iter();
    items.map(|hit| hit["title"].as_str().unwrap()).collect()
}

/// Adds a document with metadata.
async fn add(server: &Server, name: &str, title: &str, text: &str, metadata: &Value) {
    let new = json!({"title": title, "text": text, "metadata": metadata});
    server.submit(name, post("/documents", &new)).await;
}

#[actix_web::test]
async fn a_filter_narrows_the_tenants_own_documents_and_never_widens_them() {
    let server = Server::new().await;
    for (title, lang, year) in [("A", "en", 2019), ("B", "en", 2021), ("C", "de", 2023)] {
        let text = format!("Bikes are returned late: {title}.");
        add(&server, "ada", title, &text, &json!({"lang": lang, "year": year})).await;
    }
    add(
        &server,
        "grace",
        "G",
        "Bikes are returned late.",
        &json!({"lang": "en", "year": 2021}),
    )
    .await;
    for (filter, expected) in [
        (json!({}), "ABC"),
        (json!({"lang": "en"}), "AB"),
        (json!({"lang": {"$ne": "en"}}), "C"),
        (json!({"year": {"gte": 2020, "lt": 2023}}), "B"),
        (json!({"lang": {"in": ["de", "fr"]}}), "C"),
        (json!({"$or": [{"lang": "de"}, {"year": {"$lt": 2020}}]}), "AC"),
        (json!({"not": {"lang": "de"}, "year": {"gt": 2019}}), "B"),
        (json!({"or": []}), ""),
        (json!({"not": {"or": []}}), "ABC"),
    ] {
        let found = search(
            &server,
            "ada",
            json!({"query": "bikes returned", "filter": filter}),
        )
        .await;
        let mut titles = titles(&found);
        titles.sort_unstable();
        assert_eq!(titles.concat(), expected, "{filter}");
    }
    let wrong = json!({"query": "x", "filter": {"and": [{"a": 1}, {"year": {"gtx": 1}}]}});
    let answer = server.call_as("ada", post("/search", &wrong)).await;
    answer.is(422, "invalid_request");
    assert!(
        answer.message().contains("`filter.and[1].year.gtx`"),
        "{}",
        answer.text()
    );
}

#[actix_web::test]
async fn a_hit_shows_where_it_stands_and_how_its_score_came_about() {
    let server = Server::new().await;
    let new = json!({"title": "Bikes", "text": "# Rental\n\n## Fees\n\nBikes cost ten euros.", "media_type": "text/markdown"});
    server.submit("ada", post("/documents", &new)).await;
    let found = search(&server, "ada", json!({"query": "bikes euros"})).await;
    let hit = &found["items"][0];
    assert_eq!(
        (&hit["headings"], &hit["page"]),
        (&json!(["Rental"]), &Value::Null),
        "{hit}"
    );
    let parts = &hit["score_parts"];
    assert_eq!(
        (&parts["dense"], &parts["dense_rank"], &parts["rerank"]),
        (&Value::Null, &Value::Null, &Value::Null)
    );
    assert_eq!(
        (&parts["lexical_rank"], &parts["fused"]),
        (&json!(1), &hit["score"])
    );
    assert!(parts["lexical"].as_f64().unwrap() > 0.0, "{hit}");
    assert!(found.get("explanation").is_none() && hit.get("record_id").is_none());
}

fn embedding() -> Parts {
    Parts {
        embedder: Some(Arc::new(MemoryEmbedder)),
        ..Parts::default()
    }
}

#[actix_web::test]
async fn a_result_is_explained_when_asked_for() {
    let server = Server::with(embedding()).await;
    server.add("ada", "Bikes", "Bikes cost ten euros.").await;
    let query =
        json!({"query": "bikes euros", "explain": true, "weights": {"dense": 2, "k": 60}, "min_score": 0.0});
    let found = search(&server, "ada", query).await;
    let explanation = &found["explanation"];
    assert_eq!(
        explanation["weights"],
        json!({"dense": 2.0, "lexical": 1.0, "k": 60.0})
    );
    assert_eq!(
        (&explanation["dense"]["searched"], &explanation["lexical"]),
        (&json!(true), &json!(true)),
        "{explanation}"
    );
    assert_eq!(
        (&explanation["reranking"], &explanation["counts"]["found"]),
        (&json!("off"), &json!(1))
    );
    let hit = &explanation["hits"][0];
    assert_eq!(
        (&hit["fused_place"], &hit["diversity"]),
        (&json!(1), &Value::Null)
    );
    assert_eq!(hit["chunks"][0]["end"], found["items"][0]["end"]);
    let part = |ranking: &str| hit[ranking]["part"].as_f64().unwrap();
    let fused = found["items"][0]["score_parts"]["fused"].as_f64().unwrap();
    assert!((part("dense") + part("lexical") - fused).abs() < 1e-5, "{hit}");
    assert!(
        hit["terms"]
            .as_array()
            .unwrap()
            .iter()
            .any(|term| term.as_str().unwrap().starts_with("bike"))
    );
}

#[actix_web::test]
async fn neighbours_are_merged_unless_told_otherwise_and_low_scores_are_left_out() {
    let server = Server::new().await;
    let text = "Bikes are rented by the day, and bikes are returned late.\n\n".repeat(60);
    server.add("ada", "Bikes", &text).await;
    let items = |found: Value| found["items"].as_array().unwrap().len();
    let merged = search(&server, "ada", json!({"query": "bikes"})).await;
    let apart = search(
        &server,
        "ada",
        json!({"query": "bikes", "merge_neighbours": false}),
    )
    .await;
    assert!(items(merged) < items(apart));
    let strict = json!({"query": "bikes", "min_score": 1.0, "merge_neighbours": false});
    assert_eq!(items(search(&server, "ada", strict).await), 1);
}

async fn reranked_by(reranker: impl Reranker + 'static) -> Server {
    let server = Server::with(Parts {
        reranker: Some(Arc::new(reranker)),
        ..embedding()
    })
    .await;
    server.add("ada", "Bikes", "Bikes cost ten euros.").await;
    server.add("ada", "Boats", "Boats cost more than bikes.").await;
    server
}

#[actix_web::test]
async fn a_reranker_orders_where_there_is_one_unless_told_otherwise() {
    let server = reranked_by(MemoryReranker).await;
    let found = search(&server, "ada", json!({"query": "bikes euros"})).await;
    assert_eq!(found["reranked"], json!(true));
    assert!(found["items"][0]["score_parts"]["rerank"].is_number(), "{found}");
    let found = search(&server, "ada", json!({"query": "bikes euros", "rerank": false})).await;
    assert_eq!(found["reranked"], json!(false));
    let without = Server::new().await;
    let asked = without
        .call_as("ada", post("/search", &json!({"query": "x", "rerank": true})))
        .await;
    asked.is(422, "invalid_request");
}

#[actix_web::test]
async fn a_reranker_that_fails_is_told_and_logged_and_the_hits_stand() {
    let server = reranked_by(FailingReranker::new(|| LlmError::Unavailable("no route".into()))).await;
    let lines = logged(async {
        let found = search(&server, "ada", json!({"query": "bikes", "explain": true})).await;
        assert_eq!(
            (&found["reranked"], found["items"].as_array().unwrap().len()),
            (&json!(false), 2)
        );
        assert_eq!(found["explanation"]["reranking"], json!("failed"));
        assert!(!found.to_string().contains("no route"));
    })
    .await;
    let told: Vec<_> = lines.iter().filter(|line| line.starts_with("WARN")).collect();
    assert!(
        matches!(told.as_slice(), [line] if line.contains("not reranked") && line.contains("request_id=")),
        "{lines:?}"
    );
}

#[actix_web::test]
async fn records_of_another_tool_are_found_by_their_ids() {
    let server = Server::with(embedding()).await;
    let external = json!({"pinecone_api_key": PINECONE_KEY, "pinecone_external": {"namespace": "docs"}});
    let saved = server
        .call_as("root", put("/admin/tenants/acme", &external))
        .await;
    assert_eq!(saved.status, 200, "{}", saved.text());
    let text = "Bikes cost ten euros.";
    let embedding = MemoryEmbedder.embed(&[text]).unwrap().embeddings.remove(0);
    let fields = BTreeMap::from([("text".to_owned(), MetadataValue::Text(text.into()))]);
    server.records.put("docs", "faq#1", &embedding, fields).unwrap();
    let found = search(&server, "ada", json!({"query": "bikes"})).await;
    let hit = &found["items"][0];
    assert_eq!(
        (&hit["record_id"], &hit["document_id"]),
        (&json!("faq#1"), &Value::Null),
        "{found}"
    );
    assert_eq!((&hit["title"], &hit["excerpt"]), (&json!("faq#1"), &json!(text)));
    let answer = server
        .call_as("ada", post("/chat", &json!({"message": "What do bikes cost?"})))
        .await;
    let source = &answer.json()["sources"][0];
    assert_eq!(
        (&source["record_id"], &source["number"]),
        (&json!("faq#1"), &json!(1)),
        "{}",
        answer.text()
    );
}

/// An embedder that another model takes the place of.
#[derive(Default)]
struct Replaced(AtomicBool);

impl Embedder for Replaced {
    fn identity(&self) -> EmbeddingModel {
        let mut model = MemoryEmbedder.identity();
        if self.0.load(Ordering::Relaxed) {
            model.name = "another-model".into();
        }
        model
    }

    fn embed(&self, texts: &[&str]) -> Result<Embedded, LlmError> {
        MemoryEmbedder.embed(texts)
    }
}

#[actix_web::test]
async fn an_index_of_a_model_that_is_not_configured_is_told_apart_and_both_are_logged() {
    let embedder = Arc::new(Replaced::default());
    let server = Server::with(Parts {
        embedder: Some(embedder.clone()),
        ..Parts::default()
    })
    .await;
    server.add("ada", "Bikes", "Bikes cost ten euros.").await;
    embedder.0.store(true, Ordering::Relaxed);
    let lines = logged(async {
        let answer = server
            .call_as("ada", post("/search", &json!({"query": "bikes"})))
            .await;
        answer.is(503, "embedding_mismatch");
        assert!(!answer.text().contains("another-model"), "{}", answer.text());
    })
    .await;
    let built = MemoryEmbedder.identity().to_string();
    assert!(
        lines
            .iter()
            .any(|line| line.contains("another-model") && line.contains(&built)),
        "{lines:?}"
    );
}
