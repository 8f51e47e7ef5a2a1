mod staged;

use std::ops::{Bound, ControlFlow};

use tenantry_domain::{Actor, DocumentState, DocumentVersion, Tenant, TenantId, Timestamp};

use self::staged::Staged;
use super::{MemoryStore, Records};
use crate::ledger::DocumentRecord;
use crate::ledger::erasure::imported;
use crate::text::Texts;
use crate::{ArchivedIdentity, ArchivedRecord, ArchivedUser, AuditLog, StoreError, TenantArchiveStore};

impl TenantArchiveStore for MemoryStore {
    fn read_tenant(
        &self,
        id: &TenantId,
        visit: &mut dyn FnMut(ArchivedRecord) -> ControlFlow<()>,
    ) -> Result<bool, StoreError> {
        let Some(all) = self.records().archived(id) else {
            return Ok(false);
        };
        for record in all {
            if visit(record).is_break() {
                break;
            }
        }
        Ok(true)
    }

    fn begin_import(&self, tenant: &Tenant, _now: Timestamp) -> Result<bool, StoreError> {
        let tenant = crate::archive::without_secrets(tenant);
        tenant.refuse_nul()?;
        let mut records = self.records();
        if records.imports.contains(&tenant.id) {
            return Ok(false);
        }
        records.refuse_used(&tenant.id)?;
        records.imports.insert(tenant.id.clone());
        records.tenants.insert(tenant.id.clone(), tenant);
        Ok(true)
    }

    fn import(&self, tenant: &TenantId, batch: &[ArchivedRecord]) -> Result<Vec<ArchivedUser>, StoreError> {
        let mut records = self.records();
        if !records.imports.contains(tenant) {
            return Err(StoreError::UnknownTenant);
        }
        let mut staged = Staged::default();
        for record in batch {
            record.refuse_nul()?;
            staged.add(&records, tenant, record)?;
        }
        Ok(staged.keep(&mut records, tenant))
    }

    fn finish_import(
        &self,
        tenant: &TenantId,
        is_active: bool,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut records = self.records();
        if !records.imports.remove(tenant) {
            return Ok(false);
        }
        if let Some(found) = records.tenants.get_mut(tenant) {
            found.is_active = is_active;
        }
        records.erasures.remove(tenant);
        records.append_audit(&imported(tenant, is_active), actor, now);
        Ok(true)
    }

    fn abandon_import(&self, tenant: &TenantId) -> Result<bool, StoreError> {
        let mut records = self.records();
        if !records.imports.remove(tenant) {
            return Ok(false);
        }
        records.remove_all(tenant);
        records.indexes.remove(tenant);
        records.erasures.remove(tenant);
        records.tenants.remove(tenant);
        Ok(true)
    }
}

impl Records {
    /// Every record of the tenant in the order of an archive.
    fn archived(&self, id: &TenantId) -> Option<Vec<ArchivedRecord>> {
        let tenant = self.tenants.get(id)?;
        let mut all = vec![ArchivedRecord::Tenant(Box::new(tenant.clone()))];
        let users = self
            .users
            .values()
            .filter(|user| user.tenant.as_ref() == Some(id) && !user.is_superuser);
        all.extend(users.map(|user| ArchivedRecord::User(user.into())));
        let of_tenant = |owner: &TenantId| owner == id;
        let prompts = self.prompts.iter().filter(|((owner, _), _)| of_tenant(owner));
        all.extend(prompts.map(|(_, prompt)| ArchivedRecord::Prompt(prompt.clone())));
        for record in self
            .documents_of(id)
            .filter(|record| record.document.state != DocumentState::Deleting)
        {
            all.extend(self.archived_document(id, record));
        }
        for (_, thread) in self.threads.iter().filter(|((owner, _), _)| of_tenant(owner)) {
            let conversation = thread.conversation.id;
            all.push(ArchivedRecord::Conversation(thread.conversation.clone()));
            let messages = thread.messages.iter().cloned();
            all.extend(messages.map(|message| ArchivedRecord::Message {
                conversation,
                message,
            }));
        }
        let usage = self.usage.iter().filter(|((owner, _), _)| of_tenant(owner));
        all.extend(usage.map(|((_, account), totals)| ArchivedRecord::Usage(account.archived(*totals))));
        let keys = self.api_keys.iter().filter(|((owner, _), _)| of_tenant(owner));
        all.extend(keys.map(|(_, kept)| ArchivedRecord::ApiKey(kept.key.clone())));
        let providers = self.providers.iter().filter(|((owner, _), _)| of_tenant(owner));
        all.extend(providers.map(|(_, provider)| ArchivedRecord::IdentityProvider(provider.clone())));
        let identities = self.identities.iter().filter(|((owner, ..), _)| of_tenant(owner));
        all.extend(identities.map(|((_, provider, subject), user)| {
            ArchivedRecord::Identity(ArchivedIdentity {
                provider: *provider,
                subject: subject.clone(),
                user: *user,
            })
        }));
        let log = self.audit.get(&AuditLog::Tenant(id.clone()));
        all.extend(log.into_iter().flatten().cloned().map(ArchivedRecord::Audit));
        Some(all)
    }

    fn archived_document<'r>(
        &'r self,
        id: &TenantId,
        record: &DocumentRecord,
    ) -> impl Iterator<Item = ArchivedRecord> + use<'r> {
        let of = DocumentVersion {
            document: record.document.id,
            version: record.document.version,
        };
        let place = |ordinal| (id.clone(), of, ordinal);
        let segments = self
            .segments
            .range((Bound::Included(place(0)), Bound::Included(place(u32::MAX))));
        let segments = segments.map(move |(_, segment)| ArchivedRecord::Segment {
            of,
            segment: segment.clone(),
        });
        // A document without a version that may be found has the pieces of none.
        let segments = segments.filter(move |_| of.version > 0);
        std::iter::once(ArchivedRecord::Document(record.into())).chain(segments)
    }
}
