use std::collections::BTreeMap;

use diesel::dsl::{exists, max};
use diesel::prelude::*;
use tenantry_domain::{Actor, Generation, TenantId, Timestamp};

use super::connection::AnyConnection;
use super::ledger::WorkError;
use super::rows::{ErasedRow, TenantRow, generation, read_removed, write_removed};
use super::schema::{erased_tenants, indexes, tenant_erasures, tenant_imports, tenants, users};
use super::{SqlStore, audit, dialect};
use crate::ledger::erasure::{erased, id_hash, refuse_active, refuse_superusers};
use crate::owned::{OWNED, OwnedTable};
use crate::{ErasedTenant, StoreError, TenantEraseStore};

/// How many rows went, by table.
type Removed = BTreeMap<String, u64>;

/// Readers kept the write-ahead log from being emptied.
#[derive(Debug, thiserror::Error)]
#[error("others were reading the database all the time")]
struct InUse;

impl TenantEraseStore for SqlStore {
    fn erase_some(&self, tenant: &TenantId, limit: u32) -> Result<u64, StoreError> {
        self.erasing(|conn| {
            if tenant_to_erase(conn, tenant)?.is_none() {
                return Ok(0);
            }
            // What is known of indexes says what vector stores may have, to the end.
            let tables = OWNED.iter().filter(|table| table.name != "indexes");
            let removed = remove(conn, tenant, tables, limit.max(1).into())?;
            let total = removed.values().sum();
            if total > 0 {
                remember(conn, tenant, removed)?;
            }
            Ok(total)
        })
    }

    fn finish_erasure(
        &self,
        tenant: &TenantId,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<Option<ErasedTenant>, StoreError> {
        let guard = self.guard()?;
        self.erasing(|conn| {
            if tenant_to_erase(conn, tenant)?.is_none() {
                return Ok(None);
            }
            let superusers = users::table
                .filter(users::tenant_id.eq(tenant.as_str()))
                .filter(users::is_superuser);
            refuse_superusers(diesel::select(exists(superusers)).get_result(conn)?)?;
            let mut removed = removed_before(conn, tenant)?;
            merge(&mut removed, remove_tenant(conn, tenant)?);
            dialect::lock_erased(conn)?;
            let last: Option<i64> = erased_tenants::table
                .select(max(erased_tenants::number))
                .first(conn)?;
            let gone = ErasedTenant {
                id_hash: id_hash(tenant),
                number: u64::try_from(last.unwrap_or(0)).unwrap_or(0).saturating_add(1),
                at: now,
                by: actor.principal,
                removed,
            };
            diesel::insert_into(erased_tenants::table)
                .values(ErasedRow::new(&gone)?)
                .execute(conn)?;
            audit::append(conn, guard, &erased(&gone), actor, now)?;
            Ok(Some(gone))
        })
    }

    fn erased_tenant(&self, tenant: &TenantId) -> Result<Option<ErasedTenant>, StoreError> {
        let query = erased_tenants::table.find(id_hash(tenant).to_vec());
        self.run(|conn| query.first::<ErasedRow>(conn).optional())?
            .map(ErasedTenant::try_from)
            .transpose()
    }

    fn generations(&self, tenant: &TenantId) -> Result<Vec<Generation>, StoreError> {
        let query = indexes::table
            .filter(indexes::tenant_id.eq(tenant.as_str()))
            .order(indexes::generation.asc())
            .select(indexes::generation);
        let numbers: Vec<i64> = self.run(|conn| query.load(conn))?;
        numbers.into_iter().map(generation).collect()
    }

    fn vacuum(&self) -> Result<(), StoreError> {
        if self.run(dialect::vacuum)? {
            Ok(())
        } else {
            Err(StoreError::Unavailable(InUse.into()))
        }
    }
}

impl SqlStore {
    /// Runs `work` in one transaction whose removed rows are overwritten.
    pub(super) fn erasing<T>(
        &self,
        work: impl FnOnce(&mut AnyConnection) -> Result<T, WorkError>,
    ) -> Result<T, StoreError> {
        let mut conn = self.acquire()?;
        dialect::overwrite(&mut conn, true).map_err(WorkError::from)?;
        let done = dialect::writing(&mut conn, work);
        dialect::overwrite(&mut conn, false).map_err(WorkError::from)?;
        Ok(done?)
    }
}

/// The tenant, which is not active and which nobody else changes, in a transaction that may remove what belongs to it.
fn tenant_to_erase(conn: &mut AnyConnection, tenant: &TenantId) -> Result<Option<TenantRow>, WorkError> {
    let found = dialect::tenant_to_change(conn, tenant)?;
    if let Some(found) = &found {
        refuse_active(found.is_active())?;
        dialect::erase_as(conn, tenant)?;
    }
    Ok(found)
}

/// Removes at most `limit` rows of the tenant.
fn remove<'t>(
    conn: &mut AnyConnection,
    tenant: &TenantId,
    tables: impl Iterator<Item = &'t OwnedTable>,
    limit: i64,
) -> Result<Removed, WorkError> {
    let mut removed = Removed::new();
    let mut left = limit;
    for table in tables {
        let rows = dialect::delete_owned(conn, *table, tenant, left)?;
        if rows > 0 {
            removed.insert(table.name.to_owned(), u64::try_from(rows).unwrap_or(u64::MAX));
            left = left.saturating_sub(i64::try_from(rows).unwrap_or(i64::MAX));
        }
        if left <= 0 {
            break;
        }
    }
    Ok(removed)
}

/// Removes the tenant with all that is left of it.
pub(super) fn remove_tenant(conn: &mut AnyConnection, tenant: &TenantId) -> Result<Removed, WorkError> {
    let mut removed = remove(conn, tenant, OWNED.iter(), i64::MAX)?;
    diesel::delete(tenant_imports::table.find(tenant.as_str())).execute(conn)?;
    diesel::delete(tenant_erasures::table.find(tenant.as_str())).execute(conn)?;
    diesel::delete(tenants::table.find(tenant.as_str())).execute(conn)?;
    removed.insert("tenants".to_owned(), 1);
    Ok(removed)
}

/// The same for an import that was given up.
pub(super) fn remove_unfinished(conn: &mut AnyConnection, tenant: &TenantId) -> Result<(), WorkError> {
    if tenant_to_erase(conn, tenant)?.is_some() {
        remove_tenant(conn, tenant)?;
    }
    Ok(())
}

fn removed_before(conn: &mut AnyConnection, tenant: &TenantId) -> Result<Removed, WorkError> {
    let text: Option<String> = tenant_erasures::table
        .find(tenant.as_str())
        .select(tenant_erasures::removed)
        .first(conn)
        .optional()?;
    let read = text.map(|text| read_removed(&text)).transpose();
    Ok(read.map_err(StoreError::Failed)?.unwrap_or_default())
}

/// Adds to what is remembered of an erasure that is under way.
fn remember(conn: &mut AnyConnection, tenant: &TenantId, removed: Removed) -> Result<(), WorkError> {
    let mut all = removed_before(conn, tenant)?;
    merge(&mut all, removed);
    let text = write_removed(&all);
    let updated = diesel::update(tenant_erasures::table.find(tenant.as_str()))
        .set(tenant_erasures::removed.eq(&text))
        .execute(conn)?;
    if updated == 0 {
        let row = (
            tenant_erasures::tenant_id.eq(tenant.as_str()),
            tenant_erasures::removed.eq(&text),
        );
        diesel::insert_into(tenant_erasures::table)
            .values(row)
            .execute(conn)?;
    }
    Ok(())
}

fn merge(into: &mut Removed, more: Removed) {
    for (table, rows) in more {
        let sum = into.entry(table).or_default();
        *sum = sum.saturating_add(rows);
    }
}

/// Refuses the id of an erased tenant, in the transaction that has just added a tenant of that id: one that is erased at the same time
/// has gone by then.
pub(super) fn refuse_erased(conn: &mut AnyConnection, tenant: &TenantId) -> Result<(), WorkError> {
    let found = erased_tenants::table.find(id_hash(tenant).to_vec());
    if diesel::select(exists(found)).get_result(conn)? {
        return Err(StoreError::IdTaken.into());
    }
    Ok(())
}
