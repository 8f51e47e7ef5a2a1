//! What every [`AuditStore`] must do, beside the other stores of the same records, which enter in it what they change.
#![expect(clippy::unwrap_used, reason = "an obligation panics where the store fails it")]

use std::collections::BTreeMap;

use tenantry_domain::{
    Actor, ApiKeyId, AuditAction, AuditEntry, AuditEvent, AuditHash, JobId, LlmProvider, Page, PasswordHash,
    Principal, RequestOrigin, Role, Tenant, TenantScope, User, UserId,
};

use super::chat::{self, ChatStore};
use super::samples::{at, full_chat, full_tenant, full_user, scope, secret, tenant, tenant_id, user};
use super::work::{RecordStore, again, claim, submission, submit, take_in};
use crate::{
    AuditFilter, AuditHead, AuditLog, AuditStore, MessageTarget, StoreError, TenantChange, UserChange,
    UserStore, audit_hash,
};

/// Every trait of a store that enters in its audit log what is done, on the same records.
pub trait AuditedStore: RecordStore + UserStore + AuditStore {}

impl<S: RecordStore + UserStore + AuditStore> AuditedStore for S {}

pub(super) fn log(id: &str) -> AuditLog {
    AuditLog::Tenant(tenant_id(id))
}

/// A user who asks from somewhere.
fn somebody() -> Actor {
    Actor {
        principal: Principal::User(UserId::generate(at(0))),
        origin: RequestOrigin {
            request: Some("0199-\"é\"'".into()),
            address: Some("2001:db8::7".parse().unwrap()),
        },
    }
}

fn event(action: AuditAction) -> AuditEvent {
    AuditEvent::new(action)
        .on("user", "u-1")
        .with("role", "member to admin")
}

fn record<S: AuditStore>(store: &S, log: &AuditLog, action: AuditAction, seconds: i64) {
    store
        .record(log, &Actor::system(), &event(action), at(seconds))
        .unwrap();
}

/// All entries of a log in its order, which is checked.
fn entries<S: AuditStore>(store: &S, log: &AuditLog) -> Vec<AuditEntry> {
    let entries = store.audit_after(log, 0, u16::MAX).unwrap();
    let mut head = AuditHead::START;
    for entry in &entries {
        assert_eq!(entry.tenant.as_ref(), log.tenant());
        assert_eq!((entry.number, entry.previous), (head.number + 1, head.hash));
        assert_eq!(entry.hash, audit_hash(entry));
        head = AuditHead {
            number: entry.number,
            hash: entry.hash,
        };
    }
    assert_eq!(store.audit_head(log).unwrap(), head);
    entries
}

/// What a log says, as `user.changed user 0199... role=member to admin`.
pub(super) fn told<S: AuditStore>(store: &S, log: &AuditLog) -> Vec<String> {
    let entries = entries(store, log);
    let tell = |entry: AuditEntry| {
        let mut text = entry.action.to_string();
        if let Some((kind, id)) = entry.target {
            text = format!("{text} {kind} {id}");
        }
        let details = entry
            .details
            .into_iter()
            .map(|(name, value)| format!(" {name}={value}"));
        text + &details.collect::<String>()
    };
    entries.into_iter().map(tell).collect()
}

/// An entry is read back as it was made, with nothing or everything set, and ends with its hash.
pub fn an_entry_is_read_back_as_it_was_made<S: AuditStore>(store: &S) {
    let key = Principal::ApiKey(ApiKeyId::generate(at(0)));
    let from_v4 = RequestOrigin {
        request: Some(String::new()),
        address: Some("192.0.2.9".parse().unwrap()),
    };
    let made = [
        (Actor::system(), AuditEvent::new(AuditAction::LoginFailed)),
        (Actor::of(Principal::Operator), event(AuditAction::UserChanged)),
        (
            Actor::of(Principal::Anonymous),
            event(AuditAction::LoggedIn).with("x", ""),
        ),
        (
            somebody(),
            event(AuditAction::LoggedIn).with("a", "\"é\\\n\u{1F989}'"),
        ),
        (
            Actor {
                principal: key,
                origin: from_v4,
            },
            AuditEvent::new(AuditAction::ApiKeyRotated).on("", ""),
        ),
    ];
    for (place, (actor, event)) in made.iter().enumerate() {
        let seconds = i64::try_from(place).unwrap() - 2;
        store.record(&log("acme"), actor, event, at(seconds)).unwrap();
        let read = entries(store, &log("acme")).pop().unwrap();
        let texts = |(name, value): (&&str, &String)| ((*name).to_owned(), value.clone());
        let wanted = AuditEntry {
            tenant: Some(tenant_id("acme")),
            number: u64::try_from(place).unwrap() + 1,
            at: at(seconds),
            actor: actor.clone(),
            action: event.action,
            target: event.target.clone().map(|(kind, id)| (kind.to_owned(), id)),
            details: event.details.iter().map(texts).collect(),
            previous: read.previous,
            hash: audit_hash(&read),
        };
        assert_eq!(read, wanted);
    }
    let listed = store.audit(&AuditFilter::default(), Page::default()).unwrap();
    let mut listed = listed.items;
    listed.reverse();
    assert_eq!(listed, entries(store, &log("acme")));
}

/// Text that a database cannot keep is entered all the same, without what it cannot keep.
pub fn no_text_keeps_an_entry_out<S: AuditStore>(store: &S) {
    let mut actor = somebody();
    actor.origin.request = Some(format!("a\0b{}", "x".repeat(10_000)));
    let event = AuditEvent::new(AuditAction::LoggedIn)
        .on("user", "a\0b")
        .with("c", "\0".repeat(5_000));
    store.record(&AuditLog::Platform, &actor, &event, at(0)).unwrap();
    let entry = entries(store, &AuditLog::Platform).pop().unwrap();
    assert_eq!(entry.target, Some(("user".into(), "a\u{fffd}b".into())));
    assert_eq!(
        entry.details,
        BTreeMap::from([("c".into(), "\u{fffd}".repeat(1_000))])
    );
    let request = entry.actor.origin.request.unwrap();
    assert!(
        request.starts_with("a\u{fffd}bxx") && request.chars().count() == 200,
        "{request}"
    );
}

/// Each log has its own numbers and its own chain, and pieces of it follow each other.
pub fn entries_of_a_log_follow_each_other<S: AuditStore>(store: &S) {
    let logs = [AuditLog::Platform, log("acme"), log("acme2")];
    for (place, log) in logs.iter().enumerate() {
        assert_eq!(store.audit_head(log).unwrap(), AuditHead::START);
        for _ in 0..=place {
            record(store, log, AuditAction::LoggedIn, 0);
        }
    }
    for (place, log) in logs.iter().enumerate() {
        assert_eq!(entries(store, log).len(), place + 1, "{log}");
    }
    let all = entries(store, &log("acme2"));
    let mut pieces = Vec::new();
    while let Some(entry) = store
        .audit_after(&log("acme2"), u64::try_from(pieces.len()).unwrap(), 1)
        .unwrap()
        .pop()
    {
        pieces.push(entry);
    }
    assert_eq!(pieces, all);
    assert_eq!(store.audit_after(&log("acme2"), u64::MAX, 9).unwrap(), []);
    assert_eq!(all.first().unwrap().previous, AuditHash::START);
}

/// Of entries that are made at once each has its number and its place in the chain, also of those that belong to two logs.
pub fn entries_made_at_once_leave_no_gap<S: AuditedStore>(store: &S) {
    for id in ["acme", "globex"] {
        store.create_tenant(&tenant(id), &Actor::system()).unwrap();
    }
    let movers: Vec<_> = (0..4).map(|n| user(&format!("user{n}@example.org"))).collect();
    for mover in &movers {
        store.create_user(mover, &Actor::system()).unwrap();
    }
    std::thread::scope(|threads| {
        for (place, mover) in movers.iter().enumerate() {
            threads.spawn(move || {
                for round in 0..6 {
                    let there = if (round + place) % 2 == 0 {
                        "acme"
                    } else {
                        "globex"
                    };
                    let change = UserChange {
                        tenant: Some(Some(tenant_id(there))),
                        ..UserChange::default()
                    };
                    store.update_user(mover.id, &change, at(9)).unwrap().unwrap();
                    record(store, &log("acme"), AuditAction::LoggedIn, 9);
                }
            });
        }
    });
    // Each user joins once from nowhere, and then goes to and fro five times.
    let [acme, globex] = ["acme", "globex"].map(|id| entries(store, &log(id)).len());
    assert_eq!(acme + globex, 2 + 4 * (1 + 5 * 2) + 4 * 6);
    assert_eq!(entries(store, &AuditLog::Platform).len(), 4 + 4);
}

/// Entries are listed the latest first, those of one moment by log and the highest number first, cut into pages, with the total.
pub fn entries_are_listed_latest_first_in_pages_with_the_total<S: AuditStore>(store: &S) {
    let made = [
        ("b", 5),
        ("a", 5),
        ("-", 7),
        ("a", 5),
        ("-", 5),
        ("a-b", 5),
        ("b", 4),
        ("a", 6),
    ];
    for (log, seconds) in made {
        record(store, &log.parse().unwrap(), AuditAction::LoggedIn, seconds);
    }
    let ordered = [
        ("-", 1),
        ("a", 3),
        ("-", 2),
        ("a", 2),
        ("a", 1),
        ("a-b", 1),
        ("b", 1),
        ("b", 2),
    ];
    let mut listed = Vec::new();
    let mut page = Page::new(3, 0).unwrap();
    while listed.len() < ordered.len() {
        let some = store.audit(&AuditFilter::default(), page).unwrap();
        assert_eq!(some.total, 8);
        assert!(!some.items.is_empty());
        listed.extend(some.items);
        page = Page::new(3, u32::try_from(listed.len()).unwrap()).unwrap();
    }
    let listed: Vec<_> = listed
        .iter()
        .map(|entry| (AuditLog::of(entry.tenant.as_ref()).to_string(), entry.number))
        .collect();
    assert_eq!(listed, ordered.map(|(log, number)| (log.to_owned(), number)));
}

/// A list can be read piece by piece, without losing or repeating an entry, while others are added at its beginning.
pub fn a_list_of_entries_is_read_piece_by_piece<S: AuditStore>(store: &S) {
    let logs = ["b", "a", "-", "a", "-", "a-b", "b", "a"];
    let made = logs.into_iter().zip([5, 5, 7, 5, 5, 5, 4, 6]);
    for (log, seconds) in made {
        record(store, &log.parse().unwrap(), AuditAction::LoggedIn, seconds);
    }
    for log in [None, Some(log("a"))] {
        let filter = AuditFilter {
            log,
            ..AuditFilter::default()
        };
        let all = store.audit(&filter, Page::default()).unwrap().items;
        assert!(all.len() > 2);
        for limit in [1, 2, 100] {
            let mut read: Vec<AuditEntry> = Vec::new();
            loop {
                let piece = store.audit_next(&filter, read.last(), limit).unwrap();
                if piece.is_empty() {
                    break;
                }
                assert!(piece.len() <= usize::from(limit));
                read.extend(piece);
                record(store, &AuditLog::Platform, AuditAction::LoginFailed, 100);
            }
            read.retain(|entry| entry.at < at(100));
            assert_eq!(
                read,
                all.iter()
                    .filter(|entry| entry.at < at(100))
                    .cloned()
                    .collect::<Vec<_>>()
            );
        }
    }
    let nul = AuditFilter {
        actor: Some("\0".into()),
        ..AuditFilter::default()
    };
    assert!(matches!(
        store.audit(&nul, Page::default()),
        Err(StoreError::Failed(_))
    ));
    assert!(matches!(
        store.audit_next(&nul, None, 1),
        Err(StoreError::Failed(_))
    ));
}

/// A list is narrowed by log, actor, action, target and time, each by itself and all together.
pub fn a_list_of_entries_may_be_narrowed<S: AuditStore>(store: &S) {
    let ada = somebody();
    let ada_id = ada.principal.owner().unwrap().to_string();
    let key = Actor::of(Principal::ApiKey(ApiKeyId::generate(at(0))));
    let on = |action, kind, id| AuditEvent::new(action).on(kind, id);
    let (created, removed) = (AuditAction::UserCreated, AuditAction::DocumentRemoved);
    for (log, actor, event, seconds) in [
        (log("acme"), &ada, on(created, "user", "u-1"), 1),
        (log("acme"), &key, on(removed, "document", "d-1"), 2),
        (log("acme"), &ada, on(removed, "document", "u-1"), 3),
        (AuditLog::Platform, &ada, AuditEvent::new(created), 4),
    ] {
        store.record(&log, actor, &event, at(seconds)).unwrap();
    }
    let named = |name: &str| Some(name.to_owned());
    let narrowed = |narrow: &dyn Fn(&mut AuditFilter)| {
        let mut filter = AuditFilter::default();
        narrow(&mut filter);
        filter
    };
    for (filter, wanted) in [
        (AuditFilter::default(), vec![4, 3, 2, 1]),
        (narrowed(&|all| all.log = Some(log("acme"))), vec![3, 2, 1]),
        (narrowed(&|all| all.log = Some(AuditLog::Platform)), vec![4]),
        (narrowed(&|all| all.log = Some(log("globex"))), vec![]),
        (narrowed(&|all| all.actor = named("user")), vec![4, 3, 1]),
        (narrowed(&|all| all.actor = named(&ada_id)), vec![4, 3, 1]),
        (narrowed(&|all| all.actor = named("api_key")), vec![2]),
        (narrowed(&|all| all.actor = named("")), vec![]),
        (narrowed(&|all| all.action = Some(removed)), vec![3, 2]),
        (narrowed(&|all| all.target = named("document")), vec![3, 2]),
        (narrowed(&|all| all.target = named("u-1")), vec![3, 1]),
        (narrowed(&|all| all.target = named("%")), vec![]),
        (narrowed(&|all| all.from = Some(at(2))), vec![4, 3, 2]),
        (narrowed(&|all| all.until = Some(at(2))), vec![1]),
        (
            AuditFilter {
                log: Some(log("acme")),
                actor: named("user"),
                action: Some(removed),
                target: named("document"),
                from: Some(at(3)),
                until: Some(at(4)),
            },
            vec![3],
        ),
    ] {
        let listed = store.audit(&filter, Page::default()).unwrap();
        let seconds: Vec<_> = listed.items.iter().map(|entry| entry.at).collect();
        let moments: Vec<_> = wanted.iter().copied().map(at).collect();
        assert_eq!(seconds, moments, "{filter:?}");
        assert_eq!(listed.total, u64::try_from(wanted.len()).unwrap(), "{filter:?}");
    }
}

/// The list of logs has every one in which anything was ever entered, the platform's first and the tenants' by id.
pub fn every_log_is_listed<S: AuditStore>(store: &S) {
    assert_eq!(store.audit_logs().unwrap(), []);
    for id in ["b", "a_b", "-", "a-b", "b"] {
        record(store, &id.parse().unwrap(), AuditAction::LoggedIn, 0);
    }
    let logs = ["-", "a-b", "a_b", "b"].map(|id| id.parse().unwrap());
    assert_eq!(store.audit_logs().unwrap(), logs);
}

/// Making a tenant is entered, with the credentials and the prompt that it is made with.
pub fn making_a_tenant_is_entered<S: AuditedStore>(store: &S) {
    let full = full_tenant("full");
    store.create_tenant(&full, &somebody()).unwrap();
    let plain = Tenant {
        is_active: false,
        ..tenant("plain")
    };
    store
        .create_tenant(&plain, &Actor::of(Principal::Operator))
        .unwrap();
    assert_eq!(
        told(store, &log("full")),
        [
            "tenant.created tenant full is_active=true",
            "credential.changed credential pinecone_api_key change=set",
            "credential.changed credential llm_api_key change=set",
            "prompt.changed tenant full version=1",
        ]
    );
    assert_eq!(
        told(store, &log("plain")),
        ["tenant.created tenant plain is_active=false"]
    );
    let entry = entries(store, &log("plain")).pop().unwrap();
    assert_eq!(
        (entry.actor.principal, entry.at),
        (Principal::Operator, plain.created_at)
    );
}

/// Each kind of change of a tenant is an entry of its own; a value that stays is not one.
pub fn changing_a_tenant_is_entered_by_kind<S: AuditedStore>(store: &S) {
    let before = full_tenant("acme");
    store.create_tenant(&before, &Actor::system()).unwrap();
    let made = entries(store, &log("acme")).len();
    let actor = somebody();
    let same = TenantChange {
        name: Some(before.name.clone()),
        pinecone_api_key: Some(before.pinecone.api_key.clone()),
        chat: Some(before.chat.clone()),
        llm: Some(before.llm.clone()),
        system_prompt: Some(before.system_prompt.clone()),
        is_active: Some(true),
        actor: actor.clone(),
        ..TenantChange::default()
    };
    store.update_tenant(&before.id, &same, at(5)).unwrap().unwrap();
    assert_eq!(entries(store, &log("acme")).len(), made);
    let mut chat = full_chat();
    chat.models.clear();
    chat.streams_per_tenant = None;
    let change = TenantChange {
        name: Some("Acme Ltd".into()),
        pinecone_environment: Some(None),
        pinecone_api_key: Some(None),
        chat: Some(chat),
        llm: Some(Some(LlmProvider {
            base_url: "https://other.example.org".into(),
            api_key: Some(secret("v1.00112233aabbccdd.bmV3", "9999")),
        })),
        system_prompt: Some(None),
        is_active: Some(false),
        actor: actor.clone(),
        ..TenantChange::default()
    };
    store.update_tenant(&before.id, &change, at(6)).unwrap().unwrap();
    let told = told(store, &log("acme"));
    assert_eq!(
        told.get(made..).unwrap_or_default(),
        [
            "tenant.switched tenant acme is_active=true to false",
            "credential.changed credential pinecone_api_key change=cleared",
            "credential.changed credential llm_api_key change=replaced",
            "settings.changed tenant acme fields=name pinecone_environment llm.base_url chat.models \
             chat.streams_per_tenant",
            "prompt.changed tenant acme version=2",
        ]
    );
    let last = entries(store, &log("acme")).pop().unwrap();
    assert_eq!((last.actor, last.at), (actor, at(6)));
}

/// Making a user is entered in the log of the user's tenant, or in the platform's.
pub fn making_a_user_is_entered<S: AuditedStore>(store: &S) {
    store.create_tenant(&tenant("acme"), &Actor::system()).unwrap();
    let (ada, bob) = (user("ada@example.org"), full_user("bob@example.org", "acme"));
    for user in [&ada, &bob] {
        store.create_user(user, &somebody()).unwrap();
    }
    let of_ada = format!(
        "user.created user {} is_active=true is_superuser=false role=member",
        ada.id
    );
    let of_bob = format!(
        "user.created user {} is_active=false is_superuser=true role=admin",
        bob.id
    );
    assert_eq!(told(store, &AuditLog::Platform), [of_ada]);
    assert_eq!(told(store, &log("acme")).split_off(1), [of_bob]);
    assert_eq!(
        entries(store, &AuditLog::Platform).pop().unwrap().at,
        ada.created_at
    );
}

/// A change of a user is entered with what it was and is; one of the password, and an end of all sessions, apart.
pub fn changing_a_user_is_entered<S: AuditedStore>(store: &S) {
    store.create_tenant(&tenant("acme"), &Actor::system()).unwrap();
    let eve = User {
        tenant: Some(tenant_id("acme")),
        ..user("eve@example.org")
    };
    store.create_user(&eve, &Actor::system()).unwrap();
    let actor = somebody();
    let change = |change: UserChange| {
        let change = UserChange {
            actor: actor.clone(),
            ..change
        };
        store.update_user(eve.id, &change, at(7)).unwrap().unwrap();
    };
    change(UserChange {
        role: Some(Role::Member),
        is_active: Some(true),
        ..UserChange::default()
    });
    change(UserChange {
        role: Some(Role::Admin),
        is_active: Some(false),
        is_superuser: Some(true),
        ..UserChange::default()
    });
    change(UserChange {
        password_hash: Some(PasswordHash::from_stored("$argon2id$v=19$secret".into())),
        end_sessions: true,
        ..UserChange::default()
    });
    let told = told(store, &log("acme"));
    let id = eve.id;
    assert_eq!(
        told.get(2..).unwrap_or_default(),
        [
            format!(
                "user.changed user {id} is_active=true to false is_superuser=false to true role=member to admin"
            ),
            format!("password.changed user {id}"),
            format!("sessions.ended user {id}"),
        ]
    );
    assert_eq!(entries(store, &log("acme")).pop().unwrap().actor, actor);
}

/// A user who goes from one tenant to another is entered in both logs, neither of which names the other.
pub fn a_user_who_moves_is_entered_in_both_logs<S: AuditedStore>(store: &S) {
    for id in ["acme", "globex"] {
        store.create_tenant(&tenant(id), &Actor::system()).unwrap();
    }
    let eve = user("eve@example.org");
    store.create_user(&eve, &Actor::system()).unwrap();
    for (there, role) in [
        (Some("globex"), Role::Admin),
        (Some("acme"), Role::Reader),
        (None, Role::Reader),
    ] {
        let change = UserChange {
            tenant: Some(there.map(tenant_id)),
            role: Some(role),
            ..UserChange::default()
        };
        store.update_user(eve.id, &change, at(7)).unwrap().unwrap();
    }
    let moved = |how: &str, role: &str| {
        let id = eve.id;
        format!("user.changed user {id} is_active=true is_superuser=false role={role} tenant={how}")
    };
    let platform = told(store, &AuditLog::Platform).split_off(1);
    assert_eq!(platform, [moved("left", "member"), moved("joined", "reader")]);
    let globex = told(store, &log("globex")).split_off(1);
    assert_eq!(globex, [moved("joined", "admin"), moved("left", "admin")]);
    let acme = told(store, &log("acme")).split_off(1);
    assert_eq!(acme, [moved("joined", "reader"), moved("left", "reader")]);
}

/// What is done to documents and jobs is entered once, by the scope's actor; what changes nothing is not.
pub fn what_is_done_to_documents_is_entered<S: AuditedStore>(store: &S) {
    drop(scope(store, "acme"));
    let actor = Actor::of(Principal::ApiKey(ApiKeyId::generate(at(0))));
    let acme = std::sync::Arc::new(tenant("acme"))
        .activate(actor.clone())
        .unwrap();
    let first = submission("Owls", 1);
    let document = take_in(store, &acme, &first).id;
    store.submit(&acme, &again(&first, 2)).unwrap();
    let mut changed = again(&first, 3);
    changed.title = Some("Barn owls".into());
    store.submit(&acme, &changed).unwrap();
    for _ in 0..2 {
        store.cancel_job(&acme, changed.job, at(4)).unwrap().unwrap();
    }
    let removal = JobId::generate(at(5));
    for job in [removal, JobId::generate(at(6))] {
        store
            .remove_document(&acme, document, job, at(5))
            .unwrap()
            .unwrap();
    }
    store.cancel_job(&acme, removal, at(7)).unwrap().unwrap();
    assert_eq!(
        store.cancel_job(&acme, JobId::generate(at(7)), at(7)).unwrap(),
        None
    );
    let (first, changed) = (first.job, changed.job);
    assert_eq!(
        told(store, &log("acme")).split_off(1),
        [
            format!("document.submitted document {document} job={first} outcome=new"),
            format!("document.submitted document {document} job={changed} outcome=replacement"),
            format!("job.cancelled job {changed} document={document}"),
            format!("document.removed document {document} job={removal}"),
        ]
    );
    let last = entries(store, &log("acme")).pop().unwrap();
    assert_eq!((last.actor, last.at), (actor, at(5)));
}

/// The end of a job that a worker has begun is entered when it is asked for, and not again when it is asked for again.
pub fn the_end_of_a_job_is_entered_when_it_is_asked_for<S: AuditedStore>(store: &S) {
    let acme = scope(store, "acme");
    let job = submit(store, &acme, "Owls", 1).job.id;
    claim(store, 2).unwrap();
    for seconds in [3, 4] {
        store.cancel_job(&acme, job, at(seconds)).unwrap().unwrap();
    }
    let cancelled: Vec<_> = entries(store, &log("acme"))
        .into_iter()
        .filter(|entry| entry.action == AuditAction::JobCancelled)
        .map(|entry| entry.at)
        .collect();
    assert_eq!(cancelled, [at(3)]);
}

/// What was refused is not entered.
pub fn what_was_refused_is_not_entered<S: AuditedStore>(store: &S) {
    store.create_tenant(&tenant("acme"), &Actor::system()).unwrap();
    let ada = user("ada@example.org");
    store.create_user(&ada, &Actor::system()).unwrap();
    let logs = || [log("acme"), AuditLog::Platform].map(|log| entries(store, &log));
    let before = logs();
    let again = store.create_tenant(&full_tenant("acme"), &Actor::system());
    assert!(matches!(again, Err(StoreError::IdTaken)));
    let again = store.create_user(&user("ada@example.org"), &Actor::system());
    assert!(matches!(again, Err(StoreError::EmailTaken)));
    let nowhere = Some(Some(tenant_id("nowhere")));
    let change = UserChange {
        tenant: nowhere,
        role: Some(Role::Admin),
        ..UserChange::default()
    };
    let refused = store.update_user(ada.id, &change, at(1));
    assert!(matches!(refused, Err(StoreError::UnknownTenant)));
    assert_eq!(
        store
            .update_user(UserId::generate(at(0)), &UserChange::default(), at(1))
            .unwrap(),
        None
    );
    let nul = TenantChange {
        name: Some("other".into()),
        system_prompt: Some(Some("\0".into())),
        ..TenantChange::default()
    };
    assert!(matches!(
        store.update_tenant(&tenant_id("acme"), &nul, at(1)),
        Err(StoreError::Failed(_))
    ));
    assert_eq!(
        store
            .update_tenant(&tenant_id("nowhere"), &TenantChange::default(), at(1))
            .unwrap(),
        None
    );
    assert_eq!(logs(), before);
    assert_eq!(store.audit_logs().unwrap(), [AuditLog::Platform, log("acme")]);
}

/// Neither a secret nor anything that somebody wrote is entered.
pub fn no_secret_and_no_text_is_entered<S: AuditedStore>(store: &S) {
    let marked = |tenant: Tenant| Tenant {
        name: "MARKER".into(),
        system_prompt: Some("MARKER".into()),
        llm: Some(LlmProvider {
            base_url: "https://marker.example.org/MARKER".into(),
            api_key: Some(secret("v1.MARKER.MARKER", "MARK")),
        }),
        ..tenant
    };
    store
        .create_tenant(&marked(tenant("acme")), &Actor::system())
        .unwrap();
    let other = marked(tenant("acme"));
    let mut chat = full_chat();
    chat.models = vec!["MARKER".into()];
    chat.language = Some("MARKER".into());
    let change = TenantChange {
        name: Some("MARKER 2".into()),
        pinecone_host: Some(Some("MARKER".into())),
        pinecone_api_key: Some(Some(secret("v1.MARKER.MARKER", "MARK"))),
        chat: Some(chat),
        llm: Some(None),
        system_prompt: Some(Some("MARKER 2".into())),
        ..TenantChange::default()
    };
    store.update_tenant(&other.id, &change, at(1)).unwrap().unwrap();
    let eve = User {
        password_hash: Some(PasswordHash::from_stored("MARKER".into())),
        tenant: Some(other.id.clone()),
        ..user("marker@example.org")
    };
    store.create_user(&eve, &Actor::system()).unwrap();
    let new = UserChange {
        password_hash: Some(PasswordHash::from_stored("MARKER 2".into())),
        ..UserChange::default()
    };
    store.update_user(eve.id, &new, at(2)).unwrap().unwrap();
    let acme = std::sync::Arc::new(other).activate(Actor::system()).unwrap();
    let mut document = submission("MARKER", 3);
    document.external_id = Some("MARKER".into());
    document.file_name = Some("MARKER.md".into());
    store.submit(&acme, &document).unwrap();
    let entries = entries(store, &log("acme"));
    assert_eq!(entries.len(), 10);
    for entry in entries {
        let all = format!("{:?} {:?}", entry.target, entry.details).to_uppercase();
        assert!(!all.contains("MARK"), "{all}");
    }
}

/// Questions and answers are not entered: they are many, and what is said is nobody's to read.
pub fn what_is_said_is_not_entered<S: AuditedStore + ChatStore>(store: &S) {
    let acme: TenantScope = scope(store, "acme");
    let before = entries(store, &log("acme"));
    let owner = chat::user_id();
    let conversation = chat::conversation(owner, 1);
    let target = MessageTarget::New(conversation.clone());
    let question = chat::question("Do owls sleep?", 2);
    store
        .begin_turn(&acme, owner, &target, &question)
        .unwrap()
        .unwrap();
    let answer = chat::answer("By day.", 3);
    store
        .finish_turn(&acme, owner, conversation.id, &answer, &[])
        .unwrap();
    store.remove_conversation(&acme, owner, conversation.id).unwrap();
    assert_eq!(entries(store, &log("acme")), before);
}
