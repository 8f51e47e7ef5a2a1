use diesel::prelude::*;
use tenantry_domain::{Page, Paged, PromptVersion, TenantId};

use super::connection::AnyConnection;
use super::ledger::WorkError;
use super::rows::PromptRow;
use super::schema::system_prompts;
use super::{SqlStore, paged};
use crate::ledger::PromptChange;
use crate::{PromptStore, StoreError};

impl PromptStore for SqlStore {
    fn prompt_versions(&self, tenant: &TenantId, page: Page) -> Result<Paged<PromptVersion>, StoreError> {
        let of_tenant = || system_prompts::table.filter(system_prompts::tenant_id.eq(tenant.as_str()));
        let (rows, total) = self.in_tenant(tenant, |conn| {
            let rows = of_tenant()
                .order(system_prompts::number.desc())
                .select(PromptRow::as_select())
                .limit(page.limit().into())
                .offset(page.offset().into())
                .load::<PromptRow>(conn)?;
            Ok((rows, of_tenant().count().get_result(conn)?))
        })?;
        paged(rows, total)
    }

    fn prompt_version(&self, tenant: &TenantId, number: u32) -> Result<Option<PromptVersion>, StoreError> {
        let query = system_prompts::table
            .find((tenant.as_str(), i64::from(number)))
            .select(PromptRow::as_select());
        self.in_tenant(tenant, |conn| query.first::<PromptRow>(conn).optional())?
            .map(PromptVersion::try_from)
            .transpose()
    }
}

/// Adds what the change adds to the tenant's history, and gives the number of the last version that it added. The transaction is
/// bound to the tenant, and nobody else changes the prompt in it.
pub(super) fn change_prompt(
    conn: &mut AnyConnection,
    tenant: &TenantId,
    change: PromptChange<'_>,
) -> Result<Option<u32>, WorkError> {
    let last = system_prompts::table
        .filter(system_prompts::tenant_id.eq(tenant.as_str()))
        .order(system_prompts::number.desc())
        .select(PromptRow::as_select())
        .first::<PromptRow>(conn)
        .optional()?;
    let last = last.map(PromptVersion::try_from).transpose()?;
    let versions = change.versions(last.as_ref())?;
    for version in &versions {
        diesel::insert_into(system_prompts::table)
            .values(PromptRow::new(tenant, version))
            .execute(conn)?;
    }
    Ok(versions.last().map(|version| version.number))
}
