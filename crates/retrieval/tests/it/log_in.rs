//! Logging in: what is told, what it takes, and who has to wait.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tenantry_crypto::{Password, PasswordError, PasswordHasher, Verdict};
use tenantry_domain::{AuditAction, AuditEntry, LoginMethod, Page, PasswordHash, Principal, RequestOrigin};
use tenantry_retrieval::{
    AccountParts, Client, LogIns, LoggedIn, LoginError, RegisterError, Sessions, TooManyAttempts, UserUpdate,
};
use tenantry_tenant_store::testing::unavailable;
use tenantry_tenant_store::{AuditFilter, AuditLog, AuditStore, SessionStore};

use crate::support::{PASSWORD, SESSION, World};

const HOME: &str = "192.0.2.7";
const ELSEWHERE: &str = "203.0.113.9";

fn client(address: &str) -> Client {
    Client {
        origin: RequestOrigin {
            request: Some("r1".into()),
            address: Some(address.parse().unwrap()),
        },
        name: Some("curl/8.5".into()),
    }
}

fn from(world: &World, address: &str, password: &str) -> Result<LoggedIn, LoginError> {
    world
        .log_ins
        .log_in("ada@example.org", &password.into(), &client(address))
}

/// Fails so often from there that the next attempt has to wait, and says how long.
fn exhaust(world: &World, address: &str) -> Duration {
    for _ in 0..100 {
        if let Err(LoginError::TooMany(TooManyAttempts { wait })) = from(world, address, "wrong password!") {
            return wait;
        }
    }
    panic!("nobody had to wait");
}

fn entries(world: &World, log: AuditLog) -> Vec<AuditEntry> {
    let filter = AuditFilter {
        log: Some(log),
        action: Some(AuditAction::LoginFailed),
        ..AuditFilter::default()
    };
    world.store.inner().audit(&filter, Page::default()).unwrap().items
}

/// Notes each verification, and whether there was a hash to verify against.
struct Noting {
    inner: Arc<dyn PasswordHasher>,
    steps: Arc<Mutex<Vec<String>>>,
}

impl PasswordHasher for Noting {
    fn hash(&self, password: &Password) -> Result<PasswordHash, PasswordError> {
        self.steps.lock().unwrap().push("hash".into());
        self.inner.hash(password)
    }

    fn verify(&self, password: &Password, hash: Option<&PasswordHash>) -> Result<Verdict, PasswordError> {
        self.steps.lock().unwrap().push("verify".into());
        self.inner.verify(password, hash)
    }
}

#[test]
fn an_unknown_account_takes_the_same_steps_as_a_wrong_password() {
    let world = World::new();
    let acme = world.tenant("acme");
    world.user("ada@example.org", Some(&acme));
    let off = world.user("off@example.org", Some(&acme));
    let inactive = UserUpdate {
        is_active: Some(false),
        ..UserUpdate::default()
    };
    world.accounts.update(&world.root, off.id, inactive).unwrap();
    let steps = Arc::new(Mutex::new(Vec::new()));
    let parts = AccountParts {
        hasher: Arc::new(Noting {
            inner: world.hasher.clone(),
            steps: steps.clone(),
        }),
        ..world.account_parts.clone()
    };
    let log_ins = LogIns::new(parts.clone(), Arc::new(Sessions::new(parts, SESSION)));
    let noted = steps.clone();
    world.store.fail_when(move |method| {
        noted.lock().unwrap().push(method.to_owned());
        None
    });
    let mut taken = Vec::new();
    for email in [
        "warm@example.org",
        "nobody@example.org",
        "ada@example.org",
        "off@example.org",
    ] {
        steps.lock().unwrap().clear();
        let refused = log_ins.log_in(email, &"wrong password!".into(), &client(HOME));
        assert!(matches!(refused, Err(LoginError::Refused)), "{email}");
        taken.push(steps.lock().unwrap().clone());
    }
    // The first one ever also removes what is forgotten.
    taken.remove(0);
    assert!(taken[0].contains(&"verify".to_owned()) && taken[0].contains(&"record".to_owned()));
    assert_eq!(taken[0], taken[1]);
    assert_eq!(taken[0], taken[2]);
}

#[test]
fn a_log_in_begins_a_session_that_knows_where_it_came_from() {
    let world = World::new();
    let acme = world.tenant("acme");
    let ada = world.user("ada@example.org", Some(&acme));
    let logged_in = from(&world, HOME, PASSWORD).unwrap();
    let session = &logged_in.session;
    assert_eq!((session.user, session.method), (ada.id, LoginMethod::Password));
    assert_eq!(session.client.as_deref(), Some("curl/8.5"));
    assert_eq!(session.address, Some(HOME.parse().unwrap()));
    assert_eq!(
        session.expires_at.unix_seconds(),
        world.now().unix_seconds() + 30 * 86_400
    );
    let claims = logged_in.claims();
    assert_eq!((claims.user, claims.session), (ada.id, Some(session.id)));
    assert_eq!(
        (claims.tenant, claims.token_version),
        (Some(acme), ada.token_version)
    );
    assert!(world.holder(&logged_in).is_ok());
}

#[test]
fn a_failure_is_entered_where_the_account_belongs() {
    let world = World::new();
    let acme = world.tenant("acme");
    let ada = world.user("ada@example.org", Some(&acme));
    from(&world, HOME, "wrong password!").unwrap_err();
    for email in ["nobody@example.org", "no address, but a secret"] {
        world
            .log_ins
            .log_in(email, &"wrong password!".into(), &client(HOME))
            .unwrap_err();
    }
    let known = entries(&world, AuditLog::Tenant(acme));
    assert_eq!(known.len(), 1);
    assert_eq!(known[0].target, Some(("user".into(), ada.id.to_string())));
    assert_eq!(known[0].details["account"], "ada@example.org");
    assert_eq!(known[0].actor.principal, Principal::Anonymous);
    assert_eq!(known[0].actor.origin, client(HOME).origin);
    let mut unknown = entries(&world, AuditLog::Platform);
    unknown.sort_by_key(|entry| entry.number);
    assert_eq!(unknown.len(), 2);
    assert_eq!(unknown[0].details["account"], "nobody@example.org");
    assert!(unknown[1].details.is_empty() && unknown[1].target.is_none());
    assert!(!format!("{known:?} {unknown:?}").contains("wrong password"));
}

#[test]
fn whoever_fails_again_and_again_waits_longer_each_time_and_never_for_good() {
    let world = World::new();
    world.user("ada@example.org", None);
    let first = exhaust(&world, HOME);
    assert_eq!(first, Duration::from_secs(1));
    assert!(
        matches!(from(&world, HOME, PASSWORD), Err(LoginError::TooMany(_))),
        "the right one waits too"
    );
    let mut waits = vec![first];
    for _ in 0..12 {
        world.clock.advance(waits[waits.len() - 1]);
        from(&world, HOME, "wrong password!").unwrap_err();
        waits.push(exhaust(&world, HOME));
    }
    assert!(waits.windows(2).all(|pair| pair[0] <= pair[1]), "{waits:?}");
    assert_eq!(waits[1], Duration::from_secs(2));
    assert_eq!(waits.last(), Some(&Duration::from_mins(15)));
    world.clock.advance(Duration::from_mins(15));
    assert!(from(&world, HOME, PASSWORD).is_ok(), "the owner gets in at last");
    assert!(from(&world, HOME, "wrong password!").is_err_and(|error| matches!(error, LoginError::Refused)));
}

#[test]
fn an_unknown_account_has_to_wait_just_like_a_known_one() {
    let world = World::new();
    world.user("ada@example.org", None);
    let waits = ["ada@example.org", "nobody@example.org"].map(|email| {
        let mut told = Vec::new();
        for _ in 0..15 {
            let refused = world
                .log_ins
                .log_in(email, &"wrong password!".into(), &Client::default());
            told.push(refused.unwrap_err().to_string());
        }
        told
    });
    assert_eq!(waits[0], waits[1]);
    assert!(waits[0].last().unwrap().contains("too many"), "{waits:?}");
}

#[test]
fn one_account_is_one_however_its_address_is_written() {
    let world = World::new();
    world.user("ada@example.org", None);
    exhaust(&world, HOME);
    let refused = world
        .log_ins
        .log_in("ADA@example.ORG", &PASSWORD.into(), &client(ELSEWHERE));
    assert!(matches!(refused, Err(LoginError::TooMany(_))));
}

#[test]
fn whoever_tries_many_accounts_from_one_address_waits_too() {
    let world = World::new();
    world.user("ada@example.org", None);
    let refused = |number: u32| {
        let email = format!("user{number}@example.org");
        let tried = world
            .log_ins
            .log_in(&email, &"wrong password!".into(), &client(ELSEWHERE));
        tried.unwrap_err()
    };
    assert!((0..30).all(|number| matches!(refused(number), LoginError::Refused)));
    refused(30);
    assert!(matches!(refused(31), LoginError::TooMany(_)));
    assert!(matches!(
        from(&world, ELSEWHERE, PASSWORD),
        Err(LoginError::TooMany(_))
    ));
    assert!(from(&world, HOME, PASSWORD).is_ok(), "elsewhere nobody waits");
}

#[test]
fn logging_in_oneself_in_between_does_not_let_others_be_tried_for_ever() {
    let world = World::new();
    world.user("ada@example.org", None);
    world.user("eve@example.org", None);
    let own = |address| {
        world
            .log_ins
            .log_in("eve@example.org", &PASSWORD.into(), &client(address))
    };
    let mut tried = 0;
    let throttled = (0..100).any(|number| {
        // An account of one's own from the same address, but not logged in there.
        let _ = own(ELSEWHERE).map(|in_| world.sessions.end_all(&world.holder(&in_).unwrap()).unwrap());
        tried = number;
        let email = format!("user{number}@example.org");
        let refused = world
            .log_ins
            .log_in(&email, &"wrong password!".into(), &client(ELSEWHERE));
        matches!(refused, Err(LoginError::TooMany(_)))
    });
    assert!(throttled && tried < 40, "{tried}");
}

#[test]
fn strangers_cannot_lock_out_who_is_logged_in_where_they_sit() {
    let world = World::new();
    world.user("ada@example.org", None);
    let here = from(&world, HOME, PASSWORD).unwrap();
    exhaust(&world, ELSEWHERE);
    assert!(matches!(
        from(&world, ELSEWHERE, PASSWORD),
        Err(LoginError::TooMany(_))
    ));
    assert!(from(&world, HOME, PASSWORD).is_ok());
    exhaust(&world, HOME);
    assert!(
        matches!(from(&world, HOME, PASSWORD), Err(LoginError::TooMany(_))),
        "nor may they guess on"
    );
    world.clock.advance(Duration::from_mins(15));
    world.sessions.end_all(&world.holder(&here).unwrap()).unwrap();
    exhaust(&world, ELSEWHERE);
    assert!(
        matches!(from(&world, HOME, PASSWORD), Err(LoginError::TooMany(_))),
        "not known here any more"
    );
}

#[test]
fn an_attempt_that_we_failed_counts_for_nobody() {
    let world = World::new();
    world.user("ada@example.org", None);
    for _ in 0..50 {
        world
            .store
            .fail_when(|method| (method == "begin_session").then(unavailable));
        assert!(matches!(from(&world, HOME, PASSWORD), Err(LoginError::Store(_))));
    }
    world.store.heal();
    assert!(from(&world, HOME, PASSWORD).is_ok());
}

#[test]
fn who_was_changed_while_logging_in_does_not_get_in() {
    let world = World::new();
    let ada = world.user("ada@example.org", None);
    // Between the look at the password and the session: the store decides once more.
    let parts = AccountParts {
        hasher: Arc::new(Deactivating(world.account_parts.clone(), ada.id)),
        ..world.account_parts.clone()
    };
    let log_ins = LogIns::new(parts.clone(), Arc::new(Sessions::new(parts, SESSION)));
    let refused = log_ins.log_in("ada@example.org", &PASSWORD.into(), &client(HOME));
    assert!(matches!(refused, Err(LoginError::Refused)));
    assert!(
        world
            .store
            .inner()
            .sessions(ada.id, world.now())
            .unwrap()
            .is_empty()
    );
}

/// Deactivates the user while their password is verified.
struct Deactivating(AccountParts, tenantry_domain::UserId);

impl PasswordHasher for Deactivating {
    fn hash(&self, password: &Password) -> Result<PasswordHash, PasswordError> {
        self.0.hasher.hash(password)
    }

    fn verify(&self, password: &Password, hash: Option<&PasswordHash>) -> Result<Verdict, PasswordError> {
        let change = tenantry_tenant_store::UserChange {
            is_active: Some(false),
            ..tenantry_tenant_store::UserChange::default()
        };
        let now = self.0.clock.now();
        self.0.users.update_user(self.1, &change, now).unwrap().unwrap();
        self.0.hasher.verify(password, hash)
    }
}

#[test]
fn accounts_are_not_made_by_the_hundred() {
    let world = World::new();
    let register = |number: u32, address: &str| {
        let email = format!("new{number}@example.org");
        world.accounts.register(&email, PASSWORD.into(), &client(address))
    };
    for number in 0..=30 {
        register(number, HOME).unwrap();
    }
    assert!(matches!(register(31, HOME), Err(RegisterError::TooMany(_))));
    assert!(register(31, ELSEWHERE).is_ok());
    assert!(
        world
            .log_ins
            .log_in("new1@example.org", &PASSWORD.into(), &client(HOME))
            .is_ok(),
        "nobody has to wait with a log-in because of it"
    );
}

#[test]
fn what_is_forgotten_is_removed_from_the_store() {
    let world = World::new();
    exhaust(&world, HOME);
    world.clock.advance(Duration::from_hours(25));
    let removed = Arc::new(Mutex::new(0));
    let count = removed.clone();
    world.store.fail_when(move |method| {
        *count.lock().unwrap() += u32::from(method == "forget_attempts");
        None
    });
    for _ in 0..3 {
        from(&world, HOME, "wrong password!").unwrap_err();
    }
    assert_eq!(*removed.lock().unwrap(), 1, "once in a while, and not each time");
}
