use tenantry_domain::{MessageStatus, Tenant};
use tenantry_retrieval::{Answer, Asker, Question, Turn};

use crate::app::App;
use crate::error::{ApiError, Code};
use crate::extract::Resolved;
use crate::turn::{Ending, Outlet, Phases};

/// Says what is asked, once it is known which tenant is asked.
type Ask = Box<dyn FnOnce(&Tenant) -> Result<Question, ApiError> + Send>;

/// The answer to one question, in whatever form it is asked and given.
pub(in crate::routes) struct ChatTurn {
    ask: Option<Ask>,
    /// From its beginning until it is settled.
    turn: Option<Turn>,
}

/// What is passed on of an answer.
pub(in crate::routes) enum ChatPart<'a> {
    /// It has begun; where it will be kept is known.
    Begun(&'a Turn),
    /// Its sources are found.
    Found(&'a Turn),
    /// The next piece of its text.
    Delta(&'a str),
}

impl ChatTurn {
    /// An answer to what `ask` says.
    pub(in crate::routes) fn new(
        ask: impl FnOnce(&Tenant) -> Result<Question, ApiError> + Send + 'static,
    ) -> Self {
        Self {
            ask: Some(Box::new(ask)),
            turn: None,
        }
    }
}

impl Phases for ChatTurn {
    type Part<'a> = ChatPart<'a>;
    type Answer = Answer;

    fn begin(&mut self, app: &App, asker: &Resolved) -> Result<(), ApiError> {
        let ask = self.ask.take().ok_or_else(out_of_turn)?;
        let question = ask(asker.scope().tenant())?;
        let turn = app
            .chat
            .begin(asker.scope(), &Asker::of(asker.caller()), question)?;
        self.turn = Some(turn);
        Ok(())
    }

    fn retrieve(&mut self, app: &App, asker: &Resolved, outlet: &mut Outlet<Self>) -> Result<(), ApiError> {
        let turn = self.turn.as_mut().ok_or_else(out_of_turn)?;
        // Whether that is the end is asked before the next phase, here and below.
        let _ = outlet.send(ChatPart::Begun(turn));
        app.chat.retrieve(asker.scope(), turn, outlet.cancellation())?;
        let _ = outlet.send(ChatPart::Found(turn));
        Ok(())
    }

    fn speak(&mut self, _: &App, outlet: &mut Outlet<Self>) -> Result<(), ApiError> {
        let turn = self.turn.as_mut().ok_or_else(out_of_turn)?;
        let cancellation = outlet.cancellation().clone();
        turn.speak(&cancellation, &mut |text| outlet.send(ChatPart::Delta(text)))?;
        Ok(())
    }

    fn settle(&mut self, app: &App, asker: &Resolved, ending: Ending) -> Result<Answer, ApiError> {
        let mut turn = self.turn.take().ok_or_else(out_of_turn)?;
        match ending {
            Ending::Complete => {}
            Ending::Left => turn.interrupted(MessageStatus::Cancelled),
            Ending::Failed => turn.interrupted(MessageStatus::Failed),
        }
        Ok(app.chat.settle(asker.scope(), turn)?)
    }
}

fn out_of_turn() -> ApiError {
    ApiError::new(Code::InternalError).because("a phase came before its time")
}
