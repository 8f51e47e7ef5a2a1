use diesel::prelude::*;
use tenantry_domain::{Actor, Email, Page, Paged, SessionId, Tenant, Timestamp, User, UserId};

use super::audit::append;
use super::connection::AnyConnection;
use super::ledger::WorkError;
use super::rows::{TenantRow, UserChanges, UserRow};
use super::schema::{sessions, tenants, users};
use super::sessions::end_all;
use super::{SqlStore, dialect, paged};
use crate::ledger::audit;
use crate::ledger::users::{ChangedUser, changed, manages};
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
        self.change_account(|conn, guard| {
            let Some((before, after)) = update(conn, id, change, now)? else {
                return Ok(None);
            };
            let events = audit::user_changed(&before, &after, change);
            append(conn, guard, &events, &change.actor, now)?;
            Ok(Some(after))
        })
    }

    fn access(
        &self,
        id: UserId,
        session: Option<SessionId>,
        now: Timestamp,
    ) -> Result<Option<Access>, StoreError> {
        let asked_for = session.map(|id| id.to_string()).unwrap_or_default();
        let is_live = sessions::id
            .eq(asked_for)
            .and(sessions::user_id.eq(users::id))
            .and(sessions::token_version.eq(users::token_version))
            .and(sessions::expires_at.gt(now.unix_micros()));
        let joined = users::table
            .left_join(tenants::table)
            .left_join(sessions::table.on(is_live))
            .filter(users::id.eq(id.to_string()))
            .select((
                users::all_columns,
                tenants::all_columns.nullable(),
                sessions::id.nullable(),
            ));
        let joined = self.run(|conn| {
            joined
                .first::<(UserRow, Option<TenantRow>, Option<String>)>(conn)
                .optional()
        })?;
        let Some((user, tenant, live)) = joined else {
            return Ok(None);
        };
        let sessions_ended_at = user.sessions_ended_at();
        Ok(Some(Access {
            user: user.try_into()?,
            tenant: tenant.map(Tenant::try_from).transpose()?,
            session_is_live: session.is_none() || live.is_some(),
            sessions_ended_at,
        }))
    }
}

/// The user before and after a change, which nobody else changes from here to the end of the transaction; `None` when the change reaches
/// none of that id.
fn update(
    conn: &mut AnyConnection,
    id: UserId,
    change: &UserChange,
    now: Timestamp,
) -> Result<Option<(User, User)>, WorkError> {
    let may_step_down = change.is_superuser == Some(false) || change.is_active == Some(false);
    let locked = if may_step_down {
        dialect::user_among_superusers(conn, id)?
    } else {
        dialect::user_to_change(conn, id)?.into_iter().collect()
    };
    let locked: Vec<User> = locked.into_iter().map(User::try_from).collect::<Result<_, _>>()?;
    let Some(before) = locked.iter().find(|user| user.id == id && change.reaches(user)) else {
        return Ok(None);
    };
    let changed = changed(before, change, now)?;
    if changed.steps_down && !locked.iter().any(|user| user.id != id && manages(user)) {
        return Err(StoreError::LastSuperuser.into());
    }
    save(conn, &changed, now)?;
    Ok(Some((before.clone(), changed.user)))
}

/// Keeps what became of a user, and ends the sessions that end with it.
pub(super) fn save(conn: &mut AnyConnection, changed: &ChangedUser, now: Timestamp) -> QueryResult<()> {
    let id = changed.user.id.to_string();
    diesel::update(users::table.find(&id))
        .set(UserChanges::new(changed, now))
        .execute(conn)?;
    if changed.ends_sessions {
        end_all(conn, &id)?;
    }
    Ok(())
}
