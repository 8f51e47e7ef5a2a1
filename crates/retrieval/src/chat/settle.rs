//! The last phase: the answer is kept, and what it took is counted.

use tenantry_domain::{Citation, Message, MessageRole, MessageStatus, TenantScope, Timestamp};

use super::{Answer, Chat, ChatError, Source, Turn};

impl Chat {
    /// Keeps the answer as it was handed out, with its citations and its status, and counts every call that it took. Works in
    /// whatever state the turn is: one that nobody let speak to its end is kept as cancelled, unless it failed.
    ///
    /// # Errors
    /// When the store fails; then the question stays without an answer.
    pub fn settle(&self, scope: &TenantScope, turn: Turn) -> Result<Answer, ChatError> {
        turn.belongs_to(scope)?;
        let now = self.parts.clock.now();
        let mut answer = answer_of(&turn);
        let kept = turn.kept.as_ref().zip(turn.asker.id());
        let Some((kept, owner)) = kept else {
            if !answer.spent.is_empty() {
                self.parts.usage.add_usage(scope, &answer.spent)?;
            }
            return Ok(answer);
        };
        let message = message(&turn, &answer, kept.answer, now);
        let conversation = kept.conversation.id;
        let added = self
            .parts
            .messages
            .finish_turn(scope, owner, conversation, &message, &answer.spent)?;
        if added {
            answer.message = Some(kept.answer);
            answer.conversation = turn.kept.map(|kept| kept.conversation);
        }
        Ok(answer)
    }
}

fn answer_of(turn: &Turn) -> Answer {
    let citations: Vec<Citation> = turn
        .sources
        .iter()
        .filter(|source| turn.voice.cites(source.number))
        .map(Source::citation)
        .collect();
    Answer {
        text: turn.voice.text().to_owned(),
        sources: turn.sources.clone(),
        supported: !citations.is_empty(),
        citations,
        model: turn.model.clone(),
        finish: turn.finish,
        usage: turn.usage,
        spent: turn.spent.clone(),
        status: turn.status.unwrap_or(MessageStatus::Cancelled),
        conversation: None,
        message: None,
    }
}

fn message(turn: &Turn, answer: &Answer, id: tenantry_domain::MessageId, now: Timestamp) -> Message {
    let counted = answer
        .spent
        .iter()
        .any(|record| record.kind == tenantry_domain::UsageKind::Answering);
    Message {
        id,
        role: MessageRole::Assistant,
        text: answer.text.clone(),
        status: answer.status,
        citations: answer.citations.clone(),
        model: turn.written.then(|| answer.model.clone()),
        usage: counted.then_some(answer.usage),
        created_at: now,
    }
}
