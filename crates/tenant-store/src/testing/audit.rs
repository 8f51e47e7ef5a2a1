use tenantry_domain::{Actor, AuditEntry, AuditEvent, Page, Paged, Timestamp};

use super::FailingStore;
use crate::{AuditFilter, AuditHead, AuditLog, AuditStore, StoreError};

impl<S: AuditStore> AuditStore for FailingStore<S> {
    fn record(
        &self,
        log: &AuditLog,
        actor: &Actor,
        event: &AuditEvent,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        self.call("record", |inner| inner.record(log, actor, event, at))
    }

    fn audit(&self, filter: &AuditFilter, page: Page) -> Result<Paged<AuditEntry>, StoreError> {
        self.call("audit", |inner| inner.audit(filter, page))
    }

    fn audit_next(
        &self,
        filter: &AuditFilter,
        last: Option<&AuditEntry>,
        limit: u16,
    ) -> Result<Vec<AuditEntry>, StoreError> {
        self.call("audit_next", |inner| inner.audit_next(filter, last, limit))
    }

    fn audit_after(&self, log: &AuditLog, after: u64, limit: u16) -> Result<Vec<AuditEntry>, StoreError> {
        self.call("audit_after", |inner| inner.audit_after(log, after, limit))
    }

    fn audit_head(&self, log: &AuditLog) -> Result<AuditHead, StoreError> {
        self.call("audit_head", |inner| inner.audit_head(log))
    }

    fn audit_logs(&self) -> Result<Vec<AuditLog>, StoreError> {
        self.call("audit_logs", S::audit_logs)
    }
}
