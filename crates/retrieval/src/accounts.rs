use std::fmt;
use std::sync::Arc;

use secrecy::SecretString;
use tenantry_crypto::{Password, PasswordError, PasswordHasher, PasswordPolicy, RejectedPassword, Verdict};
use tenantry_domain::{
    Actor, Clock, Email, Page, Paged, ParseEmailError, PasswordHash, Principal, Role, TenantId, User, UserId,
};
use tenantry_tenant_store::{StoreError, UserChange, UserFilter, UserStore};

use crate::{Resolver, Superuser};

/// Why nobody was logged in.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoginError {
    /// Unknown account, wrong password, or an account that may not log in: the same for all.
    #[error("the e-mail address or the password is wrong")]
    Refused,
    /// The password could not be verified.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

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
    /// What the user may do in the tenant; it works at once, without a new token. Who is moved to another tenant is a member there
    /// unless this says otherwise.
    pub role: Option<Role>,
    /// Whether the user may log in; a change ends the user's sessions.
    pub is_active: Option<bool>,
    /// Whether the user manages the platform; it works at once, without a new token.
    pub is_superuser: Option<bool>,
    /// The password; a change ends the user's sessions.
    pub password: Option<SecretString>,
}

/// Makes, changes and authenticates accounts.
pub struct Accounts {
    users: Arc<dyn UserStore>,
    hasher: Arc<dyn PasswordHasher>,
    policy: PasswordPolicy,
    resolver: Arc<Resolver>,
    clock: Arc<dyn Clock>,
}

impl Accounts {
    /// Accounts in `users`, with passwords after `policy`.
    pub fn new(
        users: Arc<dyn UserStore>,
        hasher: Arc<dyn PasswordHasher>,
        policy: PasswordPolicy,
        resolver: Arc<Resolver>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            users,
            hasher,
            policy,
            resolver,
            clock,
        }
    }

    /// The user with this address and password. It takes one password verification whoever asks.
    ///
    /// # Errors
    /// [`LoginError::Refused`] when there is no such user, the password is wrong, or the user or its tenant is not
    /// active; else when the hasher or the store fails.
    pub fn authenticate(&self, email: &str, password: &SecretString) -> Result<User, LoginError> {
        let user = match Email::parse(email) {
            Ok(email) => self.users.user_by_email(&email)?,
            Err(_) => None,
        };
        let password = Password::new(password).map_err(|_| LoginError::Refused)?;
        // One read more for everybody, so that an unknown account does not answer sooner.
        let id = user
            .as_ref()
            .map_or_else(|| UserId::generate(self.clock.now()), |user| user.id);
        let access = self.users.access(id, None, self.clock.now())?.filter(|access| {
            let tenant_active = access.tenant.as_ref().is_none_or(|tenant| tenant.is_active);
            access.user.is_active && (tenant_active || access.user.is_superuser)
        });
        let hash = access
            .as_ref()
            .and_then(|access| access.user.password_hash.as_ref());
        let verdict = self.hasher.verify(&password, hash)?;
        let Some(access) = access.filter(|_| verdict != Verdict::Mismatch) else {
            return Err(LoginError::Refused);
        };
        if verdict == Verdict::MatchOutdated {
            let change = UserChange {
                password_hash: Some(self.hasher.hash(&password)?),
                ..UserChange::default()
            };
            self.users.update_user(id, &change, self.clock.now())?;
        }
        Ok(access.user)
    }

    /// Makes an account without a tenant for whoever asks.
    ///
    /// # Errors
    /// As [`Accounts::create`].
    pub fn register(&self, email: &str, password: SecretString) -> Result<User, AccountError> {
        let new = NewUser {
            email: email.to_owned(),
            password,
            is_superuser: false,
            tenant: None,
            role: Role::Member,
        };
        self.add(new, &Actor::of(Principal::Anonymous))
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
        Ok(self.users.user(id)?)
    }

    /// The user with that address.
    ///
    /// # Errors
    /// When the text is not an address, or the store fails.
    pub fn user_by_email(&self, _: &Superuser, email: &str) -> Result<Option<User>, AccountError> {
        Ok(self.users.user_by_email(&Email::parse(email)?)?)
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
        Ok(self.users.users(&UserFilter { tenant, ..UserFilter::default() }, page)?)
    }

    /// Changes a user; `None` when there is none of that id.
    ///
    /// # Errors
    /// When the password is refused, the tenant does not exist, or the hasher or the store fails.
    pub fn update(
        &self,
        superuser: &Superuser,
        id: UserId,
        update: UserUpdate,
    ) -> Result<Option<User>, AccountError> {
        let Some(user) = self.users.user(id)? else {
            return Ok(None);
        };
        let moved = update
            .tenant
            .as_ref()
            .is_some_and(|tenant| *tenant != user.tenant);
        let switched = update.is_active.is_some_and(|active| active != user.is_active);
        let password_hash = update
            .password
            .map(|password| self.new_hash(&password, &user.email))
            .transpose()?;
        let change = UserChange {
            end_sessions: moved || switched || password_hash.is_some(),
            tenant: update.tenant,
            role: update.role.or(moved.then_some(Role::Member)),
            is_active: update.is_active,
            is_superuser: update.is_superuser,
            password_hash,
            within: None,
            actor: superuser.actor().clone(),
        };
        let user = self.users.update_user(id, &change, self.clock.now())?;
        self.resolver.forget();
        Ok(user)
    }

    fn add(&self, new: NewUser, actor: &Actor) -> Result<User, AccountError> {
        let email = Email::parse(&new.email)?;
        let now = self.clock.now();
        let user = User {
            id: UserId::generate(now),
            password_hash: Some(self.new_hash(&new.password, &email)?),
            email,
            is_superuser: new.is_superuser,
            is_active: true,
            tenant: new.tenant,
            role: new.role,
            token_version: 0,
            created_at: now,
            updated_at: now,
        };
        self.users.create_user(&user, actor)?;
        Ok(user)
    }

    fn new_hash(&self, password: &SecretString, email: &Email) -> Result<PasswordHash, AccountError> {
        let password = Password::new(password)?;
        self.policy.check(&password, email)?;
        Ok(self.hasher.hash(&password)?)
    }
}

impl fmt::Debug for Accounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Accounts")
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}
