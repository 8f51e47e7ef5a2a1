use diesel::prelude::*;
use tenantry_domain::{Actor, Page, Paged, Tenant, TenantId, Timestamp};

use super::connection::AnyConnection;
use super::prompts::change_prompt;
use super::rows::{TenantChanges, TenantRow};
use super::schema::tenants;
use super::{SqlStore, dialect, paged};
use crate::ledger::PromptChange;
use crate::text::Texts;
use crate::{StoreError, TenantChange, TenantStore};

impl TenantStore for SqlStore {
    fn create_tenant(&self, tenant: &Tenant, actor: &Actor) -> Result<(), StoreError> {
        tenant.refuse_nul()?;
        let insert = diesel::insert_into(tenants::table).values(TenantRow::from(tenant));
        if tenant.system_prompt.is_none() {
            return self.run(|conn| insert.execute(conn)).map(drop);
        }
        let first = PromptChange {
            before: None,
            after: tenant.system_prompt.as_deref(),
            author: actor.principal.owner(),
            at: tenant.created_at,
        };
        let guard = self.guard()?;
        let done = dialect::writing(&mut *self.acquire()?, |conn| {
            insert.execute(conn)?;
            dialect::enter(conn, guard, &tenant.id)?;
            change_prompt(conn, &tenant.id, first)
        });
        Ok(done?)
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
        let row = if change.system_prompt.is_none() && change.basis.is_none() {
            self.run(|conn| update(conn, id, change, now))?
        } else {
            self.update_alone(id, change, now)?
        };
        row.map(Tenant::try_from).transpose()
    }
}

impl SqlStore {
    /// Applies a change that depends on what the tenant is, while nobody else changes it, and adds to the history of its prompt
    /// what that adds.
    fn update_alone(
        &self,
        id: &TenantId,
        change: &TenantChange,
        now: Timestamp,
    ) -> Result<Option<TenantRow>, StoreError> {
        let guard = self.guard()?;
        let done = dialect::writing(&mut *self.acquire()?, |conn| {
            let Some(before) = dialect::tenant_to_change(conn, id)? else {
                return Ok(None);
            };
            let prompt = before.prompt().map(str::to_owned);
            if let Some(basis) = &change.basis
                && !basis.holds(&Tenant::try_from(before)?)
            {
                return Ok(None);
            }
            let row = update(conn, id, change, now)?;
            if let Some(after) = &change.system_prompt {
                // Only now: the tenants' role may not change the tenant itself.
                dialect::enter(conn, guard, id)?;
                let change = PromptChange {
                    before: prompt.as_deref(),
                    after: after.as_deref(),
                    author: change.actor.principal.owner(),
                    at: now,
                };
                change_prompt(conn, id, change)?;
            }
            Ok(row)
        });
        Ok(done?)
    }
}

fn update(
    conn: &mut AnyConnection,
    id: &TenantId,
    change: &TenantChange,
    now: Timestamp,
) -> QueryResult<Option<TenantRow>> {
    diesel::update(tenants::table.find(id.as_str()))
        .set(TenantChanges::new(change, now))
        .returning(tenants::all_columns)
        .get_result::<TenantRow>(conn)
        .optional()
}
