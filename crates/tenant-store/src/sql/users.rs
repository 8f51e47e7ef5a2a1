use diesel::prelude::*;
use tenantry_domain::{Actor, Email, Page, Paged, SessionId, Tenant, Timestamp, User, UserId};

use super::audit::append;
use super::rows::{TenantRow, UserChanges, UserRow};
use super::schema::{tenants, users};
use super::{SqlStore, dialect, paged};
use crate::ledger::audit;
use crate::text::Texts;
use crate::{Access, StoreError, UserChange, UserFilter, UserStore};

impl UserStore for SqlStore {
    fn create_user(&self, user: &User, actor: &Actor) -> Result<(), StoreError> {
        user.refuse_nul()?;
        let guard = self.guard()?;
        let insert = diesel::insert_into(users::table).values(UserRow::from(user));
        let done = dialect::writing(&mut *self.acquire()?, |conn| {
            insert.execute(conn)?;
            append(conn, guard, &audit::user_created(user), actor, user.created_at)
        });
        Ok(done?)
    }

    fn user(&self, id: UserId) -> Result<Option<User>, StoreError> {
        self.run(|conn| {
            users::table
                .find(id.to_string())
                .first::<UserRow>(conn)
                .optional()
        })?
        .map(User::try_from)
        .transpose()
    }

    fn user_by_email(&self, email: &Email) -> Result<Option<User>, StoreError> {
        let by_email = users::table.filter(users::email.eq(email.as_str()));
        self.run(|conn| by_email.first::<UserRow>(conn).optional())?
            .map(User::try_from)
            .transpose()
    }

    fn users(&self, filter: &UserFilter, page: Page) -> Result<Paged<User>, StoreError> {
        let filtered = || {
            let mut all = users::table.into_boxed();
            if let Some(tenant) = &filter.tenant {
                all = all.filter(users::tenant_id.eq(tenant.as_str()));
            }
            if let Some(wanted) = filter.is_superuser {
                all = all.filter(users::is_superuser.eq(wanted));
            }
            all
        };
        let (rows, total) = self.run(|conn| {
            let rows = filtered()
                .order(users::email.asc())
                .limit(page.limit().into())
                .offset(page.offset().into())
                .load::<UserRow>(conn)?;
            Ok((rows, filtered().count().get_result(conn)?))
        })?;
        paged(rows, total)
    }

    fn update_user(
        &self,
        id: UserId,
        change: &UserChange,
        now: Timestamp,
    ) -> Result<Option<User>, StoreError> {
        change.refuse_nul()?;
        let raised = change
            .end_sessions
            .then(|| users::token_version.eq(users::token_version + 1));
        let changes = (UserChanges::new(change, now), raised);
        self.run(|conn| {
            diesel::update(users::table.find(id.to_string()))
                .set(changes)
                .returning(users::all_columns)
                .get_result::<UserRow>(conn)
                .optional()
        })?
        .map(User::try_from)
        .transpose()
    }

    fn access(
        &self,
        id: UserId,
        session: Option<SessionId>,
        _now: Timestamp,
    ) -> Result<Option<Access>, StoreError> {
        let joined = self.run(|conn| {
            users::table
                .left_join(tenants::table)
                .filter(users::id.eq(id.to_string()))
                .select((users::all_columns, tenants::all_columns.nullable()))
                .first::<(UserRow, Option<TenantRow>)>(conn)
                .optional()
        })?;
        let Some((user, tenant)) = joined else {
            return Ok(None);
        };
        let sessions_ended_at = user.sessions_ended_at();
        Ok(Some(Access {
            user: user.try_into()?,
            tenant: tenant.map(Tenant::try_from).transpose()?,
            session_is_live: session.is_none(),
            sessions_ended_at,
        }))
    }
}
