//! Accounts: making and changing them, logging in to them, and their passwords.

mod client;
mod login;
mod parts;
mod passwords;
mod resets;
mod throttle;

use secrecy::SecretString;
use tenantry_crypto::{PasswordError, RejectedPassword};
use tenantry_domain::{Actor, Email, Page, Paged, ParseEmailError, Role, TenantId, User, UserId};
use tenantry_tenant_store::{StoreError, UserChange, UserFilter};

pub use self::client::Client;
pub use self::login::{LogIns, LoginError};
pub use self::parts::AccountParts;
pub use self::passwords::{ChangePasswordError, Passwords};
pub use self::resets::{RedeemError, ResetError, ResetLink, Resets};
use self::throttle::{Counts, ThrottleError};
pub use self::throttle::{Throttle, TooManyAttempts};
use crate::Superuser;

/// Why an account was not made or changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AccountError {
    /// The address is not one.
    #[error(transparent)]
    Email(#[from] ParseEmailError),
    /// The password may not be used.
    #[error(transparent)]
    Password(#[from] RejectedPassword),
    /// The password could not be hashed.
    #[error(transparent)]
    Hash(#[from] PasswordError),
    /// The address, or the tenant, stands in the way, or the store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why nobody registered.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RegisterError {
    /// The account cannot be made.
    #[error(transparent)]
    Account(#[from] AccountError),
    /// The client has made too many.
    #[error(transparent)]
    TooMany(#[from] TooManyAttempts),
}

impl From<ThrottleError> for RegisterError {
    fn from(error: ThrottleError) -> Self {
        match error {
            ThrottleError::TooMany(error) => error.into(),
            ThrottleError::Store(error) => AccountError::from(error).into(),
        }
    }
}

/// A user to make.
#[derive(Debug, Clone)]
pub struct NewUser {
    /// The address to log in with.
    pub email: String,
    /// The password.
    pub password: SecretString,
    /// Whether the user manages the platform.
    pub is_superuser: bool,
    /// The user's tenant.
    pub tenant: Option<TenantId>,
    /// What the user may do there.
    pub role: Role,
}

/// What to change of a user: `None` keeps a value, `Some(None)` clears one.
#[derive(Debug, Clone, Default)]
pub struct UserUpdate {
    /// The tenant; a change ends the user's sessions.
    pub tenant: Option<Option<TenantId>>,
    /// What the user may do in the tenant; a change ends the user's sessions. Who is moved to another tenant is a member there
    /// unless this says otherwise.
    pub role: Option<Role>,
    /// Whether the user may log in; a change ends the user's sessions.
    pub is_active: Option<bool>,
    /// Whether the user manages the platform; a change ends the user's sessions.
    pub is_superuser: Option<bool>,
    /// The password; a change ends the user's sessions.
    pub password: Option<SecretString>,
}

/// Makes and changes accounts.
#[derive(Debug)]
pub struct Accounts {
    parts: AccountParts,
}

impl Accounts {
    /// Accounts made of these parts.
    pub fn new(parts: AccountParts) -> Self {
        Self { parts }
    }

    /// Makes an account without a tenant for whoever asks.
    ///
    /// # Errors
    /// [`RegisterError::TooMany`] when too many were made from the client's address; else as [`Accounts::create`].
    pub fn register(
        &self,
        email: &str,
        password: SecretString,
        client: &Client,
    ) -> Result<User, RegisterError> {
        // Neither taken back nor forgiven: each counts.
        let _counted = self
            .parts
            .throttle
            .attempt(Counts::registration(client.origin.address))?;
        let new = NewUser {
            email: email.to_owned(),
            password,
            is_superuser: false,
            tenant: None,
            role: Role::Member,
        };
        Ok(self.add(new, &client.nobody())?)
    }

    /// Makes a user.
    ///
    /// # Errors
    /// When the address or the password is refused, the address is taken, the tenant does not exist, or the hasher or
    /// the store fails.
    pub fn create(&self, superuser: &Superuser, new: NewUser) -> Result<User, AccountError> {
        self.add(new, superuser.actor())
    }

    /// The user of that id.
    ///
    /// # Errors
    /// When the store fails.
    pub fn user(&self, _: &Superuser, id: UserId) -> Result<Option<User>, AccountError> {
        Ok(self.parts.users.user(id)?)
    }

    /// The user with that address.
    ///
    /// # Errors
    /// When the text is not an address, or the store fails.
    pub fn user_by_email(&self, _: &Superuser, email: &str) -> Result<Option<User>, AccountError> {
        Ok(self.parts.users.user_by_email(&Email::parse(email)?)?)
    }

    /// A page of all users, or of one tenant's.
    ///
    /// # Errors
    /// When the store fails.
    pub fn users(
        &self,
        _: &Superuser,
        tenant: Option<TenantId>,
        page: Page,
    ) -> Result<Paged<User>, AccountError> {
        Ok(self.parts.users.users(
            &UserFilter {
                tenant,
                ..UserFilter::default()
            },
            page,
        )?)
    }

    /// Changes a user; `None` when there is none of that id.
    ///
    /// # Errors
    /// When the password is refused, the tenant does not exist, no active superuser would be left, or the hasher or the store fails.
    pub fn update(
        &self,
        superuser: &Superuser,
        id: UserId,
        update: UserUpdate,
    ) -> Result<Option<User>, AccountError> {
        let Some(user) = self.parts.users.user(id)? else {
            return Ok(None);
        };
        let moved = update
            .tenant
            .as_ref()
            .is_some_and(|tenant| *tenant != user.tenant);
        let password_hash = update
            .password
            .map(|password| self.parts.new_hash(&password, &user.email))
            .transpose()?;
        let change = UserChange {
            end_sessions: false,
            tenant: update.tenant,
            role: update.role.or(moved.then_some(Role::Member)),
            is_active: update.is_active,
            is_superuser: update.is_superuser,
            password_hash,
            within: None,
            actor: superuser.actor().clone(),
        };
        let user = self
            .parts
            .users
            .update_user(id, &change, self.parts.clock.now())?;
        self.parts.resolver.forget();
        Ok(user)
    }

    fn add(&self, new: NewUser, actor: &Actor) -> Result<User, AccountError> {
        let email = Email::parse(&new.email)?;
        let now = self.parts.clock.now();
        let user = User {
            id: UserId::generate(now),
            password_hash: Some(self.parts.new_hash(&new.password, &email)?),
            email,
            is_superuser: new.is_superuser,
            is_active: true,
            tenant: new.tenant,
            role: new.role,
            token_version: 0,
            created_at: now,
            updated_at: now,
        };
        self.parts.users.create_user(&user, actor)?;
        Ok(user)
    }
}
