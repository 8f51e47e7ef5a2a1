//! What a tenant's system prompt was.

mod diff;

use std::fmt;
use std::sync::Arc;

use tenantry_domain::{Actor, Clock, Email, Page, Paged, PromptVersion, TenantId};
use tenantry_tenant_store::{PromptStore, StoreError, TenantChange, TenantStore};

pub use self::diff::{ChangedLine, LineChange, PromptDiff};
use crate::template::{Variables, render};
use crate::{Resolver, Superuser, TenantAdmin};

/// The right to see and change one tenant's system prompt.
#[derive(Debug)]
pub struct PromptAccess {
    tenant: TenantId,
    actor: Actor,
    email: Option<Email>,
}

impl PromptAccess {
    /// An admin's, to the prompt of their own tenant.
    pub fn own(admin: &TenantAdmin) -> Self {
        Self {
            tenant: admin.scope().id().clone(),
            actor: admin.actor().clone(),
            email: admin.email().cloned(),
        }
    }

    /// A superuser's, to the prompt of any tenant.
    pub fn any(superuser: &Superuser, tenant: TenantId) -> Self {
        Self {
            tenant,
            actor: superuser.actor().clone(),
            email: None,
        }
    }
}

/// Shows, compares and restores the versions of system prompts.
pub struct Prompts {
    versions: Arc<dyn PromptStore>,
    tenants: Arc<dyn TenantStore>,
    resolver: Arc<Resolver>,
    clock: Arc<dyn Clock>,
}

impl Prompts {
    /// The versions that stand beside `tenants`.
    pub fn new(
        versions: Arc<dyn PromptStore>,
        tenants: Arc<dyn TenantStore>,
        resolver: Arc<Resolver>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            versions,
            tenants,
            resolver,
            clock,
        }
    }

    /// A page of the versions, the latest first; `None` when there is no such tenant.
    ///
    /// # Errors
    /// When the store fails.
    pub fn versions(
        &self,
        access: &PromptAccess,
        page: Page,
    ) -> Result<Option<Paged<PromptVersion>>, StoreError> {
        if self.tenants.tenant(&access.tenant)?.is_none() {
            return Ok(None);
        }
        self.versions.prompt_versions(&access.tenant, page).map(Some)
    }

    /// The version of that number.
    ///
    /// # Errors
    /// When the store fails.
    pub fn version(&self, access: &PromptAccess, number: u32) -> Result<Option<PromptVersion>, StoreError> {
        self.versions.prompt_version(&access.tenant, number)
    }

    /// A version as a model would be told it now: its variables replaced, for a question of the one who looks.
    ///
    /// # Errors
    /// When the store fails.
    pub fn rendered(&self, access: &PromptAccess, number: u32) -> Result<Option<PromptVersion>, StoreError> {
        let Some(version) = self.version(access, number)? else {
            return Ok(None);
        };
        let tenant = self.tenants.tenant(&access.tenant)?;
        Ok(tenant.map(|tenant| {
            let variables = Variables {
                tenant: &tenant,
                email: access.email.as_ref(),
                now: self.clock.now(),
            };
            let text = version.text.as_deref().map(|text| render(text, variables));
            PromptVersion { text, ..version }
        }))
    }

    /// What changed from version `from` to version `to`, else to the latest, line by line; `None` when one of them does not exist.
    ///
    /// # Errors
    /// When the store fails.
    pub fn diff(
        &self,
        access: &PromptAccess,
        from: u32,
        to: Option<u32>,
    ) -> Result<Option<PromptDiff>, StoreError> {
        let Some(from) = self.version(access, from)? else {
            return Ok(None);
        };
        let to = match to {
            Some(to) => self.version(access, to)?,
            None => self.latest(access)?.into_iter().next(),
        };
        Ok(to.map(|to| PromptDiff::between(&from, &to)))
    }

    /// Makes the text of a version the tenant's prompt again, and gives the version that now holds it: a new one, unless the
    /// prompt is that text already. `None` when the version does not exist.
    ///
    /// # Errors
    /// When the store fails.
    pub fn restore(&self, access: &PromptAccess, number: u32) -> Result<Option<PromptVersion>, StoreError> {
        let Some(version) = self.version(access, number)? else {
            return Ok(None);
        };
        let change = TenantChange {
            system_prompt: Some(version.text.clone()),
            actor: access.actor.clone(),
            ..TenantChange::default()
        };
        self.tenants
            .update_tenant(&access.tenant, &change, self.clock.now())?;
        self.resolver.forget();
        // Somebody else may have made another version since.
        let latest = self.latest(access)?;
        let restored = latest.into_iter().find(|latest| latest.text == version.text);
        Ok(Some(restored.unwrap_or(version)))
    }

    fn latest(&self, access: &PromptAccess) -> Result<Vec<PromptVersion>, StoreError> {
        let page = Page::default();
        Ok(self.versions.prompt_versions(&access.tenant, page)?.items)
    }
}

impl fmt::Debug for Prompts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prompts").finish_non_exhaustive()
    }
}
