use tenantry_domain::{
    Actor, ApiKey, ApiKeyId, ForeignIdentity, IdentityProvider, IdentityProviderId, Page, Paged, TenantId,
    TenantScope, Timestamp, TokenHash, UserId,
};

use super::FailingStore;
use crate::{Admission, ApiKeyStore, IdentityStore, KeyAccess, StoreError};

impl<S: ApiKeyStore> ApiKeyStore for FailingStore<S> {
    fn create_api_key(&self, scope: &TenantScope, key: &ApiKey, secret: TokenHash) -> Result<(), StoreError> {
        self.call("create_api_key", |inner| inner.create_api_key(scope, key, secret))
    }

    fn api_key(&self, scope: &TenantScope, id: ApiKeyId) -> Result<Option<ApiKey>, StoreError> {
        self.call("api_key", |inner| inner.api_key(scope, id))
    }

    fn api_keys(&self, scope: &TenantScope, page: Page) -> Result<Paged<ApiKey>, StoreError> {
        self.call("api_keys", |inner| inner.api_keys(scope, page))
    }

    fn revoke_api_key(
        &self,
        scope: &TenantScope,
        id: ApiKeyId,
        now: Timestamp,
    ) -> Result<Option<ApiKey>, StoreError> {
        self.call("revoke_api_key", |inner| inner.revoke_api_key(scope, id, now))
    }

    fn rotate_api_key(
        &self,
        scope: &TenantScope,
        id: ApiKeyId,
        next: &ApiKey,
        secret: TokenHash,
        old_until: Timestamp,
    ) -> Result<bool, StoreError> {
        self.call("rotate_api_key", |inner| {
            inner.rotate_api_key(scope, id, next, secret, old_until)
        })
    }

    fn key_access(&self, secret: TokenHash) -> Result<Option<KeyAccess>, StoreError> {
        self.call("key_access", |inner| inner.key_access(secret))
    }

    fn api_key_used(&self, secret: TokenHash, at: Timestamp) -> Result<(), StoreError> {
        self.call("api_key_used", |inner| inner.api_key_used(secret, at))
    }
}

impl<S: IdentityStore> IdentityStore for FailingStore<S> {
    fn create_identity_provider(
        &self,
        scope: &TenantScope,
        provider: &IdentityProvider,
    ) -> Result<(), StoreError> {
        self.call("create_identity_provider", |inner| {
            inner.create_identity_provider(scope, provider)
        })
    }

    fn identity_provider(
        &self,
        scope: &TenantScope,
        id: IdentityProviderId,
    ) -> Result<Option<IdentityProvider>, StoreError> {
        self.call("identity_provider", |inner| inner.identity_provider(scope, id))
    }

    fn identity_providers(
        &self,
        scope: &TenantScope,
        page: Page,
    ) -> Result<Paged<IdentityProvider>, StoreError> {
        self.call("identity_providers", |inner| {
            inner.identity_providers(scope, page)
        })
    }

    fn update_identity_provider(
        &self,
        scope: &TenantScope,
        provider: &IdentityProvider,
    ) -> Result<bool, StoreError> {
        self.call("update_identity_provider", |inner| {
            inner.update_identity_provider(scope, provider)
        })
    }

    fn remove_identity_provider(
        &self,
        scope: &TenantScope,
        id: IdentityProviderId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.call("remove_identity_provider", |inner| {
            inner.remove_identity_provider(scope, id, now)
        })
    }

    fn providers_of_issuer(&self, issuer: &str) -> Result<Vec<(TenantId, IdentityProvider)>, StoreError> {
        self.call("providers_of_issuer", |inner| inner.providers_of_issuer(issuer))
    }

    fn admit_identity(
        &self,
        tenant: &TenantId,
        provider: &IdentityProvider,
        identity: &ForeignIdentity,
        new_user: UserId,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<Admission, StoreError> {
        self.call("admit_identity", |inner| {
            inner.admit_identity(tenant, provider, identity, new_user, actor, now)
        })
    }
}
