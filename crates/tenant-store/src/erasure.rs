use std::collections::BTreeMap;

use tenantry_domain::{Actor, Generation, Principal, TenantId, Timestamp};

use crate::StoreError;

/// What is remembered of a tenant that was erased: not its id, only the hash of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErasedTenant {
    /// The SHA-256 of the id.
    pub id_hash: [u8; 32],
    /// The erasure's number on this platform, from 1.
    pub number: u64,
    /// When the last record went.
    pub at: Timestamp,
    /// Who erased it.
    pub by: Principal,
    /// How many records went, by table.
    pub removed: BTreeMap<String, u64>,
}

/// Erases tenants, step by step: killed in between and begun again, it goes on where it was.
///
/// What goes is every row that has the tenant's id, and the tenant's users with what is theirs. A superuser is never removed: one who
/// belongs to the tenant must leave it first.
pub trait TenantEraseStore: Send + Sync {
    /// Removes some of the rows of an inactive tenant, about `limit` of them, and remembers how many; gives that number, which is 0 when
    /// only what [`TenantEraseStore::finish_erasure`] removes is left. 0 also when there is no tenant of that id.
    ///
    /// # Errors
    /// [`StoreError::Failed`] when the tenant is active; else when the store fails.
    fn erase_some(&self, tenant: &TenantId, limit: u32) -> Result<u64, StoreError>;

    /// Removes the tenant with whatever was added to it meanwhile, remembers the hash of its id, and enters
    /// [`tenantry_domain::AuditAction::TenantErased`] in the platform's audit log, in one step. `None` when there is no tenant of that id.
    ///
    /// # Errors
    /// [`StoreError::Failed`] when the tenant is active or a superuser belongs to it; else when the store fails.
    fn finish_erasure(
        &self,
        tenant: &TenantId,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<Option<ErasedTenant>, StoreError>;

    /// What is remembered of an erased tenant by its id.
    ///
    /// # Errors
    /// When the store fails.
    fn erased_tenant(&self, tenant: &TenantId) -> Result<Option<ErasedTenant>, StoreError>;

    /// The generation of every index that the tenant ever had, in their order; those that were forgotten too.
    ///
    /// # Errors
    /// When the store fails.
    fn generations(&self, tenant: &TenantId) -> Result<Vec<Generation>, StoreError>;

    /// Takes what removed rows left behind out of the database's own files, as far as the database lets a client do that.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when others use the database so much that it could not be done; else when the store fails.
    fn vacuum(&self) -> Result<(), StoreError>;
}
