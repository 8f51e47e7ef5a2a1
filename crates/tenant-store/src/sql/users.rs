use diesel::prelude::*;
use tenantry_domain::{Actor, Email, Page, Paged, SessionId, Tenant, Timestamp, User, UserId};

use super::rows::{TenantRow, UserChanges, UserRow};
use super::schema::{tenants, users};
use super::{SqlStore, paged};
use crate::text::Texts;
use crate::{Access, StoreError, UserChange, UserFilter, UserStore};

impl UserStore for SqlStore {
    fn create_user(&self, user: &User, _actor: &Actor) -> Result<(), StoreError> {
        user.refuse_nul()?;
        let row = UserRow::from(user);
        self.run(|conn| diesel::insert_into(users::table).values(row).execute(conn))
            .map(drop)
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
            let all = users::table.into_boxed();
            match &filter.tenant {
                Some(tenant) => all.filter(users::tenant_id.eq(tenant.as_str())),
                None => all,
            }
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
        Ok(Some(Access {
            user: user.try_into()?,
            tenant: tenant.map(Tenant::try_from).transpose()?,
            session_is_live: session.is_none(),
        }))
    }
}
