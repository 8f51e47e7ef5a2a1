use std::cmp::Reverse;

use tenantry_domain::{
    Conversation, ConversationId, Message, Page, Paged, TenantId, TenantScope, Timestamp, UserId,
};
use uuid::Uuid;

use super::{MemoryStore, Records, paged};
use crate::text::{Texts, refuse_nul};
use crate::{ConversationStore, StoreError};

/// A conversation with its messages, the first first.
#[derive(Debug)]
pub(super) struct Thread {
    pub(super) conversation: Conversation,
    pub(super) messages: Vec<Message>,
}

impl ConversationStore for MemoryStore {
    fn create_conversation(
        &self,
        scope: &TenantScope,
        conversation: &Conversation,
    ) -> Result<(), StoreError> {
        conversation.refuse_nul()?;
        let mut records = self.records();
        records.refuse_taken(scope.id(), conversation.id)?;
        records.add_thread(scope.id(), conversation, &[]);
        Ok(())
    }

    fn conversation(
        &self,
        scope: &TenantScope,
        owner: UserId,
        id: ConversationId,
    ) -> Result<Option<Conversation>, StoreError> {
        let records = self.records();
        let found = records.thread(scope.id(), owner, id);
        Ok(found.map(|thread| thread.conversation.clone()))
    }

    fn conversations(
        &self,
        scope: &TenantScope,
        owner: UserId,
        page: Page,
    ) -> Result<Paged<Conversation>, StoreError> {
        let records = self.records();
        let first = (scope.id().clone(), ConversationId::from_uuid(Uuid::nil()));
        let mut listed: Vec<_> = records
            .threads
            .range(first..)
            .take_while(|((tenant, _), _)| tenant == scope.id())
            .map(|(_, thread)| &thread.conversation)
            .filter(|conversation| conversation.owner == owner)
            .collect();
        listed.sort_by_key(|conversation| Reverse((conversation.updated_at, conversation.id)));
        Ok(paged(&listed, page))
    }

    fn rename_conversation(
        &self,
        scope: &TenantScope,
        owner: UserId,
        id: ConversationId,
        title: &str,
        now: Timestamp,
    ) -> Result<Option<Conversation>, StoreError> {
        refuse_nul("title", title)?;
        let mut records = self.records();
        Ok(records.thread_mut(scope.id(), owner, id).map(|thread| {
            title.clone_into(&mut thread.conversation.title);
            thread.conversation.updated_at = now;
            thread.conversation.clone()
        }))
    }

    fn remove_conversation(
        &self,
        scope: &TenantScope,
        owner: UserId,
        id: ConversationId,
    ) -> Result<bool, StoreError> {
        let mut records = self.records();
        if records.thread(scope.id(), owner, id).is_none() {
            return Ok(false);
        }
        let removed = records.threads.remove(&(scope.id().clone(), id));
        for message in removed.into_iter().flat_map(|thread| thread.messages) {
            records.messages.remove(&(scope.id().clone(), message.id));
        }
        Ok(true)
    }
}

impl Records {
    /// The owner's conversation of that id.
    pub(super) fn thread(&self, tenant: &TenantId, owner: UserId, id: ConversationId) -> Option<&Thread> {
        let found = self.threads.get(&(tenant.clone(), id));
        found.filter(|thread| thread.conversation.owner == owner)
    }

    /// The owner's conversation of that id, to be changed.
    pub(super) fn thread_mut(
        &mut self,
        tenant: &TenantId,
        owner: UserId,
        id: ConversationId,
    ) -> Option<&mut Thread> {
        let found = self.threads.get_mut(&(tenant.clone(), id));
        found.filter(|thread| thread.conversation.owner == owner)
    }

    /// Refuses an id that the tenant gave to a conversation, and a tenant that is not here.
    pub(super) fn refuse_taken(&self, tenant: &TenantId, id: ConversationId) -> Result<(), StoreError> {
        self.refuse_unknown(tenant)?;
        if self.threads.contains_key(&(tenant.clone(), id)) {
            return Err(StoreError::IdTaken);
        }
        Ok(())
    }

    /// Adds a conversation with its messages, whose ids are free.
    pub(super) fn add_thread(
        &mut self,
        tenant: &TenantId,
        conversation: &Conversation,
        messages: &[Message],
    ) {
        let ids = messages.iter().map(|message| (tenant.clone(), message.id));
        self.messages.extend(ids);
        let thread = Thread {
            conversation: conversation.clone(),
            messages: messages.to_vec(),
        };
        self.threads.insert((tenant.clone(), conversation.id), thread);
    }
}
