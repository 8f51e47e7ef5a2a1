use std::sync::mpsc::channel;
use std::time::Duration;

use actix_web::test::TestRequest;
use tenantry_retrieval::Superuser;
use tenantry_tenant_store::testing::unavailable;

use super::testing::{Do, PATIENCE, Script, stage};
use super::{OnLeave, StreamCaps, Terms};
use crate::http::HttpSettings;
use crate::http::testing::{Parts, Server, bearer, next, one_stream, post, until};
use crate::offload::{Class, Permits};
use crate::turn::testing::Director;

const SAYS: [Do; 2] = [Do::Say("one "), Do::Say("two")];

async fn played(script: Script, settings: HttpSettings) -> (Server, Director) {
    let (stage, director) = stage([script]);
    let parts = Parts {
        settings,
        ..Parts::default()
    };
    (Server::serving(parts, stage.routes()).await, director)
}

fn play() -> TestRequest {
    post("/play", &serde_json::Value::Null)
}

fn whole() -> TestRequest {
    post("/play/whole", &serde_json::Value::Null)
}

fn speaking(acts: impl Into<Vec<Do>>) -> Script {
    Script {
        speak: acts.into(),
        ..Script::default()
    }
}

/// The names of the events, with the code of an error.
fn names(stream: &str) -> Vec<String> {
    let events = stream
        .split("\n\n")
        .filter_map(|frame| frame.strip_prefix("event: "));
    let name = |frame: &str| {
        let (name, data) = frame.split_once("\ndata: ").unwrap();
        let data: serde_json::Value = serde_json::from_str(data).unwrap();
        match data["error"]["code"].as_str() {
            Some(code) => format!("{name} {code}"),
            None => name.to_owned(),
        }
    };
    events.map(name).collect()
}

#[actix_web::test]
async fn the_phases_come_one_after_the_other_whether_streamed_or_whole() {
    let script = Script {
        retrieve: vec![Do::Say("zero ")],
        ..speaking(SAYS)
    };
    let (server, director) = played(script, HttpSettings::default()).await;
    let phases = [
        "begin acme ada@example.org",
        "retrieve acme",
        "speak",
        "settle acme complete \"zero one two\"",
    ];
    let streamed = server.call_as("ada", play()).await;
    assert_eq!(streamed.status, 200);
    assert_eq!(names(streamed.text()), ["delta", "delta", "delta", "done"]);
    assert!(
        streamed
            .text()
            .ends_with("event: done\ndata: \"zero one two\"\n\n")
    );
    director.hears(&phases);
    let whole = server.call_as("ada", whole()).await;
    assert_eq!((whole.status, whole.text()), (200, "zero one two"));
    director.hears(&phases);
    assert!(director.is_over());
    server.drain_streams().await;
}

#[actix_web::test]
async fn a_turn_that_does_not_begin_has_a_status_and_is_not_settled() {
    for (act, status, code) in [
        (Do::Fail, 502, "llm_truncated"),
        (Do::Panic, 500, "internal_error"),
    ] {
        let script = Script {
            begin: vec![act],
            ..Script::default()
        };
        let (server, director) = played(script, HttpSettings::default()).await;
        for request in [play(), whole()] {
            server.call_as("ada", request).await.is(status, code);
            director.hears(&["begin acme ada@example.org"]);
        }
        server.drain_streams().await;
        assert!(director.is_over());
    }
}

#[actix_web::test]
async fn a_failure_or_a_panic_in_a_later_phase_is_settled_and_is_the_one_terminal_event() {
    for (act, status, code) in [
        (Do::Fail, 502, "llm_truncated"),
        (Do::Panic, 500, "internal_error"),
    ] {
        let acts = vec![Do::Say("one "), act];
        let scripts = [
            speaking(acts.clone()),
            Script {
                retrieve: acts,
                ..Script::default()
            },
        ];
        for script in scripts {
            let (server, director) = played(script, HttpSettings::default()).await;
            let streamed = server.call_as("ada", play()).await;
            assert_eq!(streamed.status, 200);
            assert_eq!(
                names(streamed.text()),
                ["delta".to_owned(), format!("error {code}")]
            );
            let settled = "settle acme failed \"one \"";
            while director.note() != settled {}
            server.call_as("ada", whole()).await.is(status, code);
            while director.note() != settled {}
            assert!(director.is_over(), "it is settled once");
            server.drain_streams().await;
        }
    }
}

#[actix_web::test]
async fn an_answer_that_cannot_be_kept_is_not_told_to_be_complete() {
    for (act, status, code) in [
        (Do::Fail, 502, "llm_truncated"),
        (Do::Panic, 500, "internal_error"),
    ] {
        let script = Script {
            settle: vec![act],
            ..speaking(SAYS)
        };
        let (server, _director) = played(script, HttpSettings::default()).await;
        let streamed = server.call_as("ada", play()).await;
        let error = format!("error {code}");
        assert_eq!(names(streamed.text()), ["delta", "delta", error.as_str()]);
        server.call_as("ada", whole()).await.is(status, code);
    }
}

#[actix_web::test]
async fn what_is_ready_together_is_one_write() {
    let (server, director) = played(speaking([Do::Say("x"); 32]), HttpSettings::default()).await;
    let response = server.begin(bearer(play(), &server.token("ada"))).await;
    server.drain_streams().await;
    let mut body = response.into_body();
    let write = next(&mut body).await.unwrap();
    assert!(write.starts_with(b": open\n\n"));
    assert_eq!(names(std::str::from_utf8(&write).unwrap()).len(), 33);
    assert_eq!(next(&mut body).await, None);
    drop(director);
}

#[actix_web::test]
async fn a_client_that_leaves_stops_the_turn_or_has_it_finished_as_the_terms_say() {
    let acts = [Do::Say("one "), Do::Await, Do::Say("two")];
    for (on_leave, ending) in [
        (OnLeave::Cancel, "left \"one \""),
        (OnLeave::Finish, "complete \"one two\""),
    ] {
        let mut script = speaking(acts);
        script.terms.on_leave = on_leave;
        let (server, director) = played(script, HttpSettings::default()).await;
        let response = server.begin(bearer(play(), &server.token("ada"))).await;
        let mut body = response.into_body();
        until(&mut body, "one ").await;
        drop(body);
        director.cue();
        server.drain_streams().await;
        while director.note() != format!("settle acme {ending}") {}
    }
}

#[actix_web::test]
async fn a_reader_who_takes_nothing_has_left() {
    for (on_leave, ending) in [(OnLeave::Cancel, "left"), (OnLeave::Finish, "complete")] {
        let mut script = speaking([Do::Say("x"); 200]);
        script.terms.on_leave = on_leave;
        let settings = HttpSettings {
            stall_deadline: Duration::from_millis(20),
            ..HttpSettings::default()
        };
        let (server, director) = played(script, settings).await;
        let response = server.begin(bearer(play(), &server.token("ada"))).await;
        server.drain_streams().await;
        while !director.note().starts_with(&format!("settle acme {ending}")) {}
        drop(response);
    }
}

#[actix_web::test]
async fn a_slow_reader_gets_everything() {
    let (server, _director) = played(speaking(vec![Do::Say("x"); 1_000]), HttpSettings::default()).await;
    let response = server.begin(bearer(play(), &server.token("ada"))).await;
    let mut body = response.into_body();
    let heard = until(&mut body, "event: done").await;
    assert_eq!(names(&heard).len(), 1_001);
}

/// The events of a turn that idles, once `stop` was done after its first word.
async fn stopped_by(settings: HttpSettings, stop: impl AsyncFnOnce(&Server)) -> Vec<String> {
    let mut script = speaking([Do::Say("one "), Do::Idle]);
    // What stops it is not the client's leaving, so its policy changes nothing.
    script.terms.on_leave = OnLeave::Finish;
    let (server, director) = played(script, settings).await;
    let response = server.begin(bearer(play(), &server.token("ada"))).await;
    let mut body = response.into_body();
    let mut heard = until(&mut body, "one ").await;
    stop(&server).await;
    heard.push_str(&until(&mut body, "event: error").await);
    assert_eq!(next(&mut body).await, None);
    let names = names(&heard);
    while director.note() != "settle acme failed \"one \"" {}
    server.drain_streams().await;
    names
}

#[actix_web::test]
async fn a_reader_who_may_not_have_it_any_more_gets_no_more() {
    let settings = || HttpSettings {
        access_check: Duration::from_millis(2),
        ..HttpSettings::default()
    };
    let expired = stopped_by(settings(), async |server| {
        server.clock.advance(Duration::from_hours(1));
    });
    assert_eq!(expired.await, ["delta", "error unauthenticated"]);
    let suspended = stopped_by(settings(), async |server| {
        let acme = "acme".parse().unwrap();
        server
            .app
            .tenants
            .deactivate(&Superuser::operator(), &acme)
            .unwrap();
    });
    assert_eq!(suspended.await, ["delta", "error tenant_forbidden"]);
}

#[actix_web::test]
async fn a_store_that_does_not_answer_is_no_reason_to_stop() {
    let settings = HttpSettings {
        access_check: Duration::from_millis(2),
        ..HttpSettings::default()
    };
    let script = speaking([Do::Say("one "), Do::Await, Do::Say("two")]);
    let (server, director) = played(script, settings).await;
    let response = server.begin(bearer(play(), &server.token("ada"))).await;
    let mut body = response.into_body();
    until(&mut body, "one ").await;
    let (looks, looked) = channel();
    server.store.fail_when(move |_| {
        let _ = looks.send(());
        Some(unavailable())
    });
    server.app.resolver.forget();
    for _ in 0..3 {
        // Without blocking the thread on which it is looked.
        while looked.try_recv().is_err() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
    server.heal_store();
    director.cue();
    until(&mut body, "event: done").await;
}

#[actix_web::test]
async fn an_answer_has_an_end() {
    let settings = HttpSettings {
        answer_deadline: Duration::from_millis(30),
        ..HttpSettings::default()
    };
    let names = stopped_by(settings, async |_| {}).await;
    assert_eq!(names, ["delta", "error deadline_exceeded"]);
}

#[actix_web::test]
async fn a_server_that_stops_ends_its_answers_and_begins_none() {
    let names = stopped_by(HttpSettings::default(), async |server| {
        server.offload.underway().stop();
        for request in [play(), whole()] {
            server.call_as("grace", request).await.is(503, "shutting_down");
        }
    });
    assert_eq!(names.await, ["delta", "error shutting_down"]);
}

#[actix_web::test]
async fn a_user_and_a_tenant_have_so_many_answers_at_once() {
    for caps in [
        StreamCaps {
            per_user: 1,
            per_tenant: 9,
        },
        StreamCaps {
            per_user: 9,
            per_tenant: 1,
        },
    ] {
        let mut script = speaking([Do::Say("one "), Do::Await]);
        script.terms = Terms {
            caps,
            ..Terms::default()
        };
        let (server, director) = played(script, HttpSettings::default()).await;
        let response = server.begin(bearer(play(), &server.token("ada"))).await;
        let mut first = response.into_body();
        until(&mut first, "one ").await;
        for request in [play(), whole()] {
            let refused = server.call_as("ada", request).await;
            refused.is(429, "too_many_streams");
            assert_eq!(refused.header("retry-after"), Some("2"));
        }
        let other = server.begin(bearer(play(), &server.token("grace"))).await;
        assert_eq!(other.status(), 200);
        director.cue();
        director.cue();
        until(&mut first, "event: done").await;
        until(&mut other.into_body(), "event: done").await;
        server.drain_streams().await;
        director.cue();
        assert_eq!(server.call_as("ada", play()).await.status, 200);
    }
}

#[actix_web::test]
async fn when_no_stream_is_free_the_answer_is_busy() {
    let (server, director) = played(speaking([Do::Say("one "), Do::Await]), one_stream()).await;
    let response = server.begin(bearer(play(), &server.token("ada"))).await;
    let mut first = response.into_body();
    until(&mut first, "one ").await;
    server.call_as("grace", play()).await.is(503, "busy");
    director.cue();
    until(&mut first, "event: done").await;
}

#[actix_web::test]
async fn the_slow_provider_of_one_tenant_does_not_keep_others_from_their_answers() {
    let settings = HttpSettings {
        permits: Permits {
            upstream: 2,
            ..Permits::default()
        },
        ..HttpSettings::default()
    };
    let slow = Script {
        retrieve: vec![Do::Await],
        ..Script::default()
    };
    let (stage, director) = stage([slow.clone(), slow, Script::default()]);
    let parts = Parts {
        settings,
        ..Parts::default()
    };
    let server = Server::serving(parts, stage.routes()).await;
    let mut slow = Vec::new();
    for _ in 0..2 {
        let response = server.begin(bearer(play(), &server.token("ada"))).await;
        slow.push(response.into_body());
    }
    let other = server.call_as("grace", play()).await;
    assert_eq!(names(other.text()), ["done"]);
    let notes: Vec<_> = (0..7).map(|_| director.note()).collect();
    let retrieved = notes.iter().filter(|note| *note == "retrieve acme");
    assert_eq!(retrieved.count(), 1, "{notes:?}");
    for mut body in slow {
        director.cue();
        until(&mut body, "event: done").await;
    }
    server.drain_streams().await;
}

#[actix_web::test]
async fn a_machine_without_a_thread_for_it_fails_the_answer_and_it_is_settled() {
    let settings = HttpSettings {
        permits: Permits {
            streams: 2,
            wait: Duration::from_millis(10),
            ..Permits::default()
        },
        ..HttpSettings::default()
    };
    let (server, director) = played(speaking(SAYS), settings).await;
    let permit = server.offload.permit(Class::Stream).await.unwrap();
    let (release, released) = channel::<()>();
    let released = std::sync::Arc::new(std::sync::Mutex::new(released));
    // One permit takes both threads, as if there were no more.
    for _ in 0..2 {
        let (offload, permit, released) = (server.offload.clone(), permit.clone(), released.clone());
        actix_web::rt::spawn(async move {
            let _ = offload
                .run_with(permit, move |_| {
                    released
                        .lock()
                        .map(|released| released.recv_timeout(PATIENCE))
                        .is_ok()
                })
                .await;
        });
    }
    drop(permit);
    tokio::task::yield_now().await;
    let answer = server.call_as("ada", play()).await;
    assert_eq!(names(answer.text()), ["error busy"]);
    director.hears(&[
        "begin acme ada@example.org",
        "retrieve acme",
        "settle acme failed \"\"",
    ]);
    drop(release);
    server.drain_streams().await;
    assert!(director.is_over(), "it does not speak later");
}
