mod differences;
mod repair;

use std::fmt;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use tenantry_domain::{Clock, Index, TenantScope};
use tenantry_tenant_store::{DocumentStore, JobStore, SourceStore, UsageStore};

pub use differences::{Differences, IndexDifferences};
pub use repair::{RepairProgress, Repaired};

use crate::ingest::ChunkWriter;
use crate::meter::Meter;
use crate::{Collections, Embedders, IndexError};

/// How long a file may wait for its submission before it counts as abandoned.
const ABANDONED_AFTER: Duration = Duration::from_hours(24);
/// How often a repair compares again what it has repaired.
const PASSES: u32 = 5;
/// How long it waits, all in all, for a store that shows late what was repaired, as Pinecone does by some seconds. Repairing
/// the same again would embed it again.
const PATIENCE: [Duration; 5] = [
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
    Duration::from_secs(8),
];

/// Compares a tenant's indexes with its records, and makes them equal: after a fault between the two, the loss of a disk, or
/// a change by hand.
///
/// The records say what is right; everything that an index lacks is made again from the stored text. It may run beside
/// workers: a document with an unfinished job is left to that job, and counted as busy.
pub struct Reconciler {
    documents: Arc<dyn DocumentStore>,
    sources: Arc<dyn SourceStore>,
    jobs: Arc<dyn JobStore>,
    writer: ChunkWriter,
    clock: Arc<dyn Clock>,
}

impl Reconciler {
    /// A reconciler of these records and collections; what embedding takes is counted in `usage`.
    pub fn new(
        documents: Arc<dyn DocumentStore>,
        sources: Arc<dyn SourceStore>,
        jobs: Arc<dyn JobStore>,
        collections: Arc<Collections>,
        embedders: Arc<Embedders>,
        usage: Arc<dyn UsageStore>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let meter = Meter::new(usage, clock.clone());
        Self {
            writer: ChunkWriter::new(documents.clone(), collections, embedders, meter),
            documents,
            sources,
            jobs,
            clock,
        }
    }

    /// What the tenant's live and building indexes have too much or too little. Changes nothing.
    ///
    /// # Errors
    /// When the tenant's index is another tool's, or a store fails.
    pub fn compare(&self, scope: &TenantScope) -> Result<Differences, IndexError> {
        self.compare_where(scope, &|_| true)
    }

    /// Repairs what [`Reconciler::compare`] finds until nothing is left, at most five times over, and removes files whose
    /// submission was never made. `on_progress` is called after each document.
    ///
    /// # Errors
    /// As [`Reconciler::compare`], and when a text cannot be embedded. What was repaired so far stays, and the same call again
    /// goes on.
    pub fn repair(
        &self,
        scope: &TenantScope,
        on_progress: &mut dyn FnMut(RepairProgress),
    ) -> Result<Repaired, IndexError> {
        let mut repaired = self.repair_where(scope, &|_| true, on_progress)?;
        let now = self.clock.now().to_offset_date_time();
        repaired.abandoned_files = self
            .sources
            .remove_abandoned(scope, (now - ABANDONED_AFTER).into())?;
        Ok(repaired)
    }

    pub(crate) fn compare_where(
        &self,
        scope: &TenantScope,
        wanted: &dyn Fn(&Index) -> bool,
    ) -> Result<Differences, IndexError> {
        let collection = self.writer.collections().own(scope)?;
        let mut differences = Differences {
            retired: collection.retired().cloned().collect(),
            ..Differences::default()
        };
        for index in collection.active().filter(|index| wanted(index)) {
            let found = self.compare_index(scope, &collection, index)?;
            differences.indexes.push(found);
        }
        Ok(differences)
    }

    pub(crate) fn repair_where(
        &self,
        scope: &TenantScope,
        wanted: &dyn Fn(&Index) -> bool,
        on_progress: &mut dyn FnMut(RepairProgress),
    ) -> Result<Repaired, IndexError> {
        let mut repaired = Repaired::default();
        let mut pauses = PATIENCE.into_iter();
        let mut before = Differences::default();
        loop {
            let mut left = self.compare_where(scope, wanted)?;
            while left.are_among(&before)
                && let Some(pause) = pauses.next()
            {
                thread::sleep(pause);
                left = self.compare_where(scope, wanted)?;
            }
            if left.is_none() || repaired.passes >= PASSES {
                repaired.left = left;
                return Ok(repaired);
            }
            repaired.passes += 1;
            self.repair_once(scope, &left, &mut repaired, on_progress)?;
            before = left;
        }
    }
}

impl fmt::Debug for Reconciler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reconciler").finish_non_exhaustive()
    }
}
