use diesel::prelude::*;
use tenantry_domain::{
    ChatSettings, ExternalIndex, Fusion, PineconeSettings, Sealed, SealedSecret, SearchSettings, Tenant,
    TenantId, Timestamp,
};
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
    pinecone_external_namespace: Option<String>,
    pinecone_external_text_field: Option<String>,
    search_k: Option<f32>,
    search_dense_weight: Option<f32>,
    search_lexical_weight: Option<f32>,
    search_min_score: Option<f32>,
}

impl From<&Tenant> for TenantRow {
    fn from(tenant: &Tenant) -> Self {
        let tenant = tenant.clone();
        let (key, last_four) = sealed_columns(tenant.pinecone.api_key);
        let (namespace, text_field) = external_columns(tenant.pinecone.external);
        let search = SearchColumns::from(tenant.search);
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
            pinecone_external_namespace: namespace,
            pinecone_external_text_field: text_field,
            search_k: search.k,
            search_dense_weight: search.dense,
            search_lexical_weight: search.lexical,
            search_min_score: search.min_score,
        }
    }
}

impl TryFrom<TenantRow> for Tenant {
    type Error = StoreError;

    fn try_from(row: TenantRow) -> Result<Self, StoreError> {
        let last_four = row.pinecone_api_key_last_four.unwrap_or_default();
        let search = SearchColumns {
            k: row.search_k,
            dense: row.search_dense_weight,
            lexical: row.search_lexical_weight,
            min_score: row.search_min_score,
        };
        let text_field = row.pinecone_external_text_field;
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
                external: row.pinecone_external_namespace.map(|namespace| ExternalIndex {
                    namespace,
                    text_field: text_field.unwrap_or_else(|| ExternalIndex::TEXT_FIELD.to_owned()),
                }),
            },
            system_prompt: row.system_prompt,
            search: search.read()?,
            chat: ChatSettings::default(),
            llm: None,
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

fn external_columns(external: Option<ExternalIndex>) -> (Option<String>, Option<String>) {
    external
        .map(|external| (external.namespace, external.text_field))
        .unzip()
}

/// How a tenant is searched; a number that was never set follows the default of the program's version.
#[derive(Default)]
struct SearchColumns {
    k: Option<f32>,
    dense: Option<f32>,
    lexical: Option<f32>,
    min_score: Option<f32>,
}

impl From<SearchSettings> for SearchColumns {
    fn from(search: SearchSettings) -> Self {
        let fusion = Some(search.fusion).filter(|fusion| *fusion != Fusion::default());
        Self {
            k: fusion.map(Fusion::k),
            dense: fusion.map(Fusion::dense_weight),
            lexical: fusion.map(Fusion::lexical_weight),
            min_score: search.min_score,
        }
    }
}

impl SearchColumns {
    fn read(self) -> Result<SearchSettings, StoreError> {
        let default = Fusion::default();
        let fusion = Fusion::new(
            self.k.unwrap_or_else(|| default.k()),
            self.dense.unwrap_or_else(|| default.dense_weight()),
            self.lexical.unwrap_or_else(|| default.lexical_weight()),
        );
        Ok(SearchSettings {
            fusion: fusion.map_err(unreadable("tenants"))?,
            min_score: self.min_score,
        })
    }
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
    pinecone_external_namespace: Option<Option<String>>,
    pinecone_external_text_field: Option<Option<String>>,
    search_k: Option<Option<f32>>,
    search_dense_weight: Option<Option<f32>>,
    search_lexical_weight: Option<Option<f32>>,
    search_min_score: Option<Option<f32>>,
}

impl TenantChanges {
    pub(in crate::sql) fn new(change: &TenantChange, now: Timestamp) -> Self {
        let change = change.clone();
        let (key, last_four) = change.pinecone_api_key.map(sealed_columns).unzip();
        let (namespace, text_field) = change.pinecone_external.map(external_columns).unzip();
        let search = change.search.map(SearchColumns::from);
        let search = search.as_ref();
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
            pinecone_external_namespace: namespace,
            pinecone_external_text_field: text_field,
            search_k: search.map(|search| search.k),
            search_dense_weight: search.map(|search| search.dense),
            search_lexical_weight: search.map(|search| search.lexical),
            search_min_score: search.map(|search| search.min_score),
        }
    }
}
