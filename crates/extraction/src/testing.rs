//! Failures on demand, for the tests of code that uses this crate.

use std::collections::VecDeque;
use std::fmt;
use std::io::Read;
use std::sync::{Mutex, PoisonError};

use crate::{ExtractError, Extracted, Extractor, FileHint, Sink};

/// Fails as it was told, once for each failure and in order, then works as the extractor inside.
pub struct FailingExtractor<E> {
    inner: E,
    failures: Mutex<VecDeque<ExtractError>>,
}

impl<E> FailingExtractor<E> {
    /// `inner` behind `failures`.
    pub fn new(inner: E, failures: impl IntoIterator<Item = ExtractError>) -> Self {
        Self {
            inner,
            failures: Mutex::new(failures.into_iter().collect()),
        }
    }
}

impl<E: fmt::Debug> fmt::Debug for FailingExtractor<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FailingExtractor")
            .field("inner", &self.inner)
            .finish_non_exhaustive()
    }
}

impl<E: Extractor> Extractor for FailingExtractor<E> {
    fn extract(
        &self,
        file: &mut dyn Read,
        hint: FileHint<'_>,
        sink: &mut Sink<'_>,
    ) -> Result<Extracted, ExtractError> {
        let failure = self
            .failures
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop_front();
        match failure {
            Some(failure) => Err(failure),
            None => self.inner.extract(file, hint, sink),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MemoryExtractor, conformance};

    #[test]
    fn each_failure_comes_once() {
        let extractor = FailingExtractor::new(MemoryExtractor, [ExtractError::TookTooLong]);
        let extract = || {
            extractor.extract(&mut &b"text"[..], FileHint::default(), &mut |_| {
                std::ops::ControlFlow::Continue(())
            })
        };
        assert!(matches!(extract(), Err(ExtractError::TookTooLong)));
        assert!(extract().is_ok());
        conformance::extractor(&extractor);
    }
}
