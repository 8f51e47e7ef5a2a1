use std::collections::BTreeMap;

use tenantry_domain::{Actor, Sealed, TenantId, Timestamp};

use super::{MemoryStore, Records};
use crate::keys::{key_named, key_part};
use crate::ledger::keys::resealed;
use crate::text::{Texts, refuse_nul};
use crate::{KeyState, KeyStateStore, SealedValue, SecretKind, SecretSample, StoreError};

impl KeyStateStore for MemoryStore {
    fn key_states(&self) -> Result<Vec<KeyState>, StoreError> {
        let mut states: Vec<_> = self.records().keys.values().cloned().collect();
        states.sort_by_key(|state| state.created_at);
        Ok(states)
    }

    fn remember_key(&self, state: &KeyState) -> Result<(), StoreError> {
        state.refuse_nul()?;
        self.records()
            .keys
            .entry(state.key_id.clone())
            .or_insert_with(|| state.clone());
        Ok(())
    }

    fn secrets_by_key(&self) -> Result<Vec<SecretSample>, StoreError> {
        let mut samples = BTreeMap::<String, SecretSample>::new();
        for value in self.records().secrets() {
            samples
                .entry(key_part(&value.sealed).to_owned())
                .and_modify(|sample| sample.secrets += 1)
                .or_insert_with(|| SecretSample {
                    tenant: value.tenant.clone(),
                    kind: value.kind,
                    sealed: value.sealed.clone(),
                    secrets: 1,
                });
        }
        Ok(samples.into_values().collect())
    }

    fn sealed_values(
        &self,
        after: Option<&(TenantId, SecretKind)>,
        limit: u16,
    ) -> Result<Vec<SealedValue>, StoreError> {
        let records = self.records();
        let values = records.secrets();
        let values = values.filter(|value| after.is_none_or(|after| value.place() > *after));
        Ok(values.take(limit.into()).collect())
    }

    fn reseal(
        &self,
        old: &SealedValue,
        new: &Sealed,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        refuse_nul(old.kind.column(), new.as_str())?;
        let mut records = self.records();
        let tenant = records.tenants.get_mut(&old.tenant);
        let secret = tenant.and_then(|tenant| old.kind.of_mut(tenant));
        let Some(secret) = secret.filter(|secret| secret.sealed == old.sealed) else {
            return Ok(false);
        };
        secret.sealed = new.clone();
        records.append_audit(&resealed(old, new), actor, now);
        Ok(true)
    }

    fn forget_key(&self, key_id: &str) -> Result<bool, StoreError> {
        refuse_nul("kid", key_id)?;
        let mut records = self.records();
        let is_needed = records
            .secrets()
            .any(|value| key_named(&value.sealed) == Some(key_id));
        Ok(!is_needed && records.keys.remove(key_id).is_some())
    }
}

impl Records {
    /// Every sealed secret, by tenant and kind.
    fn secrets(&self) -> impl Iterator<Item = SealedValue> {
        self.tenants.values().flat_map(|tenant| {
            let value = |kind: SecretKind| {
                kind.of(tenant).map(|secret| SealedValue {
                    tenant: tenant.id.clone(),
                    kind,
                    sealed: secret.sealed.clone(),
                })
            };
            SecretKind::ALL.into_iter().filter_map(value)
        })
    }
}
