use std::collections::BTreeMap;

use tenantry_domain::{SourceId, TenantScope, Timestamp};

use super::MemoryStore;
use crate::ledger::Ledger;
use crate::{SourceStore, StoreError};

/// A part of a file that was handed in.
#[derive(Debug)]
pub(super) struct Part {
    bytes: Vec<u8>,
    added_at: Timestamp,
}

impl SourceStore for MemoryStore {
    fn add_part(
        &self,
        scope: &TenantScope,
        source: SourceId,
        place: u32,
        bytes: &[u8],
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let mut records = self.records();
        records.refuse_unknown(scope.id())?;
        let part = Part {
            bytes: bytes.to_vec(),
            added_at: at,
        };
        records.parts.insert((scope.id().clone(), source, place), part);
        Ok(())
    }

    fn part(&self, scope: &TenantScope, source: SourceId, place: u32) -> Result<Option<Vec<u8>>, StoreError> {
        let records = self.records();
        let part = records.parts.get(&(scope.id().clone(), source, place));
        Ok(part.map(|part| part.bytes.clone()))
    }

    fn remove_source(&self, scope: &TenantScope, source: SourceId) -> Result<(), StoreError> {
        self.records().ledger(scope.id()).remove_source(source)
    }

    fn remove_abandoned(&self, scope: &TenantScope, before: Timestamp) -> Result<u64, StoreError> {
        let mut records = self.records();
        let mut newest = BTreeMap::<SourceId, Timestamp>::new();
        for ((owner, source, _), part) in &records.parts {
            if owner == scope.id() {
                let added = newest.entry(*source).or_insert(part.added_at);
                *added = part.added_at.max(*added);
            }
        }
        let mut removed = 0;
        for (source, added) in newest {
            if added < before && !records.is_read(scope.id(), source) {
                records.ledger(scope.id()).remove_source(source)?;
                removed += 1;
            }
        }
        Ok(removed)
    }
}
