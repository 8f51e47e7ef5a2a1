//! Writes a prompt as the messages that a chat model is sent.
//!
//! Who spoke is told by a message's role alone. What nobody vouches for stands in messages of role `user` or `assistant`: a message of the
//! history in one of its own, passages and a client's wish between marks that are fresh for each request.

mod fence;
mod rules;
mod template;
#[cfg(test)]
mod tests;

use tenantry_domain::MessageRole;

use self::fence::Fence;
use self::template::defused;
use crate::{Grounding, PastMessage, Prompt, Task};

/// Who speaks in a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    System,
    User,
    Assistant,
}

/// A message of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Written {
    pub(crate) role: Role,
    pub(crate) text: String,
}

/// A mark as good as any where nothing is sent.
pub(crate) const SAMPLE_MARK: &str = "f00dfeedf00dfeed";

/// Writes `prompt` with `mark` around what is quoted in it. After the first message, which holds all the rules, users and assistant take turns,
/// beginning and ending with the user: several models take nothing else.
pub(crate) fn written(prompt: &Prompt, mark: &str) -> Vec<Written> {
    match prompt.task {
        Task::Answer => answer(prompt, mark),
        Task::Rewrite => rewrite(prompt, mark),
    }
}

fn answer(prompt: &Prompt, mark: &str) -> Vec<Written> {
    let mut talk = Talk::new(rules::of_answer(prompt));
    for message in &prompt.history {
        talk.quote(message);
    }
    if let Some(data) = data(prompt, mark) {
        talk.say(Role::User, data);
        talk.say(Role::Assistant, rules::UNDERSTOOD.to_owned());
    }
    talk.say(Role::User, defused(&prompt.question).into_owned());
    talk.0
}

/// What is quoted beside the conversation, each part followed by what it is.
fn data(prompt: &Prompt, mark: &str) -> Option<String> {
    let mut parts = Vec::new();
    if let Some(wish) = filled(prompt.client_instruction.as_deref()) {
        let mut fence = Fence::new(mark);
        fence.quote("wish", wish);
        parts.push(fence.close(rules::AFTER_WISH));
    }
    if prompt.grounding != Grounding::Off && !prompt.passages.is_empty() {
        let mut fence = Fence::new(mark);
        for passage in &prompt.passages {
            fence.quote(
                &format!("passage [{}]: {}", passage.number, passage.title),
                &passage.text,
            );
        }
        parts.push(fence.close(rules::AFTER_PASSAGES));
    }
    (!parts.is_empty()).then(|| parts.join("\n\n"))
}

fn rewrite(prompt: &Prompt, mark: &str) -> Vec<Written> {
    let mut fence = Fence::new(mark);
    for message in &prompt.history {
        let speaker = match message.role {
            MessageRole::User => "user",
            MessageRole::Assistant => "assistant",
        };
        fence.quote(speaker, &message.text);
    }
    fence.quote("question", &prompt.question);
    let mut talk = Talk::new(rules::OF_REWRITING.to_owned());
    talk.say(Role::User, fence.close(rules::AFTER_CONVERSATION));
    talk.0
}

fn filled(text: Option<&str>) -> Option<&str> {
    text.map(str::trim).filter(|text| !text.is_empty())
}

/// Messages in which user and assistant take turns.
struct Talk(Vec<Written>);

impl Talk {
    fn new(rules: String) -> Self {
        Self(vec![Written {
            role: Role::System,
            text: rules,
        }])
    }

    /// Adds a message of the history; one of whoever spoke last is joined to that.
    fn quote(&mut self, message: &PastMessage) {
        let text = defused(message.text.trim());
        if text.is_empty() {
            return;
        }
        let role = match message.role {
            MessageRole::User => Role::User,
            MessageRole::Assistant => Role::Assistant,
        };
        match self.0.last_mut() {
            Some(last) if last.role == role => {
                last.text.push_str("\n\n");
                last.text.push_str(&text);
            }
            _ => self.say(role, text.into_owned()),
        }
    }

    /// Adds a message, and before it the word of the other where that is missing.
    fn say(&mut self, role: Role, text: String) {
        let last = self.0.last().map(|last| last.role);
        match (last, role) {
            (Some(Role::System), Role::Assistant) => self.add(Role::User, rules::NOT_ASKED),
            (Some(Role::User), Role::User) => self.add(Role::Assistant, rules::NOT_ANSWERED),
            _ => {}
        }
        self.0.push(Written { role, text });
    }

    fn add(&mut self, role: Role, text: &str) {
        self.0.push(Written {
            role,
            text: text.to_owned(),
        });
    }
}
