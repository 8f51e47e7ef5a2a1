//! The last phase: the answer is kept, and what it took is counted.

use tenantry_domain::{
    Citation, Message, MessageId, MessageRole, MessageStatus, TenantScope, Timestamp, UsageKind,
};

use super::{Answer, Chat, ChatError, Source, Turn};

impl Chat {
    /// Keeps the answer as it was handed out, with its citations and its status, and counts every call that it took. Works in
    /// whatever state the turn is: one that nobody let speak to its end is kept as cancelled, unless it failed.
    ///
    /// # Errors
    /// When the store fails; then the question stays without an answer.
    pub fn settle(&self, scope: &TenantScope, mut turn: Turn) -> Result<Answer, ChatError> {
        turn.belongs_to(scope)?;
        let now = self.parts.clock.now();
        let mut answer = answer_of(&mut turn);
        let Some((kept, owner)) = turn.kept.zip(turn.asker.id()) else {
            if !answer.spent.is_empty() {
                self.parts.usage.add_usage(scope, &answer.spent)?;
            }
            return Ok(answer);
        };
        let message = message(&answer, kept.answer, turn.written, now);
        let conversation = kept.conversation.id;
        let added = self
            .parts
            .messages
            .finish_turn(scope, owner, conversation, &message, &answer.spent)?;
        if added {
            answer.message = Some(kept.answer);
            answer.conversation = Some(kept.conversation);
        }
        Ok(answer)
    }
}

fn answer_of(turn: &mut Turn) -> Answer {
    let citations: Vec<Citation> = turn
        .sources
        .iter()
        .filter(|source| turn.voice.cites(source.number))
        .map(Source::citation)
        .collect();
    Answer {
        text: turn.voice.take_text(),
        sources: std::mem::take(&mut turn.sources),
        supported: !citations.is_empty(),
        citations,
        model: std::mem::take(&mut turn.model),
        finish: turn.finish,
        usage: turn.usage,
        spent: std::mem::take(&mut turn.spent),
        status: turn.status.unwrap_or(MessageStatus::Cancelled),
        conversation: None,
        message: None,
    }
}

/// The answer as it is kept; `written` where a model wrote any of it.
fn message(answer: &Answer, id: MessageId, written: bool, now: Timestamp) -> Message {
    let counted = answer
        .spent
        .iter()
        .any(|record| record.kind == UsageKind::Answering);
    Message {
        id,
        role: MessageRole::Assistant,
        text: answer.text.clone(),
        status: answer.status,
        citations: answer.citations.clone(),
        model: written.then(|| answer.model.clone()),
        usage: counted.then_some(answer.usage),
        created_at: now,
    }
}
