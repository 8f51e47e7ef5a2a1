//! The audit log against whoever can write to the database: what was altered, removed or reordered is named.

use std::collections::BTreeSet;
use std::process::Output;

use serde_json::{Value, json};

use crate::client::Client;
use crate::database::Database;
use crate::house::{House, PASSWORD, plain_tenant};
use crate::on_both_databases;
use crate::server::Server;

on_both_databases! {
    what_is_done_to_a_log_shows
    a_log_made_anew_shows_against_an_end_that_was_noted
    servers_at_once_leave_no_gap
}

/// A server with a tenant `acme` in which some things were done.
fn house(database: &Database) -> House {
    let house = House::open(database);
    house.tenant(&plain_tenant("acme"));
    for name in ["one", "two", "three", "four"] {
        let user =
            json!({ "email": format!("{name}@acme.example.org"), "password": PASSWORD, "tenant_id": "acme" });
        house.superuser.post("/admin/users/", &user).expect(201);
    }
    house
}

fn audit(house: &House, arguments: &[&str]) -> Output {
    let arguments = [&["audit"], arguments].concat();
    house.settings.run(house.server.folder(), &arguments)
}

/// What a command that succeeds prints.
#[track_caller]
fn told(house: &House, arguments: &[&str]) -> String {
    let output = audit(house, arguments);
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// What verifying says of a log that is not whole.
#[track_caller]
fn fault(house: &House, arguments: &[&str]) -> String {
    let output = audit(house, &[&["verify"], arguments].concat());
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let error = String::from_utf8(output.stderr).unwrap();
    let error = error.lines().find_map(|line| line.strip_prefix("error: "));
    error.unwrap().to_owned()
}

/// The number of the last entry: how many there are. The list is by time, which two servers may have read in another order.
fn last(house: &House) -> u64 {
    let listed = house
        .superuser
        .get("/admin/audit?tenant_id=acme&limit=1")
        .expect(200);
    listed["total"].as_u64().unwrap()
}

fn what_is_done_to_a_log_shows(database: &Database) {
    let house = house(database);
    let whole = told(&house, &["verify"]);
    assert!(
        whole.contains("acme: ") && whole.contains("the platform: "),
        "{whole}"
    );
    assert_eq!(
        fault(&house, &["--tenant", "mistyped"]),
        "mistyped has no audit log"
    );
    let last = last(&house);
    assert!(last > 5, "{last}");
    database.sql("CREATE TABLE kept_log AS SELECT * FROM audit_log");
    database.sql("CREATE TABLE kept_heads AS SELECT * FROM audit_heads");
    let restore = || {
        for (table, kept) in [("audit_log", "kept_log"), ("audit_heads", "kept_heads")] {
            database.sql(&format!("DELETE FROM {table}"));
            database.sql(&format!("INSERT INTO {table} SELECT * FROM {kept}"));
        }
        assert_eq!(told(&house, &["verify", "--all"]), whole);
    };
    let entry = |number: u64| format!("WHERE tenant_id = 'acme' AND number = {number}");
    for (statements, wanted) in [
        (
            vec![format!(
                "UPDATE audit_log SET action = 'user.changed' {}",
                entry(2)
            )],
            "entry 2 was altered".to_owned(),
        ),
        (
            vec![format!("UPDATE audit_log SET details = '{{}}' {}", entry(3))],
            "entry 3 was altered".to_owned(),
        ),
        (
            vec![format!("UPDATE audit_log SET actor_kind = 'nobody' {}", entry(4))],
            "entry 4 was altered".to_owned(),
        ),
        (
            vec![format!(
                "UPDATE audit_log SET done_at = done_at + 1 {}",
                entry(last)
            )],
            format!("entry {last} was altered"),
        ),
        (
            vec![format!("DELETE FROM audit_log {}", entry(1))],
            "entry 1 was removed".to_owned(),
        ),
        (
            vec![format!("DELETE FROM audit_log {}", entry(3))],
            "entry 3 was removed".to_owned(),
        ),
        (
            vec![format!("DELETE FROM audit_log {}", entry(last))],
            format!("entry {last} was removed"),
        ),
        (
            vec!["DELETE FROM audit_log WHERE tenant_id = 'acme'".to_owned()],
            "entry 1 was removed".to_owned(),
        ),
        (
            vec![
                format!("UPDATE audit_log SET number = 999 {}", entry(2)),
                format!("UPDATE audit_log SET number = 2 {}", entry(4)),
                format!("UPDATE audit_log SET number = 4 {}", entry(999)),
            ],
            "entry 2 was reordered: it was entered as 4".to_owned(),
        ),
        (
            vec![
                format!("DELETE FROM audit_log {}", entry(2)),
                format!("UPDATE audit_log SET number = 2 {}", entry(3)),
            ],
            "entry 2 was reordered: it was entered as 3".to_owned(),
        ),
        (
            vec!["DELETE FROM audit_heads WHERE tenant_id = 'acme'".to_owned()],
            "entry 1 was added after the end of the log".to_owned(),
        ),
    ] {
        for statement in &statements {
            database.sql(statement);
        }
        assert_eq!(fault(&house, &[]), format!("acme: {wanted}"), "{statements:?}");
        assert_eq!(fault(&house, &["--tenant", "acme"]), format!("acme: {wanted}"));
        let others = told(&house, &["verify", "--tenant", "-"]);
        assert!(whole.contains(&others), "{others}");
        restore();
    }
}

fn a_log_made_anew_shows_against_an_end_that_was_noted(database: &Database) {
    let house = house(database);
    let told_end = told(&house, &["verify", "--tenant", "acme"]);
    let (_, end) = told_end.trim_end().rsplit_once(' ').unwrap();
    let last = last(&house);
    assert!(end.starts_with(&format!("{last}:")), "{told_end}");
    assert_eq!(
        told(&house, &["verify", "--tenant", "acme", "--noted", end]),
        told_end
    );
    // Cut off, with an end that fits.
    database.sql("DELETE FROM audit_log WHERE tenant_id = 'acme' AND number > 2");
    let hash = "(SELECT hash FROM audit_log WHERE tenant_id = 'acme' AND number = 2)";
    database.sql(&format!(
        "UPDATE audit_heads SET number = 2, hash = {hash} WHERE tenant_id = 'acme'"
    ));
    told(&house, &["verify"]);
    let shown = fault(&house, &["--tenant", "acme", "--noted", end]);
    assert_eq!(shown, "acme: entry 3 was removed");
    // The log goes on from there, and what is noted still tells.
    let user = json!({ "email": "five@acme.example.org", "password": PASSWORD, "tenant_id": "acme" });
    house.superuser.post("/admin/users/", &user).expect(201);
    told(&house, &["verify"]);
    fault(&house, &["--tenant", "acme", "--noted", end]);
}

fn servers_at_once_leave_no_gap(database: &Database) {
    let house = house(database);
    let second = Server::start(&house.settings);
    let ports = [house.server.port(), second.port()];
    let admin: Client = house.superuser.clone();
    std::thread::scope(|threads| {
        for (at, port) in ports.into_iter().cycle().take(4).enumerate() {
            let admin = admin.at(port);
            threads.spawn(move || {
                for round in 0..5 {
                    let name = format!("name {at} {round}");
                    admin
                        .put("/admin/tenants/acme", &json!({ "name": name }))
                        .expect(200);
                }
            });
        }
    });
    told(&house, &["verify"]);
    let listed = house
        .superuser
        .get("/admin/audit?tenant_id=acme&action=settings.changed");
    let listed = listed.expect(200);
    assert_eq!(listed["total"], 20);
    let requests: BTreeSet<_> = listed["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["request_id"].to_string())
        .collect();
    assert_eq!(requests.len(), 20);

    let exported = house.superuser.get("/admin/audit?tenant_id=acme&format=jsonl");
    assert_eq!(exported.header("content-type"), Some("application/x-ndjson"));
    assert_eq!(exported.body, told(&house, &["export", "--tenant", "acme"]));
    let lines: Vec<Value> = exported
        .body
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let numbers: BTreeSet<_> = lines
        .iter()
        .map(|line| line["number"].as_u64().unwrap())
        .collect();
    assert_eq!(numbers, (1..=last(&house)).collect());
    let by_hand = told(
        &house,
        &["export", "--actor", "operator", "--action", "user.created"],
    );
    assert!(
        by_hand.lines().count() == 1 && by_hand.contains("\"is_superuser\":\"true\""),
        "{by_hand}"
    );
}
