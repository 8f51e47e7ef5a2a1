use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::result::Error;
use diesel::sql_types::Bool;
use tenantry_domain::{
    ContentHash, DocumentId, Generation, IndexState, JobId, JobState, Segment, SourceId, TenantId, Timestamp,
};

use super::connection::AnyConnection;
use super::errors::store_error;
use super::rows::{DocumentRow, JobRow, SegmentRow, generation, moment};
use super::schema::{document_segments, documents, indexes, ingest_queue, jobs, source_parts};
use crate::StoreError;
use crate::ledger::{DocumentRecord, JobRecord, Ledger, Versions};

/// States of a job that is not over.
pub(super) const UNFINISHED: [&str; 2] = ["queued", "running"];

/// Said in the words of the unique indexes, which SQLite uses for no bound value.
const NOT_DELETING: &str = "documents.state <> 'deleting'";

/// No earlier version of the job's document is worked on or waits to be.
const IS_FIRST_OF_DOCUMENT: &str = "NOT EXISTS (SELECT 1 FROM jobs AS earlier \
    WHERE earlier.tenant_id = jobs.tenant_id AND earlier.document_id = jobs.document_id \
    AND earlier.version < jobs.version AND earlier.state IN ('queued', 'running'))";

/// One tenant's records, in a transaction that nobody else's on the same tenant runs beside.
pub(super) struct SqlLedger<'c> {
    pub(super) conn: &'c mut AnyConnection,
    pub(super) tenant: &'c TenantId,
}

/// Why such a transaction was given up.
pub(super) enum WorkError {
    Query(Error),
    Store(StoreError),
}

impl From<Error> for WorkError {
    fn from(error: Error) -> Self {
        Self::Query(error)
    }
}

impl From<StoreError> for WorkError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<WorkError> for StoreError {
    fn from(error: WorkError) -> Self {
        match error {
            WorkError::Query(error) => store_error(error),
            WorkError::Store(error) => error,
        }
    }
}

/// A job that a worker has, or had: enough to tell which documents are busy.
#[derive(Queryable)]
struct Running {
    id: String,
    document: String,
    until: Option<i64>,
    not_before: i64,
}

impl Running {
    fn is_leased(&self, now: i64) -> bool {
        self.until.is_some_and(|until| until > now)
    }
}

impl SqlLedger<'_> {
    /// The jobs of the tenant that are running: at most one for each worker there is.
    fn running(&mut self) -> QueryResult<Vec<Running>> {
        jobs::table
            .filter(jobs::tenant_id.eq(self.tenant.as_str()))
            .filter(jobs::state.eq(JobState::Running.as_str()))
            .select((jobs::id, jobs::document_id, jobs::lease_until, jobs::not_before))
            .load(self.conn)
    }

    /// Changes the tenant's row of the queue, adding it when there is none.
    fn set_turn(&mut self, due: Option<Option<i64>>, served: Option<i64>) -> QueryResult<()> {
        let tenant = self.tenant.as_str();
        let changes = (
            due.map(|due| ingest_queue::due_at.eq(due)),
            served.map(|served| ingest_queue::served_at.eq(served)),
        );
        let rows = diesel::update(ingest_queue::table.find(tenant))
            .set(changes)
            .execute(self.conn)?;
        if rows == 0 {
            let row = (
                ingest_queue::tenant_id.eq(tenant),
                ingest_queue::due_at.eq(due.flatten()),
                ingest_queue::served_at.eq(served.unwrap_or(0)),
            );
            diesel::insert_into(ingest_queue::table)
                .values(row)
                .execute(self.conn)?;
        }
        Ok(())
    }

    fn job_by_key(&mut self, id: &str) -> Result<Option<JobRecord>, WorkError> {
        let row = jobs::table
            .find((self.tenant.as_str(), id))
            .select(JobRow::as_select())
            .first::<JobRow>(self.conn)
            .optional()?;
        Ok(row.map(JobRecord::try_from).transpose()?)
    }
}

impl Ledger for SqlLedger<'_> {
    type Error = WorkError;

    fn document(&mut self, id: DocumentId) -> Result<Option<DocumentRecord>, WorkError> {
        let row = documents::table
            .find((self.tenant.as_str(), id.to_string()))
            .select(DocumentRow::as_select())
            .first::<DocumentRow>(self.conn)
            .optional()?;
        Ok(row.map(DocumentRecord::try_from).transpose()?)
    }

    fn document_of(
        &mut self,
        external_id: Option<&str>,
        hash: ContentHash,
    ) -> Result<Option<DocumentRecord>, WorkError> {
        let kept = documents::table
            .filter(documents::tenant_id.eq(self.tenant.as_str()))
            .filter(sql::<Bool>(NOT_DELETING))
            .select(DocumentRow::as_select());
        let row = match external_id {
            Some(name) => kept
                .filter(documents::external_id.eq(name))
                .first::<DocumentRow>(self.conn),
            None => kept
                .filter(documents::external_id.is_null())
                .filter(documents::content_hash.eq(hash.as_bytes().as_slice()))
                .first::<DocumentRow>(self.conn),
        };
        Ok(row.optional()?.map(DocumentRecord::try_from).transpose()?)
    }

    fn add_document(&mut self, record: &DocumentRecord) -> Result<(), WorkError> {
        let row = DocumentRow::new(self.tenant, record);
        diesel::insert_into(documents::table)
            .values(row)
            .execute(self.conn)?;
        Ok(())
    }

    fn save_document(&mut self, record: &DocumentRecord) -> Result<(), WorkError> {
        let row = DocumentRow::new(self.tenant, record);
        let key = (self.tenant.as_str(), record.document.id.to_string());
        diesel::update(documents::table.find(key))
            .set(row)
            .execute(self.conn)?;
        Ok(())
    }

    fn delete_document(&mut self, id: DocumentId) -> Result<(), WorkError> {
        let tenant = self.tenant.as_str();
        let of_document = || {
            jobs::table
                .filter(jobs::tenant_id.eq(tenant))
                .filter(jobs::document_id.eq(id.to_string()))
        };
        let sources: Vec<Option<String>> = of_document().select(jobs::source_id).load(self.conn)?;
        for source in sources.into_iter().flatten() {
            self.remove_source(source.parse().map_err(unreadable_source)?)?;
        }
        diesel::delete(of_document()).execute(self.conn)?;
        let segments = document_segments::table
            .filter(document_segments::tenant_id.eq(tenant))
            .filter(document_segments::document_id.eq(id.to_string()));
        diesel::delete(segments).execute(self.conn)?;
        diesel::delete(documents::table.find((tenant, id.to_string()))).execute(self.conn)?;
        Ok(())
    }

    fn job(&mut self, id: JobId) -> Result<Option<JobRecord>, WorkError> {
        self.job_by_key(&id.to_string())
    }

    fn unfinished_jobs(&mut self, document: DocumentId) -> Result<Vec<JobRecord>, WorkError> {
        let rows = jobs::table
            .filter(jobs::tenant_id.eq(self.tenant.as_str()))
            .filter(jobs::document_id.eq(document.to_string()))
            .filter(jobs::state.eq_any(UNFINISHED))
            .order(jobs::version.asc())
            .select(JobRow::as_select())
            .load::<JobRow>(self.conn)?;
        Ok(rows
            .into_iter()
            .map(JobRecord::try_from)
            .collect::<Result<_, _>>()?)
    }

    fn job_of_version(&mut self, document: DocumentId, version: u32) -> Result<Option<JobRecord>, WorkError> {
        let row = jobs::table
            .filter(jobs::tenant_id.eq(self.tenant.as_str()))
            .filter(jobs::document_id.eq(document.to_string()))
            .filter(jobs::version.eq(i64::from(version)))
            .filter(jobs::source_id.is_not_null())
            .select(JobRow::as_select())
            .first::<JobRow>(self.conn)
            .optional()?;
        Ok(row.map(JobRecord::try_from).transpose()?)
    }

    fn add_job(&mut self, record: &JobRecord) -> Result<(), WorkError> {
        let row = JobRow::new(self.tenant, record);
        diesel::insert_into(jobs::table).values(row).execute(self.conn)?;
        Ok(())
    }

    fn save_job(&mut self, record: &JobRecord) -> Result<(), WorkError> {
        let row = JobRow::new(self.tenant, record);
        let key = (self.tenant.as_str(), record.job.id.to_string());
        diesel::update(jobs::table.find(key))
            .set(row)
            .execute(self.conn)?;
        Ok(())
    }

    fn claimable(&mut self, now: Timestamp) -> Result<Option<JobRecord>, WorkError> {
        let now = now.unix_micros();
        let running = self.running()?;
        let (busy, lost): (Vec<_>, Vec<_>) = running.into_iter().partition(|job| job.is_leased(now));
        let busy: Vec<_> = busy.into_iter().map(|job| job.document).collect();
        let lost = lost
            .into_iter()
            .filter(|job| !busy.contains(&job.document))
            .map(|job| (job.not_before, job.id))
            .min();
        let queued = jobs::table
            .filter(jobs::tenant_id.eq(self.tenant.as_str()))
            .filter(jobs::state.eq(JobState::Queued.as_str()))
            .filter(jobs::not_before.le(now))
            .filter(jobs::document_id.ne_all(busy))
            .filter(sql::<Bool>(IS_FIRST_OF_DOCUMENT))
            .order((jobs::not_before.asc(), jobs::id.asc()))
            .select((jobs::not_before, jobs::id))
            .first::<(i64, String)>(self.conn)
            .optional()?;
        match lost.into_iter().chain(queued).min() {
            Some((_, id)) => self.job_by_key(&id),
            None => Ok(None),
        }
    }

    fn next_moment(&mut self, after: Option<Timestamp>) -> Result<Option<Timestamp>, WorkError> {
        let after = after.map_or(i64::MIN, Timestamp::unix_micros);
        let running = self.running()?.into_iter().filter_map(|job| job.until);
        let queued = jobs::table
            .filter(jobs::tenant_id.eq(self.tenant.as_str()))
            .filter(jobs::state.eq(JobState::Queued.as_str()))
            .filter(jobs::not_before.gt(after))
            .order(jobs::not_before.asc())
            .select(jobs::not_before)
            .first::<i64>(self.conn)
            .optional()?;
        let next = running.filter(|until| *until > after).chain(queued).min();
        Ok(next.map(|next| moment("jobs", next)).transpose()?)
    }

    fn set_due(&mut self, due: Option<Timestamp>) -> Result<(), WorkError> {
        Ok(self.set_turn(Some(due.map(Timestamp::unix_micros)), None)?)
    }

    fn set_served(&mut self, at: Timestamp) -> Result<(), WorkError> {
        Ok(self.set_turn(None, Some(at.unix_micros()))?)
    }

    fn remove_source(&mut self, source: SourceId) -> Result<(), WorkError> {
        let parts = source_parts::table
            .filter(source_parts::tenant_id.eq(self.tenant.as_str()))
            .filter(source_parts::source_id.eq(source.to_string()));
        diesel::delete(parts).execute(self.conn)?;
        Ok(())
    }

    fn add_segments(
        &mut self,
        document: DocumentId,
        version: u32,
        segments: &[Segment],
    ) -> Result<(), WorkError> {
        for segment in segments {
            let row = SegmentRow::new(self.tenant, document, version, segment);
            diesel::insert_into(document_segments::table)
                .values(row)
                .execute(self.conn)?;
        }
        Ok(())
    }

    fn remove_segments(&mut self, document: DocumentId, which: Versions) -> Result<(), WorkError> {
        let segments = document_segments::table
            .filter(document_segments::tenant_id.eq(self.tenant.as_str()))
            .filter(document_segments::document_id.eq(document.to_string()));
        match which {
            Versions::Only(version) => {
                diesel::delete(segments.filter(document_segments::version.eq(i64::from(version))))
                    .execute(self.conn)?
            }
            Versions::AllBut(version) => {
                diesel::delete(segments.filter(document_segments::version.ne(i64::from(version))))
                    .execute(self.conn)?
            }
        };
        Ok(())
    }

    fn generations_in_use(&mut self) -> Result<Vec<Generation>, WorkError> {
        let generations: Vec<i64> = indexes::table
            .filter(indexes::tenant_id.eq(self.tenant.as_str()))
            .filter(indexes::state.eq_any([IndexState::Live.as_str(), IndexState::Building.as_str()]))
            .select(indexes::generation)
            .load(self.conn)?;
        let read = generations.into_iter().map(generation);
        Ok(read.collect::<Result<_, _>>()?)
    }
}

fn unreadable_source(error: tenantry_domain::ParseIdError) -> WorkError {
    StoreError::Failed(error.into()).into()
}
