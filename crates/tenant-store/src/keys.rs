use std::fmt;

use tenantry_domain::{Actor, Sealed, SealedSecret, Tenant, TenantId, Timestamp};

use crate::StoreError;

/// How a sealing key comes from its configured text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyDerivation {
    /// The text is the key itself.
    Raw,
    /// The text is a passphrase, stretched with Argon2id under this salt.
    Passphrase {
        /// The salt.
        salt: [u8; 16],
    },
}

/// What a database remembers of a sealing key: enough to tell whether a configured key is that key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyState {
    /// The key's id, 16 hexadecimal digits.
    pub key_id: String,
    /// A known text, sealed with the key.
    pub canary: Sealed,
    /// How the key comes from its configured text.
    pub derivation: KeyDerivation,
    /// When the key was first used.
    pub created_at: Timestamp,
}

/// Keeps what is known of sealing keys, and tells which keys the stored secrets need.
pub trait KeyStateStore: Send + Sync {
    /// Every key that was ever used, oldest first.
    ///
    /// # Errors
    /// When the store fails.
    fn key_states(&self) -> Result<Vec<KeyState>, StoreError>;

    /// Adds a key unless one of that id is there; the first writer's record stays.
    ///
    /// # Errors
    /// When the store fails.
    fn remember_key(&self, state: &KeyState) -> Result<(), StoreError>;

    /// One stored secret, with its tenant, for each text before the second `.` of the sealed values (format and key
    /// id), with the number of such secrets: what a start-up check opens.
    ///
    /// # Errors
    /// When the store fails.
    fn secrets_by_key(&self) -> Result<Vec<SecretSample>, StoreError>;

    /// At most `limit` of all sealed secrets, by tenant and kind, those after `after`.
    ///
    /// # Errors
    /// When the store fails.
    fn sealed_values(
        &self,
        after: Option<&(TenantId, SecretKind)>,
        limit: u16,
    ) -> Result<Vec<SealedValue>, StoreError>;

    /// Puts `new` in the place of a sealed secret that is still the same; whether it was. It is the same secret sealed otherwise: its last
    /// four characters stay, and so does the tenant's `updated_at`. Entered in the tenant's audit log as `CredentialResealed`, in the same step.
    ///
    /// # Errors
    /// When the store fails.
    fn reseal(
        &self,
        old: &SealedValue,
        new: &Sealed,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<bool, StoreError>;

    /// Forgets a key with which nothing is sealed any more; `false`, and nothing done, when something is, or it is not known.
    ///
    /// # Errors
    /// When the store fails.
    fn forget_key(&self, key_id: &str) -> Result<bool, StoreError>;
}

/// One sealed secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedValue {
    /// The tenant whose secret it is.
    pub tenant: TenantId,
    /// Which of the tenant's secrets it is.
    pub kind: SecretKind,
    /// The sealed secret.
    pub sealed: Sealed,
}

/// One of the secrets that are sealed with the same key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretSample {
    /// The tenant whose secret it is.
    pub tenant: TenantId,
    /// Which of the tenant's secrets it is.
    pub kind: SecretKind,
    /// The sealed secret.
    pub sealed: Sealed,
    /// How many secrets are sealed with the same key.
    pub secrets: u64,
}

/// What a tenant keeps sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SecretKind {
    /// The key of its Pinecone project.
    PineconeApiKey,
    /// The key of its own provider of models.
    LlmApiKey,
}

impl SecretKind {
    /// Every one of them.
    pub const ALL: [Self; 2] = [Self::PineconeApiKey, Self::LlmApiKey];

    /// The tenant's secret of this kind.
    pub fn of(self, tenant: &Tenant) -> Option<&SealedSecret> {
        match self {
            Self::PineconeApiKey => tenant.pinecone.api_key.as_ref(),
            Self::LlmApiKey => tenant.llm.as_ref()?.api_key.as_ref(),
        }
    }

    /// Where the tenant keeps it.
    pub(crate) fn of_mut(self, tenant: &mut Tenant) -> Option<&mut SealedSecret> {
        match self {
            Self::PineconeApiKey => tenant.pinecone.api_key.as_mut(),
            Self::LlmApiKey => tenant.llm.as_mut()?.api_key.as_mut(),
        }
    }

    /// The column that holds it.
    pub(crate) fn column(self) -> &'static str {
        match self {
            Self::PineconeApiKey => "pinecone_api_key",
            Self::LlmApiKey => "llm_api_key",
        }
    }
}

impl SealedValue {
    /// The secret's place in the order of [`KeyStateStore::sealed_values`].
    pub fn place(&self) -> (TenantId, SecretKind) {
        (self.tenant.clone(), self.kind)
    }
}

impl fmt::Display for SecretKind {
    /// In words, as `Pinecone key`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PineconeApiKey => "Pinecone key",
            Self::LlmApiKey => "LLM provider key",
        })
    }
}

/// The text before the second `.`, which names format and key; all of it when there is none.
pub(crate) fn key_part(sealed: &Sealed) -> &str {
    let text = sealed.as_str();
    let end = text.match_indices('.').nth(1).map_or(text.len(), |(at, _)| at);
    text.get(..end).unwrap_or(text)
}

/// The key that a sealed value names, if it names one.
pub(crate) fn key_named(sealed: &Sealed) -> Option<&str> {
    key_part(sealed).split_once('.').map(|(_, key)| key)
}
