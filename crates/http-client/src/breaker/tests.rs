use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use secrecy::SecretString;
use url::Url;

use super::*;
use crate::{Answer, MemoryTransport, Method, Pacing, Piece, RetryPolicy, Retrying, Trust};

type Outcome = Result<Answer, HttpError>;

/// A clock that goes only when it is told to.
#[derive(Clone)]
struct Stopped(Arc<Mutex<Instant>>);

impl Stopped {
    fn pass(&self, time: Duration) {
        *self.0.lock().unwrap() += time;
    }
}

impl Timing for Stopped {
    fn now(&self) -> Instant {
        *self.0.lock().unwrap()
    }
}

type Subject = Breaking<MemoryTransport>;

fn policy() -> BreakerPolicy {
    BreakerPolicy::default()
}

fn breaking(
    policy: BreakerPolicy,
    script: impl Fn(usize) -> Outcome + Send + Sync + 'static,
) -> (Subject, Stopped) {
    let clock = Stopped(Arc::new(Mutex::new(Instant::now())));
    let asked = AtomicUsize::new(0);
    let upstream = MemoryTransport::new(move |_| script(asked.fetch_add(1, Ordering::SeqCst)));
    (Breaking::timed(upstream, policy, clock.clone()), clock)
}

fn dead() -> Outcome {
    Err(HttpError::Connect("nobody is there".into()))
}

fn get(url: &str) -> Request {
    Request::new(Method::Get, Url::parse(url).unwrap(), Trust::Operator)
}

fn request() -> Request {
    get("http://upstream.test/")
}

fn with_key(key: &str) -> Request {
    request().secret_header("authorization", "Bearer ", SecretString::from(key.to_owned()))
}

fn send(transport: &Subject, request: &Request) -> Result<u16, HttpError> {
    transport.send(request).map(|answer| answer.status)
}

/// How long until the next call, when the circuit of `request` is open.
fn open_for(transport: &Subject, request: &Request) -> Option<Duration> {
    let sent = transport.inner.requests().len();
    match send(transport, request) {
        Err(HttpError::CircuitOpen { retry_after }) => {
            assert_eq!(
                transport.inner.requests().len(),
                sent,
                "an open circuit sent something"
            );
            Some(retry_after)
        }
        _ => None,
    }
}

fn fail(transport: &Subject, times: usize) {
    for _ in 0..times {
        assert!(!matches!(
            send(transport, &request()),
            Err(HttpError::CircuitOpen { .. })
        ));
    }
}

const COOL_DOWN: Duration = Duration::from_secs(5);

#[test]
fn five_failures_in_a_row_open_a_circuit() {
    let failures: [fn() -> Outcome; 8] = [
        dead,
        || Err(HttpError::Timeout),
        || Err(HttpError::Protocol("broken".into())),
        || Ok(Answer::new(401)),
        || Ok(Answer::new(403)),
        || Ok(Answer::new(502)),
        || Ok(Answer::new(503)),
        || Ok(Answer::new(504)),
    ];
    for (number, failure) in failures.into_iter().enumerate() {
        let (transport, _) = breaking(policy(), move |_| failure());
        fail(&transport, 5);
        assert_eq!(open_for(&transport, &request()), Some(COOL_DOWN), "{number}");
    }
}

#[test]
fn an_answer_that_an_upstream_in_order_gives_ends_the_row() {
    let answers: [fn() -> Outcome; 7] = [
        || Ok(Answer::new(200)),
        || Ok(Answer::new(302)),
        || Ok(Answer::new(400)),
        || Ok(Answer::new(404)),
        || Ok(Answer::new(429)),
        || Ok(Answer::new(500)),
        || Err(HttpError::TooLarge { limit: 1 }),
    ];
    for (number, answer) in answers.into_iter().enumerate() {
        let (transport, _) = breaking(policy(), move |asked| if asked == 4 { answer() } else { dead() });
        fail(&transport, 9);
        assert_eq!(open_for(&transport, &request()), None, "{number}");
        assert_eq!(open_for(&transport, &request()), Some(COOL_DOWN), "{number}");
    }
}

#[test]
fn what_says_nothing_of_the_upstream_neither_adds_to_the_row_nor_ends_it() {
    let (transport, _) = breaking(policy(), |asked| match asked {
        4 => Err(HttpError::Cancelled),
        _ => dead(),
    });
    fail(&transport, 4);
    for _ in 0..9 {
        let header = request().header("x-broken", "\n");
        assert!(matches!(send(&transport, &header), Err(HttpError::Header(_))));
    }
    assert!(matches!(send(&transport, &request()), Err(HttpError::Cancelled)));
    assert!(matches!(send(&transport, &request()), Err(HttpError::Connect(_))));
    assert!(open_for(&transport, &request()).is_some());
}

#[test]
fn an_open_circuit_says_how_long_it_will_be() {
    let (transport, clock) = breaking(policy(), |_| dead());
    fail(&transport, 5);
    clock.pass(Duration::from_secs(3));
    assert_eq!(open_for(&transport, &request()), Some(Duration::from_secs(2)));
    let error = transport.send(&request()).unwrap_err();
    assert!(error.is_transient());
    assert_eq!(
        error.to_string(),
        "the upstream failed repeatedly and is left alone for a while"
    );
}

#[test]
fn each_probe_that_fails_doubles_the_pause_up_to_the_longest() {
    let (transport, clock) = breaking(policy(), |_| dead());
    fail(&transport, 5);
    for seconds in [5, 10, 20, 40, 60, 60] {
        let pause = Duration::from_secs(seconds);
        assert_eq!(open_for(&transport, &request()), Some(pause));
        clock.pass(pause.saturating_sub(Duration::from_nanos(1)));
        assert_eq!(open_for(&transport, &request()), Some(Duration::from_nanos(1)));
        clock.pass(Duration::from_nanos(1));
        fail(&transport, 1);
    }
}

#[test]
fn a_probe_that_succeeds_closes_the_circuit_and_forgets_the_pauses() {
    let (transport, clock) = breaking(policy(), |asked| match asked {
        6 => Ok(Answer::new(200)),
        _ => dead(),
    });
    fail(&transport, 5);
    clock.pass(COOL_DOWN);
    fail(&transport, 1);
    clock.pass(COOL_DOWN * 2);
    assert_eq!(send(&transport, &request()).unwrap(), 200);
    fail(&transport, 5);
    assert_eq!(open_for(&transport, &request()), Some(COOL_DOWN));
}

/// A breaker whose upstream runs `during` in the middle of the calls it names, as if another thread called.
fn reentrant(
    answers: impl Fn(usize) -> Outcome + Send + Sync + 'static,
    during: impl Fn(usize, &Subject) + Send + Sync + 'static,
) -> (Arc<Subject>, Stopped) {
    let itself = Arc::new(OnceLock::<std::sync::Weak<Subject>>::new());
    let known = itself.clone();
    let (transport, clock) = breaking(policy(), move |asked| {
        if let Some(transport) = known.get().and_then(std::sync::Weak::upgrade) {
            during(asked, &transport);
        }
        answers(asked)
    });
    let transport = Arc::new(transport);
    itself.set(Arc::downgrade(&transport)).unwrap();
    (transport, clock)
}

#[test]
fn while_a_probe_is_under_way_the_others_still_fail() {
    let others = Arc::new(AtomicUsize::new(0));
    let counted = others.clone();
    let (transport, clock) = reentrant(
        |asked| if asked == 5 { Ok(Answer::new(200)) } else { dead() },
        move |asked, transport| {
            if asked == 5 {
                assert_eq!(open_for(transport, &request()), Some(COOL_DOWN));
                counted.fetch_add(1, Ordering::SeqCst);
            }
        },
    );
    fail(&transport, 5);
    clock.pass(COOL_DOWN);
    assert_eq!(send(&transport, &request()).unwrap(), 200);
    assert_eq!(others.load(Ordering::SeqCst), 1);
}

#[test]
fn of_many_threads_one_is_the_probe() {
    let (transport, clock) = breaking(policy(), |asked| {
        if asked >= 5 {
            std::thread::yield_now();
        }
        dead()
    });
    fail(&transport, 5);
    clock.pass(COOL_DOWN);
    let refused = std::thread::scope(|scope| {
        let threads = (0..16).map(|_| scope.spawn(|| send(&transport, &request())));
        let threads = threads.collect::<Vec<_>>();
        let outcomes = threads.into_iter().map(|thread| thread.join().unwrap());
        outcomes
            .filter(|outcome| matches!(outcome, Err(HttpError::CircuitOpen { .. })))
            .count()
    });
    assert_eq!((refused, transport.inner.requests().len()), (15, 6));
}

#[test]
fn a_probe_that_is_cancelled_or_panics_lets_another_one_go() {
    let (transport, clock) = breaking(policy(), |asked| match asked {
        5 => Err(HttpError::Cancelled),
        6 => panic!("a scripted panic"),
        7 => Ok(Answer::new(200)),
        _ => dead(),
    });
    fail(&transport, 5);
    clock.pass(COOL_DOWN);
    let cancelled = transport.stream(&request(), &Cancel::new());
    assert!(matches!(cancelled, Err(HttpError::Cancelled)));
    assert!(catch_unwind(AssertUnwindSafe(|| transport.send(&request()))).is_err());
    assert_eq!(send(&transport, &request()).unwrap(), 200);
}

#[test]
fn what_began_before_the_circuit_opened_says_nothing_any_more() {
    // The first call is still under way while five others fail, and only then fails or succeeds itself.
    let answers: [fn() -> Outcome; 2] = [dead, || Ok(Answer::new(200))];
    for answer in answers {
        let (transport, _) = reentrant(
            move |asked| if asked == 0 { answer() } else { dead() },
            |asked, transport| {
                if asked == 0 {
                    fail(transport, 5);
                }
            },
        );
        drop(transport.send(&request()));
        assert_eq!(open_for(&transport, &request()), Some(COOL_DOWN));
    }
}

#[test]
fn a_bad_key_opens_its_own_circuit_alone() {
    let upstream = MemoryTransport::new(|request| {
        let good = request.header("authorization") == Some("Bearer good");
        Ok(Answer::new(if good { 200 } else { 401 }))
    });
    let transport = Breaking::new(upstream, policy());
    for _ in 0..5 {
        assert_eq!(send(&transport, &with_key("bad")).unwrap(), 401);
    }
    assert!(open_for(&transport, &with_key("bad")).is_some());
    assert_eq!(send(&transport, &with_key("good")).unwrap(), 200);
    assert_eq!(send(&transport, &with_key("new")).unwrap(), 401);
    assert_eq!(send(&transport, &request()).unwrap(), 401);
}

#[test]
fn a_circuit_is_of_scheme_host_and_port_whatever_the_path() {
    let (transport, _) = breaking(policy(), |_| dead());
    fail(&transport, 5);
    for same in ["http://upstream.test:80/other?x=1", "http://UPSTREAM.test/#here"] {
        assert!(open_for(&transport, &get(same)).is_some(), "{same}");
    }
    assert!(open_for(&transport, &request().header("x-plain", "a")).is_some());
    for other in [
        "https://upstream.test/",
        "http://upstream.test:81/",
        "http://other.test/",
    ] {
        assert!(open_for(&transport, &get(other)).is_none(), "{other}");
    }
}

#[test]
fn no_secret_is_kept() {
    let (transport, _) = breaking(policy(), |_| dead());
    drop(transport.send(&with_key("sk-marker-5f1c")));
    let shown = format!("{transport:?}") + &format!("{:?}", transport.shared.lock());
    assert!(shown.contains("circuits: 1"), "{shown}");
    assert!(
        !shown.contains("marker") && !shown.contains("upstream.test"),
        "{shown}"
    );
}

#[test]
fn a_full_memory_forgets_the_closed_circuit_that_was_not_used_for_longest() {
    let small = BreakerPolicy {
        capacity: 3,
        failures: 2,
        ..policy()
    };
    let (transport, _) = breaking(small, |_| dead());
    let host = |name: &str| get(&format!("http://{name}.test/"));
    for name in ["open", "open", "old", "used", "old"] {
        assert!(send(&transport, &host(name)).is_err());
    }
    // `open` and `old` are open now, `used` is closed after one failure and forgotten for `new`.
    assert!(send(&transport, &host("new")).is_err());
    assert_eq!(transport.shared.lock().len(), 3);
    assert!(open_for(&transport, &host("open")).is_some());
    assert!(open_for(&transport, &host("old")).is_some());
    assert!(
        open_for(&transport, &host("used")).is_none(),
        "`used` was remembered"
    );
    assert!(
        open_for(&transport, &host("used")).is_none(),
        "`used` was remembered"
    );
    assert!(open_for(&transport, &host("used")).is_some());
    // All are open: then the one that was not used for longest goes, and a new one can still be made.
    assert!(open_for(&transport, &host("last")).is_none());
    assert_eq!(transport.shared.lock().len(), 3);
    assert!(
        open_for(&transport, &host("open")).is_none(),
        "`open` was remembered"
    );
}

#[expect(clippy::unnecessary_wraps, reason = "a step of a script")]
fn broken_stream() -> Outcome {
    Ok(Answer::new(200).pieces([Piece::Bytes(b"a".to_vec()), Piece::Break]))
}

/// Reads a stream to its end, good or bad.
fn stream(transport: &Subject, cancel: &Cancel) -> Result<Response, HttpError> {
    transport
        .stream(&request(), cancel)
        .and_then(StreamResponse::whole)
}

#[test]
fn streams_that_break_off_after_their_head_open_the_circuit() {
    let silent = || {
        let pause = Piece::Pause(Duration::from_secs(31));
        Ok(Answer::new(200).pieces([pause]))
    };
    let broken: [fn() -> Outcome; 2] = [broken_stream, silent];
    for broken in broken {
        let (transport, clock) = breaking(policy(), move |_| broken());
        for _ in 0..5 {
            assert!(stream(&transport, &Cancel::new()).is_err());
        }
        assert_eq!(open_for(&transport, &request()), Some(COOL_DOWN));
        clock.pass(COOL_DOWN);
        // The probe's head closes the circuit, its body takes that back.
        assert!(stream(&transport, &Cancel::new()).is_err());
        assert_eq!(open_for(&transport, &request()), Some(COOL_DOWN * 2));
    }
}

#[test]
fn a_stream_that_ends_well_ends_the_row() {
    let (transport, _) = breaking(policy(), |asked| match asked {
        4 => Ok(Answer::events(["a"])),
        _ => broken_stream(),
    });
    for asked in 0..9 {
        assert_eq!(stream(&transport, &Cancel::new()).is_ok(), asked == 4);
    }
    assert!(stream(&transport, &Cancel::new()).is_err());
    assert!(open_for(&transport, &request()).is_some());
}

#[test]
fn a_success_meanwhile_is_not_taken_back_by_a_stream_that_breaks_off() {
    let (transport, _) = breaking(policy(), |asked| match asked {
        4 => broken_stream(),
        5 => Ok(Answer::new(200)),
        _ => dead(),
    });
    fail(&transport, 4);
    let slow = transport.stream(&request(), &Cancel::new()).unwrap();
    assert_eq!(send(&transport, &request()).unwrap(), 200);
    assert!(slow.whole().is_err());
    fail(&transport, 3);
    assert!(matches!(send(&transport, &request()), Err(HttpError::Connect(_))));
    assert!(open_for(&transport, &request()).is_some());
}

#[test]
fn a_stream_that_is_cancelled_too_large_or_dropped_is_no_failure() {
    let (transport, _) = breaking(policy(), |asked| match asked % 3 {
        0 => broken_stream(),
        _ => Ok(Answer::new(200).pieces([Piece::Bytes(vec![b'x'; 100])])),
    });
    for _ in 0..9 {
        let cancel = Cancel::new();
        let answer = transport.stream(&request(), &cancel).unwrap();
        cancel.cancel();
        assert!(matches!(answer.whole(), Err(HttpError::Cancelled)));
        let small = transport.stream(&request().max_answer(9), &Cancel::new());
        assert!(matches!(
            small.and_then(StreamResponse::whole),
            Err(HttpError::TooLarge { .. })
        ));
        drop(transport.stream(&request(), &Cancel::new()).unwrap());
    }
}

#[test]
fn a_raised_signal_is_told_from_an_open_circuit() {
    let (transport, _) = breaking(policy(), |_| dead());
    fail(&transport, 5);
    let cancel = Cancel::new();
    cancel.cancel();
    let answer = transport.stream(&request(), &cancel);
    assert!(matches!(answer, Err(HttpError::Cancelled)));
}

struct NoPause;

impl Pacing for NoPause {
    fn wait(&self, _: Duration, _: &Cancel) {}

    fn random(&self) -> f64 {
        0.0
    }
}

#[test]
fn each_attempt_counts_and_an_open_circuit_is_not_tried_again() {
    let (transport, _) = breaking(policy(), |_| dead());
    let retries = RetryPolicy {
        max_retries: 99,
        ..RetryPolicy::default()
    };
    let transport = Arc::new(transport);
    let retrying = Retrying::paced(transport.clone(), retries, NoPause);
    assert!(matches!(
        retrying.send(&request()),
        Err(HttpError::CircuitOpen { .. })
    ));
    assert_eq!(transport.inner.requests().len(), 5);
    let streamed = retrying.stream(&request(), &Cancel::new());
    assert!(matches!(streamed, Err(HttpError::CircuitOpen { .. })));
    assert_eq!(transport.inner.requests().len(), 5);
}

#[test]
fn a_caller_in_a_hurry_opens_no_circuit() {
    let (transport, clock) = breaking(policy(), |_| Err(HttpError::Timeout));
    for _ in 0..20 {
        let late = send(&transport, &request().hurried());
        assert!(matches!(late, Err(HttpError::Timeout)));
    }
    fail(&transport, 5);
    assert!(open_for(&transport, &request()).is_some());
    clock.pass(policy().cool_down);
    let probe = send(&transport, &request().hurried());
    assert!(matches!(probe, Err(HttpError::Timeout)));
    // It said nothing, so that the next call is a probe too.
    assert_eq!(open_for(&transport, &request()), None);
}
