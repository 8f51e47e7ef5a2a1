use tenantry_domain::{Citation, Conversation, Hit, MessageId, MessageStatus, TokenUsage, UsageRecord};
use tenantry_llm_client::FinishReason;

/// A passage that an answer may cite as `[number]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Source {
    /// The number in the answer's markers, from 1.
    pub number: u16,
    /// The passage.
    pub hit: Hit,
}

impl Source {
    /// What a marker with this number stands for.
    pub fn citation(&self) -> Citation {
        Citation {
            number: self.number,
            origin: self.hit.origin.clone(),
            title: self.hit.title.clone(),
            span: self.hit.chunk.span,
            page: self.hit.chunk.page,
            excerpt: self.hit.chunk.text.clone(),
        }
    }
}

/// An answer with what it rests on.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The text as it was handed out, with a marker `[number]` for each thing it cites.
    pub text: String,
    /// The passages that the model was given, in the order of their numbers.
    pub sources: Vec<Source>,
    /// Those of them that the text cites, by number.
    pub citations: Vec<Citation>,
    /// Whether the text cites any.
    pub supported: bool,
    /// The model that wrote it; where none was asked, the one that would have been.
    pub model: String,
    /// Why it ended.
    pub finish: FinishReason,
    /// The tokens that writing it took.
    pub usage: TokenUsage,
    /// Every call of a model that it took.
    pub spent: Vec<UsageRecord>,
    /// Whether it is whole.
    pub status: MessageStatus,
    /// The conversation that it was kept in; `None` when nothing is kept, or the conversation was removed meanwhile.
    pub conversation: Option<Conversation>,
    /// The message that it was kept as.
    pub message: Option<MessageId>,
}
