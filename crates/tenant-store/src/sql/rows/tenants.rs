use diesel::prelude::*;
use tenantry_domain::{PineconeSettings, Sealed, SealedSecret, Tenant, TenantId, Timestamp};
use time::PrimitiveDateTime;

use super::{read, unreadable, written};
use crate::sql::schema::tenants;
use crate::{StoreError, TenantChange};

#[derive(Queryable, Insertable)]
#[diesel(table_name = tenants)]
pub(in crate::sql) struct TenantRow {
    id: String,
    name: String,
    pinecone_environment: Option<String>,
    pinecone_index: Option<String>,
    pinecone_host: Option<String>,
    pinecone_api_key: Option<String>,
    pinecone_api_key_last_four: Option<String>,
    system_prompt: Option<String>,
    is_active: bool,
    created_at: PrimitiveDateTime,
    updated_at: PrimitiveDateTime,
}

impl From<&Tenant> for TenantRow {
    fn from(tenant: &Tenant) -> Self {
        let tenant = tenant.clone();
        let (key, last_four) = sealed_columns(tenant.pinecone.api_key);
        Self {
            id: tenant.id.to_string(),
            name: tenant.name,
            pinecone_environment: tenant.pinecone.environment,
            pinecone_index: tenant.pinecone.index,
            pinecone_host: tenant.pinecone.host,
            pinecone_api_key: key,
            pinecone_api_key_last_four: last_four,
            system_prompt: tenant.system_prompt,
            is_active: tenant.is_active,
            created_at: written(tenant.created_at),
            updated_at: written(tenant.updated_at),
        }
    }
}

impl TryFrom<TenantRow> for Tenant {
    type Error = StoreError;

    fn try_from(row: TenantRow) -> Result<Self, StoreError> {
        let last_four = row.pinecone_api_key_last_four.unwrap_or_default();
        Ok(Self {
            id: TenantId::parse(&row.id).map_err(unreadable("tenants"))?,
            name: row.name,
            pinecone: PineconeSettings {
                environment: row.pinecone_environment,
                index: row.pinecone_index,
                host: row.pinecone_host,
                api_key: row.pinecone_api_key.map(|key| SealedSecret {
                    sealed: Sealed::from_stored(key),
                    last_four,
                }),
            },
            system_prompt: row.system_prompt,
            is_active: row.is_active,
            created_at: read(row.created_at),
            updated_at: read(row.updated_at),
        })
    }
}

fn sealed_columns(secret: Option<SealedSecret>) -> (Option<String>, Option<String>) {
    secret
        .map(|secret| (secret.sealed.as_str().to_owned(), secret.last_four))
        .unzip()
}

#[derive(AsChangeset)]
#[diesel(table_name = tenants)]
pub(in crate::sql) struct TenantChanges {
    name: Option<String>,
    pinecone_environment: Option<Option<String>>,
    pinecone_index: Option<Option<String>>,
    pinecone_host: Option<Option<String>>,
    pinecone_api_key: Option<Option<String>>,
    pinecone_api_key_last_four: Option<Option<String>>,
    system_prompt: Option<Option<String>>,
    is_active: Option<bool>,
    updated_at: PrimitiveDateTime,
}

impl TenantChanges {
    pub(in crate::sql) fn new(change: &TenantChange, now: Timestamp) -> Self {
        let change = change.clone();
        let (key, last_four) = change.pinecone_api_key.map(sealed_columns).unzip();
        Self {
            name: change.name,
            pinecone_environment: change.pinecone_environment,
            pinecone_index: change.pinecone_index,
            pinecone_host: change.pinecone_host,
            pinecone_api_key: key,
            pinecone_api_key_last_four: last_four,
            system_prompt: change.system_prompt,
            is_active: change.is_active,
            updated_at: written(now),
        }
    }
}
