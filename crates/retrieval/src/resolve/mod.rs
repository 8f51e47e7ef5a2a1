//! From a verified credential to what it may do: the one way into a tenant's data.

mod admit;
mod caller;
mod credential;
mod memory;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tenantry_domain::{
    Actor, BoxError, Clock, Permission, RequestOrigin, SessionId, Tenant, TenantId, TenantScope, Timestamp,
    TokenHash, UserId,
};
use tenantry_tenant_store::{ApiKeyStore, ClaimedJob, StoreError, TenantStore, UserStore};

pub use self::caller::{AccountHolder, Caller, Superuser, TenantAdmin};
pub use self::credential::{AdmittedIdentity, Credential, IdentityGate, NoIdentities};
use self::memory::{KnownUser, Memory, Seen, Who};

/// How seldom the use of an API key is noted.
const NOTED: Duration = Duration::from_mins(1);

/// Why a caller was not let in.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ResolveError {
    /// The credential names nobody who may use it now; which rule it broke is not for the caller to know.
    #[error("the credential is no longer valid")]
    Unauthenticated,
    /// The caller has no tenant, or one that does not exist or is not active; the three look the same.
    #[error("the tenant may not be used")]
    TenantForbidden,
    /// The caller is not a superuser.
    #[error("the caller is not a superuser")]
    NotSuperuser,
    /// The caller may not do this in the tenant.
    #[error("the caller lacks the permission `{0}`")]
    PermissionRequired(Permission),
    /// This is for users, and the caller is an API key.
    #[error("the caller is not a user")]
    UserRequired,
    /// The identity provider's keys are needed, and cannot be had now.
    #[error("the identity provider could not be asked")]
    Provider(#[source] BoxError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Resolves credentials to callers, and callers to the proofs that the use cases ask for: a scope with one permission, a tenant
/// admin, a superuser, the holder of an account.
///
/// What it reads may be used again for one second. A refusal is never decided from memory, so that a right given in the
/// database works at once; a right or session ended there ends within the second, and one ended through this process at once.
pub struct Resolver {
    users: Arc<dyn UserStore>,
    tenants: Arc<dyn TenantStore>,
    keys: Option<Arc<dyn ApiKeyStore>>,
    clock: Arc<dyn Clock>,
    memory: Memory,
}

impl Resolver {
    /// A resolver that reads these stores, and knows no API keys.
    pub fn new(users: Arc<dyn UserStore>, tenants: Arc<dyn TenantStore>, clock: Arc<dyn Clock>) -> Self {
        Self {
            users,
            tenants,
            keys: None,
            clock,
            memory: Memory::default(),
        }
    }

    /// The same with the API keys in `keys`.
    #[must_use]
    pub fn with_api_keys(mut self, keys: Arc<dyn ApiKeyStore>) -> Self {
        self.keys = Some(keys);
        self
    }

    /// Who the bearer of a credential is now; what they do is entered in the audit log as coming from `origin`.
    ///
    /// # Errors
    /// [`ResolveError::Unauthenticated`] when there is no such user or key, it may not be used, the token's session or the identity's
    /// token has ended, or the user moved to another tenant; [`ResolveError::TenantForbidden`] when the tenant is not active and the
    /// bearer is no superuser; else when the store fails.
    pub fn caller(&self, credential: &Credential, origin: &RequestOrigin) -> Result<Caller, ResolveError> {
        let now = self.clock.now();
        if let Some(seen) = self.memory.recall(credential.into(), now)
            && let Ok(()) = admit::admit(&seen, credential, now)
        {
            return Ok(Caller::new(seen, credential, origin));
        }
        self.caller_from_store(credential, origin)
    }

    /// The tenant of a credential that was let in within the last second, without a look at the store; for a log line or a share of a
    /// machine, never for access.
    pub fn remembered_tenant(&self, credential: &Credential) -> Option<TenantId> {
        let seen = self.memory.recall(credential.into(), self.clock.now())?;
        seen.tenant.as_ref().map(|tenant| tenant.id.clone())
    }

    /// The scope of the caller's own tenant, for what needs `permission`.
    ///
    /// # Errors
    /// [`ResolveError::TenantForbidden`] when the caller has no active tenant, or the token names another one;
    /// [`ResolveError::PermissionRequired`] when the caller has one, and not the permission; else as [`Resolver::caller`].
    pub fn scope(&self, caller: &Caller, permission: Permission) -> Result<TenantScope, ResolveError> {
        self.twice(caller, |caller| caller.scope(permission))
    }

    /// Proof that the caller may manage their own tenant.
    ///
    /// # Errors
    /// As [`Resolver::scope`].
    pub fn tenant_admin(&self, caller: &Caller) -> Result<TenantAdmin, ResolveError> {
        self.twice(caller, Caller::tenant_admin)
    }

    /// Proof that the caller is a superuser with a token of ours: neither API keys nor identity providers speak for the platform.
    ///
    /// # Errors
    /// [`ResolveError::NotSuperuser`] when the caller is none; else as [`Resolver::caller`].
    pub fn superuser(&self, caller: &Caller) -> Result<Superuser, ResolveError> {
        self.twice(caller, Caller::superuser)
    }

    /// Proof that the caller is a user.
    ///
    /// # Errors
    /// [`ResolveError::UserRequired`] when the caller is an API key.
    pub fn account_holder(&self, caller: &Caller) -> Result<AccountHolder, ResolveError> {
        caller.account_holder()
    }

    /// The scope of a tenant that the operator of the process names.
    ///
    /// # Errors
    /// [`ResolveError::TenantForbidden`] when the tenant does not exist or is not active; else when the store fails.
    pub fn operator_scope(&self, operator: &Superuser, id: &TenantId) -> Result<TenantScope, ResolveError> {
        let scope = self.active(id, operator.actor().clone())?;
        scope.ok_or(ResolveError::TenantForbidden)
    }

    /// The scope of a tenant that the operator of the process names, active or not: for filling it before it is used and for erasing it
    /// after. `None` when there is none of that id.
    ///
    /// # Errors
    /// When the store fails.
    pub(crate) fn keeping_scope(
        &self,
        operator: &Superuser,
        id: &TenantId,
    ) -> Result<Option<TenantScope>, StoreError> {
        let tenant = self.tenants.tenant(id)?.map(|tenant| Tenant {
            is_active: true,
            ..tenant
        });
        Ok(tenant.and_then(|tenant| Arc::new(tenant).activate(operator.actor().clone()).ok()))
    }

    /// The scope of the tenant whose job a worker has claimed: somebody had handed it in, and the claim proves that it is
    /// there. `None` when the tenant was deactivated since.
    ///
    /// # Errors
    /// When the store fails.
    pub fn job_scope(&self, claimed: &ClaimedJob) -> Result<Option<TenantScope>, StoreError> {
        self.active(&claimed.tenant, Actor::system())
    }

    /// Forgets what was read, because this process has just changed it.
    pub fn forget(&self) {
        self.memory.forget();
    }

    fn active(&self, id: &TenantId, actor: Actor) -> Result<Option<TenantScope>, StoreError> {
        let tenant = self.tenants.tenant(id)?.map(Arc::new);
        Ok(tenant.and_then(|tenant| tenant.activate(actor).ok()))
    }

    /// What `of` finds of the caller, or of the caller as the store knows them at this moment, when they may still come in.
    fn twice<T>(
        &self,
        caller: &Caller,
        of: impl Fn(&Caller) -> Result<T, ResolveError>,
    ) -> Result<T, ResolveError> {
        of(caller).or_else(|_| {
            let again = self.caller_from_store(&caller.credential, &caller.actor.origin)?;
            of(&again)
        })
    }

    fn caller_from_store(
        &self,
        credential: &Credential,
        origin: &RequestOrigin,
    ) -> Result<Caller, ResolveError> {
        let seen = self.read(credential)?.ok_or(ResolveError::Unauthenticated)?;
        admit::admit(&seen, credential, seen.at)?;
        if let (Credential::ApiKey(hash), Who::ApiKey(key)) = (credential, &seen.who) {
            self.note_use(*hash, key.used_at, seen.at)?;
        }
        Ok(Caller::new(seen, credential, origin))
    }

    fn read(&self, credential: &Credential) -> Result<Option<Arc<Seen>>, StoreError> {
        let reading = self.memory.begin(credential.into(), self.clock.now());
        let at = reading.at();
        let seen = match credential {
            Credential::Token(claims) => self.read_user(claims.user, claims.session, at)?,
            Credential::Identity(identity) => self.read_user(identity.user, None, at)?,
            Credential::ApiKey(hash) => self.read_key(*hash, at)?,
        };
        Ok(self.memory.keep(&reading, seen))
    }

    fn read_user(
        &self,
        id: UserId,
        session: Option<SessionId>,
        at: Timestamp,
    ) -> Result<Option<Seen>, StoreError> {
        let access = self.users.access(id, session, at)?;
        Ok(access.map(|access| Seen {
            who: Who::User(KnownUser {
                user: access.user,
                session_is_live: access.session_is_live,
                sessions_ended_at: access.sessions_ended_at,
            }),
            tenant: access.tenant.map(Arc::new),
            at,
        }))
    }

    fn read_key(&self, hash: TokenHash, at: Timestamp) -> Result<Option<Seen>, StoreError> {
        let Some(keys) = &self.keys else {
            return Ok(None);
        };
        let access = keys.key_access(hash)?;
        Ok(access.map(|access| Seen {
            who: Who::ApiKey(access.key),
            tenant: Some(Arc::new(access.tenant)),
            at,
        }))
    }

    /// Notes that a key was used, unless that was noted within the last minute.
    fn note_use(&self, hash: TokenHash, noted: Option<Timestamp>, now: Timestamp) -> Result<(), StoreError> {
        let is_recent = |noted: Timestamp| now.since(noted).is_some_and(|age| age < NOTED);
        match &self.keys {
            Some(keys) if !noted.is_some_and(is_recent) => keys.api_key_used(hash, now),
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resolver").finish_non_exhaustive()
    }
}
