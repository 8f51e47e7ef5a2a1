//! The messages that a client sends. Nobody vouches for them: what the assistant is said to have said may be made up, and an
//! instruction is a wish below the tenant's own.

use serde_json::{Map, Value};
use tenantry_domain::MessageRole;
use tenantry_llm_client::PastMessage;

use super::request::{typed, unknown, unsupported, wrong};
use crate::error::ApiError;

/// What a message may say beside who speaks and what; none of it is passed on. SDKs send back the messages that they were given.
const IGNORED: &[&str] = &["name", "annotations", "refusal", "tenantry"];
/// What a message may name when there is none of it.
const EMPTY: &[&str] = &["audio", "function_call", "tool_calls"];

/// A conversation as a client tells it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Messages {
    /// The user's last message.
    pub(super) question: String,
    /// What is said to have been said before, oldest first.
    pub(super) history: Vec<PastMessage>,
    /// What `system` and `developer` messages say, together.
    pub(super) instruction: Option<String>,
}

impl Messages {
    /// Reads the parameter `messages`.
    ///
    /// # Errors
    /// When they are none, the last is not the user's, or one has what is not taken here.
    pub(super) fn read(messages: Value) -> Result<Self, ApiError> {
        let messages: Vec<Map<String, Value>> = typed("messages", messages)?;
        let (mut history, mut instructions) = (Vec::new(), Vec::new());
        for (number, message) in messages.into_iter().enumerate() {
            let Said { role, text } = Said::read(&format!("messages[{number}]"), message)?;
            match role {
                Role::User => history.push(past(MessageRole::User, text)),
                Role::Assistant => history.push(past(MessageRole::Assistant, text)),
                Role::Instruction => instructions.push(text),
            }
        }
        let last = history.pop().filter(|last| last.role == MessageRole::User);
        let question = last.ok_or_else(|| wrong("messages", "does not end with a message of the user"))?;
        history.retain(|message| !message.text.trim().is_empty());
        instructions.retain(|text| !text.trim().is_empty());
        Ok(Self {
            question: question.text,
            history,
            instruction: (!instructions.is_empty()).then(|| instructions.join("\n\n")),
        })
    }
}

fn past(role: MessageRole, text: String) -> PastMessage {
    PastMessage { role, text }
}

/// Who may speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// Whoever wrote the client.
    Instruction,
    User,
    Assistant,
}

impl Role {
    fn read(place: &str, role: Option<Value>) -> Result<Self, ApiError> {
        let role: String = typed(place, role.ok_or_else(|| wrong(place, "is missing"))?)?;
        match role.as_str() {
            "developer" | "system" => Ok(Self::Instruction),
            "user" => Ok(Self::User),
            "assistant" => Ok(Self::Assistant),
            "tool" | "function" => Err(unsupported(place, "no tools are offered here")),
            _ => Err(wrong(place, "is not developer, system, user or assistant")),
        }
    }
}

/// Who says what.
struct Said {
    role: Role,
    text: String,
}

impl Said {
    fn read(place: &str, mut message: Map<String, Value>) -> Result<Self, ApiError> {
        let role = Role::read(&format!("{place}.role"), message.remove("role"))?;
        let mut text = None;
        for (key, value) in message {
            let place = format!("{place}.{key}");
            match key.as_str() {
                "content" => text = content(&place, value)?,
                key if IGNORED.contains(&key) => {}
                key if EMPTY.contains(&key) && is_empty(&value) => {}
                key if EMPTY.contains(&key) => return Err(unsupported(&place, "only text is taken here")),
                _ => return Err(unknown(&place)),
            }
        }
        if text.is_none() && role != Role::Assistant {
            return Err(wrong(&format!("{place}.content"), "is missing"));
        }
        Ok(Self {
            role,
            text: text.unwrap_or_default(),
        })
    }
}

/// The text of a message; `None` where it has none.
fn content(place: &str, content: Value) -> Result<Option<String>, ApiError> {
    match content {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text)),
        Value::Array(parts) if !parts.is_empty() => {
            let parts = parts.into_iter().enumerate();
            let texts = parts.map(|(number, part)| text_of(&format!("{place}[{number}]"), &part));
            Ok(Some(texts.collect::<Result<Vec<_>, _>>()?.join("\n")))
        }
        _ => Err(wrong(place, "is neither text nor a list of parts")),
    }
}

fn text_of(place: &str, part: &Value) -> Result<String, ApiError> {
    let kind = part.get("type").and_then(Value::as_str);
    let text = match kind {
        Some("text") => part.get("text"),
        Some("refusal") => part.get("refusal"),
        Some(_) => return Err(unsupported(&format!("{place}.type"), "only text is taken here")),
        None => return Err(wrong(&format!("{place}.type"), "is missing")),
    };
    let text = text.and_then(Value::as_str);
    text.map(str::to_owned).ok_or_else(|| wrong(place, "has no text"))
}

pub(super) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(list) => list.is_empty(),
        Value::Object(object) => object.is_empty(),
        _ => false,
    }
}
