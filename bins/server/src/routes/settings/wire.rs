use serde::{Deserialize, Serialize};
use tenantry_domain::{Ingesters, Role};
use tenantry_retrieval::{
    ChatTuning, OfferedModels, ProviderUpdate, SearchTuning, SettingsUpdate, TenantSettings,
};
use utoipa::ToSchema;

use crate::error::{ApiError, Code};
use crate::extract::present;
use crate::routes::wire::{ChatBody, ChatView, ProviderBody, ProviderView, SearchView, TuningBody};

/// The settings of a tenant.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TenantSettings)]
pub(super) struct SettingsView {
    /// The tenant's id.
    tenant_id: String,
    /// Its name for people.
    name: String,
    /// The caller's role in it; `null` for an API key.
    #[schema(example = "admin")]
    role: Option<&'static str>,
    /// How its knowledge is searched unless a request says otherwise.
    search: SearchView,
    /// How its questions are answered.
    chat: ChatView,
    /// Which of its users hand in and remove documents: `members` and admins, or `admins` alone.
    #[schema(example = "members")]
    ingesters: &'static str,
    /// What every answer is told first, with its variables as they were written.
    system_prompt: Option<String>,
    /// The tenant's own provider of models; without one the server's is used.
    llm_provider: Option<ProviderView>,
    /// Which of the server's models may be chosen.
    offered: OfferedView,
}

/// Which of the server's models may be chosen.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OfferedModels)]
struct OfferedView {
    /// For `chat.models`, the usual one first; a provider of the tenant's own has others.
    chat_models: Vec<String>,
    /// For `chat.embedding_model`, the usual one first.
    embedding_models: Vec<String>,
}

impl From<TenantSettings> for SettingsView {
    fn from(settings: TenantSettings) -> Self {
        Self {
            tenant_id: settings.id.to_string(),
            name: settings.name,
            role: settings.role.map(Role::as_str),
            search: settings.search.into(),
            chat: settings.chat.into(),
            ingesters: settings.ingesters.as_str(),
            system_prompt: settings.system_prompt,
            llm_provider: settings.llm.map(ProviderView::from),
            offered: settings.offered.into(),
        }
    }
}

impl From<OfferedModels> for OfferedView {
    fn from(offered: OfferedModels) -> Self {
        Self {
            chat_models: offered.chat,
            embedding_models: offered.embedding,
        }
    }
}

/// What to change of a tenant's settings; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TenantSettingsUpdate, example = json!({
    "system_prompt": "You answer for {tenant_name}, in one paragraph. Today is {date}.",
    "chat": {"temperature": 0.2, "language": "German"}
}))]
pub(super) struct SettingsBody {
    /// What every answer is told first; `null` clears it. `{tenant_name}`, `{date}` and `{user_email}` are replaced.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    system_prompt: Option<Option<String>>,
    /// How the tenant's knowledge is searched, replaced as a whole; `null` brings the defaults back.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<TuningBody>)]
    search: Option<Option<TuningBody>>,
    /// How the tenant's questions are answered, value by value; `null` brings the defaults back. `streams_per_user` and
    /// `streams_per_tenant` are for superusers to set.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<ChatBody>)]
    chat: Option<Option<ChatBody>>,
    /// The tenant's own provider of models, value by value; `null` goes back to the server's. With one, `chat.models` names at
    /// least one of its models.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<ProviderBody>)]
    llm_provider: Option<Option<ProviderBody>>,
    /// Which of the tenant's users hand in and remove documents: `members` and admins, or `admins` alone.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = String, example = "members")]
    ingesters: Option<String>,
}

impl TryFrom<SettingsBody> for SettingsUpdate {
    type Error = ApiError;

    fn try_from(body: SettingsBody) -> Result<Self, ApiError> {
        let chat = body
            .chat
            .map(|chat| chat.map(ChatTuning::try_from).transpose())
            .transpose()?;
        Ok(Self {
            system_prompt: body.system_prompt,
            search: body.search.map(|search| search.map(SearchTuning::from)),
            chat,
            llm: body.llm_provider.map(|llm| llm.map(ProviderUpdate::from)),
            ingesters: body.ingesters.as_deref().map(ingesters).transpose()?,
        })
    }
}

fn ingesters(name: &str) -> Result<Ingesters, ApiError> {
    let wrong =
        |_| ApiError::new(Code::InvalidRequest).saying("`ingesters` is neither `members` nor `admins`");
    name.parse().map_err(wrong)
}
