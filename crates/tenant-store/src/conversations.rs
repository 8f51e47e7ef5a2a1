use tenantry_domain::{Conversation, ConversationId, Page, Paged, TenantScope, Timestamp, UserId};

use crate::StoreError;

/// Keeps the conversations of one user at a time; another user's conversation does not exist for them.
///
/// A conversation belongs to its tenant as well as to its owner: it stays where it is when the owner moves to another tenant, and
/// nobody reaches it until the owner comes back. Owners are not looked up; whoever calls knows that the user is the tenant's.
pub trait ConversationStore: Send + Sync {
    /// Adds a conversation without messages.
    ///
    /// # Errors
    /// [`StoreError::IdTaken`] when the tenant has one of that id, [`StoreError::UnknownTenant`] when the tenant is not in this
    /// store; else when the store fails.
    fn create_conversation(&self, scope: &TenantScope, conversation: &Conversation)
    -> Result<(), StoreError>;

    /// The owner's conversation of that id.
    ///
    /// # Errors
    /// When the store fails.
    fn conversation(
        &self,
        scope: &TenantScope,
        owner: UserId,
        id: ConversationId,
    ) -> Result<Option<Conversation>, StoreError>;

    /// A page of the owner's conversations, the one with the latest change first, of one moment the highest id first.
    ///
    /// # Errors
    /// When the store fails.
    fn conversations(
        &self,
        scope: &TenantScope,
        owner: UserId,
        page: Page,
    ) -> Result<Paged<Conversation>, StoreError>;

    /// Gives the owner's conversation another title and sets `updated_at` to `now`; `None` when there is none of that id.
    ///
    /// # Errors
    /// When the store fails.
    fn rename_conversation(
        &self,
        scope: &TenantScope,
        owner: UserId,
        id: ConversationId,
        title: &str,
        now: Timestamp,
    ) -> Result<Option<Conversation>, StoreError>;

    /// Removes the owner's conversation with all its messages; whether there was one of that id.
    ///
    /// # Errors
    /// When the store fails.
    fn remove_conversation(
        &self,
        scope: &TenantScope,
        owner: UserId,
        id: ConversationId,
    ) -> Result<bool, StoreError>;
}
