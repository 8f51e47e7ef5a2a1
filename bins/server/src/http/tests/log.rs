//! What the log says of a request.

use serde_json::json;
use tenantry_vector_client::VectorError;
use tenantry_vector_client::testing::Operation;

use crate::http::testing::{PASSWORD, Parts, Server, bearer, get, logged, post};

#[actix_web::test]
async fn a_line_names_the_route_and_nothing_that_was_sent() {
    let server = Server::new().await;
    let token = server.token("ada");
    let lines = logged(async {
        let query = get("/documents/secret-word?include_text=true").insert_header(("x-request-id", "id-1"));
        server.call(bearer(query, &token)).await;
        server
            .call(bearer(
                post("/search?secret-word", &json!({"query": "secret-word"})),
                &token,
            ))
            .await;
        server
            .call(post(
                "/login",
                &json!({"email": "secret-word@x.y", "password": PASSWORD}),
            ))
            .await;
        server
            .call(get("/secret-word").insert_header(("x-request-id", "secret word")))
            .await;
    })
    .await;
    assert_eq!(lines.len(), 4, "{lines:?}");
    assert!(
        lines[0].starts_with("INFO GET /documents/{id} 404 "),
        "{}",
        lines[0]
    );
    assert!(
        lines[0].ends_with("ms request_id=id-1 tenant=acme"),
        "{}",
        lines[0]
    );
    assert!(lines[1].starts_with("INFO POST /search 200 "), "{}", lines[1]);
    assert!(
        lines[2].starts_with("INFO POST /login 401 ") && lines[2].ends_with("tenant=-"),
        "{}",
        lines[2]
    );
    assert!(lines[3].starts_with("INFO GET - 404 "), "{}", lines[3]);
    for line in &lines {
        assert!(
            !line.contains("secret") && !line.contains(PASSWORD) && !line.contains(&token),
            "{line}"
        );
    }
}

#[actix_web::test]
async fn a_failure_of_ours_is_logged_once_with_its_causes_and_a_clients_mistake_is_not() {
    let server = Server::new().await;
    let forged = VectorError::Refused("first\nERROR forged".into());
    server.vectors.fail_next(Operation::Search, forged);
    let lines = logged(async {
        let request = post("/search", &json!({"query": "x"})).insert_header(("x-request-id", "id-2"));
        server
            .call_as("ada", request)
            .await
            .is(502, "vector_store_refused");
        server
            .call_as("ada", post("/search", &json!({"query": ""})))
            .await
            .is(422, "invalid_request");
    })
    .await;
    let errors: Vec<&String> = lines.iter().filter(|line| line.starts_with("ERROR")).collect();
    let expected = "ERROR vector_store_refused: the vector store refused the request: the vector store refused the \
                    request: first ERROR forged request_id=id-2 tenant=acme";
    assert_eq!(errors, [expected]);
}

#[actix_web::test]
async fn a_panic_is_logged_with_its_request() {
    let server = Server::serving(Parts::default(), |config| {
        config.route("/panics", actix_web::web::get().to(panics));
    })
    .await;
    let lines = logged(async {
        server
            .call(get("/panics").insert_header(("x-request-id", "id-3")))
            .await
            .is(500, "internal_error");
    })
    .await;
    assert_eq!(
        lines[0],
        "ERROR internal_error: something went wrong on our side: the work panicked request_id=id-3 tenant=-"
    );
    assert!(lines[1].starts_with("INFO GET - 500 "), "{lines:?}");
}

async fn panics() -> &'static str {
    panic!("on purpose")
}
