use tenantry_domain::{Email, TenantId};
use tenantry_tenant_store::{ArchivedRecord, StoreError, TenantArchiveStore};

use super::ImportProgress;

/// How many records are written in one step, and how many bytes of text at most.
const BATCH: usize = 200;
const BATCH_BYTES: usize = 1 << 20;

/// Records on their way into the store.
pub(super) struct Batches<'b> {
    store: &'b dyn TenantArchiveStore,
    tenant: &'b TenantId,
    records: Vec<ArchivedRecord>,
    bytes: usize,
    written: u64,
    left_out: Vec<Email>,
}

impl<'b> Batches<'b> {
    pub(super) fn new(store: &'b dyn TenantArchiveStore, tenant: &'b TenantId) -> Self {
        Self {
            store,
            tenant,
            records: Vec::new(),
            bytes: 0,
            written: 0,
            left_out: Vec::new(),
        }
    }

    /// The addresses of the users who were left out.
    pub(super) fn left_out(self) -> Vec<Email> {
        self.left_out
    }

    pub(super) fn add(
        &mut self,
        record: ArchivedRecord,
        on_progress: &mut dyn FnMut(ImportProgress),
    ) -> Result<(), StoreError> {
        self.bytes += match &record {
            ArchivedRecord::Segment { segment, .. } => segment.text.len(),
            ArchivedRecord::Message { message, .. } => message.text.len(),
            _ => 0,
        };
        self.records.push(record);
        if self.records.len() < BATCH && self.bytes < BATCH_BYTES {
            return Ok(());
        }
        self.flush(on_progress)
    }

    pub(super) fn flush(&mut self, on_progress: &mut dyn FnMut(ImportProgress)) -> Result<(), StoreError> {
        let left_out = self.store.import(self.tenant, &self.records)?;
        self.left_out.extend(left_out.into_iter().map(|user| user.email));
        self.written += u64::try_from(self.records.len()).unwrap_or(u64::MAX);
        self.records.clear();
        self.bytes = 0;
        on_progress(ImportProgress::Written(self.written));
        Ok(())
    }
}
