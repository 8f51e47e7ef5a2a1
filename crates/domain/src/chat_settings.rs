use crate::names::names;
use crate::{AllowedHosts, SealedSecret, Timestamp, UserId};

/// How a tenant's questions are answered. What is `None` or empty follows the server's default.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ChatSettings {
    /// The chat models: the first answers, the next ones in order when those before fail.
    pub models: Vec<String>,
    /// From 0 to 2.
    pub temperature: Option<f32>,
    /// The longest answer in tokens.
    pub max_answer_tokens: Option<u32>,
    /// How many passages an answer may rest on: 1 to [`ChatSettings::MAX_PASSAGES`].
    pub passages: Option<u16>,
    /// The language of answers in words, as `German`; else that of the question.
    pub language: Option<String>,
    /// What becomes of a question for which no passage is found.
    pub without_support: WithoutSupport,
    /// What is said instead of an answer that nothing supports.
    pub unsupported_text: Option<String>,
    /// What becomes of follow-up questions before retrieval.
    pub follow_ups: FollowUps,
    /// How many tokens of a conversation's history a prompt may have; 0 sends none.
    pub history_tokens: Option<u32>,
    /// What becomes of an answer whose reader leaves.
    pub on_leave: OnLeave,
    /// What becomes of the instructions that API clients send.
    pub client_instructions: ClientInstructions,
    /// The hosts that answers may link to or show images of.
    pub allowed_hosts: AllowedHosts,
    /// The embedding model of the tenant's index, by name.
    pub embedding_model: Option<String>,
    /// Whether the server's provider may answer where the tenant's own does not.
    pub server_provider: bool,
    /// How many answers of one user may be under way at once, on each server.
    pub streams_per_user: Option<u32>,
    /// How many answers of the tenant may be under way at once, on each server.
    pub streams_per_tenant: Option<u32>,
}

impl ChatSettings {
    /// The most passages of one answer.
    pub const MAX_PASSAGES: u16 = 20;
}

/// Text that names no choice of a tenant's chat settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected one of the setting's choices")]
pub struct ParseChatSettingError;

names! {
    /// What becomes of a question for which no passage is found.
    #[derive(Default)]
    WithoutSupport, ParseChatSettingError:
    /// No model is asked; the answer says that nothing was found.
    #[default]
    Decline = "decline",
    /// The model answers from what it knows, and says that it does so.
    Answer = "answer",
}

names! {
    /// What becomes of follow-up questions before retrieval.
    #[derive(Default)]
    FollowUps, ParseChatSettingError:
    /// They are rewritten into questions that stand alone, where a model can do that.
    #[default]
    Rewrite = "rewrite",
    /// They are searched for as they are.
    AsAsked = "as_asked",
}

names! {
    /// What becomes of an answer whose reader leaves.
    #[derive(Default)]
    OnLeave, ParseChatSettingError:
    /// The provider's connection is closed; what came so far is kept.
    #[default]
    Cancel = "cancel",
    /// It is read to its end and kept.
    Finish = "finish",
}

names! {
    /// What becomes of the instructions (`system` and `developer` messages) that API clients send.
    #[derive(Default)]
    ClientInstructions, ParseChatSettingError:
    /// They are quoted to the model as a wish, below the tenant's own prompt.
    #[default]
    Demote = "demote",
    /// The request is refused.
    Refuse = "refuse",
}

/// A tenant's own provider of models.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LlmProvider {
    /// What its endpoints stand below, as `https://api.openai.com/v1`.
    pub base_url: String,
    /// The API key, sealed; compatible servers often need none.
    pub api_key: Option<SealedSecret>,
}

/// What a tenant's system prompt was for a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PromptVersion {
    /// Its number in the tenant, from 1.
    pub number: u32,
    /// The prompt; `None` where it was cleared.
    pub text: Option<String>,
    /// Who set it; `None` where it was set by the command line or directly in the database.
    pub author: Option<UserId>,
    /// When it was set.
    pub created_at: Timestamp,
}
