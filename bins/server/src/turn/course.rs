use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use actix_web::web::Data;
use futures_util::future::{Either, select};
use tenantry_domain::TenantId;
use tokio::time::{sleep, timeout};

use super::halt::{Cause, Halt};
use super::{Ending, Outlet, Phases};
use crate::error::{ApiError, Code};
use crate::extract::{Chat, CurrentTenant, Resolved};
use crate::limits::HttpSettings;
use crate::offload::{Class, OffloadError, Permit, Presence, Seat};

/// How long a phase waits for its permit: when many answers begin together, the last of them waits for all others.
const PATIENCE: Duration = Duration::from_secs(15);

/// A turn on its way through the phases.
pub(super) struct Course<T: Phases> {
    pub(super) work: Shared<T>,
    pub(super) tenant: CurrentTenant<Chat>,
    pub(super) halt: Halt,
    pub(super) settings: Data<HttpSettings>,
    pub(super) request_id: String,
    /// Of the stream, for the whole turn.
    pub(super) permit: Permit,
    pub(super) _presence: Presence,
}

/// What the phases work on. Whatever happens to a thread, it is there for the next.
pub(super) struct Shared<T: Phases>(Arc<Mutex<Work<T>>>);

pub(super) struct Work<T: Phases> {
    turn: T,
    outlet: Outlet<T>,
}

/// A turn that has begun.
pub(super) struct Begun {
    asker: Resolved,
    _seat: Seat,
}

/// Why there is no answer, and what was kept of it.
pub(super) struct Broken<A> {
    pub(super) error: ApiError,
    /// `None` when it could not be settled.
    pub(super) kept: Option<A>,
}

impl<T: Phases> Course<T> {
    /// The first phase; when it fails, nothing has happened.
    pub(super) async fn begin(&self) -> Result<Begun, ApiError> {
        self.try_begin()
            .await
            .map_err(|error| match self.halt.take_cause() {
                Some(Cause::Failed(cause)) => cause,
                Some(Cause::Left) | None => error,
            })
    }

    async fn try_begin(&self) -> Result<Begun, ApiError> {
        let permit = self.tenant.offload().permit_unqueued(Class::Store);
        let permit = self.in_time(permit).await?;
        let (work, seats) = (self.work.clone(), self.tenant.offload().seats().clone());
        let beginning = self.tenant.run_phase(permit, move |app, asker| {
            let turn = &mut work.lock().turn;
            let terms = turn.terms(app, &asker);
            let seat = seats.take(asker.scope().id(), asker.owner(), terms.caps)?;
            turn.begin(app, &asker)?;
            Ok((Begun { asker, _seat: seat }, terms.on_leave))
        });
        let (begun, on_leave) = beginning.await?;
        self.halt.begin(on_leave);
        Ok(begun)
    }

    /// The other phases, of which the last is never left out.
    pub(super) async fn go_on(&self, begun: Begun) -> Result<T::Answer, Broken<T::Answer>> {
        let made = self.make(begun.asker.scope().id()).await;
        let (ending, error) = match (made, self.halt.take_cause()) {
            (Ok(()), _) => (Ending::Complete, None),
            (Err(_), Some(Cause::Left)) => (Ending::Left, Some(ApiError::new(Code::Cancelled))),
            (Err(_), Some(Cause::Failed(error))) | (Err(error), None) => (Ending::Failed, Some(error)),
        };
        let Begun { asker, _seat } = begun;
        let settled = self.settle(asker, ending).await;
        self.halt.end();
        match error {
            None => settled.map_err(Broken::from),
            // The client is told of the first failure; that the rest could not be kept is for the log.
            Some(error) => {
                let kept = settled.inspect_err(|unsettled| self.report(unsettled)).ok();
                Err(Broken { error, kept })
            }
        }
    }

    /// Ends the stream.
    pub(super) fn end(&self, answer: Result<T::Answer, Broken<T::Answer>>) {
        if let Err(broken) = &answer {
            self.report(&broken.error);
        }
        self.work.lock().outlet.end(answer);
    }

    async fn make(&self, tenant: &TenantId) -> Result<(), ApiError> {
        self.retrieve(tenant).await?;
        self.speak().await
    }

    async fn retrieve(&self, tenant: &TenantId) -> Result<(), ApiError> {
        let permit = self.tenant.offload().upstream_unqueued(tenant);
        let permit = self.in_time(permit).await?;
        let work = self.work.clone();
        let retrieving = self.tenant.run_phase(permit, move |app, asker| {
            let Work { turn, outlet } = &mut *work.lock();
            turn.retrieve(app, &asker, outlet)
        });
        retrieving.await
    }

    async fn speak(&self) -> Result<(), ApiError> {
        if self.halt.is_raised() {
            return Err(ApiError::new(Code::Cancelled));
        }
        // Whether it speaks is decided once, by the thread that begins or by the one who waits for that in vain.
        let (work, is_decided) = (self.work.clone(), Arc::new(AtomicBool::new(false)));
        let decided = is_decided.clone();
        let speaking = self.tenant.offload().run_with(self.permit.clone(), move |app| {
            if decided.swap(true, Ordering::AcqRel) {
                return Err(OffloadError::Busy.into());
            }
            let Work { turn, outlet } = &mut *work.lock();
            turn.speak(app, outlet)
        });
        // A machine may have fewer threads than there are permits.
        match select(pin!(speaking), pin!(sleep(self.settings.permits.wait))).await {
            Either::Left((spoken, _)) => spoken?,
            Either::Right(((), speaking)) if is_decided.swap(true, Ordering::AcqRel) => speaking.await?,
            Either::Right(_) => Err(OffloadError::Busy.into()),
        }
    }

    async fn settle(&self, asker: Resolved, ending: Ending) -> Result<T::Answer, ApiError> {
        let offload = self.tenant.offload();
        let permit = offload.permit_unqueued(Class::Store).await?;
        let work = self.work.clone();
        let settling = offload.run_with(permit, move |app| work.lock().turn.settle(app, &asker, ending));
        settling.await?
    }

    fn report(&self, error: &ApiError) {
        let tenant = self.tenant.id().ok().map(TenantId::as_str);
        error.report(&self.request_id, tenant);
    }

    /// The permit for the next phase, unless the turn is to stop.
    async fn in_time(
        &self,
        permit: impl Future<Output = Result<Permit, OffloadError>>,
    ) -> Result<Permit, ApiError> {
        let permit = pin!(timeout(PATIENCE, permit));
        match select(pin!(self.halt.raised()), permit).await {
            Either::Left(_) => Err(ApiError::new(Code::Cancelled)),
            Either::Right((permit, _)) => Ok(permit.map_err(|_| OffloadError::Busy)??),
        }
    }
}

impl<T: Phases> Shared<T> {
    pub(super) fn new(turn: T, outlet: Outlet<T>) -> Self {
        Self(Arc::new(Mutex::new(Work { turn, outlet })))
    }

    /// Nobody waits for this: the phases come one after the other.
    fn lock(&self) -> MutexGuard<'_, Work<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<A> From<ApiError> for Broken<A> {
    fn from(error: ApiError) -> Self {
        Self { error, kept: None }
    }
}
