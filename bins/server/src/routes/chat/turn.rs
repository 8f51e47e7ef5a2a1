use actix_web::web::Bytes;
use tenantry_retrieval::{Answer, AnswerEvent, Answers, Grounds};

use super::wire::{DeltaView, DoneView, SourcesView};
use crate::app::App;
use crate::error::{ApiError, Code};
use crate::extract::Resolved;
use crate::sse::event;
use crate::turn::{Encoding, Ending, Outlet, Phases};

/// The answer to one question.
pub(super) struct ChatTurn {
    question: String,
    grounds: Option<Grounds>,
    answer: Option<Answer>,
}

impl ChatTurn {
    pub(super) fn new(question: String) -> Self {
        Self {
            question,
            grounds: None,
            answer: None,
        }
    }
}

impl Phases for ChatTurn {
    type Part<'a> = AnswerEvent<'a>;
    type Answer = Answer;

    fn begin(&mut self, _: &App, _: &Resolved) -> Result<(), ApiError> {
        Ok(Answers::check(&self.question)?)
    }

    fn retrieve(&mut self, app: &App, asker: &Resolved, outlet: &mut Outlet<Self>) -> Result<(), ApiError> {
        let grounds = app.answers.find(asker.scope(), &self.question)?;
        // Whether that is the end is asked before the next phase.
        let _ = outlet.send(AnswerEvent::Sources(&grounds.sources));
        self.grounds = Some(grounds);
        Ok(())
    }

    fn speak(&mut self, app: &App, outlet: &mut Outlet<Self>) -> Result<(), ApiError> {
        let grounds = self.grounds.take().ok_or_else(out_of_turn)?;
        let cancellation = outlet.cancellation().clone();
        let answer = app.answers.speak(grounds, &cancellation, &mut |text| {
            outlet.send(AnswerEvent::Delta(text))
        });
        self.answer = Some(answer?);
        Ok(())
    }

    fn settle(&mut self, _: &App, _: &Resolved, ending: Ending<'_>) -> Result<Answer, ApiError> {
        match ending {
            Ending::Complete => self.answer.take().ok_or_else(out_of_turn),
            // Nothing is kept of what did not come to its end.
            Ending::Left | Ending::Failed(_) => Err(ApiError::new(Code::Cancelled)),
        }
    }
}

fn out_of_turn() -> ApiError {
    ApiError::new(Code::InternalError).because("a phase came before its time")
}

/// The events of `/chat`.
pub(super) struct NativeEvents;

impl Encoding<ChatTurn> for NativeEvents {
    fn part(&mut self, part: AnswerEvent<'_>) -> Bytes {
        match part {
            AnswerEvent::Sources(sources) => event("sources", &SourcesView::from(sources)),
            AnswerEvent::Delta(text) => event("delta", &DeltaView { text }),
        }
    }

    fn end(&mut self, answer: Answer) -> Bytes {
        event("done", &DoneView::from(answer))
    }
}
