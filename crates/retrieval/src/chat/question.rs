use tenantry_domain::{ConversationId, Email, Filter, Fusion, User, UserId};
use tenantry_llm_client::{PastMessage, Sampling};

use crate::Caller;

/// Who asks: whose conversations and usage a question belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asker {
    user: Option<UserId>,
    email: Option<Email>,
}

impl Asker {
    /// Somebody whose credential was verified.
    pub fn of(caller: &Caller) -> Self {
        Self {
            user: Some(caller.owner()),
            email: caller.user().map(|user| user.email.clone()),
        }
    }

    /// A user.
    pub fn user(user: &User) -> Self {
        Self {
            user: Some(user.id),
            email: Some(user.email.clone()),
        }
    }

    /// Whoever runs the process: without conversations, and without usage of their own.
    pub fn operator() -> Self {
        Self {
            user: None,
            email: None,
        }
    }

    /// The id of the user or of the API key; `None` for the operator.
    pub fn id(&self) -> Option<UserId> {
        self.user
    }

    /// The user's address; `None` for an API key and the operator.
    pub fn email(&self) -> Option<&Email> {
        self.email.as_ref()
    }
}

/// What was said before a question, and where question and answer are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Thread {
    /// The client says what was said before; nothing is kept but what it took.
    Stateless {
        /// What is said to have been said, oldest first.
        history: Vec<PastMessage>,
    },
    /// A conversation that begins with the question.
    New,
    /// The asker's conversation of that id.
    Existing(ConversationId),
}

/// What an answer rests on.
#[derive(Debug, Clone, PartialEq)]
pub enum Retrieval {
    /// Nothing: the model answers from what it knows.
    Off,
    /// The tenant's passages; what is not said is the tenant's setting.
    On {
        /// How many passages at most: 1 to [`ChatSettings::MAX_PASSAGES`](tenantry_domain::ChatSettings::MAX_PASSAGES).
        limit: Option<u16>,
        /// The lowest score of a passage, 0 to 1.
        min_score: Option<f32>,
        /// How the rankings are fused.
        fusion: Option<Fusion>,
        /// What the documents' metadata must be like.
        filter: Option<Filter>,
    },
}

impl Default for Retrieval {
    /// The tenant's passages as the tenant is set.
    fn default() -> Self {
        Self::On {
            limit: None,
            min_score: None,
            fusion: None,
            filter: None,
        }
    }
}

/// A question to a tenant's knowledge.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// The question: 1 to 16,000 characters, not blank.
    pub message: String,
    /// What was said before.
    pub thread: Thread,
    /// What an API client sent as its own instruction; 1 to 16,000 characters.
    pub client_instruction: Option<String>,
    /// What the answer rests on.
    pub retrieval: Retrieval,
    /// The model that is asked first: one of [`Chat::models`](crate::Chat::models).
    pub model: Option<String>,
    /// How the model chooses its words; what is not said is the tenant's setting. An answer is never longer than the tenant
    /// allows.
    pub sampling: Sampling,
}

impl Question {
    /// A question of which nothing is kept, answered as the tenant is set.
    pub fn alone(message: impl Into<String>) -> Self {
        Self::in_thread(message, Thread::Stateless { history: Vec::new() })
    }

    /// A question that begins a conversation, answered as the tenant is set.
    pub fn opening(message: impl Into<String>) -> Self {
        Self::in_thread(message, Thread::New)
    }

    /// A question in a conversation, answered as the tenant is set.
    pub fn following(conversation: ConversationId, message: impl Into<String>) -> Self {
        Self::in_thread(message, Thread::Existing(conversation))
    }

    fn in_thread(message: impl Into<String>, thread: Thread) -> Self {
        Self {
            message: message.into(),
            thread,
            client_instruction: None,
            retrieval: Retrieval::default(),
            model: None,
            sampling: Sampling::default(),
        }
    }
}
