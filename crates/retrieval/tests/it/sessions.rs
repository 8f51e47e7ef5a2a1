//! Sessions go on with refresh tokens that are good once, and end.

use std::sync::Arc;
use std::time::Duration;

use secrecy::ExposeSecret;
use tenantry_domain::{Actor, SessionId, User};
use tenantry_retrieval::{
    Client, Credential, LoggedIn, RefreshError, ResolveError, Resolver, UserUpdate, WhichSession,
};
use tenantry_tenant_store::testing::unavailable;

use crate::support::{PASSWORD, SESSION, World};

fn world() -> (World, User) {
    let world = World::new();
    let acme = world.tenant("acme");
    let ada = world.user("ada@example.org", Some(&acme));
    (world, ada)
}

fn log_in(world: &World) -> LoggedIn {
    world.log_in("ada@example.org", PASSWORD).unwrap()
}

fn refresh(world: &World, of: &LoggedIn) -> Result<LoggedIn, RefreshError> {
    world.sessions.refresh(&of.refresh_token, &Client::default())
}

fn is_out(world: &World, logged_in: &LoggedIn) -> bool {
    let access = matches!(world.holder(logged_in), Err(ResolveError::Unauthenticated));
    let refresh = matches!(refresh(world, logged_in), Err(RefreshError::Refused));
    assert_eq!(access, refresh, "both kinds of token end together");
    access
}

#[test]
fn a_refresh_token_gives_the_next_one_and_the_session_goes_on() {
    let (world, ada) = world();
    let first = log_in(&world);
    world.clock.advance(Duration::from_hours(1));
    let next = refresh(&world, &first).unwrap();
    assert_eq!((next.session.id, next.user.id), (first.session.id, ada.id));
    assert_eq!(
        next.session.expires_at, first.session.expires_at,
        "it does not grow longer"
    );
    assert_eq!(next.session.used_at, world.now());
    assert_ne!(
        next.refresh_token.expose_secret(),
        first.refresh_token.expose_secret()
    );
    assert!(world.holder(&next).is_ok() && refresh(&world, &next).is_ok());
}

#[test]
fn a_refresh_token_that_is_used_again_ends_its_session_at_once_and_no_other() {
    let (world, _) = world();
    let (stolen, other) = (log_in(&world), log_in(&world));
    let thief = refresh(&world, &stolen).unwrap();
    assert!(world.holder(&thief).is_ok());
    assert!(matches!(refresh(&world, &stolen), Err(RefreshError::Refused)));
    assert!(is_out(&world, &thief) && is_out(&world, &stolen));
    assert!(world.holder(&other).is_ok());
    assert!(refresh(&world, &other).is_ok());
}

#[test]
fn what_is_no_refresh_token_is_refused_and_reaches_no_store() {
    let (world, _) = world();
    let token = log_in(&world).refresh_token;
    let token = token.expose_secret();
    world.store.fail_when(|_| Some(unavailable()));
    for text in [
        "",
        "tnr_",
        &token[..46],
        &token.replace("tnr_", "tnp_"),
        &format!("{token}a"),
    ] {
        let refused = world.sessions.refresh(&text.into(), &Client::default());
        assert!(matches!(refused, Err(RefreshError::Refused)), "{text}");
    }
    world.store.heal();
    let unknown = format!("tnr_{}", "A".repeat(43));
    let refused = world.sessions.refresh(&unknown.into(), &Client::default());
    assert!(matches!(refused, Err(RefreshError::Refused)));
}

#[test]
fn a_session_ends_with_its_time_however_often_it_is_refreshed() {
    let (world, _) = world();
    let mut latest = log_in(&world);
    for _ in 0..29 {
        world.clock.advance(Duration::from_hours(24));
        latest = refresh(&world, &latest).unwrap();
    }
    world.clock.advance(Duration::from_hours(24));
    assert_eq!(world.now(), latest.session.expires_at);
    assert!(is_out(&world, &latest));
    assert_eq!(SESSION, Duration::from_hours(30 * 24));
}

#[test]
fn sessions_are_listed_with_the_latest_first_and_ended_one_by_one() {
    let (world, _) = world();
    let first = log_in(&world);
    world.clock.advance(Duration::from_secs(1));
    let second = log_in(&world);
    let holder = world.holder(&second).unwrap();
    let listed = || -> Vec<SessionId> {
        let all = world.sessions.list(&holder).unwrap();
        all.into_iter().map(|session| session.id).collect()
    };
    assert_eq!(listed(), [second.session.id, first.session.id]);
    assert!(
        world
            .sessions
            .end(&holder, WhichSession::Id(first.session.id))
            .unwrap()
    );
    assert!(is_out(&world, &first));
    assert!(
        !world
            .sessions
            .end(&holder, WhichSession::Id(first.session.id))
            .unwrap()
    );
    assert!(world.sessions.end(&holder, WhichSession::Current).unwrap());
    assert!(is_out(&world, &second) && listed().is_empty());
}

#[test]
fn nobody_sees_or_ends_the_sessions_of_others() {
    let (world, _) = world();
    let ada = log_in(&world);
    world.user("bo@example.org", None);
    let bo = world.log_in("bo@example.org", PASSWORD).unwrap();
    let holder = world.holder(&bo).unwrap();
    assert_eq!(world.sessions.list(&holder).unwrap().len(), 1);
    assert!(
        !world
            .sessions
            .end(&holder, WhichSession::Id(ada.session.id))
            .unwrap()
    );
    world.sessions.end_all(&holder).unwrap();
    assert!(world.holder(&ada).is_ok() && is_out(&world, &bo));
}

#[test]
fn logging_out_ends_every_session_of_the_user() {
    let (world, _) = world();
    let all = [log_in(&world), log_in(&world), log_in(&world)];
    world.sessions.end_all(&world.holder(&all[0]).unwrap()).unwrap();
    assert!(all.iter().all(|one| is_out(&world, one)));
    assert!(world.holder(&log_in(&world)).is_ok());
}

#[test]
fn whatever_changes_what_a_user_may_ends_their_sessions() {
    let changes: [(&str, UserUpdate); 5] = [
        (
            "state",
            UserUpdate {
                is_active: Some(false),
                ..UserUpdate::default()
            },
        ),
        (
            "role",
            UserUpdate {
                role: Some(tenantry_domain::Role::Admin),
                ..UserUpdate::default()
            },
        ),
        (
            "rank",
            UserUpdate {
                is_superuser: Some(true),
                ..UserUpdate::default()
            },
        ),
        (
            "tenant",
            UserUpdate {
                tenant: Some(None),
                ..UserUpdate::default()
            },
        ),
        (
            "password",
            UserUpdate {
                password: Some("another horse battery".into()),
                ..UserUpdate::default()
            },
        ),
    ];
    for (what, update) in changes {
        let (world, ada) = world();
        let logged_in = log_in(&world);
        world
            .accounts
            .update(&world.root, ada.id, update)
            .unwrap()
            .unwrap();
        assert!(is_out(&world, &logged_in), "{what}");
    }
    let (world, ada) = world();
    let logged_in = log_in(&world);
    world
        .accounts
        .update(&world.root, ada.id, UserUpdate::default())
        .unwrap();
    assert!(world.holder(&logged_in).is_ok(), "nothing was changed");
}

#[test]
fn a_session_that_ended_here_ends_elsewhere_within_a_second() {
    let (world, _) = world();
    let logged_in = log_in(&world);
    let elsewhere = Arc::new(Resolver::new(
        world.store.clone(),
        world.store.clone(),
        world.clock.clone(),
    ));
    let credential = Credential::Token(logged_in.claims());
    let origin = Actor::system().origin;
    elsewhere.caller(&credential, &origin).unwrap();
    world
        .sessions
        .end(&world.holder(&logged_in).unwrap(), WhichSession::Current)
        .unwrap();
    assert!(
        matches!(world.holder(&logged_in), Err(ResolveError::Unauthenticated)),
        "here at once"
    );
    world.clock.advance(Duration::from_secs(1));
    assert!(matches!(
        elsewhere.caller(&credential, &origin),
        Err(ResolveError::Unauthenticated)
    ));
}

#[test]
fn debug_shows_no_token() {
    let (world, _) = world();
    let logged_in = log_in(&world);
    let shown = format!("{logged_in:?} {:?} {:?}", world.sessions, world.log_ins);
    assert!(!shown.contains("tnr_") && !shown.contains("$memory$"), "{shown}");
}
