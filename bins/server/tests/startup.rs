//! Whether the configured keys are let near a database, on every state that a database may be in.
#![cfg(test)]

use std::sync::{Arc, Barrier};
use std::thread;

use tempfile::TempDir;
use tenantry::config::{Config, SecretKeys};
use tenantry::startup::{DatabaseError, KeyError, Migrations, SALT_ROW, open_database, open_keys, prepare};
use tenantry_crypto::{Field, KeyRing, Sealer};
use tenantry_domain::{
    Actor, Clock, Ingesters, LlmProvider, PineconeSettings, Sealed, SealedSecret, SystemClock, Tenant,
    TenantId,
};
use tenantry_tenant_store::{
    DatabaseUrl, KeyDerivation, KeyState, KeyStateStore, SqlStore, TenantChange, TenantStore,
};

const KEY_A: &str = "6f1c0b7e94d85a23b1f60c9d7e8a4f3512bd67ce90a1f4837d5e2c6b08f9a1d4";
const KEY_B: &str = "0a9d4c7be3f25861d07f9b3c8e5a1426fb83d9e07c1a6542e9f0b8d37c5a4e61";
const PHRASE: &str = "correct horse battery staple";
const OTHER_PHRASE: &str = "incorrect donkey voltage clip";

struct Database {
    folder: TempDir,
    store: SqlStore,
}

fn database() -> Database {
    let folder = tempfile::tempdir().unwrap();
    let store = open_database(&url(&folder)).unwrap();
    prepare(&store, Migrations::Apply).unwrap();
    Database { folder, store }
}

fn url(folder: &TempDir) -> DatabaseUrl {
    DatabaseUrl::parse(&format!(
        "sqlite://{}",
        folder.path().join("tenantry.db").display()
    ))
    .unwrap()
}

fn configured(active: &str, previous: &str) -> SecretKeys {
    let lookup = |name: &str| match name {
        "SECRET_KEY" => Some(active.to_owned()),
        "SECRET_KEY_PREVIOUS" => Some(previous.to_owned()),
        "JWT_SECRET_KEY" => Some("kJ8vQz2LwN5rXb7TgYpC4mHs9DfEaR3uVi6ZoKx1".to_owned()),
        "DATABASE_URL" => Some("sqlite://unused.db".to_owned()),
        _ => None,
    };
    Config::from_lookup(lookup).unwrap().secret_keys
}

fn open(database: &Database, active: &str, previous: &str) -> Result<Arc<KeyRing>, KeyError> {
    open_keys(&database.store, configured(active, previous), &SystemClock)
}

fn seal_for(database: &Database, ring: &KeyRing, id: &str) -> Tenant {
    let id = TenantId::parse(id).unwrap();
    let sealed = ring
        .seal(Field::pinecone_api_key(&id), &"pcsk_hunter2".into())
        .unwrap();
    let now = SystemClock.now();
    let tenant = Tenant {
        id,
        name: "Acme".to_owned(),
        pinecone: PineconeSettings {
            api_key: Some(SealedSecret {
                sealed,
                last_four: "ter2".to_owned(),
            }),
            ..PineconeSettings::default()
        },
        system_prompt: None,
        search: tenantry_domain::SearchSettings::default(),
        chat: tenantry_domain::ChatSettings::default(),
        llm: None,
        ingesters: Ingesters::default(),
        is_active: true,
        created_at: now,
        updated_at: now,
    };
    database.store.create_tenant(&tenant, &Actor::system()).unwrap();
    tenant
}

/// A tenant whose own provider's key is its only secret.
fn seal_llm_key_for(database: &Database, ring: &KeyRing, id: &str) -> Tenant {
    let id = TenantId::parse(id).unwrap();
    let sealed = ring.seal(Field::llm_api_key(&id), &"sk-hunter2".into()).unwrap();
    let with_pinecone = seal_for(&self::database(), ring, id.as_str());
    let tenant = Tenant {
        pinecone: PineconeSettings::default(),
        llm: Some(LlmProvider {
            base_url: "https://llm.example.org/v1".to_owned(),
            api_key: Some(SealedSecret {
                sealed,
                last_four: "ter2".to_owned(),
            }),
        }),
        ..with_pinecone
    };
    database.store.create_tenant(&tenant, &Actor::system()).unwrap();
    tenant
}

fn known_keys(database: &Database) -> Vec<String> {
    let states = database.store.key_states().unwrap();
    states
        .into_iter()
        .map(|state| state.key_id)
        .filter(|id| id != SALT_ROW)
        .collect()
}

#[test]
fn the_first_start_remembers_the_key_and_the_second_finds_it() {
    let database = database();
    let first = open(&database, KEY_A, "").unwrap().active_key();
    assert_eq!(known_keys(&database), [first.to_string()]);
    assert_eq!(open(&database, KEY_A, "").unwrap().active_key(), first);
    assert_eq!(known_keys(&database).len(), 1);
}

#[test]
fn a_key_that_does_not_open_what_is_stored_is_refused_with_key_ids_alone() {
    let database = database();
    let right = open(&database, KEY_A, "").unwrap();
    seal_for(&database, &right, "acme");
    let error = open(&database, KEY_B, "").unwrap_err();
    let message = error.to_string();
    assert!(matches!(&error, KeyError::Mismatch { sealed_with, .. } if *sealed_with == [right.active_key()]));
    assert!(
        message.contains(&right.active_key().to_string()) && message.contains("SECRET_KEY_PREVIOUS"),
        "{message}"
    );
    assert!(!message.contains('\n'), "{message}");
    for secret in [KEY_A, KEY_B, "hunter2"] {
        assert!(!format!("{message} {error:?}").contains(secret), "{message}");
    }
    assert_eq!(known_keys(&database).len(), 1, "a refused key is not remembered");
}

#[test]
fn a_new_key_is_taken_while_nothing_is_sealed() {
    let database = database();
    open(&database, KEY_A, "").unwrap();
    open(&database, KEY_B, "").unwrap();
    assert_eq!(known_keys(&database).len(), 2);
}

#[test]
fn a_rotation_goes_key_by_key() {
    let database = database();
    let old = open(&database, KEY_A, "").unwrap();
    seal_for(&database, &old, "acme");
    assert_eq!(
        open(&database, KEY_A, KEY_B).unwrap().active_key(),
        old.active_key()
    );
    let new = open(&database, KEY_B, KEY_A).unwrap();
    seal_for(&database, &new, "globex");
    assert_ne!(new.active_key(), old.active_key());
    assert!(
        matches!(open(&database, KEY_B, ""), Err(KeyError::Mismatch { .. })),
        "acme still needs the old key"
    );
    assert!(
        matches!(open(&database, KEY_A, ""), Err(KeyError::Mismatch { .. })),
        "globex needs the new key"
    );
}

#[test]
fn a_restored_dump_without_canaries_is_proven_by_a_secret() {
    let original = database();
    let ring = open(&original, KEY_A, "").unwrap();
    let tenant = seal_for(&original, &ring, "acme");
    let restored = database();
    restored.store.create_tenant(&tenant, &Actor::system()).unwrap();
    assert!(matches!(
        open(&restored, KEY_B, ""),
        Err(KeyError::Mismatch { .. })
    ));
    assert_eq!(known_keys(&restored).len(), 0);
    open(&restored, KEY_A, "").unwrap();
    assert_eq!(known_keys(&restored), [ring.active_key().to_string()]);
}

#[test]
fn a_secret_that_does_not_open_proves_nothing() {
    let original = database();
    let ring = open(&original, KEY_A, "").unwrap();
    let acme = seal_for(&original, &ring, "acme");
    let restored = database();
    // The same sealed value in another tenant's row.
    restored
        .store
        .create_tenant(
            &Tenant {
                id: TenantId::parse("globex").unwrap(),
                ..acme
            },
            &Actor::system(),
        )
        .unwrap();
    assert!(matches!(
        open(&restored, KEY_A, ""),
        Err(KeyError::Unproven { .. })
    ));
    assert_eq!(known_keys(&restored).len(), 0);
}

#[test]
fn the_key_of_a_tenants_own_provider_is_a_secret_like_any_other() {
    let original = database();
    let ring = open(&original, KEY_A, "").unwrap();
    let acme = seal_llm_key_for(&original, &ring, "acme");
    assert!(matches!(
        open(&original, KEY_B, ""),
        Err(KeyError::Mismatch { sealed_with, .. }) if sealed_with == [ring.active_key()]
    ));
    let restored = database();
    restored.store.create_tenant(&acme, &Actor::system()).unwrap();
    open(&restored, KEY_A, "").unwrap();
    let moved = database();
    moved
        .store
        .create_tenant(
            &Tenant {
                id: TenantId::parse("globex").unwrap(),
                ..acme
            },
            &Actor::system(),
        )
        .unwrap();
    let error = open(&moved, KEY_A, "").unwrap_err().to_string();
    assert!(error.contains("the LLM provider key of tenant globex"), "{error}");
}

#[test]
fn a_record_that_belongs_to_another_key_is_refused() {
    let (one, other) = (database(), database());
    let id = open(&one, KEY_A, "").unwrap().active_key();
    open(&other, KEY_B, "").unwrap();
    let wrong = other.store.key_states().unwrap().remove(0);
    let changed = database();
    changed
        .store
        .remember_key(&KeyState {
            key_id: id.to_string(),
            ..wrong
        })
        .unwrap();
    assert!(matches!(open(&changed, KEY_A, ""), Err(KeyError::Canary(key)) if key == id));
}

#[test]
fn a_value_that_is_not_sealed_does_not_keep_the_server_down() {
    let database = database();
    let ring = open(&database, KEY_A, "").unwrap();
    let acme = seal_for(&database, &ring, "acme");
    let clear = SealedSecret {
        sealed: Sealed::from_stored("pcsk_hunter2".to_owned()),
        last_four: String::new(),
    };
    let change = TenantChange {
        pinecone_api_key: Some(Some(clear)),
        ..TenantChange::default()
    };
    database
        .store
        .update_tenant(&acme.id, &change, SystemClock.now())
        .unwrap();
    assert!(open(&database, KEY_A, "").is_ok());
}

#[test]
fn a_passphrase_is_the_same_key_at_every_start() {
    let database = database();
    let first = open(&database, PHRASE, "").unwrap();
    seal_for(&database, &first, "acme");
    assert_eq!(
        open(&database, PHRASE, "").unwrap().active_key(),
        first.active_key()
    );
    assert!(matches!(
        open(&database, OTHER_PHRASE, ""),
        Err(KeyError::Mismatch { .. })
    ));
    assert!(matches!(
        open(&database, KEY_A, ""),
        Err(KeyError::Mismatch { .. })
    ));
    let rotated = open(&database, OTHER_PHRASE, PHRASE).unwrap();
    assert_ne!(rotated.active_key(), first.active_key());
    assert!(open(&database, KEY_A, PHRASE).is_ok());
}

#[test]
fn the_same_passphrase_is_another_key_in_another_database() {
    let key = || open(&database(), PHRASE, "").unwrap().active_key();
    assert_ne!(key(), key());
}

#[test]
fn a_passphrase_without_its_salt_is_refused_and_no_new_salt_made() {
    let original = database();
    let ring = open(&original, PHRASE, "").unwrap();
    let tenant = seal_for(&original, &ring, "acme");
    let restored = database();
    restored.store.create_tenant(&tenant, &Actor::system()).unwrap();
    assert!(matches!(open(&restored, PHRASE, ""), Err(KeyError::SaltLost)));
    assert!(restored.store.key_states().unwrap().is_empty());
}

#[test]
fn a_passphrase_opens_what_was_sealed_under_an_earlier_salt() {
    let original = database();
    let ring = open(&original, PHRASE, "").unwrap();
    let tenant = seal_for(&original, &ring, "acme");
    let id = ring.active_key().to_string();
    let state = original
        .store
        .key_states()
        .unwrap()
        .into_iter()
        .find(|state| state.key_id == id)
        .unwrap();
    let merged = database();
    open(&merged, PHRASE, "").unwrap();
    merged.store.remember_key(&state).unwrap();
    merged.store.create_tenant(&tenant, &Actor::system()).unwrap();
    let ring = open(&merged, PHRASE, "").unwrap();
    let sealed = &tenant.pinecone.api_key.as_ref().unwrap().sealed;
    assert!(ring.open(Field::pinecone_api_key(&tenant.id), sealed).is_ok());
}

/// What five servers make of an empty database when they read its keys in the same moment.
fn five_at_once(key: &str) -> (Database, Vec<Arc<KeyRing>>) {
    let database = database();
    let start = Barrier::new(5);
    let rings = thread::scope(|scope| {
        let one = || {
            let store = open_database(&url(&database.folder)).unwrap();
            start.wait();
            open_keys(&store, configured(key, ""), &SystemClock).unwrap()
        };
        let threads: Vec<_> = (0..5).map(|_| scope.spawn(one)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    (database, rings)
}

#[test]
fn servers_that_start_at_once_agree_on_one_key() {
    for key in [KEY_A, PHRASE] {
        let (database, rings) = five_at_once(key);
        let first = rings.first().unwrap().active_key();
        assert!(rings.iter().all(|ring| ring.active_key() == first));
        assert_eq!(known_keys(&database), [first.to_string()]);
        assert_eq!(open(&database, key, "").unwrap().active_key(), first);
    }
}

#[test]
fn a_raw_key_needs_no_salt() {
    let database = database();
    open(&database, KEY_A, "").unwrap();
    let states = database.store.key_states().unwrap();
    assert!(states.iter().all(|state| state.derivation == KeyDerivation::Raw));
}

#[test]
fn pending_migrations_are_refused_when_they_are_not_to_be_applied() {
    let folder = tempfile::tempdir().unwrap();
    let store = open_database(&url(&folder)).unwrap();
    let error = prepare(&store, Migrations::Refuse).unwrap_err();
    assert!(matches!(&error, DatabaseError::Pending(pending) if !pending.is_empty()));
    assert!(error.to_string().contains("tenantry migrate"), "{error}");
    assert!(store.applied().unwrap().is_empty());
}

#[test]
fn a_database_that_cannot_be_opened_is_named() {
    let url = DatabaseUrl::parse("sqlite:///nowhere/at/all.db").unwrap();
    let error = open_database(&url).unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot reach the database at sqlite:///nowhere/at/all.db"
    );
}

#[test]
fn a_server_is_ready_on_a_database_that_knows_its_key_alone() {
    let database = database();
    let ring_a = open(&database, KEY_A, "").unwrap();
    let store = Arc::new(open_database(&url(&database.folder)).unwrap());
    let ready = |ring: &Arc<KeyRing>| {
        let vectors = database.folder.path().join("data");
        let lookup = |name: &str| match name {
            "SECRET_KEY" => Some(KEY_A.to_owned()),
            "JWT_SECRET_KEY" => Some("kJ8vQz2LwN5rXb7TgYpC4mHs9DfEaR3uVi6ZoKx1".to_owned()),
            "DATABASE_URL" => Some("sqlite://unused.db".to_owned()),
            "DATA_DIR" => Some(vectors.display().to_string()),
            "OPENAI_EMBEDDING_MODEL" => Some("none".to_owned()),
            _ => None,
        };
        let settings = Config::from_lookup(lookup).unwrap().settings;
        let wired = tenantry::wiring::wire(&settings, &store, ring, Arc::new(SystemClock)).unwrap();
        wired.app.readiness.check()
    };
    assert!(ready(&ring_a).is_ok());
    let elsewhere = self::database();
    let ring_b = open(&elsewhere, KEY_B, "").unwrap();
    assert!(ready(&ring_b).is_err());
}
