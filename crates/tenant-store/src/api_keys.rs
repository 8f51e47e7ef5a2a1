use tenantry_domain::{ApiKey, ApiKeyId, Page, Paged, Tenant, TenantScope, Timestamp, TokenHash};

use crate::StoreError;

/// An API key with the tenant that owns it, read in one step.
#[derive(Debug, Clone, PartialEq)]
pub struct KeyAccess {
    /// The key, live or not.
    pub key: ApiKey,
    /// The tenant, active or not.
    pub tenant: Tenant,
}

/// Keeps the API keys of one tenant at a time; another tenant's key does not exist for it. What it changes it enters in the tenant's
/// audit log, in the same step.
pub trait ApiKeyStore: Send + Sync {
    /// Adds a key with the hash of its secret.
    ///
    /// # Errors
    /// [`StoreError::IdTaken`] when there is one of that id or hash, [`StoreError::UnknownTenant`] when the tenant is not in this
    /// store; else when the store fails.
    fn create_api_key(&self, scope: &TenantScope, key: &ApiKey, secret: TokenHash) -> Result<(), StoreError>;

    /// The key of that id, live or not.
    ///
    /// # Errors
    /// When the store fails.
    fn api_key(&self, scope: &TenantScope, id: ApiKeyId) -> Result<Option<ApiKey>, StoreError>;

    /// A page of the tenant's keys, live or not, the newest first, of one moment the highest id first.
    ///
    /// # Errors
    /// When the store fails.
    fn api_keys(&self, scope: &TenantScope, page: Page) -> Result<Paged<ApiKey>, StoreError>;

    /// Revokes a key; gives it as it is then, `None` when there is none of that id. One that was revoked stays as it was.
    ///
    /// # Errors
    /// When the store fails.
    fn revoke_api_key(
        &self,
        scope: &TenantScope,
        id: ApiKeyId,
        now: Timestamp,
    ) -> Result<Option<ApiKey>, StoreError>;

    /// Adds `next`, which replaces the key of that id, and lets that one live until `old_until` at most. `false`, and nothing done,
    /// when there is none of that id that is live at `next.created_at` and has no successor yet.
    ///
    /// # Errors
    /// As [`ApiKeyStore::create_api_key`].
    fn rotate_api_key(
        &self,
        scope: &TenantScope,
        id: ApiKeyId,
        next: &ApiKey,
        secret: TokenHash,
        old_until: Timestamp,
    ) -> Result<bool, StoreError>;

    /// The key with that secret, of whatever tenant, with the tenant.
    ///
    /// # Errors
    /// When the store fails.
    fn key_access(&self, secret: TokenHash) -> Result<Option<KeyAccess>, StoreError>;

    /// Notes that the key with that secret was used at `at`, unless a later use is noted. Nothing is entered in the audit log.
    ///
    /// # Errors
    /// When the store fails.
    fn api_key_used(&self, secret: TokenHash, at: Timestamp) -> Result<(), StoreError>;
}
