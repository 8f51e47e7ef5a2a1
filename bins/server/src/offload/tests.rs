use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};

use futures_util::FutureExt;

use super::*;
use crate::http::testing::{Backend, Parts};

fn offload(permits: usize, queue: usize, wait: Duration) -> Offload {
    let permits = Permits {
        store: permits,
        password: permits,
        upstream: permits,
        streams: permits,
        document_bytes: 12 << 10,
        watchers: 2,
        queue,
        wait,
    };
    Offload::new(Backend::new(Parts::default()).app, permits).unwrap()
}

/// Takes a permit of the class and holds it until the sender is used or dropped.
async fn hold(offload: &Offload, class: Class) -> (Sender<()>, tokio::task::JoinHandle<()>) {
    let (release, released) = channel::<()>();
    let (started, starting) = tokio::sync::oneshot::channel();
    let offload = offload.clone();
    let work = async move {
        let run = offload.run(class, move |_| {
            started.send(()).unwrap();
            // An error means that the sender was dropped, which releases too.
            let _ = released.recv();
        });
        run.await.unwrap();
    };
    let handle = actix_web::rt::spawn(work);
    starting.await.unwrap();
    (release, handle)
}

#[actix_web::test]
async fn work_runs_on_another_thread_and_gives_its_result() {
    let offload = offload(1, 0, Duration::ZERO);
    let here = std::thread::current().id();
    for class in [Class::Store, Class::Password, Class::Upstream, Class::Stream] {
        let there = offload.run(class, |_| std::thread::current().id()).await.unwrap();
        assert_ne!(there, here);
    }
}

#[actix_web::test]
async fn one_kind_of_work_does_not_starve_another() {
    let offload = offload(1, 0, Duration::ZERO);
    let (_release, _held) = hold(&offload, Class::Upstream).await;
    assert_eq!(
        offload.run(Class::Upstream, |_| ()).await,
        Err(OffloadError::Busy)
    );
    assert_eq!(offload.run(Class::Store, |_| ()).await, Ok(()));
    assert_eq!(offload.run(Class::Password, |_| ()).await, Ok(()));
    assert_eq!(offload.run(Class::Stream, |_| ()).await, Ok(()));
}

#[actix_web::test]
async fn a_stream_has_a_thread_that_is_used_again_and_that_no_other_work_gets() {
    let offload = offload(1, 0, Duration::ZERO);
    let name = || std::thread::current().name().map(str::to_owned);
    let id = || std::thread::current().id();
    let first = offload.run(Class::Stream, move |_| (name(), id())).await.unwrap();
    assert_eq!(first.0.as_deref(), Some("stream"));
    assert_eq!(
        offload.run(Class::Stream, move |_| (name(), id())).await.unwrap(),
        first
    );
    let other = offload.run(Class::Upstream, move |_| name()).await.unwrap();
    assert_ne!(other.as_deref(), Some("stream"));
}

#[actix_web::test]
async fn whoever_has_a_permit_of_a_stream_waits_outside_of_the_queue() {
    let offload = offload(1, 0, Duration::ZERO);
    let (release, held) = hold(&offload, Class::Store).await;
    let mut waiting = std::pin::pin!(offload.permit_unqueued(Class::Store));
    assert!(waiting.as_mut().now_or_never().is_none());
    assert_eq!(offload.run(Class::Store, |_| ()).await, Err(OffloadError::Busy));
    drop(release);
    held.await.unwrap();
    let permit = waiting.await.unwrap();
    assert_eq!(offload.run_with(permit, |_| 7).await, Ok(7));
}

#[actix_web::test]
async fn whoever_waits_gets_the_permit_that_is_given_back() {
    let offload = Arc::new(offload(1, 1, Duration::from_mins(10)));
    let (release, held) = hold(&offload, Class::Store).await;
    let mut waiting = std::pin::pin!(offload.run(Class::Store, |_| 7));
    assert!(waiting.as_mut().now_or_never().is_none());
    // The one place in the queue is taken.
    assert_eq!(offload.run(Class::Store, |_| ()).await, Err(OffloadError::Busy));
    drop(release);
    held.await.unwrap();
    assert_eq!(waiting.await, Ok(7));
}

#[actix_web::test]
async fn nobody_waits_for_ever() {
    let offload = offload(1, 8, Duration::from_millis(1));
    let (_release, _held) = hold(&offload, Class::Password).await;
    assert_eq!(
        offload.run(Class::Password, |_| ()).await,
        Err(OffloadError::Busy)
    );
}

#[actix_web::test]
async fn whoever_stops_waiting_leaves_the_queue() {
    let offload = offload(1, 1, Duration::from_mins(10));
    let (release, held) = hold(&offload, Class::Store).await;
    {
        let mut waiting = std::pin::pin!(offload.run(Class::Store, |_| ()));
        assert!(waiting.as_mut().now_or_never().is_none());
    }
    let mut next = std::pin::pin!(offload.run(Class::Store, |_| ()));
    assert!(next.as_mut().now_or_never().is_none(), "the place was free");
    drop(release);
    held.await.unwrap();
    assert_eq!(next.await, Ok(()));
}

#[actix_web::test]
async fn a_panic_is_an_error_and_frees_the_permit() {
    let offload = offload(1, 0, Duration::ZERO);
    for _ in 0..3 {
        let panicked = offload.run(Class::Store, |_| panic!("on purpose")).await;
        assert_eq!(panicked, Err::<(), _>(OffloadError::Panicked));
    }
    assert_eq!(offload.run(Class::Store, |_| ()).await, Ok(()));
}

#[actix_web::test]
async fn a_permit_is_held_until_the_work_ends_also_when_nobody_waits_for_it() {
    let offload = offload(1, 1, Duration::from_mins(10));
    let (release, held) = hold(&offload, Class::Upstream).await;
    held.abort();
    let mut next = std::pin::pin!(offload.run(Class::Upstream, |_| ()));
    assert!(next.as_mut().now_or_never().is_none());
    drop(release);
    assert_eq!(next.await, Ok(()));
}

fn tenant(id: &str) -> TenantId {
    TenantId::parse(id).unwrap()
}

#[actix_web::test]
async fn a_tenant_has_at_most_half_of_the_memory_for_documents() {
    let offload = offload(1, 0, Duration::ZERO);
    let (acme, globex) = (tenant("acme"), tenant("globex"));
    let four = offload.room(&acme, 4 << 10).await.unwrap();
    assert_eq!(
        offload.room(&acme, 3 << 10).await.unwrap_err(),
        OffloadError::Busy
    );
    let two = offload.room(&acme, (1 << 10) + 1).await.unwrap();
    assert_eq!(offload.room(&acme, 0).await.unwrap_err(), OffloadError::Busy);
    // The half of another tenant is not touched; what is larger than a half is a half.
    let half = offload.room(&globex, 1 << 30).await.unwrap();
    assert_eq!(offload.room(&globex, 1).await.unwrap_err(), OffloadError::Busy);
    assert_eq!(
        offload.room(&tenant("initech"), 1).await.unwrap_err(),
        OffloadError::Busy
    );
    drop((four, two));
    let _initech = offload.room(&tenant("initech"), 6 << 10).await.unwrap();
    drop(half);
    let _acme = offload.room(&acme, 6 << 10).await.unwrap();
}

#[actix_web::test]
async fn jobs_are_watched_by_a_bounded_number_at_once() {
    let offload = offload(1, 0, Duration::ZERO);
    let watcher = offload.watcher(&tenant("acme")).await.unwrap();
    assert_eq!(
        offload.watcher(&tenant("acme")).await.unwrap_err(),
        OffloadError::Busy
    );
    let _other = offload.watcher(&tenant("globex")).await.unwrap();
    drop(watcher);
    let _again = offload.watcher(&tenant("acme")).await.unwrap();
}

#[test]
fn the_permits_of_a_default_fit_a_workers_threads() {
    let permits = Permits::default();
    assert_eq!(
        permits.threads(),
        permits.store + permits.password + permits.upstream
    );
    assert!(permits.threads() < 512);
}
