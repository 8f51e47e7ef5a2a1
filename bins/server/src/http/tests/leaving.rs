//! What becomes of an answer whose client leaves, or whose server stops.

use std::io::Write;
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use super::live::{Live, rest, until};
use super::process::{alone, files_of, wait_for_files};
use crate::http::HttpSettings;
use crate::http::testing::Parts;
use crate::serve;
use crate::turn::OnLeave;
use crate::turn::testing::{Director, Do, Script, stage};

const FORMS: [&str; 2] = ["/play", "/play/whole"];

/// A server that plays the script, and whose heartbeat would notice nothing.
fn playing(scripts: impl Into<Vec<Script>>) -> (Live, Director) {
    let (stage, director) = stage(scripts);
    let settings = HttpSettings {
        heartbeat: Duration::from_hours(1),
        ..HttpSettings::default()
    };
    let parts = Parts {
        settings,
        ..Parts::default()
    };
    (Live::serving(parts, stage.routes()), director)
}

/// Asks as ada, and gives the connection.
fn ask(live: &Live, path: &str) -> TcpStream {
    let mut stream = live.connect();
    ask_on(&mut stream, live, path);
    stream
}

fn ask_on(stream: &mut TcpStream, live: &Live, path: &str) {
    let token = live.backend.token("ada");
    write!(
        stream,
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\nContent-Length: 0\r\n\r\n"
    )
    .unwrap();
}

fn notes_until(director: &Director, wanted: &str) {
    while director.note() != wanted {}
}

#[test]
fn whoever_leaves_before_the_first_word_or_after_it_is_noticed_without_a_write() {
    let silent = Script {
        speak: vec![Do::Idle],
        ..Script::default()
    };
    let searching = Script {
        retrieve: vec![Do::Idle],
        ..Script::default()
    };
    let talking = Script {
        speak: vec![Do::Say("one"), Do::Idle],
        ..Script::default()
    };
    for (script, said) in [(silent, ""), (searching, ""), (talking, "one")] {
        let (live, director) = playing([script]);
        for path in FORMS {
            let stream = ask(&live, path);
            notes_until(&director, "idle");
            assert!(director.is_over(), "it goes on while the client is there");
            drop(stream);
            director.hears(&["stopped", &format!("settle acme left {said:?}")]);
            live.settled();
        }
    }
}

#[test]
fn whoever_closes_the_sending_side_alone_has_left_too() {
    let (live, director) = playing([Script {
        speak: vec![Do::Idle],
        ..Script::default()
    }]);
    for path in FORMS {
        let mut stream = ask(&live, path);
        notes_until(&director, "idle");
        stream.shutdown(Shutdown::Write).unwrap();
        notes_until(&director, "settle acme left \"\"");
        // What it can still read says so.
        assert!(rest(&mut stream).contains("\"code\":\"cancelled\""));
    }
}

#[test]
fn whoever_leaves_before_the_head_is_noticed_once_the_turn_has_begun() {
    let (live, director) = playing([Script {
        begin: vec![Do::Await],
        speak: vec![Do::Idle],
        ..Script::default()
    }]);
    for path in FORMS {
        let stream = ask(&live, path);
        director.hears(&["begin acme ada@example.org"]);
        drop(stream);
        director.cue();
        notes_until(&director, "settle acme left \"\"");
        live.settled();
    }
}

#[test]
fn whoever_leaves_at_the_end_changes_nothing() {
    let (live, director) = playing([Script {
        speak: vec![Do::Say("one")],
        settle: vec![Do::Await],
        ..Script::default()
    }]);
    for path in FORMS {
        let stream = ask(&live, path);
        notes_until(&director, "settle acme complete \"one\"");
        drop(stream);
        director.cue();
        live.settled();
        assert!(director.is_over());
    }
}

#[test]
fn an_answer_that_is_to_be_finished_is() {
    let mut script = Script {
        speak: vec![Do::Say("one "), Do::Await, Do::Say("two")],
        ..Script::default()
    };
    script.terms.on_leave = OnLeave::Finish;
    let (live, director) = playing([script]);
    for path in FORMS {
        let stream = ask(&live, path);
        notes_until(&director, "speak");
        drop(stream);
        director.cue();
        director.hears(&["settle acme complete \"one two\""]);
        live.settled();
    }
}

#[test]
fn what_a_client_sends_ahead_is_neither_lost_nor_taken_for_leaving() {
    let (live, director) = playing([Script {
        speak: vec![Do::Say("one"), Do::Await],
        ..Script::default()
    }]);
    for path in FORMS {
        let mut stream = ask(&live, path);
        notes_until(&director, "speak");
        write!(stream, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
        write!(
            stream,
            "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        )
        .unwrap();
        director.cue();
        let heard = rest(&mut stream);
        director.hears(&["settle acme complete \"one\""]);
        assert_eq!(heard.matches("HTTP/1.1 200 OK").count(), 3, "{heard}");
    }
}

#[test]
fn one_connection_is_watched_again_for_its_next_answer() {
    for path in FORMS {
        let heard = Script {
            speak: vec![Do::Say("one")],
            ..Script::default()
        };
        let left = Script {
            speak: vec![Do::Idle],
            ..Script::default()
        };
        let (live, director) = playing([heard, left]);
        let mut stream = live.connect();
        ask_on(&mut stream, &live, path);
        let end = if path == "/play" { "\r\n0\r\n\r\n" } else { "one" };
        until(&mut stream, end);
        notes_until(&director, "settle acme complete \"one\"");
        ask_on(&mut stream, &live, path);
        notes_until(&director, "idle");
        drop(stream);
        notes_until(&director, "settle acme left \"\"");
    }
}

#[test]
fn a_stop_ends_every_stream_with_its_event_and_settles_it() {
    let mut script = Script {
        speak: vec![Do::Say("one"), Do::Idle],
        ..Script::default()
    };
    script.terms.on_leave = OnLeave::Finish;
    let (live, director) = playing([script]);
    let mut streams = [ask(&live, "/play"), ask(&live, "/play")];
    for stream in &mut streams {
        until(stream, "one");
    }
    let mut whole = ask(&live, "/play/whole");
    // One has left: nothing but the stop waits for it.
    drop(ask(&live, "/play"));
    for _ in 0..4 {
        notes_until(&director, "idle");
    }
    live.terminate();
    for mut stream in streams {
        let heard = rest(&mut stream);
        assert!(
            heard.contains("event: error\ndata: {\"error\":{\"code\":\"shutting_down\""),
            "{heard}"
        );
        assert!(heard.ends_with("\r\n0\r\n\r\n"), "{heard}");
    }
    let heard = rest(&mut whole);
    assert!(
        heard.starts_with("HTTP/1.1 503 ") && heard.contains("shutting_down"),
        "{heard}"
    );
    for _ in 0..4 {
        notes_until(&director, "settle acme failed \"one\"");
    }
}

#[test]
fn a_thousand_clients_that_leave_leave_nothing_behind() {
    alone(module_path!(), "alone_a_thousand_clients_leave");
}

#[test]
fn an_answer_that_is_held_takes_little_memory() {
    alone(module_path!(), "alone_a_thousand_answers_are_held");
}

#[test]
#[ignore = "it counts what the process has, so it is run in one of its own"]
fn alone_a_thousand_clients_leave() {
    let mut script = Script {
        speak: vec![Do::Say("one"), Do::Idle],
        ..Script::default()
    };
    script.terms.caps.per_user = 1_000;
    let (live, director) = playing([script]);
    let stream_threads = || {
        let threads = std::fs::read_dir("/proc/self/task").unwrap().flatten();
        let names = threads.filter_map(|thread| std::fs::read_to_string(thread.path().join("comm")).ok());
        names.filter(|name| name.trim() == "stream").count()
    };
    let before = files_of(&live);
    for _ in 0..20 {
        let mut streams: Vec<_> = (0..25).flat_map(|_| FORMS.map(|path| ask(&live, path))).collect();
        for (place, stream) in streams.iter_mut().enumerate() {
            // Some leave at once, some before the first word, some after it.
            match place % 6 {
                2 => drop(until(stream, ": open")),
                4 => drop(until(stream, "one")),
                _ => {}
            }
        }
        drop(streams);
        live.settled();
    }
    while !director.is_over() {}
    wait_for_files(before);
    live.settled();
    // As many as there were answers at once; a round may begin while the last stragglers of the one before it are read.
    assert!(stream_threads() <= 100, "{} threads", stream_threads());
}

#[test]
#[ignore = "it weighs the process, so it is run in one of its own"]
fn alone_a_thousand_answers_are_held() {
    let mut script = Script {
        speak: vec![Do::Say("one"), Do::Idle],
        ..Script::default()
    };
    script.terms.caps.per_user = 1_000;
    let (live, director) = playing([script]);
    serve::allow_many_connections();
    let resident = || {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let kib = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = kib.unwrap().trim().trim_end_matches(" kB");
        kib.parse::<usize>().unwrap()
    };
    let hold = |count| -> Vec<_> {
        let asked: Vec<_> = (0..count).map(|_| ask(&live, "/play")).collect();
        asked
            .into_iter()
            .map(|mut stream| {
                until(&mut stream, "one");
                stream
            })
            .collect()
    };
    // The first ones fill what is there once.
    let first = hold(100);
    let before = resident();
    let others = hold(900);
    let each = (resident() - before) / others.len();
    println!("{each} KiB for each answer");
    assert!(each < 64, "{each} KiB for each answer");
    drop((first, others));
    live.settled();
    drop(director);
}
