//! What the admins of a tenant do with its users.

use std::fmt;

use secrecy::SecretString;
use tenantry_domain::{Email, Page, Paged, Role, User, UserId};
use tenantry_tenant_store::{StoreError, UserChange, UserFilter};

use crate::{AccountError, AccountParts, TenantAdmin};

/// Why an admin did not make or change a user.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TenantUserError {
    /// The role may do more than the one who gives it.
    #[error("the role may do more than who gives it")]
    RoleAboveOwn,
    /// The account cannot be like that, or the store failed.
    #[error(transparent)]
    Account(#[from] AccountError),
}

impl From<StoreError> for TenantUserError {
    fn from(error: StoreError) -> Self {
        Self::Account(error.into())
    }
}

/// A user of the admin's tenant to make.
#[derive(Debug, Clone)]
pub struct NewTenantUser {
    /// The address to log in with.
    pub email: String,
    /// The password; without one the user logs in after a link to set one, or by an identity provider.
    pub password: Option<SecretString>,
    /// What the user may do in the tenant.
    pub role: Role,
}

/// What an admin changes of a user of the tenant: `None` keeps a value. A change ends the user's sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TenantUserUpdate {
    /// What the user may do in the tenant.
    pub role: Option<Role>,
    /// Whether the user may log in.
    pub is_active: Option<bool>,
}

/// The users of a tenant, for its admins. Superusers do not exist here, whatever tenant they have, nor does anybody of another tenant.
pub struct TenantUsers(AccountParts);

impl TenantUsers {
    /// The users among those accounts.
    pub fn new(parts: AccountParts) -> Self {
        Self(parts)
    }

    /// A page of the tenant's users, ordered by address.
    ///
    /// # Errors
    /// When the store fails.
    pub fn list(&self, admin: &TenantAdmin, page: Page) -> Result<Paged<User>, StoreError> {
        let filter = UserFilter {
            tenant: Some(admin.scope().id().clone()),
            is_superuser: Some(false),
        };
        self.0.users.users(&filter, page)
    }

    /// The user of that id, if it is one of the tenant.
    ///
    /// # Errors
    /// When the store fails.
    pub fn user(&self, admin: &TenantAdmin, id: UserId) -> Result<Option<User>, StoreError> {
        let user = self.0.users.user(id)?;
        Ok(user.filter(|user| !user.is_superuser && user.tenant.as_ref() == Some(admin.scope().id())))
    }

    /// Makes a user of the tenant.
    ///
    /// # Errors
    /// [`TenantUserError::RoleAboveOwn`] when the role may do more than the admin; else when the address or the password is refused,
    /// the address is taken, or the hasher or the store fails.
    pub fn create(&self, admin: &TenantAdmin, new: NewTenantUser) -> Result<User, TenantUserError> {
        may_give(admin, new.role)?;
        let email = Email::parse(&new.email).map_err(AccountError::from)?;
        let password_hash = new
            .password
            .map(|password| self.0.new_hash(&password, &email))
            .transpose()?;
        let now = self.0.clock.now();
        let user = User {
            id: UserId::generate(now),
            password_hash,
            email,
            is_superuser: false,
            is_active: true,
            tenant: Some(admin.scope().id().clone()),
            role: new.role,
            token_version: 0,
            created_at: now,
            updated_at: now,
        };
        self.0.users.create_user(&user, admin.actor())?;
        Ok(user)
    }

    /// Changes a user of the tenant; `None` when there is none of that id.
    ///
    /// # Errors
    /// As [`TenantUsers::create`].
    pub fn update(
        &self,
        admin: &TenantAdmin,
        id: UserId,
        update: TenantUserUpdate,
    ) -> Result<Option<User>, TenantUserError> {
        if self.user(admin, id)?.is_none() {
            return Ok(None);
        }
        if let Some(role) = update.role {
            may_give(admin, role)?;
        }
        let change = UserChange {
            role: update.role,
            is_active: update.is_active,
            within: Some(admin.scope().id().clone()),
            actor: admin.actor().clone(),
            ..UserChange::default()
        };
        let user = self.0.users.update_user(id, &change, self.0.clock.now())?;
        self.0.resolver.forget();
        Ok(user)
    }
}

/// Nobody gives what they have not themselves, which an API key may have less of than its maker.
fn may_give(admin: &TenantAdmin, role: Role) -> Result<(), TenantUserError> {
    let given = role.permissions(admin.scope().tenant().ingesters);
    let is_within = given.are_within(admin.permissions());
    is_within.then_some(()).ok_or(TenantUserError::RoleAboveOwn)
}

impl fmt::Debug for TenantUsers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TenantUsers").finish_non_exhaustive()
    }
}
