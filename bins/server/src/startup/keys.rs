//! Whether the configured keys are the ones that the database's secrets were sealed with.

use std::sync::Arc;

use tenantry_crypto::{
    KeyId, KeyRing, OpenError, Passphrase, SealError, Sealer, SealingKey, SecretKey, SecretKeyError,
    fresh_salt,
};
use tenantry_domain::{Clock, Sealed, TenantId};
use tenantry_retrieval::secret_field;
use tenantry_tenant_store::{KeyDerivation, KeyState, KeyStateStore, SecretKind, SecretSample, StoreError};

use crate::config::SecretKeys;

/// The row of `crypto_state` that holds the salt under which every passphrase of this database is stretched.
///
/// A row of its own, because its id is known beforehand: of several servers that start at once on an empty database,
/// the first one's salt stays, and all of them derive the same key. No real key has this id but by a chance of 2^-64.
pub const SALT_ROW: &str = "0000000000000000";

type Salt = [u8; 16];

/// Why the server does not start on this database with these keys. Tells key ids, never keys.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// Secrets are sealed with keys that are not configured.
    #[error(
        "SECRET_KEY does not match this database: tenant secrets are sealed with {}, configured {}. \
         Set the right SECRET_KEY, or list the old one in SECRET_KEY_PREVIOUS",
        keys(sealed_with, "key", "keys"),
        keys(configured, "is key", "are keys")
    )]
    Mismatch {
        /// The keys that are missing.
        sealed_with: Vec<KeyId>,
        /// The keys that are there.
        configured: Vec<KeyId>,
    },
    /// The salt of a passphrase is gone, so that no configured passphrase can become the key that is needed.
    #[error(
        "SECRET_KEY is a passphrase, and the database has sealed secrets but lost the salt that belongs to it: \
         restore the table crypto_state from the same backup"
    )]
    SaltLost,
    /// The database's record of a configured key does not belong to that key.
    #[error(
        "the table crypto_state holds a wrong record of key {0}: restore it from a backup, or delete the row"
    )]
    Canary(KeyId),
    /// No record of the key exists, and a secret that names it does not open.
    #[error("the {secret} of tenant {tenant} does not open with key {key}, and nothing else proves that key")]
    Unproven {
        /// Which of the tenant's secrets.
        secret: SecretKind,
        /// The tenant.
        tenant: TenantId,
        /// The key that the secret names.
        key: KeyId,
        /// Why it does not open.
        #[source]
        source: OpenError,
    },
    /// A key could not be derived.
    #[error(transparent)]
    Derive(#[from] SecretKeyError),
    /// The canary could not be sealed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The database failed.
    #[error("the keys of the database could not be read")]
    Store(#[from] StoreError),
}

/// Makes the key ring, and proves on what the database holds that it is the right one.
///
/// # Errors
/// When a stored secret needs a key that is not configured, when a configured key is not the one that the database
/// knows under its id, or when the database fails.
pub fn open_keys(
    store: &dyn KeyStateStore,
    secret_keys: SecretKeys,
    clock: &dyn Clock,
) -> Result<Arc<KeyRing>, KeyError> {
    let secrets = store.secrets_by_key()?;
    let states = store.key_states()?;
    let (ring, derivation) = derive(store, secret_keys, &states, &secrets, clock)?;
    check_canaries(&ring, &states)?;
    check_secrets(&ring, &states, &secrets)?;
    remember_active(store, &ring, derivation, clock)?;
    Ok(Arc::new(ring))
}

fn derive(
    store: &dyn KeyStateStore,
    secret_keys: SecretKeys,
    states: &[KeyState],
    secrets: &[SecretSample],
    clock: &dyn Clock,
) -> Result<(KeyRing, KeyDerivation), KeyError> {
    let SecretKeys { active, previous } = secret_keys;
    let phrases = std::iter::once(&active).chain(&previous);
    let salts = if phrases
        .into_iter()
        .any(|key| matches!(key, SecretKey::Passphrase(_)))
    {
        salts(store, states, secrets, clock)?
    } else {
        Vec::new()
    };
    let mut retired = Vec::new();
    let (active, derivation) = match (active, salts.split_first()) {
        (SecretKey::Raw(key), _) => (key, KeyDerivation::Raw),
        (SecretKey::Passphrase(phrase), Some((salt, others))) => {
            retired.extend(stretched(&phrase, others)?);
            (phrase.stretch(salt)?, KeyDerivation::Passphrase { salt: *salt })
        }
        (SecretKey::Passphrase(_), None) => return Err(KeyError::SaltLost),
    };
    for key in previous {
        match key {
            SecretKey::Raw(key) => retired.push(key),
            SecretKey::Passphrase(phrase) => retired.extend(stretched(&phrase, &salts)?),
        }
    }
    Ok((KeyRing::new(active, retired), derivation))
}

fn stretched(phrase: &Passphrase, salts: &[Salt]) -> Result<Vec<SealingKey>, SecretKeyError> {
    salts.iter().map(|salt| phrase.stretch(salt)).collect()
}

/// The salts of this database: the one for new keys first, then any others that its keys were made under.
fn salts(
    store: &dyn KeyStateStore,
    states: &[KeyState],
    secrets: &[SecretSample],
    clock: &dyn Clock,
) -> Result<Vec<Salt>, KeyError> {
    let mut salts: Vec<Salt> = states
        .iter()
        .filter(|state| state.key_id == SALT_ROW)
        .filter_map(salt_of)
        .collect();
    let of_keys: Vec<Salt> = states.iter().filter_map(salt_of).collect();
    if salts.is_empty() {
        let salt = match of_keys.first() {
            Some(salt) => *salt,
            // A fresh salt would only hide that the right one is gone.
            None if states.is_empty() && !secrets.is_empty() => return Err(KeyError::SaltLost),
            None => fresh_salt()?,
        };
        salts.push(settle_salt(store, salt, clock)?);
    }
    for salt in of_keys {
        if !salts.contains(&salt) {
            salts.push(salt);
        }
    }
    Ok(salts)
}

/// Keeps `salt` as this database's unless another server was faster, and gives the one that stays.
fn settle_salt(store: &dyn KeyStateStore, salt: Salt, clock: &dyn Clock) -> Result<Salt, KeyError> {
    store.remember_key(&KeyState {
        key_id: SALT_ROW.to_owned(),
        canary: Sealed::from_stored("salt".to_owned()),
        derivation: KeyDerivation::Passphrase { salt },
        created_at: clock.now(),
    })?;
    let states = store.key_states()?;
    states
        .iter()
        .find(|state| state.key_id == SALT_ROW)
        .and_then(salt_of)
        .ok_or(KeyError::SaltLost)
}

fn salt_of(state: &KeyState) -> Option<Salt> {
    match state.derivation {
        KeyDerivation::Passphrase { salt } => Some(salt),
        KeyDerivation::Raw => None,
    }
}

/// Every configured key that the database knows must be the key that it knows.
fn check_canaries(ring: &KeyRing, states: &[KeyState]) -> Result<(), KeyError> {
    for key in ring.keys() {
        if let Some(state) = state_of(states, key.id())
            && !key.opens_canary(&state.canary)
        {
            return Err(KeyError::Canary(key.id()));
        }
    }
    Ok(())
}

fn state_of(states: &[KeyState], id: KeyId) -> Option<&KeyState> {
    let id = id.to_string();
    states.iter().find(|state| state.key_id == id)
}

/// Every key that a stored secret names must be configured, and proven by its canary or by that secret.
fn check_secrets(ring: &KeyRing, states: &[KeyState], secrets: &[SecretSample]) -> Result<(), KeyError> {
    let mut missing = Vec::new();
    for sample in secrets {
        let Ok(id) = ring.key_id(&sample.sealed) else {
            // One tenant's broken value must not take the others' service away.
            log::error!(
                "the {} of tenant {} is not a sealed value; set it again",
                sample.kind,
                sample.tenant
            );
            continue;
        };
        if ring.key(id).is_none() {
            missing.push(id);
        } else if state_of(states, id).is_none() {
            prove_by_secret(ring, id, sample)?;
        }
    }
    if missing.is_empty() {
        return Ok(());
    }
    let configured = ring.keys().map(SealingKey::id).collect();
    Err(KeyError::Mismatch {
        sealed_with: missing,
        configured,
    })
}

/// A restored database may lack the canary of a key; then one of its secrets must open.
fn prove_by_secret(ring: &KeyRing, key: KeyId, sample: &SecretSample) -> Result<(), KeyError> {
    let SecretSample { tenant, sealed, .. } = sample;
    match ring.open(secret_field(sample.kind, tenant), sealed) {
        Ok(_) => {
            log::warn!("crypto_state has no record of key {key}; it was proven by opening a stored secret");
            Ok(())
        }
        Err(source) => Err(KeyError::Unproven {
            secret: sample.kind,
            tenant: tenant.clone(),
            key,
            source,
        }),
    }
}

/// Keeps the active key's canary unless one is there, and checks the one that stays.
fn remember_active(
    store: &dyn KeyStateStore,
    ring: &KeyRing,
    derivation: KeyDerivation,
    clock: &dyn Clock,
) -> Result<(), KeyError> {
    let id = ring.active_key();
    let (Some(key), None) = (ring.key(id), state_of(&store.key_states()?, id)) else {
        return Ok(());
    };
    store.remember_key(&KeyState {
        key_id: id.to_string(),
        canary: key.canary()?,
        derivation,
        created_at: clock.now(),
    })?;
    log::info!("secrets are sealed with key {id} from now on");
    match state_of(&store.key_states()?, id) {
        Some(state) if key.opens_canary(&state.canary) => Ok(()),
        _ => Err(KeyError::Canary(id)),
    }
}

fn keys(ids: &[KeyId], one: &str, several: &str) -> String {
    let list: Vec<String> = ids.iter().map(KeyId::to_string).collect();
    format!(
        "{} {}",
        if ids.len() == 1 { one } else { several },
        list.join(", ")
    )
}
