use std::collections::{BTreeSet, HashMap};
use std::fmt::{self, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

use secrecy::SecretString;
use tenantry_domain::{PasswordHash, Sealed, TenantId};

use crate::{Field, KeyId, OpenError, Password, PasswordError, PasswordHasher, SealError, Sealer, Verdict};

/// A sealer that keeps the secrets itself and hands out random handles: for tests and trials, gone with the process.
///
/// A handle has the shape of a real sealed value, `memory.<key id>.<random>`, and says no more about the secret.
#[derive(Default)]
pub struct MemorySealer(Mutex<Safe>);

struct Safe {
    active: KeyId,
    secrets: HashMap<String, Deposit>,
}

struct Deposit {
    key: KeyId,
    table: String,
    column: String,
    tenant: TenantId,
    secret: SecretString,
}

impl Default for Safe {
    fn default() -> Self {
        Self {
            active: KeyId::from_bytes(*b"memory-1"),
            secrets: HashMap::new(),
        }
    }
}

impl MemorySealer {
    /// A sealer whose active key has the id `active`.
    pub fn new(active: KeyId) -> Self {
        Self(Mutex::new(Safe {
            active,
            ..Safe::default()
        }))
    }

    /// Makes `active` the key of what is sealed from now on; what was sealed before still opens.
    pub fn rotate(&self, active: KeyId) {
        self.lock().active = active;
    }

    fn lock(&self) -> MutexGuard<'_, Safe> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sealer for MemorySealer {
    fn seal(&self, field: Field<'_>, secret: &SecretString) -> Result<Sealed, SealError> {
        let random = random_hex().map_err(|error| SealError::Unavailable(error.into()))?;
        let mut safe = self.lock();
        let key = safe.active;
        let handle = format!("memory.{key}.{random}");
        let deposit = Deposit {
            key,
            table: field.table.to_owned(),
            column: field.column.to_owned(),
            tenant: field.tenant.clone(),
            secret: secret.clone(),
        };
        safe.secrets.insert(handle.clone(), deposit);
        Ok(Sealed::from_stored(handle))
    }

    fn open(&self, field: Field<'_>, sealed: &Sealed) -> Result<SecretString, OpenError> {
        let key = self.key_id(sealed)?;
        let safe = self.lock();
        let known_key = key == safe.active || safe.secrets.values().any(|deposit| deposit.key == key);
        let deposit = safe.secrets.get(sealed.as_str()).filter(|deposit| {
            deposit.table == field.table && deposit.column == field.column && deposit.tenant == *field.tenant
        });
        match deposit {
            Some(deposit) => Ok(deposit.secret.clone()),
            None if known_key => Err(OpenError::Rejected),
            None => Err(OpenError::UnknownKey(key)),
        }
    }

    fn key_id(&self, sealed: &Sealed) -> Result<KeyId, OpenError> {
        let (key, random) = sealed
            .as_str()
            .strip_prefix("memory.")
            .and_then(|rest| rest.split_once('.'))
            .ok_or(OpenError::Malformed)?;
        let hex = random.len() == 32 && random.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if hex {
            key.parse().map_err(|_| OpenError::Malformed)
        } else {
            Err(OpenError::Malformed)
        }
    }

    fn active_key(&self) -> KeyId {
        self.lock().active
    }

    fn key_ids(&self) -> Vec<KeyId> {
        let safe = self.lock();
        let retired: BTreeSet<KeyId> = safe.secrets.values().map(|deposit| deposit.key).collect();
        let retired = retired.into_iter().filter(|key| *key != safe.active);
        std::iter::once(safe.active).chain(retired).collect()
    }
}

impl fmt::Debug for MemorySealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemorySealer")
            .field("active", &self.active_key())
            .finish_non_exhaustive()
    }
}

/// A password hasher that keeps the passwords itself and hands out random handles: fast, for tests alone.
#[derive(Default)]
pub struct MemoryPasswordHasher(Mutex<Passwords>);

#[derive(Default)]
struct Passwords {
    generation: u32,
    by_handle: HashMap<String, (u32, Password)>,
}

impl MemoryPasswordHasher {
    /// A hasher that knows no password yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets every hash made so far count as outdated, as new parameters do with a real hasher.
    pub fn outdate(&self) {
        let mut passwords = self.lock();
        passwords.generation = passwords.generation.saturating_add(1);
    }

    fn lock(&self) -> MutexGuard<'_, Passwords> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PasswordHasher for MemoryPasswordHasher {
    fn hash(&self, password: &Password) -> Result<PasswordHash, PasswordError> {
        let random = random_hex().map_err(|error| PasswordError::Unavailable(error.into()))?;
        let handle = format!("$memory${random}");
        let mut passwords = self.lock();
        let generation = passwords.generation;
        passwords
            .by_handle
            .insert(handle.clone(), (generation, password.clone()));
        Ok(PasswordHash::from_stored(handle))
    }

    fn verify(&self, password: &Password, hash: Option<&PasswordHash>) -> Result<Verdict, PasswordError> {
        let Some(hash) = hash else {
            return Ok(Verdict::Mismatch);
        };
        let passwords = self.lock();
        let Some((generation, kept)) = passwords.by_handle.get(hash.as_str()) else {
            return Err(PasswordError::Unavailable("not a hash of this hasher".into()));
        };
        Ok(
            match (
                kept.expose() == password.expose(),
                *generation == passwords.generation,
            ) {
                (true, true) => Verdict::Match,
                (true, false) => Verdict::MatchOutdated,
                (false, _) => Verdict::Mismatch,
            },
        )
    }
}

impl fmt::Debug for MemoryPasswordHasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryPasswordHasher").finish_non_exhaustive()
    }
}

/// 16 random bytes in lower-case hexadecimal.
fn random_hex() -> Result<String, getrandom::Error> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)?;
    let mut hex = String::with_capacity(32);
    for byte in bytes {
        // Writing to a `String` never fails.
        let _ = write!(hex, "{byte:02x}");
    }
    Ok(hex)
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;
    use crate::conformance;

    #[test]
    fn the_memory_sealer_keeps_the_promises_of_a_sealer() {
        conformance::sealer(&MemorySealer::default());
        let other = MemorySealer::new(KeyId::from_bytes(*b"memory-2"));
        conformance::a_value_of_another_key_is_not_opened(&MemorySealer::default(), &other);
    }

    #[test]
    fn what_was_sealed_before_a_rotation_still_opens() {
        let sealer = MemorySealer::default();
        let tenant = TenantId::parse("acme").unwrap();
        let field = Field::pinecone_api_key(&tenant);
        let before = sealer.seal(field, &"pc-key".into()).unwrap();
        let new = KeyId::from_bytes([7; 8]);
        sealer.rotate(new);
        assert_eq!(sealer.open(field, &before).unwrap().expose_secret(), "pc-key");
        let after = sealer.seal(field, &"pc-key".into()).unwrap();
        assert_eq!(sealer.key_id(&after).unwrap(), new);
        assert_eq!(sealer.key_ids(), [new, sealer.key_id(&before).unwrap()]);
    }

    #[test]
    fn the_memory_hasher_keeps_the_promises_of_a_hasher() {
        conformance::password_hasher(&MemoryPasswordHasher::new());
    }

    #[test]
    fn an_outdated_hash_still_matches_and_says_so() {
        let hasher = MemoryPasswordHasher::new();
        let password = Password::new(&"correct horse".into()).unwrap();
        let hash = hasher.hash(&password).unwrap();
        hasher.outdate();
        assert_eq!(
            hasher.verify(&password, Some(&hash)).unwrap(),
            Verdict::MatchOutdated
        );
    }

    #[test]
    fn debug_shows_no_secret() {
        let sealer = MemorySealer::default();
        let tenant = TenantId::parse("acme").unwrap();
        let value = sealer
            .seal(Field::pinecone_api_key(&tenant), &"pc-key".into())
            .unwrap();
        let hasher = MemoryPasswordHasher::new();
        hasher.hash(&Password::new(&"pc-key".into()).unwrap()).unwrap();
        let shown = format!("{sealer:?} {hasher:?}");
        assert!(
            !shown.contains("pc-key") && !shown.contains(value.as_str()),
            "{shown}"
        );
    }
}
