use std::array::TryFromSliceError;
use std::collections::BTreeMap;
use std::net::IpAddr;

use diesel::prelude::*;
use tenantry_domain::{Actor, AuditEntry, AuditHash, Principal, RequestOrigin};

use super::{moment, parsed, unreadable};
use crate::sql::schema::audit_log;
use crate::{AuditHead, AuditLog, StoreError};

const TABLE: &str = "audit_log";

/// An entry of the audit log.
#[derive(Queryable, Selectable, Insertable, PartialEq, Eq)]
#[diesel(table_name = audit_log)]
pub(in crate::sql) struct AuditRow {
    tenant_id: String,
    number: i64,
    done_at: i64,
    actor_kind: String,
    actor_id: Option<String>,
    address: Option<String>,
    request_id: Option<String>,
    action: String,
    target_kind: Option<String>,
    target_id: Option<String>,
    details: String,
    previous_hash: Vec<u8>,
    hash: Vec<u8>,
}

/// The row was not written by this program, though it can be read.
#[derive(Debug, thiserror::Error)]
#[error("it is written otherwise than the store writes it")]
struct OtherSpelling;

impl AuditRow {
    pub(in crate::sql) fn new(entry: &AuditEntry) -> Result<Self, StoreError> {
        let (target_kind, target_id) = entry.target.clone().unzip();
        Ok(Self {
            tenant_id: AuditLog::of(entry.tenant.as_ref()).to_string(),
            number: i64::try_from(entry.number).map_err(unreadable(TABLE))?,
            done_at: entry.at.unix_micros(),
            actor_kind: entry.actor.principal.kind().to_owned(),
            actor_id: entry.actor.principal.id(),
            address: entry.actor.origin.address.map(|address| address.to_string()),
            request_id: entry.actor.origin.request.clone(),
            action: entry.action.as_str().to_owned(),
            target_kind,
            target_id,
            details: write_details(&entry.details)?,
            previous_hash: entry.previous.as_bytes().to_vec(),
            hash: entry.hash.as_bytes().to_vec(),
        })
    }
}

impl TryFrom<AuditRow> for AuditEntry {
    type Error = StoreError;

    /// Reads what [`AuditRow::new`] writes and nothing else: of a value with two spellings the hash would not tell which was kept.
    fn try_from(row: AuditRow) -> Result<Self, StoreError> {
        let entry = Self {
            tenant: parsed::<AuditLog>(TABLE, &row.tenant_id)?.tenant().cloned(),
            number: u64::try_from(row.number).map_err(unreadable(TABLE))?,
            at: moment(TABLE, row.done_at)?,
            actor: Actor {
                principal: principal(TABLE, &row.actor_kind, row.actor_id.as_deref())?,
                origin: RequestOrigin {
                    request: row.request_id.clone(),
                    address: row
                        .address
                        .as_deref()
                        .map(|text| parsed::<IpAddr>(TABLE, text))
                        .transpose()?,
                },
            },
            action: parsed(TABLE, &row.action)?,
            target: row.target_kind.clone().zip(row.target_id.clone()),
            details: serde_json::from_str(&row.details).map_err(unreadable(TABLE))?,
            previous: read_hash(&row.previous_hash)?,
            hash: read_hash(&row.hash)?,
        };
        if AuditRow::new(&entry)? == row {
            Ok(entry)
        } else {
            Err(unreadable(TABLE)(OtherSpelling))
        }
    }
}

/// Who acted, by two columns.
pub(super) fn principal(table: &'static str, kind: &str, id: Option<&str>) -> Result<Principal, StoreError> {
    Principal::from_parts(kind, id).map_err(unreadable(table))
}

fn write_details(details: &BTreeMap<String, String>) -> Result<String, StoreError> {
    serde_json::to_string(details).map_err(unreadable(TABLE))
}

fn read_hash(bytes: &[u8]) -> Result<AuditHash, StoreError> {
    let bytes = <[u8; 32]>::try_from(bytes).map_err(unreadable::<TryFromSliceError>(TABLE))?;
    Ok(AuditHash::from_bytes(bytes))
}

/// The end of a log from its columns.
pub(in crate::sql) fn read_head((number, hash): (i64, Vec<u8>)) -> Result<AuditHead, StoreError> {
    Ok(AuditHead {
        number: u64::try_from(number).map_err(unreadable("audit_heads"))?,
        hash: read_hash(&hash)?,
    })
}
