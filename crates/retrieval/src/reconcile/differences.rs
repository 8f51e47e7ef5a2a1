use std::collections::{HashMap, HashSet};

use tenantry_domain::{DocumentId, DocumentState, DocumentVersion, Generation, Index, Page, TenantScope};
use tenantry_tenant_store::{JobFilter, ReadyVersion};
use tenantry_vector_client::StoredVersion;

use super::Reconciler;
use crate::{IndexError, OwnCollection};

/// How many records are read at a time.
pub(super) const RECORDS: u16 = 500;

/// How a tenant's indexes differ from its records.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Differences {
    /// The live index, and the one that is being built.
    pub indexes: Vec<IndexDifferences>,
    /// The indexes that are kept to go back to. They are not compared: they are brought up to date when they are gone
    /// back to.
    pub retired: Vec<Index>,
}

/// How one index differs from the records.
#[derive(Debug, Clone, PartialEq)]
pub struct IndexDifferences {
    /// The index.
    pub index: Index,
    /// Documents that may be found, by the records.
    pub documents: u64,
    /// Chunks that the index has.
    pub chunks: u64,
    /// Versions that may be found and of which the index has nothing.
    pub missing: Vec<DocumentVersion>,
    /// Versions that may be found and of which the index has another number of chunks or embeddings than it should.
    pub partial: Vec<StoredVersion>,
    /// Versions that the index has, and that may not be found nor ever will.
    pub orphans: Vec<DocumentVersion>,
    /// Documents that differ and have an unfinished job, which will set that right.
    pub busy: u64,
}

impl Differences {
    /// Whether index and records are equal, but for documents that are being worked on.
    pub fn is_none(&self) -> bool {
        self.indexes.iter().all(|index| index.total() == 0)
    }

    /// How many versions differ.
    pub fn total(&self) -> usize {
        self.indexes.iter().map(IndexDifferences::total).sum()
    }

    /// Whether there are some, and all of them are among `earlier` ones.
    pub(super) fn are_among(&self, earlier: &Self) -> bool {
        let known: HashSet<_> = earlier.versions().collect();
        !self.is_none() && self.versions().all(|version| known.contains(&version))
    }

    fn versions(&self) -> impl Iterator<Item = (Generation, DocumentVersion)> {
        self.indexes.iter().flat_map(|differing| {
            let partial = differing.partial.iter().map(|stored| &stored.of);
            let all = differing.missing.iter().chain(partial).chain(&differing.orphans);
            all.map(|of| (differing.index.generation, *of))
        })
    }

    /// How many documents are being worked on, and differ for that reason.
    pub fn busy(&self) -> u64 {
        self.indexes.iter().map(|index| index.busy).sum()
    }
}

impl IndexDifferences {
    /// How many versions differ.
    pub fn total(&self) -> usize {
        self.missing.len() + self.partial.len() + self.orphans.len()
    }
}

/// What the records and the index say of a version that differs.
#[derive(Clone, Copy)]
enum Difference {
    Missing(DocumentVersion),
    Partial(StoredVersion),
    Orphan(DocumentVersion),
}

impl Reconciler {
    /// Compares one index with the records. The records are read first, so that what differs because a worker went on
    /// meanwhile shows when its document is read again.
    pub(super) fn compare_index(
        &self,
        scope: &TenantScope,
        collection: &OwnCollection,
        index: &Index,
    ) -> Result<IndexDifferences, IndexError> {
        let ready = self.ready(scope)?;
        let contents = collection.store.contents(scope.index(index.generation))?;
        let mut found = IndexDifferences {
            index: index.clone(),
            documents: u64::try_from(ready.len()).unwrap_or(u64::MAX),
            chunks: contents.iter().map(|stored| stored.chunks).sum(),
            missing: Vec::new(),
            partial: Vec::new(),
            orphans: Vec::new(),
            busy: 0,
        };
        let stored: HashMap<DocumentVersion, StoredVersion> =
            contents.iter().map(|stored| (stored.of, *stored)).collect();
        let live: HashMap<DocumentId, u32> = ready
            .iter()
            .map(|ready| (ready.of.document, ready.of.version))
            .collect();
        for version in &ready {
            let difference = match stored.get(&version.of) {
                None if version.chunks > 0 => Difference::Missing(version.of),
                Some(stored) if !self.is_whole(scope, index, version, stored)? => {
                    Difference::Partial(*stored)
                }
                _ => continue,
            };
            self.add(scope, &mut found, difference)?;
        }
        for stored in &contents {
            if live.get(&stored.of.document) != Some(&stored.of.version) {
                self.add(scope, &mut found, Difference::Orphan(stored.of))?;
            }
        }
        Ok(found)
    }

    fn ready(&self, scope: &TenantScope) -> Result<Vec<Ready>, IndexError> {
        let mut ready: Vec<Ready> = Vec::new();
        loop {
            let after = ready.last().map(|last| last.of.document);
            let page = self.documents.ready_versions(scope, after, RECORDS)?;
            if page.is_empty() {
                return Ok(ready);
            }
            ready.extend(page.iter().map(Ready::of));
        }
    }

    /// Whether the index has every chunk of the version, each with an embedding if the index has any.
    fn is_whole(
        &self,
        scope: &TenantScope,
        index: &Index,
        version: &Ready,
        stored: &StoredVersion,
    ) -> Result<bool, IndexError> {
        if index.model.is_some() && stored.embedded != stored.chunks {
            return Ok(false);
        }
        // A later release may split a text otherwise than when its chunks were counted.
        Ok(stored.chunks == u64::from(version.chunks)
            || stored.chunks == u64::from(self.writer.count(scope, version.of, version.format)?))
    }

    /// Adds a difference, unless the records say by now that there is none, or a worker is on it.
    fn add(
        &self,
        scope: &TenantScope,
        found: &mut IndexDifferences,
        difference: Difference,
    ) -> Result<(), IndexError> {
        let of = match difference {
            Difference::Missing(of) | Difference::Orphan(of) => of,
            Difference::Partial(stored) => stored.of,
        };
        if self.is_busy(scope, of.document)? {
            found.busy += 1;
            return Ok(());
        }
        let is_live = self.live_version(scope, of.document)? == Some(of.version);
        match difference {
            Difference::Missing(of) if is_live => found.missing.push(of),
            Difference::Partial(stored) if is_live => found.partial.push(stored),
            Difference::Orphan(of) if !is_live => found.orphans.push(of),
            Difference::Missing(_) | Difference::Partial(_) | Difference::Orphan(_) => {}
        }
        Ok(())
    }

    /// The version of the document that may be found at this moment.
    pub(super) fn live_version(
        &self,
        scope: &TenantScope,
        document: DocumentId,
    ) -> Result<Option<u32>, IndexError> {
        let found = self.documents.document(scope, document)?;
        Ok(found
            .filter(|found| found.state == DocumentState::Ready)
            .map(|found| found.version))
    }

    /// Whether a job on the document is not over.
    pub(super) fn is_busy(&self, scope: &TenantScope, document: DocumentId) -> Result<bool, IndexError> {
        let filter = JobFilter {
            document: Some(document),
            state: None,
        };
        // The newest come first, and an unfinished one is cancelled by the next.
        let jobs = self.jobs.jobs(scope, &filter, Page::default())?;
        Ok(jobs.items.iter().any(|job| !job.state.is_over()))
    }
}

/// What is compared of a version that may be found.
struct Ready {
    of: DocumentVersion,
    format: tenantry_domain::TextFormat,
    chunks: u32,
}

impl Ready {
    fn of(version: &ReadyVersion) -> Self {
        Self {
            of: version.of,
            format: version.format,
            chunks: version.chunks,
        }
    }
}
