use std::collections::HashMap;

use tenantry_domain::{DocumentId, DocumentVersion, TenantScope};
use tenantry_tenant_store::ReadyVersion;

use super::differences::RECORDS;
use super::{Differences, IndexDifferences, Reconciler};
use crate::ingest::Version;
use crate::{IndexError, OwnCollection};

/// How far a repair has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RepairProgress {
    /// Versions that were set right in this pass.
    pub done: usize,
    /// Versions that differed when the pass began.
    pub total: usize,
}

/// What a repair did.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Repaired {
    /// How often index and records were compared and a difference was found.
    pub passes: u32,
    /// Versions that were written again.
    pub written: u64,
    /// Documents whose left-over chunks were removed.
    pub cleaned: u64,
    /// Files whose submission was never made, and that were removed.
    pub abandoned_files: u64,
    /// What is left: nothing, unless something is being changed all the time.
    pub left: Differences,
}

impl Reconciler {
    pub(super) fn repair_once(
        &self,
        scope: &TenantScope,
        differences: &Differences,
        repaired: &mut Repaired,
        on_progress: &mut dyn FnMut(RepairProgress),
    ) -> Result<(), IndexError> {
        let collection = self.writer.collections().own(scope)?;
        let total = differences.total();
        let mut done = 0;
        let mut step = || {
            done += 1;
            on_progress(RepairProgress { done, total });
        };
        for found in &differences.indexes {
            for of in &found.orphans {
                if self.clean(scope, &collection, found, of.document)? {
                    repaired.cleaned += 1;
                }
                step();
            }
            repaired.written += self.write_again(scope, &collection, found, &mut step)?;
        }
        Ok(())
    }

    /// Removes what may not be found of a document; `false` when a job has begun that will do so.
    fn clean(
        &self,
        scope: &TenantScope,
        collection: &OwnCollection,
        found: &IndexDifferences,
        document: DocumentId,
    ) -> Result<bool, IndexError> {
        // In this order: a job that ends in between has published what is live then.
        if self.is_busy(scope, document)? {
            return Ok(false);
        }
        let keep = self.live_version(scope, document)?;
        let index = scope.index(found.index.generation);
        collection.store.remove(index, document, keep)?;
        Ok(true)
    }

    /// Writes what is missing or partial from the stored text, as far as it may still be found, and gives the number of
    /// versions.
    fn write_again(
        &self,
        scope: &TenantScope,
        collection: &OwnCollection,
        found: &IndexDifferences,
        step: &mut dyn FnMut(),
    ) -> Result<u64, IndexError> {
        let mut wanted: HashMap<DocumentVersion, u64> = found.missing.iter().map(|of| (*of, 0)).collect();
        wanted.extend(found.partial.iter().map(|stored| (stored.of, stored.chunks)));
        let (mut after, mut written) = (None, 0);
        while !wanted.is_empty() {
            let page = self.documents.ready_versions(scope, after, RECORDS)?;
            let Some(last) = page.last() else { break };
            after = Some(last.of.document);
            for ready in &page {
                if let Some(stored) = wanted.remove(&ready.of) {
                    self.write_version(scope, collection, found, ready, stored)?;
                    written += 1;
                    step();
                }
            }
        }
        Ok(written)
    }

    fn write_version(
        &self,
        scope: &TenantScope,
        collection: &OwnCollection,
        found: &IndexDifferences,
        ready: &ReadyVersion,
        stored: u64,
    ) -> Result<(), IndexError> {
        let version = Version {
            of: ready.of,
            title: &ready.title,
            metadata: &ready.metadata,
            format: ready.format,
            reuse: true,
        };
        let write = || {
            self.writer
                .write_all::<IndexError>(scope, collection, &found.index, &version, &mut |_| Ok(()))
        };
        // Chunks beyond the last one cannot be named, so that all of the version is removed and written again.
        if stored > u64::from(write()?) {
            // The next version, which a worker has begun meanwhile, would lose its own with them.
            if self.is_busy(scope, ready.of.document)? {
                return Ok(());
            }
            let index = scope.index(found.index.generation);
            collection.store.remove(index, ready.of.document, None)?;
            write()?;
        }
        Ok(())
    }
}
