use std::borrow::Cow;
use std::io::Read;
use std::time::Duration;

use secrecy::SecretString;
use serde_json::Value;
use tenantry_http_client::{HttpError, SseEvent, SseReader};

use super::wire::{ChatAnswer, Choice, WireUsage, Words};
use crate::{Completion, FinishReason, LlmError, Usage, failure};

/// The longest answer in bytes of text, twice what the longest that may be asked for has. A tenant chooses its provider, and the
/// provider what it sends: an answer is kept in memory and then in the store.
const MAX_TEXT: usize = 1 << 20;

/// An answer as far as it has come.
pub(super) struct Answer {
    pub(super) text: String,
    model: Option<String>,
    finish: Option<FinishReason>,
    usage: Option<Usage>,
    refused: bool,
}

/// What a chunk adds to an answer.
pub(super) enum Added {
    /// No words.
    Nothing,
    /// What a reasoning model thinks before it answers.
    Thought,
    /// Text.
    Text(String),
}

impl Answer {
    pub(super) fn new() -> Self {
        Self {
            text: String::new(),
            model: None,
            finish: None,
            usage: None,
            refused: false,
        }
    }

    /// Takes a whole answer or a chunk in, and says what it adds.
    ///
    /// # Errors
    /// When it is an error instead, no JSON, or longer than any answer.
    pub(super) fn accept(&mut self, json: &str, key: Option<&SecretString>) -> Result<Added, LlmError> {
        let answer = match serde_json::from_str::<ChatAnswer>(json) {
            Ok(answer) if answer.error.is_none() && answer.object.as_deref() != Some("error") => answer,
            other => return Err(no_answer(json, other.err(), key)),
        };
        self.model = self.model.take().or(answer
            .model
            .filter(|model| !model.is_empty())
            .map(Cow::into_owned));
        self.usage = answer.usage.and_then(counted).or(self.usage);
        let choices = answer.choices.unwrap_or_default();
        let first = choices
            .into_iter()
            .find(|choice| choice.index.unwrap_or_default() == 0);
        let added = first.map_or(Added::Nothing, |choice| self.add(choice));
        if self.text.len() > MAX_TEXT {
            return Err(LlmError::Protocol("the answer is longer than 1 MiB".into()));
        }
        Ok(added)
    }

    fn add(&mut self, choice: Choice) -> Added {
        // Some servers send an empty one with every chunk.
        let reason = choice
            .finish_reason
            .as_deref()
            .filter(|reason| !reason.is_empty());
        self.finish = reason.map(finish).or(self.finish);
        let words = choice.delta.or(choice.message).unwrap_or_default();
        let thinks = words.thinks();
        let Words { content, refusal, .. } = words;
        // A refusal is what the model has to say instead of an answer.
        self.refused |= refusal.as_ref().is_some_and(|refusal| !refusal.is_empty());
        let added = content.unwrap_or_default() + &refusal.unwrap_or_default();
        self.text.push_str(&added);
        match added.is_empty() {
            false => Added::Text(added),
            true if thinks => Added::Thought,
            true => Added::Nothing,
        }
    }

    pub(super) fn is_finished(&self) -> bool {
        self.finish.is_some()
    }

    /// The whole answer.
    ///
    /// # Errors
    /// When there is no text though nothing was withheld or cut off.
    pub(super) fn complete(self, asked: &str) -> Result<Completion, LlmError> {
        let finish = match self.finish {
            Some(FinishReason::Stop | FinishReason::Other) | None if self.refused => {
                FinishReason::ContentFilter
            }
            finish => finish.unwrap_or(FinishReason::Other),
        };
        if self.text.is_empty() && matches!(finish, FinishReason::Stop | FinishReason::Other) {
            return Err(LlmError::Protocol("the answer has no text".into()));
        }
        let model = self.model.unwrap_or_else(|| asked.to_owned());
        Ok(Completion {
            text: self.text,
            model,
            asked: asked.to_owned(),
            finish,
            usage: self.usage,
        })
    }
}

/// Looks for an error before anything else is said of what does not read as an answer: one that is taken for an answer
/// would look like an empty one.
fn no_answer(json: &str, broken: Option<serde_json::Error>, key: Option<&SecretString>) -> LlmError {
    let value = serde_json::from_str::<Value>(json).unwrap_or_default();
    match (value.get("error").filter(|error| !error.is_null()), broken) {
        (Some(error), _) => failure::of_error(error, key),
        (None, Some(broken)) => failure::of_json(&broken),
        (None, None) => failure::of_error(&value, key),
    }
}

fn counted(usage: WireUsage) -> Option<Usage> {
    if usage.prompt_tokens.is_none() && usage.completion_tokens.is_none() {
        return None;
    }
    Some(Usage {
        prompt_tokens: usage.prompt_tokens.unwrap_or_default(),
        completion_tokens: usage.completion_tokens.unwrap_or_default(),
    })
}

fn finish(reason: &str) -> FinishReason {
    match reason {
        "stop" => FinishReason::Stop,
        "length" => FinishReason::Length,
        "content_filter" => FinishReason::ContentFilter,
        _ => FinishReason::Other,
    }
}

/// What the next event of a stream is.
pub(super) enum Step {
    /// A chunk or an error, as JSON.
    Json(String),
    /// The end that the provider announced.
    Done,
    /// The end of the connection, in order or not.
    Ended(Option<HttpError>),
}

pub(super) fn next<R: Read>(events: &mut SseReader<R>, at_most: Duration) -> Step {
    match events.next_within(at_most) {
        None => Step::Ended(None),
        Some(Err(error)) => Step::Ended(Some(error)),
        Some(Ok(SseEvent { data, .. })) if data.trim() == "[DONE]" => Step::Done,
        Some(Ok(SseEvent { event, data })) if event == "error" => Step::Json(as_error(data)),
        Some(Ok(SseEvent { data, .. })) => Step::Json(data),
    }
}

/// An event named `error` is one, also when its data does not say so.
fn as_error(data: String) -> String {
    let value = serde_json::from_str(&data).unwrap_or(Value::String(data));
    match value.get("error") {
        Some(_) => value.to_string(),
        None => serde_json::json!({ "error": value }).to_string(),
    }
}
