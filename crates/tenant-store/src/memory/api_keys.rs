use std::cmp::Reverse;

use tenantry_domain::{ApiKey, ApiKeyId, Page, Paged, TenantId, TenantScope, Timestamp, TokenHash};

use super::{MemoryStore, Records, paged};
use crate::ledger::api_keys::{created, revoked, rotated};
use crate::text::Texts;
use crate::{ApiKeyStore, KeyAccess, StoreError};

/// A key with the hash of its secret.
#[derive(Debug)]
pub(super) struct KeptKey {
    pub(super) key: ApiKey,
    pub(super) secret: TokenHash,
}

impl ApiKeyStore for MemoryStore {
    fn create_api_key(&self, scope: &TenantScope, key: &ApiKey, secret: TokenHash) -> Result<(), StoreError> {
        key.refuse_nul()?;
        let mut records = self.records();
        records.add_key(scope.id(), key, secret)?;
        let entry = created(scope.id(), key);
        records.append_audit(&[entry], scope.actor(), key.created_at);
        Ok(())
    }

    fn api_key(&self, scope: &TenantScope, id: ApiKeyId) -> Result<Option<ApiKey>, StoreError> {
        let mut records = self.records();
        Ok(records.key_mut(scope.id(), id).map(|kept| kept.key.clone()))
    }

    fn api_keys(&self, scope: &TenantScope, page: Page) -> Result<Paged<ApiKey>, StoreError> {
        let records = self.records();
        let mut keys: Vec<_> = records
            .api_keys
            .iter()
            .filter(|((tenant, _), _)| tenant == scope.id())
            .map(|(_, kept)| &kept.key)
            .collect();
        keys.sort_by_key(|key| Reverse((key.created_at, key.id)));
        Ok(paged(&keys, page))
    }

    fn revoke_api_key(
        &self,
        scope: &TenantScope,
        id: ApiKeyId,
        now: Timestamp,
    ) -> Result<Option<ApiKey>, StoreError> {
        let mut records = self.records();
        let Some(kept) = records.key_mut(scope.id(), id) else {
            return Ok(None);
        };
        let was_revoked = kept.key.revoked_at.is_some();
        kept.key.revoked_at.get_or_insert(now);
        let key = kept.key.clone();
        if !was_revoked {
            records.append_audit(&[revoked(scope.id(), id)], scope.actor(), now);
        }
        Ok(Some(key))
    }

    fn rotate_api_key(
        &self,
        scope: &TenantScope,
        id: ApiKeyId,
        next: &ApiKey,
        secret: TokenHash,
        old_until: Timestamp,
    ) -> Result<bool, StoreError> {
        next.refuse_nul()?;
        let mut records = self.records();
        let may_rotate = records
            .key_mut(scope.id(), id)
            .is_some_and(|kept| kept.key.replaced_by.is_none() && kept.key.is_live(next.created_at));
        if !may_rotate {
            return Ok(false);
        }
        records.add_key(scope.id(), next, secret)?;
        if let Some(kept) = records.key_mut(scope.id(), id) {
            let end = kept.key.expires_at.map_or(old_until, |end| end.min(old_until));
            kept.key.expires_at = Some(end);
            kept.key.replaced_by = Some(next.id);
        }
        let entry = rotated(scope.id(), id, next);
        records.append_audit(&[entry], scope.actor(), next.created_at);
        Ok(true)
    }

    fn key_access(&self, secret: TokenHash) -> Result<Option<KeyAccess>, StoreError> {
        let records = self.records();
        let found = records.api_keys.iter().find(|(_, kept)| kept.secret == secret);
        Ok(found.and_then(|((tenant, _), kept)| {
            Some(KeyAccess {
                key: kept.key.clone(),
                tenant: records.tenants.get(tenant)?.clone(),
            })
        }))
    }

    fn api_key_used(&self, secret: TokenHash, at: Timestamp) -> Result<(), StoreError> {
        let mut records = self.records();
        if let Some(kept) = records.api_keys.values_mut().find(|kept| kept.secret == secret) {
            kept.key.used_at = kept.key.used_at.max(Some(at));
        }
        Ok(())
    }
}

impl Records {
    fn key_mut(&mut self, tenant: &TenantId, id: ApiKeyId) -> Option<&mut KeptKey> {
        self.api_keys.get_mut(&(tenant.clone(), id))
    }

    fn add_key(&mut self, tenant: &TenantId, key: &ApiKey, secret: TokenHash) -> Result<(), StoreError> {
        let place = (tenant.clone(), key.id);
        let taken = self.api_keys.values().any(|kept| kept.secret == secret);
        if taken || self.api_keys.contains_key(&place) {
            return Err(StoreError::IdTaken);
        }
        self.refuse_unknown(tenant)?;
        let key = key.clone();
        self.api_keys.insert(place, KeptKey { key, secret });
        Ok(())
    }
}
