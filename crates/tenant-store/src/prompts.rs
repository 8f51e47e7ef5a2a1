use tenantry_domain::{Page, Paged, PromptVersion, TenantId};

use crate::StoreError;

/// Reads what a tenant's system prompt was. Versions are written by [`TenantStore`], with the change that they record; a prompt
/// that is in the tenant and in no version, because it was written directly into the database, is recorded with the next change.
///
/// [`TenantStore`]: crate::TenantStore
pub trait PromptStore: Send + Sync {
    /// A page of the tenant's versions, the latest first; none when there is no tenant of that id.
    ///
    /// # Errors
    /// When the store fails.
    fn prompt_versions(&self, tenant: &TenantId, page: Page) -> Result<Paged<PromptVersion>, StoreError>;

    /// The tenant's version of that number.
    ///
    /// # Errors
    /// When the store fails.
    fn prompt_version(&self, tenant: &TenantId, number: u32) -> Result<Option<PromptVersion>, StoreError>;
}
