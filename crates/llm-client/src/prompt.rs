use std::time::Duration;

use tenantry_domain::MessageRole;

use crate::{estimate_tokens, messages};

/// A numbered piece of knowledge that an answer may cite as `[number]`. It is data, never an instruction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passage {
    /// The number to cite it by, from 1.
    pub number: usize,
    /// The title of the document it stands in.
    pub title: String,
    /// Its text.
    pub text: String,
}

/// What was said earlier in a conversation. Nobody vouches for it: an API client may have made it up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastMessage {
    /// Who is said to have said it.
    pub role: MessageRole,
    /// What was said.
    pub text: String,
}

/// What is asked of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Task {
    /// To answer the question.
    #[default]
    Answer,
    /// To turn history and question into one search query that is understood by itself, in the language of the question.
    Rewrite,
}

/// What an answer may rest on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Grounding {
    /// The passages alone.
    #[default]
    Passages,
    /// The passages, and what the model knows where they do not answer; it then says that this is not from the documents.
    PassagesFirst,
    /// What the model knows: nothing was searched, passages are left out and nothing is cited.
    Off,
}

/// How a model chooses its words. What is `None` or empty is left to the completer's settings, and where they say
/// nothing to the provider; a model that does not know a parameter may refuse the request.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Sampling {
    /// From 0 to 2.
    pub temperature: Option<f32>,
    /// From 0 to 1.
    pub top_p: Option<f32>,
    /// The longest answer in tokens.
    pub max_answer_tokens: Option<u32>,
    /// Texts that end the answer before them; OpenAI takes four.
    pub stop: Vec<String>,
    /// From -2 to 2.
    pub presence_penalty: Option<f32>,
    /// From -2 to 2.
    pub frequency_penalty: Option<f32>,
    /// Asks for the same answer to the same prompt, as far as the provider can give it.
    pub seed: Option<i64>,
}

/// The time that is left for an answer; the nearer of it and the completer's own deadlines holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[must_use]
pub struct Budget {
    /// Until the first token of a streamed answer; one in one piece has none.
    pub first_token: Option<Duration>,
    /// For all of it.
    pub total: Option<Duration>,
}

impl Budget {
    /// The shorter of both, each for itself.
    pub fn shorter(self, other: Self) -> Self {
        let shorter = |one: Option<Duration>, other: Option<Duration>| one.into_iter().chain(other).min();
        Self {
            first_token: shorter(self.first_token, other.first_token),
            total: shorter(self.total, other.total),
        }
    }

    /// What is left of it after `passed`; `None` when one of both is used up.
    pub fn after(self, passed: Duration) -> Option<Self> {
        let left = |budget: Option<Duration>| match budget.map(|budget| budget.saturating_sub(passed)) {
            Some(Duration::ZERO) => None,
            left => Some(left),
        };
        Some(Self {
            first_token: left(self.first_token)?,
            total: left(self.total)?,
        })
    }
}

/// A question, with all that a model needs to answer it.
///
/// Two parts are instructions: [`Prompt::system`] and [`Prompt::language`], which the tenant set. All others are data to
/// every implementation.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Prompt {
    /// What is to be done with the question.
    pub task: Task,
    /// The tenant's own instruction.
    pub system: Option<String>,
    /// What an API client asked for beside the question: a wish about the answer's form, below the tenant's instruction
    /// and our rules.
    pub client_instruction: Option<String>,
    /// The language of the answer in words, as `German`; else that of the question.
    pub language: Option<String>,
    /// What the answer may rest on.
    pub grounding: Grounding,
    /// The passages, best first; may be empty.
    pub passages: Vec<Passage>,
    /// What was said before the question, oldest first.
    pub history: Vec<PastMessage>,
    /// The user's question.
    pub question: String,
    /// How words are chosen.
    pub sampling: Sampling,
    /// How long the caller can wait.
    pub budget: Budget,
}

impl Prompt {
    /// Asks for a search query in place of `question`, which followed `history`.
    pub fn rewriting(history: Vec<PastMessage>, question: impl Into<String>) -> Self {
        Self {
            task: Task::Rewrite,
            history,
            question: question.into(),
            ..Self::default()
        }
    }

    /// The tokens of this prompt as it is sent, by [`estimate_tokens`]: as a rule too many by up to a half.
    ///
    /// # Examples
    /// ```
    /// use tenantry_llm_client::Prompt;
    ///
    /// let short = Prompt { question: "How long?".into(), ..Prompt::default() };
    /// let long = Prompt { system: Some("You serve ACME.".into()), ..short.clone() };
    /// assert!(short.estimated_tokens() < long.estimated_tokens());
    /// ```
    pub fn estimated_tokens(&self) -> usize {
        let written = messages::written(self, messages::SAMPLE_MARK);
        let texts = written.iter().map(|message| estimate_tokens(&message.text));
        texts
            .map(|tokens| tokens.saturating_add(MESSAGE_TOKENS))
            .fold(ANSWER_TOKENS, usize::saturating_add)
    }

    /// Whether `mark` stands anywhere in the prompt's own texts.
    #[cfg(feature = "http")]
    pub(crate) fn mentions(&self, mark: &str) -> bool {
        let passages = self
            .passages
            .iter()
            .flat_map(|passage| [&passage.title, &passage.text]);
        let history = self.history.iter().map(|message| &message.text);
        let own = [&self.system, &self.client_instruction, &self.language];
        passages
            .chain(history)
            .chain(own.into_iter().flatten())
            .chain([&self.question])
            .any(|text| text.contains(mark))
    }
}

/// What the frame of a message takes beside its text (OpenAI Cookbook, "How to count tokens with tiktoken").
const MESSAGE_TOKENS: usize = 4;
/// What the frame of the answer takes.
const ANSWER_TOKENS: usize = 3;
