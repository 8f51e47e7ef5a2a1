//! An answer in [`Phases`], each on its own kind of thread. They are the same whether the answer is streamed, in whatever
//! [`Encoding`], or given in one piece.
//!
//! A turn runs by itself once it has begun: it is settled also when its client leaves, its model fails or the server stops.

mod answering;
mod course;
mod events;
mod guards;
mod halt;
mod outlet;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

use actix_web::web::Bytes;
use tenantry_domain::Tenant;

use crate::app::App;
use crate::error::ApiError;

pub(crate) use crate::extract::Resolved;
pub(crate) use crate::offload::StreamCaps;
pub(crate) use answering::Answering;
pub(crate) use outlet::Outlet;
pub(crate) use tenantry_domain::OnLeave;

/// The work for one answer.
///
/// They come in the order of the methods and hand on in `self` what they have found. No phase holds a connection of the
/// database while another upstream is called, so each has its own hop.
pub(crate) trait Phases: Sized + Send + 'static {
    /// What is passed on while the answer is made.
    type Part<'a>;
    /// What the answer has come to.
    type Answer: Send + 'static;

    /// On what terms the answer is given; nothing has been written yet.
    fn terms(&self, app: &App, asker: &Resolved) -> Terms {
        Terms::of(app, asker.scope().tenant())
    }

    /// Takes the question, on a thread for the store. The answer's head goes out after it.
    ///
    /// # Errors
    /// When the question cannot be answered; the error is the request's status.
    fn begin(&mut self, app: &App, asker: &Resolved) -> Result<(), ApiError>;

    /// Finds what the answer rests on, on a thread for upstreams.
    ///
    /// # Errors
    /// When it cannot be found, or the turn was stopped.
    fn retrieve(&mut self, app: &App, asker: &Resolved, outlet: &mut Outlet<Self>) -> Result<(), ApiError>;

    /// Has the model speak, on a thread of [`Class::Stream`](crate::offload::Class::Stream).
    ///
    /// # Errors
    /// When the model fails, or the turn was stopped.
    fn speak(&mut self, app: &App, outlet: &mut Outlet<Self>) -> Result<(), ApiError>;

    /// Keeps what there is of the answer, on a thread for the store. Once the turn has begun this is called exactly once, whatever
    /// happened since, and for who the asker was when it began. What it gives is sent when the ending is [`Ending::Complete`].
    ///
    /// # Errors
    /// When it cannot be kept.
    fn settle(&mut self, app: &App, asker: &Resolved, ending: Ending) -> Result<Self::Answer, ApiError>;
}

/// How the parts of a turn become events.
pub(crate) trait Encoding<T: Phases>: Send + 'static {
    /// The events of a part; nothing is sent when they are empty.
    fn part(&mut self, part: T::Part<'_>) -> Bytes;

    /// What ends an answer that is complete.
    fn end(&mut self, answer: T::Answer) -> Bytes;

    /// What ends one that failed after its head was sent. `kept` is what settling it came to; nothing where that failed too.
    fn error(&self, error: &ApiError, request_id: &str, kept: Option<T::Answer>) -> Bytes;
}

/// How a turn came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Each phase did what it should.
    Complete,
    /// The client has left, and the turn was stopped for that.
    Left,
    /// A phase failed, or the turn was stopped for another reason than the client's.
    Failed,
}

/// On what terms an answer is given.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Terms {
    /// What becomes of it when its client leaves.
    pub(crate) on_leave: OnLeave,
    /// How many there may be at once.
    pub(crate) caps: StreamCaps,
}

impl Terms {
    /// Those of a tenant: what its settings say, else what the server is set to.
    pub(crate) fn of(app: &App, tenant: &Tenant) -> Self {
        let chat = &tenant.chat;
        let said = |cap: Option<u32>, usual| cap.and_then(|cap| usize::try_from(cap).ok()).unwrap_or(usual);
        let StreamCaps { per_user, per_tenant } = app.stream_caps;
        Self {
            on_leave: chat.on_leave,
            caps: StreamCaps {
                per_user: said(chat.streams_per_user, per_user),
                per_tenant: said(chat.streams_per_tenant, per_tenant),
            },
        }
    }
}
