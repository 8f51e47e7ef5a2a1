use diesel::prelude::*;
use tenantry_domain::{
    Actor, AuditEntry, AuditEvent, Page, Paged, ParseTenantIdError, TenantScope, Timestamp,
};

use super::connection::AnyConnection;
use super::isolation::Guard;
use super::ledger::{SqlLedger, WorkError};
use super::rows::{AuditRow, read_head};
use super::schema::{audit_heads, audit_log};
use super::{SqlStore, dialect, paged};
use crate::ledger::Told;
use crate::ledger::audit::follow;
use crate::text::Texts;
use crate::{AuditFilter, AuditHead, AuditLog, AuditStore, StoreError};

/// Enters what was done, each event in its log, in the open transaction that writes what they tell of. It comes last in that: it
/// locks the ends of logs, in the order in which [`AuditLog`]s are, and leaves the transaction bound to the last one's tenant.
pub(super) fn append(
    conn: &mut AnyConnection,
    guard: &Guard,
    events: &[(AuditLog, AuditEvent)],
    actor: &Actor,
    at: Timestamp,
) -> Result<(), WorkError> {
    let mut logs: Vec<_> = events.iter().map(|(log, _)| log).collect();
    logs.sort();
    logs.dedup();
    for log in logs {
        dialect::enter_log(conn, guard, log)?;
        let start = dialect::audit_head_to_move(conn, log.as_str())?;
        let start = read_head(start)?;
        let mut head = start;
        let mut rows = Vec::new();
        for (_, event) in events.iter().filter(|(of, _)| of == log) {
            let entry = follow(log, head, event, actor, at);
            head = AuditHead::after(&entry);
            rows.push(AuditRow::new(&entry)?);
        }
        dialect::insert_audit_rows(conn, rows)?;
        move_head(conn, log, head)?;
    }
    Ok(())
}

pub(super) fn move_head(conn: &mut AnyConnection, log: &AuditLog, head: AuditHead) -> Result<(), WorkError> {
    let number = i64::try_from(head.number).map_err(|error| StoreError::Failed(error.into()))?;
    diesel::update(audit_heads::table.find(log.as_str()))
        .set((
            audit_heads::number.eq(number),
            audit_heads::hash.eq(head.hash.as_bytes().as_slice()),
        ))
        .execute(conn)?;
    Ok(())
}

impl AuditStore for SqlStore {
    fn record(
        &self,
        log: &AuditLog,
        actor: &Actor,
        event: &AuditEvent,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let guard = self.guard()?;
        let events = [(log.clone(), event.clone())];
        let done = dialect::writing(&mut *self.acquire()?, |conn| {
            append(conn, guard, &events, actor, at)
        });
        Ok(done?)
    }

    fn audit(&self, filter: &AuditFilter, page: Page) -> Result<Paged<AuditEntry>, StoreError> {
        filter.refuse_nul()?;
        let (rows, total) = self.reading_audit(filter.log.as_ref(), |conn| {
            let rows = in_order(filtered(filter))
                .select(AuditRow::as_select())
                .limit(page.limit().into())
                .offset(page.offset().into())
                .load::<AuditRow>(conn)?;
            Ok((rows, filtered(filter).count().get_result(conn)?))
        })?;
        paged(rows, total)
    }

    fn audit_next(
        &self,
        filter: &AuditFilter,
        last: Option<&AuditEntry>,
        limit: u16,
    ) -> Result<Vec<AuditEntry>, StoreError> {
        filter.refuse_nul()?;
        let mut rest = filtered(filter);
        if let Some(last) = last {
            let at = last.at.unix_micros();
            let log = AuditLog::of(last.tenant.as_ref()).to_string();
            let number = i64::try_from(last.number).unwrap_or(i64::MAX);
            let lower = audit_log::tenant_id
                .eq(log.clone())
                .and(audit_log::number.lt(number));
            let later = audit_log::done_at
                .lt(at)
                .or(audit_log::tenant_id.gt(log))
                .or(lower);
            // Said apart, so that the index is entered there.
            rest = rest.filter(audit_log::done_at.le(at)).filter(later);
        }
        let rest = in_order(rest).limit(limit.into()).select(AuditRow::as_select());
        let rows = self.reading_audit(filter.log.as_ref(), |conn| rest.load::<AuditRow>(conn))?;
        rows.into_iter().map(AuditEntry::try_from).collect()
    }

    fn audit_after(&self, log: &AuditLog, after: u64, limit: u16) -> Result<Vec<AuditEntry>, StoreError> {
        let query = audit_log::table
            .filter(audit_log::tenant_id.eq(log.as_str()))
            .filter(audit_log::number.gt(i64::try_from(after).unwrap_or(i64::MAX)))
            .order(audit_log::number.asc())
            .limit(limit.into())
            .select(AuditRow::as_select());
        let rows = self.reading_audit(Some(log), |conn| query.load::<AuditRow>(conn))?;
        rows.into_iter().map(AuditEntry::try_from).collect()
    }

    fn audit_head(&self, log: &AuditLog) -> Result<AuditHead, StoreError> {
        let query = audit_heads::table
            .find(log.as_str())
            .select((audit_heads::number, audit_heads::hash));
        let head = self.reading_audit(Some(log), |conn| query.first(conn).optional())?;
        head.map_or(Ok(AuditHead::START), read_head)
    }

    fn audit_logs(&self) -> Result<Vec<AuditLog>, StoreError> {
        let names: Vec<String> = self.reading_audit(None, |conn| {
            let mut names: Vec<String> = audit_heads::table.select(audit_heads::tenant_id).load(conn)?;
            names.extend(
                audit_log::table
                    .select(audit_log::tenant_id)
                    .distinct()
                    .load::<String>(conn)?,
            );
            Ok(names)
        })?;
        let logs = names.into_iter().map(|name| name.parse());
        let mut logs: Vec<AuditLog> = logs
            .collect::<Result<_, _>>()
            .map_err(|error: ParseTenantIdError| StoreError::Failed(error.into()))?;
        logs.sort();
        logs.dedup();
        Ok(logs)
    }
}

impl SqlStore {
    /// [`SqlStore::change`] by the scope's actor: what `work` says to have done is entered in the tenant's log.
    pub(super) fn change_and_enter<T>(
        &self,
        scope: &TenantScope,
        at: Timestamp,
        work: impl FnOnce(&mut SqlLedger<'_>) -> Result<Told<T>, WorkError>,
    ) -> Result<T, StoreError> {
        let guard = self.guard()?;
        self.change(scope.id(), |ledger| {
            let (given, event) = work(ledger)?;
            if let Some(event) = event {
                let events = [(AuditLog::Tenant(scope.id().clone()), event)];
                append(ledger.conn, guard, &events, scope.actor(), at)?;
            }
            Ok(given)
        })
    }

    /// Runs `work` where the entries of one log can be read, or with none named those of all.
    fn reading_audit<T>(
        &self,
        log: Option<&AuditLog>,
        work: impl FnOnce(&mut AnyConnection) -> QueryResult<T>,
    ) -> Result<T, StoreError> {
        match log {
            Some(log) => {
                let guard = self.guard()?;
                self.run(|conn| dialect::in_log(conn, guard, log, work))
            }
            None => self.run(|conn| dialect::as_operator(conn, "audit", work)),
        }
    }
}

/// The entries of a list.
type Entries<'f> = audit_log::BoxedQuery<'f, <AnyConnection as Connection>::Backend>;

fn in_order(entries: Entries<'_>) -> Entries<'_> {
    entries.order((
        audit_log::done_at.desc(),
        audit_log::tenant_id.asc(),
        audit_log::number.desc(),
    ))
}

fn filtered(filter: &AuditFilter) -> Entries<'_> {
    let mut entries = audit_log::table.into_boxed();
    if let Some(log) = &filter.log {
        entries = entries.filter(audit_log::tenant_id.eq(log.as_str()));
    }
    if let Some(actor) = &filter.actor {
        let of_kind = audit_log::actor_kind.eq(actor);
        entries = entries.filter(of_kind.nullable().or(audit_log::actor_id.eq(actor)));
    }
    if let Some(action) = filter.action {
        entries = entries.filter(audit_log::action.eq(action.as_str()));
    }
    if let Some(target) = &filter.target {
        entries = entries.filter(
            audit_log::target_kind
                .eq(target)
                .or(audit_log::target_id.eq(target)),
        );
    }
    if let Some(from) = filter.from {
        entries = entries.filter(audit_log::done_at.ge(from.unix_micros()));
    }
    if let Some(until) = filter.until {
        entries = entries.filter(audit_log::done_at.lt(until.unix_micros()));
    }
    entries
}
