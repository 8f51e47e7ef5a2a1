use tenantry_domain::{SourceId, TenantScope, Timestamp};

use crate::StoreError;

/// Keeps the bytes of files that were handed in, in parts, until their text was read out.
pub trait SourceStore: Send + Sync {
    /// Adds the part of that place, from 0; parts are at most a few megabytes. Replaces one that is there.
    ///
    /// # Errors
    /// [`StoreError::UnknownTenant`] when the tenant is not in this store; else when the store fails.
    fn add_part(
        &self,
        scope: &TenantScope,
        source: SourceId,
        place: u32,
        bytes: &[u8],
        at: Timestamp,
    ) -> Result<(), StoreError>;

    /// The part of that place; `None` after the last one.
    ///
    /// # Errors
    /// When the store fails.
    fn part(&self, scope: &TenantScope, source: SourceId, place: u32) -> Result<Option<Vec<u8>>, StoreError>;

    /// Removes every part of the source.
    ///
    /// # Errors
    /// When the store fails.
    fn remove_source(&self, scope: &TenantScope, source: SourceId) -> Result<(), StoreError>;

    /// Removes the tenant's sources whose parts were all added before `before` and that no unfinished job reads: their
    /// submission was never made. Gives their number.
    ///
    /// # Errors
    /// When the store fails.
    fn remove_abandoned(&self, scope: &TenantScope, before: Timestamp) -> Result<u64, StoreError>;
}
