use std::time::Duration;

use actix_web::HttpResponse;
use serde_json::{Value, json};
use tenantry_domain::Role;
use tenantry_tenant_store::testing::unavailable;

use crate::http::HttpSettings;
use crate::http::testing::{Parts, Server, bearer, delete, get, next, post, put};

const UNKNOWN: &str = "019a0000-0000-7000-8000-000000000000";

/// Hands a text in, and gives its job.
async fn hand_in(server: &Server, name: &str, text: &str) -> Value {
    let new = json!({"title": "T", "text": text});
    let answer = server.call_as(name, post("/documents", &new)).await;
    assert_eq!(answer.status, 202, "{}", answer.text());
    let mut job = answer.json();
    job.as_object_mut().unwrap().remove("duplicate");
    job
}

fn path(job: &Value) -> String {
    format!("/jobs/{}", job["id"].as_str().unwrap())
}

#[actix_web::test]
async fn a_job_is_shown_from_its_beginning_to_its_end() {
    let server = Server::new().await;
    let job = hand_in(&server, "ada", "Within 30 days.").await;
    assert_eq!(server.call_as("ada", get(&path(&job))).await.json(), job);
    assert_eq!(
        (&job["stage"], &job["attempts"], &job["reason"]),
        (&json!("extracting"), &json!(0), &Value::Null)
    );
    server.work();
    let done = server.call_as("ada", get(&path(&job))).await.json();
    assert_eq!(
        (&done["state"], &done["percent"]),
        (&json!("done"), &json!(100)),
        "{done}"
    );
    assert_eq!(
        done["counts"],
        json!({"characters": 15, "segments": 1, "segments_done": 1, "chunks": 1, "reused": 0})
    );
}

#[actix_web::test]
async fn a_list_is_narrowed_by_state_and_by_document() {
    let server = Server::new().await;
    let done = hand_in(&server, "ada", "one").await;
    server.work();
    server.clock.advance(Duration::from_secs(1));
    let queued = hand_in(&server, "ada", "two").await;
    for (query, ids) in [
        (String::new(), vec![&queued["id"], &done["id"]]),
        ("?state=done".to_owned(), vec![&done["id"]]),
        ("?state=queued&limit=1".to_owned(), vec![&queued["id"]]),
        (
            format!("?document_id={}", done["document_id"].as_str().unwrap()),
            vec![&done["id"]],
        ),
        (format!("?document_id={UNKNOWN}"), vec![]),
    ] {
        let list = server.call_as("ada", get(&format!("/jobs{query}"))).await.json();
        let found: Vec<&Value> = list["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|job| &job["id"])
            .collect();
        assert_eq!(found, ids, "{query}");
    }
    for query in [
        "state=ready",
        "document_id=x",
        "document_id=",
        "limit=0",
        "tenant_id=globex",
    ] {
        let answer = server.call_as("ada", get(&format!("/jobs?{query}"))).await;
        answer.is(422, "invalid_request");
    }
    assert_eq!(
        server.call_as("grace", get("/jobs")).await.json(),
        json!({"items": [], "total": 0})
    );
}

#[actix_web::test]
async fn a_foreign_job_is_an_unknown_one_byte_for_byte() {
    let server = Server::new().await;
    let job = hand_in(&server, "ada", "one").await;
    let mut heard = Vec::new();
    for id in [job["id"].as_str().unwrap(), UNKNOWN, "x", "%00"] {
        for request in [
            get(&format!("/jobs/{id}")),
            get(&format!("/jobs/{id}/events")),
            post(&format!("/jobs/{id}/cancel"), &json!({})),
        ] {
            let answer = server.call_as("grace", request).await;
            answer.is(404, "not_found");
            heard.push(answer.anonymous());
        }
    }
    heard.dedup();
    assert_eq!(heard.len(), 1, "{heard:?}");
    let own = server.call_as("ada", get(&path(&job))).await.json();
    assert_eq!(own["state"], json!("queued"), "it was not cancelled");
}

#[actix_web::test]
async fn a_cancelled_job_is_never_done_and_one_that_is_over_stays_so() {
    let server = Server::new().await;
    let job = hand_in(&server, "ada", "one").await;
    let cancel = || post(&format!("{}/cancel", path(&job)), &json!({}));
    let cancelled = server.call_as("ada", cancel()).await;
    assert_eq!(
        (cancelled.status, &cancelled.json()["state"]),
        (200, &json!("cancelled"))
    );
    server.work();
    assert_eq!(server.document("ada", &job).await["state"], json!("failed"));
    assert_eq!(
        server.call_as("ada", cancel()).await.json()["state"],
        json!("cancelled")
    );
    let done = hand_in(&server, "ada", "two").await;
    server.work();
    let late = server
        .call_as("ada", post(&format!("{}/cancel", path(&done)), &json!({})))
        .await;
    assert_eq!((late.status, &late.json()["state"]), (200, &json!("done")));
}

/// Begins to watch a job.
async fn watch(server: &Server, job: &Value) -> HttpResponse {
    let request = bearer(get(&format!("{}/events", path(job))), &server.token("ada"));
    server.begin(request).await
}

/// The events that a stream has from here on, in words, with their data; the heartbeats are left out.
async fn rest(response: HttpResponse) -> Vec<(String, Value)> {
    let bytes = actix_web::body::to_bytes(response.into_body()).await.unwrap();
    events(std::str::from_utf8(&bytes).unwrap())
}

fn events(text: &str) -> Vec<(String, Value)> {
    let frames = text
        .trim_end_matches('\n')
        .split("\n\n")
        .filter(|frame| !frame.starts_with(':'));
    let event = |frame: &str| {
        let (name, data) = frame.split_once('\n').unwrap();
        let data = serde_json::from_str(data.strip_prefix("data: ").unwrap()).unwrap();
        (name.strip_prefix("event: ").unwrap().to_owned(), data)
    };
    frames.map(event).collect()
}

#[actix_web::test]
async fn a_job_that_is_over_is_one_event() {
    let server = Server::new().await;
    let job = hand_in(&server, "ada", "one").await;
    server.work();
    let stream = watch(&server, &job).await;
    assert_eq!(stream.headers().get("content-type").unwrap(), "text/event-stream");
    let events = rest(stream).await;
    let shown = server.call_as("ada", get(&path(&job))).await.json();
    assert_eq!(events, [("done".to_owned(), shown)]);
}

#[actix_web::test]
async fn a_watched_job_is_told_at_each_change_and_once_at_its_end() {
    let server = Server::new().await;
    let job = hand_in(&server, "ada", "one").await;
    let reading = rest(watch(&server, &job).await);
    let working = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        server.work();
    };
    let (events, ()) = futures_util::future::join(reading, working).await;
    let (last, progress) = events.split_last().unwrap();
    assert_eq!((last.0.as_str(), &last.1["state"]), ("done", &json!("done")));
    assert_eq!(progress[0], ("progress".to_owned(), job));
    assert!(progress.iter().all(|(name, _)| name == "progress"), "{events:?}");
    assert!(
        progress.windows(2).all(|pair| pair[0] != pair[1]),
        "told without a change: {events:?}"
    );
}

#[actix_web::test]
async fn a_removal_is_watched_to_its_end() {
    let server = Server::new().await;
    let job = hand_in(&server, "ada", "one").await;
    server.work();
    let document = job["document_id"].as_str().unwrap();
    server
        .call_as("ada", delete(&format!("/documents/{document}")))
        .await;
    let jobs = server.call_as("ada", get("/jobs?state=queued")).await.json();
    let removal = &jobs["items"][0];
    assert_eq!(removal["kind"], json!("remove"), "{jobs}");
    let reading = rest(watch(&server, removal).await);
    let working = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        server.work();
    };
    let (events, ()) = futures_util::future::join(reading, working).await;
    let (name, last) = events.last().unwrap();
    assert_eq!(
        (name.as_str(), &last["state"], &last["percent"]),
        ("done", &json!("done"), &json!(100))
    );
    server
        .call_as("ada", get(&path(removal)))
        .await
        .is(404, "not_found");
}

#[actix_web::test]
async fn who_may_look_no_more_is_told_so_as_the_last_event() {
    let server = Server::new().await;
    let job = hand_in(&server, "ada", "one").await;
    let failing = [
        ("store_unavailable", false),
        ("unauthenticated", true),
        ("permission_required", false),
    ];
    for (code, expires) in failing {
        let stream = watch(&server, &job).await;
        match code {
            "store_unavailable" => server
                .store
                .fail_when(|method| (method == "job").then(unavailable)),
            "permission_required" => {
                server.transfer("grace", "acme");
                server.appoint("grace", Role::Admin);
                let body = json!({"ingesters": "admins"});
                server.call_as("grace", put("/tenant/settings", &body)).await;
            }
            _ => {}
        }
        if expires {
            server.clock.advance(Duration::from_mins(31));
        }
        let events = rest(stream).await;
        let (name, data) = events.last().unwrap();
        assert_eq!(
            (name.as_str(), &data["error"]["code"]),
            ("error", &json!(code)),
            "{events:?}"
        );
        assert!(data["error"]["request_id"].is_string());
        server.heal_store();
    }
}

#[actix_web::test]
async fn an_open_stream_shows_that_it_lives_and_ends_with_its_reader() {
    let settings = HttpSettings {
        heartbeat: Duration::from_millis(20),
        ..HttpSettings::default()
    };
    let server = Server::with(Parts {
        settings,
        ..Parts::default()
    })
    .await;
    let job = hand_in(&server, "ada", "one").await;
    let mut body = Box::pin(watch(&server, &job).await.into_body());
    let mut text = String::new();
    while text.matches(": heartbeat\n\n").count() < 3 {
        let piece = next(&mut body).await.unwrap();
        text.push_str(std::str::from_utf8(&piece).unwrap());
    }
    assert!(text.starts_with(": open\n\n"), "{text}");
    assert_eq!(events(&text), [("progress".to_owned(), job)]);
    assert_eq!(server.watchers(), 1);
    drop(body);
    assert_eq!(server.watchers(), 0);
}

#[actix_web::test]
async fn a_server_that_stops_says_so_as_the_last_event() {
    let server = Server::new().await;
    let job = hand_in(&server, "ada", "one").await;
    let stream = watch(&server, &job).await;
    server.offload.underway().stop();
    let events = rest(stream).await;
    let (name, data) = events.last().unwrap();
    assert_eq!(
        (name.as_str(), &data["error"]["code"]),
        ("error", &json!("shutting_down"))
    );
}

#[actix_web::test]
async fn watchers_of_one_tenant_leave_room_for_others() {
    let mut settings = HttpSettings::default();
    settings.permits.watchers = 2;
    settings.permits.wait = Duration::ZERO;
    let server = Server::with(Parts {
        settings,
        ..Parts::default()
    })
    .await;
    let job = hand_in(&server, "ada", "one").await;
    let open = watch(&server, &job).await;
    let refused = server
        .call_as("ada", get(&format!("{}/events", path(&job))))
        .await;
    refused.is(503, "busy");
    let other = hand_in(&server, "grace", "one").await;
    let request = bearer(get(&format!("{}/events", path(&other))), &server.token("grace"));
    assert_eq!(server.begin(request).await.status(), 200);
    drop(open);
    assert_eq!(watch(&server, &job).await.status(), 200);
}
