use serde::{Deserialize, Serialize};
use tenantry_domain::{ExternalIndex, Tenant, TenantId};
use tenantry_retrieval::{
    ChatTuning, NewTenant, PineconeCheck, PineconeState, ProviderUpdate, SavedTenant, SearchTuning,
    TenantUpdate,
};
use utoipa::ToSchema;

use crate::error::ApiError;
use crate::extract::present;
use crate::routes::wire::{ChatBody, ChatView, ProviderBody, ProviderView, SearchView, Secret, TuningBody};

/// A tenant. Its key is never shown.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Tenant)]
pub(super) struct TenantView {
    /// The tenant's id.
    id: String,
    /// Its name for people.
    name: String,
    /// The legacy Pinecone environment.
    pinecone_environment: Option<String>,
    /// The Pinecone index by name.
    pinecone_index: Option<String>,
    /// Whether the tenant has a Pinecone key of its own.
    has_pinecone_api_key: bool,
    /// The last four characters of that key, where it is long enough to spare them.
    pinecone_api_key_last_four: Option<String>,
    /// Whether the Pinecone settings were checked: `not_configured`, `verified` or `pending`.
    #[schema(example = "verified")]
    pinecone_status: &'static str,
    /// How the index is read when another tool fills it.
    pinecone_external: Option<ExternalView>,
    /// How the tenant's knowledge is searched unless a request says otherwise.
    search: SearchView,
    /// How the tenant's questions are answered.
    chat: ChatView,
    /// The tenant's own provider of models; without one the server's is used.
    llm_provider: Option<ProviderView>,
    /// What every answer for this tenant is told first, with its variables as they were written.
    system_prompt: Option<String>,
    /// Whether the tenant may be used.
    is_active: bool,
    /// When the tenant was made.
    #[schema(format = DateTime)]
    created_at: String,
    /// When it last changed.
    #[schema(format = DateTime)]
    updated_at: String,
}

impl From<Tenant> for TenantView {
    fn from(tenant: Tenant) -> Self {
        let state = PineconeState::of(&tenant.pinecone);
        let pinecone = tenant.pinecone;
        Self {
            id: tenant.id.to_string(),
            name: tenant.name,
            pinecone_environment: pinecone.environment,
            pinecone_index: pinecone.index,
            has_pinecone_api_key: pinecone.api_key.is_some(),
            pinecone_api_key_last_four: pinecone
                .api_key
                .map(|key| key.last_four)
                .filter(|last_four| !last_four.is_empty()),
            pinecone_status: match state {
                PineconeState::NotConfigured => "not_configured",
                PineconeState::Verified => "verified",
                PineconeState::Pending => "pending",
            },
            pinecone_external: pinecone.external.map(ExternalView::from),
            search: tenant.search.into(),
            chat: tenant.chat.into(),
            llm_provider: tenant.llm.map(ProviderView::from),
            system_prompt: tenant.system_prompt,
            is_active: tenant.is_active,
            created_at: tenant.created_at.to_string(),
            updated_at: tenant.updated_at.to_string(),
        }
    }
}

/// How an index that another tool fills is read: as it is, and never written.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ExternalIndex, example = json!({"namespace": "docs", "text_field": "text"}))]
struct ExternalView {
    /// The namespace: 0 to 128 visible ASCII characters; empty for the index's default one.
    #[serde(default)]
    namespace: String,
    /// The metadata field that holds a record's text; `text` unless another is named.
    #[serde(default = "text_field")]
    text_field: String,
}

fn text_field() -> String {
    ExternalIndex::TEXT_FIELD.to_owned()
}

impl From<ExternalIndex> for ExternalView {
    fn from(index: ExternalIndex) -> Self {
        let ExternalIndex {
            namespace,
            text_field,
        } = index;
        Self {
            namespace,
            text_field,
        }
    }
}

impl From<ExternalView> for ExternalIndex {
    fn from(view: ExternalView) -> Self {
        let ExternalView {
            namespace,
            text_field,
        } = view;
        Self {
            namespace,
            text_field,
        }
    }
}

/// A tenant as it was saved.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SavedTenant)]
pub(super) struct SavedTenantView {
    #[serde(flatten)]
    tenant: TenantView,
    /// What came of checking the Pinecone settings, when they were checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pinecone_check: Option<CheckView>,
}

/// What came of checking a tenant's Pinecone settings.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PineconeCheck)]
struct CheckView {
    /// `verified` or `pending`.
    #[schema(example = "pending")]
    status: &'static str,
    /// Why the check is pending.
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    /// What does not fit but does not stand in the way.
    #[serde(skip_serializing_if = "Option::is_none")]
    warning: Option<String>,
}

impl From<SavedTenant> for SavedTenantView {
    fn from(saved: SavedTenant) -> Self {
        Self {
            tenant: saved.tenant.into(),
            pinecone_check: saved.check.map(CheckView::from),
        }
    }
}

impl From<PineconeCheck> for CheckView {
    fn from(check: PineconeCheck) -> Self {
        match check {
            PineconeCheck::Verified { warning, .. } => Self {
                status: "verified",
                message: None,
                warning,
            },
            PineconeCheck::Pending { reason } => Self {
                status: "pending",
                message: Some(format!("{reason}; the check is made again before the first use")),
                warning: None,
            },
        }
    }
}

/// A tenant to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewTenant, example = json!({
    "id": "acme",
    "name": "Acme Corporation",
    "pinecone_environment": "us-east-1-aws",
    "pinecone_api_key": "pcsk_...",
    "system_prompt": "You answer for Acme, in one paragraph."
}))]
pub(super) struct NewTenantBody {
    /// The id: 1 to 63 of `a-z`, `0-9`, `-` and `_`, beginning with a letter or digit. It never changes.
    #[schema(pattern = "^[a-z0-9][a-z0-9_-]{0,62}$")]
    id: String,
    /// The name: 1 to 200 characters on one line.
    name: String,
    /// The legacy Pinecone environment.
    pinecone_environment: Option<String>,
    /// The Pinecone index by name; without it the project's only fitting index is taken.
    pinecone_index: Option<String>,
    /// The Pinecone API key; it is stored sealed and never shown.
    #[schema(value_type = Option<String>, format = Password)]
    pinecone_api_key: Option<Secret>,
    /// Given when another tool fills the index: it is searched as it is, and takes no documents here.
    pinecone_external: Option<ExternalView>,
    /// How the tenant's knowledge is searched.
    search: Option<TuningBody>,
    /// How the tenant's questions are answered.
    chat: Option<ChatBody>,
    /// The tenant's own provider of models; `chat.models` then names at least one of its models.
    llm_provider: Option<ProviderBody>,
    /// What every answer for this tenant is told first: at most 32,000 characters. `{tenant_name}`, `{date}` and `{user_email}` are
    /// replaced.
    system_prompt: Option<String>,
}

impl NewTenantBody {
    pub(super) fn into_new(self) -> Result<NewTenant, ApiError> {
        Ok(NewTenant {
            id: TenantId::parse(&self.id)?,
            name: self.name,
            pinecone_environment: self.pinecone_environment,
            pinecone_index: self.pinecone_index,
            pinecone_api_key: self.pinecone_api_key.map(Secret::into_inner),
            pinecone_external: self.pinecone_external.map(ExternalIndex::from),
            search: self.search.map(SearchTuning::from),
            chat: self.chat.map(ChatTuning::try_from).transpose()?,
            llm: self.llm_provider.map(ProviderUpdate::from),
            system_prompt: self.system_prompt,
        })
    }
}

/// What to change of a tenant; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TenantUpdate, example = json!({"system_prompt": "You answer for Acme, in one sentence."}))]
pub(super) struct TenantUpdateBody {
    /// The name.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = String)]
    name: Option<String>,
    /// The legacy Pinecone environment; `null` clears it.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    pinecone_environment: Option<Option<String>>,
    /// The Pinecone index by name; `null` clears it.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    pinecone_index: Option<Option<String>>,
    /// A new Pinecone API key; it cannot be cleared.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = String, format = Password)]
    pinecone_api_key: Option<Secret>,
    /// Given when another tool fills the index; `null` clears it.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<ExternalView>)]
    pinecone_external: Option<Option<ExternalView>>,
    /// How the tenant's knowledge is searched, replaced as a whole; `null` brings the defaults back.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<TuningBody>)]
    search: Option<Option<TuningBody>>,
    /// How the tenant's questions are answered, value by value; `null` brings the defaults back, but those of `streams_per_user`
    /// and `streams_per_tenant`.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<ChatBody>)]
    chat: Option<Option<ChatBody>>,
    /// The tenant's own provider of models, value by value; `null` goes back to the server's.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<ProviderBody>)]
    llm_provider: Option<Option<ProviderBody>>,
    /// What every answer for this tenant is told first; `null` clears it.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    system_prompt: Option<Option<String>>,
    /// Whether the tenant may be used.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = bool)]
    is_active: Option<bool>,
}

impl TryFrom<TenantUpdateBody> for TenantUpdate {
    type Error = ApiError;

    fn try_from(body: TenantUpdateBody) -> Result<Self, ApiError> {
        let chat = body
            .chat
            .map(|chat| chat.map(ChatTuning::try_from).transpose())
            .transpose()?;
        Ok(Self {
            name: body.name,
            pinecone_environment: body.pinecone_environment,
            pinecone_index: body.pinecone_index,
            pinecone_api_key: body.pinecone_api_key.map(Secret::into_inner),
            pinecone_external: body
                .pinecone_external
                .map(|external| external.map(ExternalIndex::from)),
            search: body.search.map(|search| search.map(SearchTuning::from)),
            chat,
            llm: body.llm_provider.map(|llm| llm.map(ProviderUpdate::from)),
            system_prompt: body.system_prompt,
            ingesters: None,
            is_active: body.is_active,
        })
    }
}
