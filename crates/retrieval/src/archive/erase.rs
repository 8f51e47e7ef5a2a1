use std::fmt;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use tenantry_crypto::ReceiptSigner;
use tenantry_domain::{Clock, Generation, JobState, Page, TenantId, TenantScope};
use tenantry_tenant_store::{
    JobFilter, JobStore, StoreError, TenantChange, TenantEraseStore, TenantStore, UserChange, UserFilter,
    UserStore,
};

use super::Receipt;
use crate::{CollectionError, Collections, Resolver, Superuser};

/// Why a tenant was not erased, or not wholly. The same call again goes on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EraseError {
    /// There is no tenant of that id, nor was there one.
    #[error("there is no tenant of that id")]
    UnknownTenant,
    /// What the tenant has in a vector store could not be removed.
    #[error("the tenant's vectors could not be removed")]
    Vectors(#[from] CollectionError),
    /// All is gone, and what the rows left behind in the files could not be overwritten yet.
    #[error("the tenant is erased, and the database is too busy to overwrite what that left in its files")]
    NotVacuumed(#[source] StoreError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// How long an erasure waits for others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErasePatience {
    /// How long other servers may go on as if the tenant were active.
    pub remembered: Duration,
    /// How long a worker may hold a job of the tenant.
    pub leases: Duration,
    /// How long it waits between two looks.
    pub look: Duration,
}

impl Default for ErasePatience {
    /// A second and a little more, 35 seconds, and a fifth of a second.
    fn default() -> Self {
        Self {
            remembered: Duration::from_millis(1_200),
            leases: Duration::from_secs(35),
            look: Duration::from_millis(200),
        }
    }
}

/// What becomes of what a tenant has in a Pinecone index of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RemoteVectors {
    /// It is removed.
    #[default]
    Remove,
    /// It is left there: the key does not work any more, or the index is gone.
    Leave,
}

/// What an erasure works with.
pub struct EraseParts {
    /// Deactivates the tenant.
    pub tenants: Arc<dyn TenantStore>,
    /// Lets superusers leave it.
    pub users: Arc<dyn UserStore>,
    /// Ends its jobs.
    pub jobs: Arc<dyn JobStore>,
    /// Removes its rows.
    pub store: Arc<dyn TenantEraseStore>,
    /// Finds its vectors.
    pub collections: Arc<Collections>,
    /// Opens the tenant that is not active any more.
    pub resolver: Arc<Resolver>,
    /// Signs the receipt.
    pub signer: Arc<dyn ReceiptSigner>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// Erases tenants: every row, vector, file, job and key.
///
/// Killed at any point and called again, it goes on; called once more after that, it gives the same receipt.
pub struct Eraser {
    parts: EraseParts,
    patience: ErasePatience,
}

/// How many rows go in one step.
const ROWS: u32 = 1_000;

impl Eraser {
    /// An eraser that waits for others that long.
    pub fn new(parts: EraseParts, patience: ErasePatience) -> Self {
        Self { parts, patience }
    }

    /// Erases the tenant and gives the receipt. `on_progress` is told how many rows have gone so far.
    ///
    /// # Errors
    /// [`EraseError::UnknownTenant`] when there is none of that id and none was erased; else when a store fails.
    pub fn erase(
        &self,
        superuser: &Superuser,
        tenant: &TenantId,
        remote: RemoteVectors,
        on_progress: &mut dyn FnMut(u64),
    ) -> Result<Receipt, EraseError> {
        if let Some(scope) = self.parts.resolver.keeping_scope(superuser, tenant)? {
            self.quiet(superuser, &scope)?;
            self.remove(superuser, &scope, remote, on_progress)?;
        }
        let erased = self.parts.store.erased_tenant(tenant)?;
        let erased = erased.ok_or(EraseError::UnknownTenant)?;
        self.parts.store.vacuum().map_err(EraseError::NotVacuumed)?;
        Ok(Receipt::of(tenant, &erased, self.parts.signer.as_ref()))
    }

    /// Sees to it that nobody works with the tenant any more.
    fn quiet(&self, superuser: &Superuser, scope: &TenantScope) -> Result<(), EraseError> {
        let change = TenantChange {
            is_active: Some(false),
            actor: superuser.actor().clone(),
            ..TenantChange::default()
        };
        let now = self.parts.clock.now();
        self.parts.tenants.update_tenant(scope.id(), &change, now)?;
        self.parts.resolver.forget();
        thread::sleep(self.patience.remembered);
        self.release_superusers(superuser, scope)?;
        self.end_jobs(scope)
    }

    /// A superuser is the platform's, and stays.
    fn release_superusers(&self, superuser: &Superuser, scope: &TenantScope) -> Result<(), EraseError> {
        let filter = UserFilter {
            tenant: Some(scope.id().clone()),
            ..UserFilter::default()
        };
        let mut page = Page::new(Page::MAX_LIMIT, 0).ok();
        let mut found = Vec::new();
        while let Some(current) = page {
            let users = self.parts.users.users(&filter, current)?;
            page = current.next().filter(|_| !users.items.is_empty());
            found.extend(
                users
                    .items
                    .into_iter()
                    .filter(|user| user.is_superuser)
                    .map(|user| user.id),
            );
        }
        let leaves = UserChange {
            tenant: Some(None),
            end_sessions: true,
            actor: superuser.actor().clone(),
            ..UserChange::default()
        };
        for user in found {
            self.parts
                .users
                .update_user(user, &leaves, self.parts.clock.now())?;
        }
        Ok(())
    }

    /// Asks for the end of every job that a worker has, and waits for it: what a worker is at would come after what is removed.
    fn end_jobs(&self, scope: &TenantScope) -> Result<(), EraseError> {
        let running = JobFilter {
            state: Some(JobState::Running),
            document: None,
        };
        let begun = Instant::now();
        loop {
            let jobs = self.parts.jobs.jobs(scope, &running, Page::default())?.items;
            if jobs.is_empty() || begun.elapsed() >= self.patience.leases {
                return Ok(());
            }
            for job in jobs {
                self.parts
                    .jobs
                    .cancel_job(scope, job.id, self.parts.clock.now())?;
            }
            thread::sleep(self.patience.look);
        }
    }

    fn remove(
        &self,
        superuser: &Superuser,
        scope: &TenantScope,
        remote: RemoteVectors,
        on_progress: &mut dyn FnMut(u64),
    ) -> Result<(), EraseError> {
        let tenant = scope.id();
        let mut generations = self.parts.store.generations(tenant)?;
        if generations.is_empty() {
            generations.push(Generation::FIRST);
        }
        let clear = || {
            let with_remote = remote == RemoteVectors::Remove;
            self.parts.collections.erase(scope, &generations, with_remote)
        };
        clear()?;
        let mut removed = 0;
        loop {
            match self.parts.store.erase_some(tenant, ROWS)? {
                0 => break,
                rows => removed += rows,
            }
            on_progress(removed);
        }
        // What a worker that was lost wrote meanwhile; now it finds no job to go on with.
        clear()?;
        let now = self.parts.clock.now();
        self.parts.store.finish_erasure(tenant, superuser.actor(), now)?;
        self.parts.resolver.forget();
        Ok(())
    }
}

impl fmt::Debug for Eraser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Eraser")
            .field("patience", &self.patience)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for EraseParts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EraseParts").finish_non_exhaustive()
    }
}
