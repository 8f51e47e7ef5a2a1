//! What becomes of sealed secrets when the key that seals them is changed.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use secrecy::ExposeSecret;
use tenantry_crypto::{KeyId, MemorySealer, OpenError, Sealer};
use tenantry_domain::{
    Actor, Clock, LlmProvider, ManualClock, Sealed, SealedSecret, Tenant, TenantId, Timestamp,
};
use tenantry_retrieval::{KeyRole, NewTenant, RotateError, Rotation, Secrets, Superuser, secret_field};
use tenantry_tenant_store::testing::{FailingStore, unavailable};
use tenantry_tenant_store::{
    KeyDerivation, KeyState, KeyStateStore, MemoryStore, SecretKind, StoreError, TenantChange, TenantStore,
};

use crate::support::World;

const OLD: KeyId = KeyId::from_bytes([1; 8]);
const NEW: KeyId = KeyId::from_bytes([2; 8]);

/// A store whose secrets were sealed with the old key, and a sealer to which it is the previous one.
struct Vault {
    store: Arc<FailingStore<MemoryStore>>,
    sealer: Arc<MemorySealer>,
    clock: Arc<ManualClock>,
    secrets: Secrets,
}

impl Vault {
    /// With that many tenants, each with a Pinecone key and a key of its own provider.
    fn of(tenants: usize) -> Self {
        let world = World::new();
        let sealer = Arc::new(MemorySealer::new(OLD));
        let vault = Self {
            secrets: Secrets::new(world.store.clone(), sealer.clone(), world.clock.clone()),
            store: world.store.clone(),
            clock: world.clock.clone(),
            sealer,
        };
        vault.remember(OLD);
        for number in 0..tenants {
            let id = TenantId::parse(&format!("t{number:04}")).unwrap();
            world
                .tenants
                .create(&Superuser::operator(), NewTenant::named(id.clone(), "T"))
                .unwrap();
            for kind in SecretKind::ALL {
                vault.put(&id, kind, vault.seal(&id, kind));
            }
        }
        vault
    }

    /// The same, after the keys were swapped.
    fn swapped(tenants: usize) -> Self {
        let vault = Self::of(tenants);
        vault.clock.advance(std::time::Duration::from_mins(1));
        vault.sealer.rotate(NEW);
        vault.remember(NEW);
        vault
    }

    fn remember(&self, key: KeyId) {
        // No tenant has this place; the text names the key, as a canary does.
        let canary = self.seal(&TenantId::parse("canary").unwrap(), SecretKind::LlmApiKey);
        let state = KeyState {
            key_id: key.to_string(),
            canary,
            derivation: KeyDerivation::Raw,
            created_at: self.clock.now(),
        };
        self.store.remember_key(&state).unwrap();
    }

    fn seal(&self, id: &TenantId, kind: SecretKind) -> Sealed {
        let secret = format!("{id} {kind}").into();
        self.sealer.seal(secret_field(kind, id), &secret).unwrap()
    }

    fn put(&self, id: &TenantId, kind: SecretKind, sealed: Sealed) {
        let secret = SealedSecret {
            sealed,
            last_four: "wxyz".into(),
        };
        let change = match kind {
            SecretKind::PineconeApiKey => TenantChange {
                pinecone_api_key: Some(Some(secret)),
                ..TenantChange::default()
            },
            SecretKind::LlmApiKey => TenantChange {
                llm: Some(Some(LlmProvider {
                    base_url: "https://llm.example.org/v1".into(),
                    api_key: Some(secret),
                })),
                ..TenantChange::default()
            },
        };
        let changed = self.store.update_tenant(id, &change, self.clock.now()).unwrap();
        assert!(changed.is_some());
    }

    fn tenant(&self, id: &str) -> Tenant {
        let tenant = self.store.tenant(&TenantId::parse(id).unwrap()).unwrap();
        tenant.unwrap()
    }

    fn rotate(&self) -> Result<Rotation, RotateError> {
        self.secrets.rotate(&Actor::system(), |_| {})
    }

    /// How many secrets are sealed with the old key, and with the new one.
    fn counts(&self) -> [u64; 2] {
        let report = self.secrets.status().unwrap();
        [OLD, NEW].map(|id| {
            let mut of = report.keys.iter().filter(|key| key.key == id);
            of.next().map_or(0, |key| key.secrets)
        })
    }
}

#[test]
fn every_secret_is_sealed_anew_and_is_the_same_secret() {
    let vault = Vault::swapped(120);
    let before = vault.tenant("t0007");
    let mut told = Vec::new();
    let done = vault
        .secrets
        .rotate(&Actor::system(), |so_far| told.push(so_far.total()))
        .unwrap();
    assert_eq!(done.resealed, [(OLD, 240)].into());
    assert!(done.unopened.is_empty());
    assert_eq!(told, [100, 200, 240]);
    assert_eq!(vault.counts(), [0, 240]);
    let after = vault.tenant("t0007");
    assert_eq!(after.updated_at, before.updated_at);
    for kind in SecretKind::ALL {
        let (old, new) = (kind.of(&before).unwrap(), kind.of(&after).unwrap());
        assert_ne!(old.sealed, new.sealed);
        assert_eq!(old.last_four, new.last_four);
        let opened = vault
            .sealer
            .open(secret_field(kind, &after.id), &new.sealed)
            .unwrap();
        assert_eq!(opened.expose_secret(), format!("t0007 {kind}"));
    }
    let verified = vault.secrets.verify().unwrap();
    assert_eq!((verified.opened, verified.unopened.len()), (240, 0));
    assert!(
        vault.rotate().unwrap().resealed.is_empty(),
        "nothing is left to do"
    );
}

/// A script that fails the call of that method after so many.
fn after(calls: usize) -> impl Fn(&str) -> Option<StoreError> + Send + Sync + 'static {
    let made = AtomicUsize::new(0);
    move |method| (method == "reseal" && made.fetch_add(1, Ordering::SeqCst) == calls).then(unavailable)
}

#[test]
fn what_broke_off_goes_on_where_it_was() {
    let vault = Vault::swapped(60);
    vault.store.fail_when(after(70));
    assert!(matches!(vault.rotate(), Err(RotateError::Store(_))));
    assert_eq!(vault.counts(), [50, 70]);
    vault.store.heal();
    vault.store.lose_when(after(10));
    assert!(matches!(vault.rotate(), Err(RotateError::Store(_))));
    assert_eq!(
        vault.counts(),
        [39, 81],
        "what was done stands, although nobody heard of it"
    );
    vault.store.heal();
    assert_eq!(vault.rotate().unwrap().resealed, [(OLD, 39)].into());
    assert_eq!(vault.counts(), [0, 120]);
}

#[test]
fn what_somebody_changes_meanwhile_is_sealed_anew_too_and_never_overwritten() {
    let vault = Vault::of(1);
    let id = TenantId::parse("t0000").unwrap();
    let kind = SecretKind::PineconeApiKey;
    // A server that does not know of the new key yet goes on sealing with the old one.
    let by_another = Mutex::new(vec![vault.seal(&id, kind), vault.seal(&id, kind)]);
    vault.sealer.rotate(NEW);
    let store = vault.store.clone();
    vault.store.fail_when(move |method| {
        let next = (method == "reseal")
            .then(|| by_another.lock().unwrap().pop())
            .flatten();
        if let Some(sealed) = next {
            put(store.inner(), &id, sealed);
        }
        None
    });
    let done = vault.rotate().unwrap();
    assert_eq!(done.resealed, [(OLD, 2)].into());
    assert_eq!(vault.counts(), [0, 2]);
    assert_eq!(vault.tenant("t0000").pinecone.api_key.unwrap().last_four, "last");
    assert_eq!(vault.secrets.verify().unwrap().opened, 2);
}

#[test]
fn secrets_that_go_on_changing_are_told_of() {
    let vault = Vault::of(1);
    let id = TenantId::parse("t0000").unwrap();
    let kind = SecretKind::PineconeApiKey;
    let sealed: Vec<_> = (0..40).map(|_| vault.seal(&id, kind)).collect();
    let by_another = Mutex::new(sealed);
    vault.sealer.rotate(NEW);
    let store = vault.store.clone();
    vault.store.fail_when(move |method| {
        let next = (method == "reseal")
            .then(|| by_another.lock().unwrap().pop())
            .flatten();
        if let Some(sealed) = next {
            put(store.inner(), &id, sealed);
        }
        None
    });
    match vault.rotate() {
        Err(RotateError::Overtaken(left)) => assert_eq!(left, 1),
        other => panic!("{other:?}"),
    }
}

/// Stores another Pinecone key.
fn put(store: &MemoryStore, id: &TenantId, sealed: Sealed) {
    let secret = SealedSecret {
        sealed,
        last_four: "last".into(),
    };
    let change = TenantChange {
        pinecone_api_key: Some(Some(secret)),
        ..TenantChange::default()
    };
    store.update_tenant(id, &change, at(9)).unwrap().unwrap();
}

#[test]
fn a_needed_key_that_is_missing_is_named_and_nothing_is_changed() {
    let vault = Vault::of(2);
    let stranger = Arc::new(MemorySealer::new(NEW));
    let secrets = Secrets::new(vault.store.clone(), stranger, vault.clock.clone());
    match secrets.rotate(&Actor::system(), |_| panic!("there is nothing to tell")) {
        Err(error @ RotateError::KeyMissing(_)) => {
            assert!(error.to_string().contains(&OLD.to_string()), "{error}");
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(vault.counts(), [4, 0]);
}

#[test]
fn what_does_not_open_is_left_and_told_and_keeps_nobody_else() {
    let vault = Vault::swapped(3);
    let (first, second) = (vault.tenant("t0000"), TenantId::parse("t0001").unwrap());
    let kind = SecretKind::LlmApiKey;
    vault.put(&second, kind, kind.of(&first).unwrap().sealed.clone());
    let third = TenantId::parse("t0002").unwrap();
    vault.put(
        &third,
        SecretKind::PineconeApiKey,
        Sealed::from_stored("pcsk_plain".into()),
    );
    let done = vault.rotate().unwrap();
    assert_eq!(done.resealed, [(OLD, 4)].into());
    let reasons: Vec<_> = done
        .unopened
        .iter()
        .map(|one| (one.tenant.as_str(), one.kind))
        .collect();
    assert_eq!(reasons, [("t0001", kind), ("t0002", SecretKind::PineconeApiKey)]);
    assert!(matches!(done.unopened[0].reason, OpenError::Rejected));
    assert!(matches!(done.unopened[1].reason, OpenError::Malformed));
    assert_eq!(vault.secrets.status().unwrap().malformed, 1);
    let verified = vault.secrets.verify().unwrap();
    assert_eq!((verified.opened, verified.unopened.len()), (4, 2));
}

#[test]
fn a_key_is_retired_when_a_newer_one_has_sealed_everything() {
    let vault = Vault::swapped(2);
    let report = vault.secrets.status().unwrap();
    assert_eq!(
        (report.left(), report.retired().count(), report.missing().len()),
        (4, 0, 0)
    );
    let roles: Vec<_> = report.keys.iter().map(|key| (key.key, key.role)).collect();
    assert_eq!(roles, [(NEW, KeyRole::Active), (OLD, KeyRole::Previous)]);
    vault.rotate().unwrap();
    let report = vault.secrets.status().unwrap();
    let retired: Vec<_> = report.retired().map(|key| key.key).collect();
    assert_eq!((report.left(), retired), (0, vec![OLD]));
    // To a server that was not told to swap yet, the new key is no key of the past.
    vault.sealer.rotate(OLD);
    assert_eq!(vault.secrets.status().unwrap().retired().count(), 0);
}

#[test]
fn only_a_key_that_nobody_has_and_nothing_needs_is_forgotten() {
    let vault = Vault::swapped(1);
    assert!(
        vault.secrets.forget_unused().unwrap().is_empty(),
        "both are configured"
    );
    let without_old = Arc::new(MemorySealer::new(NEW));
    let secrets = Secrets::new(vault.store.clone(), without_old, vault.clock.clone());
    assert!(secrets.forget_unused().unwrap().is_empty(), "secrets need it");
    vault.rotate().unwrap();
    // Not a key, but what the salt of passphrases is kept under.
    let salt = KeyState {
        key_id: "0000000000000000".into(),
        canary: Sealed::from_stored("salt".into()),
        derivation: KeyDerivation::Passphrase { salt: [7; 16] },
        created_at: at(0),
    };
    vault.store.remember_key(&salt).unwrap();
    assert_eq!(secrets.forget_unused().unwrap(), [OLD]);
    assert!(secrets.forget_unused().unwrap().is_empty());
    let left: Vec<_> = vault
        .store
        .key_states()
        .unwrap()
        .into_iter()
        .map(|state| state.key_id)
        .collect();
    assert_eq!(left, [salt.key_id, NEW.to_string()]);
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_micros(1_600_000_000_000_000 + seconds * 1_000_000).unwrap()
}
