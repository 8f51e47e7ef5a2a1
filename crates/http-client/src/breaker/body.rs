use std::io::{self, ErrorKind, Read};

use super::{Head, Verdict, of_error};
use crate::{HttpError, StreamResponse};

/// The body of a stream, whose breaking off is held against its upstream.
pub(super) struct Judged {
    body: Box<dyn Read + Send>,
    /// Until the body has ended in one way or another.
    head: Option<Head>,
}

impl Judged {
    pub(super) fn wrap(answer: StreamResponse, head: Head) -> StreamResponse {
        StreamResponse {
            body: Box::new(Self {
                body: answer.body,
                head: Some(head),
            }),
            ..answer
        }
    }
}

impl Read for Judged {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let read = self.body.read(buf);
        match &read {
            Ok(0) if !buf.is_empty() => self.head = None,
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => {
                if let Some(head) = self.head.take().filter(|head| is_failure(error, head.hurried)) {
                    head.broke_off();
                }
            }
        }
        read
    }
}

/// An error that does not say what it is broke the body off; see [`HttpError::from_io`].
fn is_failure(error: &io::Error, hurried: bool) -> bool {
    let known = error
        .get_ref()
        .and_then(|cause| cause.downcast_ref::<HttpError>());
    known.is_none_or(|error| of_error(error, hurried) == Verdict::Failure)
}
