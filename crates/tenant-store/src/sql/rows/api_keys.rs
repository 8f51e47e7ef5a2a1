use diesel::prelude::*;
use tenantry_domain::{ApiKey, TenantId, Timestamp, TokenHash};

use super::{moment, parsed};
use crate::StoreError;
use crate::sql::schema::api_keys;

const TABLE: &str = "api_keys";

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = api_keys)]
pub(in crate::sql) struct ApiKeyRow {
    tenant_id: String,
    id: String,
    secret_hash: Vec<u8>,
    name: String,
    prefix: String,
    permissions: String,
    created_by: String,
    created_at: i64,
    expires_at: Option<i64>,
    used_at: Option<i64>,
    revoked_at: Option<i64>,
    replaced_by: Option<String>,
}

impl ApiKeyRow {
    pub(in crate::sql) fn new(tenant: &TenantId, key: &ApiKey, secret: TokenHash) -> Self {
        Self {
            tenant_id: tenant.to_string(),
            id: key.id.to_string(),
            secret_hash: secret.as_bytes().to_vec(),
            name: key.name.clone(),
            prefix: key.prefix.clone(),
            permissions: key.permissions.to_string(),
            created_by: key.created_by.to_string(),
            created_at: key.created_at.unix_micros(),
            expires_at: key.expires_at.map(Timestamp::unix_micros),
            used_at: key.used_at.map(Timestamp::unix_micros),
            revoked_at: key.revoked_at.map(Timestamp::unix_micros),
            replaced_by: key.replaced_by.map(|id| id.to_string()),
        }
    }
}

impl TryFrom<ApiKeyRow> for ApiKey {
    type Error = StoreError;

    fn try_from(row: ApiKeyRow) -> Result<Self, StoreError> {
        let at = |micros: Option<i64>| micros.map(|micros| moment(TABLE, micros)).transpose();
        let replaced_by = row.replaced_by.map(|id| parsed(TABLE, &id));
        Ok(Self {
            id: parsed(TABLE, &row.id)?,
            name: row.name,
            prefix: row.prefix,
            permissions: parsed(TABLE, &row.permissions)?,
            created_by: parsed(TABLE, &row.created_by)?,
            created_at: moment(TABLE, row.created_at)?,
            expires_at: at(row.expires_at)?,
            used_at: at(row.used_at)?,
            revoked_at: at(row.revoked_at)?,
            replaced_by: replaced_by.transpose()?,
        })
    }
}
