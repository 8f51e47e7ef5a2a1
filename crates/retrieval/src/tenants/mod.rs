mod fields;
mod record;

use std::fmt;
use std::sync::Arc;

use secrecy::SecretString;
use tenantry_crypto::{Field, OpenError, SealError, Sealer};
use tenantry_domain::{Clock, Page, Paged, PineconeSettings, SealedSecret, Tenant, TenantId};
use tenantry_tenant_store::{StoreError, TenantChange, TenantStore};

pub use self::record::{NewTenant, PineconeState, SavedTenant, TenantUpdate};
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
    sealer: Arc<dyn Sealer>,
    pinecone: PineconeLookup,
    resolver: Arc<Resolver>,
    clock: Arc<dyn Clock>,
}

impl Tenants {
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
            sealer,
            pinecone,
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
        let environment = new
            .pinecone_environment
            .as_deref()
            .map(fields::environment)
            .transpose()?;
        let index = new
            .pinecone_index
            .as_deref()
            .map(fields::index_name)
            .transpose()?;
        new.system_prompt
            .as_deref()
            .map(fields::system_prompt)
            .transpose()?;
        if self.store.tenant(&new.id)?.is_some() {
            return Err(StoreError::IdTaken.into());
        }
        let check = match &new.pinecone_api_key {
            Some(key) => {
                self.pinecone
                    .check(fields::api_key(key)?, index.as_deref(), environment.as_deref())?
            }
            None => PineconeCheck::NotConfigured,
        };
        let (index, host) = match &check {
            PineconeCheck::Verified { index, host, .. } => (Some(index.clone()), Some(host.clone())),
            PineconeCheck::NotConfigured | PineconeCheck::Pending { .. } => (index, None),
        };
        let api_key = new
            .pinecone_api_key
            .as_ref()
            .map(|key| self.seal(&new.id, key))
            .transpose()?;
        let now = self.clock.now();
        let tenant = Tenant {
            id: new.id,
            name,
            pinecone: PineconeSettings {
                environment,
                index,
                host,
                api_key,
            },
            system_prompt: new.system_prompt,
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
            PineconeCheck::NotConfigured
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
        let api_key = update
            .pinecone_api_key
            .as_ref()
            .map(|key| self.seal(id, fields::api_key(key)?))
            .transpose()?;
        Ok(TenantChange {
            name: name.map(fields::name).transpose()?,
            pinecone_environment: fields::nested(update.pinecone_environment.as_ref(), fields::environment)?,
            pinecone_index: fields::nested(update.pinecone_index.as_ref(), fields::index_name)?,
            pinecone_host: None,
            pinecone_api_key: api_key.map(Some),
            system_prompt: update.system_prompt.clone(),
            is_active: update.is_active,
        })
    }

    /// Checks the settings as they will be, and has the change carry the host and index that came of it.
    fn check_again(
        &self,
        tenant: &Tenant,
        update: &TenantUpdate,
        change: &mut TenantChange,
    ) -> Result<PineconeCheck, SaveTenantError> {
        let key = match (&update.pinecone_api_key, &tenant.pinecone.api_key) {
            (Some(key), _) => key.clone(),
            (None, Some(stored)) => self
                .sealer
                .open(Field::pinecone_api_key(&tenant.id), &stored.sealed)?,
            (None, None) => return Ok(PineconeCheck::NotConfigured),
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
            .pinecone
            .check(&key, index.as_deref(), environment.as_deref())?;
        if let PineconeCheck::Verified { index, host, .. } = &check {
            change.pinecone_index = Some(Some(index.clone()));
            change.pinecone_host = Some(Some(host.clone()));
        } else {
            change.pinecone_host = Some(None);
        }
        Ok(check)
    }

    fn seal(&self, id: &TenantId, key: &SecretString) -> Result<SealedSecret, SaveTenantError> {
        let sealed = self.sealer.seal(Field::pinecone_api_key(id), key)?;
        Ok(SealedSecret {
            sealed,
            last_four: fields::last_four(key),
        })
    }
}

impl fmt::Debug for Tenants {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tenants").finish_non_exhaustive()
    }
}
