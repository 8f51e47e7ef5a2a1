use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use crate::input::Input;
use crate::out::Out;
use crate::{ExtractError, Extracted, Extractor, FileHint, Limits, Sink, formats};

/// Reads every format in the calling thread.
///
/// A file that was made to do harm can still use the thread's whole stack, which ends the process, or work without
/// end. Files from people who are not trusted belong into a process of their own: `ProcessExtractor`.
#[derive(Debug, Clone, Copy, Default)]
pub struct InProcessExtractor {
    limits: Limits,
}

impl InProcessExtractor {
    /// An extractor under `limits`.
    pub fn new(limits: Limits) -> Self {
        Self { limits }
    }
}

impl Extractor for InProcessExtractor {
    fn extract(
        &self,
        file: &mut dyn Read,
        hint: FileHint<'_>,
        sink: &mut Sink<'_>,
    ) -> Result<Extracted, ExtractError> {
        let mut out = Out::new(sink, self.limits.text_chars);
        let input = Input::open(file, hint)?;
        let extracted = if input.is_streamed() {
            input.stream(hint, &mut out)?
        } else {
            let beginning = input.beginning;
            let bytes = input.whole(&self.limits)?;
            let read = AssertUnwindSafe(|| formats::read(beginning, bytes, hint, &self.limits, &mut out));
            match catch_unwind(read) {
                Ok(extracted) => extracted?,
                Err(panic) if out.is_in_sink() => resume_unwind(panic),
                Err(_) => return Err(ExtractError::damaged("its reader cannot make sense of it")),
            }
        };
        out.end(extracted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance;

    #[test]
    fn it_keeps_the_promises_of_an_extractor() {
        conformance::extractor(&InProcessExtractor::default());
    }

    #[test]
    fn it_keeps_the_promises_for_every_format() {
        conformance::formats(&InProcessExtractor::new(conformance::limits()));
    }
}
