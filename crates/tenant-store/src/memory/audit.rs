use std::cmp::Reverse;
use std::collections::BTreeMap;

use tenantry_domain::{Actor, AuditEntry, AuditEvent, Page, Paged, TenantScope, Timestamp};

use super::{MemoryStore, Records, paged};
use crate::ledger::Told;
use crate::ledger::audit::follow;
use crate::text::Texts;
use crate::{AuditFilter, AuditHead, AuditLog, AuditStore, StoreError};

/// The entries of every log, in its order.
pub(super) type Logs = BTreeMap<AuditLog, Vec<AuditEntry>>;

impl Records {
    /// Enters what was done, each event in its log. It cannot fail, so that it comes after what it tells of.
    pub(super) fn append_audit(&mut self, events: &[(AuditLog, AuditEvent)], actor: &Actor, at: Timestamp) {
        for (log, event) in events {
            let entries = self.audit.entry(log.clone()).or_default();
            entries.push(follow(log, head(entries), event, actor, at));
        }
    }

    /// The entries that the filter lets through, in the order of a list.
    fn listed(&self, filter: &AuditFilter) -> Vec<&AuditEntry> {
        let logs = self.audit.iter();
        let meant = logs.filter(|(log, _)| filter.log.as_ref().is_none_or(|only| only == *log));
        let entries = meant.flat_map(|(_, entries)| entries);
        let mut listed: Vec<_> = entries.filter(|entry| filter.lets_through(entry)).collect();
        listed.sort_by_cached_key(|entry| place(entry));
        listed
    }

    /// What a step on the scope's records gave, once it is entered.
    pub(super) fn entered<T>(&mut self, scope: &TenantScope, (given, event): Told<T>, at: Timestamp) -> T {
        if let Some(event) = event {
            self.append_audit(
                &[(AuditLog::Tenant(scope.id().clone()), event)],
                scope.actor(),
                at,
            );
        }
        given
    }
}

/// Where an entry stands in a list.
fn place(entry: &AuditEntry) -> impl Ord + use<> {
    (
        Reverse(entry.at),
        AuditLog::of(entry.tenant.as_ref()),
        Reverse(entry.number),
    )
}

fn head(entries: &[AuditEntry]) -> AuditHead {
    entries.last().map_or(AuditHead::START, AuditHead::after)
}

impl AuditStore for MemoryStore {
    fn record(
        &self,
        log: &AuditLog,
        actor: &Actor,
        event: &AuditEvent,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        self.records()
            .append_audit(&[(log.clone(), event.clone())], actor, at);
        Ok(())
    }

    fn audit(&self, filter: &AuditFilter, page: Page) -> Result<Paged<AuditEntry>, StoreError> {
        filter.refuse_nul()?;
        Ok(paged(&self.records().listed(filter), page))
    }

    fn audit_next(
        &self,
        filter: &AuditFilter,
        last: Option<&AuditEntry>,
        limit: u16,
    ) -> Result<Vec<AuditEntry>, StoreError> {
        filter.refuse_nul()?;
        let records = self.records();
        let listed = records.listed(filter).into_iter();
        let rest = listed.filter(|entry| last.is_none_or(|last| place(entry) > place(last)));
        Ok(rest.take(limit.into()).cloned().collect())
    }

    fn audit_after(&self, log: &AuditLog, after: u64, limit: u16) -> Result<Vec<AuditEntry>, StoreError> {
        let records = self.records();
        let entries = records.audit.get(log).map(Vec::as_slice).unwrap_or_default();
        let later = entries.iter().filter(|entry| entry.number > after);
        Ok(later.take(limit.into()).cloned().collect())
    }

    fn audit_head(&self, log: &AuditLog) -> Result<AuditHead, StoreError> {
        let records = self.records();
        Ok(records
            .audit
            .get(log)
            .map_or(AuditHead::START, |entries| head(entries)))
    }

    fn audit_logs(&self) -> Result<Vec<AuditLog>, StoreError> {
        Ok(self.records().audit.keys().cloned().collect())
    }
}

impl AuditFilter {
    fn lets_through(&self, entry: &AuditEntry) -> bool {
        let principal = entry.actor.principal;
        let is_actor = |name: &String| principal.kind() == name || principal.id().as_ref() == Some(name);
        let is_target = |name: &String| {
            entry
                .target
                .as_ref()
                .is_some_and(|(kind, id)| kind == name || id == name)
        };
        self.actor.as_ref().is_none_or(is_actor)
            && self.action.is_none_or(|action| entry.action == action)
            && self.target.as_ref().is_none_or(is_target)
            && self.from.is_none_or(|from| entry.at >= from)
            && self.until.is_none_or(|until| entry.at < until)
    }
}
