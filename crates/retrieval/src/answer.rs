use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;

use tenantry_domain::{Cancellation, Hit, TenantScope, TopK};
use tenantry_llm_client::{Completer, Completion, FinishReason, LlmError, Passage, Prompt, Usage};

use crate::search::check_query;
use crate::{InvalidField, SearchError, SearchRequest, Searcher};

/// How many passages an answer may rest on.
const PASSAGES: usize = 6;
/// How many characters they may have in all, about 3,000 tokens: merged neighbours and other tools' records can be long, and a
/// small model's context is not.
const CHARACTERS: usize = 12_000;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AnswerError {
    /// The tenant's passages could not be searched; nothing is answered from a model's memory instead.
    #[error(transparent)]
    Search(#[from] SearchError),
    /// The model did not answer.
    #[error("the model did not answer")]
    Complete(#[from] LlmError),
}

/// A passage that an answer may cite as `[number]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Source {
    /// The number in the answer's markers, from 1.
    pub number: usize,
    /// The passage.
    pub hit: Hit,
}

/// An answer with what it rests on.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The text, with `[number]` markers.
    pub text: String,
    /// The passages that the model was given, in the order of their numbers.
    pub sources: Vec<Source>,
    /// The model that wrote it.
    pub model: String,
    /// Why it ended.
    pub finish: FinishReason,
    /// The tokens that it took, where the provider counts them.
    pub usage: Option<Usage>,
}

/// What an answer rests on, before a model has said anything.
#[derive(Debug, Clone, PartialEq)]
pub struct Grounds {
    /// The passages, in the order of their numbers.
    pub sources: Vec<Source>,
    prompt: Prompt,
}

/// A part of a streamed answer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum AnswerEvent<'a> {
    /// The passages, once, before the first piece of text.
    Sources(&'a [Source]),
    /// The next piece of text.
    Delta(&'a str),
}

/// Answers questions from one tenant's passages, under that tenant's prompt.
pub struct Answers {
    searcher: Arc<Searcher>,
    completer: Arc<dyn Completer>,
}

impl Answers {
    /// Answers by `completer` from what `searcher` finds.
    pub fn new(searcher: Arc<Searcher>, completer: Arc<dyn Completer>) -> Self {
        Self { searcher, completer }
    }

    /// Whether `question` can be asked at all, which a stream has to know before it begins.
    ///
    /// # Errors
    /// When the question is blank or longer than 16,000 characters.
    pub fn check(question: &str) -> Result<(), InvalidField> {
        check_query("message", question)
    }

    /// Answers `question` in one piece.
    ///
    /// # Errors
    /// When the question is blank or too long, the search fails, or the model does not answer.
    pub fn answer(&self, scope: &TenantScope, question: &str) -> Result<Answer, AnswerError> {
        let sources = self.sources(scope, question)?;
        let completion = self.completer.complete(&prompt(scope, question, &sources))?;
        Ok(finished(completion, sources))
    }

    /// Answers `question` piece by piece: `on_event` is given the sources, then each piece of text, and breaks to stop.
    ///
    /// # Errors
    /// As [`Answers::answer`]; [`LlmError::Cancelled`] when `on_event` broke or `cancellation` was raised, and
    /// [`LlmError::Truncated`] when the model's answer broke off after its beginning was passed on.
    pub fn stream(
        &self,
        scope: &TenantScope,
        question: &str,
        cancellation: &Cancellation,
        on_event: &mut dyn FnMut(AnswerEvent<'_>) -> ControlFlow<()>,
    ) -> Result<Answer, AnswerError> {
        let found = self.find(scope, question)?;
        if cancellation.is_cancelled() || on_event(AnswerEvent::Sources(&found.sources)).is_break() {
            return Err(LlmError::Cancelled.into());
        }
        let on_delta = &mut |delta: &str| on_event(AnswerEvent::Delta(delta));
        Ok(self.speak(found, cancellation, on_delta)?)
    }

    /// The first half of [`Answers::stream`], which needs the tenant: what the answer may rest on.
    ///
    /// # Errors
    /// When the question is blank or too long, or the search fails.
    pub fn find(&self, scope: &TenantScope, question: &str) -> Result<Grounds, SearchError> {
        let sources = self.sources(scope, question)?;
        let prompt = prompt(scope, question, &sources);
        Ok(Grounds { sources, prompt })
    }

    /// The second half, which needs the model alone.
    ///
    /// # Errors
    /// As [`Answers::stream`].
    pub fn speak(
        &self,
        found: Grounds,
        cancellation: &Cancellation,
        on_delta: &mut dyn FnMut(&str) -> ControlFlow<()>,
    ) -> Result<Answer, LlmError> {
        let completion = self.completer.stream(&found.prompt, cancellation, on_delta)?;
        Ok(finished(completion, found.sources))
    }

    fn sources(&self, scope: &TenantScope, question: &str) -> Result<Vec<Source>, SearchError> {
        Self::check(question)?;
        let request = SearchRequest::new(question, TopK::clamp(PASSAGES));
        let found = self.searcher.find(scope, &request, &mut None)?;
        let sources = within(CHARACTERS, found.hits).into_iter().zip(1..);
        Ok(sources.map(|(hit, number)| Source { number, hit }).collect())
    }
}

impl fmt::Debug for Answers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answers")
            .field("model", &self.completer.model())
            .finish_non_exhaustive()
    }
}

/// The best of `hits` that have `characters` in all; the first in any case.
fn within(characters: usize, hits: Vec<Hit>) -> Vec<Hit> {
    let mut left = characters;
    let mut chosen: Vec<Hit> = Vec::new();
    for hit in hits {
        let length = hit.chunk.text.chars().count();
        if length <= left || chosen.is_empty() {
            left = left.saturating_sub(length);
            chosen.push(hit);
        }
    }
    chosen
}

fn prompt(scope: &TenantScope, question: &str, sources: &[Source]) -> Prompt {
    let passages = sources.iter().map(|source| Passage {
        number: source.number,
        title: source.hit.title.clone(),
        text: source.hit.chunk.text.clone(),
    });
    Prompt {
        system: scope.tenant().system_prompt.clone(),
        passages: passages.collect(),
        question: question.to_owned(),
        ..Prompt::default()
    }
}

fn finished(completion: Completion, sources: Vec<Source>) -> Answer {
    Answer {
        text: completion.text,
        sources,
        model: completion.model,
        finish: completion.finish,
        usage: completion.usage,
    }
}
