use serde_json::{Value, json};
use tenantry_domain::Role;

use crate::http::testing::{Server, get, post, put};

/// Acme with the versions `the prompt of acme`, `Be kind.\nBe brief.\n` by ada, and none by root.
async fn with_versions() -> Server {
    let server = Server::new().await;
    server.appoint("ada", Role::Admin);
    let second = json!({"system_prompt": "Be kind.\nBe brief.\n"});
    assert_eq!(
        server
            .call_as("ada", put("/tenant/settings", &second))
            .await
            .status,
        200
    );
    let third = json!({"system_prompt": null});
    assert_eq!(
        server
            .call_as("root", put("/admin/tenants/acme", &third))
            .await
            .status,
        200
    );
    server
}

async fn id_of(server: &Server, name: &str) -> Value {
    server.call_as(name, get("/users/me")).await.json()["id"].clone()
}

async fn numbers(server: &Server) -> Vec<u64> {
    let listed = server.call_as("ada", get("/tenant/prompts")).await.json();
    let items = listed["items"].as_array().unwrap();
    items
        .iter()
        .map(|item| item["number"].as_u64().unwrap())
        .collect()
}

#[actix_web::test]
async fn each_change_of_the_prompt_is_a_version_with_its_author() {
    let server = with_versions().await;
    let listed = server.call_as("ada", get("/tenant/prompts/")).await.json();
    assert_eq!(listed["total"], json!(3));
    let told: Vec<_> = listed["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| {
            (
                item["number"].clone(),
                item["text"].clone(),
                item["author_id"].clone(),
            )
        })
        .collect();
    let expected = [
        (json!(3), Value::Null, id_of(&server, "root").await),
        (
            json!(2),
            json!("Be kind.\nBe brief.\n"),
            id_of(&server, "ada").await,
        ),
        (json!(1), json!("the prompt of acme"), Value::Null),
    ];
    assert_eq!(told, expected);
    let page = server
        .call_as("ada", get("/tenant/prompts?limit=1&offset=1"))
        .await
        .json();
    assert_eq!(
        (&page["total"], &page["items"][0]["number"]),
        (&json!(3), &json!(2))
    );
    let all = server
        .call_as("root", get("/admin/tenants/acme/prompts"))
        .await
        .json();
    assert_eq!(all, listed);
    let one = server.call_as("ada", get("/tenant/prompts/2")).await.json();
    assert_eq!(one, listed["items"][1]);
    let one = server
        .call_as("root", get("/admin/tenants/acme/prompts/2"))
        .await
        .json();
    assert_eq!(one, listed["items"][1]);
}

#[actix_web::test]
async fn a_prompt_that_stays_the_same_makes_no_version() {
    let server = with_versions().await;
    let again = json!({"system_prompt": null, "chat": {"temperature": 1}});
    assert_eq!(
        server
            .call_as("ada", put("/tenant/settings", &again))
            .await
            .status,
        200
    );
    assert_eq!(numbers(&server).await, [3, 2, 1]);
}

#[actix_web::test]
async fn a_restored_version_holds_from_the_next_request_and_is_a_new_one() {
    let server = with_versions().await;
    for (name, path, number, text) in [
        ("ada", "/tenant/prompts/2/restore", 4, "Be kind.\nBe brief.\n"),
        (
            "root",
            "/admin/tenants/acme/prompts/1/restore",
            5,
            "the prompt of acme",
        ),
        ("ada", "/tenant/prompts/1/restore", 5, "the prompt of acme"),
    ] {
        let restored = server.call_as(name, post(path, &json!({}))).await;
        assert_eq!(restored.status, 200, "{}", restored.text());
        let version = restored.json();
        assert_eq!(
            (&version["number"], &version["text"]),
            (&json!(number), &json!(text))
        );
        let settings = server.call_as("ada", get("/tenant/settings")).await.json();
        assert_eq!(settings["system_prompt"], json!(text));
    }
    assert_eq!(numbers(&server).await, [5, 4, 3, 2, 1]);
    let by_root = server.call_as("ada", get("/tenant/prompts/5")).await.json();
    assert_eq!(by_root["author_id"], id_of(&server, "root").await);
}

#[actix_web::test]
async fn what_changed_between_versions_is_shown_by_lines() {
    let server = with_versions().await;
    let body = json!({"system_prompt": "Be kind.\nBe exact.\n"});
    assert_eq!(
        server.call_as("ada", put("/tenant/settings", &body)).await.status,
        200
    );
    let expected = json!({
        "from": 2,
        "to": 4,
        "unified": "--- version 2\n+++ version 4\n@@ -1,2 +1,2 @@\n Be kind.\n-Be brief.\n+Be exact.\n",
        "lines": [
            {"change": "same", "from_line": 1, "to_line": 1, "text": "Be kind."},
            {"change": "removed", "from_line": 2, "to_line": null, "text": "Be brief."},
            {"change": "added", "from_line": null, "to_line": 2, "text": "Be exact."},
        ],
    });
    let own = server.call_as("ada", get("/tenant/prompts/2/diff?to=4")).await;
    assert_eq!(own.json(), expected, "{}", own.text());
    let any = server
        .call_as("root", get("/admin/tenants/acme/prompts/2/diff?to=4"))
        .await;
    assert_eq!(any.json(), expected);
    let latest = server.call_as("ada", get("/tenant/prompts/2/diff")).await;
    assert_eq!(latest.json(), expected);
    for query in ["?to=x", "?to=-1", "?from=1"] {
        let path = format!("/tenant/prompts/2/diff{query}");
        server.call_as("ada", get(&path)).await.is(422, "invalid_request");
    }
}

#[actix_web::test]
async fn a_version_may_be_shown_with_its_variables_replaced() {
    let server = with_versions().await;
    let body = json!({"system_prompt": "{tenant_name} {date} {user_email} {other}"});
    assert_eq!(
        server.call_as("ada", put("/tenant/settings", &body)).await.status,
        200
    );
    let text = async |name: &str, path: &str| server.call_as(name, get(path)).await.json()["text"].clone();
    let written = json!("{tenant_name} {date} {user_email} {other}");
    assert_eq!(text("ada", "/tenant/prompts/4").await, written);
    assert_eq!(text("ada", "/tenant/prompts/4?render=false").await, written);
    let rendered = json!("acme 2027-01-15 ada@example.org {other}");
    assert_eq!(text("ada", "/tenant/prompts/4?render=true").await, rendered);
    let rendered = json!("acme 2027-01-15  {other}");
    assert_eq!(
        text("root", "/admin/tenants/acme/prompts/4?render=true").await,
        rendered
    );
}

#[actix_web::test]
async fn a_version_that_is_not_there_and_one_that_cannot_be_are_alike() {
    let server = with_versions().await;
    let mut heard = Vec::new();
    for number in ["4", "0", "x", "-1", "4294967296", "%00", "1%2F2"] {
        for (name, root) in [
            ("ada", "/tenant/prompts"),
            ("root", "/admin/tenants/acme/prompts"),
            ("root", "/admin/tenants/nowhere/prompts"),
        ] {
            let path = format!("{root}/{number}");
            for request in [
                get(&path),
                get(&format!("{path}/diff?to=1")),
                post(&format!("{path}/restore"), &json!({})),
            ] {
                let answer = server.call_as(name, request).await;
                answer.is(404, "not_found");
                heard.push(answer.anonymous());
            }
        }
    }
    let missing = server.call_as("ada", get("/tenant/prompts/1/diff?to=9")).await;
    missing.is(404, "not_found");
    heard.push(missing.anonymous());
    let nowhere = server
        .call_as("root", get("/admin/tenants/nowhere/prompts"))
        .await;
    nowhere.is(404, "not_found");
    heard.push(nowhere.anonymous());
    heard.dedup();
    assert_eq!(heard.len(), 1, "{heard:?}");
}

#[actix_web::test]
async fn members_and_other_tenants_see_no_version() {
    let server = with_versions().await;
    server.appoint("grace", Role::Admin);
    let own = server.call_as("grace", get("/tenant/prompts")).await;
    assert!(!own.text().contains("Be kind"), "{}", own.text());
    server
        .call_as("grace", get("/tenant/prompts/2"))
        .await
        .is(404, "not_found");
    server
        .call_as("grace", get("/admin/tenants/acme/prompts"))
        .await
        .is(403, "superuser_required");
    server.appoint("ada", Role::Member);
    for request in [
        get("/tenant/prompts"),
        get("/tenant/prompts/2"),
        get("/tenant/prompts/1/diff?to=2"),
        post("/tenant/prompts/1/restore", &json!({})),
    ] {
        server
            .call_as("ada", request)
            .await
            .is(403, "permission_required");
    }
}
