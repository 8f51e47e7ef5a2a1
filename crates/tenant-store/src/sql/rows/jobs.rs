use diesel::prelude::*;
use tenantry_domain::{Job, JobProgress, TenantId};

use super::documents::read_hash;
use super::{json, moment, number, parsed, unreadable};
use crate::ledger::{Claimed, JobRecord, Making};
use crate::sql::schema::jobs;
use crate::{Incoming, StoreError};

const TABLE: &str = "jobs";

/// A job with its lease and the version that it makes.
#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = jobs)]
#[diesel(primary_key(tenant_id, id))]
#[diesel(treat_none_as_null = true)]
pub(in crate::sql) struct JobRow {
    tenant_id: String,
    id: String,
    document_id: String,
    version: i64,
    kind: String,
    state: String,
    stage: String,
    segments_done: i64,
    segments: i64,
    chunks: i64,
    reused: i64,
    characters: i64,
    reason: Option<String>,
    attempts: i64,
    not_before: i64,
    created_at: i64,
    updated_at: i64,
    begun: bool,
    cancel_requested: bool,
    lease_token: Option<String>,
    lease_until: Option<i64>,
    source_id: Option<String>,
    content_hash: Option<Vec<u8>>,
    given_title: Option<String>,
    file_name: Option<String>,
    declared: Option<String>,
    metadata: Option<String>,
    text_read: Option<String>,
}

impl JobRow {
    pub(in crate::sql) fn new(tenant: &TenantId, record: &JobRecord) -> Self {
        let job = record.job.clone();
        let (token, until) = record
            .claimed
            .as_ref()
            .map(|claimed| (claimed.token.clone(), claimed.until.unix_micros()))
            .unzip();
        let making = record.making.as_ref();
        let incoming = making.map(|making| making.incoming.clone());
        let incoming = incoming.as_ref();
        Self {
            tenant_id: tenant.to_string(),
            id: job.id.to_string(),
            document_id: job.document.to_string(),
            version: job.version.into(),
            kind: job.kind.to_string(),
            state: job.state.to_string(),
            stage: job.stage.to_string(),
            segments_done: job.progress.segments_done.into(),
            segments: job.progress.segments.into(),
            chunks: job.progress.chunks.into(),
            reused: job.progress.reused.into(),
            characters: job.progress.characters.into(),
            reason: job.reason,
            attempts: job.attempts.into(),
            not_before: job.not_before.unix_micros(),
            created_at: job.created_at.unix_micros(),
            updated_at: job.updated_at.unix_micros(),
            begun: record.begun,
            cancel_requested: record.cancel_requested,
            lease_token: token,
            lease_until: until,
            source_id: incoming.map(|incoming| incoming.source.to_string()),
            content_hash: making
                .and_then(|making| making.hash)
                .map(|hash| hash.as_bytes().to_vec()),
            given_title: making.and_then(|making| making.given_title.clone()),
            file_name: incoming.and_then(|incoming| incoming.file_name.clone()),
            declared: incoming
                .and_then(|incoming| incoming.declared)
                .map(|declared| declared.to_string()),
            metadata: incoming.map(|incoming| json::write_metadata(&incoming.metadata)),
            text_read: making
                .and_then(|making| making.read.as_ref())
                .map(json::write_text_read),
        }
    }

    fn claimed(&self) -> Result<Option<Claimed>, StoreError> {
        let Some((token, until)) = self.lease_token.as_ref().zip(self.lease_until) else {
            return Ok(None);
        };
        Ok(Some(Claimed {
            token: token.clone(),
            until: moment(TABLE, until)?,
        }))
    }

    fn making(&self) -> Result<Option<Making>, StoreError> {
        let Some(source) = &self.source_id else {
            return Ok(None);
        };
        let metadata = self.metadata.as_deref().unwrap_or("{}");
        let hash = self.content_hash.clone().map(|hash| read_hash(TABLE, hash));
        let read = self.text_read.as_deref().map(json::read_text_read);
        let declared = self.declared.as_deref();
        Ok(Some(Making {
            hash: hash.transpose()?,
            given_title: self.given_title.clone(),
            incoming: Incoming {
                source: parsed(TABLE, source)?,
                file_name: self.file_name.clone(),
                declared: declared.map(|declared| parsed(TABLE, declared)).transpose()?,
                title: self.given_title.clone(),
                metadata: json::read_metadata(metadata).map_err(unreadable(TABLE))?,
                format: None,
            },
            read: read.transpose().map_err(unreadable(TABLE))?,
        }))
    }
}

impl TryFrom<JobRow> for JobRecord {
    type Error = StoreError;

    fn try_from(row: JobRow) -> Result<Self, StoreError> {
        Ok(Self {
            begun: row.begun,
            cancel_requested: row.cancel_requested,
            claimed: row.claimed()?,
            making: row.making()?,
            job: row.try_into()?,
        })
    }
}

impl TryFrom<JobRow> for Job {
    type Error = StoreError;

    fn try_from(row: JobRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: parsed(TABLE, &row.id)?,
            document: parsed(TABLE, &row.document_id)?,
            version: number(TABLE, row.version)?,
            kind: parsed(TABLE, &row.kind)?,
            state: parsed(TABLE, &row.state)?,
            stage: parsed(TABLE, &row.stage)?,
            progress: JobProgress {
                segments_done: number(TABLE, row.segments_done)?,
                segments: number(TABLE, row.segments)?,
                chunks: number(TABLE, row.chunks)?,
                reused: number(TABLE, row.reused)?,
                characters: number(TABLE, row.characters)?,
            },
            reason: row.reason,
            attempts: number(TABLE, row.attempts)?,
            not_before: moment(TABLE, row.not_before)?,
            created_at: moment(TABLE, row.created_at)?,
            updated_at: moment(TABLE, row.updated_at)?,
        })
    }
}
