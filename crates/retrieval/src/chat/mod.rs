mod answer;
mod begin;
mod error;
mod follow_up;
mod history;
mod models;
mod question;
mod retrieve;
mod settle;
mod spending;
mod support;
pub(crate) mod title;
mod turn;
mod voice;

use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;

use tenantry_domain::{Cancellation, Clock, TenantScope};
use tenantry_tenant_store::{MessageStore, UsageStore};

pub use answer::{Answer, Source};
pub use error::ChatError;
pub use models::ChatModels;
pub use question::{Asker, Question, Retrieval, Thread};
pub use turn::Turn;

use crate::Searcher;

/// What answering needs.
#[derive(Clone)]
pub struct ChatParts {
    /// What finds passages.
    pub searcher: Arc<Searcher>,
    /// What finds models.
    pub models: Arc<ChatModels>,
    /// Where messages are kept.
    pub messages: Arc<dyn MessageStore>,
    /// Where what it took is counted, for questions that are kept nowhere.
    pub usage: Arc<dyn UsageStore>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
}

/// Answers questions from one tenant's passages, under that tenant's prompt, in conversations or without.
///
/// A question is led through four phases, so that no store is held while a provider is waited for: [`Chat::begin`],
/// [`Chat::retrieve`], [`Turn::speak`], [`Chat::settle`]. [`Chat::answer`] is all of them. Whatever becomes of the phases between,
/// `settle` keeps what there is.
///
/// An answer rests on hits of the scope's tenant alone. Where they cannot be searched there is no answer; where none is found,
/// the tenant's settings decide whether a model is asked.
pub struct Chat {
    parts: ChatParts,
}

impl Chat {
    /// Answers with these parts.
    pub fn new(parts: ChatParts) -> Self {
        Self { parts }
    }

    /// The models that may be asked for by name, the one that answers unasked first.
    pub fn models(&self, scope: &TenantScope) -> Vec<String> {
        self.parts.models.names(scope)
    }

    /// Answers in one piece. An answer that fails is kept as one that failed.
    ///
    /// # Errors
    /// As the phases, the first that fails.
    pub fn answer(
        &self,
        scope: &TenantScope,
        asker: &Asker,
        question: Question,
    ) -> Result<Answer, ChatError> {
        let cancellation = Cancellation::new();
        let mut turn = self.begin(scope, asker, question)?;
        let spoken = self
            .retrieve(scope, &mut turn, &cancellation)
            .and_then(|()| turn.speak(&cancellation, &mut |_| ControlFlow::Continue(())));
        let settled = self.settle(scope, turn);
        spoken.and(settled)
    }
}

impl fmt::Debug for Chat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chat")
            .field("models", &self.parts.models)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for ChatParts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChatParts").finish_non_exhaustive()
    }
}
