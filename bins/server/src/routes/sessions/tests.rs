use serde_json::{Value, json};

use crate::http::testing::{PASSWORD, Server, bearer, delete, get, post};

/// Logs in as the user of that name, and gives an access token.
async fn log_in(server: &Server, name: &str, client: &str) -> String {
    let login = json!({"email": format!("{name}@example.org"), "password": PASSWORD});
    let request = post("/login", &login)
        .insert_header(("user-agent", client))
        .peer_addr("192.0.2.7:5000".parse().unwrap());
    let tokens = server.call(request).await.json();
    tokens["access_token"].as_str().unwrap().to_owned()
}

async fn sessions(server: &Server, token: &str) -> Vec<Value> {
    let answer = server.call(bearer(get("/sessions"), token)).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let list = answer.json();
    let items = list["items"].as_array().unwrap().clone();
    assert_eq!(list["total"], items.len());
    items
}

#[actix_web::test]
async fn a_user_sees_where_they_are_logged_in() {
    let server = Server::new().await;
    let phone = log_in(&server, "ada", "phone").await;
    server.clock.advance(std::time::Duration::from_secs(1));
    let desk = log_in(&server, "ada", "desk").await;
    log_in(&server, "grace", "other").await;
    let seen = sessions(&server, &phone).await;
    let shown: Vec<_> = seen.iter().map(|one| (&one["client"], &one["current"])).collect();
    assert_eq!(
        shown,
        [(&json!("desk"), &json!(false)), (&json!("phone"), &json!(true))]
    );
    assert_eq!(seen[0]["address"], "192.0.2.7");
    assert_eq!(seen[0]["method"], "password");
    assert_eq!(seen[0]["expires_at"], "2027-02-14T08:00:01Z");
    let mut names: Vec<&String> = seen[0].as_object().unwrap().keys().collect();
    names.sort();
    assert_eq!(
        names,
        [
            "address",
            "client",
            "created_at",
            "current",
            "expires_at",
            "id",
            "method",
            "used_at"
        ]
    );
    assert_eq!(sessions(&server, &desk).await[0]["current"], true);
}

#[actix_web::test]
async fn a_session_is_ended_by_its_id_or_as_the_current_one() {
    let server = Server::new().await;
    let (phone, desk) = (
        log_in(&server, "ada", "phone").await,
        log_in(&server, "ada", "desk").await,
    );
    let all = sessions(&server, &desk).await;
    let other = all.iter().find(|one| one["current"] == false).unwrap();
    let path = format!("/sessions/{}", other["id"].as_str().unwrap());
    let ended = server.call(bearer(delete(&path), &desk)).await;
    assert_eq!((ended.status, ended.text()), (204, ""));
    server
        .call(bearer(get("/users/me"), &phone))
        .await
        .is(401, "unauthenticated");
    server
        .call(bearer(delete(&path), &desk))
        .await
        .is(404, "not_found");
    assert_eq!(
        server
            .call(bearer(delete("/sessions/current"), &desk))
            .await
            .status,
        204
    );
    server
        .call(bearer(get("/users/me"), &desk))
        .await
        .is(401, "unauthenticated");
}

#[actix_web::test]
async fn the_session_of_another_user_is_like_none_at_all() {
    let server = Server::new().await;
    let (ada, grace) = (
        log_in(&server, "ada", "ada's").await,
        log_in(&server, "grace", "grace's").await,
    );
    let hers = sessions(&server, &grace).await[0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let foreign = server
        .call(bearer(delete(&format!("/sessions/{hers}")), &ada))
        .await;
    foreign.is(404, "not_found");
    for unknown in ["01907e4d-0000-7000-8000-000000000001", "nonsense", "Current"] {
        let answer = server
            .call(bearer(delete(&format!("/sessions/{unknown}")), &ada))
            .await;
        assert_eq!(answer.anonymous(), foreign.anonymous(), "{unknown}");
    }
    assert_eq!(sessions(&server, &grace).await.len(), 1);
}

#[actix_web::test]
async fn a_token_without_a_session_has_no_current_one() {
    let server = Server::new().await;
    let token = server.token("ada");
    assert!(sessions(&server, &token).await.is_empty());
    server
        .call(bearer(delete("/sessions/current"), &token))
        .await
        .is(404, "not_found");
}

#[actix_web::test]
async fn sessions_need_a_token() {
    let server = Server::new().await;
    for request in [
        get("/sessions"),
        delete("/sessions/current"),
        post("/logout", &json!({})),
    ] {
        server.call(request).await.is(401, "unauthenticated");
    }
}
