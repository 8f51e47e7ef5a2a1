mod read;
mod write;

use std::ops::ControlFlow;

use diesel::prelude::*;
use tenantry_domain::{Actor, Tenant, TenantId, Timestamp};

use super::connection::AnyConnection;
use super::erasure::{refuse_erased, remove_unfinished};
use super::ledger::WorkError;
use super::rows::TenantRow;
use super::schema::{tenant_erasures, tenant_imports, tenants};
use super::{SqlStore, audit, dialect};
use crate::archive::without_secrets;
use crate::ledger::erasure::imported;
use crate::text::Texts;
use crate::{ArchivedRecord, ArchivedUser, StoreError, TenantArchiveStore};

use read::{Halt, Reading};

impl TenantArchiveStore for SqlStore {
    fn read_tenant(
        &self,
        id: &TenantId,
        visit: &mut dyn FnMut(ArchivedRecord) -> ControlFlow<()>,
    ) -> Result<bool, StoreError> {
        let guard = self.guard()?;
        let done = dialect::at_one_moment(&mut *self.acquire()?, |conn| {
            let tenant = tenants::table
                .find(id.as_str())
                .first::<TenantRow>(conn)
                .optional()?;
            let Some(tenant) = tenant else { return Ok(false) };
            let mut reading = Reading {
                conn,
                tenant: id,
                visit,
            };
            reading.tenant(tenant.try_into()?)?;
            reading.users()?;
            // Only now: the tenants' role may not read users.
            dialect::enter(reading.conn, guard, id)?;
            reading.owned()?;
            Ok(true)
        });
        match done {
            Ok(there_is_one) => Ok(there_is_one),
            Err(Halt::Asked) => Ok(true),
            Err(Halt::Failed(error)) => Err(error.into()),
        }
    }

    fn begin_import(&self, tenant: &Tenant, now: Timestamp) -> Result<bool, StoreError> {
        let tenant = without_secrets(tenant);
        tenant.refuse_nul()?;
        let done = dialect::writing(&mut *self.acquire()?, |conn| {
            if is_import(conn, &tenant.id)? {
                return Ok(false);
            }
            diesel::insert_into(tenants::table)
                .values(TenantRow::from(&tenant))
                .execute(conn)?;
            refuse_erased(conn, &tenant.id)?;
            let mark = (
                tenant_imports::tenant_id.eq(tenant.id.as_str()),
                tenant_imports::begun_at.eq(now.unix_micros()),
            );
            diesel::insert_into(tenant_imports::table)
                .values(mark)
                .execute(conn)?;
            Ok(true)
        });
        Ok(done?)
    }

    fn import(&self, tenant: &TenantId, records: &[ArchivedRecord]) -> Result<Vec<ArchivedUser>, StoreError> {
        records.iter().try_for_each(Texts::refuse_nul)?;
        let guard = self.guard()?;
        let done = dialect::writing(&mut *self.acquire()?, |conn| {
            let begun_at = import_to_fill(conn, tenant)?;
            let left_out = write::users(conn, tenant, records)?;
            let identities = write::identities(conn, tenant, records)?;
            dialect::enter(conn, guard, tenant)?;
            write::owned(conn, tenant, records)?;
            write::link(conn, tenant, &identities, begun_at)?;
            write::audit(conn, tenant, records)?;
            Ok(left_out)
        });
        Ok(done?)
    }

    fn finish_import(
        &self,
        tenant: &TenantId,
        is_active: bool,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let guard = self.guard()?;
        let done = dialect::writing(&mut *self.acquire()?, |conn| {
            dialect::tenant_to_change(conn, tenant)?;
            let mark = tenant_imports::table.find(tenant.as_str());
            if diesel::delete(mark).execute(conn)? == 0 {
                return Ok(false);
            }
            diesel::delete(tenant_erasures::table.find(tenant.as_str())).execute(conn)?;
            diesel::update(tenants::table.find(tenant.as_str()))
                .set(tenants::is_active.eq(is_active))
                .execute(conn)?;
            audit::append(conn, guard, &imported(tenant, is_active), actor, now)?;
            Ok(true)
        });
        Ok(done?)
    }

    fn abandon_import(&self, tenant: &TenantId) -> Result<bool, StoreError> {
        self.erasing(|conn| {
            if !is_import(conn, tenant)? {
                return Ok(false);
            }
            remove_unfinished(conn, tenant)?;
            Ok(true)
        })
    }
}

fn is_import(conn: &mut AnyConnection, tenant: &TenantId) -> Result<bool, WorkError> {
    let mark = tenant_imports::table.find(tenant.as_str());
    Ok(diesel::select(diesel::dsl::exists(mark)).get_result(conn)?)
}

/// When the import of the tenant was begun, which nobody finishes or gives up from here to the end of the transaction.
fn import_to_fill(conn: &mut AnyConnection, tenant: &TenantId) -> Result<Timestamp, WorkError> {
    dialect::tenant_to_change(conn, tenant)?;
    let begun_at: Option<i64> = tenant_imports::table
        .find(tenant.as_str())
        .select(tenant_imports::begun_at)
        .first(conn)
        .optional()?;
    let begun_at = begun_at.ok_or(StoreError::UnknownTenant)?;
    Ok(Timestamp::from_unix_micros(begun_at).map_err(|error| StoreError::Failed(error.into()))?)
}
