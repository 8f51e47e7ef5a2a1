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

/// A conversation that begins in one user's name and is another's.
#[derive(Debug, thiserror::Error)]
#[error("the conversation that begins is another user's")]
struct OtherOwner;

impl MessageTarget {
    /// Refuses a conversation that begins as another user's than `owner`.
    pub(crate) fn refuse_other_owner(&self, owner: UserId) -> Result<(), StoreError> {
        match self {
            Self::New(conversation) if conversation.owner != owner => {
                Err(StoreError::Failed(OtherOwner.into()))
            }
            _ => Ok(()),
        }
    }
}

/// Keeps the messages of one user's conversations at a time, in the order in which they were added. Each turn adds two: what the
/// user says when it begins, and the answer when it is finished; of turns that run at once they may alternate. A message never
/// changes: its citations stay as they were when it was written, also when the document that they name is removed.
pub trait MessageStore: Send + Sync {
    /// Adds a user's message, and the conversation when it begins one, in one step; a conversation that exists is then updated at
    /// the message's moment. Gives the conversation as it is then, `None` when the owner has none of that id.
    ///
    /// # Errors
    /// [`StoreError::IdTaken`] when the tenant has a conversation or message of that id, [`StoreError::UnknownTenant`] when the
    /// tenant of a conversation that begins is not in this store; else when the store fails, or the conversation that begins is
    /// not the owner's. Nothing is kept then.
    fn begin_turn(
        &self,
        scope: &TenantScope,
        owner: UserId,
        target: &MessageTarget,
        message: &Message,
    ) -> Result<Option<Conversation>, StoreError>;

    /// Adds the answer, with which the conversation is updated at the answer's moment, and counts what it took, in one step.
    /// Whether the answer was added: it is not when the owner has no conversation of that id, because it was removed meanwhile, and
    /// what the answer took is counted all the same.
    ///
    /// # Errors
    /// [`StoreError::IdTaken`] when the answer is to be added and the tenant has a message of that id,
    /// [`StoreError::UnknownTenant`] when there is something to count and the tenant is not in this store; else when the store
    /// fails. Nothing is kept or counted then.
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
