use std::fs;
use std::path::Path;
use std::sync::Arc;

use crate::conformance::{self, Capabilities, chunk, document, embedding, scope};
use crate::{EmbeddedOptions, EmbeddedVectorStore, VectorError, VectorQuery, VectorStore};
use tenantry_domain::{Embedding, TopK};

fn open(folder: &Path) -> EmbeddedVectorStore {
    EmbeddedVectorStore::open(folder, EmbeddedOptions::default()).unwrap()
}

fn by_words(text: &str) -> VectorQuery<'_> {
    VectorQuery {
        text,
        embedding: None,
        limit: TopK::new(10).unwrap(),
    }
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn it_keeps_the_promises_of_a_vector_store() {
    let folder = tempfile::tempdir().unwrap();
    conformance::vector_store(&open(folder.path()), Capabilities { lexical: true });
}

#[test]
fn it_keeps_them_with_one_open_file() {
    let folder = tempfile::tempdir().unwrap();
    let options = EmbeddedOptions {
        open_files: 0,
        ..EmbeddedOptions::default()
    };
    let store = EmbeddedVectorStore::open(folder.path(), options).unwrap();
    conformance::vector_store(&store, Capabilities { lexical: true });
}

#[test]
fn only_a_write_of_something_makes_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    assert_eq!(store.search(&scope("acme"), by_words("apples")).unwrap(), []);
    assert_eq!(store.count(&scope("acme")).unwrap(), 0);
    store.remove_document(&scope("acme"), document(1)).unwrap();
    store.clear(&scope("acme")).unwrap();
    store.upsert(&scope("acme"), &[]).unwrap();
    let mixed = [
        chunk(document(1), 0, "a", Some(&[1.0])),
        chunk(document(1), 1, "b", Some(&[1.0, 2.0])),
    ];
    assert!(store.upsert(&scope("acme"), &mixed).is_err());
    assert_eq!(names(folder.path()), Vec::<String>::new());
}

#[test]
fn clearing_removes_the_file_and_its_journal() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    for tenant in ["acme", "globex"] {
        store
            .upsert(&scope(tenant), &[chunk(document(1), 0, "apples", None)])
            .unwrap();
        assert_eq!(store.search(&scope(tenant), by_words("apples")).unwrap().len(), 1);
    }
    store.clear(&scope("acme")).unwrap();
    assert!(
        names(folder.path())
            .iter()
            .all(|name| name.starts_with("globex.sqlite"))
    );
    assert_eq!(store.count(&scope("globex")).unwrap(), 1);
}

#[cfg(unix)]
#[test]
fn files_and_folder_are_their_owners_alone() {
    use std::os::unix::fs::PermissionsExt;

    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("a/vectors");
    let store = open(&folder);
    store
        .upsert(&scope("acme"), &[chunk(document(1), 0, "apples", None)])
        .unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    for name in names(&folder) {
        assert_eq!(mode(&folder.join(&name)), 0o600, "{name}");
    }
}

#[test]
fn another_process_s_writes_are_seen() {
    let folder = tempfile::tempdir().unwrap();
    let (server, command) = (open(folder.path()), open(folder.path()));
    server
        .upsert(&scope("acme"), &[chunk(document(1), 0, "apples", None)])
        .unwrap();
    assert_eq!(server.search(&scope("acme"), by_words("pears")).unwrap(), []);
    command
        .upsert(&scope("acme"), &[chunk(document(2), 0, "pears", None)])
        .unwrap();
    assert_eq!(server.search(&scope("acme"), by_words("pears")).unwrap().len(), 1);
}

#[cfg(unix)]
#[test]
fn a_tenant_cleared_by_another_process_is_not_served_from_an_open_file() {
    let folder = tempfile::tempdir().unwrap();
    let (server, command) = (open(folder.path()), open(folder.path()));
    server
        .upsert(&scope("acme"), &[chunk(document(1), 0, "old apples", None)])
        .unwrap();
    assert_eq!(
        server.search(&scope("acme"), by_words("apples")).unwrap().len(),
        1
    );
    command.clear(&scope("acme")).unwrap();
    assert_eq!(server.search(&scope("acme"), by_words("apples")).unwrap(), []);
    command
        .upsert(&scope("acme"), &[chunk(document(1), 0, "new apples", None)])
        .unwrap();
    server
        .upsert(&scope("acme"), &[chunk(document(2), 0, "more apples", None)])
        .unwrap();
    let found = command.search(&scope("acme"), by_words("apples")).unwrap();
    assert_eq!(found.len(), 2);
    assert!(found.iter().all(|found| found.chunk.text != "old apples"));
}

#[test]
fn a_damaged_file_is_refused_by_its_tenant_s_name() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    fs::write(
        folder.path().join("acme.sqlite"),
        "this is no database, but long enough to be read as one".repeat(100),
    )
    .unwrap();
    let failures = [
        store.search(&scope("acme"), by_words("apples")).map(drop),
        store.upsert(&scope("acme"), &[chunk(document(1), 0, "apples", None)]),
        store.remove_document(&scope("acme"), document(1)),
        store.count(&scope("acme")).map(drop),
    ];
    for failure in failures {
        let Err(VectorError::Refused(source)) = failure else {
            panic!("{failure:?}")
        };
        assert!(source.to_string().contains("tenant acme is damaged"), "{source}");
    }
    store.clear(&scope("acme")).unwrap();
    store
        .upsert(&scope("acme"), &[chunk(document(1), 0, "apples", None)])
        .unwrap();
    assert_eq!(store.count(&scope("acme")).unwrap(), 1);
}

#[test]
fn a_file_that_was_damaged_in_the_middle_is_an_error_and_no_panic() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let many: Vec<_> = (0..300)
        .map(|n| chunk(document(1), n, &format!("apples {n}"), Some(&[1.0, 2.0, 3.0])))
        .collect();
    store.upsert(&scope("acme"), &many).unwrap();
    drop(store);
    let path = folder.path().join("acme.sqlite");
    let mut bytes = fs::read(&path).unwrap();
    let from = bytes.len() / 8;
    bytes[from..].fill(0x5a);
    fs::write(&path, bytes).unwrap();
    let wanted = embedding(&[1.0, 2.0, 3.0]);
    let query = VectorQuery {
        embedding: Some(&wanted),
        ..by_words("apples")
    };
    let failure = open(folder.path()).search(&scope("acme"), query);
    assert!(
        matches!(
            failure,
            Err(VectorError::Refused(_) | VectorError::Unavailable(_))
        ),
        "{failure:?}"
    );
}

#[test]
fn a_file_of_a_later_version_is_refused() {
    use diesel::connection::SimpleConnection;
    use diesel::{Connection, SqliteConnection};

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("acme.sqlite");
    let mut conn = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    conn.batch_execute("PRAGMA user_version = 2").unwrap();
    let failure = open(folder.path()).count(&scope("acme")).unwrap_err();
    let VectorError::Refused(source) = failure else {
        panic!("{failure:?}")
    };
    assert!(source.source().unwrap().to_string().contains("version 2"));
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let failure = EmbeddedVectorStore::open(&file.join("below"), EmbeddedOptions::default()).unwrap_err();
    let VectorError::Unavailable(source) = failure else {
        panic!("{failure:?}")
    };
    assert!(source.to_string().contains("file/below"), "{source}");
}

#[test]
fn searches_writes_and_clears_at_one_time_neither_fail_nor_mix_tenants() {
    let folder = tempfile::tempdir().unwrap();
    let options = EmbeddedOptions {
        open_files: 1,
        ..EmbeddedOptions::default()
    };
    let store = Arc::new(EmbeddedVectorStore::open(folder.path(), options).unwrap());
    let workers = (0..8_u8).map(|worker| {
        let store = store.clone();
        std::thread::spawn(move || {
            let tenant = scope(["acme", "globex"][usize::from(worker % 2)]);
            let own = format!("apples of {}", tenant.id());
            for round in 0..20_u32 {
                store
                    .upsert(
                        &tenant,
                        &[chunk(document(worker), round, &own, Some(&[1.0, 0.5]))],
                    )
                    .unwrap();
                let found = store.search(&tenant, by_words("apples")).unwrap();
                assert!(found.iter().all(|found| found.chunk.text == own), "{found:?}");
                if round % 7 == 6 {
                    store.clear(&tenant).unwrap();
                }
            }
        })
    });
    for worker in workers.collect::<Vec<_>>() {
        worker.join().unwrap();
    }
}

#[test]
fn sketches_lose_next_to_none_of_the_nearest() {
    let folder = tempfile::tempdir().unwrap();
    let options = EmbeddedOptions {
        rescored: 400,
        ..EmbeddedOptions::default()
    };
    let store = EmbeddedVectorStore::open(folder.path(), options).unwrap();
    let mut numbers = Numbers(7);
    // Like texts: each speaks mostly of one of 200 subjects.
    let subjects: Vec<_> = (0..200).map(|_| numbers.vector(384)).collect();
    let embeddings: Vec<_> = (0..2_000).map(|n| numbers.about(&subjects[n % 200])).collect();
    let mut chunks: Vec<_> = (0..2_000).map(|n| chunk(document(1), n, "", None)).collect();
    for (chunk, embedding) in chunks.iter_mut().zip(&embeddings) {
        chunk.embedding = Some(embedding.clone());
    }
    store.upsert(&scope("acme"), &chunks).unwrap();
    let mut kept = 0;
    for subject in &subjects[..20] {
        let wanted = numbers.about(subject);
        let mut exact: Vec<_> = (0_u32..)
            .zip(&embeddings)
            .map(|(n, other)| (wanted.cosine(other).unwrap(), n))
            .collect();
        exact.sort_by(|a, b| b.0.total_cmp(&a.0));
        let query = VectorQuery {
            embedding: Some(&wanted),
            ..by_words("")
        };
        let found = store.search(&scope("acme"), query).unwrap();
        kept += exact[..10]
            .iter()
            .filter(|(_, n)| found.iter().any(|found| found.chunk.ordinal == *n))
            .count();
        if found[0].chunk.ordinal == exact[0].1 {
            assert!((found[0].score.dense.unwrap() - exact[0].0).abs() < 1e-5);
        }
    }
    assert!(kept >= 190, "{kept} of 200");
}

#[test]
fn a_word_that_most_of_a_large_collection_has_is_searched_for_only_alone() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let text = |n: u32| if n == 777 { "und Rückerstattung" } else { "und" };
    let chunks: Vec<_> = (0..10_000)
        .map(|n| chunk(document(1), n, text(n), None))
        .collect();
    store.upsert(&scope("acme"), &chunks).unwrap();
    let found = store
        .search(&scope("acme"), by_words("und die Rückerstattung"))
        .unwrap();
    assert_eq!(
        found.iter().map(|found| found.chunk.ordinal).collect::<Vec<_>>(),
        [777]
    );
    assert_eq!(store.search(&scope("acme"), by_words("und")).unwrap().len(), 10);
}

/// A small generator (xorshift64) so that every run sees the same numbers.
struct Numbers(u64);

impl Numbers {
    fn vector(&mut self, dimension: usize) -> Vec<f32> {
        // The sum of a few uniform numbers is near enough to a normal one.
        (0..dimension)
            .map(|_| (0..4).map(|_| self.next()).sum())
            .collect()
    }

    fn about(&mut self, subject: &[f32]) -> Embedding {
        let own = self.vector(subject.len());
        Embedding::new(
            subject
                .iter()
                .zip(own)
                .map(|(subject, own)| subject + 1.5 * own)
                .collect(),
        )
        .unwrap()
    }

    fn next(&mut self) -> f32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        f32::from(u16::try_from(self.0 >> 48).unwrap()) / 65_536.0 - 0.5
    }
}
