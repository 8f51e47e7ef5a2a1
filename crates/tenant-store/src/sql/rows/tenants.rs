use diesel::prelude::*;
use tenantry_domain::{
    ChatSettings, ExternalIndex, Fusion, Ingesters, LlmProvider, PineconeSettings, Sealed, SealedSecret,
    SearchSettings, Tenant, TenantId, Timestamp,
};
use time::PrimitiveDateTime;

use super::chat::{read_chat, write_chat};
use super::{parsed, read, unreadable, written};
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
    chat: String,
    llm_base_url: Option<String>,
    llm_api_key: Option<String>,
    llm_api_key_last_four: Option<String>,
    ingesters: String,
}

impl TenantRow {
    pub(in crate::sql) fn is_active(&self) -> bool {
        self.is_active
    }
}

impl TenantRow {
    /// The row without chat settings that this version cannot read, where `change` replaces them whatever they are; and whether that is so.
    pub(in crate::sql) fn into_replaced(mut self, change: &TenantChange) -> (Self, bool) {
        let is_replaced = change.chat.is_some() && change.basis.is_none();
        let is_unknown = is_replaced && read_chat(&self.chat).is_err();
        if is_unknown {
            self.chat = write_chat(&ChatSettings::default());
        }
        (self, is_unknown)
    }
}

impl From<&Tenant> for TenantRow {
    fn from(tenant: &Tenant) -> Self {
        let tenant = tenant.clone();
        let (key, last_four) = sealed_columns(tenant.pinecone.api_key);
        let (namespace, text_field) = external_columns(tenant.pinecone.external);
        let search = SearchColumns::from(tenant.search);
        let llm = LlmColumns::from(tenant.llm);
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
            chat: write_chat(&tenant.chat),
            llm_base_url: llm.base_url,
            llm_api_key: llm.api_key,
            llm_api_key_last_four: llm.last_four,
            ingesters: tenant.ingesters.to_string(),
        }
    }
}

impl TryFrom<TenantRow> for Tenant {
    type Error = StoreError;

    fn try_from(row: TenantRow) -> Result<Self, StoreError> {
        let search = SearchColumns {
            k: row.search_k,
            dense: row.search_dense_weight,
            lexical: row.search_lexical_weight,
            min_score: row.search_min_score,
        };
        let text_field = row.pinecone_external_text_field;
        let llm = LlmColumns {
            base_url: row.llm_base_url,
            api_key: row.llm_api_key,
            last_four: row.llm_api_key_last_four,
        };
        Ok(Self {
            id: TenantId::parse(&row.id).map_err(unreadable("tenants"))?,
            name: row.name,
            pinecone: PineconeSettings {
                environment: row.pinecone_environment,
                index: row.pinecone_index,
                host: row.pinecone_host,
                api_key: sealed_secret(row.pinecone_api_key, row.pinecone_api_key_last_four),
                external: row.pinecone_external_namespace.map(|namespace| ExternalIndex {
                    namespace,
                    text_field: text_field.unwrap_or_else(|| ExternalIndex::TEXT_FIELD.to_owned()),
                }),
            },
            system_prompt: row.system_prompt,
            search: search.read()?,
            chat: read_chat(&row.chat).map_err(unreadable("tenants"))?,
            llm: llm.read(),
            ingesters: parsed("tenants", &row.ingesters)?,
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

fn sealed_secret(sealed: Option<String>, last_four: Option<String>) -> Option<SealedSecret> {
    sealed.map(|sealed| SealedSecret {
        sealed: Sealed::from_stored(sealed),
        last_four: last_four.unwrap_or_default(),
    })
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

/// A tenant's own provider of models; there is one where there is an address.
#[derive(Clone, Default)]
struct LlmColumns {
    base_url: Option<String>,
    api_key: Option<String>,
    last_four: Option<String>,
}

impl From<Option<LlmProvider>> for LlmColumns {
    fn from(provider: Option<LlmProvider>) -> Self {
        provider.map_or_else(Self::default, |provider| {
            let (api_key, last_four) = sealed_columns(provider.api_key);
            Self {
                base_url: Some(provider.base_url),
                api_key,
                last_four,
            }
        })
    }
}

impl LlmColumns {
    fn read(self) -> Option<LlmProvider> {
        let api_key = sealed_secret(self.api_key, self.last_four);
        self.base_url.map(|base_url| LlmProvider { base_url, api_key })
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
    chat: Option<String>,
    llm_base_url: Option<Option<String>>,
    llm_api_key: Option<Option<String>>,
    llm_api_key_last_four: Option<Option<String>>,
    ingesters: Option<&'static str>,
}

impl TenantChanges {
    pub(in crate::sql) fn new(change: &TenantChange, now: Timestamp) -> Self {
        let change = change.clone();
        let (key, last_four) = change.pinecone_api_key.map(sealed_columns).unzip();
        let (namespace, text_field) = change.pinecone_external.map(external_columns).unzip();
        let search = change.search.map(SearchColumns::from);
        let search = search.as_ref();
        let llm = change.llm.map(LlmColumns::from);
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
            chat: change.chat.as_ref().map(write_chat),
            llm_base_url: llm.clone().map(|llm| llm.base_url),
            llm_api_key: llm.clone().map(|llm| llm.api_key),
            llm_api_key_last_four: llm.map(|llm| llm.last_four),
            ingesters: change.ingesters.map(Ingesters::as_str),
        }
    }
}
