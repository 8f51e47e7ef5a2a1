use std::collections::BTreeMap;

use diesel::prelude::*;
use tenantry_domain::BoxError;

use super::audit::principal;
use super::{moment, unreadable};
use crate::sql::schema::erased_tenants;
use crate::{ErasedTenant, StoreError};

const TABLE: &str = "erased_tenants";

/// What is remembered of an erased tenant.
#[derive(Queryable, Insertable)]
#[diesel(table_name = erased_tenants)]
pub(in crate::sql) struct ErasedRow {
    id_hash: Vec<u8>,
    number: i64,
    erased_at: i64,
    actor_kind: String,
    actor_id: Option<String>,
    removed: String,
}

impl ErasedRow {
    pub(in crate::sql) fn new(erased: &ErasedTenant) -> Result<Self, StoreError> {
        Ok(Self {
            id_hash: erased.id_hash.to_vec(),
            number: i64::try_from(erased.number).map_err(unreadable(TABLE))?,
            erased_at: erased.at.unix_micros(),
            actor_kind: erased.by.kind().to_owned(),
            actor_id: erased.by.id(),
            removed: write_removed(&erased.removed),
        })
    }
}

impl TryFrom<ErasedRow> for ErasedTenant {
    type Error = StoreError;

    fn try_from(row: ErasedRow) -> Result<Self, StoreError> {
        let hash = <[u8; 32]>::try_from(row.id_hash);
        Ok(Self {
            id_hash: hash.map_err(|_| unreadable(TABLE)("a hash does not have 32 bytes"))?,
            number: u64::try_from(row.number).map_err(unreadable(TABLE))?,
            at: moment(TABLE, row.erased_at)?,
            by: principal(TABLE, &row.actor_kind, row.actor_id.as_deref())?,
            removed: read_removed(&row.removed).map_err(unreadable(TABLE))?,
        })
    }
}

/// How many rows went, by table, as the JSON object of a column.
pub(in crate::sql) fn write_removed(removed: &BTreeMap<String, u64>) -> String {
    let removed = removed
        .iter()
        .map(|(table, rows)| (table.clone(), (*rows).into()));
    serde_json::Value::Object(removed.collect()).to_string()
}

pub(in crate::sql) fn read_removed(text: &str) -> Result<BTreeMap<String, u64>, BoxError> {
    Ok(serde_json::from_str(text)?)
}
