//! What was done, as the audit log tells it, and whether it still tells what was entered.

mod verify;

use std::fmt;
use std::sync::Arc;

use tenantry_domain::{AuditEntry, Page, Paged};
use tenantry_tenant_store::{AuditFilter, AuditHead, AuditLog, AuditStore, StoreError};

pub use self::verify::{AuditFault, AuditFlaw, VerifiedLog};

use crate::{Superuser, TenantAdmin};

/// The most entries that an export reads in one step.
const PIECE: u16 = 500;

/// Reads and verifies audit logs.
///
/// # Examples
/// ```
/// use std::sync::Arc;
/// use tenantry_retrieval::AuditLogs;
/// use tenantry_tenant_store::{AuditLog, MemoryStore};
///
/// let logs = AuditLogs::new(Arc::new(MemoryStore::new()));
/// let verified = logs.verify(&AuditLog::Platform, None)?;
/// assert!(verified.fault.is_none());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct AuditLogs {
    store: Arc<dyn AuditStore>,
}

impl AuditLogs {
    /// The logs that are kept in `store`.
    pub fn new(store: Arc<dyn AuditStore>) -> Self {
        Self { store }
    }

    /// A page of the admin's own tenant's log, the latest entry first; `filter` cannot lead to another one.
    ///
    /// # Errors
    /// When the store fails.
    pub fn own(
        &self,
        admin: &TenantAdmin,
        filter: &AuditFilter,
        page: Page,
    ) -> Result<Paged<AuditEntry>, StoreError> {
        self.store.audit(&of_admin(admin, filter), page)
    }

    /// A page of all logs, or of the one that `filter` names, the latest entry first.
    ///
    /// # Errors
    /// When the store fails.
    pub fn all(
        &self,
        _: &Superuser,
        filter: &AuditFilter,
        page: Page,
    ) -> Result<Paged<AuditEntry>, StoreError> {
        self.store.audit(filter, page)
    }

    /// The next piece of an export of the admin's own tenant's log: the entries that come after `last` in the list, at most 500;
    /// empty when there is none.
    ///
    /// # Errors
    /// When the store fails.
    pub fn export_own(
        &self,
        admin: &TenantAdmin,
        filter: &AuditFilter,
        last: Option<&AuditEntry>,
    ) -> Result<Vec<AuditEntry>, StoreError> {
        self.store.audit_next(&of_admin(admin, filter), last, PIECE)
    }

    /// The same of all logs, or of the one that `filter` names.
    ///
    /// # Errors
    /// When the store fails.
    pub fn export_all(
        &self,
        _: &Superuser,
        filter: &AuditFilter,
        last: Option<&AuditEntry>,
    ) -> Result<Vec<AuditEntry>, StoreError> {
        self.store.audit_next(filter, last, PIECE)
    }

    /// Every log there is, the platform's first.
    ///
    /// # Errors
    /// When the store fails.
    pub fn logs(&self, _: &Superuser) -> Result<Vec<AuditLog>, StoreError> {
        self.store.audit_logs()
    }

    /// Reads a whole log and tells the first entry that is not what was entered. Who can write to the database could make a whole log
    /// anew; that shows against an end that was `noted` elsewhere, from an earlier [`VerifiedLog`].
    ///
    /// # Errors
    /// When the store fails.
    pub fn verify(&self, log: &AuditLog, noted: Option<AuditHead>) -> Result<VerifiedLog, StoreError> {
        verify::verify(self.store.as_ref(), log, noted)
    }

    /// The same of the last `entries` of a log, for a look in passing.
    ///
    /// # Errors
    /// When the store fails.
    pub fn verify_latest(&self, log: &AuditLog, entries: u64) -> Result<VerifiedLog, StoreError> {
        verify::verify_latest(self.store.as_ref(), log, entries)
    }
}

fn of_admin(admin: &TenantAdmin, filter: &AuditFilter) -> AuditFilter {
    AuditFilter {
        log: Some(AuditLog::Tenant(admin.scope().id().clone())),
        ..filter.clone()
    }
}

impl fmt::Debug for AuditLogs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuditLogs").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
