use tenantry_domain::{Dimension, EmbeddingModel, Generation, Index, TenantId, TenantScope, Timestamp};

use crate::StoreError;

/// Keeps which indexes each tenant has and which model made their vectors.
pub trait IndexStore: Send + Sync {
    /// The tenant's indexes in the order of their generations. A tenant that has none gets the first, live, by `model`; two who ask at
    /// once get the same one.
    ///
    /// # Errors
    /// [`StoreError::UnknownTenant`] when the tenant is not in this store; else when the store fails.
    fn indexes(
        &self,
        scope: &TenantScope,
        model: Option<&EmbeddingModel>,
        at: Timestamp,
    ) -> Result<Vec<Index>, StoreError>;

    /// Keeps the dimension of an index's model, where it was not known before. `false` when another one is known, or there is no
    /// such index.
    ///
    /// # Errors
    /// When the store fails.
    fn set_dimension(
        &self,
        scope: &TenantScope,
        generation: Generation,
        dimension: Dimension,
    ) -> Result<bool, StoreError>;

    /// Begins an index beside the live one, of a generation that the tenant never had. The one that is being built already is given when it
    /// is of the same model.
    ///
    /// # Errors
    /// [`StoreError::IdTaken`] when one of another model is being built, [`StoreError::UnknownTenant`] when the tenant is not in this
    /// store; else when the store fails.
    fn begin_index(
        &self,
        scope: &TenantScope,
        model: Option<&EmbeddingModel>,
        at: Timestamp,
    ) -> Result<Index, StoreError>;

    /// Declares a retired index to be building, so that it is brought up to date before it is switched to. `false` when there is no
    /// retired one of that generation or another is being built.
    ///
    /// # Errors
    /// When the store fails.
    fn reopen_index(&self, scope: &TenantScope, generation: Generation) -> Result<bool, StoreError>;

    /// Makes the index that is being built the live one, and the live one retired, in one step. `false` when that generation is not
    /// being built.
    ///
    /// # Errors
    /// When the store fails.
    fn switch_index(&self, scope: &TenantScope, generation: Generation) -> Result<bool, StoreError>;

    /// Forgets an index that is not live. `false` when there is none such.
    ///
    /// # Errors
    /// When the store fails.
    fn forget_index(&self, scope: &TenantScope, generation: Generation) -> Result<bool, StoreError>;

    /// The live and building indexes of all active tenants, for checking the configured models against them.
    ///
    /// # Errors
    /// When the store fails.
    fn indexes_in_use(&self) -> Result<Vec<(TenantId, Index)>, StoreError>;
}
