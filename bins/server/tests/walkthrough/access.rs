//! Who is let in, and from when on.

use std::time::Duration;

use serde_json::json;

use crate::database::Database;
use crate::house::{House, PASSWORD, plain_tenant, user_create};
use crate::on_both_databases;
use crate::server::{Server, Settings};

on_both_databases! {
    a_superuser_made_by_hand_is_one_at_once
    a_superuser_unmade_by_hand_is_none_within_a_second
    a_promoted_user_logs_in_again_as_a_superuser
    a_deactivated_tenant_is_refused_at_once_and_its_sessions_do_not_come_back
    two_servers_on_one_database_see_each_others_changes_within_a_second
}

/// How long what a server has read of a caller may be used again, and a moment more.
const ONE_SECOND: Duration = Duration::from_millis(1_050);

fn a_superuser_made_by_hand_is_one_at_once(database: &Database) {
    let server = Server::start(&Settings::new(&database.url()).with("REGISTRATION", "open"));
    let account = json!({ "email": "grace@example.org", "password": PASSWORD });
    server.client().post("/register", &account).expect(201);
    let grace = server.client().log_in("grace@example.org", PASSWORD);
    assert_eq!(grace.get("/admin/tenants/").error(403), "superuser_required");

    database.sql("UPDATE users SET is_superuser = true WHERE email = 'grace@example.org'");

    grace.get("/admin/tenants/").expect(200);
    assert_eq!(grace.get("/users/me").expect(200)["is_superuser"], true);
}

fn a_superuser_unmade_by_hand_is_none_within_a_second(database: &Database) {
    let house = House::open(database);
    house.superuser.get("/admin/tenants/").expect(200);

    database.sql("UPDATE users SET is_superuser = false WHERE email = 'root@example.org'");
    std::thread::sleep(ONE_SECOND);

    assert_eq!(
        house.superuser.get("/admin/tenants/").error(403),
        "superuser_required"
    );
}

fn a_promoted_user_logs_in_again_as_a_superuser(database: &Database) {
    let house = House::open(database);
    user_create(&house.server, &house.settings, "alan@example.org", &[]);
    let alan = house.server.client().log_in("alan@example.org", PASSWORD);
    assert_eq!(alan.get("/admin/tenants/").error(403), "superuser_required");

    let output = house.settings.run(
        house.server.folder(),
        &["user", "promote", "--email", "alan@example.org"],
    );
    assert!(output.status.success(), "{output:?}");

    std::thread::sleep(ONE_SECOND);
    assert_eq!(alan.get("/users/me").error(401), "unauthenticated");
    let alan = house.server.client().log_in("alan@example.org", PASSWORD);
    alan.get("/admin/tenants/").expect(200);
}

fn a_deactivated_tenant_is_refused_at_once_and_its_sessions_do_not_come_back(database: &Database) {
    let house = House::open(database);
    let user = house.tenant(&plain_tenant("acme"));
    let other = house.tenant(&plain_tenant("globex"));
    user.get("/documents").expect(200);

    house.superuser.delete("/admin/tenants/acme").expect(200);

    for (method, answer) in [
        ("GET /documents", user.get("/documents")),
        ("GET /users/me", user.get("/users/me")),
        (
            "POST /search",
            user.post("/search", &json!({ "query": "anything" })),
        ),
        (
            "POST /chat",
            user.post("/chat", &json!({ "message": "anything" })),
        ),
        ("GET /conversations", user.get("/conversations")),
    ] {
        assert_eq!(answer.error(403), "tenant_forbidden", "{method}");
    }
    let log_in = json!({ "email": "user@acme.example.org", "password": PASSWORD });
    assert_eq!(
        house.server.client().post("/login", &log_in).error(401),
        "invalid_credentials"
    );
    other.get("/documents").expect(200);

    house
        .superuser
        .put("/admin/tenants/acme", &json!({ "is_active": true }))
        .expect(200);

    assert_eq!(user.get("/documents").error(401), "unauthenticated");
    let user = house.server.client().log_in("user@acme.example.org", PASSWORD);
    user.get("/documents").expect(200);
}

fn two_servers_on_one_database_see_each_others_changes_within_a_second(database: &Database) {
    let house = House::open(database);
    let second = Server::start(&house.settings);
    let superuser_there = house.superuser.at(second.port());

    let user = house.tenant(&plain_tenant("acme"));
    let user_there = user.at(second.port());
    // What was made at one server is there at the other: nothing is remembered of what was absent.
    user_there.get("/documents").expect(200);
    user.get("/documents").expect(200);

    house.superuser.delete("/admin/tenants/acme").expect(200);
    std::thread::sleep(ONE_SECOND);
    assert_eq!(user_there.get("/documents").error(403), "tenant_forbidden");

    // A refusal is not remembered either.
    superuser_there
        .put("/admin/tenants/acme", &json!({ "is_active": true }))
        .expect(200);
    assert_eq!(user.get("/documents").error(401), "unauthenticated");
    let user = house.server.client().log_in("user@acme.example.org", PASSWORD);
    let user_there = user.at(second.port());

    let me = user.get("/users/me").expect(200);
    let path = format!("/admin/users/{}", me["id"].as_str().unwrap());
    user_there.get("/documents").expect(200);
    house
        .superuser
        .put(&path, &json!({ "is_active": false }))
        .expect(200);
    std::thread::sleep(ONE_SECOND);
    assert_eq!(user_there.get("/documents").error(401), "unauthenticated");
}
