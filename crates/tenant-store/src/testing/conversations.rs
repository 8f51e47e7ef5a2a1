use tenantry_domain::{
    Conversation, ConversationId, Message, Page, Paged, TenantScope, Timestamp, UsageRecord, UserId,
};

use super::FailingStore;
use crate::{ConversationStore, MessageStore, MessageTarget, StoreError};

impl<S: ConversationStore> ConversationStore for FailingStore<S> {
    fn create_conversation(
        &self,
        scope: &TenantScope,
        conversation: &Conversation,
    ) -> Result<(), StoreError> {
        self.call("create_conversation", |inner| {
            inner.create_conversation(scope, conversation)
        })
    }

    fn conversation(
        &self,
        scope: &TenantScope,
        owner: UserId,
        id: ConversationId,
    ) -> Result<Option<Conversation>, StoreError> {
        self.call("conversation", |inner| inner.conversation(scope, owner, id))
    }

    fn conversations(
        &self,
        scope: &TenantScope,
        owner: UserId,
        page: Page,
    ) -> Result<Paged<Conversation>, StoreError> {
        self.call("conversations", |inner| inner.conversations(scope, owner, page))
    }

    fn rename_conversation(
        &self,
        scope: &TenantScope,
        owner: UserId,
        id: ConversationId,
        title: &str,
        now: Timestamp,
    ) -> Result<Option<Conversation>, StoreError> {
        self.call("rename_conversation", |inner| {
            inner.rename_conversation(scope, owner, id, title, now)
        })
    }

    fn remove_conversation(
        &self,
        scope: &TenantScope,
        owner: UserId,
        id: ConversationId,
    ) -> Result<bool, StoreError> {
        self.call("remove_conversation", |inner| {
            inner.remove_conversation(scope, owner, id)
        })
    }
}

impl<S: MessageStore> MessageStore for FailingStore<S> {
    fn begin_turn(
        &self,
        scope: &TenantScope,
        owner: UserId,
        target: &MessageTarget,
        message: &Message,
    ) -> Result<Option<Conversation>, StoreError> {
        self.call("begin_turn", |inner| {
            inner.begin_turn(scope, owner, target, message)
        })
    }

    fn finish_turn(
        &self,
        scope: &TenantScope,
        owner: UserId,
        conversation: ConversationId,
        answer: &Message,
        usage: &[UsageRecord],
    ) -> Result<bool, StoreError> {
        self.call("finish_turn", |inner| {
            inner.finish_turn(scope, owner, conversation, answer, usage)
        })
    }

    fn messages(
        &self,
        scope: &TenantScope,
        owner: UserId,
        conversation: ConversationId,
        page: Page,
    ) -> Result<Option<Paged<Message>>, StoreError> {
        self.call("messages", |inner| {
            inner.messages(scope, owner, conversation, page)
        })
    }

    fn last_messages(
        &self,
        scope: &TenantScope,
        owner: UserId,
        conversation: ConversationId,
        limit: u16,
    ) -> Result<Vec<Message>, StoreError> {
        self.call("last_messages", |inner| {
            inner.last_messages(scope, owner, conversation, limit)
        })
    }
}
