use tenantry_domain::{
    Actor, ChatSettings, ExternalIndex, Ingesters, LlmProvider, Page, Paged, SealedSecret, SearchSettings,
    Tenant, TenantId, Timestamp,
};

use crate::StoreError;

/// What to change of a tenant: `None` keeps a value, `Some(None)` clears one.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TenantChange {
    /// The name.
    pub name: Option<String>,
    /// The legacy Pinecone environment.
    pub pinecone_environment: Option<Option<String>>,
    /// The Pinecone index by name.
    pub pinecone_index: Option<Option<String>>,
    /// The Pinecone index's host.
    pub pinecone_host: Option<Option<String>>,
    /// The sealed Pinecone key.
    pub pinecone_api_key: Option<Option<SealedSecret>>,
    /// How the Pinecone index is read when another tool fills it.
    pub pinecone_external: Option<Option<ExternalIndex>>,
    /// How the tenant's knowledge is searched.
    pub search: Option<SearchSettings>,
    /// How the tenant's questions are answered.
    pub chat: Option<ChatSettings>,
    /// The tenant's own provider of models.
    pub llm: Option<Option<LlmProvider>>,
    /// The system prompt; a prompt that differs from the one before becomes its next version.
    pub system_prompt: Option<Option<String>>,
    /// Whether the tenant may be used.
    pub is_active: Option<bool>,
    /// Which of its users keep its documents.
    pub ingesters: Option<Ingesters>,
    /// Who makes the change, for the history of the system prompt and the audit log.
    pub actor: Actor,
    /// What the change was made of: nothing is changed where the tenant is no longer like that.
    pub basis: Option<ChangeBasis>,
}

/// What of a tenant a change was made of, because what it may set depends on it.
#[derive(Debug, Clone, PartialEq)]
pub struct ChangeBasis {
    /// How the tenant's questions were answered.
    pub chat: ChatSettings,
    /// The tenant's own provider of models.
    pub llm: Option<LlmProvider>,
}

impl ChangeBasis {
    /// What `tenant` is now.
    pub fn of(tenant: &Tenant) -> Self {
        Self {
            chat: tenant.chat.clone(),
            llm: tenant.llm.clone(),
        }
    }

    /// Whether `tenant` still is so.
    pub(crate) fn holds(&self, tenant: &Tenant) -> bool {
        self.chat == tenant.chat && self.llm == tenant.llm
    }
}

/// Keeps tenants. What it changes it enters in the tenant's audit log, in the same step.
pub trait TenantStore: Send + Sync {
    /// Adds a tenant. A system prompt becomes its first version.
    ///
    /// # Errors
    /// [`StoreError::IdTaken`] when the id exists, also that of a deactivated tenant, or belonged to an erased one; else when the store fails.
    fn create_tenant(&self, tenant: &Tenant, actor: &Actor) -> Result<(), StoreError>;

    /// The tenant of that id, active or not.
    ///
    /// # Errors
    /// When the store fails.
    fn tenant(&self, id: &TenantId) -> Result<Option<Tenant>, StoreError>;

    /// A page of all tenants, ordered by id.
    ///
    /// # Errors
    /// When the store fails.
    fn tenants(&self, page: Page) -> Result<Paged<Tenant>, StoreError>;

    /// Applies `change` in one step, sets `updated_at` to `now`, and gives the tenant as it is then; `None` when there
    /// is none of that id, or it is no longer what the change was made of. Changes of different values made at once are all kept;
    /// of those that were made of the same, one is. Deactivating a tenant ends the sessions of all its users.
    ///
    /// # Errors
    /// When the store fails.
    fn update_tenant(
        &self,
        id: &TenantId,
        change: &TenantChange,
        now: Timestamp,
    ) -> Result<Option<Tenant>, StoreError>;
}
