use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tenantry_domain::{AccessClaims, Clock, Tenant, TenantId, TenantScope, Timestamp, User, UserId};
use tenantry_tenant_store::{StoreError, TenantStore, UserStore};

/// How long what was read of a caller may be used again, in microseconds.
const FRESH_MICROS: i64 = 1_000_000;
/// How many callers are remembered at most.
const MAX_REMEMBERED: usize = 10_000;

/// Why a caller was not let in.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ResolveError {
    /// The credential names nobody who may log in now; which rule it broke is not for the caller to know.
    #[error("the credential is no longer valid")]
    Unauthenticated,
    /// The caller has no tenant, or one that does not exist or is not active; the three look the same.
    #[error("the tenant may not be used")]
    TenantForbidden,
    /// The caller is not a superuser.
    #[error("the caller is not a superuser")]
    NotSuperuser,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Somebody whose credential was verified and who may log in now.
#[derive(Debug, Clone)]
pub struct Caller {
    seen: Arc<Seen>,
    claims: AccessClaims,
}

impl Caller {
    /// The user as read from the store.
    pub fn user(&self) -> &User {
        &self.seen.user
    }
}

/// Proof that the caller manages the platform; the administrative use cases ask for it.
#[derive(Debug)]
pub struct Superuser(());

impl Superuser {
    /// The one who runs the process: whoever can start it on the database needs no token.
    pub fn operator() -> Self {
        Self(())
    }
}

/// What was read of a caller in one step.
#[derive(Debug)]
struct Seen {
    user: User,
    tenant: Option<Arc<Tenant>>,
    at: Timestamp,
}

/// Resolves verified claims to a caller, a superuser, or the scope of one active tenant.
///
/// What it reads may be used again for one second. A refusal is never decided from memory, so that a right given in the
/// database works at once; a right taken there ends within the second, and one taken through this process at once.
pub struct Resolver {
    users: Arc<dyn UserStore>,
    tenants: Arc<dyn TenantStore>,
    clock: Arc<dyn Clock>,
    remembered: Mutex<Remembered>,
}

#[derive(Default)]
struct Remembered {
    callers: HashMap<UserId, Arc<Seen>>,
    /// Raised by every `forget`, so that a read begun before it is not remembered after it.
    generation: u64,
}

impl Resolver {
    /// A resolver that reads these stores.
    pub fn new(users: Arc<dyn UserStore>, tenants: Arc<dyn TenantStore>, clock: Arc<dyn Clock>) -> Self {
        Self {
            users,
            tenants,
            clock,
            remembered: Mutex::default(),
        }
    }

    /// Who the bearer of a verified token is now.
    ///
    /// # Errors
    /// [`ResolveError::Unauthenticated`] when the user does not exist, is not active, has ended the token's session or
    /// moved to another tenant; [`ResolveError::TenantForbidden`] when the user's tenant is not active and the user is
    /// no superuser; else when the store fails.
    pub fn caller(&self, claims: &AccessClaims) -> Result<Caller, ResolveError> {
        if let Some(seen) = self.recall(claims.user)
            && let Ok(caller) = admit(seen, claims)
        {
            return Ok(caller);
        }
        admit(
            self.read(claims.user)?.ok_or(ResolveError::Unauthenticated)?,
            claims,
        )
    }

    /// The scope of the caller's own tenant.
    ///
    /// # Errors
    /// [`ResolveError::TenantForbidden`] when the caller has no active tenant, or the token names another one; else
    /// when the store fails.
    pub fn scope(&self, caller: &Caller) -> Result<TenantScope, ResolveError> {
        scope_of(&caller.seen, &caller.claims).or_else(|_| {
            let seen = self
                .read(caller.seen.user.id)?
                .ok_or(ResolveError::Unauthenticated)?;
            scope_of(&seen, &caller.claims)
        })
    }

    /// Proof that the caller is a superuser.
    ///
    /// # Errors
    /// [`ResolveError::NotSuperuser`] when the caller is none; else when the store fails.
    pub fn superuser(&self, caller: &Caller) -> Result<Superuser, ResolveError> {
        if caller.seen.user.is_superuser {
            return Ok(Superuser(()));
        }
        let seen = self
            .read(caller.seen.user.id)?
            .ok_or(ResolveError::Unauthenticated)?;
        if seen.user.is_superuser && seen.user.is_active {
            Ok(Superuser(()))
        } else {
            Err(ResolveError::NotSuperuser)
        }
    }

    /// The scope of a tenant that the operator of the process names.
    ///
    /// # Errors
    /// [`ResolveError::TenantForbidden`] when the tenant does not exist or is not active; else when the store fails.
    pub fn operator_scope(&self, _: &Superuser, id: &TenantId) -> Result<TenantScope, ResolveError> {
        let tenant = self.tenants.tenant(id)?.ok_or(ResolveError::TenantForbidden)?;
        Arc::new(tenant)
            .activate()
            .map_err(|_| ResolveError::TenantForbidden)
    }

    /// Forgets what was read, because this process has just changed it.
    pub fn forget(&self) {
        let mut remembered = self.lock();
        remembered.callers.clear();
        remembered.generation += 1;
    }

    fn recall(&self, id: UserId) -> Option<Arc<Seen>> {
        let now = self.clock.now().unix_micros();
        let seen = self.lock().callers.get(&id).cloned()?;
        // An age below zero means that the clock was set back: read again.
        (0..FRESH_MICROS)
            .contains(&(now - seen.at.unix_micros()))
            .then_some(seen)
    }

    fn read(&self, id: UserId) -> Result<Option<Arc<Seen>>, StoreError> {
        let at = self.clock.now();
        let generation = self.lock().generation;
        let access = self.users.access(id)?;
        let seen = access.map(|access| {
            Arc::new(Seen {
                user: access.user,
                tenant: access.tenant.map(Arc::new),
                at,
            })
        });
        let mut remembered = self.lock();
        if remembered.callers.len() >= MAX_REMEMBERED {
            remembered.callers.clear();
        }
        match &seen {
            Some(seen) if remembered.generation == generation => {
                remembered.callers.insert(id, seen.clone());
            }
            _ => {
                remembered.callers.remove(&id);
            }
        }
        Ok(seen)
    }

    fn lock(&self) -> MutexGuard<'_, Remembered> {
        self.remembered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resolver").finish_non_exhaustive()
    }
}

fn admit(seen: Arc<Seen>, claims: &AccessClaims) -> Result<Caller, ResolveError> {
    let user = &seen.user;
    if !user.is_active || user.token_version != claims.token_version {
        return Err(ResolveError::Unauthenticated);
    }
    if !user.is_superuser {
        if user.tenant != claims.tenant {
            return Err(ResolveError::Unauthenticated);
        }
        if user.tenant.is_some() && !seen.tenant.as_ref().is_some_and(|tenant| tenant.is_active) {
            return Err(ResolveError::TenantForbidden);
        }
    }
    Ok(Caller {
        seen,
        claims: claims.clone(),
    })
}

fn scope_of(seen: &Seen, claims: &AccessClaims) -> Result<TenantScope, ResolveError> {
    let tenant = seen
        .tenant
        .as_ref()
        .filter(|tenant| claims.tenant.as_ref() == Some(&tenant.id));
    tenant
        .ok_or(ResolveError::TenantForbidden)?
        .activate()
        .map_err(|_| ResolveError::TenantForbidden)
}
