use tenantry_domain::{
    Conversation, ConversationId, Message, Page, Paged, TenantId, TenantScope, UsageRecord, UserId,
};

use super::{MemoryStore, Records, paged};
use crate::text::Texts;
use crate::{MessageStore, MessageTarget, StoreError};

impl MessageStore for MemoryStore {
    fn begin_turn(
        &self,
        scope: &TenantScope,
        owner: UserId,
        target: &MessageTarget,
        message: &Message,
    ) -> Result<Option<Conversation>, StoreError> {
        target.refuse_nul()?;
        target.refuse_other_owner(owner)?;
        message.refuse_nul()?;
        let mut records = self.records();
        match target {
            MessageTarget::New(begun) => {
                records.refuse_taken(scope.id(), begun.id)?;
                records.refuse_message(scope.id(), message)?;
                records.add_thread(scope.id(), begun, std::slice::from_ref(message));
                Ok(Some(begun.clone()))
            }
            MessageTarget::Existing(id) => records.add_message(scope.id(), owner, *id, message),
        }
    }

    fn finish_turn(
        &self,
        scope: &TenantScope,
        owner: UserId,
        conversation: ConversationId,
        answer: &Message,
        usage: &[UsageRecord],
    ) -> Result<bool, StoreError> {
        answer.refuse_nul()?;
        let mut records = self.records();
        if records.thread(scope.id(), owner, conversation).is_some() {
            records.refuse_message(scope.id(), answer)?;
        }
        // What may fail comes before what is kept.
        records.add_usage(scope.id(), usage)?;
        let continued = records.add_message(scope.id(), owner, conversation, answer)?;
        Ok(continued.is_some())
    }

    fn messages(
        &self,
        scope: &TenantScope,
        owner: UserId,
        conversation: ConversationId,
        page: Page,
    ) -> Result<Option<Paged<Message>>, StoreError> {
        let records = self.records();
        let found = records.thread(scope.id(), owner, conversation);
        Ok(found.map(|thread| paged(&thread.messages.iter().collect::<Vec<_>>(), page)))
    }

    fn last_messages(
        &self,
        scope: &TenantScope,
        owner: UserId,
        conversation: ConversationId,
        limit: u16,
    ) -> Result<Vec<Message>, StoreError> {
        let records = self.records();
        let messages = records
            .thread(scope.id(), owner, conversation)
            .map_or(&[][..], |thread| &thread.messages);
        let skipped = messages.len().saturating_sub(limit.into());
        Ok(messages.iter().skip(skipped).cloned().collect())
    }
}

impl Records {
    /// Adds a message to the owner's conversation and gives that as it is then; `None` when there is none of that id.
    fn add_message(
        &mut self,
        tenant: &TenantId,
        owner: UserId,
        conversation: ConversationId,
        message: &Message,
    ) -> Result<Option<Conversation>, StoreError> {
        if self.thread(tenant, owner, conversation).is_none() {
            return Ok(None);
        }
        self.refuse_message(tenant, message)?;
        self.messages.insert((tenant.clone(), message.id));
        let found = self.thread_mut(tenant, owner, conversation);
        Ok(found.map(|thread| {
            thread.conversation.updated_at = message.created_at;
            thread.messages.push(message.clone());
            thread.conversation.clone()
        }))
    }

    /// Refuses an id that the tenant gave to a message.
    fn refuse_message(&self, tenant: &TenantId, message: &Message) -> Result<(), StoreError> {
        if self.messages.contains(&(tenant.clone(), message.id)) {
            return Err(StoreError::IdTaken);
        }
        Ok(())
    }
}
