//! What a tenant's admins see and change of it, and which models they may choose.

use tenantry_domain::{ChatSettings, Ingesters, LlmProvider, Role, SearchSettings, Tenant, TenantId};

use super::{
    ChatTuning, Hand, ProviderUpdate, SaveTenantError, SavedTenant, SearchTuning, TenantUpdate, Tenants,
};
use crate::{InvalidField, TenantAdmin};

/// What of the server's own models tenants may choose by name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OfferedModels {
    /// The chat models of the server's provider, the usual one first. Superusers may give a tenant others.
    pub chat: Vec<String>,
    /// The embedding models, the usual one first.
    pub embedding: Vec<String>,
}

/// A tenant as its admins see it.
#[derive(Debug, Clone, PartialEq)]
pub struct TenantSettings {
    /// The tenant's id.
    pub id: TenantId,
    /// Its name.
    pub name: String,
    /// What the caller is there; `None` for an API key.
    pub role: Option<Role>,
    /// How its knowledge is searched.
    pub search: SearchSettings,
    /// How its questions are answered.
    pub chat: ChatSettings,
    /// Which of its users keep its documents.
    pub ingesters: Ingesters,
    /// What every answer is told first.
    pub system_prompt: Option<String>,
    /// The tenant's own provider of models.
    pub llm: Option<LlmProvider>,
    /// What of the server's models may be chosen.
    pub offered: OfferedModels,
}

/// What an admin changes of the tenant: `None` keeps a value, `Some(None)` clears one.
#[derive(Debug, Clone, Default)]
pub struct SettingsUpdate {
    /// The system prompt: at most 32,000 characters.
    pub system_prompt: Option<Option<String>>,
    /// How its knowledge is searched; given, it is replaced as a whole.
    pub search: Option<Option<SearchTuning>>,
    /// How its questions are answered, value by value; how many answers may be under way is not for admins to say.
    pub chat: Option<Option<ChatTuning>>,
    /// The tenant's own provider of models, value by value.
    pub llm: Option<Option<ProviderUpdate>>,
    /// Which of the tenant's users keep its documents; it holds at once.
    pub ingesters: Option<Ingesters>,
}

/// What becomes of the chat settings, and of the tenant's own provider.
type ChatChange = (Option<ChatSettings>, Option<Option<LlmProvider>>);

impl Tenants {
    /// The settings of the admin's own tenant.
    pub fn settings(&self, admin: &TenantAdmin) -> TenantSettings {
        self.seen(admin.scope().tenant().clone(), admin)
    }

    /// Changes the settings of the admin's own tenant; `None` when it is there no more. The next request goes by them. Of two
    /// changes at the same moment the later one is made of what the first one made.
    ///
    /// # Errors
    /// When a value cannot be kept, is for superusers to say, names a model that is not offered, or the store fails.
    pub fn update_settings(
        &self,
        admin: &TenantAdmin,
        update: SettingsUpdate,
    ) -> Result<Option<TenantSettings>, SaveTenantError> {
        let SettingsUpdate {
            system_prompt,
            search,
            chat,
            llm,
            ingesters,
        } = update;
        let update = TenantUpdate {
            search,
            chat,
            llm,
            system_prompt,
            ingesters,
            ..TenantUpdate::default()
        };
        let saved = self.apply(admin.scope().id(), &update, &Hand::Admin(admin.actor().clone()))?;
        Ok(saved.map(|SavedTenant { tenant, .. }| self.seen(tenant, admin)))
    }

    fn seen(&self, tenant: Tenant, admin: &TenantAdmin) -> TenantSettings {
        TenantSettings {
            id: tenant.id,
            name: tenant.name,
            role: admin.role(),
            search: tenant.search,
            chat: tenant.chat,
            ingesters: tenant.ingesters,
            system_prompt: tenant.system_prompt,
            llm: tenant.llm,
            offered: self.offered.clone(),
        }
    }

    /// What becomes of the tenant's chat settings and of its own provider.
    pub(super) fn chat_change(
        &self,
        tenant: &Tenant,
        update: &TenantUpdate,
        hand: &Hand,
    ) -> Result<ChatChange, SaveTenantError> {
        let chat = update
            .chat
            .as_ref()
            .map(|tuning| tuned(tuning.as_ref(), &tenant.chat, hand))
            .transpose()?;
        let llm = match &update.llm {
            Some(Some(update)) => {
                let providers = self.own_providers()?;
                Some(Some(providers.changed(
                    &tenant.id,
                    tenant.llm.as_ref(),
                    update,
                )?))
            }
            Some(None) => Some(None),
            None => None,
        };
        let settings = chat.as_ref().unwrap_or(&tenant.chat);
        let provider = llm.as_ref().unwrap_or(&tenant.llm).as_ref();
        let renamed = settings.models != tenant.chat.models;
        if renamed || provider.is_some() != tenant.llm.is_some() {
            check_models(settings, provider)?;
            if matches!(hand, Hand::Admin(_)) && provider.is_none() {
                self.check_offered(settings)?;
            }
        }
        if settings.embedding_model != tenant.chat.embedding_model {
            self.check_embedding_model(settings)?;
        }
        Ok((chat, llm))
    }

    /// Only an embedder that is there can make an index.
    pub(super) fn check_embedding_model(&self, chat: &ChatSettings) -> Result<(), InvalidField> {
        let is_there = |name: &String| self.offered.embedding.contains(name);
        if chat.embedding_model.as_ref().is_none_or(is_there) {
            return Ok(());
        }
        Err(InvalidField::new(
            "chat.embedding_model",
            "is none of the embedding models that are offered",
        ))
    }

    /// What the server's provider may be asked for is on the operator's account.
    fn check_offered(&self, chat: &ChatSettings) -> Result<(), InvalidField> {
        if chat.models.iter().all(|name| self.offered.chat.contains(name)) {
            return Ok(());
        }
        Err(InvalidField::new(
            "chat.models",
            "names a model that is not offered, and the tenant has no provider of its own",
        ))
    }
}

/// The settings that a tuning makes of those before.
fn tuned(
    tuning: Option<&ChatTuning>,
    before: &ChatSettings,
    hand: &Hand,
) -> Result<ChatSettings, InvalidField> {
    match (tuning, hand) {
        (Some(tuning), Hand::Admin(_)) => {
            if let Some(field) = tuning.reserved() {
                return Err(InvalidField::new(field, "is for superusers to set"));
            }
            tuning.of(before)
        }
        (Some(tuning), Hand::Superuser(_)) => tuning.of(before),
        (None, _) => ChatTuning::to_defaults().of(before),
    }
}

/// A provider of the tenant's own has no usual model.
pub(super) fn check_models(chat: &ChatSettings, provider: Option<&LlmProvider>) -> Result<(), InvalidField> {
    if provider.is_some() && chat.models.is_empty() {
        let reason = "names none, and the tenant's own provider needs one";
        return Err(InvalidField::new("chat.models", reason));
    }
    Ok(())
}
