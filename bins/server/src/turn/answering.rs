use std::pin::pin;

use actix_web::dev::Payload;
use actix_web::web::{Bytes, Data};
use actix_web::{FromRequest, HttpMessage, HttpRequest, HttpResponse};
use futures_util::future::{Either, LocalBoxFuture, select};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};

use super::course::{Course, Shared};
use super::events::Events;
use super::guards::Guards;
use super::halt::{Gone, Halt};
use super::outlet::{Outlet, Stream};
use super::{Encoding, Phases};
use crate::error::{ApiError, Code};
use crate::extract::{Chat, CurrentTenant, RequestId, shared};
use crate::limits::HttpSettings;
use crate::offload::Class;
use crate::peer::Peer;
use crate::sse::{WAITING, answer};

/// What a handler answers a turn with: for the caller's tenant, within the limits, for as long as the connection's client is there.
#[derive(Debug)]
pub(crate) struct Answering {
    tenant: CurrentTenant<Chat>,
    settings: Data<HttpSettings>,
    request_id: String,
    peer: Option<Peer>,
}

impl Answering {
    /// Answers with the turn's events. The head and a first comment go out once the turn has begun.
    ///
    /// # Errors
    /// When the server stops, no permit is free, the caller may have no more answers at once, or the turn does not begin.
    pub(crate) async fn stream<T: Phases>(
        self,
        turn: T,
        encoding: impl Encoding<T>,
    ) -> Result<HttpResponse, ApiError> {
        let halt = Halt::new();
        let gone = Gone(halt.clone());
        let failure = encoding.error(&ApiError::new(Code::InternalError), &self.request_id, None);
        let (pieces, waiting) = mpsc::channel::<Bytes>(WAITING);
        let (end, ending) = oneshot::channel();
        let every = self.settings.heartbeat;
        let outlet = Stream {
            encoding: Box::new(encoding),
            pieces: Some(pieces),
            end: Some(end),
            runtime: Handle::current(),
            stall_deadline: self.settings.stall_deadline,
            request_id: self.request_id.clone(),
        };
        let (course, guards) = self.course(turn, halt, Some(outlet)).await?;
        let (opened, opening) = oneshot::channel();
        let running = async move {
            match course.begin().await {
                Ok(begun) => {
                    // Whether anybody listens is known to the halt.
                    let _ = opened.send(Ok(()));
                    let answer = course.go_on(begun).await;
                    course.end(answer);
                }
                Err(error) => drop(opened.send(Err(error))),
            }
        };
        actix_web::rt::spawn(guarded(running, guards));
        opening.await.map_err(broke_off)??;
        Ok(answer(Events::new(waiting, ending, failure, every, gone)))
    }

    /// Answers in one piece.
    ///
    /// # Errors
    /// As [`Answering::stream`], and when the turn fails or is stopped.
    pub(crate) async fn answer<T: Phases>(self, turn: T) -> Result<T::Answer, ApiError> {
        let halt = Halt::new();
        let _gone = Gone(halt.clone());
        let (course, guards) = self.course(turn, halt, None).await?;
        let (end, ending) = oneshot::channel();
        let running = async move {
            let answer = match course.begin().await {
                Ok(begun) => course.go_on(begun).await.map_err(|broken| broken.error),
                Err(error) => Err(error),
            };
            drop(end.send(answer));
        };
        actix_web::rt::spawn(guarded(running, guards));
        ending.await.map_err(broke_off)?
    }

    async fn course<T: Phases>(
        self,
        turn: T,
        halt: Halt,
        stream: Option<Stream<T>>,
    ) -> Result<(Course<T>, Guards), ApiError> {
        let offload = self.tenant.offload();
        let presence = offload.underway().enter();
        let presence = presence.ok_or_else(|| ApiError::new(Code::ShuttingDown))?;
        let permit = offload.permit(Class::Stream).await?;
        let guards = Guards {
            halt: halt.clone(),
            tenant: self.tenant.clone(),
            peer: self.peer,
            settings: self.settings.clone(),
        };
        let course = Course {
            work: Shared::new(turn, Outlet::new(halt.clone(), stream)),
            tenant: self.tenant,
            halt,
            settings: self.settings,
            request_id: self.request_id,
            permit,
            _presence: presence,
        };
        Ok((course, guards))
    }
}

/// Runs a turn under guard; the guards go with it.
async fn guarded(turn: impl Future<Output = ()>, guards: Guards) {
    let guarding = pin!(guards.watch());
    if let Either::Right(((), turn)) = select(pin!(turn), guarding).await {
        turn.await;
    }
}

fn broke_off(error: oneshot::error::RecvError) -> ApiError {
    ApiError::new(Code::InternalError).because(error)
}

impl FromRequest for Answering {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let tenant = CurrentTenant::from_request(request, payload);
        let request = request.clone();
        Box::pin(async move {
            let tenant = tenant.await?;
            let id = request.extensions().get::<RequestId>().map(RequestId::to_string);
            Ok(Self {
                tenant,
                settings: shared(&request)?,
                request_id: id.unwrap_or_default(),
                peer: request.conn_data::<Peer>().cloned(),
            })
        })
    }
}
