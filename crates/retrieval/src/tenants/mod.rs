mod fields;
mod namespace;
mod pinecone;
mod record;

use std::fmt;
use std::sync::Arc;

use tenantry_crypto::{OpenError, SealError, Sealer};
use tenantry_domain::{ChatSettings, Clock, ExternalIndex, Page, Paged, Tenant, TenantId};
use tenantry_tenant_store::{StoreError, TenantChange, TenantStore};

pub(crate) use self::namespace::is_anothers;
use self::pinecone::Pinecone;
pub use self::record::{NewTenant, PineconeState, SavedTenant, SearchTuning, TenantUpdate};
use crate::{InvalidField, PineconeCheck, PineconeLookup, RejectedPinecone, Resolver, Superuser};

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

/// Makes and changes tenants, with their keys sealed and their Pinecone settings checked.
pub struct Tenants {
    store: Arc<dyn TenantStore>,
    pinecone: Option<Pinecone>,
    resolver: Arc<Resolver>,
    clock: Arc<dyn Clock>,
}

impl Tenants {
    /// Tenants in `store`, none of which may bring a Pinecone key; the counterpart of [`Collections::new`] alone.
    ///
    /// [`Collections::new`]: crate::Collections::new
    pub fn local(store: Arc<dyn TenantStore>, resolver: Arc<Resolver>, clock: Arc<dyn Clock>) -> Self {
        Self {
            store,
            pinecone: None,
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
            store,
            pinecone: Some(Pinecone::new(sealer, pinecone)),
            resolver,
            clock,
        }
    }

    /// Makes a tenant. An unreachable Pinecone does not stand in the way.
    ///
    /// # Errors
    /// When a value cannot be kept, the Pinecone settings cannot work, the id is or was in use, or the store fails.
    pub fn create(&self, _: &Superuser, new: NewTenant) -> Result<SavedTenant, SaveTenantError> {
        let name = fields::name(&new.name)?;
        let settings = fields::pinecone(&new)?;
        let search = fields::search(new.search.unwrap_or_default())?;
        new.system_prompt
            .as_deref()
            .map(fields::system_prompt)
            .transpose()?;
        if self.store.tenant(&new.id)?.is_some() {
            return Err(StoreError::IdTaken.into());
        }
        let (pinecone, check) = match &new.pinecone_api_key {
            Some(key) => self.pinecone()?.admit(&new.id, settings, fields::api_key(key)?)?,
            None if settings.external.is_some() => return Err(external_without_key().into()),
            None => (settings, None),
        };
        self.check_external(&new.id, pinecone.external.as_ref(), pinecone.host.as_deref())?;
        let now = self.clock.now();
        let tenant = Tenant {
            id: new.id,
            name,
            pinecone,
            system_prompt: new.system_prompt,
            search,
            chat: ChatSettings::default(),
            llm: None,
            is_active: true,
            created_at: now,
            updated_at: now,
        };
        self.store.create_tenant(&tenant)?;
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
        _: &Superuser,
        id: &TenantId,
        update: &TenantUpdate,
    ) -> Result<Option<SavedTenant>, SaveTenantError> {
        let Some(tenant) = self.store.tenant(id)? else {
            return Ok(None);
        };
        let mut change = self.change(id, update)?;
        let check = if update.touches_pinecone() {
            self.check_again(&tenant, update, &mut change)?
        } else {
            None
        };
        let tenant = self.store.update_tenant(id, &change, self.clock.now())?;
        self.resolver.forget();
        Ok(tenant.map(|tenant| SavedTenant { tenant, check }))
    }

    /// Deactivates a tenant, which ends every use of it at once; `None` when there is none of that id.
    ///
    /// # Errors
    /// When the store fails.
    pub fn deactivate(&self, _: &Superuser, id: &TenantId) -> Result<Option<Tenant>, StoreError> {
        let change = TenantChange {
            is_active: Some(false),
            ..TenantChange::default()
        };
        let tenant = self.store.update_tenant(id, &change, self.clock.now())?;
        self.resolver.forget();
        Ok(tenant)
    }

    fn change(&self, id: &TenantId, update: &TenantUpdate) -> Result<TenantChange, SaveTenantError> {
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
                Ok(self.pinecone()?.seal(id, fields::api_key(key)?)?)
            })
            .transpose()?;
        Ok(TenantChange {
            name: name.map(fields::name).transpose()?,
            pinecone_environment: fields::nested(update.pinecone_environment.as_ref(), fields::environment)?,
            pinecone_index: fields::nested(update.pinecone_index.as_ref(), fields::index_name)?,
            pinecone_host: None,
            pinecone_api_key: api_key.map(Some),
            pinecone_external: external,
            search: search.transpose()?,
            chat: None,
            llm: None,
            system_prompt: update.system_prompt.clone(),
            is_active: update.is_active,
            author: None,
        })
    }

    /// Checks the settings as they will be, and has the change carry the host and index that came of it.
    fn check_again(
        &self,
        tenant: &Tenant,
        update: &TenantUpdate,
        change: &mut TenantChange,
    ) -> Result<Option<PineconeCheck>, SaveTenantError> {
        let key = match (&update.pinecone_api_key, &tenant.pinecone.api_key) {
            (Some(key), _) => key.clone(),
            (None, Some(stored)) => self.pinecone()?.open(&tenant.id, stored)?,
            (None, None) if matches!(change.pinecone_external, Some(Some(_))) => {
                return Err(external_without_key().into());
            }
            (None, None) => return Ok(None),
        };
        let index = change
            .pinecone_index
            .as_ref()
            .unwrap_or(&tenant.pinecone.index)
            .clone();
        let environment = change
            .pinecone_environment
            .as_ref()
            .unwrap_or(&tenant.pinecone.environment);
        let check = self
            .pinecone()?
            .check(&key, index.as_deref(), environment.as_deref())?;
        if let PineconeCheck::Verified { index, host, .. } = &check {
            change.pinecone_index = Some(Some(index.clone()));
            change.pinecone_host = Some(Some(host.clone()));
        } else {
            change.pinecone_host = Some(None);
        }
        let external = change
            .pinecone_external
            .as_ref()
            .unwrap_or(&tenant.pinecone.external);
        let host = change.pinecone_host.as_ref().and_then(Option::as_deref);
        self.check_external(&tenant.id, external.as_ref(), host)?;
        Ok(Some(check))
    }

    fn check_external(
        &self,
        id: &TenantId,
        external: Option<&ExternalIndex>,
        host: Option<&str>,
    ) -> Result<(), SaveTenantError> {
        external.map_or(Ok(()), |external| {
            namespace::is_nobody_elses(self.store.as_ref(), id, host, &external.namespace)
        })
    }

    fn pinecone(&self) -> Result<&Pinecone, InvalidField> {
        let refusal = || {
            InvalidField::new(
                "pinecone_api_key",
                "is not taken here: tenants' own indexes are switched off",
            )
        };
        self.pinecone.as_ref().ok_or_else(refusal)
    }
}

fn external_without_key() -> InvalidField {
    InvalidField::new("pinecone_external", "needs a `pinecone_api_key`")
}

impl fmt::Debug for Tenants {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tenants").finish_non_exhaustive()
    }
}
