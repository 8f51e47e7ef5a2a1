use std::fmt;
use std::sync::Arc;

use tenantry_domain::{Clock, Conversation, ConversationId, Message, Page, Paged, TenantScope, UserId};
use tenantry_tenant_store::{ConversationStore, MessageStore, StoreError};

use crate::InvalidField;
use crate::chat::title::UNTITLED;
use crate::text::visible_line;

/// The longest title in characters.
const MAX_TITLE: usize = 200;

/// Why a conversation was not made or changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConversationError {
    /// The title cannot be one.
    #[error(transparent)]
    Invalid(#[from] InvalidField),
    /// The record store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a user does with their own conversations; those of others do not exist for them.
pub struct Conversations {
    store: Arc<dyn ConversationStore>,
    messages: Arc<dyn MessageStore>,
    clock: Arc<dyn Clock>,
}

impl Conversations {
    /// Keeps conversations in these stores.
    pub fn new(
        store: Arc<dyn ConversationStore>,
        messages: Arc<dyn MessageStore>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            store,
            messages,
            clock,
        }
    }

    /// Begins a conversation without messages; a title is 1 to 200 characters on one line.
    ///
    /// # Errors
    /// [`ConversationError::Invalid`] when the title is none; else when the store fails.
    pub fn create(
        &self,
        scope: &TenantScope,
        owner: UserId,
        title: Option<&str>,
    ) -> Result<Conversation, ConversationError> {
        let title = title.map_or_else(|| Ok(UNTITLED.to_owned()), checked)?;
        let now = self.clock.now();
        let conversation = Conversation {
            id: ConversationId::generate(now),
            owner,
            title,
            created_at: now,
            updated_at: now,
        };
        self.store.create_conversation(scope, &conversation)?;
        Ok(conversation)
    }

    /// A page of the owner's conversations, the one with the latest change first.
    ///
    /// # Errors
    /// When the store fails.
    pub fn list(
        &self,
        scope: &TenantScope,
        owner: UserId,
        page: Page,
    ) -> Result<Paged<Conversation>, StoreError> {
        self.store.conversations(scope, owner, page)
    }

    /// The owner's conversation of that id.
    ///
    /// # Errors
    /// When the store fails.
    pub fn show(
        &self,
        scope: &TenantScope,
        owner: UserId,
        id: ConversationId,
    ) -> Result<Option<Conversation>, StoreError> {
        self.store.conversation(scope, owner, id)
    }

    /// A page of the messages of the owner's conversation of that id, the first first.
    ///
    /// # Errors
    /// When the store fails.
    pub fn messages(
        &self,
        scope: &TenantScope,
        owner: UserId,
        id: ConversationId,
        page: Page,
    ) -> Result<Option<Paged<Message>>, StoreError> {
        self.messages.messages(scope, owner, id, page)
    }

    /// Gives the owner's conversation another title; `None` when there is none of that id.
    ///
    /// # Errors
    /// [`ConversationError::Invalid`] when the title is none; else when the store fails.
    pub fn rename(
        &self,
        scope: &TenantScope,
        owner: UserId,
        id: ConversationId,
        title: &str,
    ) -> Result<Option<Conversation>, ConversationError> {
        let (title, now) = (checked(title)?, self.clock.now());
        Ok(self.store.rename_conversation(scope, owner, id, &title, now)?)
    }

    /// Removes the owner's conversation with all its messages; whether there was one of that id. What its answers took stays
    /// counted.
    ///
    /// # Errors
    /// When the store fails.
    pub fn remove(&self, scope: &TenantScope, owner: UserId, id: ConversationId) -> Result<bool, StoreError> {
        self.store.remove_conversation(scope, owner, id)
    }
}

fn checked(title: &str) -> Result<String, InvalidField> {
    visible_line("title", title, MAX_TITLE, "has more than 200 characters")
}

impl fmt::Debug for Conversations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Conversations").finish_non_exhaustive()
    }
}
