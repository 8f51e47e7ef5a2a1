//! Every operation of the API against another tenant's ids and texts, with every kind of credential, on two servers at once.

mod issuer;
mod operations;
mod town;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::client::{Client, Response};
use crate::database::Database;
use crate::on_both_databases;

use town::{Resident, Town};

on_both_databases! {
    a_foreign_id_is_an_unknown_one_to_the_byte
    no_tenants_marks_are_seen_by_another
}

/// Of every operation with an id in its address, or in its body, both tenants' ids are asked for by the other with every credential.
fn a_foreign_id_is_an_unknown_one_to_the_byte(database: &Database) {
    let town = Town::open(database);
    let operations = operations::all(&town.superuser);
    let (mut compared, mut not_found) = (0, 0);
    for (own, other) in [(&town.acme, &town.acme2), (&town.acme2, &town.acme)] {
        for (kind, client) in &own.credentials {
            for operation in operations.iter().filter(|operation| operation.names_an_id()) {
                let [foreign, unknown] =
                    [other.id_for(operation), operation.unknown_id().to_owned()].map(|id| {
                        let answer = operation.send(client, &id);
                        comparable(&answer, &id)
                    });
                assert_eq!(foreign, unknown, "{kind}: {operation}");
                compared += 1;
                not_found += u32::from(foreign.0 == 404);
                assert!(
                    matches!(foreign.0, 401 | 403 | 404),
                    "{kind}: {operation} with another tenant's id: {foreign:?}"
                );
            }
        }
    }
    // Were every credential refused before an id is looked at, nothing would have been shown.
    assert!(
        compared > 300 && not_found > 100,
        "{compared} pairs, {not_found} not found"
    );
    town.nothing_was_changed();
}

/// All that a client can tell of an answer, where the id that was asked for is not what it tells. The framework sends headers, and the
/// names in one of them, in no order.
fn comparable(answer: &Response, id: &str) -> (u16, BTreeMap<String, String>, String) {
    let headers = answer.headers.iter().filter(|(name, _)| name != "date");
    let headers = headers.map(|(name, value)| {
        let mut parts: Vec<_> = value.split(", ").collect();
        parts.sort_unstable();
        (name.clone(), parts.join(", "))
    });
    (answer.status, headers.collect(), answer.body.replace(id, "<id>"))
}

/// Whatever one tenant's credentials get out of every operation, the other's texts are not in it, nor in what both servers log.
fn no_tenants_marks_are_seen_by_another(database: &Database) {
    let town = Town::open(database);
    let operations = operations::all(&town.superuser);
    for (own, other) in [(&town.acme, &town.acme2), (&town.acme2, &town.acme)] {
        let mut seen = String::new();
        for (_, client) in own
            .credentials
            .iter()
            .filter(|(kind, _)| !kind.ends_with("refresh token"))
        {
            for operation in operations.iter().filter(|operation| operation.only_reads()) {
                seen += &operation.send(client, &own.id_for(operation)).body;
            }
            seen += &ask(client, other);
        }
        for mark in &own.marks {
            assert!(seen.contains(mark), "{} does not see its own {mark}", own.id);
        }
        for mark in &other.marks {
            assert!(!seen.contains(mark), "{} saw {mark} of {}", own.id, other.id);
        }
    }
    for log in town.logs() {
        assert!(
            log.contains("/v1/chat/completions"),
            "the servers log their requests"
        );
        for mark in [&town.acme, &town.acme2]
            .into_iter()
            .flat_map(Resident::everything_private)
        {
            let line = log.lines().find(|line| line.contains(&mark));
            assert_eq!(line, None, "the log has {mark}");
        }
    }
    let dump = town.dump();
    for secret in [&town.acme, &town.acme2]
        .into_iter()
        .flat_map(|resident| resident.secrets.clone())
    {
        assert!(!dump.contains(&secret), "the database has {secret}");
    }
    for (own, other) in [(&town.acme, &town.acme2), (&town.acme2, &town.acme)] {
        let archive = town.export(&own.id);
        for mark in &other.marks {
            assert!(!archive.contains(mark), "the archive of {} has {mark}", own.id);
        }
        for secret in &own.secrets {
            assert!(
                !archive.contains(secret),
                "the archive of {} has {secret}",
                own.id
            );
        }
    }
}

/// Questions after what the other tenant knows, in every way that there is to ask, and mistakes of every kind.
fn ask(client: &Client, other: &Resident) -> String {
    let question = "What does the handbook say about lamps?";
    let model = "tenantry";
    let spoken = json!([{ "role": "user", "content": question }]);
    let mut seen = String::new();
    for (target, accept, body) in [
        ("/search", "application/json", json!({ "query": question })),
        (
            "/search",
            "application/json",
            json!({ "query": question, "filter": { "external_id": "handbook" } }),
        ),
        ("/chat", "application/json", json!({ "message": question })),
        (
            "/chat",
            "text/event-stream",
            json!({ "message": question, "stream": true }),
        ),
        (
            "/chat",
            "application/json",
            json!({ "message": question, "conversation_id": other.ids["conversations"] }),
        ),
        (
            "/v1/chat/completions",
            "application/json",
            json!({ "model": model, "messages": spoken }),
        ),
        (
            "/v1/chat/completions",
            "text/event-stream",
            json!({ "model": model, "messages": spoken, "stream": true }),
        ),
        (
            "/v1/chat/completions",
            "application/json",
            json!({ "model": "nobody's", "messages": spoken }),
        ),
        ("/search", "application/json", json!({ "query": 7 })),
    ] {
        seen += &post(client, target, accept, &body).body;
    }
    seen
}

fn post(client: &Client, target: &str, accept: &str, body: &Value) -> Response {
    client.exchange(
        "POST",
        target,
        accept,
        Some(("application/json", body.to_string().as_bytes())),
    )
}
