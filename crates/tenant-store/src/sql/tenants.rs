use diesel::prelude::*;
use tenantry_domain::{Actor, Page, Paged, Tenant, TenantId, Timestamp};

use super::audit::append;
use super::connection::AnyConnection;
use super::erasure::refuse_erased;
use super::isolation::Guard;
use super::ledger::WorkError;
use super::prompts::change_prompt;
use super::rows::{TenantChanges, TenantRow};
use super::schema::tenants;
use super::sessions::send_out;
use super::{SqlStore, dialect, paged};
use crate::ledger::{PromptChange, audit};
use crate::text::Texts;
use crate::{StoreError, TenantChange, TenantStore};

impl TenantStore for SqlStore {
    fn create_tenant(&self, tenant: &Tenant, actor: &Actor) -> Result<(), StoreError> {
        tenant.refuse_nul()?;
        let insert = diesel::insert_into(tenants::table).values(TenantRow::from(tenant));
        let first = PromptChange {
            before: None,
            after: tenant.system_prompt.as_deref(),
            author: actor.principal.owner(),
            at: tenant.created_at,
        };
        let guard = self.guard()?;
        let done = dialect::writing(&mut *self.acquire()?, |conn| {
            insert.execute(conn)?;
            refuse_erased(conn, &tenant.id)?;
            dialect::enter(conn, guard, &tenant.id)?;
            change_prompt(conn, &tenant.id, first)?;
            append(
                conn,
                guard,
                &audit::tenant_created(tenant),
                actor,
                tenant.created_at,
            )
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
        let guard = self.guard()?;
        let done = dialect::writing(&mut *self.acquire()?, |conn| update(conn, guard, id, change, now));
        Ok(done?)
    }
}

/// Applies a change while nobody else changes the tenant, and adds what that adds to the history of its prompt and to its audit log.
fn update(
    conn: &mut AnyConnection,
    guard: &Guard,
    id: &TenantId,
    change: &TenantChange,
    now: Timestamp,
) -> Result<Option<Tenant>, WorkError> {
    let Some(before) = dialect::tenant_to_change(conn, id)? else {
        return Ok(None);
    };
    let (before, is_unknown) = before.into_replaced(change);
    let before = Tenant::try_from(before)?;
    if change.basis.as_ref().is_some_and(|basis| !basis.holds(&before)) {
        return Ok(None);
    }
    let after = diesel::update(tenants::table.find(id.as_str()))
        .set(TenantChanges::new(change, now))
        .returning(tenants::all_columns)
        .get_result::<TenantRow>(conn)?;
    let after = Tenant::try_from(after)?;
    if before.is_active && !after.is_active {
        send_out(conn, id, now)?;
    }
    let version = match &change.system_prompt {
        // Only now: the tenants' role may not change the tenant itself.
        Some(prompt) => {
            let change = PromptChange {
                before: before.system_prompt.as_deref(),
                after: prompt.as_deref(),
                author: change.actor.principal.owner(),
                at: now,
            };
            dialect::enter(conn, guard, id)?;
            change_prompt(conn, id, change)?
        }
        None => None,
    };
    let mut events = audit::tenant_changed(&before, &after, version);
    if is_unknown {
        events.extend(audit::chat_replaced(&after));
    }
    append(conn, guard, &events, &change.actor, now)?;
    Ok(Some(after))
}
