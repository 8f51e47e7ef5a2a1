use std::collections::{BTreeMap, BTreeSet};

use tenantry_domain::{
    ContentHash, DocumentId, DocumentState, Generation, IndexState, JobId, JobState, Segment, SourceId,
    TenantId, Timestamp,
};
use uuid::Uuid;

use super::Records;
use crate::StoreError;
use crate::ledger::{DocumentRecord, JobRecord, Ledger, Versions};

/// One tenant's records, while the lock on all of them is held.
pub(super) struct MemoryLedger<'r> {
    pub(super) records: &'r mut Records,
    pub(super) tenant: &'r TenantId,
}

impl MemoryLedger<'_> {
    fn jobs(&self) -> impl Iterator<Item = &JobRecord> {
        self.records.jobs_of(self.tenant)
    }
}

impl Ledger for MemoryLedger<'_> {
    type Error = StoreError;

    fn document(&mut self, id: DocumentId) -> Result<Option<DocumentRecord>, StoreError> {
        Ok(self.records.documents.get(&(self.tenant.clone(), id)).cloned())
    }

    fn document_of(
        &mut self,
        external_id: Option<&str>,
        hash: ContentHash,
    ) -> Result<Option<DocumentRecord>, StoreError> {
        let found = self.records.documents_of(self.tenant).find(|record| {
            let document = &record.document;
            document.state != DocumentState::Deleting
                && document.external_id.as_deref() == external_id
                && (external_id.is_some() || document.content_hash == Some(hash))
        });
        Ok(found.cloned())
    }

    fn add_document(&mut self, record: &DocumentRecord) -> Result<(), StoreError> {
        self.save_document(record)
    }

    fn save_document(&mut self, record: &DocumentRecord) -> Result<(), StoreError> {
        let key = (self.tenant.clone(), record.document.id);
        self.records.documents.insert(key, record.clone());
        Ok(())
    }

    fn delete_document(&mut self, id: DocumentId) -> Result<(), StoreError> {
        let sources: Vec<_> = self
            .jobs()
            .filter(|record| record.job.document == id)
            .filter_map(|record| record.making.as_ref())
            .map(|making| making.incoming.source)
            .collect();
        for source in sources {
            self.remove_source(source)?;
        }
        let tenant = self.tenant;
        self.records
            .jobs
            .retain(|(owner, _), record| owner != tenant || record.job.document != id);
        self.records
            .segments
            .retain(|(owner, of, _), _| owner != tenant || of.document != id);
        self.records.documents.remove(&(tenant.clone(), id));
        Ok(())
    }

    fn job(&mut self, id: JobId) -> Result<Option<JobRecord>, StoreError> {
        Ok(self.records.jobs.get(&(self.tenant.clone(), id)).cloned())
    }

    fn unfinished_jobs(&mut self, document: DocumentId) -> Result<Vec<JobRecord>, StoreError> {
        let mut unfinished: Vec<_> = self
            .jobs()
            .filter(|record| record.job.document == document && !record.job.state.is_over())
            .cloned()
            .collect();
        unfinished.sort_by_key(|record| (record.job.version, record.job.id));
        Ok(unfinished)
    }

    fn job_of_version(
        &mut self,
        document: DocumentId,
        version: u32,
    ) -> Result<Option<JobRecord>, StoreError> {
        let made = |record: &&JobRecord| {
            record.job.document == document && record.job.version == version && record.making.is_some()
        };
        Ok(self.jobs().find(made).cloned())
    }

    fn add_job(&mut self, record: &JobRecord) -> Result<(), StoreError> {
        self.save_job(record)
    }

    fn save_job(&mut self, record: &JobRecord) -> Result<(), StoreError> {
        let key = (self.tenant.clone(), record.job.id);
        self.records.jobs.insert(key, record.clone());
        Ok(())
    }

    fn claimable(&mut self, now: Timestamp) -> Result<Option<JobRecord>, StoreError> {
        let leased = self.jobs().filter(|record| record.is_leased(now));
        let busy: BTreeSet<_> = leased.map(|record| record.job.document).collect();
        let mut first = BTreeMap::new();
        for job in self
            .jobs()
            .map(|record| &record.job)
            .filter(|job| !job.state.is_over())
        {
            let version = first.entry(job.document).or_insert(job.version);
            *version = job.version.min(*version);
        }
        let next = self
            .jobs()
            .filter(|record| record.moment().is_some_and(|moment| moment <= now))
            .filter(|record| !busy.contains(&record.job.document))
            .filter(|record| first.get(&record.job.document) == Some(&record.job.version))
            .min_by_key(|record| (record.job.not_before, record.job.id));
        Ok(next.cloned())
    }

    fn next_moment(&mut self, after: Option<Timestamp>) -> Result<Option<Timestamp>, StoreError> {
        let is_later = |moment: &Timestamp| after.is_none_or(|after| *moment > after);
        Ok(self.jobs().filter_map(JobRecord::moment).filter(is_later).min())
    }

    fn set_due(&mut self, due: Option<Timestamp>) -> Result<(), StoreError> {
        self.records.queue.entry(self.tenant.clone()).or_default().due = due;
        Ok(())
    }

    fn set_served(&mut self, at: Timestamp) -> Result<(), StoreError> {
        self.records.queue.entry(self.tenant.clone()).or_default().served = Some(at);
        Ok(())
    }

    fn remove_source(&mut self, source: SourceId) -> Result<(), StoreError> {
        let tenant = self.tenant;
        self.records
            .parts
            .retain(|(owner, id, _), _| owner != tenant || *id != source);
        Ok(())
    }

    fn add_segments(
        &mut self,
        document: DocumentId,
        version: u32,
        segments: &[Segment],
    ) -> Result<(), StoreError> {
        let of = tenantry_domain::DocumentVersion { document, version };
        for segment in segments {
            let key = (self.tenant.clone(), of, segment.ordinal);
            self.records.segments.insert(key, segment.clone());
        }
        Ok(())
    }

    fn remove_segments(&mut self, document: DocumentId, which: Versions) -> Result<(), StoreError> {
        let is_meant = |version: u32| match which {
            Versions::Only(one) => version == one,
            Versions::AllBut(one) => version != one,
        };
        let tenant = self.tenant;
        self.records
            .segments
            .retain(|(owner, of, _), _| owner != tenant || of.document != document || !is_meant(of.version));
        Ok(())
    }

    fn generations_in_use(&mut self) -> Result<Vec<Generation>, StoreError> {
        let Some(indexes) = self.records.indexes.get(self.tenant) else {
            return Ok(Vec::new());
        };
        Ok(indexes
            .kept()
            .filter(|index| index.state != IndexState::Retired)
            .map(|index| index.generation)
            .collect())
    }
}

impl Records {
    pub(super) fn jobs_of(&self, tenant: &TenantId) -> impl Iterator<Item = &JobRecord> {
        self.jobs
            .range((tenant.clone(), JobId::from_uuid(Uuid::nil()))..)
            .take_while(move |((owner, _), _)| owner == tenant)
            .map(|(_, record)| record)
    }

    pub(super) fn documents_of(&self, tenant: &TenantId) -> impl Iterator<Item = &DocumentRecord> {
        self.documents
            .range((tenant.clone(), DocumentId::from_uuid(Uuid::nil()))..)
            .take_while(move |((owner, _), _)| owner == tenant)
            .map(|(_, record)| record)
    }

    /// Whether a job that is not over reads that file.
    pub(super) fn is_read(&self, tenant: &TenantId, source: SourceId) -> bool {
        self.jobs_of(tenant).any(|record| {
            let reads = record
                .making
                .as_ref()
                .is_some_and(|making| making.incoming.source == source);
            reads && matches!(record.job.state, JobState::Queued | JobState::Running)
        })
    }
}
