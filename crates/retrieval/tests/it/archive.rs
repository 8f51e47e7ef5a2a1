//! Tenants as a whole: what an archive has, what comes of one, and what an erasure leaves.

use std::io::{Cursor, Read, Write};
use std::sync::Arc;
use std::time::Duration;

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};
use tenantry_crypto::MemoryReceiptSigner;
use tenantry_domain::{
    AuditAction, Conversation, ConversationId, Message, MessageId, MessageRole, MessageStatus, Page,
    TenantId, TopK, UserId,
};
use tenantry_retrieval::{
    ArchiveFault, ArchiveLimits, EraseError, EraseParts, ErasePatience, Eraser, ExportError, Exporter,
    ImportError, ImportParts, Imported, Importer, Receipt, ReceiptError, RemoteVectors, SearchRequest,
    Searcher,
};
use tenantry_tenant_store::testing::unavailable;
use tenantry_tenant_store::{
    AuditLog, AuditStore, ConversationStore, IndexStore, MessageStore, MessageTarget, TenantEraseStore,
    TenantStore, UserChange, UserFilter, UserStore,
};
use tenantry_vector_client::VectorStore;

use crate::support::{World, index, long_text, with_key};

impl World {
    fn importer(&self) -> Importer {
        self.importer_within(ArchiveLimits::default())
    }

    fn importer_within(&self, limits: ArchiveLimits) -> Importer {
        let parts = ImportParts {
            store: self.store.clone(),
            erase: self.store.clone(),
            collections: self.collections.clone(),
            reconciler: Arc::new(self.reconciler()),
            resolver: self.resolver.clone(),
            clock: self.clock.clone(),
        };
        Importer::new(parts, limits)
    }

    fn eraser(&self, signer: Arc<MemoryReceiptSigner>) -> Eraser {
        let parts = EraseParts {
            tenants: self.store.clone(),
            users: self.store.clone(),
            jobs: self.store.clone(),
            store: self.store.clone(),
            collections: self.collections.clone(),
            resolver: self.resolver.clone(),
            signer,
            clock: self.clock.clone(),
        };
        let at_once = ErasePatience {
            remembered: Duration::ZERO,
            leases: Duration::ZERO,
            look: Duration::ZERO,
        };
        Eraser::new(parts, at_once)
    }

    fn export(&self, id: &str) -> Vec<u8> {
        let exporter = Exporter::new(self.store.clone(), self.store.clone(), self.clock.clone());
        let mut archive = Vec::new();
        let id = TenantId::parse(id).unwrap();
        exporter
            .export(&self.root, &id, &mut archive, &mut |_| {})
            .unwrap();
        archive
    }

    fn import(&self, archive: &[u8], id: Option<&str>) -> Result<Imported, ImportError> {
        let id = id.map(|id| TenantId::parse(id).unwrap());
        self.importer()
            .import(&self.root, &mut Cursor::new(archive), id.as_ref(), &mut |_| {})
    }

    fn erase(&self, id: &str, remote: RemoteVectors) -> Result<Receipt, EraseError> {
        let id = TenantId::parse(id).unwrap();
        self.eraser(Arc::default())
            .erase(&self.root, &id, remote, &mut |_| {})
    }

    /// What a question finds in the tenant's knowledge: titles, places and texts.
    fn found(&self, id: &str) -> Vec<(String, u32, String)> {
        let searcher = Searcher::new(
            self.store.clone(),
            self.collections.clone(),
            self.embedders.clone(),
            None,
        );
        let request = SearchRequest::new("paragraph late back", TopK::new(10).unwrap());
        let found = searcher.search(&self.scope(id), &request).unwrap();
        let hits = found.hits.into_iter();
        hits.map(|hit| (hit.title, hit.chunk.span.start, hit.chunk.text))
            .collect()
    }

    /// A tenant with two documents, a member and a conversation of theirs.
    fn filled(&self, id: &str) -> UserId {
        let tenant = self.tenant(id);
        let user = self.user(&format!("ada@{id}.example.org"), Some(&tenant));
        self.ingest(id, "Handbook", &long_text(40, &format!("{id}mark")));
        self.ingest(id, "Leave", "Paragraph of leave: come back late.");
        let now = self.now();
        let conversation = Conversation {
            id: ConversationId::generate(now),
            owner: user.id,
            title: "Leave?".into(),
            created_at: now,
            updated_at: now,
        };
        let message = Message {
            id: MessageId::generate(now),
            role: MessageRole::User,
            text: format!("{id}mark?"),
            status: MessageStatus::Complete,
            citations: Vec::new(),
            model: None,
            usage: None,
            created_at: now,
        };
        let target = MessageTarget::New(conversation);
        self.store
            .begin_turn(&self.scope(id), user.id, &target, &message)
            .unwrap();
        user.id
    }
}

fn text(archive: &[u8]) -> String {
    let mut text = String::new();
    GzDecoder::new(archive).read_to_string(&mut text).unwrap();
    text
}

fn packed(text: &str) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(text.as_bytes()).unwrap();
    gzip.finish().unwrap()
}

/// The archive with its lines changed, and an end that fits them.
fn forged(archive: &[u8], change: impl FnOnce(&mut Vec<String>)) -> Vec<u8> {
    let mut lines: Vec<String> = text(archive).lines().map(str::to_owned).collect();
    lines.pop();
    change(&mut lines);
    let mut counts = std::collections::BTreeMap::<String, u64>::new();
    for line in lines.iter().skip(1) {
        let kind = line.split('"').nth(1).unwrap_or_default().to_owned();
        *counts.entry(kind).or_default() += 1;
    }
    let body = lines.join("\n") + "\n";
    let hash = Sha256::digest(&body)
        .iter()
        .fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
    let counts: Vec<_> = counts
        .iter()
        .map(|(kind, count)| format!("\"{kind}\":{count}"))
        .collect();
    let end = format!(
        "{{\"end\":{{\"counts\":{{{}}},\"sha256\":\"{hash}\"}}}}\n",
        counts.join(",")
    );
    packed(&(body + &end))
}

fn place(lines: &[String], kind: &str) -> usize {
    let start = format!("{{\"{kind}\":");
    lines.iter().position(|line| line.starts_with(&start)).unwrap()
}

#[test]
fn an_archive_makes_a_tenant_that_answers_the_same_elsewhere() {
    let (here, there) = (World::new(), World::new());
    let ada = here.filled("acme");
    here.filled("globex");
    let archive = here.export("acme");
    there.filled("globex");
    let imported = there.import(&archive, None).unwrap();
    assert!(imported.is_active && imported.users_left_out.is_empty() && !imported.audit_left_out);
    assert_eq!(imported.indexed, 2);
    assert!(!here.found("acme").is_empty());
    assert_eq!(there.found("acme"), here.found("acme"));
    let [old, new] = [&here, &there].map(|world| {
        let scope = world.scope("acme");
        let page = Page::default();
        let conversations = world.store.conversations(&scope, ada, page).unwrap();
        let messages = world
            .store
            .messages(&scope, ada, conversations.items[0].id, page)
            .unwrap();
        let user = world.store.user(ada).unwrap().unwrap();
        (conversations, messages, user.email, user.role, user.is_superuser)
    });
    assert_eq!(old, new);
    assert_eq!(there.store.user(ada).unwrap().unwrap().password_hash, None);
    let log = AuditLog::Tenant(TenantId::parse("acme").unwrap());
    let [old, new] = [&here, &there].map(|world| world.store.audit_after(&log, 0, 1_000).unwrap());
    assert_eq!(new[..old.len()], old[..]);
    let last = new.last().unwrap();
    assert_eq!(
        (new.len(), last.action),
        (old.len() + 1, AuditAction::TenantImported)
    );
    assert_eq!(old.last().unwrap().action, AuditAction::TenantExported);
}

#[test]
fn an_archive_has_no_secret_and_nothing_of_another_tenant() {
    let world = World::new();
    world
        .catalog
        .accounts
        .set_account("pcsk_secret", vec![index("passages", 3)]);
    world
        .tenants
        .create(&world.root, with_key("keyed", "pcsk_secret", None))
        .unwrap();
    world.filled("acme");
    world.filled("globex");
    let keyed = text(&world.export("keyed"));
    assert!(keyed.contains("\"had_pinecone_api_key\":true"));
    let sealed = world
        .store
        .inner()
        .tenant(&TenantId::parse("keyed").unwrap())
        .unwrap()
        .unwrap();
    let sealed = sealed.pinecone.api_key.unwrap();
    for secret in ["pcsk_secret", sealed.sealed.as_str()] {
        assert!(!keyed.contains(secret));
    }
    let archive = text(&world.export("acme"));
    let hash = world
        .store
        .inner()
        .users(&UserFilter::default(), Page::default())
        .unwrap();
    for user in hash.items {
        let hash = user.password_hash.unwrap();
        assert!(!archive.contains(hash.as_str()));
    }
    assert!(archive.contains("acmemark") && archive.contains("\"chunk\":"));
    assert!(!archive.contains("globex"));
    assert!(!archive.contains("superuser\":true") && !archive.contains("password"));
}

#[test]
fn an_absent_tenant_is_not_exported() {
    let world = World::new();
    let exporter = Exporter::new(world.store.clone(), world.store.clone(), world.clock.clone());
    let absent = TenantId::parse("acme").unwrap();
    let refused = exporter.export(&world.root, &absent, &mut Vec::new(), &mut |_| {});
    assert!(matches!(refused, Err(ExportError::UnknownTenant)));
    assert_eq!(world.store.audit_logs().unwrap(), []);
}

#[test]
fn under_another_id_the_users_who_are_there_are_left_out_with_the_log() {
    let world = World::new();
    let ada = world.filled("acme");
    let archive = world.export("acme");
    assert!(matches!(world.import(&archive, None), Err(ImportError::IdTaken)));
    let imported = world.import(&archive, Some("acme-2")).unwrap();
    assert_eq!(imported.users_left_out.len(), 1);
    assert!(imported.audit_left_out);
    assert_eq!(world.found("acme-2"), world.found("acme"));
    let user = world.store.user(ada).unwrap().unwrap();
    assert_eq!(user.tenant, Some(TenantId::parse("acme").unwrap()));
    let scope = world.scope("acme-2");
    assert_eq!(
        world
            .store
            .conversations(&scope, ada, Page::default())
            .unwrap()
            .total,
        1
    );
}

#[test]
fn what_is_no_whole_archive_is_refused_before_anything_is_written() {
    let world = World::new();
    world.filled("acme");
    let archive = world.export("acme");
    let there = World::new();
    let refused = |bytes: &[u8]| there.import(bytes, None).unwrap_err();
    for length in [0, 1, 20, archive.len() / 2, archive.len() - 9, archive.len() - 1] {
        assert!(
            matches!(refused(&archive[..length]), ImportError::Archive(_)),
            "{length}"
        );
    }
    let plain = text(&archive);
    assert!(matches!(
        refused(plain.as_bytes()),
        ImportError::Archive(ArchiveFault::Read(_))
    ));
    let cut = plain.rsplit_once("{\"end\"").unwrap().0;
    assert!(matches!(
        refused(&packed(cut)),
        ImportError::Archive(ArchiveFault::Truncated)
    ));
    let altered = plain.replacen("Handbook", "Handbuck", 1);
    assert!(matches!(
        refused(&packed(&altered)),
        ImportError::Archive(ArchiveFault::Altered)
    ));
    let newer = plain.replacen("\"version\":1", "\"version\":2", 1);
    assert!(matches!(
        refused(&packed(&newer)),
        ImportError::Archive(ArchiveFault::Version(2))
    ));
    assert!(matches!(
        refused(&packed("{}\n")),
        ImportError::Archive(ArchiveFault::NotAnArchive)
    ));
    let more = packed(&format!("{plain}\n"));
    assert!(matches!(
        refused(&more),
        ImportError::Archive(ArchiveFault::Altered)
    ));
    let mut behind = archive.clone();
    behind.extend(packed("more"));
    assert!(matches!(
        refused(&behind),
        ImportError::Archive(ArchiveFault::Altered)
    ));
    let nothing = there.store.inner().tenants(Page::default()).unwrap();
    assert_eq!(nothing.total, 0);
    assert_eq!(there.store.audit_logs().unwrap(), []);
}

#[test]
fn a_line_or_an_archive_beyond_the_limits_is_refused() {
    let world = World::new();
    world.filled("acme");
    let archive = world.export("acme");
    let length = u64::try_from(text(&archive).len()).unwrap();
    let there = World::new();
    for limits in [
        ArchiveLimits {
            line: 1_000,
            ..ArchiveLimits::default()
        },
        ArchiveLimits {
            total: length - 1,
            ..ArchiveLimits::default()
        },
    ] {
        let importer = there.importer_within(limits);
        let refused = importer.import(&there.root, &mut Cursor::new(&archive), None, &mut |_| {});
        assert!(
            matches!(refused, Err(ImportError::Archive(ArchiveFault::TooLarge(_)))),
            "{limits:?}"
        );
    }
    // Little that unpacks to very much more than a line may have; how little is the compressor's choice.
    let bomb = packed(&" ".repeat(32 << 20));
    assert!(bomb.len() < 1 << 20);
    assert!(matches!(
        there.import(&bomb, None),
        Err(ImportError::Archive(ArchiveFault::TooLarge(1)))
    ));
}

type Change = fn(&mut Vec<String>);

/// What may be in an archive that somebody wrote by hand, whose end fits.
#[test]
fn no_hand_written_archive_reaches_beyond_its_tenant() {
    let world = World::new();
    world.filled("acme");
    let archive = world.export("acme");
    let there = World::new();
    there.filled("globex");
    let before = there.store.inner().tenants(Page::default()).unwrap();
    let changes: [(&str, Change); 12] = [
        ("a superuser", |lines| {
            let at = place(lines, "user");
            lines[at] = lines[at].replace("\"is_active\"", "\"is_superuser\":true,\"is_active\"");
        }),
        ("a password", |lines| {
            let at = place(lines, "user");
            lines[at] = lines[at].replace("\"is_active\"", "\"password_hash\":\"x\",\"is_active\"");
        }),
        ("another tenant", |lines| {
            let at = place(lines, "tenant");
            lines[at] = lines[at].replace("\"acme\"", "\"globex\"");
        }),
        ("two tenants", |lines| lines.insert(2, lines[1].clone())),
        ("an id that leaves its folder", |lines| {
            for line in lines.iter_mut().take(2) {
                *line = line.replace("\"acme\"", "\"../acme\"");
            }
        }),
        ("no tenant", |lines| {
            lines.remove(1);
        }),
        ("another order", |lines| {
            let at = place(lines, "user");
            let user = lines.remove(at);
            lines.push(user);
        }),
        ("a segment too few", |lines| {
            let at = place(lines, "segment");
            lines.remove(at);
        }),
        ("a segment twice", |lines| {
            let at = place(lines, "segment");
            let segment = lines[at].clone();
            lines.insert(at, segment);
        }),
        ("a message of no conversation", |lines| {
            let at = place(lines, "conversation");
            lines.remove(at);
        }),
        ("an altered entry of the log", |lines| {
            let at = place(lines, "audit");
            lines[at] = lines[at].replace("tenant.created", "tenant.erased");
        }),
        ("hidden characters", |lines| {
            let at = place(lines, "segment");
            lines[at] = lines[at].replacen("Paragraph", "Paragrap\u{e0041}", 1);
        }),
    ];
    for (what, change) in changes {
        let refused = there.import(&forged(&archive, change), None);
        assert!(
            matches!(refused, Err(ImportError::Archive(_))),
            "{what}: {refused:?}"
        );
    }
    let twice = forged(&archive, |lines| {
        let at = place(lines, "conversation");
        let (one, two) = (lines[at].clone(), lines[at + 1].clone());
        lines.splice(at..at, [one, two]);
    });
    assert!(matches!(
        there.import(&twice, None),
        Err(ImportError::Contradiction)
    ));
    assert_eq!(there.store.inner().tenants(Page::default()).unwrap(), before);
    assert_eq!(
        there
            .store
            .users(&UserFilter::default(), Page::default())
            .unwrap()
            .total,
        1
    );
    assert!(there.import(&forged(&archive, |_| {}), None).is_ok());
}

#[test]
fn an_import_that_breaks_off_anywhere_leaves_nothing_and_may_be_made_again() {
    let here = World::new();
    here.filled("acme");
    let archive = here.export("acme");
    for method in ["begin_import", "import", "finish_import", "indexes", "segments"] {
        for lost in [false, true] {
            let there = World::new();
            let fails = move |called: &str| (called == method).then(unavailable);
            if lost {
                there.store.lose_when(fails);
            } else {
                there.store.fail_when(fails);
            }
            assert!(there.import(&archive, None).is_err(), "{method}");
            there.store.heal();
            if method == "finish_import" && lost {
                // It was whole, and only nobody was told so.
                assert_eq!(there.found("acme"), here.found("acme"));
                continue;
            }
            there.import(&archive, None).unwrap();
            assert_eq!(there.found("acme"), here.found("acme"), "{method}");
        }
    }
}

#[test]
fn an_import_that_was_killed_is_begun_anew() {
    let (here, there) = (World::new(), World::new());
    here.filled("acme");
    let archive = here.export("acme");
    // Whatever would clean up fails as well, as after a kill.
    there.store.fail_when(|called| {
        matches!(called, "finish_import" | "erase_some" | "abandon_import").then(unavailable)
    });
    assert!(there.import(&archive, None).is_err());
    there.store.heal();
    let half = there
        .store
        .tenant(&TenantId::parse("acme").unwrap())
        .unwrap()
        .unwrap();
    assert!(!half.is_active);
    there.import(&archive, None).unwrap();
    assert_eq!(there.found("acme"), here.found("acme"));
}

#[test]
fn an_erased_tenant_is_gone_with_its_vectors_and_the_receipt_says_so() {
    let world = World::new();
    let ada = world.filled("acme");
    world.filled("globex");
    let others = world.found("globex");
    let scope = world.scope("acme");
    let generation = tenantry_domain::Generation::FIRST;
    assert!(world.vectors.count(scope.index(generation)).unwrap() > 0);
    let receipt = world.erase("acme", RemoteVectors::Remove).unwrap();
    assert_eq!(world.vectors.count(scope.index(generation)).unwrap(), 0);
    assert_eq!(world.store.user(ada).unwrap(), None);
    assert_eq!(world.store.tenant(scope.id()).unwrap(), None);
    assert_eq!(world.found("globex"), others);
    assert_eq!((receipt.number, receipt.tenant.as_str()), (1, "acme"));
    assert_eq!(receipt.removed.get("documents"), Some(&2));
    assert_eq!(receipt.erased_by, "operator");
    let again = world.erase("acme", RemoteVectors::Remove).unwrap();
    assert_eq!(again, receipt, "the same receipt once more");
    assert!(matches!(
        world.erase("initech", RemoteVectors::Remove),
        Err(EraseError::UnknownTenant)
    ));
    assert!(
        world.import(&World::exported_acme(), None).is_err(),
        "no archive brings the id back"
    );
}

impl World {
    fn exported_acme() -> Vec<u8> {
        let world = Self::new();
        world.filled("acme");
        world.export("acme")
    }
}

#[test]
fn an_erasure_that_breaks_off_anywhere_goes_on() {
    for method in [
        "update_tenant",
        "users",
        "jobs",
        "generations",
        "erase_some",
        "finish_erasure",
        "erased_tenant",
        "vacuum",
    ] {
        for lost in [false, true] {
            let world = World::new();
            world.filled("acme");
            let fails = move |called: &str| (called == method).then(unavailable);
            if lost {
                world.store.lose_when(fails);
            } else {
                world.store.fail_when(fails);
            }
            assert!(world.erase("acme", RemoteVectors::Remove).is_err(), "{method}");
            world.store.heal();
            let receipt = world.erase("acme", RemoteVectors::Remove).unwrap();
            assert_eq!(receipt.removed.get("documents"), Some(&2), "{method} {lost}");
            assert_eq!(receipt.removed.get("users"), Some(&1), "{method} {lost}");
        }
    }
}

#[test]
fn a_superuser_leaves_the_tenant_and_stays() {
    let world = World::new();
    let ada = world.filled("acme");
    let rank = UserChange {
        is_superuser: Some(true),
        ..UserChange::default()
    };
    world.store.update_user(ada, &rank, world.now()).unwrap();
    world.erase("acme", RemoteVectors::Remove).unwrap();
    let user = world.store.user(ada).unwrap().unwrap();
    assert!(user.is_superuser && user.tenant.is_none());
}

#[test]
fn a_tenants_own_index_is_cleared_unless_it_is_to_be_left() {
    for remote in [RemoteVectors::Remove, RemoteVectors::Leave] {
        let world = World::new();
        world
            .catalog
            .accounts
            .set_account("pcsk_secret", vec![index("passages", 3)]);
        world
            .tenants
            .create(&world.root, with_key("keyed", "pcsk_secret", None))
            .unwrap();
        let scope = world.scope("keyed");
        world.store.indexes(&scope, None, world.now()).unwrap();
        world.erase("keyed", remote).unwrap();
        let opened = world.remote.opened.lock().unwrap().len();
        assert_eq!(opened, usize::from(remote == RemoteVectors::Remove));
        assert!(world.store.erased_tenant(scope.id()).unwrap().is_some());
    }
}

#[test]
fn a_receipt_is_verified_and_no_changed_one_is() {
    let world = World::new();
    world.filled("acme");
    let signer = Arc::new(MemoryReceiptSigner::default());
    let acme = TenantId::parse("acme").unwrap();
    let receipt = world
        .eraser(signer.clone())
        .erase(&world.root, &acme, RemoteVectors::Remove, &mut |_| {})
        .unwrap();
    let text = receipt.to_json();
    assert_eq!(Receipt::verify(&text, signer.as_ref()).unwrap(), receipt);
    let stranger = MemoryReceiptSigner::default();
    assert!(matches!(
        Receipt::verify(&text, &stranger),
        Err(ReceiptError::Altered)
    ));
    for (from, to) in [
        ("\"tenant\": \"acme\"", "\"tenant\": \"acmf\""),
        ("\"number\": 1", "\"number\": 2"),
        ("\"documents\": 2", "\"documents\": 3"),
        ("operator", "user 1"),
        ("Z\"", "+00:00\""),
    ] {
        let changed = text.replacen(from, to, 1);
        assert_ne!(changed, text, "{from}");
        assert!(Receipt::verify(&changed, signer.as_ref()).is_err(), "{from}");
    }
    assert!(matches!(
        Receipt::verify("{}", signer.as_ref()),
        Err(ReceiptError::NotAReceipt)
    ));
}
