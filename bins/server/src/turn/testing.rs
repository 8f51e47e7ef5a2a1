//! A turn that does what a test tells it to, and tells what was done with it.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::web::{self, Bytes, Data, ServiceConfig};

use super::{Answering, Encoding, Ending, Outlet, Phases, Terms};
use crate::app::App;
use crate::error::{ApiError, Code};
use crate::extract::Resolved;
use crate::sse::event;

/// How long a test waits for what has to happen.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// What a phase does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Do {
    /// Passes a part on, and stops when it is told to.
    Say(&'static str),
    /// Waits for the test.
    Await,
    /// Waits until the turn is stopped.
    Idle,
    Fail,
    Panic,
}

/// What each turn does.
#[derive(Debug, Clone, Default)]
pub(crate) struct Script {
    pub(crate) terms: Terms,
    pub(crate) begin: Vec<Do>,
    pub(crate) retrieve: Vec<Do>,
    pub(crate) speak: Vec<Do>,
    pub(crate) settle: Vec<Do>,
}

/// The test's end.
pub(crate) struct Director {
    notes: Receiver<String>,
    cues: Sender<()>,
}

/// The end of the server.
#[derive(Clone)]
pub(crate) struct Stage {
    /// One for each turn; the last is that of all others too.
    scripts: Vec<Script>,
    played: Arc<AtomicUsize>,
    notes: Sender<String>,
    cues: Arc<Mutex<Receiver<()>>>,
}

pub(crate) fn stage(scripts: impl Into<Vec<Script>>) -> (Stage, Director) {
    let (notes, hear) = channel();
    let (cues, wait) = channel();
    let stage = Stage {
        scripts: scripts.into(),
        played: Arc::default(),
        notes,
        cues: Arc::new(Mutex::new(wait)),
    };
    (stage, Director { notes: hear, cues })
}

impl Director {
    /// Lets one `Await` go on.
    pub(crate) fn cue(&self) {
        self.cues.send(()).unwrap();
    }

    /// The next thing that was done.
    pub(crate) fn note(&self) -> String {
        self.notes.recv_timeout(PATIENCE).unwrap()
    }

    /// Waits for these notes, in this order.
    #[track_caller]
    pub(crate) fn hears(&self, expected: &[&str]) {
        let heard: Vec<_> = expected.iter().map(|_| self.note()).collect();
        assert_eq!(heard, expected);
    }

    /// Whether nothing more was done.
    pub(crate) fn is_over(&self) -> bool {
        self.notes.try_recv().is_err()
    }
}

impl Stage {
    /// Two routes that play: `/play` streams, `/play/whole` answers in one piece.
    pub(crate) fn routes(self) -> impl Fn(&mut ServiceConfig) + Clone + Send + 'static {
        move |config| {
            config
                .app_data(Data::new(self.clone()))
                .route("/play", web::post().to(stream))
                .route("/play/whole", web::post().to(whole));
        }
    }
}

async fn stream(answering: Answering, stage: Data<Stage>) -> Result<HttpResponse, ApiError> {
    answering.stream(Player::new(&stage), Plain).await
}

async fn whole(answering: Answering, stage: Data<Stage>) -> Result<HttpResponse, ApiError> {
    let said = answering.answer(Player::new(&stage)).await?;
    Ok(HttpResponse::Ok().body(said))
}

struct Player {
    stage: Stage,
    script: Script,
    said: String,
}

impl Player {
    fn new(stage: &Stage) -> Self {
        let turn = stage.played.fetch_add(1, Ordering::SeqCst);
        let script = stage.scripts.get(turn).or(stage.scripts.last());
        Self {
            stage: stage.clone(),
            script: script.unwrap().clone(),
            said: String::new(),
        }
    }

    fn note(&self, note: String) {
        // A test that has heard enough is over.
        let _ = self.stage.notes.send(note);
    }

    fn act(&mut self, acts: &[Do], mut outlet: Option<&mut Outlet<Self>>) -> Result<(), ApiError> {
        for act in acts {
            match (act, outlet.as_deref_mut()) {
                (Do::Say(text), Some(outlet)) => {
                    if outlet.send(text) == ControlFlow::Break(()) {
                        return Err(ApiError::new(Code::Cancelled));
                    }
                    self.said.push_str(text);
                }
                (Do::Idle, Some(outlet)) => {
                    let (stop, stopped) = channel();
                    let stop = Box::new(move || stop.send(()).unwrap_or_default());
                    outlet.cancellation().on_cancel(stop);
                    self.note("idle".to_owned());
                    stopped.recv_timeout(PATIENCE).unwrap();
                    self.note("stopped".to_owned());
                    return Err(ApiError::new(Code::Cancelled));
                }
                (Do::Await, _) => self.stage.cues.lock().unwrap().recv_timeout(PATIENCE).unwrap(),
                (Do::Fail, _) => return Err(ApiError::new(Code::LlmTruncated)),
                (act, _) => panic!("{act:?}"),
            }
        }
        Ok(())
    }
}

impl Phases for Player {
    type Part<'a> = &'a str;
    type Answer = String;

    fn terms(&self, _: &App, _: &Resolved) -> Terms {
        self.script.terms
    }

    fn begin(&mut self, _: &App, asker: &Resolved) -> Result<(), ApiError> {
        self.note(format!(
            "begin {} {}",
            asker.scope().id(),
            asker.caller().user().unwrap().email.as_str()
        ));
        self.act(&self.script.begin.clone(), None)
    }

    fn retrieve(&mut self, _: &App, asker: &Resolved, outlet: &mut Outlet<Self>) -> Result<(), ApiError> {
        self.note(format!("retrieve {}", asker.scope().id()));
        self.act(&self.script.retrieve.clone(), Some(outlet))
    }

    fn speak(&mut self, _: &App, outlet: &mut Outlet<Self>) -> Result<(), ApiError> {
        self.note("speak".to_owned());
        self.act(&self.script.speak.clone(), Some(outlet))
    }

    fn settle(&mut self, _: &App, asker: &Resolved, ending: Ending) -> Result<String, ApiError> {
        let ending = match ending {
            Ending::Complete => "complete",
            Ending::Left => "left",
            Ending::Failed => "failed",
        };
        self.note(format!("settle {} {ending} {:?}", asker.scope().id(), self.said));
        self.act(&self.script.settle.clone(), None)?;
        Ok(self.said.clone())
    }
}

struct Plain;

impl Encoding<Player> for Plain {
    fn part(&mut self, part: &str) -> Bytes {
        event("delta", &part)
    }

    fn end(&mut self, answer: String) -> Bytes {
        event("done", &answer)
    }

    fn error(&self, error: &ApiError, request_id: &str, _: Option<String>) -> Bytes {
        event("error", &error.body(request_id))
    }
}
