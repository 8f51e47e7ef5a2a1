use std::collections::{BTreeMap, BTreeSet};
use std::ops::{Bound, ControlFlow};

use super::{MemoryStore, Records};
use crate::ledger::DocumentRecord;
use crate::ledger::erasure::{goes_on, imported};
use crate::ledger::usage::{Account, kept};
use crate::text::Texts;
use crate::{
    ArchivedIdentity, ArchivedRecord, ArchivedUser, AuditHead, AuditLog, StoreError, TenantArchiveStore,
};
use tenantry_domain::{
    Actor, AuditEntry, Conversation, ConversationId, DocumentId, DocumentState, DocumentVersion,
    IdentityProvider, IdentityProviderId, Message, MessageId, PromptVersion, Segment, Tenant, TenantId,
    Timestamp, UsageTotals, User, UserId,
};

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

/// Records on their way in, which are kept when all of them can be.
#[derive(Default)]
struct Staged {
    users: BTreeMap<UserId, User>,
    left_out: Vec<ArchivedUser>,
    prompts: BTreeMap<u32, PromptVersion>,
    documents: BTreeMap<DocumentId, DocumentRecord>,
    segments: BTreeMap<(DocumentVersion, u32), Segment>,
    conversations: BTreeMap<ConversationId, Conversation>,
    messages: Vec<(ConversationId, Message)>,
    message_ids: BTreeSet<MessageId>,
    usage: BTreeMap<Account, UsageTotals>,
    providers: BTreeMap<IdentityProviderId, IdentityProvider>,
    identities: BTreeMap<(IdentityProviderId, String), UserId>,
    audit: Vec<AuditEntry>,
}

impl Staged {
    fn add(
        &mut self,
        records: &Records,
        tenant: &TenantId,
        record: &ArchivedRecord,
    ) -> Result<(), StoreError> {
        let place = || tenant.clone();
        match record.clone() {
            ArchivedRecord::Tenant(_) | ArchivedRecord::ApiKey(_) => Ok(()),
            ArchivedRecord::User(user) => {
                self.add_user(records, tenant, user);
                Ok(())
            }
            ArchivedRecord::Prompt(prompt) => {
                let is_taken = records.prompts.contains_key(&(place(), prompt.number));
                add(&mut self.prompts, prompt.number, prompt, is_taken)
            }
            ArchivedRecord::Document(document) => {
                let id = document.document.id;
                let is_taken = records.documents.contains_key(&(place(), id));
                add(&mut self.documents, id, document.into(), is_taken)
            }
            ArchivedRecord::Segment { of, segment } => {
                let is_there = self.documents.contains_key(&of.document)
                    || records.documents.contains_key(&(place(), of.document));
                refuse_absent(is_there)?;
                let is_taken = records.segments.contains_key(&(place(), of, segment.ordinal));
                add(&mut self.segments, (of, segment.ordinal), segment, is_taken)
            }
            ArchivedRecord::Conversation(conversation) => {
                let id = conversation.id;
                let is_taken = records.threads.contains_key(&(place(), id));
                add(&mut self.conversations, id, conversation, is_taken)
            }
            ArchivedRecord::Message {
                conversation,
                message,
            } => {
                let is_there = self.conversations.contains_key(&conversation)
                    || records.threads.contains_key(&(place(), conversation));
                refuse_absent(is_there)?;
                let is_taken = records.messages.contains(&(place(), message.id));
                if is_taken || !self.message_ids.insert(message.id) {
                    return Err(StoreError::IdTaken);
                }
                self.messages.push((conversation, message));
                Ok(())
            }
            ArchivedRecord::Usage(usage) => {
                let (account, totals) = Account::of_archive(usage);
                let is_taken = records.usage.contains_key(&(place(), account.clone()));
                add(&mut self.usage, account, kept(totals), is_taken)
            }
            ArchivedRecord::IdentityProvider(provider) => {
                let id = provider.id;
                let is_taken = records.providers.contains_key(&(place(), id));
                add(&mut self.providers, id, provider, is_taken)
            }
            ArchivedRecord::Identity(identity) => self.add_identity(records, tenant, identity),
            ArchivedRecord::Audit(entry) => {
                let kept = records.audit.get(&AuditLog::Tenant(tenant.clone()));
                let last = self
                    .audit
                    .last()
                    .or_else(|| kept.and_then(|entries| entries.last()));
                goes_on(tenant, last.map_or(AuditHead::START, AuditHead::after), &entry)?;
                self.audit.push(entry);
                Ok(())
            }
        }
    }

    fn add_user(&mut self, records: &Records, tenant: &TenantId, user: ArchivedUser) {
        let mut all = records.users.values().chain(self.users.values());
        if all.any(|other| other.id == user.id || other.email == user.email) {
            self.left_out.push(user);
        } else {
            self.users.insert(user.id, user.into_user(tenant));
        }
    }

    fn add_identity(
        &mut self,
        records: &Records,
        tenant: &TenantId,
        identity: ArchivedIdentity,
    ) -> Result<(), StoreError> {
        let ArchivedIdentity {
            provider,
            subject,
            user,
        } = identity;
        let is_there = self.providers.contains_key(&provider)
            || records.providers.contains_key(&(tenant.clone(), provider));
        refuse_absent(is_there)?;
        let found = self.users.get(&user).or_else(|| records.users.get(&user));
        if found.is_none_or(|user| user.tenant.as_ref() != Some(tenant) || user.is_superuser) {
            return Ok(());
        }
        let is_taken = records
            .identities
            .contains_key(&(tenant.clone(), provider, subject.clone()));
        add(&mut self.identities, (provider, subject), user, is_taken)
    }

    fn keep(self, records: &mut Records, tenant: &TenantId) -> Vec<ArchivedUser> {
        let place = || tenant.clone();
        records.users.extend(self.users);
        records.prompts.extend(
            self.prompts
                .into_iter()
                .map(|(number, prompt)| ((place(), number), prompt)),
        );
        records.documents.extend(
            self.documents
                .into_iter()
                .map(|(id, document)| ((place(), id), document)),
        );
        let segments = self
            .segments
            .into_iter()
            .map(|((of, ordinal), segment)| ((place(), of, ordinal), segment));
        records.segments.extend(segments);
        for conversation in self.conversations.into_values() {
            records.add_thread(tenant, &conversation, &[]);
        }
        for (conversation, message) in self.messages {
            records.messages.insert((place(), message.id));
            if let Some(thread) = records.threads.get_mut(&(place(), conversation)) {
                thread.messages.push(message);
            }
        }
        records.usage.extend(
            self.usage
                .into_iter()
                .map(|(account, totals)| ((place(), account), totals)),
        );
        records.providers.extend(
            self.providers
                .into_iter()
                .map(|(id, provider)| ((place(), id), provider)),
        );
        let identities = self.identities.into_iter();
        records
            .identities
            .extend(identities.map(|((provider, subject), user)| ((place(), provider, subject), user)));
        if !self.audit.is_empty() {
            records
                .audit
                .entry(AuditLog::Tenant(place()))
                .or_default()
                .extend(self.audit);
        }
        self.left_out
    }
}

fn add<K: Ord, V>(map: &mut BTreeMap<K, V>, key: K, value: V, is_taken: bool) -> Result<(), StoreError> {
    if is_taken || map.insert(key, value).is_some() {
        return Err(StoreError::IdTaken);
    }
    Ok(())
}

fn refuse_absent(is_there: bool) -> Result<(), StoreError> {
    if is_there {
        Ok(())
    } else {
        Err(StoreError::UnknownTenant)
    }
}
