use tenantry_domain::{Conversation, ConversationId, Message, Page, Paged, TenantScope, UsageRecord, UserId};

use crate::StoreError;

/// Where a user's message goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MessageTarget {
    /// A conversation that begins with it.
    New(Conversation),
    /// The user's conversation of that id.
    Existing(ConversationId),
}

/// Keeps the messages of one user's conversations at a time, in the order in which they were added.
pub trait MessageStore: Send + Sync {
    /// Adds a user's message, and the conversation when it begins one, in one step; a conversation that exists is then updated at
    /// the message's moment. Gives the conversation, `None` when the owner has none of that id.
    ///
    /// # Errors
    /// [`StoreError::IdTaken`] when the tenant has a conversation or message of that id, [`StoreError::UnknownTenant`] when the
    /// tenant is not in this store; else when the store fails.
    fn begin_turn(
        &self,
        scope: &TenantScope,
        owner: UserId,
        target: &MessageTarget,
        message: &Message,
    ) -> Result<Option<Conversation>, StoreError>;

    /// Adds the answer and counts what it took, in one step. Whether the answer was added: it is not when the conversation was
    /// removed meanwhile, and what it took is counted all the same.
    ///
    /// # Errors
    /// [`StoreError::IdTaken`] when the tenant has a message of that id; else when the store fails.
    fn finish_turn(
        &self,
        scope: &TenantScope,
        owner: UserId,
        conversation: ConversationId,
        answer: &Message,
        usage: &[UsageRecord],
    ) -> Result<bool, StoreError>;

    /// A page of a conversation's messages, the first first; `None` when the owner has no conversation of that id.
    ///
    /// # Errors
    /// When the store fails.
    fn messages(
        &self,
        scope: &TenantScope,
        owner: UserId,
        conversation: ConversationId,
        page: Page,
    ) -> Result<Option<Paged<Message>>, StoreError>;

    /// The last messages of a conversation, at most `limit`, the first first; none when the owner has no conversation of that id.
    ///
    /// # Errors
    /// When the store fails.
    fn last_messages(
        &self,
        scope: &TenantScope,
        owner: UserId,
        conversation: ConversationId,
        limit: u16,
    ) -> Result<Vec<Message>, StoreError>;
}
