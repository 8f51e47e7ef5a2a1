mod chat;
mod fields;
mod namespace;
mod pinecone;
mod provider;
mod record;
mod restored;
mod settings;
mod users;

use std::fmt;
use std::sync::Arc;

use tenantry_crypto::{OpenError, SealError, Sealer};
use tenantry_domain::{Actor, ChatSettings, Clock, Ingesters, Page, Paged, Tenant, TenantId};
use tenantry_llm_client::Providers;
use tenantry_tenant_store::{ChangeBasis, StoreError, TenantChange, TenantStore};

pub use self::chat::ChatTuning;
pub(crate) use self::namespace::is_anothers;
use self::pinecone::Pinecone;
use self::provider::OwnProviders;
pub use self::provider::ProviderUpdate;
pub use self::record::{NewTenant, PineconeState, SavedTenant, SearchTuning, TenantUpdate};
pub(crate) use self::restored::restored;
pub use self::settings::{OfferedModels, SettingsUpdate, TenantSettings};
pub use self::users::{NewTenantUser, TenantUserError, TenantUserUpdate, TenantUsers};
use crate::{InvalidField, PineconeLookup, RejectedPinecone, Resolver, Superuser};

/// How often a change is made anew because another one came first.
const ATTEMPTS: u32 = 8;

/// Why a tenant was not saved.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SaveTenantError {
    /// A value cannot be kept.
    #[error(transparent)]
    Invalid(#[from] InvalidField),
    /// The Pinecone settings cannot work.
    #[error(transparent)]
    Pinecone(#[from] RejectedPinecone),
    /// The key could not be sealed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The key that is stored could not be opened, which checking the new settings needs.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The id is taken, or the store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Makes and changes tenants, with their keys sealed and their settings checked.
pub struct Tenants {
    store: Arc<dyn TenantStore>,
    pinecone: Option<Pinecone>,
    providers: Option<OwnProviders>,
    offered: OfferedModels,
    resolver: Arc<Resolver>,
    clock: Arc<dyn Clock>,
}

/// Who makes a change.
#[derive(Debug)]
enum Hand {
    Superuser(Actor),
    Admin(Actor),
}

impl Hand {
    fn actor(&self) -> Actor {
        match self {
            Self::Superuser(actor) | Self::Admin(actor) => actor.clone(),
        }
    }
}

impl Tenants {
    /// Tenants in `store`, none of which may bring a Pinecone key; the counterpart of [`Collections::new`] alone.
    ///
    /// [`Collections::new`]: crate::Collections::new
    pub fn local(store: Arc<dyn TenantStore>, resolver: Arc<Resolver>, clock: Arc<dyn Clock>) -> Self {
        Self {
            store,
            pinecone: None,
            providers: None,
            offered: OfferedModels::default(),
            resolver,
            clock,
        }
    }

    /// Tenants in `store`, with keys sealed by `sealer` and checked by `pinecone`.
    pub fn new(
        store: Arc<dyn TenantStore>,
        sealer: Arc<dyn Sealer>,
        pinecone: PineconeLookup,
        resolver: Arc<Resolver>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            pinecone: Some(Pinecone::new(sealer, pinecone)),
            ..Self::local(store, resolver, clock)
        }
    }

    /// Lets tenants bring a provider of models of their own, at addresses that `providers` takes, with keys sealed by `sealer`.
    #[must_use]
    pub fn with_providers(mut self, sealer: Arc<dyn Sealer>, providers: Arc<dyn Providers>) -> Self {
        self.providers = Some(OwnProviders::new(sealer, providers));
        self
    }

    /// Says which of the server's models tenants may choose; without it, none by name.
    #[must_use]
    pub fn with_models(mut self, offered: OfferedModels) -> Self {
        self.offered = offered;
        self
    }

    /// Makes a tenant. An unreachable Pinecone does not stand in the way.
    ///
    /// # Errors
    /// When a value cannot be kept, the Pinecone settings cannot work, the id is or was in use, or the store fails.
    pub fn create(&self, superuser: &Superuser, new: NewTenant) -> Result<SavedTenant, SaveTenantError> {
        let name = fields::name(&new.name)?;
        let search = fields::search(new.search.unwrap_or_default())?;
        new.system_prompt
            .as_deref()
            .map(fields::system_prompt)
            .transpose()?;
        let chat = new
            .chat
            .clone()
            .unwrap_or_default()
            .of(&ChatSettings::default())?;
        let llm = new.llm.as_ref();
        let llm = llm.map(|llm| self.own_providers()?.changed(&new.id, None, llm));
        let llm = llm.transpose()?;
        settings::check_models(&chat, llm.as_ref())?;
        self.check_embedding_model(&chat)?;
        if self.store.tenant(&new.id)?.is_some() {
            return Err(StoreError::IdTaken.into());
        }
        let (pinecone, check) = self.admit_pinecone(&new, chat.embedding_model.as_deref())?;
        let now = self.clock.now();
        let tenant = Tenant {
            id: new.id,
            name,
            pinecone,
            system_prompt: new.system_prompt,
            search,
            chat,
            llm,
            ingesters: Ingesters::default(),
            is_active: true,
            created_at: now,
            updated_at: now,
        };
        self.store.create_tenant(&tenant, superuser.actor())?;
        Ok(SavedTenant { tenant, check })
    }

    /// The tenant of that id, active or not.
    ///
    /// # Errors
    /// When the store fails.
    pub fn tenant(&self, _: &Superuser, id: &TenantId) -> Result<Option<Tenant>, StoreError> {
        self.store.tenant(id)
    }

    /// A page of all tenants by id.
    ///
    /// # Errors
    /// When the store fails.
    pub fn tenants(&self, _: &Superuser, page: Page) -> Result<Paged<Tenant>, StoreError> {
        self.store.tenants(page)
    }

    /// Changes a tenant; `None` when there is none of that id. New Pinecone settings are checked as a whole.
    ///
    /// # Errors
    /// As [`Tenants::create`], and when the stored key is needed for the check and does not open.
    pub fn update(
        &self,
        superuser: &Superuser,
        id: &TenantId,
        update: &TenantUpdate,
    ) -> Result<Option<SavedTenant>, SaveTenantError> {
        self.apply(id, update, &Hand::Superuser(superuser.actor().clone()))
    }

    /// Deactivates a tenant, which ends every use of it at once; `None` when there is none of that id.
    ///
    /// # Errors
    /// When the store fails.
    pub fn deactivate(&self, superuser: &Superuser, id: &TenantId) -> Result<Option<Tenant>, StoreError> {
        let change = TenantChange {
            is_active: Some(false),
            actor: superuser.actor().clone(),
            ..TenantChange::default()
        };
        let tenant = self.store.update_tenant(id, &change, self.clock.now())?;
        self.resolver.forget();
        Ok(tenant)
    }

    fn apply(
        &self,
        id: &TenantId,
        update: &TenantUpdate,
        hand: &Hand,
    ) -> Result<Option<SavedTenant>, SaveTenantError> {
        for _ in 0..ATTEMPTS {
            let Some(tenant) = self.store.tenant(id)? else {
                return Ok(None);
            };
            if let Some(saved) = self.apply_to(&tenant, update, hand)? {
                return Ok(Some(saved));
            }
        }
        Err(StoreError::Unavailable("others went on changing the tenant".into()).into())
    }

    /// Changes what `tenant` is; `None` when it has become something else meanwhile.
    fn apply_to(
        &self,
        tenant: &Tenant,
        update: &TenantUpdate,
        hand: &Hand,
    ) -> Result<Option<SavedTenant>, SaveTenantError> {
        let mut change = self.change(tenant, update, hand)?;
        let check = if update.touches_pinecone() {
            self.check_again(tenant, update, &mut change)?
        } else {
            None
        };
        let tenant = self.store.update_tenant(&tenant.id, &change, self.clock.now())?;
        self.resolver.forget();
        Ok(tenant.map(|tenant| SavedTenant { tenant, check }))
    }

    fn change(
        &self,
        tenant: &Tenant,
        update: &TenantUpdate,
        hand: &Hand,
    ) -> Result<TenantChange, SaveTenantError> {
        if let Some(Some(prompt)) = &update.system_prompt {
            fields::system_prompt(prompt)?;
        }
        let name = update.name.as_deref();
        let search = update
            .search
            .map(|search| fields::search(search.unwrap_or_default()));
        let external = update
            .pinecone_external
            .as_ref()
            .map(|external| external.as_ref().map(fields::external).transpose())
            .transpose()?;
        let api_key = update
            .pinecone_api_key
            .as_ref()
            .map(|key| -> Result<_, SaveTenantError> {
                let key = fields::api_key("pinecone_api_key", key)?;
                Ok(self.pinecone()?.seal(&tenant.id, key)?)
            })
            .transpose()?;
        let (chat, llm) = self.chat_change(tenant, update, hand)?;
        // Which models may be named depends on who provides them, and the whole of the settings is written, also what superusers
        // alone say.
        let depends = chat.is_some() || llm.is_some();
        Ok(TenantChange {
            name: name.map(fields::name).transpose()?,
            pinecone_environment: fields::nested(update.pinecone_environment.as_ref(), fields::environment)?,
            pinecone_index: fields::nested(update.pinecone_index.as_ref(), fields::index_name)?,
            pinecone_host: None,
            pinecone_api_key: api_key.map(Some),
            pinecone_external: external,
            search: search.transpose()?,
            chat,
            llm,
            system_prompt: update.system_prompt.clone(),
            is_active: update.is_active,
            ingesters: update.ingesters,
            actor: hand.actor(),
            basis: depends.then(|| ChangeBasis::of(tenant)),
        })
    }

    fn own_providers(&self) -> Result<&OwnProviders, InvalidField> {
        let refusal = || {
            InvalidField::new(
                "llm_provider",
                "is not taken here: tenants' own providers are switched off",
            )
        };
        self.providers.as_ref().ok_or_else(refusal)
    }
}

impl fmt::Debug for Tenants {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tenants").finish_non_exhaustive()
    }
}
