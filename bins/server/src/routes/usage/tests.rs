use serde_json::{Value, json};
use tenantry_domain::{Clock as _, Role, Timestamp, TokenUsage, UsageKind, UsageRecord, UserId};
use tenantry_retrieval::Superuser;
use tenantry_tenant_store::UsageStore as _;

use crate::http::testing::{Server, get};

const DAY: i64 = 86_400_000_000;

fn user(server: &Server, name: &str) -> UserId {
    let email = format!("{name}@example.org");
    let user = server.app.accounts.user_by_email(&Superuser::operator(), &email);
    user.unwrap().unwrap().id
}

/// Counts one call, `days` before today.
fn spend(
    server: &Server,
    tenant: &str,
    name: Option<&str>,
    kind: UsageKind,
    days: i64,
    tokens: (u64, u64, bool),
) {
    let (root, id) = (Superuser::operator(), tenant.parse().unwrap());
    let scope = server.app.resolver.operator_scope(&root, &id).unwrap();
    let (prompt_tokens, completion_tokens, estimated) = tokens;
    let record = UsageRecord {
        user: name.map(|name| user(server, name)),
        kind,
        model: format!("{kind}-model"),
        usage: TokenUsage {
            prompt_tokens,
            completion_tokens,
            estimated,
        },
        at: Timestamp::from_unix_micros(server.clock.now().unix_micros() - days * DAY).unwrap(),
    };
    server.store.add_usage(&scope, &[record]).unwrap();
}

/// Acme spent for ada and for nobody, globex for grace; the clock shows 2027-01-15.
async fn with_usage() -> Server {
    let server = Server::new().await;
    spend(
        &server,
        "acme",
        Some("ada"),
        UsageKind::Answering,
        0,
        (100, 20, false),
    );
    spend(
        &server,
        "acme",
        Some("ada"),
        UsageKind::Rewriting,
        1,
        (30, 5, true),
    );
    spend(&server, "acme", None, UsageKind::Embedding, 1, (1_000, 0, false));
    spend(&server, "acme", None, UsageKind::Embedding, 40, (7, 0, false));
    spend(
        &server,
        "globex",
        Some("grace"),
        UsageKind::Answering,
        0,
        (11, 1, false),
    );
    server
}

fn totals(calls: u64, estimated: u64, prompt: u64, completion: u64) -> Value {
    json!({"calls": calls, "estimated_calls": estimated, "prompt_tokens": prompt, "completion_tokens": completion,
        "total_tokens": prompt + completion})
}

fn sum(key: &str, mut totals: Value) -> Value {
    totals["key"] = json!(key);
    totals
}

#[actix_web::test]
async fn an_admin_sees_what_the_tenant_spent_this_month() {
    let server = with_usage().await;
    server.appoint("ada", Role::Admin);
    let shown = server.call_as("ada", get("/tenant/usage")).await;
    let expected = json!({
        "from": "2027-01-01",
        "until": "2027-01-16",
        "by": "day",
        "user_id": null,
        "total": totals(3, 1, 1_130, 25),
        "items": [sum("2027-01-14", totals(2, 1, 1_030, 5)), sum("2027-01-15", totals(1, 0, 100, 20))],
    });
    assert_eq!(shown.json(), expected, "{}", shown.text());
    let ada = user(&server, "ada").to_string();
    for (query, items) in [
        (
            "by=user",
            json!([sum("", totals(1, 0, 1_000, 0)), sum(&ada, totals(2, 1, 130, 25))]),
        ),
        (
            "by=kind",
            json!([
                sum("answering", totals(1, 0, 100, 20)),
                sum("embedding", totals(1, 0, 1_000, 0)),
                sum("rewriting", totals(1, 1, 30, 5)),
            ]),
        ),
        (
            "by=model&from=2027-01-15",
            json!([sum("answering-model", totals(1, 0, 100, 20))]),
        ),
        (
            "by=day&from=2026-12-01&until=2027-01-01",
            json!([sum("2026-12-06", totals(1, 0, 7, 0))]),
        ),
        (
            "by=day&until=2027-01-01",
            json!([sum("2026-12-06", totals(1, 0, 7, 0))]),
        ),
        (
            &format!("by=kind&user_id={ada}&from=2027-01-15"),
            json!([sum("answering", totals(1, 0, 100, 20))]),
        ),
    ] {
        let shown = server
            .call_as("ada", get(&format!("/tenant/usage?{query}")))
            .await;
        assert_eq!(shown.json()["items"], items, "{query}: {}", shown.text());
    }
}

#[actix_web::test]
async fn an_admin_sees_the_own_tenant_alone_and_a_member_none() {
    let server = with_usage().await;
    let ada = user(&server, "ada").to_string();
    let member = server.call_as("ada", get("/tenant/usage")).await;
    member.is(403, "permission_required");
    server.appoint("grace", Role::Admin);
    let none = server
        .call_as("grace", get(&format!("/tenant/usage?user_id={ada}")))
        .await
        .json();
    assert_eq!(none["total"], totals(0, 0, 0, 0), "only globex");
}

#[actix_web::test]
async fn a_superuser_sees_what_all_spent() {
    let server = with_usage().await;
    let by_tenant = server.call_as("root", get("/admin/usage?by=tenant")).await.json();
    let expected = json!([
        sum("acme", totals(3, 1, 1_130, 25)),
        sum("globex", totals(1, 0, 11, 1))
    ]);
    assert_eq!(
        (&by_tenant["items"], &by_tenant["by"]),
        (&expected, &json!("tenant"))
    );
    assert_eq!(by_tenant["total"], totals(4, 1, 1_141, 26));
    let grace = user(&server, "grace").to_string();
    let one = server
        .call_as("root", get(&format!("/admin/usage?by=kind&user_id={grace}")))
        .await
        .json();
    assert_eq!(one["total"], totals(1, 0, 11, 1));
    server
        .call_as("ada", get("/admin/usage"))
        .await
        .is(403, "superuser_required");
    server.appoint("ada", Role::Admin);
    server
        .call_as("ada", get("/admin/usage"))
        .await
        .is(403, "superuser_required");
}

#[actix_web::test]
async fn a_query_that_cannot_be_answered_is_told_by_its_name() {
    let server = with_usage().await;
    server.appoint("ada", Role::Admin);
    for (query, field) in [
        ("from=2026-13-01", "from"),
        ("from=2026-02-30", "from"),
        ("from=01.11.2026", "from"),
        ("from=20261101", "from"),
        ("from=", "from"),
        ("until=%2B026-11-01", "until"),
        ("until=2026-11-01T00:00:00Z", "until"),
        ("from=2027-01-02&until=2027-01-02", "until"),
        ("from=2027-01-03&until=2027-01-02", "until"),
        ("from=2025-01-01&until=2027-01-01", "until"),
        ("by=tenant", "by"),
        ("by=week", "by"),
        ("user_id=ada", "user_id"),
    ] {
        let answer = server
            .call_as("ada", get(&format!("/tenant/usage?{query}")))
            .await;
        answer.is(422, "invalid_request");
        assert!(
            answer.message().contains(&format!("`{field}`")),
            "{query}: {}",
            answer.message()
        );
    }
    server
        .call_as("ada", get("/tenant/usage?to=2026-01-01"))
        .await
        .is(422, "invalid_request");
}
