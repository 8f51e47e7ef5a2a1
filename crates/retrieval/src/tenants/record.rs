//! A tenant on its way in and out of the use cases.

use secrecy::SecretString;
use tenantry_domain::{ExternalIndex, Ingesters, PineconeSettings, Tenant, TenantId};

use super::{ChatTuning, ProviderUpdate};
use crate::PineconeCheck;

/// How a tenant's knowledge is searched, as a superuser says it; what is not said is the default.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct SearchTuning {
    /// What the dense ranking counts for: 0 to 10.
    pub dense_weight: Option<f32>,
    /// What the lexical ranking counts for: 0 to 10.
    pub lexical_weight: Option<f32>,
    /// How much the first ranks stand out, the more the smaller it is: 1 to 1,000.
    pub k: Option<f32>,
    /// The lowest score of a hit: 0 to 1.
    pub min_score: Option<f32>,
}

/// A tenant to make.
#[derive(Debug, Clone)]
pub struct NewTenant {
    /// The id.
    pub id: TenantId,
    /// The name: 1 to 200 characters on one line.
    pub name: String,
    /// The legacy Pinecone environment.
    pub pinecone_environment: Option<String>,
    /// The Pinecone index by name.
    pub pinecone_index: Option<String>,
    /// The Pinecone API key.
    pub pinecone_api_key: Option<SecretString>,
    /// How the Pinecone index is read when another tool fills it: the namespace, 0 to 128 visible ASCII characters, and the
    /// field of the text, 1 to 64. It is then searched as it is and never written.
    pub pinecone_external: Option<ExternalIndex>,
    /// How its knowledge is searched.
    pub search: Option<SearchTuning>,
    /// How its questions are answered.
    pub chat: Option<ChatTuning>,
    /// Its own provider of models.
    pub llm: Option<ProviderUpdate>,
    /// The system prompt: at most 32,000 characters.
    pub system_prompt: Option<String>,
}

impl NewTenant {
    /// A tenant with an id and a name alone.
    pub fn named(id: TenantId, name: &str) -> Self {
        Self {
            id,
            name: name.to_owned(),
            pinecone_environment: None,
            pinecone_index: None,
            pinecone_api_key: None,
            pinecone_external: None,
            search: None,
            chat: None,
            llm: None,
            system_prompt: None,
        }
    }
}

/// What to change of a tenant: `None` keeps a value, `Some(None)` clears one.
#[derive(Debug, Clone, Default)]
pub struct TenantUpdate {
    /// The name.
    pub name: Option<String>,
    /// The legacy Pinecone environment.
    pub pinecone_environment: Option<Option<String>>,
    /// The Pinecone index by name.
    pub pinecone_index: Option<Option<String>>,
    /// The Pinecone API key.
    pub pinecone_api_key: Option<SecretString>,
    /// How the Pinecone index is read when another tool fills it.
    pub pinecone_external: Option<Option<ExternalIndex>>,
    /// How its knowledge is searched; given, it is replaced as a whole, and cleared it is the default again.
    pub search: Option<Option<SearchTuning>>,
    /// How its questions are answered, value by value; cleared it is the default again, but for what superusers alone say.
    pub chat: Option<Option<ChatTuning>>,
    /// Its own provider of models, value by value.
    pub llm: Option<Option<ProviderUpdate>>,
    /// The system prompt.
    pub system_prompt: Option<Option<String>>,
    /// Which of its users keep its documents.
    pub ingesters: Option<Ingesters>,
    /// Whether the tenant may be used.
    pub is_active: Option<bool>,
}

impl TenantUpdate {
    pub(super) fn touches_pinecone(&self) -> bool {
        self.pinecone_environment.is_some()
            || self.pinecone_index.is_some()
            || self.pinecone_api_key.is_some()
            || self.pinecone_external.is_some()
    }
}

/// A tenant as it was saved, and what came of checking its Pinecone settings.
#[derive(Debug, Clone, PartialEq)]
pub struct SavedTenant {
    /// The tenant.
    pub tenant: Tenant,
    /// The check; `None` without a key, and when the settings were not touched.
    pub check: Option<PineconeCheck>,
}

/// Whether a tenant's Pinecone settings were checked, as its record tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PineconeState {
    /// The tenant has no Pinecone key.
    NotConfigured,
    /// The settings were checked and the host is known.
    Verified,
    /// The settings are yet to be checked.
    Pending,
}

impl PineconeState {
    /// The state that `settings` tell.
    pub fn of(settings: &PineconeSettings) -> Self {
        match (&settings.api_key, &settings.host) {
            (None, _) => Self::NotConfigured,
            (Some(_), Some(_)) => Self::Verified,
            (Some(_), None) => Self::Pending,
        }
    }
}
