use std::fs;
use std::path::Path;
use std::sync::Arc;

use diesel::connection::SimpleConnection;
use diesel::{Connection, SqliteConnection};
use tenantry_domain::{
    DocumentVersion, Embedding, Filter, Generation, Metadata, MetadataValue, TenantScope, TopK,
};

use crate::conformance::{self, Capabilities, chunk, document, embedding, metadata, scope, version};
use crate::{
    EmbeddedOptions, EmbeddedVectorStore, IndexedChunk, Match, StoredVersion, VectorError, VectorQuery,
    VectorStore,
};

fn open(folder: &Path) -> EmbeddedVectorStore {
    EmbeddedVectorStore::open(folder, EmbeddedOptions::default()).unwrap()
}

fn by_words(text: &str) -> VectorQuery<'_> {
    VectorQuery::words(text, TopK::new(10).unwrap())
}

/// A tenant's first index.
struct Tenant<'s> {
    store: &'s EmbeddedVectorStore,
    scope: TenantScope,
}

fn tenant<'s>(store: &'s EmbeddedVectorStore, id: &str) -> Tenant<'s> {
    Tenant {
        store,
        scope: scope(id),
    }
}

impl Tenant<'_> {
    fn put(&self, of: DocumentVersion, chunks: &[IndexedChunk]) -> Result<(), VectorError> {
        let index = self.scope.index(Generation::FIRST);
        self.store.upsert(index, of, &Metadata::default(), chunks)
    }

    fn put_text(&self, n: u8, text: &str) {
        self.put(version(n, 1), &[chunk(0, text, None)]).unwrap();
    }

    fn search(&self, query: VectorQuery<'_>) -> Result<Vec<Match>, VectorError> {
        self.store.search(self.scope.index(Generation::FIRST), query)
    }

    fn found(&self, text: &str) -> usize {
        self.search(by_words(text)).unwrap().len()
    }

    fn remove(&self, n: u8) -> Result<(), VectorError> {
        self.store
            .remove(self.scope.index(Generation::FIRST), document(n), None)
    }

    fn clear(&self) {
        self.store.clear(self.scope.index(Generation::FIRST)).unwrap();
    }

    fn count(&self) -> Result<u64, VectorError> {
        self.store.count(self.scope.index(Generation::FIRST))
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
    conformance::vector_store(&open(folder.path()), Capabilities::HYBRID);
}

#[test]
fn it_keeps_them_with_one_open_file() {
    let folder = tempfile::tempdir().unwrap();
    let options = EmbeddedOptions {
        open_files: 0,
        ..EmbeddedOptions::default()
    };
    let store = EmbeddedVectorStore::open(folder.path(), options).unwrap();
    conformance::vector_store(&store, Capabilities::HYBRID);
}

#[test]
fn no_tenant_sees_another_one_s() {
    for seed in 1..=3 {
        let folder = tempfile::tempdir().unwrap();
        conformance::isolation(&open(folder.path()), Capabilities::HYBRID, seed, 200);
    }
}

#[test]
fn only_a_write_of_something_makes_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let acme = tenant(&store, "acme");
    assert_eq!(acme.found("apples"), 0);
    assert_eq!(acme.count().unwrap(), 0);
    acme.remove(1).unwrap();
    acme.clear();
    acme.put(version(1, 1), &[]).unwrap();
    let mixed = [chunk(0, "a", Some(&[1.0])), chunk(1, "b", Some(&[1.0, 2.0]))];
    assert!(acme.put(version(1, 1), &mixed).is_err());
    assert_eq!(names(folder.path()), Vec::<String>::new());
}

#[test]
fn clearing_removes_the_file_and_its_journal() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let tenants = ["acme", "globex"].map(|id| tenant(&store, id));
    for tenant in &tenants {
        tenant.put_text(1, "apples");
        assert_eq!(tenant.found("apples"), 1);
    }
    tenants[0].clear();
    assert!(
        names(folder.path())
            .iter()
            .all(|name| name.starts_with("globex.sqlite"))
    );
    assert_eq!(tenants[1].count().unwrap(), 1);
}

#[cfg(unix)]
#[test]
fn files_and_folder_are_their_owners_alone() {
    use std::os::unix::fs::PermissionsExt;

    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("a/vectors");
    tenant(&open(&folder), "acme").put_text(1, "apples");
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
    let (server, command) = (tenant(&server, "acme"), tenant(&command, "acme"));
    server.put_text(1, "apples");
    assert_eq!(server.found("pears"), 0);
    command.put_text(2, "pears");
    assert_eq!(server.found("pears"), 1);
}

#[cfg(unix)]
#[test]
fn a_tenant_cleared_by_another_process_is_not_served_from_an_open_file() {
    let folder = tempfile::tempdir().unwrap();
    let (server, command) = (open(folder.path()), open(folder.path()));
    let (server, command) = (tenant(&server, "acme"), tenant(&command, "acme"));
    server.put_text(1, "old apples");
    assert_eq!(server.found("apples"), 1);
    command.clear();
    assert_eq!(server.found("apples"), 0);
    command.put_text(1, "new apples");
    server.put_text(2, "more apples");
    let found = command.search(by_words("apples")).unwrap();
    assert_eq!(found.len(), 2);
    assert!(found.iter().all(|found| found.chunk.text != "old apples"));
}

#[test]
fn a_damaged_file_is_refused_by_its_tenant_s_name() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let acme = tenant(&store, "acme");
    fs::write(
        folder.path().join("acme.sqlite"),
        "this is no database, but long enough to be read as one".repeat(100),
    )
    .unwrap();
    let failures = [
        acme.search(by_words("apples")).map(drop),
        acme.put(version(1, 1), &[chunk(0, "apples", None)]),
        acme.remove(1),
        acme.count().map(drop),
    ];
    for failure in failures {
        let Err(VectorError::Refused(source)) = failure else {
            panic!("{failure:?}")
        };
        assert!(source.to_string().contains("tenant acme is damaged"), "{source}");
    }
    acme.clear();
    acme.put_text(1, "apples");
    assert_eq!(acme.count().unwrap(), 1);
}

#[test]
fn a_file_that_was_damaged_in_the_middle_is_an_error_and_no_panic() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let many: Vec<_> = (0..300)
        .map(|n| chunk(n, &format!("apples {n}"), Some(&[1.0, 2.0, 3.0])))
        .collect();
    tenant(&store, "acme").put(version(1, 1), &many).unwrap();
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
    let failure = tenant(&open(folder.path()), "acme").search(query);
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
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("acme.sqlite");
    let mut conn = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    conn.batch_execute("PRAGMA user_version = 3").unwrap();
    let failure = tenant(&open(folder.path()), "acme").count().unwrap_err();
    let VectorError::Refused(source) = failure else {
        panic!("{failure:?}")
    };
    assert!(source.source().unwrap().to_string().contains("version 3"));
}

/// A file as the version before made it: documents 1 and 2 with two and one chunks, one of them with an embedding.
fn former_file(folder: &Path) {
    let path = folder.join("acme.sqlite");
    let mut conn = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    let id = |n| document(n).as_uuid().simple().to_string();
    let vector = |values: [f32; 2]| {
        let bytes = values.iter().flat_map(|value| value.to_ne_bytes());
        bytes.fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
    };
    conn.batch_execute(&format!(
        "PRAGMA journal_mode = WAL;
         CREATE TABLE meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
         CREATE TABLE chunks (
             id INTEGER PRIMARY KEY, document BLOB NOT NULL, ordinal INTEGER NOT NULL, span_start INTEGER NOT NULL,
             span_end INTEGER NOT NULL, text TEXT NOT NULL, UNIQUE (document, ordinal)
         );
         CREATE TABLE embeddings (id INTEGER PRIMARY KEY, value BLOB NOT NULL);
         CREATE TABLE sketches (id INTEGER PRIMARY KEY, bits BLOB NOT NULL);
         CREATE VIRTUAL TABLE terms USING fts5(text, content='', contentless_delete=1, tokenize='porter unicode61');
         PRAGMA user_version = 1;
         INSERT INTO meta VALUES ('dimension', 2);
         INSERT INTO chunks VALUES (1, x'{one}', 0, 0, 6, 'apples'), (2, x'{one}', 1, 5, 10, 'pears'),
             (3, x'{two}', 0, 0, 6, 'plums');
         INSERT INTO terms (rowid, text) VALUES (1, ' apples'), (2, ' pears'), (3, ' plums');
         INSERT INTO embeddings VALUES (2, x'{vector}');
         INSERT INTO sketches VALUES (2, x'03');",
        one = id(1),
        two = id(2),
        vector = vector([0.6, 0.8]),
    ))
    .unwrap();
}

#[test]
fn a_file_of_the_version_before_is_changed_by_the_first_use_and_loses_nothing() {
    let first_uses: [fn(&Tenant<'_>); 4] = [
        |tenant| assert_eq!(tenant.found("apples"), 1),
        |tenant| assert_eq!(tenant.count().unwrap(), 3),
        |tenant| tenant.put_text(3, "quinces"),
        |tenant| tenant.remove(3).unwrap(),
    ];
    for first_use in first_uses {
        let folder = tempfile::tempdir().unwrap();
        former_file(folder.path());
        let (server, other) = (open(folder.path()), open(folder.path()));
        let acme = tenant(&server, "acme");
        first_use(&acme);
        acme.remove(3).unwrap();
        let contents = other.contents(acme.scope.index(Generation::FIRST)).unwrap();
        let stored = |of, chunks, embedded| StoredVersion { of, chunks, embedded };
        assert_eq!(
            contents,
            [stored(version(1, 1), 2, 1), stored(version(2, 1), 1, 0)]
        );
        let wanted = embedding(&[0.6, 0.8]);
        let query = VectorQuery {
            embedding: Some(&wanted),
            ..by_words("pears")
        };
        let found = acme.search(query).unwrap();
        assert_eq!((found.len(), found[0].of), (1, version(1, 1)));
        assert_eq!(
            (found[0].score.dense_rank, found[0].score.lexical_rank),
            (Some(1), Some(1))
        );
        let expected = chunk(1, "pears", None).chunk;
        assert_eq!(
            (found[0].chunk.text.as_str(), found[0].chunk.ordinal),
            (expected.text.as_str(), 1)
        );
        acme.put(version(1, 2), &[chunk(0, "apples", Some(&[1.0, 0.0]))])
            .unwrap();
        acme.remove(2).unwrap();
        assert_eq!((acme.found("apples"), acme.found("plums")), (2, 0));
    }
}

#[test]
fn a_file_of_the_version_before_is_changed_once_when_many_open_it() {
    for _ in 0..5 {
        let folder = tempfile::tempdir().unwrap();
        former_file(folder.path());
        let servers = [(); 2].map(|()| Arc::new(open(folder.path())));
        let searches = (0..8).map(|n| {
            let server = servers[n % 2].clone();
            std::thread::spawn(move || tenant(&server, "acme").found("apples pears plums"))
        });
        for search in searches.collect::<Vec<_>>() {
            assert_eq!(search.join().unwrap(), 3);
        }
    }
}

#[test]
fn a_change_to_this_version_that_fails_leaves_the_file_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    former_file(folder.path());
    let path = folder.path().join("acme.sqlite");
    let mut conn = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    // The last of the tables to be made is in the way.
    conn.batch_execute("CREATE TABLE texts (id INTEGER)").unwrap();
    let store = open(folder.path());
    let acme = tenant(&store, "acme");
    assert!(acme.count().is_err());
    conn.batch_execute("DROP TABLE texts").unwrap();
    assert_eq!(acme.count().unwrap(), 3);
    assert_eq!(acme.found("apples"), 1);
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
            let tenant = tenant(&store, ["acme", "globex"][usize::from(worker % 2)]);
            let own = format!("apples of {}", tenant.scope.id());
            for round in 0..20_u32 {
                let one = [chunk(round, &own, Some(&[1.0, 0.5]))];
                tenant.put(version(worker, 1), &one).unwrap();
                let found = tenant.search(by_words("apples")).unwrap();
                assert!(found.iter().all(|found| found.chunk.text == own), "{found:?}");
                if round % 7 == 6 {
                    tenant.clear();
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
    let mut chunks: Vec<_> = (0..2_000).map(|n| chunk(n, "", None)).collect();
    for (chunk, embedding) in chunks.iter_mut().zip(&embeddings) {
        chunk.embedding = Some(embedding.clone());
    }
    let acme = tenant(&store, "acme");
    acme.put(version(1, 1), &chunks).unwrap();
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
        let found = acme.search(query).unwrap();
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
fn a_filter_is_searched_exactly_where_it_lets_few_through() {
    let folder = tempfile::tempdir().unwrap();
    let options = EmbeddedOptions {
        rescored: 100,
        ..EmbeddedOptions::default()
    };
    let store = EmbeddedVectorStore::open(folder.path(), options).unwrap();
    let acme = tenant(&store, "acme");
    let index = acme.scope.index(Generation::FIRST);
    let mut numbers = Numbers(11);
    let wanted = numbers.about(&[0.0; 64]);
    let language = |language: &str| metadata([("lang", MetadataValue::Text(language.to_owned()))]);
    // What fits best is in the other language, so that it fills the sketches' best.
    let near = numbered(500, || {
        numbers.about(&wanted.as_slice().iter().map(|n| n * 40.0).collect::<Vec<_>>())
    });
    store
        .upsert(index, version(1, 1), &language("en"), &near)
        .unwrap();
    let far = numbered(100, || numbers.about(&[0.0; 64]));
    store.upsert(index, version(2, 1), &language("is"), &far).unwrap();
    let mut exact: Vec<_> = far
        .iter()
        .map(|far| {
            (
                far.embedding.as_ref().unwrap().cosine(&wanted).unwrap(),
                far.chunk.ordinal,
            )
        })
        .collect();
    exact.sort_by(|a, b| b.0.total_cmp(&a.0));
    let filter = Filter::Eq("lang".to_owned(), MetadataValue::Text("is".to_owned()));
    let query = VectorQuery {
        embedding: Some(&wanted),
        filter: Some(&filter),
        ..by_words("")
    };
    let found = acme.search(query).unwrap();
    let found: Vec<_> = found
        .iter()
        .map(|found| (found.of, found.chunk.ordinal))
        .collect();
    let expected: Vec<_> = exact[..10]
        .iter()
        .map(|(_, ordinal)| (version(2, 1), *ordinal))
        .collect();
    assert_eq!(found, expected);
}

fn numbered(count: u32, mut embedding: impl FnMut() -> Embedding) -> Vec<IndexedChunk> {
    let one = |n| IndexedChunk {
        embedding: Some(embedding()),
        ..chunk(n, "", None)
    };
    (0..count).map(one).collect()
}

#[test]
fn a_word_that_most_of_a_large_index_has_is_searched_for_only_alone() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let acme = tenant(&store, "acme");
    let text = |n: u32| if n == 777 { "und Rückerstattung" } else { "und" };
    let chunks: Vec<_> = (0..10_000).map(|n| chunk(n, text(n), None)).collect();
    acme.put(version(1, 1), &chunks).unwrap();
    let found = acme.search(by_words("und die Rückerstattung")).unwrap();
    assert_eq!(
        found.iter().map(|found| found.chunk.ordinal).collect::<Vec<_>>(),
        [777]
    );
    assert_eq!(acme.found("und"), 10);
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
