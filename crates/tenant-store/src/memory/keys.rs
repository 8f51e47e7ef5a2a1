use std::collections::BTreeMap;

use tenantry_domain::{Actor, Sealed, TenantId, Timestamp};

use super::MemoryStore;
use crate::text::Texts;
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
        for tenant in self.records().tenants.values() {
            for kind in SecretKind::ALL {
                let Some(secret) = kind.of(tenant) else {
                    continue;
                };
                samples
                    .entry(key_part(secret.sealed.as_str()).to_owned())
                    .and_modify(|sample| sample.secrets += 1)
                    .or_insert_with(|| SecretSample {
                        tenant: tenant.id.clone(),
                        kind,
                        sealed: secret.sealed.clone(),
                        secrets: 1,
                    });
            }
        }
        Ok(samples.into_values().collect())
    }

    fn sealed_otherwise(
        &self,
        _key_part: &str,
        _after: Option<&(TenantId, SecretKind)>,
        _limit: u16,
    ) -> Result<Vec<SealedValue>, StoreError> {
        Err(StoreError::Failed("not written yet".into()))
    }

    fn reseal(
        &self,
        _old: &SealedValue,
        _new: &Sealed,
        _actor: &Actor,
        _now: Timestamp,
    ) -> Result<bool, StoreError> {
        Err(StoreError::Failed("not written yet".into()))
    }

    fn forget_key(&self, _key_id: &str) -> Result<bool, StoreError> {
        Err(StoreError::Failed("not written yet".into()))
    }
}

/// The text before the second `.`, all of it when there is none.
fn key_part(sealed: &str) -> &str {
    let end = sealed
        .match_indices('.')
        .nth(1)
        .map_or(sealed.len(), |(at, _)| at);
    sealed.get(..end).unwrap_or(sealed)
}
