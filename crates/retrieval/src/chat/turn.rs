use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;

use tenantry_domain::{
    AllowedHosts, Cancellation, Clock, Conversation, ConversationId, MessageId, MessageStatus, TenantId,
    TokenUsage, UsageKind, UsageRecord,
};
use tenantry_llm_client::{self as llm, Completer, Completion, FinishReason, LlmError, Prompt, Sampling};

use super::voice::{OnDelta, Voice};
use super::{Asker, ChatError, Source, spending};
use crate::SearchRequest;

/// A question on its way to its answer: begun, and then led through [`Chat::retrieve`](crate::Chat::retrieve), [`Turn::speak`]
/// and [`Chat::settle`](crate::Chat::settle), each of which may be done on another thread.
///
/// It owns all that it needs, and keeps what came of each phase, also where that failed. One that is dropped and not settled
/// leaves its question without an answer.
pub struct Turn {
    pub(super) tenant: TenantId,
    pub(super) asker: Asker,
    pub(super) kept: Option<Kept>,
    pub(super) question: String,
    /// What a client says was said before.
    pub(super) history: Vec<llm::PastMessage>,
    pub(super) instruction: Option<String>,
    /// `None` where nothing is to be searched.
    pub(super) search: Option<SearchRequest>,
    /// The model that was asked for by name.
    pub(super) asked: Option<String>,
    /// The model that answers, or would have.
    pub(super) model: String,
    pub(super) sampling: Sampling,
    pub(super) sources: Vec<Source>,
    pub(super) speech: Option<Speech>,
    pub(super) voice: Voice,
    /// `None` while it is not decided.
    pub(super) status: Option<MessageStatus>,
    /// Whether a model wrote any of the text.
    pub(super) written: bool,
    pub(super) finish: FinishReason,
    pub(super) usage: TokenUsage,
    pub(super) spent: Vec<UsageRecord>,
    pub(super) clock: Arc<dyn Clock>,
}

/// Where a turn is kept.
pub(super) struct Kept {
    pub(super) conversation: Conversation,
    pub(super) question: MessageId,
    pub(super) answer: MessageId,
}

/// What is to be said.
pub(super) enum Speech {
    /// This; no model is asked.
    Fixed(String),
    /// What a model answers.
    Asked(Box<Request>),
}

/// What a model is asked.
pub(super) struct Request {
    pub(super) model: Arc<dyn Completer>,
    pub(super) prompt: Prompt,
    pub(super) allowed: AllowedHosts,
    /// Said below an answer that cites nothing.
    pub(super) if_uncited: Option<&'static str>,
}

impl Turn {
    /// The passages that the answer may rest on; none before they were retrieved.
    pub fn sources(&self) -> &[Source] {
        &self.sources
    }

    /// The conversation that question and answer are kept in.
    pub fn conversation(&self) -> Option<ConversationId> {
        self.kept.as_ref().map(|kept| kept.conversation.id)
    }

    /// The id that the answer will be kept under.
    pub fn message(&self) -> Option<MessageId> {
        self.kept.as_ref().map(|kept| kept.answer)
    }

    /// The model that is asked first.
    pub fn model(&self) -> &str {
        &self.model
    }

    /// Gets the answer and hands each piece to `on_delta`, which breaks to stop; `cancellation` stops a provider that keeps
    /// silent. Asks one model, or others in their turn until one answers, or none. Needs no scope and no store, and holds neither.
    ///
    /// Pieces are safe to show: a marker is in one piece, cites a passage that exists, and no piece has what would make a
    /// browser call a host that the tenant does not allow.
    ///
    /// # Errors
    /// [`ChatError::Complete`] when the model does not answer or breaks off, or the turn has nothing to say;
    /// [`LlmError::Cancelled`] in it when `on_delta` broke or `cancellation` was raised. What was handed out until then is kept.
    pub fn speak(
        &mut self,
        cancellation: &Cancellation,
        on_delta: &mut dyn FnMut(&str) -> ControlFlow<()>,
    ) -> Result<(), ChatError> {
        let said = if cancellation.is_cancelled() {
            Err(LlmError::Cancelled)
        } else {
            match self.speech.take() {
                Some(Speech::Fixed(text)) => {
                    // All of it is out, whether or not the reader wants more.
                    let _ = self.voice.say(&text, on_delta);
                    Ok(())
                }
                Some(Speech::Asked(request)) => self.ask(&request, cancellation, on_delta),
                // What is known of how the turn ended stays known.
                None => return Err(nothing_to_say()),
            }
        };
        self.remember(said.map_err(ChatError::from))
    }

    /// Records that something outside of the turn ended it, as a deadline or a panic; a turn that is whole stays so.
    pub fn interrupted(&mut self, status: MessageStatus) {
        if self.status != Some(MessageStatus::Complete) {
            self.status = Some(status);
        }
    }

    /// Keeps how a phase ended; `outcome` is given back.
    pub(super) fn remember(&mut self, outcome: Result<(), ChatError>) -> Result<(), ChatError> {
        self.status = Some(match &outcome {
            Ok(()) => MessageStatus::Complete,
            Err(ChatError::Complete(LlmError::Cancelled)) => MessageStatus::Cancelled,
            Err(_) => MessageStatus::Failed,
        });
        outcome
    }

    /// Counts a call, unless it says itself that it took nothing.
    pub(super) fn spend(&mut self, kind: UsageKind, model: String, usage: TokenUsage) {
        if usage == TokenUsage::default() {
            return;
        }
        self.spent.push(UsageRecord {
            user: self.asker.id(),
            kind,
            model: named(model),
            usage,
            at: self.clock.now(),
        });
    }

    fn ask(
        &mut self,
        request: &Request,
        cancellation: &Cancellation,
        on_delta: &mut OnDelta<'_>,
    ) -> Result<(), LlmError> {
        self.voice.begin(self.sources.len(), request.allowed.clone());
        let voice = &mut self.voice;
        let answered = request.model.stream(&request.prompt, cancellation, &mut |delta| {
            voice.pass(delta, on_delta)
        });
        match answered {
            Ok(completion) => self.answered(request, completion, on_delta),
            Err(error) => {
                // It failed before the reader could leave at what was held back.
                let _ = self.voice.end(on_delta);
                self.written = !self.voice.text().is_empty();
                if let Some(usage) = spending::of_failed(&error, &request.prompt, self.voice.text()) {
                    self.count(request.model.model().to_owned(), usage);
                }
                Err(error)
            }
        }
    }

    fn answered(
        &mut self,
        request: &Request,
        completion: Completion,
        on_delta: &mut OnDelta<'_>,
    ) -> Result<(), LlmError> {
        self.written = true;
        self.finish = completion.finish;
        let usage = spending::reported(&completion, &request.prompt);
        let model = named(completion.model);
        if !model.is_empty() {
            self.model = model;
        }
        self.count(completion.asked, usage);
        let flow = self.voice.end(on_delta);
        let Some(sentence) = request.if_uncited.filter(|_| !self.voice.cites_anything()) else {
            return Ok(());
        };
        if flow.is_break() {
            return Err(LlmError::Cancelled);
        }
        let blank = if self.voice.text().trim().is_empty() {
            ""
        } else {
            "\n\n"
        };
        let _ = self.voice.say(&format!("{blank}{sentence}"), on_delta);
        Ok(())
    }

    /// Counts the call that answers, by the name that the model was asked by: what a provider calls itself is up to the provider.
    fn count(&mut self, asked: String, usage: TokenUsage) {
        self.usage = usage;
        self.spend(UsageKind::Answering, asked, usage);
    }
}

fn nothing_to_say() -> ChatError {
    LlmError::Refused("passages are retrieved before a turn speaks, and it speaks once".into()).into()
}

/// A model's name as it can be kept, whatever its provider says.
fn named(model: String) -> String {
    /// The longest name that is kept, in characters.
    const MAX: usize = 200;
    if model.chars().any(char::is_control) || model.len() > MAX {
        return model.chars().filter(|c| !c.is_control()).take(MAX).collect();
    }
    model
}

impl fmt::Debug for Turn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Turn")
            .field("tenant", &self.tenant)
            .field("conversation", &self.conversation())
            .field("model", &self.model)
            .field("sources", &self.sources.len())
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}
