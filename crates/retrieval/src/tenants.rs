use std::fmt;
use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};
use tenantry_crypto::{Field, OpenError, SealError, Sealer};
use tenantry_domain::{Clock, Page, Paged, PineconeSettings, SealedSecret, Tenant, TenantId};
use tenantry_tenant_store::{StoreError, TenantChange, TenantStore};

use crate::text::{line, prose};
use crate::{InvalidField, PineconeCheck, PineconeLookup, RejectedPinecone, Resolver, Superuser};

const MAX_NAME: usize = 200;
const MAX_SETTING: usize = 255;
const MAX_KEY: usize = 512;
const MAX_PROMPT: usize = 32_000;

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
    /// The system prompt: at most 32,000 characters.
    pub system_prompt: Option<String>,
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
    /// The system prompt.
    pub system_prompt: Option<Option<String>>,
    /// Whether the tenant may be used.
    pub is_active: Option<bool>,
}

impl TenantUpdate {
    fn touches_pinecone(&self) -> bool {
        self.pinecone_environment.is_some()
            || self.pinecone_index.is_some()
            || self.pinecone_api_key.is_some()
    }
}

/// A tenant as it was saved, and what came of checking its Pinecone settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedTenant {
    /// The tenant.
    pub tenant: Tenant,
    /// The check; [`PineconeCheck::NotConfigured`] also when the settings were not touched.
    pub check: PineconeCheck,
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
        let name = line("name", &new.name, MAX_NAME, "has more than 200 characters")?;
        let environment = new.pinecone_environment.as_deref().map(environment).transpose()?;
        let index = new.pinecone_index.as_deref().map(index_name).transpose()?;
        new.system_prompt.as_deref().map(system_prompt).transpose()?;
        if self.store.tenant(&new.id)?.is_some() {
            return Err(StoreError::IdTaken.into());
        }
        let check = match &new.pinecone_api_key {
            Some(key) => self
                .pinecone
                .check(api_key(key)?, index.as_deref(), environment.as_deref())?,
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
        update: TenantUpdate,
    ) -> Result<Option<SavedTenant>, SaveTenantError> {
        let Some(tenant) = self.store.tenant(id)? else {
            return Ok(None);
        };
        let touches_pinecone = update.touches_pinecone();
        let mut change = self.change(id, &update)?;
        let check = if touches_pinecone {
            self.check_again(&tenant, &update, &mut change)?
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
            system_prompt(prompt)?;
        }
        let name = update.name.as_deref();
        let api_key = update
            .pinecone_api_key
            .as_ref()
            .map(|key| self.seal(id, api_key(key)?))
            .transpose()?;
        Ok(TenantChange {
            name: name
                .map(|name| line("name", name, MAX_NAME, "has more than 200 characters"))
                .transpose()?,
            pinecone_environment: nested(update.pinecone_environment.as_ref(), environment)?,
            pinecone_index: nested(update.pinecone_index.as_ref(), index_name)?,
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
            last_four: last_four(key),
        })
    }
}

impl fmt::Debug for Tenants {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tenants").finish_non_exhaustive()
    }
}

fn nested(
    value: Option<&Option<String>>,
    parse: impl Fn(&str) -> Result<String, InvalidField>,
) -> Result<Option<Option<String>>, InvalidField> {
    value
        .map(|value| value.as_deref().map(&parse).transpose())
        .transpose()
}

fn environment(text: &str) -> Result<String, InvalidField> {
    line(
        "pinecone_environment",
        text,
        MAX_SETTING,
        "has more than 255 characters",
    )
}

fn index_name(text: &str) -> Result<String, InvalidField> {
    let alphanumeric = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let well_formed = (1..=45).contains(&text.len())
        && text.chars().all(|c| alphanumeric(c) || c == '-')
        && text.starts_with(alphanumeric)
        && text.ends_with(alphanumeric);
    if well_formed {
        Ok(text.to_owned())
    } else {
        let reason = "is not an index name: 1 to 45 of a-z, 0-9 and `-`, with a letter or digit at both ends";
        Err(InvalidField::new("pinecone_index", reason))
    }
}

fn api_key(key: &SecretString) -> Result<&SecretString, InvalidField> {
    let text = key.expose_secret();
    let field = "pinecone_api_key";
    if text.is_empty() {
        Err(InvalidField::new(field, "is empty"))
    } else if text.len() > MAX_KEY {
        Err(InvalidField::new(field, "has more than 512 bytes"))
    } else if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        Err(InvalidField::new(
            field,
            "has white space, control characters or characters outside ASCII",
        ))
    } else {
        Ok(key)
    }
}

fn system_prompt(text: &str) -> Result<(), InvalidField> {
    prose(
        "system_prompt",
        text,
        MAX_PROMPT,
        "has more than 32000 characters",
    )
}

/// The end of a key by which people tell it from another; nothing of a key that is too short to spare four.
fn last_four(key: &SecretString) -> String {
    let text = key.expose_secret();
    if text.len() < 16 {
        String::new()
    } else {
        text.get(text.len() - 4..).unwrap_or_default().to_owned()
    }
}
