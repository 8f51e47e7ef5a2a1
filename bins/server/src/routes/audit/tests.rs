use actix_web::body::MessageBody;
use actix_web::http::header;
use serde_json::{Value, json};
use tenantry_domain::{Actor, AuditAction, AuditEvent, Clock as _, Role, Timestamp};
use tenantry_tenant_store::{AuditLog, AuditStore as _};

use super::wire::JSON_LINES;
use crate::http::testing::{Server, bearer, get, next, put};

/// Enters so many log-ins in a log, one a second up to now.
fn enter(server: &Server, log: &str, entries: i64) {
    let log: AuditLog = log.parse().unwrap();
    let now = server.clock.now().unix_micros();
    for entry in 0..entries {
        let at = Timestamp::from_unix_micros(now - (entries - entry) * 1_000_000).unwrap();
        let event = AuditEvent::new(AuditAction::LoggedIn).on("user", entry);
        server.store.record(&log, &Actor::system(), &event, at).unwrap();
    }
}

async fn items(server: &Server, name: &str, path: &str) -> Vec<Value> {
    let listed = server.call_as(name, get(path)).await;
    assert_eq!(listed.status, 200, "{path}: {}", listed.text());
    listed.json()["items"].as_array().unwrap().clone()
}

fn lines(text: &str) -> Vec<Value> {
    assert!(text.is_empty() || text.ends_with('\n'));
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[actix_web::test]
async fn an_admin_sees_what_was_done_in_the_own_tenant_and_by_whom() {
    let server = Server::new().await;
    server.appoint("ada", Role::Admin);
    let body = json!({"search": {"min_score": 0.25}});
    let changed = server.call_as("ada", put("/tenant/settings", &body)).await;
    assert_eq!(changed.status, 200, "{}", changed.text());
    let ada = server.call_as("ada", get("/users/me")).await.json()["id"].clone();

    let listed = server.call_as("ada", get("/tenant/audit?limit=1")).await.json();
    let entry = &listed["items"][0];
    let expected = json!({
        "tenant_id": "acme",
        "number": listed["total"],
        "at": server.clock.now().to_string(),
        "actor": {"kind": "user", "id": ada},
        "address": entry["address"],
        "request_id": changed.header("x-request-id").unwrap(),
        "action": "settings.changed",
        "target": {"kind": "tenant", "id": "acme"},
        "details": {"fields": "search.min_score"},
        "previous_hash": entry["previous_hash"],
        "hash": entry["hash"],
    });
    assert_eq!(*entry, expected);
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
    let all = items(&server, "ada", "/tenant/audit?limit=100").await;
    let numbers: Vec<_> = all
        .iter()
        .map(|entry| entry["number"].as_u64().unwrap())
        .collect();
    let wanted: Vec<_> = (1..=listed["total"].as_u64().unwrap()).rev().collect();
    assert_eq!(numbers, wanted);
    for pair in all.windows(2) {
        assert_eq!(pair[0]["previous_hash"], pair[1]["hash"]);
    }
}

#[actix_web::test]
async fn a_list_is_narrowed_by_its_parameters() {
    let server = Server::new().await;
    server.appoint("ada", Role::Admin);
    enter(&server, "acme", 3);
    let ada = server.call_as("ada", get("/users/me")).await.json()["id"].clone();
    let ada = ada.as_str().unwrap();
    let moment = Timestamp::from_unix_micros(server.clock.now().unix_micros() - 2_000_000).unwrap();
    let count = async |query: &str| {
        items(&server, "ada", &format!("/tenant/audit?{query}"))
            .await
            .len()
    };
    assert_eq!(count("action=login.succeeded").await, 3);
    assert_eq!(count("action=login.failed").await, 0);
    assert_eq!(count("action=login.succeeded&actor=system").await, 3);
    assert_eq!(count("action=login.succeeded&actor=user").await, 0);
    assert_eq!(count("target=2").await, 1);
    assert_eq!(count(&format!("target={ada}&action=user.created")).await, 1);
    assert_eq!(count(&format!("action=login.succeeded&from={moment}")).await, 2);
    assert_eq!(count(&format!("action=login.succeeded&until={moment}")).await, 1);
    assert_eq!(count("action=login.succeeded&limit=2").await, 2);
    assert_eq!(count("action=login.succeeded&limit=2&offset=2").await, 1);
}

#[actix_web::test]
async fn an_admin_sees_no_other_log() {
    let server = Server::new().await;
    server
        .call_as("ada", get("/tenant/audit"))
        .await
        .is(403, "permission_required");
    server.appoint("ada", Role::Admin);
    server.appoint("grace", Role::Admin);
    for (name, tenant) in [("ada", "acme"), ("grace", "globex")] {
        for path in ["/tenant/audit", "/tenant/audit?format=jsonl"] {
            let answer = server.call_as(name, get(path)).await;
            let text = answer.text().replace(' ', "");
            assert!(text.contains(&format!("\"tenant_id\":\"{tenant}\"")));
            assert_eq!(
                text.matches("\"tenant_id\"").count(),
                text.matches(&format!("\"{tenant}\",\"number\"")).count()
            );
        }
    }
    for query in ["tenant_id=globex", "tenant_id=acme", "tenant_id=-"] {
        let refused = server
            .call_as("ada", get(&format!("/tenant/audit?{query}")))
            .await;
        refused.is(422, "invalid_request");
    }
    server
        .call_as("ada", get("/admin/audit"))
        .await
        .is(403, "superuser_required");
    server
        .call_as("nomad", get("/tenant/audit"))
        .await
        .is(403, "tenant_forbidden");
}

#[actix_web::test]
async fn a_superuser_sees_every_log() {
    let server = Server::new().await;
    enter(&server, "-", 1);
    let all = items(&server, "root", "/admin/audit?limit=100").await;
    let of = |id: Value| all.iter().filter(|entry| entry["tenant_id"] == id).count();
    assert_eq!(
        of(json!("acme")) + of(json!("globex")) + of(Value::Null),
        all.len()
    );
    for (name, id) in [
        ("acme", json!("acme")),
        ("globex", json!("globex")),
        ("-", Value::Null),
    ] {
        assert!(of(id.clone()) > 0, "{name}");
        let one = items(
            &server,
            "root",
            &format!("/admin/audit?limit=100&tenant_id={name}"),
        )
        .await;
        assert_eq!(one.len(), of(id.clone()));
        assert!(one.iter().all(|entry| entry["tenant_id"] == id));
    }
    assert!(
        items(&server, "root", "/admin/audit?tenant_id=nobody")
            .await
            .is_empty()
    );
}

#[actix_web::test]
async fn an_export_has_every_entry_of_the_list_one_a_line() {
    let server = Server::new().await;
    server.appoint("ada", Role::Admin);
    enter(&server, "acme", 20);
    let listed = items(&server, "ada", "/tenant/audit?limit=100").await;
    let accepting = |types: &str| get("/tenant/audit").insert_header((header::ACCEPT, types));
    for request in [
        get("/tenant/audit?format=jsonl"),
        accepting("application/x-ndjson"),
        accepting("text/html, Application/X-NDJSON;q=0.9"),
    ] {
        let exported = server.call_as("ada", request).await;
        assert_eq!(exported.header("content-type"), Some(JSON_LINES));
        assert_eq!(lines(exported.text()), listed);
    }
    for request in [
        accepting("*/*"),
        accepting("application/json"),
        get("/tenant/audit?format=json"),
    ] {
        let page = server.call_as("ada", request).await;
        assert_eq!(page.header("content-type"), Some("application/json"));
    }
    let narrowed = server
        .call_as("ada", get("/tenant/audit?format=jsonl&action=user.created"))
        .await;
    assert_eq!(lines(narrowed.text()).len(), 1);
    let none = server
        .call_as("ada", get("/tenant/audit?format=jsonl&actor=nobody"))
        .await;
    assert_eq!((none.status, none.text()), (200, ""));
    let all = server.call_as("root", get("/admin/audit?format=jsonl")).await;
    assert_eq!(
        lines(all.text()),
        items(&server, "root", "/admin/audit?limit=100").await
    );
}

#[actix_web::test]
async fn a_long_export_comes_in_pieces_and_loses_nothing() {
    let server = Server::new().await;
    enter(&server, "acme", 1_200);
    let request = get("/admin/audit?format=jsonl&tenant_id=acme&action=login.succeeded");
    let request = bearer(request, &server.token("root"));
    let mut answer = server.begin(request).await.into_body();
    let (mut pieces, mut text) = (0, String::new());
    while let Some(piece) = next(&mut answer).await {
        pieces += 1;
        text.push_str(std::str::from_utf8(&piece).unwrap());
        // What is entered meanwhile is not waited for, and moves nothing.
        enter(&server, "acme", 1);
    }
    assert_eq!(pieces, 3);
    let numbers: Vec<_> = lines(&text)
        .iter()
        .map(|entry| entry["target"]["id"].as_str().unwrap().parse::<u32>().unwrap())
        .collect();
    let wanted: Vec<_> = (0..1_200).rev().collect();
    assert_eq!(numbers, wanted);
}

#[actix_web::test]
async fn an_export_breaks_off_when_its_reader_may_no_longer_read() {
    let server = Server::new().await;
    server.appoint("ada", Role::Admin);
    enter(&server, "acme", 1_200);
    let request = bearer(get("/tenant/audit?format=jsonl"), &server.token("ada"));
    let mut answer = server.begin(request).await.into_body();
    next(&mut answer).await.unwrap();
    server.appoint("ada", Role::Member);
    let mut answer = std::pin::pin!(answer);
    let next = std::future::poll_fn(|cx| answer.as_mut().poll_next(cx)).await;
    assert!(next.unwrap().is_err());
}

#[actix_web::test]
async fn an_export_that_cannot_begin_is_refused_by_its_status() {
    let server = Server::new().await;
    server
        .call_as("ada", get("/tenant/audit?format=jsonl"))
        .await
        .is(403, "permission_required");
    let token = server.token("root");
    server.fail_store();
    let request = bearer(get("/admin/audit?format=jsonl"), &token);
    server.call(request).await.is(503, "store_unavailable");
}

#[actix_web::test]
async fn a_query_that_cannot_be_answered_is_told_by_its_name() {
    let server = Server::new().await;
    for (query, field) in [
        ("tenant_id=Acme", "tenant_id"),
        ("tenant_id=", "tenant_id"),
        ("action=login", "action"),
        ("actor=a%00b", "actor"),
        ("target=%00", "target"),
        ("from=2026-11-01", "from"),
        ("until=now", "until"),
        ("format=csv", "format"),
        ("format=jsonl&limit=1", "limit"),
        ("format=jsonl&offset=0", "offset"),
        ("limit=101", "a page"),
    ] {
        let answer = server
            .call_as("root", get(&format!("/admin/audit?{query}")))
            .await;
        answer.is(422, "invalid_request");
        assert!(answer.message().contains(field), "{query}: {}", answer.message());
    }
    server
        .call_as("root", get("/admin/audit?page=2"))
        .await
        .is(422, "invalid_request");
}

#[test]
fn the_page_of_the_api_names_every_action() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/http-api.md");
    let page = std::fs::read_to_string(page).unwrap();
    let (_, table) = page
        .split_once("| Action | Target | Entered when |\n|---|---|---|\n")
        .unwrap();
    let rows = table.lines().take_while(|line| line.starts_with('|'));
    let named: Vec<_> = rows.map(|row| row.split('`').nth(1).unwrap()).collect();
    let actions: Vec<_> = AuditAction::ALL.iter().map(|action| action.as_str()).collect();
    assert_eq!(named, actions);
}
