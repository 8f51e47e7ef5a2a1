use actix_web::web::Bytes;
use tenantry_retrieval::Answer;

use super::turn::{ChatPart, ChatTurn};
use super::wire::{DeltaView, DoneView, FailureView, PlaceView, SourcesView};
use crate::error::ApiError;
use crate::sse::event;
use crate::turn::Encoding;

/// The events of `/chat`.
#[derive(Debug, Default)]
pub(super) struct NativeEvents {
    /// Where the answer is to be kept.
    place: PlaceView,
}

impl Encoding<ChatTurn> for NativeEvents {
    fn part(&mut self, part: ChatPart<'_>) -> Bytes {
        match part {
            ChatPart::Begun(turn) => {
                self.place = turn.into();
                Bytes::new()
            }
            ChatPart::Found(turn) => event("sources", &SourcesView::from(turn)),
            ChatPart::Delta(text) => event("delta", &DeltaView { text }),
        }
    }

    fn end(&mut self, answer: Answer) -> Bytes {
        event("done", &DoneView::from(answer))
    }

    fn error(&self, error: &ApiError, request_id: &str, kept: Option<Answer>) -> Bytes {
        let failure = FailureView::new(error.body(request_id), self.place.clone(), kept);
        event("error", &failure)
    }
}
