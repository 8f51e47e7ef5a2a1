use serde::{Deserialize, Serialize};
use tenantry_domain::{
    BoxError, ChatSettings, ClientInstructions, ExternalIndex, FollowUps, Ingesters, LlmProvider, OnLeave,
    PineconeSettings, SearchSettings, Tenant, TenantId, Timestamp, WithoutSupport,
};

use super::text;
use crate::tenants::restored;
use crate::{ChatTuning, InvalidField, SearchTuning};

/// The tenant with its settings, which are checked as those that a person gives. Of its secrets it says only that there were some.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::archive) struct TenantLine {
    #[serde(with = "text")]
    pub(in crate::archive) id: TenantId,
    name: String,
    system_prompt: Option<String>,
    pinecone_environment: Option<String>,
    pinecone_index: Option<String>,
    pinecone_external: Option<External>,
    had_pinecone_api_key: bool,
    llm_base_url: Option<String>,
    had_llm_api_key: bool,
    search: Search,
    chat: Chat,
    #[serde(with = "text")]
    ingesters: Ingesters,
    pub(in crate::archive) is_active: bool,
    #[serde(with = "text")]
    created_at: Timestamp,
    #[serde(with = "text")]
    updated_at: Timestamp,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct External {
    namespace: String,
    text_field: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Search {
    k: f32,
    dense_weight: f32,
    lexical_weight: f32,
    min_score: Option<f32>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Chat {
    models: Vec<String>,
    temperature: Option<f32>,
    max_answer_tokens: Option<u32>,
    passages: Option<u16>,
    language: Option<String>,
    #[serde(with = "text")]
    without_support: WithoutSupport,
    unsupported_text: Option<String>,
    #[serde(with = "text")]
    follow_ups: FollowUps,
    history_tokens: Option<u32>,
    #[serde(with = "text")]
    on_leave: OnLeave,
    #[serde(with = "text")]
    client_instructions: ClientInstructions,
    allowed_hosts: Vec<String>,
    embedding_model: Option<String>,
    server_provider: bool,
    streams_per_user: Option<u32>,
    streams_per_tenant: Option<u32>,
}

impl From<Tenant> for TenantLine {
    fn from(tenant: Tenant) -> Self {
        let llm = tenant.llm.as_ref();
        Self {
            had_pinecone_api_key: tenant.pinecone.api_key.is_some(),
            had_llm_api_key: llm.is_some_and(|provider| provider.api_key.is_some()),
            llm_base_url: llm.map(|provider| provider.base_url.clone()),
            id: tenant.id,
            name: tenant.name,
            system_prompt: tenant.system_prompt,
            pinecone_environment: tenant.pinecone.environment,
            pinecone_index: tenant.pinecone.index,
            pinecone_external: tenant.pinecone.external.map(|external| External {
                namespace: external.namespace,
                text_field: external.text_field,
            }),
            search: tenant.search.into(),
            chat: tenant.chat.into(),
            ingesters: tenant.ingesters,
            is_active: tenant.is_active,
            created_at: tenant.created_at,
            updated_at: tenant.updated_at,
        }
    }
}

impl TenantLine {
    /// The tenant under the id `id`, without secrets.
    pub(in crate::archive) fn tenant(self, id: TenantId) -> Result<Tenant, InvalidField> {
        let tenant = Tenant {
            id,
            name: self.name,
            pinecone: PineconeSettings {
                environment: self.pinecone_environment,
                index: self.pinecone_index,
                external: self.pinecone_external.map(|external| ExternalIndex {
                    namespace: external.namespace,
                    text_field: external.text_field,
                }),
                ..PineconeSettings::default()
            },
            system_prompt: self.system_prompt,
            search: SearchSettings::default(),
            chat: ChatSettings::default(),
            llm: self.llm_base_url.map(|base_url| LlmProvider {
                base_url,
                api_key: None,
            }),
            ingesters: self.ingesters,
            is_active: false,
            created_at: self.created_at,
            updated_at: self.updated_at,
        };
        restored(tenant, self.search.into(), &self.chat.into())
    }
}

impl From<SearchSettings> for Search {
    fn from(search: SearchSettings) -> Self {
        Self {
            k: search.fusion.k(),
            dense_weight: search.fusion.dense_weight(),
            lexical_weight: search.fusion.lexical_weight(),
            min_score: search.min_score,
        }
    }
}

impl From<Search> for SearchTuning {
    fn from(search: Search) -> Self {
        Self {
            dense_weight: Some(search.dense_weight),
            lexical_weight: Some(search.lexical_weight),
            k: Some(search.k),
            min_score: search.min_score,
        }
    }
}

impl From<ChatSettings> for Chat {
    fn from(chat: ChatSettings) -> Self {
        Self {
            allowed_hosts: chat.allowed_hosts.iter().map(ToString::to_string).collect(),
            models: chat.models,
            temperature: chat.temperature,
            max_answer_tokens: chat.max_answer_tokens,
            passages: chat.passages,
            language: chat.language,
            without_support: chat.without_support,
            unsupported_text: chat.unsupported_text,
            follow_ups: chat.follow_ups,
            history_tokens: chat.history_tokens,
            on_leave: chat.on_leave,
            client_instructions: chat.client_instructions,
            embedding_model: chat.embedding_model,
            server_provider: chat.server_provider,
            streams_per_user: chat.streams_per_user,
            streams_per_tenant: chat.streams_per_tenant,
        }
    }
}

impl From<Chat> for ChatTuning {
    fn from(chat: Chat) -> Self {
        Self {
            models: Some(chat.models),
            temperature: Some(chat.temperature),
            max_answer_tokens: Some(chat.max_answer_tokens.map(i64::from)),
            passages: Some(chat.passages.map(i64::from)),
            language: Some(chat.language),
            without_support: Some(chat.without_support),
            unsupported_text: Some(chat.unsupported_text),
            follow_ups: Some(chat.follow_ups),
            history_tokens: Some(chat.history_tokens.map(i64::from)),
            on_leave: Some(chat.on_leave),
            client_instructions: Some(chat.client_instructions),
            allowed_hosts: Some(chat.allowed_hosts),
            embedding_model: Some(chat.embedding_model),
            server_provider: Some(chat.server_provider),
            streams_per_user: Some(chat.streams_per_user.map(i64::from)),
            streams_per_tenant: Some(chat.streams_per_tenant.map(i64::from)),
        }
    }
}

/// A line that says more than one record can.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Unreadable(pub(super) &'static str);

pub(super) fn unreadable(why: &'static str) -> BoxError {
    Unreadable(why).into()
}
