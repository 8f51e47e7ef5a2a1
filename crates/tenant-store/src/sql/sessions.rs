use diesel::prelude::*;
use tenantry_domain::{
    Actor, PasswordHash, Session, SessionId, TenantId, Timestamp, TokenHash, User, UserId,
};

use super::audit::append;
use super::connection::AnyConnection;
use super::isolation::Guard;
use super::ledger::WorkError;
use super::login::{Refresh, begin, session_of};
use super::rows::{SessionRow, written};
use super::schema::{password_resets, sessions, users};
use super::{SqlStore, dialect, resets};
use crate::ledger::sessions::{KeptSession, ended};
use crate::text::{Texts, refuse_nul};
use crate::{NewSession, Refreshed, SessionStore, StoreError};

impl SessionStore for SqlStore {
    fn begin_session(&self, new: &NewSession, actor: &Actor) -> Result<bool, StoreError> {
        new.refuse_nul()?;
        self.change_account(|conn, guard| begin(conn, guard, new, actor))
    }

    fn refresh_session(
        &self,
        presented: TokenHash,
        next: TokenHash,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<Refreshed, StoreError> {
        // First without a transaction, which on SQLite nobody else could write in meanwhile: anybody can present anything.
        let Some(session) = self.run(|conn| session_of(conn, presented))? else {
            return Ok(Refreshed::Refused);
        };
        let refresh = Refresh {
            presented,
            next,
            actor,
            now,
        };
        self.change_account(|conn, guard| refresh.run(conn, guard, &session))
    }

    fn sessions(&self, user: UserId, now: Timestamp) -> Result<Vec<Session>, StoreError> {
        let live = sessions::table
            .inner_join(users::table)
            .filter(sessions::user_id.eq(user.to_string()))
            .filter(sessions::token_version.eq(users::token_version))
            .filter(sessions::expires_at.gt(now.unix_micros()))
            .order((sessions::used_at.desc(), sessions::id.desc()))
            .select(SessionRow::as_select());
        let rows = self.run(|conn| live.load::<SessionRow>(conn))?;
        rows.into_iter()
            .map(|row| Ok(KeptSession::try_from(row)?.session))
            .collect()
    }

    fn end_session(
        &self,
        user: UserId,
        id: SessionId,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.change_account(|conn, guard| {
            let Some(user) = dialect::user_to_change(conn, user)? else {
                return Ok(false);
            };
            let user = User::try_from(user)?;
            let live = sessions::table
                .find(id.to_string())
                .filter(sessions::user_id.eq(user.id.to_string()))
                .filter(sessions::token_version.eq(i64::from(user.token_version)))
                .filter(sessions::expires_at.gt(now.unix_micros()));
            if diesel::delete(live).execute(conn)? == 0 {
                return Ok(false);
            }
            append(conn, guard, &ended(&user, id), actor, now)?;
            Ok(true)
        })
    }

    fn issue_reset(
        &self,
        user: UserId,
        secret: TokenHash,
        expires_at: Timestamp,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.change_account(|conn, guard| {
            let Some(user) = dialect::user_to_change(conn, user)? else {
                return Ok(false);
            };
            resets::issue(conn, guard, &user.try_into()?, (secret, expires_at), (actor, now))?;
            Ok(true)
        })
    }

    fn reset_user(&self, secret: TokenHash, now: Timestamp) -> Result<Option<User>, StoreError> {
        self.run(|conn| resets::user(conn, secret, now))?
            .map(User::try_from)
            .transpose()
    }

    fn redeem_reset(
        &self,
        secret: TokenHash,
        password: &PasswordHash,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<Option<User>, StoreError> {
        refuse_nul("password_hash", password.as_str())?;
        let Some(user) = self.reset_user(secret, now)? else {
            return Ok(None);
        };
        self.change_account(|conn, guard| {
            resets::redeem(conn, guard, (user.id, secret), password, (actor, now))
        })
    }
}

impl SqlStore {
    /// Runs `work`, which changes users, sessions or tenants, in one transaction. It locks the user before the user's sessions, one before
    /// its tokens, and the audit logs last.
    pub(super) fn change_account<T>(
        &self,
        work: impl FnOnce(&mut AnyConnection, &Guard) -> Result<T, WorkError>,
    ) -> Result<T, StoreError> {
        let guard = self.guard()?;
        let mut conn = self.acquire()?;
        Ok(dialect::writing(&mut conn, |conn| work(conn, guard))?)
    }
}

/// Ends every session of the user, and the link to set the password.
pub(super) fn end_all(conn: &mut AnyConnection, user: &str) -> QueryResult<()> {
    diesel::delete(sessions::table.filter(sessions::user_id.eq(user))).execute(conn)?;
    diesel::delete(password_resets::table.find(user))
        .execute(conn)
        .map(drop)
}

/// The same for all the tenant's users, whose token versions it raises. Only those are touched that were locked first, in their order: a
/// user who comes meanwhile comes without sessions, and may be held by somebody who waits for one of these.
pub(super) fn send_out(conn: &mut AnyConnection, tenant: &TenantId, now: Timestamp) -> QueryResult<()> {
    for some in dialect::users_to_change(conn, tenant)?.chunks(AT_ONCE) {
        diesel::update(users::table.filter(users::id.eq_any(some)))
            .set((
                users::token_version.eq(users::token_version + 1),
                users::sessions_ended_at.eq(written(now)),
            ))
            .execute(conn)?;
        diesel::delete(sessions::table.filter(sessions::user_id.eq_any(some))).execute(conn)?;
        diesel::delete(password_resets::table.filter(password_resets::user_id.eq_any(some))).execute(conn)?;
    }
    Ok(())
}

/// How many values a statement names at most.
const AT_ONCE: usize = 500;
