use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tenantry_domain::{
    AccessClaims, Clock, Email, Role, Tenant, TenantId, TenantScope, Timestamp, User, UserId,
};
use tenantry_tenant_store::{ClaimedJob, StoreError, TenantStore, UserStore};

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
    /// The caller has a tenant, and is not its admin.
    #[error("the caller is not an admin of the tenant")]
    NotTenantAdmin,
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
pub struct Superuser {
    user: Option<UserId>,
}

impl Superuser {
    /// The one who runs the process: whoever can start it on the database needs no token.
    pub fn operator() -> Self {
        Self { user: None }
    }

    /// Which user that is; `None` for the operator.
    pub fn user(&self) -> Option<UserId> {
        self.user
    }
}

/// Proof that the caller is an admin of one active tenant, with that tenant's scope.
#[derive(Debug)]
pub struct TenantAdmin {
    user: UserId,
    email: Email,
    scope: TenantScope,
}

impl TenantAdmin {
    /// Which user that is.
    pub fn user(&self) -> UserId {
        self.user
    }

    /// The address of that user.
    pub fn email(&self) -> &Email {
        &self.email
    }

    /// The scope of the admin's own tenant.
    pub fn scope(&self) -> &TenantScope {
        &self.scope
    }
}

/// Somebody in their own active tenant, by what they may do there.
#[derive(Debug)]
pub enum Membership {
    /// An admin.
    Admin(TenantAdmin),
    /// Anybody else.
    Member {
        /// Which user that is.
        user: UserId,
        /// The scope of the tenant.
        scope: TenantScope,
    },
}

impl Membership {
    /// Which user it is.
    pub fn user(&self) -> UserId {
        match self {
            Self::Admin(admin) => admin.user,
            Self::Member { user, .. } => *user,
        }
    }

    /// What the user may do in the tenant.
    pub fn role(&self) -> Role {
        match self {
            Self::Admin(_) => Role::Admin,
            Self::Member { .. } => Role::Member,
        }
    }

    /// The scope of the tenant.
    pub fn scope(&self) -> &TenantScope {
        match self {
            Self::Admin(admin) => &admin.scope,
            Self::Member { scope, .. } => scope,
        }
    }
}

/// What was read of a caller in one step.
#[derive(Debug)]
struct Seen {
    user: User,
    tenant: Option<Arc<Tenant>>,
    at: Timestamp,
}

/// Resolves verified claims to a caller, a superuser, a tenant admin, or the scope of one active tenant.
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
    /// When those who are no longer fresh were last dropped.
    swept: Option<Timestamp>,
}

impl Seen {
    /// Whether this may be used again; an age below zero means that the clock was set back.
    fn is_fresh(&self, now: Timestamp) -> bool {
        is_recent(self.at, now)
    }
}

fn is_recent(at: Timestamp, now: Timestamp) -> bool {
    (0..FRESH_MICROS).contains(&(now.unix_micros() - at.unix_micros()))
}

impl Remembered {
    /// Drops, once in a while, who is no longer fresh: each holds a tenant with its prompt.
    fn make_room(&mut self, now: Timestamp) {
        if !self.swept.is_some_and(|at| is_recent(at, now)) {
            self.callers.retain(|_, seen| seen.is_fresh(now));
            self.swept = Some(now);
        }
        if self.callers.len() >= MAX_REMEMBERED {
            self.callers.clear();
        }
    }
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
        self.admit_from_store(claims)
    }

    /// The scope of the caller's own tenant.
    ///
    /// # Errors
    /// [`ResolveError::TenantForbidden`] when the caller has no active tenant, or the token names another one; else
    /// as [`Resolver::caller`].
    pub fn scope(&self, caller: &Caller) -> Result<TenantScope, ResolveError> {
        scope_of(caller).or_else(|_| scope_of(&self.again(caller)?))
    }

    /// Proof that the caller is a superuser.
    ///
    /// # Errors
    /// [`ResolveError::NotSuperuser`] when the caller is none; else as [`Resolver::caller`].
    pub fn superuser(&self, caller: &Caller) -> Result<Superuser, ResolveError> {
        if caller.user().is_superuser || self.again(caller)?.user().is_superuser {
            Ok(Superuser {
                user: Some(caller.user().id),
            })
        } else {
            Err(ResolveError::NotSuperuser)
        }
    }

    /// Proof that the caller is an admin of their own tenant, by the role in the store; the token does not say it.
    ///
    /// # Errors
    /// [`ResolveError::NotTenantAdmin`] when the caller is a member; else as [`Resolver::scope`].
    pub fn tenant_admin(&self, caller: &Caller) -> Result<TenantAdmin, ResolveError> {
        match self.membership(caller)? {
            Membership::Admin(admin) => Ok(admin),
            Membership::Member { .. } => Err(ResolveError::NotTenantAdmin),
        }
    }

    /// What the caller may do in their own tenant.
    ///
    /// # Errors
    /// As [`Resolver::scope`].
    pub fn membership(&self, caller: &Caller) -> Result<Membership, ResolveError> {
        let membership = membership_of(caller);
        match membership {
            Ok(Membership::Admin(_)) => membership,
            Ok(Membership::Member { .. }) | Err(_) => membership_of(&self.again(caller)?),
        }
    }

    /// The scope of a tenant that the operator of the process names.
    ///
    /// # Errors
    /// [`ResolveError::TenantForbidden`] when the tenant does not exist or is not active; else when the store fails.
    pub fn operator_scope(&self, _: &Superuser, id: &TenantId) -> Result<TenantScope, ResolveError> {
        self.active(id)
    }

    /// The scope of the tenant whose job a worker has claimed: a member had handed it in, and the claim proves that it is
    /// there.
    ///
    /// # Errors
    /// [`ResolveError::TenantForbidden`] when the tenant was deactivated since; else when the store fails.
    pub fn job_scope(&self, claimed: &ClaimedJob) -> Result<TenantScope, ResolveError> {
        self.active(&claimed.tenant)
    }

    /// Forgets what was read, because this process has just changed it.
    pub fn forget(&self) {
        let mut remembered = self.lock();
        remembered.callers.clear();
        remembered.generation += 1;
    }

    fn active(&self, id: &TenantId) -> Result<TenantScope, ResolveError> {
        let tenant = self.tenants.tenant(id)?.ok_or(ResolveError::TenantForbidden)?;
        Arc::new(tenant)
            .activate()
            .map_err(|_| ResolveError::TenantForbidden)
    }

    /// The caller as the store knows them at this moment, when they may still log in.
    fn again(&self, caller: &Caller) -> Result<Caller, ResolveError> {
        self.admit_from_store(&caller.claims)
    }

    fn admit_from_store(&self, claims: &AccessClaims) -> Result<Caller, ResolveError> {
        let seen = self.read(claims.user)?.ok_or(ResolveError::Unauthenticated)?;
        admit(seen, claims)
    }

    fn recall(&self, id: UserId) -> Option<Arc<Seen>> {
        let now = self.clock.now();
        let seen = self.lock().callers.get(&id).cloned()?;
        seen.is_fresh(now).then_some(seen)
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
        remembered.make_room(at);
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

fn scope_of(caller: &Caller) -> Result<TenantScope, ResolveError> {
    let Caller { seen, claims } = caller;
    let tenant = seen
        .tenant
        .as_ref()
        .filter(|tenant| claims.tenant.as_ref() == Some(&tenant.id));
    tenant
        .ok_or(ResolveError::TenantForbidden)?
        .activate()
        .map_err(|_| ResolveError::TenantForbidden)
}

/// The role stands beside the tenant that it is for: both are of one read.
fn membership_of(caller: &Caller) -> Result<Membership, ResolveError> {
    let (user, scope) = (caller.user(), scope_of(caller)?);
    Ok(match user.role {
        Role::Admin => Membership::Admin(TenantAdmin {
            user: user.id,
            email: user.email.clone(),
            scope,
        }),
        Role::Member => Membership::Member { user: user.id, scope },
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tenantry_domain::ManualClock;
    use tenantry_tenant_store::MemoryStore;

    use super::*;

    #[test]
    fn whoever_stays_away_for_a_second_is_not_kept_in_memory() {
        let clock = Arc::new(ManualClock::new(Timestamp::from_unix_micros(0).unwrap()));
        let store = Arc::new(MemoryStore::new());
        let resolver = Resolver::new(store.clone(), store.clone(), clock.clone());
        let claims = |name: &str| {
            let user = User {
                id: UserId::generate(clock.now()),
                email: Email::parse(&format!("{name}@example.org")).unwrap(),
                password_hash: None,
                is_superuser: false,
                is_active: true,
                tenant: None,
                role: Role::default(),
                token_version: 0,
                created_at: clock.now(),
                updated_at: clock.now(),
            };
            store.create_user(&user).unwrap();
            AccessClaims {
                user: user.id,
                tenant: None,
                token_version: 0,
            }
        };
        let callers = ["ada", "bo", "cy"].map(claims);
        for claims in &callers {
            resolver.caller(claims).unwrap();
        }
        assert_eq!(resolver.lock().callers.len(), 3);
        clock.advance(Duration::from_secs(1));
        resolver.caller(&callers[0]).unwrap();
        assert_eq!(resolver.lock().callers.len(), 1);
    }
}
