use crate::http::testing::{Server, get};

#[actix_web::test]
async fn the_page_loads_nothing_from_elsewhere_and_runs_its_own_script_alone() {
    let server = Server::new().await;
    let [one, other] = [server.call(get("/docs")).await, server.call(get("/docs/")).await];
    assert_eq!(
        (one.status, one.header("content-type")),
        (200, Some("text/html; charset=utf-8"))
    );
    let policy = one.header("content-security-policy").unwrap();
    let nonce = policy
        .split("'nonce-")
        .nth(1)
        .unwrap()
        .split('\'')
        .next()
        .unwrap();
    assert_eq!(nonce.len(), 32);
    assert_eq!(
        one.text().matches(&format!("nonce=\"{nonce}\"")).count(),
        2,
        "style and script"
    );
    assert!(
        !one.text().contains("NONCE") && !policy.contains("unsafe"),
        "{policy}"
    );
    assert_ne!(one.text(), other.text(), "each page has its own nonce");
    for elsewhere in [
        "http:",
        "https:",
        "//cdn",
        "src=",
        "@import",
        "innerHTML",
        "onclick",
        "style=\"",
    ] {
        assert!(!one.text().contains(elsewhere), "{elsewhere}");
    }
}

#[actix_web::test]
async fn the_description_names_the_version_of_the_binary() {
    let server = Server::new().await;
    let document = server.call(get("/openapi.json")).await;
    assert_eq!(document.header("content-type"), Some("application/json"));
    assert_eq!(document.json()["info"]["version"], env!("CARGO_PKG_VERSION"));
}
