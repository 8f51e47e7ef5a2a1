use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;

use tenantry_domain::Cancellation;
use tenantry_http_client::{Cancel, Deadlines, SseReader, StreamResponse, Transport};

use super::chunks::{self, Added, Answer, Step};
use super::deadlines::NextToken;
use super::messages::messages;
use super::wire::{ChatRequest, StreamOptions};
use super::{CONNECT, Client, MaxTokensField, OpenAiSettings};
use crate::{Completer, Completion, LlmError, Prompt, Task, failure};

/// Answers by `POST /chat/completions`. Until the first byte of an answer, busy answers and failed connections are
/// tried again twice; after it nothing is.
pub struct OpenAiCompleter {
    client: Client,
}

const PATH: &[&str] = &["chat", "completions"];
/// A query is far shorter, but a reasoning model's thoughts count too.
const REWRITTEN_TOKENS: u32 = 512;

impl OpenAiCompleter {
    /// A completer that speaks to the provider through `transport`.
    pub fn new(transport: Arc<dyn Transport>, settings: OpenAiSettings) -> Self {
        Self {
            client: Client::new(transport, settings),
        }
    }

    fn body<'a>(&'a self, prompt: &'a Prompt, stream: bool) -> Result<ChatRequest<'a>, LlmError> {
        let settings = &self.client.settings;
        let sampling = &prompt.sampling;
        let longest = match prompt.task {
            Task::Answer => sampling.max_answer_tokens.or(settings.max_answer_tokens),
            Task::Rewrite => sampling.max_answer_tokens.or(Some(REWRITTEN_TOKENS)),
        };
        let limit = |field| longest.filter(|_| settings.max_tokens_field == field);
        Ok(ChatRequest {
            model: &settings.chat_model,
            messages: messages(prompt)?,
            max_completion_tokens: limit(MaxTokensField::MaxCompletionTokens),
            max_tokens: limit(MaxTokensField::MaxTokens),
            temperature: sampling
                .temperature
                .or(settings.temperature.filter(|_| prompt.task == Task::Answer)),
            top_p: sampling.top_p,
            stop: &sampling.stop,
            presence_penalty: sampling.presence_penalty,
            frequency_penalty: sampling.frequency_penalty,
            seed: sampling.seed,
            stream: stream.then_some(true),
            stream_options: stream.then_some(StreamOptions { include_usage: true }),
        })
    }

    fn read_whole(&self, body: &[u8]) -> Result<Answer, LlmError> {
        let json = std::str::from_utf8(body).map_err(|error| LlmError::Protocol(error.into()))?;
        let mut answer = Answer::new();
        answer.accept(json, self.client.settings.api_key.as_ref())?;
        Ok(answer)
    }

    fn read_events(
        &self,
        stream: StreamResponse,
        mut next: NextToken,
        on_delta: &mut dyn FnMut(&str) -> Result<(), LlmError>,
    ) -> Result<Answer, LlmError> {
        let key = self.client.settings.api_key.as_ref();
        let mut answer = Answer::new();
        let mut events = SseReader::from(stream);
        loop {
            match chunks::next(&mut events, next.left()) {
                Step::Json(json) => match answer.accept(&json, key) {
                    Ok(Added::Nothing) if answer.is_finished() => next.is_not_needed(),
                    Ok(Added::Nothing) => {}
                    Ok(Added::Thought) => next.came(),
                    Ok(Added::Text(text)) => {
                        on_delta(&text)?;
                        next.came();
                    }
                    Err(error) => return Err(broken_off(&answer, error)),
                },
                Step::Done => return Ok(answer),
                // Some servers close without a last word, or not in order; the answer itself has ended.
                Step::Ended(_) if answer.is_finished() => return Ok(answer),
                Step::Ended(None) => {
                    return Err(LlmError::Truncated("the stream ended in the middle".into()));
                }
                Step::Ended(Some(error)) => return Err(broken_off(&answer, failure::of_transport(error))),
            }
        }
    }
}

/// Once text was passed on, whatever goes wrong leaves half an answer.
fn broken_off(answer: &Answer, error: LlmError) -> LlmError {
    match error {
        LlmError::Cancelled => LlmError::Cancelled,
        error if answer.text.is_empty() => error,
        error => LlmError::Truncated(error.into()),
    }
}

impl Completer for OpenAiCompleter {
    fn model(&self) -> &str {
        &self.client.settings.chat_model
    }

    fn complete(&self, prompt: &Prompt) -> Result<Completion, LlmError> {
        let own = self.client.settings.deadlines.of(prompt);
        let whole = own.of_whole_answer();
        let deadlines = Deadlines {
            connect: CONNECT,
            first_byte: whole,
            idle: own.between_tokens,
            total: whole,
        };
        let answer = self.client.post(PATH, &self.body(prompt, false)?, deadlines)?;
        self.read_whole(&answer.body)?.complete(self.model())
    }

    fn stream(
        &self,
        prompt: &Prompt,
        cancellation: &Cancellation,
        on_delta: &mut dyn FnMut(&str) -> ControlFlow<()>,
    ) -> Result<Completion, LlmError> {
        let cancel = Cancel::new();
        let raised = cancel.clone();
        cancellation.on_cancel(Box::new(move || raised.cancel()));
        let mut pass_on = |delta: &str| {
            let stopped = cancellation.is_cancelled() || on_delta(delta).is_break();
            if stopped { Err(LlmError::Cancelled) } else { Ok(()) }
        };
        let own = self.client.settings.deadlines.of(prompt);
        let first = NextToken::first(own);
        let deadlines = Deadlines {
            connect: CONNECT.min(own.first_token),
            first_byte: own.first_token,
            idle: own.silence(),
            total: own.total,
        };
        let body = self.body(prompt, true)?;
        let stream = self.client.stream(PATH, &body, deadlines, &cancel)?;
        let answer = if is_json(&stream) {
            // A server that does not stream answers in one piece.
            let answer = self.read_whole(&stream.whole().map_err(failure::of_transport)?.body)?;
            if !answer.text.is_empty() {
                pass_on(&answer.text)?;
            }
            answer
        } else {
            self.read_events(stream, first, &mut pass_on)?
        };
        answer.complete(self.model())
    }
}

fn is_json(stream: &StreamResponse) -> bool {
    stream
        .header("content-type")
        .is_some_and(|kind| kind.trim_start().starts_with("application/json"))
}

impl fmt::Debug for OpenAiCompleter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenAiCompleter")
            .field("settings", &self.client.settings)
            .finish_non_exhaustive()
    }
}
