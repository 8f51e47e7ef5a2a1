//! Keys with which other programs act for a tenant.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use tenantry_domain::{
    ApiKey, ApiKeyId, Clock, Page, Paged, Permission, Permissions, TenantScope, Timestamp,
};
use tenantry_tenant_store::{ApiKeyStore, StoreError};

use crate::opaque::{NoRandomness, Opaque, Purpose};
use crate::text::visible_line;
use crate::{InvalidField, Resolver, Superuser, TenantAdmin};

const MAX_NAME: usize = 100;
/// How many characters of a key are kept for people to tell it by: the prefix and 8 of its 43, too few to find the rest by.
const SHOWN: usize = 12;
/// How long a key may live on beside its successor, in seconds: 30 days.
const MAX_OVERLAP: u32 = 30 * 86_400;

/// Why a key was not made or given a successor.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ApiKeyError {
    /// A value cannot be kept.
    #[error(transparent)]
    Invalid(#[from] InvalidField),
    /// The key may do what its maker may not.
    #[error("the maker of the key lacks the permission `{0}`")]
    Beyond(Permission),
    /// The key cannot get a successor: it is revoked, over, or has one.
    #[error("the key is not live, or has a successor")]
    NotLive,
    /// No key could be thought of.
    #[error(transparent)]
    Random(#[from] NoRandomness),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A key to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewApiKey {
    /// Its name for people, 1 to 100 characters.
    pub name: String,
    /// What it may do: one thing at least, and nothing that its maker may not.
    pub permissions: Permissions,
    /// When it ends; `None` for never.
    pub expires_at: Option<Timestamp>,
}

/// A key that was just made, with its text, which nobody is shown again.
#[derive(Debug)]
pub struct IssuedApiKey {
    /// The key.
    pub key: ApiKey,
    /// Its text.
    pub text: SecretString,
}

/// The right to manage one tenant's keys.
#[derive(Debug)]
pub struct KeyRights<'s> {
    scope: &'s TenantScope,
    permissions: Permissions,
}

impl<'s> KeyRights<'s> {
    /// An admin's, to the keys of their own tenant.
    pub fn own(admin: &'s TenantAdmin) -> Self {
        Self {
            scope: admin.scope(),
            permissions: admin.permissions(),
        }
    }

    /// A superuser's, to the keys of any tenant, with its scope.
    pub fn any(_: &Superuser, scope: &'s TenantScope) -> Self {
        Self {
            scope,
            permissions: Permissions::ALL,
        }
    }

    fn refuse_beyond(&self, wanted: Permissions) -> Result<(), ApiKeyError> {
        match wanted.iter().find(|one| !self.permissions.has(*one)) {
            Some(missing) => Err(ApiKeyError::Beyond(missing)),
            None => Ok(()),
        }
    }
}

/// Makes, shows, replaces and revokes the API keys of tenants.
pub struct ApiKeys {
    store: Arc<dyn ApiKeyStore>,
    resolver: Arc<Resolver>,
    clock: Arc<dyn Clock>,
}

impl ApiKeys {
    /// How long a key lives on beside its successor unless somebody says otherwise, in seconds: a day.
    pub const OVERLAP_SECONDS: u32 = 86_400;

    /// The keys in `store`.
    pub fn new(store: Arc<dyn ApiKeyStore>, resolver: Arc<Resolver>, clock: Arc<dyn Clock>) -> Self {
        Self {
            store,
            resolver,
            clock,
        }
    }

    /// Makes a key.
    ///
    /// # Errors
    /// [`ApiKeyError::Invalid`] when the name cannot be kept, no permission is named, or the end has passed;
    /// [`ApiKeyError::Beyond`] when the maker may not do what the key is to do; else when the store or the source of randomness fails.
    pub fn create(&self, rights: &KeyRights<'_>, new: &NewApiKey) -> Result<IssuedApiKey, ApiKeyError> {
        let name = visible_line("name", &new.name, MAX_NAME, "has more than 100 characters")?;
        if new.permissions.is_empty() {
            return Err(InvalidField::new("scopes", "names nothing that the key may do").into());
        }
        rights.refuse_beyond(new.permissions)?;
        let now = self.clock.now();
        if new.expires_at.is_some_and(|end| end <= now) {
            return Err(InvalidField::new("expires_at", "has passed").into());
        }
        let secret = Purpose::ApiKey.generate()?;
        let key = ApiKey {
            id: ApiKeyId::generate(now),
            name,
            prefix: prefix(&secret),
            permissions: new.permissions,
            created_by: rights.scope.actor().principal,
            created_at: now,
            expires_at: new.expires_at,
            used_at: None,
            revoked_at: None,
            replaced_by: None,
        };
        self.store.create_api_key(rights.scope, &key, secret.hash)?;
        Ok(IssuedApiKey {
            key,
            text: secret.text,
        })
    }

    /// A page of the keys, live or not, the newest first.
    ///
    /// # Errors
    /// When the store fails.
    pub fn list(&self, rights: &KeyRights<'_>, page: Page) -> Result<Paged<ApiKey>, StoreError> {
        self.store.api_keys(rights.scope, page)
    }

    /// The key of that id, live or not.
    ///
    /// # Errors
    /// When the store fails.
    pub fn show(&self, rights: &KeyRights<'_>, id: ApiKeyId) -> Result<Option<ApiKey>, StoreError> {
        self.store.api_key(rights.scope, id)
    }

    /// Ends a key for good, and gives it as it is then; `None` when there is none of that id. Its successor lives on.
    ///
    /// # Errors
    /// When the store fails.
    pub fn revoke(&self, rights: &KeyRights<'_>, id: ApiKeyId) -> Result<Option<ApiKey>, StoreError> {
        let key = self.store.revoke_api_key(rights.scope, id, self.clock.now())?;
        self.resolver.forget();
        Ok(key)
    }

    /// Makes a key that may do the same and lives as long as the key of that id was made for, and lets that one live for
    /// `overlap_seconds` more at most. `None` when there is none of that id.
    ///
    /// # Errors
    /// [`ApiKeyError::NotLive`] when the key is revoked, over, or has a successor; [`ApiKeyError::Invalid`] when the overlap is longer
    /// than 30 days; [`ApiKeyError::Beyond`] when the key may do what the caller may not; else when the store or the source of
    /// randomness fails.
    pub fn rotate(
        &self,
        rights: &KeyRights<'_>,
        id: ApiKeyId,
        overlap_seconds: u32,
    ) -> Result<Option<IssuedApiKey>, ApiKeyError> {
        if overlap_seconds > MAX_OVERLAP {
            return Err(InvalidField::new("overlap_seconds", "is more than 2592000, 30 days").into());
        }
        let Some(old) = self.store.api_key(rights.scope, id)? else {
            return Ok(None);
        };
        // Else who may only administer would come by a key that may do more.
        rights.refuse_beyond(old.permissions)?;
        let now = self.clock.now();
        let secret = Purpose::ApiKey.generate()?;
        let next = successor(&old, prefix(&secret), rights, now);
        let old_until = now.saturating_add(Duration::from_secs(overlap_seconds.into()));
        let rotated = self
            .store
            .rotate_api_key(rights.scope, id, &next, secret.hash, old_until)?;
        self.resolver.forget();
        if !rotated {
            return Err(ApiKeyError::NotLive);
        }
        Ok(Some(IssuedApiKey {
            key: next,
            text: secret.text,
        }))
    }
}

fn successor(old: &ApiKey, prefix: String, rights: &KeyRights<'_>, now: Timestamp) -> ApiKey {
    let life = |end: Timestamp| {
        let micros = end.unix_micros() - old.created_at.unix_micros();
        // Where the years end before that, it ends with the key itself.
        Timestamp::from_unix_micros(now.unix_micros().saturating_add(micros)).unwrap_or(end)
    };
    ApiKey {
        id: ApiKeyId::generate(now),
        name: old.name.clone(),
        prefix,
        permissions: old.permissions,
        created_by: rights.scope.actor().principal,
        created_at: now,
        expires_at: old.expires_at.map(life),
        used_at: None,
        revoked_at: None,
        replaced_by: None,
    }
}

fn prefix(secret: &Opaque) -> String {
    secret.text.expose_secret().chars().take(SHOWN).collect()
}

impl fmt::Debug for ApiKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiKeys").finish_non_exhaustive()
    }
}
