use diesel::prelude::*;
use tenantry_domain::{Page, Paged, Tenant, TenantId, Timestamp};

use super::rows::{TenantChanges, TenantRow};
use super::schema::tenants;
use super::{SqlStore, paged};
use crate::text::Texts;
use crate::{StoreError, TenantChange, TenantStore};

impl TenantStore for SqlStore {
    fn create_tenant(&self, tenant: &Tenant) -> Result<(), StoreError> {
        tenant.refuse_nul()?;
        let row = TenantRow::from(tenant);
        self.run(|conn| diesel::insert_into(tenants::table).values(row).execute(conn))
            .map(drop)
    }

    fn tenant(&self, id: &TenantId) -> Result<Option<Tenant>, StoreError> {
        self.run(|conn| {
            tenants::table
                .find(id.as_str())
                .first::<TenantRow>(conn)
                .optional()
        })?
        .map(Tenant::try_from)
        .transpose()
    }

    fn tenants(&self, page: Page) -> Result<Paged<Tenant>, StoreError> {
        let (rows, total) = self.run(|conn| {
            let rows = tenants::table
                .order(tenants::id.asc())
                .limit(page.limit().into())
                .offset(page.offset().into())
                .load::<TenantRow>(conn)?;
            Ok((rows, tenants::table.count().get_result(conn)?))
        })?;
        paged(rows, total)
    }

    fn update_tenant(
        &self,
        id: &TenantId,
        change: &TenantChange,
        now: Timestamp,
    ) -> Result<Option<Tenant>, StoreError> {
        change.refuse_nul()?;
        let changes = TenantChanges::new(change, now);
        self.run(|conn| {
            diesel::update(tenants::table.find(id.as_str()))
                .set(changes)
                .returning(tenants::all_columns)
                .get_result::<TenantRow>(conn)
                .optional()
        })?
        .map(Tenant::try_from)
        .transpose()
    }
}
