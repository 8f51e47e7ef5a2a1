use std::sync::Arc;

use tenantry_domain::{
    Actor, Email, Permission, Permissions, Principal, RequestOrigin, Role, SessionId, Tenant, TenantScope,
    User, UserId,
};

use super::memory::{Seen, Who};
use super::{Credential, ResolveError};

/// A user or an API key whose credential is good now.
#[derive(Debug, Clone)]
pub struct Caller {
    pub(super) seen: Arc<Seen>,
    pub(super) credential: Credential,
    pub(super) actor: Actor,
}

impl Caller {
    pub(super) fn new(seen: Arc<Seen>, credential: &Credential, origin: &RequestOrigin) -> Self {
        let principal = match &seen.who {
            Who::User(known) => Principal::User(known.user.id),
            Who::ApiKey(key) => Principal::ApiKey(key.id),
        };
        Self {
            actor: Actor {
                principal,
                origin: origin.clone(),
            },
            seen,
            credential: credential.clone(),
        }
    }

    /// Who it is.
    pub fn principal(&self) -> Principal {
        self.actor.principal
    }

    /// Who it is, and by which request.
    pub fn actor(&self) -> &Actor {
        &self.actor
    }

    /// The id under which the caller owns conversations and is counted in usage: a user's, or an API key's.
    pub fn owner(&self) -> UserId {
        match &self.seen.who {
            Who::User(known) => known.user.id,
            Who::ApiKey(key) => UserId::from_uuid(key.id.as_uuid()),
        }
    }

    /// The user as read from the store; `None` for an API key.
    pub fn user(&self) -> Option<&User> {
        match &self.seen.who {
            Who::User(known) => Some(&known.user),
            Who::ApiKey(_) => None,
        }
    }

    /// The tenant in which the caller acts, when there is one and it is active.
    pub fn tenant(&self) -> Option<&Arc<Tenant>> {
        let tenant = self.seen.tenant.as_ref().filter(|tenant| tenant.is_active)?;
        let is_own = match &self.credential {
            Credential::Token(claims) => claims.tenant.as_ref() == Some(&tenant.id),
            Credential::Identity(identity) => identity.tenant == tenant.id,
            Credential::ApiKey(_) => true,
        };
        is_own.then_some(tenant)
    }

    /// What the caller may do in that tenant; nothing without one.
    pub fn permissions(&self) -> Permissions {
        let Some(tenant) = self.tenant() else {
            return Permissions::default();
        };
        match &self.seen.who {
            Who::User(known) => known.user.role.permissions(tenant.ingesters),
            Who::ApiKey(key) => key.permissions,
        }
    }

    pub(super) fn scope(&self, permission: Permission) -> Result<TenantScope, ResolveError> {
        let tenant = self.tenant().ok_or(ResolveError::TenantForbidden)?;
        if !self.permissions().has(permission) {
            return Err(ResolveError::PermissionRequired(permission));
        }
        let scope = tenant.activate(self.actor.clone());
        scope.map_err(|_| ResolveError::TenantForbidden)
    }

    pub(super) fn superuser(&self) -> Result<Superuser, ResolveError> {
        let is_own_token = matches!(self.credential, Credential::Token(_));
        if is_own_token && self.user().is_some_and(|user| user.is_superuser) {
            return Ok(Superuser {
                actor: self.actor.clone(),
            });
        }
        Err(ResolveError::NotSuperuser)
    }

    pub(super) fn tenant_admin(&self) -> Result<TenantAdmin, ResolveError> {
        Ok(TenantAdmin {
            email: self.user().map(|user| user.email.clone()),
            role: self.user().map(|user| user.role),
            permissions: self.permissions(),
            scope: self.scope(Permission::Admin)?,
        })
    }

    pub(super) fn account_holder(&self) -> Result<AccountHolder, ResolveError> {
        Ok(AccountHolder {
            user: self.user().ok_or(ResolveError::UserRequired)?.clone(),
            session: match &self.credential {
                Credential::Token(claims) => claims.session,
                Credential::ApiKey(_) | Credential::Identity(_) => None,
            },
            actor: self.actor.clone(),
        })
    }
}

/// Proof that the caller manages the platform; the administrative use cases ask for it.
#[derive(Debug)]
pub struct Superuser {
    actor: Actor,
}

impl Superuser {
    /// The one who runs the process: whoever can start it on the database needs no token.
    pub fn operator() -> Self {
        Self {
            actor: Actor::of(Principal::Operator),
        }
    }

    /// Who it is, and by which request.
    pub fn actor(&self) -> &Actor {
        &self.actor
    }
}

/// Proof that the caller may manage one active tenant, with that tenant's scope.
#[derive(Debug)]
pub struct TenantAdmin {
    email: Option<Email>,
    role: Option<Role>,
    permissions: Permissions,
    scope: TenantScope,
}

impl TenantAdmin {
    /// Who it is, and by which request.
    pub fn actor(&self) -> &Actor {
        self.scope.actor()
    }

    /// The address of the user; `None` for an API key.
    pub fn email(&self) -> Option<&Email> {
        self.email.as_ref()
    }

    /// The user's role; `None` for an API key.
    pub fn role(&self) -> Option<Role> {
        self.role
    }

    /// All that the caller may do there: nobody gives to others what they have not themselves.
    pub fn permissions(&self) -> Permissions {
        self.permissions
    }

    /// The scope of the tenant.
    pub fn scope(&self) -> &TenantScope {
        &self.scope
    }
}

/// Proof that the caller is a user, and which: for what is a user's own, in a tenant or without one.
#[derive(Debug)]
pub struct AccountHolder {
    user: User,
    session: Option<SessionId>,
    actor: Actor,
}

impl AccountHolder {
    /// The user as read from the store.
    pub fn user(&self) -> &User {
        &self.user
    }

    /// The session that the request's token is of.
    pub fn session(&self) -> Option<SessionId> {
        self.session
    }

    /// Who it is, and by which request.
    pub fn actor(&self) -> &Actor {
        &self.actor
    }
}
