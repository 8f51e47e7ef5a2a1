//! What every [`TenantArchiveStore`] must do, beside the other stores of the same records.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "an obligation panics where the store fails it"
)]

use std::mem::discriminant;
use std::ops::ControlFlow;

use tenantry_domain::{Actor, AuditAction, Email, Message, TenantId, User, UserId};

use super::chat::{conversation, question};
use super::samples::{at, full_tenant, full_user, scope, tenant, tenant_id, user};
use super::whole::{WholeStore, deactivate, emptied, entries, filled, member, read};
use super::work::{hash, metadata, segment};
use crate::{
    ArchivedDocument, ArchivedIdentity, ArchivedRecord, ArchivedUser, AuditLog, StoreError,
    TenantArchiveStore, TenantChange, UserChange, audit_hash,
};

/// Begins to fill a tenant of that id.
fn begin<S: TenantArchiveStore>(store: &S, id: &str) -> TenantId {
    assert!(store.begin_import(&tenant(id), at(0)).unwrap());
    tenant_id(id)
}

fn archived(user: &User) -> ArchivedUser {
    ArchivedUser {
        id: user.id,
        email: user.email.clone(),
        role: user.role,
        is_active: user.is_active,
        created_at: user.created_at,
        updated_at: user.updated_at,
    }
}

fn message(text: &str) -> Message {
    question(text, 3)
}

/// A tenant's records come whole, each kind in its order and behind what it belongs to, with nothing of another tenant.
pub fn a_tenant_is_read_whole_and_in_order<S: WholeStore>(store: &S) {
    let (scope, ada) = filled(store, "acme", 1);
    filled(store, "globex", 101);
    let superuser = User {
        is_superuser: true,
        ..member("root", &scope)
    };
    store.create_user(&superuser, &Actor::system()).unwrap();
    let bo = member("bo", &scope);
    store.create_user(&bo, &Actor::system()).unwrap();
    let records = read(store, scope.id());
    let mut kinds: Vec<(&str, usize)> = Vec::new();
    for record in &records {
        let kind = match record {
            ArchivedRecord::Tenant(tenant) => {
                assert_eq!(Some((**tenant).clone()), store.tenant(scope.id()).unwrap());
                "tenant"
            }
            ArchivedRecord::User(_) => "user",
            ArchivedRecord::Prompt(_) => "prompt",
            ArchivedRecord::Document(ArchivedDocument { document, .. }) => {
                assert_eq!(
                    Some(document.clone()),
                    store.document(&scope, document.id).unwrap()
                );
                "document"
            }
            ArchivedRecord::Segment { .. } => "segment",
            ArchivedRecord::Conversation(_) => "conversation",
            ArchivedRecord::Message { .. } => "message",
            ArchivedRecord::Usage(_) => "usage",
            ArchivedRecord::ApiKey(_) => "api_key",
            ArchivedRecord::IdentityProvider(_) => "provider",
            ArchivedRecord::Identity(_) => "identity",
            ArchivedRecord::Audit(_) => "audit",
        };
        match kinds.last_mut() {
            Some((last, count)) if *last == kind => *count += 1,
            _ => kinds.push((kind, 1)),
        }
    }
    let log = AuditLog::Tenant(scope.id().clone());
    let logged = store.audit_after(&log, 0, u16::MAX).unwrap();
    let wanted = [
        ("tenant", 1),
        ("user", 2),
        ("prompt", 2),
        ("document", 1),
        ("segment", 1),
        ("document", 1),
        ("conversation", 1),
        ("message", 2),
        ("conversation", 1),
        ("message", 1),
        ("usage", 1),
        ("api_key", 1),
        ("provider", 2),
        ("identity", 1),
        ("audit", logged.len()),
    ];
    assert_eq!(kinds, wanted);
    assert_eq!(entries(&records), logged);
    let mut users = [store.user(ada).unwrap().unwrap(), bo].map(|user| archived(&user));
    users.sort_by_key(|user| user.id);
    assert!(records.contains(&ArchivedRecord::User(users[0].clone())));
    assert!(records.contains(&ArchivedRecord::User(users[1].clone())));
}

/// Who is read to may have had enough.
pub fn reading_stops_when_told<S: WholeStore>(store: &S) {
    let (scope, _) = filled(store, "acme", 1);
    let mut seen = 0;
    let found = store.read_tenant(scope.id(), &mut |_| {
        seen += 1;
        if seen == 4 {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    });
    assert!(found.unwrap());
    assert_eq!(seen, 4);
}

/// A tenant that is not there has no records.
pub fn an_absent_tenant_is_not_read<S: WholeStore>(store: &S) {
    filled(store, "acme", 1);
    let found = store.read_tenant(&tenant_id("globex"), &mut |record| panic!("{record:?}"));
    assert!(!found.unwrap());
}

/// What was read of a tenant makes one that reads the same, credentials and log apart.
pub fn what_was_read_makes_the_same_tenant<S: WholeStore>(store: &S) {
    let (acme, _) = filled(store, "acme", 1);
    let records = read(store, acme.id());
    deactivate(store, acme.id());
    emptied(store, acme.id());
    store.finish_erasure(acme.id(), &Actor::system(), at(70)).unwrap();
    let globex = tenant_id("globex");
    let ArchivedRecord::Tenant(before) = &records[0] else {
        panic!()
    };
    let named = tenantry_domain::Tenant {
        id: globex.clone(),
        ..(**before).clone()
    };
    assert!(store.begin_import(&named, at(71)).unwrap());
    let kept: Vec<_> = records
        .iter()
        .filter(|record| !matches!(record, ArchivedRecord::Audit(_)))
        .cloned()
        .collect();
    for batch in kept.chunks(2) {
        assert_eq!(store.import(&globex, batch).unwrap(), []);
    }
    assert!(
        store
            .finish_import(&globex, true, &Actor::system(), at(72))
            .unwrap()
    );
    let wanted: Vec<_> = kept
        .into_iter()
        .skip(1)
        .filter(|record| !matches!(record, ArchivedRecord::ApiKey(_)))
        .collect();
    let mut again = read(store, &globex);
    again.retain(|record| !matches!(record, ArchivedRecord::Audit(_)));
    assert_eq!(again[1..], wanted[..]);
    let stored = store.tenant(&globex).unwrap().unwrap();
    assert!(stored.is_active && stored.system_prompt == before.system_prompt && stored.chat == before.chat);
    assert_eq!(stored.ingesters, before.ingesters);
}

/// A tenant that is being filled may not be used, and begins without any secret.
pub fn a_tenant_being_filled_is_inactive_and_has_no_secret<S: WholeStore>(store: &S) {
    assert!(store.begin_import(&full_tenant("acme"), at(0)).unwrap());
    let found = store.tenant(&tenant_id("acme")).unwrap().unwrap();
    assert!(!found.is_active);
    assert_eq!(found.pinecone.api_key, None);
    let provider = found.llm.unwrap();
    assert_eq!(provider.base_url, full_tenant("acme").llm.unwrap().base_url);
    assert_eq!(provider.api_key, None);
}

/// An id is taken by a tenant, active or not, and by one that was erased.
pub fn an_import_of_a_taken_id_is_refused<S: WholeStore>(store: &S) {
    scope(store, "acme");
    let begun = |id| store.begin_import(&tenant(id), at(1));
    assert!(matches!(begun("acme"), Err(StoreError::IdTaken)));
    deactivate(store, &tenant_id("acme"));
    assert!(matches!(begun("acme"), Err(StoreError::IdTaken)));
    store
        .finish_erasure(&tenant_id("acme"), &Actor::system(), at(2))
        .unwrap();
    assert!(matches!(begun("acme"), Err(StoreError::IdTaken)));
    assert_eq!(store.tenant(&tenant_id("acme")).unwrap(), None);
}

/// One import of an id is under way at a time.
pub fn an_import_is_begun_once<S: WholeStore>(store: &S) {
    begin(store, "acme");
    assert!(!store.begin_import(&tenant("acme"), at(1)).unwrap());
    assert!(begun_elsewhere(store));
}

fn begun_elsewhere<S: WholeStore>(store: &S) -> bool {
    store.begin_import(&tenant("globex"), at(1)).unwrap()
}

/// Of a batch that has a record twice, or one that belongs to nothing, nothing is kept.
pub fn a_batch_is_kept_whole_or_not_at_all<S: WholeStore>(store: &S) {
    let acme = begin(store, "acme");
    let owner = UserId::generate(at(0));
    let first = ArchivedRecord::Conversation(conversation(owner, 1));
    let orphan = ArchivedRecord::Message {
        conversation: conversation(owner, 2).id,
        message: message("lost"),
    };
    let twice = store.import(&acme, &[first.clone(), first.clone()]);
    assert!(matches!(twice, Err(StoreError::IdTaken)));
    let lost = store.import(&acme, &[first.clone(), orphan]);
    assert!(matches!(lost, Err(StoreError::UnknownTenant)));
    let segment = ArchivedRecord::Segment {
        of: tenantry_domain::DocumentVersion {
            document: tenantry_domain::DocumentId::generate(at(0)),
            version: 1,
        },
        segment: segment(0, 0, "lost"),
    };
    let lost = store.import(&acme, &[first.clone(), segment]);
    assert!(matches!(lost, Err(StoreError::UnknownTenant)));
    let nul = ArchivedRecord::Conversation(tenantry_domain::Conversation {
        title: "a\0b".into(),
        ..conversation(owner, 3)
    });
    assert!(matches!(
        store.import(&acme, &[first.clone(), nul]),
        Err(StoreError::Failed(_))
    ));
    assert_eq!(store.import(&acme, std::slice::from_ref(&first)).unwrap(), []);
    assert!(matches!(
        store.import(&acme, std::slice::from_ref(&first)),
        Err(StoreError::IdTaken)
    ));
    assert_eq!(read(store, &acme)[1..], [first]);
}

/// An id or an address has one user; those who come second are left out and told.
pub fn users_whose_id_or_address_is_taken_are_left_out<S: WholeStore>(store: &S) {
    let globex = scope(store, "globex");
    let there = full_user("ada@example.org", "globex");
    store.create_user(&there, &Actor::system()).unwrap();
    let acme = begin(store, "acme");
    let same_address = archived(&user("ada@example.org"));
    let same_id = ArchivedUser {
        id: there.id,
        ..archived(&user("bo@example.org"))
    };
    let new = archived(&user("cy@example.org"));
    let twice = ArchivedUser {
        id: UserId::generate(at(9)),
        ..new.clone()
    };
    let batch = [same_address.clone(), same_id.clone(), new.clone(), twice.clone()].map(ArchivedRecord::User);
    assert_eq!(
        store.import(&acme, &batch).unwrap(),
        [same_address, same_id, twice]
    );
    assert_eq!(store.user(there.id).unwrap(), Some(there));
    let made = store.user(new.id).unwrap().unwrap();
    assert_eq!(made.tenant, Some(acme));
    assert_eq!(
        (made.password_hash, made.is_superuser, made.token_version),
        (None, false, 0)
    );
    assert_eq!(globex.id().as_str(), "globex");
}

/// Whoever is not the tenant's user is not let in by an identity.
pub fn an_identity_of_somebody_elses_user_is_left_out<S: WholeStore>(store: &S) {
    let (_, ada) = filled(store, "globex", 1);
    let acme = begin(store, "acme");
    let provider = super::samples::provider("https://evil.example");
    let own = archived(&user("own@example.org"));
    let identity = |subject: &str, user| {
        ArchivedRecord::Identity(ArchivedIdentity {
            provider: provider.id,
            subject: subject.into(),
            user,
        })
    };
    let batch = [
        ArchivedRecord::User(own.clone()),
        ArchivedRecord::IdentityProvider(provider.clone()),
        identity("own", own.id),
        identity("foreign", ada),
        identity("nobody", UserId::generate(at(1))),
    ];
    store.import(&acme, &batch).unwrap();
    let kept: Vec<_> = read(store, &acme)
        .into_iter()
        .filter(|record| matches!(record, ArchivedRecord::Identity(_)))
        .collect();
    assert_eq!(kept, [identity("own", own.id)]);
}

/// An audit log goes on where it ended, with entries of its own alone.
pub fn an_audit_log_is_restored_as_it_was<S: WholeStore>(store: &S) {
    let (acme, _) = filled(store, "acme", 1);
    let log = entries(&read(store, acme.id()));
    let other = begin(store, "globex");
    let restored = |entry: &tenantry_domain::AuditEntry| {
        let mut entry = entry.clone();
        entry.tenant = Some(other.clone());
        entry
    };
    let foreign = ArchivedRecord::Audit(log[0].clone());
    assert!(matches!(
        store.import(&other, &[foreign]),
        Err(StoreError::Failed(_))
    ));
    let unhashed = ArchivedRecord::Audit(restored(&log[0]));
    assert!(matches!(
        store.import(&other, &[unhashed]),
        Err(StoreError::Failed(_))
    ));
    let mut chain: Vec<_> = Vec::new();
    let mut previous = tenantry_domain::AuditHash::START;
    for entry in log.iter().take(3) {
        let mut entry = restored(entry);
        entry.previous = previous;
        entry.hash = audit_hash(&entry);
        previous = entry.hash;
        chain.push(ArchivedRecord::Audit(entry));
    }
    assert!(matches!(
        store.import(&other, &chain[1..]),
        Err(StoreError::Failed(_))
    ));
    store.import(&other, &chain[..1]).unwrap();
    store.import(&other, &chain[1..]).unwrap();
    store
        .finish_import(&other, true, &Actor::system(), at(9))
        .unwrap();
    let kept = store.audit_after(&AuditLog::Tenant(other), 0, 10).unwrap();
    assert_eq!(kept.len(), 4);
    assert_eq!(entries(&chain), kept[..3]);
    assert_eq!((kept[3].number, kept[3].previous), (4, kept[2].hash));
    assert_eq!(kept[3].action, AuditAction::TenantImported);
}

/// Only a tenant that is being filled takes records.
pub fn records_for_any_other_tenant_are_refused<S: WholeStore>(store: &S) {
    scope(store, "acme");
    let batch = [ArchivedRecord::User(archived(&user("ada@example.org")))];
    for id in ["acme", "globex"] {
        assert!(
            matches!(
                store.import(&tenant_id(id), &batch),
                Err(StoreError::UnknownTenant)
            ),
            "{id}"
        );
    }
    assert_eq!(
        store
            .user_by_email(&Email::parse("ada@example.org").unwrap())
            .unwrap(),
        None
    );
}

/// A tenant that is whole is what it was said to be, takes no more, and says so in both logs.
pub fn a_finished_import_is_entered_and_takes_no_more<S: WholeStore>(store: &S) {
    for (id, is_active) in [("acme", true), ("globex", false)] {
        let id = begin(store, id);
        assert!(
            store
                .finish_import(&id, is_active, &Actor::system(), at(9))
                .unwrap()
        );
        assert_eq!(store.tenant(&id).unwrap().unwrap().is_active, is_active);
        assert!(matches!(store.import(&id, &[]), Err(StoreError::UnknownTenant)));
        assert!(!store.finish_import(&id, true, &Actor::system(), at(9)).unwrap());
        assert!(!store.abandon_import(&id).unwrap());
        for log in [AuditLog::Platform, AuditLog::Tenant(id.clone())] {
            let last = store.audit_after(&log, 0, 10).unwrap().pop().unwrap();
            assert_eq!(last.action, AuditAction::TenantImported);
            assert_eq!(last.target, Some(("tenant".into(), id.to_string())));
        }
    }
    let superuser = user("root@example.org");
    store.create_user(&superuser, &Actor::system()).unwrap();
    let change = UserChange {
        tenant: Some(Some(tenant_id("acme"))),
        ..UserChange::default()
    };
    assert!(
        store
            .update_user(superuser.id, &change, at(10))
            .unwrap()
            .is_some()
    );
}

/// An import that was given up leaves nothing, and its id may be used.
pub fn an_abandoned_import_leaves_nothing<S: WholeStore>(store: &S) {
    let acme = begin(store, "acme");
    let own = archived(&user("own@example.org"));
    let document = ArchivedDocument {
        document: tenantry_domain::Document {
            id: tenantry_domain::DocumentId::generate(at(1)),
            external_id: None,
            title: "Owls".into(),
            media_type: tenantry_domain::MediaType::Markdown,
            metadata: metadata(),
            content_hash: Some(hash("owls")),
            version: 4,
            state: tenantry_domain::DocumentState::Ready,
            failure: None,
            characters: 4,
            chunks: 1,
            created_at: at(1),
            updated_at: at(2),
        },
        format: tenantry_domain::TextFormat::Markdown,
        segments: 1,
    };
    let batch = [
        ArchivedRecord::User(own.clone()),
        ArchivedRecord::Document(document),
    ];
    store.import(&acme, &batch).unwrap();
    assert_eq!(emptied(store, &acme), 2);
    assert!(store.abandon_import(&acme).unwrap());
    assert!(!store.abandon_import(&acme).unwrap());
    assert_eq!(store.tenant(&acme).unwrap(), None);
    assert_eq!(store.user(own.id).unwrap(), None);
    assert_eq!(store.erased_tenant(&acme).unwrap(), None);
    begin(store, "acme");
    assert_eq!(read(store, &acme).len(), 1);
    assert_eq!(
        discriminant(&read(store, &acme)[0]),
        discriminant(&ArchivedRecord::Tenant(Box::new(tenant("acme"))))
    );
    store.import(&acme, &batch).unwrap();
    let change = TenantChange::default();
    assert!(store.update_tenant(&acme, &change, at(9)).unwrap().is_some());
}
