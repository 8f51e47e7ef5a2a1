use tenantry_domain::{Actor, Page, Paged, Tenant, TenantId, Timestamp, User};

use super::{MemoryStore, Records, paged};
use crate::ledger::users::raised;
use crate::ledger::{PromptChange, audit};
use crate::text::Texts;
use crate::{StoreError, TenantChange, TenantStore};

impl TenantStore for MemoryStore {
    fn create_tenant(&self, tenant: &Tenant, actor: &Actor) -> Result<(), StoreError> {
        tenant.refuse_nul()?;
        let mut records = self.records();
        records.refuse_used(&tenant.id)?;
        let change = PromptChange {
            before: None,
            after: tenant.system_prompt.as_deref(),
            author: actor.principal.owner(),
            at: tenant.created_at,
        };
        records.change_prompt(&tenant.id, change)?;
        records.tenants.insert(tenant.id.clone(), tenant.clone());
        records.append_audit(&audit::tenant_created(tenant), actor, tenant.created_at);
        Ok(())
    }

    fn tenant(&self, id: &TenantId) -> Result<Option<Tenant>, StoreError> {
        Ok(self.records().tenants.get(id).cloned())
    }

    fn tenants(&self, page: Page) -> Result<Paged<Tenant>, StoreError> {
        Ok(paged(&self.records().tenants.values().collect::<Vec<_>>(), page))
    }

    fn update_tenant(
        &self,
        id: &TenantId,
        change: &TenantChange,
        now: Timestamp,
    ) -> Result<Option<Tenant>, StoreError> {
        change.refuse_nul()?;
        let mut records = self.records();
        let Some(before) = records.tenants.get(id).cloned() else {
            return Ok(None);
        };
        let mut tenant = before.clone();
        if change.basis.as_ref().is_some_and(|basis| !basis.holds(&tenant)) {
            return Ok(None);
        }
        let sent_out = if tenant.is_active && change.is_active == Some(false) {
            records.sent_out(id)?
        } else {
            Vec::new()
        };
        let mut version = None;
        if let Some(prompt) = &change.system_prompt {
            let change = PromptChange {
                before: tenant.system_prompt.as_deref(),
                after: prompt.as_deref(),
                author: change.actor.principal.owner(),
                at: now,
            };
            version = records.change_prompt(id, change)?;
        }
        apply(change, &mut tenant);
        tenant.updated_at = now;
        records.tenants.insert(id.clone(), tenant.clone());
        for user in sent_out {
            records.sessions.end_all(user.id, now);
            records.users.insert(user.id, user);
        }
        let events = audit::tenant_changed(&before, &tenant, version);
        records.append_audit(&events, &change.actor, now);
        Ok(Some(tenant))
    }
}

impl Records {
    /// The tenant's users as they are when all their sessions end.
    fn sent_out(&self, tenant: &TenantId) -> Result<Vec<User>, StoreError> {
        let users = self
            .users
            .values()
            .filter(|user| user.tenant.as_ref() == Some(tenant));
        users
            .map(|user| {
                Ok(User {
                    token_version: raised(user.token_version)?,
                    ..user.clone()
                })
            })
            .collect()
    }
}

fn apply(change: &TenantChange, tenant: &mut Tenant) {
    let change = change.clone();
    set(&mut tenant.name, change.name);
    set(&mut tenant.pinecone.environment, change.pinecone_environment);
    set(&mut tenant.pinecone.index, change.pinecone_index);
    set(&mut tenant.pinecone.host, change.pinecone_host);
    set(&mut tenant.pinecone.api_key, change.pinecone_api_key);
    set(&mut tenant.pinecone.external, change.pinecone_external);
    set(&mut tenant.search, change.search);
    set(&mut tenant.chat, change.chat);
    set(&mut tenant.llm, change.llm);
    set(&mut tenant.system_prompt, change.system_prompt);
    set(&mut tenant.ingesters, change.ingesters);
    set(&mut tenant.is_active, change.is_active);
}

/// Puts `value` in its place where one is given.
pub(super) fn set<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}
