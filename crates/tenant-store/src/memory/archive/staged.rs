use std::collections::{BTreeMap, BTreeSet};

use tenantry_domain::{
    AuditEntry, Conversation, ConversationId, DocumentId, DocumentVersion, IdentityProvider,
    IdentityProviderId, Message, MessageId, PromptVersion, Segment, TenantId, UsageTotals, User, UserId,
};

use crate::ledger::DocumentRecord;
use crate::ledger::erasure::goes_on;
use crate::ledger::usage::{Account, kept};
use crate::memory::Records;
use crate::{ArchivedIdentity, ArchivedRecord, ArchivedUser, AuditHead, AuditLog, StoreError};

/// Records on their way in, which are kept when all of them can be.
#[derive(Default)]
pub(super) struct Staged {
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
    /// Takes a record, unless it names what is not there or has an id that is taken.
    pub(super) fn add(
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
            ArchivedRecord::Segment { of, segment } => self.add_segment(records, tenant, of, segment),
            ArchivedRecord::Conversation(conversation) => {
                let id = conversation.id;
                let is_taken = records.threads.contains_key(&(place(), id));
                add(&mut self.conversations, id, conversation, is_taken)
            }
            ArchivedRecord::Message {
                conversation,
                message,
            } => self.add_message(records, tenant, conversation, message),
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
            ArchivedRecord::Audit(entry) => self.add_entry(records, tenant, entry),
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

    fn add_segment(
        &mut self,
        records: &Records,
        tenant: &TenantId,
        of: DocumentVersion,
        segment: Segment,
    ) -> Result<(), StoreError> {
        let is_there = self.documents.contains_key(&of.document)
            || records.documents.contains_key(&(tenant.clone(), of.document));
        refuse_absent(is_there)?;
        let place = (tenant.clone(), of, segment.ordinal);
        let is_taken = records.segments.contains_key(&place);
        add(&mut self.segments, (of, segment.ordinal), segment, is_taken)
    }

    fn add_message(
        &mut self,
        records: &Records,
        tenant: &TenantId,
        conversation: ConversationId,
        message: Message,
    ) -> Result<(), StoreError> {
        let is_there = self.conversations.contains_key(&conversation)
            || records.threads.contains_key(&(tenant.clone(), conversation));
        refuse_absent(is_there)?;
        let is_taken = records.messages.contains(&(tenant.clone(), message.id));
        if is_taken || !self.message_ids.insert(message.id) {
            return Err(StoreError::IdTaken);
        }
        self.messages.push((conversation, message));
        Ok(())
    }

    fn add_entry(
        &mut self,
        records: &Records,
        tenant: &TenantId,
        entry: AuditEntry,
    ) -> Result<(), StoreError> {
        let kept = records.audit.get(&AuditLog::Tenant(tenant.clone()));
        let last = self
            .audit
            .last()
            .or_else(|| kept.and_then(|entries| entries.last()));
        goes_on(tenant, last.map_or(AuditHead::START, AuditHead::after), &entry)?;
        self.audit.push(entry);
        Ok(())
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

    /// Keeps all of it, and gives the users who were left out.
    pub(super) fn keep(self, records: &mut Records, tenant: &TenantId) -> Vec<ArchivedUser> {
        let place = || tenant.clone();
        records.users.extend(self.users);
        records.prompts.extend(of(tenant, self.prompts));
        records.documents.extend(of(tenant, self.documents));
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
        records.usage.extend(of(tenant, self.usage));
        records.providers.extend(of(tenant, self.providers));
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

/// What was staged under its keys, under those of the tenant.
fn of<K, V>(tenant: &TenantId, staged: BTreeMap<K, V>) -> impl Iterator<Item = ((TenantId, K), V)> {
    staged
        .into_iter()
        .map(|(key, value)| ((tenant.clone(), key), value))
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
