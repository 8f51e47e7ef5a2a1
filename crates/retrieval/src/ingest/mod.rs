mod context;
mod error;
mod failure;
mod hold;
mod indexing;
mod options;
mod reading;
mod segments;
mod source;
mod turn;
mod writer;

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;

use tenantry_domain::{BoxError, Cancellation, Clock, Job, TenantId, TenantScope};
use tenantry_extraction::Extractor;
use tenantry_tenant_store::{
    Claim, ClaimedJob, DocumentStore, JobQueue, Settlement, SourceStore, StoreError, UsageStore,
};

pub use error::IndexError;
use hold::Hold;
pub use options::{IngestLimits, IngestOptions};
use turn::Turn;
pub(crate) use writer::{ChunkWriter, Version};

use crate::meter::Meter;
use crate::{Collections, Embedders, Resolver};

/// What a worker works with.
#[derive(Clone)]
pub struct IngestParts {
    /// Where the jobs come from.
    pub queue: Arc<dyn JobQueue>,
    /// Where the text is kept.
    pub documents: Arc<dyn DocumentStore>,
    /// Where the files wait.
    pub sources: Arc<dyn SourceStore>,
    /// Where the chunks go.
    pub collections: Arc<Collections>,
    /// What embeds them.
    pub embedders: Arc<Embedders>,
    /// Where what embedding took is counted.
    pub usage: Arc<dyn UsageStore>,
    /// What reads the files.
    pub extractor: Arc<dyn Extractor>,
    /// Who lets the worker into a tenant.
    pub resolver: Arc<Resolver>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
}

/// Does the jobs on documents; any number of threads and servers may do so at once.
///
/// A job is held under a lease, which a thread beside the work renews, so that a slow file or provider does not lose it. Whoever
/// is killed leaves a lease that ends, and the next worker goes on at the first segment that is not indexed.
///
/// A turn ends when the job does, or at the first segment after [`IngestOptions::slice_segments`] or
/// [`IngestOptions::slice_time`]. Jobs are given out in turns among tenants, so that one tenant's document waits for at most one
/// turn of each worker, however many documents another tenant has: the reading of one file, or one slice of one text.
pub struct Ingestor {
    parts: IngestParts,
    writer: ChunkWriter,
    options: IngestOptions,
}

/// What came of looking for something to do.
#[derive(Debug)]
pub enum Worked {
    /// There is nothing to be done now.
    Idle,
    /// A turn was taken.
    Did {
        /// Whose job it was.
        tenant: TenantId,
        /// The job, as it was when the turn began.
        job: Box<Job>,
        /// How it was given back.
        settled: Settled,
        /// What went wrong, for the log: it may hold what a provider said.
        cause: Option<BoxError>,
    },
    /// The work panicked. Nobody gave the job back, so that it counts as lost: it is tried again once its lease has ended, and
    /// given up after a few times.
    Panicked {
        /// Whose job it was.
        tenant: TenantId,
        /// The job, as it was when the turn began.
        job: Box<Job>,
    },
}

/// How a worker ended its turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settled {
    /// It gave the job back.
    Given(Settlement),
    /// Another worker has the job by now, or it is gone; nothing was changed.
    Lost,
}

impl Ingestor {
    /// A worker.
    pub fn new(parts: IngestParts, options: IngestOptions) -> Self {
        let writer = ChunkWriter::new(
            parts.documents.clone(),
            parts.collections.clone(),
            parts.embedders.clone(),
            Meter::new(parts.usage.clone(), parts.clock.clone()),
        );
        Self {
            parts,
            writer,
            options,
        }
    }

    /// Takes a turn at the next job, of `tenant` alone when one is named. When `stop` is raised, the job is given back at the
    /// next step.
    ///
    /// # Errors
    /// When the record store fails so that the job can neither be found nor given back; then another worker takes it over
    /// once the lease has ended.
    pub fn run_one(&self, tenant: Option<&TenantId>, stop: &Cancellation) -> Result<Worked, StoreError> {
        let now = self.parts.clock.now();
        let claim = Claim {
            tenant: tenant.cloned(),
            now,
            lease_until: now.saturating_add(self.options.lease),
        };
        let Some(claimed) = self.parts.queue.claim(&claim)? else {
            return Ok(Worked::Idle);
        };
        match self.parts.resolver.job_scope(&claimed)? {
            Some(scope) => catch_unwind(AssertUnwindSafe(|| self.take_turn(&scope, &claimed, stop)))
                .unwrap_or_else(|_| {
                    Ok(Worked::Panicked {
                        tenant: claimed.tenant.clone(),
                        job: Box::new(claimed.job.clone()),
                    })
                }),
            // It was deactivated this moment: its jobs wait.
            None => Ok(Worked::Idle),
        }
    }

    fn take_turn(
        &self,
        scope: &TenantScope,
        claimed: &ClaimedJob,
        stop: &Cancellation,
    ) -> Result<Worked, StoreError> {
        let hold = Hold::new(&self.parts, scope, claimed, self.options.lease);
        let (settled, cause) = thread::scope(|threads| {
            let ends = hold.ends_with_this();
            // Without the thread the lease is still renewed at each step.
            drop(thread::Builder::new().spawn_scoped(threads, || hold.keep()));
            let outcome = Turn::new(self, scope, claimed, &hold, stop).take();
            drop(ends);
            outcome
        })?;
        Ok(Worked::Did {
            tenant: claimed.tenant.clone(),
            job: Box::new(claimed.job.clone()),
            settled,
            cause,
        })
    }
}

impl fmt::Debug for Ingestor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ingestor")
            .field("embedders", &self.parts.embedders)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for IngestParts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IngestParts").finish_non_exhaustive()
    }
}
