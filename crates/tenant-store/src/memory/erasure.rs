use std::collections::BTreeMap;

use tenantry_domain::{Actor, Generation, TenantId, Timestamp};

use super::{MemoryStore, Records};
use crate::ledger::erasure::{erased, id_hash, refuse_active, refuse_superusers};
use crate::{AuditLog, ErasedTenant, StoreError, TenantEraseStore};

/// How many records went, by the table that a database keeps them in.
type Removed = BTreeMap<String, u64>;

impl TenantEraseStore for MemoryStore {
    fn erase_some(&self, tenant: &TenantId, _limit: u32) -> Result<u64, StoreError> {
        let mut records = self.records();
        let Some(found) = records.tenants.get(tenant) else {
            return Ok(0);
        };
        refuse_active(found.is_active)?;
        let removed = records.remove_all(tenant);
        let total = removed.values().sum();
        let counted = records.erasures.entry(tenant.clone()).or_default();
        merge(counted, removed);
        Ok(total)
    }

    fn finish_erasure(
        &self,
        tenant: &TenantId,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<Option<ErasedTenant>, StoreError> {
        let mut records = self.records();
        let Some(found) = records.tenants.get(tenant) else {
            return Ok(None);
        };
        refuse_active(found.is_active)?;
        let of_tenant =
            |user: &tenantry_domain::User| user.is_superuser && user.tenant.as_ref() == Some(tenant);
        refuse_superusers(records.users.values().any(of_tenant))?;
        let mut removed = records.erasures.remove(tenant).unwrap_or_default();
        merge(&mut removed, records.remove_all(tenant));
        let entries = records
            .indexes
            .remove(tenant)
            .map_or(0, |indexes| indexes.0.len());
        let entries = u64::try_from(entries).unwrap_or(u64::MAX);
        merge(&mut removed, Removed::from([("indexes".to_owned(), entries)]));
        records.imports.remove(tenant);
        records.tenants.remove(tenant);
        merge(&mut removed, Removed::from([("tenants".to_owned(), 1)]));
        let last = records.erased.values().map(|erased| erased.number).max();
        let gone = ErasedTenant {
            id_hash: id_hash(tenant),
            number: last.unwrap_or(0).saturating_add(1),
            at: now,
            by: actor.principal,
            removed,
        };
        records.erased.insert(gone.id_hash, gone.clone());
        records.append_audit(&erased(&gone), actor, now);
        Ok(Some(gone))
    }

    fn erased_tenant(&self, tenant: &TenantId) -> Result<Option<ErasedTenant>, StoreError> {
        Ok(self.records().erased.get(&id_hash(tenant)).cloned())
    }

    fn generations(&self, tenant: &TenantId) -> Result<Vec<Generation>, StoreError> {
        let records = self.records();
        let indexes = records.indexes.get(tenant);
        Ok(indexes
            .iter()
            .flat_map(|indexes| indexes.0.iter().map(|entry| entry.index.generation))
            .collect())
    }

    fn vacuum(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

fn merge(into: &mut Removed, more: Removed) {
    for (table, rows) in more {
        let sum = into.entry(table).or_default();
        *sum = sum.saturating_add(rows);
    }
}

impl Records {
    /// Refuses the id of a tenant that is here, or was.
    pub(super) fn refuse_used(&self, tenant: &TenantId) -> Result<(), StoreError> {
        if self.tenants.contains_key(tenant) || self.erased.contains_key(&id_hash(tenant)) {
            return Err(StoreError::IdTaken);
        }
        Ok(())
    }

    /// Removes all that is the tenant's but the tenant itself and what is known of its indexes.
    pub(super) fn remove_all(&mut self, tenant: &TenantId) -> Removed {
        let mut removed = Removed::new();
        let mut note = |table: &str, rows: usize| {
            if rows > 0 {
                removed.insert(table.to_owned(), u64::try_from(rows).unwrap_or(u64::MAX));
            }
        };
        let is = |owner: &TenantId| owner == tenant;
        note("jobs", drain(&mut self.jobs, |(owner, _)| is(owner)));
        note("source_parts", drain(&mut self.parts, |(owner, ..)| is(owner)));
        note("ingest_queue", drain(&mut self.queue, is));
        note(
            "document_segments",
            drain(&mut self.segments, |(owner, ..)| is(owner)),
        );
        note("documents", drain(&mut self.documents, |(owner, _)| is(owner)));
        let before = self.messages.len();
        self.messages.retain(|(owner, _)| !is(owner));
        note("messages", before - self.messages.len());
        note("conversations", drain(&mut self.threads, |(owner, _)| is(owner)));
        note("usage_by_day", drain(&mut self.usage, |(owner, _)| is(owner)));
        note("system_prompts", drain(&mut self.prompts, |(owner, _)| is(owner)));
        note("api_keys", drain(&mut self.api_keys, |(owner, _)| is(owner)));
        note("identities", drain(&mut self.identities, |(owner, ..)| is(owner)));
        note(
            "identity_providers",
            drain(&mut self.providers, |(owner, _)| is(owner)),
        );
        let of_tenant = self
            .users
            .values()
            .filter(|user| user.tenant.as_ref() == Some(tenant) && !user.is_superuser);
        let users: Vec<_> = of_tenant.map(|user| user.id).collect();
        for user in &users {
            self.users.remove(user);
            self.sessions.forget(*user);
        }
        note("users", users.len());
        let log = self.audit.remove(&AuditLog::Tenant(tenant.clone()));
        note("audit_log", log.map_or(0, |entries| entries.len()));
        removed
    }
}

/// Removes what has such a key, and says how many that were.
fn drain<K: Ord, V>(map: &mut BTreeMap<K, V>, is_meant: impl Fn(&K) -> bool) -> usize {
    let before = map.len();
    map.retain(|key, _| !is_meant(key));
    before - map.len()
}
