use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use tenantry_domain::Tenant;
use tenantry_llm_client::Sampling;
use tenantry_retrieval::{Question, Retrieval, Thread};
use utoipa::openapi::{ArrayBuilder, ObjectBuilder, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::messages::{Messages, is_empty};
use crate::error::{ApiError, Code};
use crate::extract::explain;
use crate::routes::wire::RetrievalBody;

/// Parameters that change nothing here: notes for a log that there is not, and wishes about how a provider does its work.
const IGNORED: &[&str] = &[
    "metadata",
    "parallel_tool_calls",
    "prediction",
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
    "reasoning_effort",
    "safety_identifier",
    "service_tier",
    "store",
    "user",
    "verbosity",
];

/// The most texts that end an answer.
const MAX_STOPS: usize = 4;

/// A conversation to be gone on with, as `OpenAI`'s clients send it.
#[derive(Debug, Default, ToSchema)]
#[schema(as = ChatCompletionRequest, example = json!({
    "model": "gpt-4o-mini",
    "messages": [{"role": "user", "content": "How long can goods be returned?"}],
    "tenantry": {"retrieval": {"limit": 4}}
}))]
pub(super) struct CompletionRequest {
    /// One of the models of `GET /v1/models`.
    #[schema(value_type = String)]
    model: Option<String>,
    /// What was said: `developer`, `system`, `user` and `assistant` messages of text, the last of them a user's.
    #[schema(schema_with = messages_schema)]
    messages: Option<Messages>,
    /// Whether to answer with chunks.
    stream: Option<bool>,
    /// How to stream.
    stream_options: Option<StreamOptions>,
    /// From 0 to 2; else the tenant's.
    #[schema(minimum = 0, maximum = 2)]
    temperature: Option<f32>,
    /// From 0 to 1.
    #[schema(minimum = 0, maximum = 1)]
    top_p: Option<f32>,
    /// The longest answer in tokens; never more than the tenant allows.
    #[schema(minimum = 1)]
    max_completion_tokens: Option<u32>,
    /// The same by its former name.
    #[schema(minimum = 1)]
    max_tokens: Option<u32>,
    /// A text that ends the answer before it, or up to four.
    #[schema(value_type = Option<Vec<String>>)]
    stop: Option<Stops>,
    /// From -2 to 2.
    #[schema(minimum = -2, maximum = 2)]
    presence_penalty: Option<f32>,
    /// From -2 to 2.
    #[schema(minimum = -2, maximum = 2)]
    frequency_penalty: Option<f32>,
    /// Asks for the same answer to the same messages.
    seed: Option<i64>,
    /// What `OpenAI`'s API has no place for.
    tenantry: Option<Extension>,
}

/// How to stream.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ChatCompletionStreamOptions)]
struct StreamOptions {
    /// Whether a last chunk tells the usage.
    include_usage: Option<bool>,
    /// Taken and without effect.
    #[expect(dead_code, reason = "taken and without effect")]
    include_obfuscation: Option<bool>,
}

/// What `OpenAI`'s API has no place for.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TenantryExtension)]
struct Extension {
    /// What the answer rests on.
    #[schema(schema_with = RetrievalBody::schema)]
    retrieval: Option<RetrievalBody>,
}

/// Texts that end an answer.
#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "expected a string or a list of strings")]
enum Stops {
    One(String),
    Several(Vec<String>),
}

impl CompletionRequest {
    /// Reads the parameters. One that is `null` is left out.
    ///
    /// # Errors
    /// When one is unknown, cannot be used, or asks for what there is not here.
    pub(super) fn read(parameters: Map<String, Value>) -> Result<Self, ApiError> {
        let mut request = Self::default();
        for (name, value) in parameters {
            request.set(&name, value)?;
        }
        request.check()?;
        Ok(request)
    }

    fn set(&mut self, name: &str, value: Value) -> Result<(), ApiError> {
        match name {
            "model" => self.model = typed(name, value)?,
            "messages" => self.messages = Some(Messages::read(value)?),
            "stream" => self.stream = typed(name, value)?,
            "stream_options" => self.stream_options = typed(name, value)?,
            "temperature" => self.temperature = within(name, value, 0.0, 2.0)?,
            "top_p" => self.top_p = within(name, value, 0.0, 1.0)?,
            "max_completion_tokens" => self.max_completion_tokens = at_least_one(name, value)?,
            "max_tokens" => self.max_tokens = at_least_one(name, value)?,
            "stop" => self.stop = typed(name, value)?,
            "presence_penalty" => self.presence_penalty = within(name, value, -2.0, 2.0)?,
            "frequency_penalty" => self.frequency_penalty = within(name, value, -2.0, 2.0)?,
            "seed" => self.seed = typed(name, value)?,
            "tenantry" => self.tenantry = typed(name, value)?,
            _ if IGNORED.contains(&name) => {}
            _ => match asks_for_nothing(name, &value) {
                Some(true) => {}
                Some(false) => return Err(unsupported(name, "this is not offered here")),
                None => return Err(unknown(name)),
            },
        }
        Ok(())
    }

    /// What holds between parameters.
    fn check(&self) -> Result<(), ApiError> {
        if self.stream_options.is_some() && !self.is_streamed() {
            return Err(wrong("stream_options", "is only taken together with `stream`"));
        }
        if self.max_tokens.is_some() && self.max_completion_tokens.is_some() {
            return Err(wrong(
                "max_tokens",
                "is not taken together with `max_completion_tokens`",
            ));
        }
        let stops = self.stop.as_ref().map_or(0, Stops::count);
        if stops > MAX_STOPS {
            return Err(wrong("stop", "has more than four texts"));
        }
        Ok(())
    }

    /// Whether the answer is to come in chunks.
    pub(super) fn is_streamed(&self) -> bool {
        self.stream == Some(true)
    }

    /// Whether a last chunk is to tell the usage.
    pub(super) fn wants_usage(&self) -> bool {
        let options = self.stream_options.as_ref();
        options.and_then(|options| options.include_usage) == Some(true)
    }

    /// What is asked of this tenant.
    ///
    /// # Errors
    /// When model or messages are missing, or the retrieval that is asked for cannot be done.
    pub(super) fn into_question(self, tenant: &Tenant) -> Result<Question, ApiError> {
        let messages = self.messages.ok_or_else(|| wrong("messages", "is missing"))?;
        let model = self.model.ok_or_else(|| wrong("model", "is missing"))?;
        let retrieval = match self.tenantry.and_then(|extension| extension.retrieval) {
            Some(retrieval) => {
                let retrieval = retrieval.into_retrieval(tenant.search.fusion);
                retrieval.map_err(|error| error.with_about("tenantry"))?
            }
            None => Retrieval::default(),
        };
        Ok(Question {
            message: messages.question,
            thread: Thread::Stateless {
                history: messages.history,
            },
            client_instruction: messages.instruction,
            retrieval,
            model: Some(model),
            sampling: Sampling {
                temperature: self.temperature,
                top_p: self.top_p,
                max_answer_tokens: self.max_completion_tokens.or(self.max_tokens),
                stop: self.stop.map(Stops::into_vec).unwrap_or_default(),
                presence_penalty: self.presence_penalty,
                frequency_penalty: self.frequency_penalty,
                seed: self.seed,
            },
        })
    }
}

impl Stops {
    fn count(&self) -> usize {
        match self {
            Self::One(_) => 1,
            Self::Several(texts) => texts.len(),
        }
    }

    fn into_vec(self) -> Vec<String> {
        match self {
            Self::One(text) => vec![text],
            Self::Several(texts) => texts,
        }
    }
}

/// Whether a parameter that is not offered asks for nothing beyond what is; `None` when there is no such parameter.
fn asks_for_nothing(name: &str, value: &Value) -> Option<bool> {
    let is_default = match name {
        "n" => *value == 1,
        "tools" | "functions" | "logit_bias" => is_empty(value),
        "tool_choice" | "function_call" => *value == "none" || *value == "auto",
        "response_format" => value.get("type").is_some_and(|kind| *kind == "text"),
        "logprobs" => *value == false,
        "top_logprobs" => *value == 0,
        "modalities" => value
            .as_array()
            .is_some_and(|kinds| kinds.iter().all(|kind| *kind == "text")),
        "audio" | "moderation" | "web_search_options" => false,
        _ => return None,
    };
    Some(is_default || value.is_null())
}

fn within(name: &str, value: Value, lowest: f32, highest: f32) -> Result<Option<f32>, ApiError> {
    let number: Option<f32> = typed(name, value)?;
    match number {
        Some(number) if !(lowest..=highest).contains(&number) => {
            Err(wrong(name, &format!("is not between {lowest} and {highest}")))
        }
        number => Ok(number),
    }
}

fn at_least_one(name: &str, value: Value) -> Result<Option<u32>, ApiError> {
    match typed(name, value)? {
        Some(0) => Err(wrong(name, "is not at least 1")),
        number => Ok(number),
    }
}

/// The value of a parameter; what is said of a mistake repeats nothing of it.
pub(super) fn typed<T: DeserializeOwned>(place: &str, value: Value) -> Result<T, ApiError> {
    serde_json::from_value(value)
        .map_err(|error| wrong(place, &format!("does not fit: {}", explain(&error.to_string()))))
}

pub(super) fn wrong(place: &str, what: &str) -> ApiError {
    let error = ApiError::new(Code::InvalidRequest).saying(format!("`{place}` {what}"));
    error.with_about(place)
}

/// For what `OpenAI` offers and this API does not.
pub(super) fn unsupported(place: &str, why: &str) -> ApiError {
    let error =
        ApiError::new(Code::UnsupportedParameter).saying(format!("`{place}` is not supported: {why}"));
    error.with_about(place)
}

/// For what nobody offers; the sentence is the one that `OpenAI` has for it.
pub(super) fn unknown(place: &str) -> ApiError {
    /// As much of the name as is told.
    const SHOWN: usize = 64;
    let shown: String = place
        .chars()
        .map(|c| if c.is_control() { '?' } else { c })
        .take(SHOWN)
        .collect();
    let error = ApiError::new(Code::UnknownParameter);
    error
        .saying(format!("Unrecognized request argument supplied: {shown}"))
        .with_about(&shown)
}

/// The place of the messages in the OpenAPI description.
fn messages_schema() -> RefOr<Schema> {
    let message = ObjectBuilder::new()
        .property("role", String::schema())
        .required("role")
        .property("content", String::schema())
        .description(Some("`content` is text or a list of parts of the type `text`."));
    ArrayBuilder::new()
        .items(message)
        .description(Some(
            "What was said: `developer`, `system`, `user` and `assistant` messages of text, the last of them a user's.",
        ))
        .into()
}
