use actix_web::web::Bytes;
use tenantry_retrieval::Answer;

use super::wire::{ChunkView, DeltaView, Head};
use crate::error::{ApiError, OpenAiErrorBody};
use crate::routes::chat::turn::{ChatPart, ChatTurn};
use crate::sse::data;
use crate::turn::Encoding;

/// What tells the client that nothing more comes.
const DONE: &[u8] = b"data: [DONE]\n\n";

/// An answer as chunks. One that fails ends with an error and without a `finish_reason`, which clients raise.
pub(super) struct CompletionEvents {
    head: Head,
    /// Whether the last chunk tells the usage.
    counts: bool,
    /// The model that was asked; the last chunks name the one that answered.
    model: String,
}

impl CompletionEvents {
    pub(super) fn new(head: Head, counts: bool) -> Self {
        Self {
            head,
            counts,
            model: String::new(),
        }
    }

    fn adding(&self, delta: DeltaView<'_>) -> Bytes {
        data(&ChunkView::adding(&self.head, &self.model, delta, self.counts))
    }
}

impl Encoding<ChatTurn> for CompletionEvents {
    fn part(&mut self, part: ChatPart<'_>) -> Bytes {
        match part {
            ChatPart::Begun(turn) => {
                turn.model().clone_into(&mut self.model);
                self.adding(DeltaView {
                    role: Some("assistant"),
                    content: Some(""),
                    ..DeltaView::default()
                })
            }
            ChatPart::Found(_) => Bytes::new(),
            ChatPart::Delta(text) => self.adding(DeltaView {
                content: Some(text),
                ..DeltaView::default()
            }),
        }
    }

    fn end(&mut self, answer: Answer) -> Bytes {
        let mut events = data(&ChunkView::ending(&self.head, &answer, self.counts)).to_vec();
        if self.counts {
            events.extend_from_slice(&data(&ChunkView::counting(&self.head, &answer)));
        }
        events.extend_from_slice(DONE);
        events.into()
    }

    fn error(&self, error: &ApiError, _: &str, _: Option<Answer>) -> Bytes {
        data(&OpenAiErrorBody::from(error))
    }
}
