//! What becomes of tenants' sealed secrets when the key that seals them is changed.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use tenantry_crypto::{Field, KeyId, OpenError, SealError, Sealer};
use tenantry_domain::{Actor, Clock, TenantId, Timestamp};
use tenantry_tenant_store::{KeyState, KeyStateStore, SealedValue, SecretKind, StoreError};

/// How many secrets are read at once.
const BATCH: u16 = 100;

/// How often secrets are looked through again because some were changed meanwhile.
const PASSES: u32 = 8;

/// Where a tenant's secret is stored, and so for which place it is sealed.
pub fn secret_field(kind: SecretKind, tenant: &TenantId) -> Field<'_> {
    match kind {
        SecretKind::PineconeApiKey => Field::pinecone_api_key(tenant),
        SecretKind::LlmApiKey => Field::llm_api_key(tenant),
    }
}

/// What a key is to this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyRole {
    /// It seals and opens.
    Active,
    /// It opens what it sealed before.
    Previous,
    /// It is not configured.
    NotConfigured,
}

/// A key, and what needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyUse {
    /// The key.
    pub key: KeyId,
    /// What it is to this process.
    pub role: KeyRole,
    /// How many secrets are sealed with it.
    pub secrets: u64,
    /// Since when the store knows it; `None` for a key that never was anybody's active one.
    pub since: Option<Timestamp>,
}

/// Every key that is configured, remembered or needed, and what needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyReport {
    /// The keys: the active one, the previous ones, then those that are not configured.
    pub keys: Vec<KeyUse>,
    /// How many stored values are not sealed at all.
    pub malformed: u64,
}

impl KeyReport {
    /// The keys that secrets are sealed with and that are not configured.
    pub fn missing(&self) -> Vec<KeyId> {
        let missing = self.of(KeyRole::NotConfigured).filter(|key| key.secrets > 0);
        missing.map(|key| key.key).collect()
    }

    /// How many secrets are sealed with another key than the active one.
    pub fn left(&self) -> u64 {
        let others = self.keys.iter().filter(|key| key.role != KeyRole::Active);
        others.map(|key| key.secrets).sum()
    }

    /// The previous keys that sealed before the active one did, and that nothing is sealed with any more.
    pub fn retired(&self) -> impl Iterator<Item = &KeyUse> {
        let since = self.of(KeyRole::Active).find_map(|key| key.since);
        self.of(KeyRole::Previous)
            .filter(move |key| key.secrets == 0 && key.since.is_some() && key.since < since)
    }

    /// The keys of that role.
    pub fn of(&self, role: KeyRole) -> impl Iterator<Item = &KeyUse> {
        self.keys.iter().filter(move |key| key.role == role)
    }
}

/// A secret that does not open.
#[derive(Debug)]
pub struct Unopened {
    /// Whose it is.
    pub tenant: TenantId,
    /// Which of the tenant's secrets it is.
    pub kind: SecretKind,
    /// Why.
    pub reason: OpenError,
}

/// What opening every secret showed.
#[derive(Debug, Default)]
pub struct Verification {
    /// How many open.
    pub opened: u64,
    /// Those that do not.
    pub unopened: Vec<Unopened>,
}

/// What was sealed anew.
#[derive(Debug, Default)]
pub struct Rotation {
    /// How many secrets, by the key that they were sealed with before.
    pub resealed: BTreeMap<KeyId, u64>,
    /// Those that do not open and were left as they are.
    pub unopened: Vec<Unopened>,
}

impl Rotation {
    /// How many secrets were sealed anew.
    pub fn total(&self) -> u64 {
        self.resealed.values().sum()
    }
}

/// Why secrets were not sealed anew, or not all of them. What was done until then stands, and calling again goes on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RotateError {
    /// Secrets need keys that are not configured; nothing was changed.
    #[error("secrets are sealed with {}, which this process was not given", keys(.0))]
    KeyMissing(Vec<KeyId>),
    /// Others went on changing the same secrets.
    #[error("{0} secrets were changed by others again and again")]
    Overtaken(u64),
    /// A secret could not be sealed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn keys(keys: &[KeyId]) -> impl fmt::Display {
    let names: Vec<_> = keys.iter().map(KeyId::to_string).collect();
    format!("key {}", names.join(", "))
}

/// Tells which keys are needed, and moves secrets from one key to the next.
pub struct Secrets {
    store: Arc<dyn KeyStateStore>,
    sealer: Arc<dyn Sealer>,
    clock: Arc<dyn Clock>,
}

impl Secrets {
    /// The secrets in `store`, which `sealer` opens and seals.
    pub fn new(store: Arc<dyn KeyStateStore>, sealer: Arc<dyn Sealer>, clock: Arc<dyn Clock>) -> Self {
        Self { store, sealer, clock }
    }

    /// Counts the secrets by key, without opening any.
    ///
    /// # Errors
    /// When the store fails.
    pub fn status(&self) -> Result<KeyReport, StoreError> {
        let (mut counts, mut malformed) = (BTreeMap::<KeyId, u64>::new(), 0);
        for sample in self.store.secrets_by_key()? {
            match self.sealer.key_id(&sample.sealed) {
                Ok(key) => *counts.entry(key).or_default() += sample.secrets,
                Err(_) => malformed += sample.secrets,
            }
        }
        let states: BTreeMap<KeyId, Timestamp> = self.remembered()?;
        let configured = self.sealer.key_ids();
        let others = counts.keys().chain(states.keys()).copied();
        let mut keys = Vec::new();
        for key in configured.iter().copied().chain(others) {
            if keys.iter().any(|known: &KeyUse| known.key == key) {
                continue;
            }
            let role = match configured.iter().position(|known| *known == key) {
                Some(0) => KeyRole::Active,
                Some(_) => KeyRole::Previous,
                None => KeyRole::NotConfigured,
            };
            keys.push(KeyUse {
                key,
                role,
                secrets: counts.get(&key).copied().unwrap_or_default(),
                since: states.get(&key).copied(),
            });
        }
        Ok(KeyReport { keys, malformed })
    }

    /// Opens every secret, and keeps none of them.
    ///
    /// # Errors
    /// When the store fails.
    pub fn verify(&self) -> Result<Verification, StoreError> {
        let mut found = Verification::default();
        self.each(|batch| {
            for value in batch {
                match self.sealer.open(field(value), &value.sealed) {
                    Ok(_) => found.opened += 1,
                    Err(reason) => found.unopened.push(unopened(value, reason)),
                }
            }
            Ok::<_, StoreError>(())
        })?;
        Ok(found)
    }

    /// Seals every secret with the active key that another key sealed, one after another, beside servers that go on working. Each
    /// stands when it is done, so that a call that was broken off is made again. `told` hears after each batch what was done so far.
    ///
    /// # Errors
    /// When a secret needs a key that is not configured, cannot be sealed, or is changed by others again and again, or the store fails.
    pub fn rotate(&self, actor: &Actor, mut told: impl FnMut(&Rotation)) -> Result<Rotation, RotateError> {
        let missing = self.status()?.missing();
        if !missing.is_empty() {
            return Err(RotateError::KeyMissing(missing));
        }
        let mut done = Rotation::default();
        for _ in 0..PASSES {
            done.unopened.clear();
            let mut overtaken = 0;
            self.each(|batch| {
                let before = done.total();
                for value in batch {
                    overtaken += u64::from(!self.reseal(value, actor, &mut done)?);
                }
                if done.total() > before {
                    told(&done);
                }
                Ok::<_, RotateError>(())
            })?;
            if overtaken == 0 {
                return Ok(done);
            }
        }
        Err(RotateError::Overtaken(self.status()?.left()))
    }

    /// Forgets the keys that are not configured and that nothing is sealed with any more, and gives them.
    ///
    /// # Errors
    /// When the store fails.
    pub fn forget_unused(&self) -> Result<Vec<KeyId>, StoreError> {
        let mut forgotten = Vec::new();
        for key in self.status()?.of(KeyRole::NotConfigured) {
            if key.secrets == 0 && self.store.forget_key(&key.key.to_string())? {
                forgotten.push(key.key);
            }
        }
        Ok(forgotten)
    }

    /// Whether the secret is sealed with the active key, or cannot be opened; `false` when somebody changed it meanwhile.
    fn reseal(&self, value: &SealedValue, actor: &Actor, done: &mut Rotation) -> Result<bool, RotateError> {
        let key = self.sealer.key_id(&value.sealed).ok();
        if key == Some(self.sealer.active_key()) {
            return Ok(true);
        }
        let opened = self.sealer.open(field(value), &value.sealed);
        let (key, secret) = match (key, opened) {
            (Some(key), Ok(secret)) => (key, secret),
            (_, Err(reason)) => {
                done.unopened.push(unopened(value, reason));
                return Ok(true);
            }
            (None, Ok(_)) => {
                done.unopened.push(unopened(value, OpenError::Malformed));
                return Ok(true);
            }
        };
        let sealed = self.sealer.seal(field(value), &secret)?;
        let resealed = self.store.reseal(value, &sealed, actor, self.clock.now())?;
        if resealed {
            *done.resealed.entry(key).or_default() += 1;
        }
        Ok(resealed)
    }

    /// Hands on every secret, batch by batch.
    fn each<E: From<StoreError>>(
        &self,
        mut visit: impl FnMut(&[SealedValue]) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut after = None;
        loop {
            let batch = self.store.sealed_values(after.as_ref(), BATCH)?;
            let Some(last) = batch.last() else {
                return Ok(());
            };
            after = Some(last.place());
            visit(&batch)?;
        }
    }

    /// Every key that was ever an active one and was not forgotten, with the moment of its first use.
    fn remembered(&self) -> Result<BTreeMap<KeyId, Timestamp>, StoreError> {
        let named = |state: KeyState| {
            // A canary names its key; a record without one keeps something else.
            let key = self.sealer.key_id(&state.canary).ok()?;
            (key.to_string() == state.key_id).then_some((key, state.created_at))
        };
        Ok(self.store.key_states()?.into_iter().filter_map(named).collect())
    }
}

fn field(value: &SealedValue) -> Field<'_> {
    secret_field(value.kind, &value.tenant)
}

fn unopened(value: &SealedValue, reason: OpenError) -> Unopened {
    Unopened {
        tenant: value.tenant.clone(),
        kind: value.kind,
        reason,
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secrets").finish_non_exhaustive()
    }
}
