use std::str::FromStr;

use serde::{Deserialize, Serialize};
use tenantry_domain::{AllowedHost, ChatSettings};
use tenantry_retrieval::ChatTuning;
use utoipa::ToSchema;

use crate::error::{ApiError, Code};
use crate::extract::present;

/// How a tenant's questions are answered; `null` follows the server's default.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChatSettings)]
pub(in crate::routes) struct ChatView {
    /// The chat models: the first answers, the next ones in order when those before fail. Empty for the server's own.
    models: Vec<String>,
    /// From 0 to 2.
    temperature: Option<f32>,
    /// The longest answer in tokens.
    max_answer_tokens: Option<u32>,
    /// How many passages an answer may rest on.
    passages: Option<u16>,
    /// The language of answers; else that of the question.
    language: Option<String>,
    /// What becomes of a question for which no passage is found: `decline` or `answer`.
    #[schema(example = "decline")]
    without_support: &'static str,
    /// What is said instead of an answer that nothing supports.
    unsupported_text: Option<String>,
    /// What becomes of follow-up questions before retrieval: `rewrite` or `as_asked`.
    #[schema(example = "rewrite")]
    follow_ups: &'static str,
    /// How many tokens of a conversation's history a prompt may have.
    history_tokens: Option<u32>,
    /// What becomes of an answer whose reader leaves: `cancel` or `finish`.
    #[schema(example = "cancel")]
    on_leave: &'static str,
    /// What becomes of the instructions that API clients send: `demote` or `refuse`.
    #[schema(example = "demote")]
    client_instructions: &'static str,
    /// The hosts that answers may link to or show images of.
    allowed_hosts: Vec<String>,
    /// The embedding model of the tenant's next index.
    embedding_model: Option<String>,
    /// Whether the server's provider may answer where the tenant's own does not.
    server_provider: bool,
    /// How many answers of one user may be under way at once, on each server.
    streams_per_user: Option<u32>,
    /// How many answers of the tenant may be under way at once, on each server.
    streams_per_tenant: Option<u32>,
}

impl From<ChatSettings> for ChatView {
    fn from(chat: ChatSettings) -> Self {
        Self {
            models: chat.models,
            temperature: chat.temperature,
            max_answer_tokens: chat.max_answer_tokens,
            passages: chat.passages,
            language: chat.language,
            without_support: chat.without_support.as_str(),
            unsupported_text: chat.unsupported_text,
            follow_ups: chat.follow_ups.as_str(),
            history_tokens: chat.history_tokens,
            on_leave: chat.on_leave.as_str(),
            client_instructions: chat.client_instructions.as_str(),
            allowed_hosts: chat.allowed_hosts.iter().map(AllowedHost::to_string).collect(),
            embedding_model: chat.embedding_model,
            server_provider: chat.server_provider,
            streams_per_user: chat.streams_per_user,
            streams_per_tenant: chat.streams_per_tenant,
        }
    }
}

/// How a tenant's questions are to be answered: what is left out stays as it is, and `null` brings a default back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ChatTuning, example = json!({"temperature": 0.2, "passages": 8, "language": "German"}))]
pub(in crate::routes) struct ChatBody {
    /// The chat models in order: at most 8 names of 1 to 200 visible ASCII characters. Without a provider of its own, a tenant's
    /// admins may name those that the server offers.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<Vec<String>>)]
    models: Option<Option<Vec<String>>>,
    /// From 0 to 2; some models take none.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<f32>, minimum = 0, maximum = 2)]
    temperature: Option<Option<f32>>,
    /// The longest answer in tokens: 1 to 128,000.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<u32>, minimum = 1, maximum = 128_000)]
    max_answer_tokens: Option<Option<i64>>,
    /// How many passages an answer may rest on: 1 to 20.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<u32>, minimum = 1, maximum = 20)]
    passages: Option<Option<i64>>,
    /// The language of answers in words: 1 to 64 characters on one line.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    language: Option<Option<String>>,
    /// What becomes of a question for which no passage is found: `decline` (no model is asked; the answer says so) or `answer` (the
    /// model answers from what it knows, and says so).
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    without_support: Option<Option<String>>,
    /// What is said instead of an answer that nothing supports: 1 to 2,000 characters.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    unsupported_text: Option<Option<String>>,
    /// What becomes of follow-up questions before retrieval: `rewrite` (into questions that stand alone, by a model) or `as_asked`.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    follow_ups: Option<Option<String>>,
    /// How many tokens of a conversation's history a prompt may have: 0 to 100,000.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<u32>, minimum = 0, maximum = 100_000)]
    history_tokens: Option<Option<i64>>,
    /// What becomes of an answer whose reader leaves: `cancel` (the provider's connection is closed) or `finish` (it is read to its
    /// end). What there is of it is kept both times.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    on_leave: Option<Option<String>>,
    /// What becomes of the `system` and `developer` messages of API clients: `demote` (quoted as a wish, below the system prompt) or
    /// `refuse`.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    client_instructions: Option<Option<String>>,
    /// The hosts that answers may link to or show images of: at most 100, as `example.org`, or `*.example.org` for all below it.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<Vec<String>>)]
    allowed_hosts: Option<Option<Vec<String>>>,
    /// The embedding model of the tenant's next index, one of those that the server has.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    embedding_model: Option<Option<String>>,
    /// Whether the server's provider may answer where the tenant's own does not.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<bool>)]
    server_provider: Option<Option<bool>>,
    /// How many answers of one user may be under way at once, on each server: 1 to 10,000. Superusers alone set it.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<u32>, minimum = 1, maximum = 10_000)]
    streams_per_user: Option<Option<i64>>,
    /// How many answers of the tenant may be under way at once, on each server: 1 to 10,000. Superusers alone set it.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<u32>, minimum = 1, maximum = 10_000)]
    streams_per_tenant: Option<Option<i64>>,
}

impl TryFrom<ChatBody> for ChatTuning {
    type Error = ApiError;

    fn try_from(body: ChatBody) -> Result<Self, ApiError> {
        Ok(Self {
            models: body.models.map(Option::unwrap_or_default),
            temperature: body.temperature,
            max_answer_tokens: body.max_answer_tokens,
            passages: body.passages,
            language: body.language,
            without_support: choice("without_support", body.without_support, "`decline` nor `answer`")?,
            unsupported_text: body.unsupported_text,
            follow_ups: choice("follow_ups", body.follow_ups, "`rewrite` nor `as_asked`")?,
            history_tokens: body.history_tokens,
            on_leave: choice("on_leave", body.on_leave, "`cancel` nor `finish`")?,
            client_instructions: choice(
                "client_instructions",
                body.client_instructions,
                "`demote` nor `refuse`",
            )?,
            allowed_hosts: body.allowed_hosts.map(Option::unwrap_or_default),
            embedding_model: body.embedding_model,
            server_provider: body.server_provider.map(Option::unwrap_or_default),
            streams_per_user: body.streams_per_user,
            streams_per_tenant: body.streams_per_tenant,
        })
    }
}

/// One of a setting's choices by its name; `null` is the default one.
fn choice<T: FromStr + Default>(
    field: &str,
    name: Option<Option<String>>,
    choices: &str,
) -> Result<Option<T>, ApiError> {
    let read = |name: Option<String>| match name {
        Some(name) => name.parse().map_err(|_| {
            ApiError::new(Code::InvalidRequest).saying(format!("`chat.{field}` is neither {choices}"))
        }),
        None => Ok(T::default()),
    };
    name.map(read).transpose()
}
