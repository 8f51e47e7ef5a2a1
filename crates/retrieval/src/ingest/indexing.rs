use tenantry_domain::{DocumentVersion, Generation, Index, JobProgress};
use tenantry_tenant_store::{Incoming, StoreError};

use super::failure::{Failure, Halt};
use super::reading::Text;
use super::turn::Turn;
use super::{IndexError, Version};
use crate::OwnCollection;

/// How many segments are read at a time.
const SEGMENTS: u16 = 4;

impl Turn<'_> {
    /// Writes the segments that are not indexed yet, and makes the version the one that is found.
    pub(super) fn index(&self, incoming: &Incoming, text: &Text) -> Result<(), Halt> {
        let collection = self.collection()?;
        let active: Vec<Index> = collection.active().cloned().collect();
        let job = &self.claimed.job;
        let version = Version {
            of: self.of(),
            title: &text.title,
            metadata: &incoming.metadata,
            format: text.format,
            reuse: self.claimed.live_version > 0 || job.attempts > 0,
        };
        let before = self.hold.progress().segments_done;
        let progress = self.write_rest(&collection, &active, &version, text)?;
        if progress.chunks == 0 {
            return Err(Failure::NoText.into());
        }
        let written = if before == 0 || self.is_certain(&collection) {
            active.iter().map(|index| index.generation).collect()
        } else {
            self.complete(&collection, &active, progress.chunks)?
        };
        self.publish(&version, progress, written)
    }

    /// Makes the version the one that is found, after writing it to the indexes in use that are not among `written`: one may
    /// have been begun since the turn was.
    fn publish(
        &self,
        version: &Version<'_>,
        progress: JobProgress,
        mut written: Vec<Generation>,
    ) -> Result<(), Halt> {
        let version = Version {
            reuse: true,
            ..*version
        };
        let mut step = |_| {
            self.check()?;
            self.hold.report(progress)
        };
        while !self.hold.publish(progress.chunks, &written)? {
            let collection = self.collection()?;
            for index in collection.active() {
                if !written.contains(&index.generation) {
                    let writer = &self.ingestor.writer;
                    writer.write_all::<Halt>(self.scope, &collection, index, &version, &mut step)?;
                    written.push(index.generation);
                }
            }
        }
        Ok(())
    }

    pub(super) fn collection(&self) -> Result<OwnCollection, Halt> {
        Ok(self.ingestor.parts.collections.own(self.scope)?)
    }

    fn of(&self) -> DocumentVersion {
        let job = &self.claimed.job;
        DocumentVersion {
            document: job.document,
            version: job.version,
        }
    }

    fn write_rest(
        &self,
        collection: &OwnCollection,
        indexes: &[Index],
        version: &Version<'_>,
        text: &Text,
    ) -> Result<JobProgress, Halt> {
        let mut progress = self.hold.progress();
        let mut in_this_turn = 0;
        while progress.segments_done < text.segments {
            let documents = &self.ingestor.parts.documents;
            let segments = documents.segments(self.scope, version.of, progress.segments_done, SEGMENTS)?;
            if segments.is_empty() {
                // Nobody but a removal takes segments away, and that ends the job.
                self.hold.report(progress)?;
                return Err(StoreError::Failed("segments of the text are missing".into()).into());
            }
            for segment in segments {
                if in_this_turn > 0 && self.slice_is_over(in_this_turn) {
                    return Err(Halt::Yield);
                }
                self.check()?;
                let written = self.ingestor.writer.write(
                    self.scope,
                    collection,
                    indexes,
                    version,
                    &segment,
                    progress.chunks,
                )?;
                progress.segments_done = segment.ordinal.saturating_add(1);
                progress.chunks = progress.chunks.saturating_add(written.chunks);
                progress.reused = progress.reused.saturating_add(written.reused);
                self.hold.report(progress)?;
                in_this_turn += 1;
            }
        }
        Ok(progress)
    }

    /// Whether the indexes of this turn are those of the turns before: an index that was begun or reopened meanwhile lacks
    /// their segments.
    fn is_certain(&self, collection: &OwnCollection) -> bool {
        match collection.all() {
            [only] => only.generation == Generation::FIRST || only.created_at <= self.claimed.job.created_at,
            _ => false,
        }
    }

    /// Those of `indexes` that have all chunks of the version.
    fn complete(
        &self,
        collection: &OwnCollection,
        indexes: &[Index],
        chunks: u32,
    ) -> Result<Vec<Generation>, Halt> {
        let of = self.of();
        let mut complete = Vec::new();
        for index in indexes {
            let contents = collection
                .store
                .contents(self.scope.index(index.generation))
                .map_err(IndexError::from)?;
            let stored = contents.iter().find(|stored| stored.of == of);
            if stored.is_some_and(|stored| stored.chunks == u64::from(chunks)) {
                complete.push(index.generation);
            }
        }
        Ok(complete)
    }
}
