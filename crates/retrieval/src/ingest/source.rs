use std::io::{self, Read};

use tenantry_domain::{SourceId, TenantScope};
use tenantry_tenant_store::{SourceStore, StoreError};

/// Reads the parts of a file one after the other.
pub(super) struct SourceReader<'a> {
    sources: &'a dyn SourceStore,
    scope: &'a TenantScope,
    source: SourceId,
    next: u32,
    part: io::Cursor<Vec<u8>>,
    failure: Option<StoreError>,
}

impl<'a> SourceReader<'a> {
    pub(super) fn new(sources: &'a dyn SourceStore, scope: &'a TenantScope, source: SourceId) -> Self {
        Self {
            sources,
            scope,
            source,
            next: 0,
            part: io::Cursor::default(),
            failure: None,
        }
    }

    /// Why the bytes could not be had, if that is so.
    pub(super) fn into_failure(self) -> Option<StoreError> {
        self.failure
    }
}

impl Read for SourceReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.part.read(buffer)?;
            if read > 0 || buffer.is_empty() {
                return Ok(read);
            }
            match self.sources.part(self.scope, self.source, self.next) {
                Ok(Some(part)) => {
                    self.part = io::Cursor::new(part);
                    self.next = self.next.saturating_add(1);
                }
                Ok(None) => return Ok(0),
                Err(error) => {
                    self.failure = Some(error);
                    return Err(io::Error::other("the record store failed"));
                }
            }
        }
    }
}
