use diesel::prelude::*;
use tenantry_domain::{
    Actor, PasswordHash, Session, SessionId, Tenant, TenantId, Timestamp, TokenHash, User, UserId,
};

use super::audit::append;
use super::connection::AnyConnection;
use super::isolation::Guard;
use super::ledger::WorkError;
use super::rows::{SessionRow, TenantRow, UserRow, written};
use super::schema::{password_resets, refresh_tokens, sessions, tenants, users};
use super::{SqlStore, dialect, resets};
use crate::ledger::sessions::{KeptSession, Verdict, begun, ended, refreshed, reused, verdict};
use crate::text::{Texts, refuse_nul};
use crate::{MAX_SESSIONS, NewSession, Refreshed, SessionStore, StoreError};

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

fn begin(
    conn: &mut AnyConnection,
    guard: &Guard,
    new: &NewSession,
    actor: &Actor,
) -> Result<bool, WorkError> {
    let now = new.session.created_at;
    let Some(user) = dialect::user_to_change(conn, new.session.user)? else {
        return Ok(false);
    };
    let user = User::try_from(user)?;
    if !user.is_active || user.token_version != new.token_version {
        return Ok(false);
    }
    let crowded_out = make_room(conn, &user, now)?;
    dialect::sweep_sessions(conn, now)?;
    let kept = KeptSession {
        session: new.session.clone(),
        token_version: user.token_version,
    };
    diesel::insert_into(sessions::table)
        .values(SessionRow::from(&kept))
        .execute(conn)?;
    add_token(conn, new.refresh, &kept.session.id.to_string())?;
    if let Some((newer, older)) = &new.rehash
        && user.password_hash.as_ref() == Some(older)
    {
        diesel::update(users::table.find(user.id.to_string()))
            .set(users::password_hash.eq(newer.as_str()))
            .execute(conn)?;
    }
    append(conn, guard, &begun(&user, &new.session, &crowded_out), actor, now)?;
    Ok(true)
}

/// Removes the user's sessions that are over, and of those that live the least recently used, so that there is room for one more; which
/// were live.
fn make_room(conn: &mut AnyConnection, user: &User, now: Timestamp) -> Result<Vec<SessionId>, WorkError> {
    let of_user = || sessions::table.filter(sessions::user_id.eq(user.id.to_string()));
    let over = sessions::expires_at
        .le(now.unix_micros())
        .or(sessions::token_version.ne(i64::from(user.token_version)));
    diesel::delete(of_user().filter(over)).execute(conn)?;
    let crowded_out: Vec<String> = of_user()
        .order((sessions::used_at.desc(), sessions::id.desc()))
        .offset(i64::try_from(MAX_SESSIONS - 1).unwrap_or(i64::MAX))
        .limit(i64::MAX)
        .select(sessions::id)
        .load(conn)?;
    if crowded_out.is_empty() {
        return Ok(Vec::new());
    }
    diesel::delete(sessions::table.filter(sessions::id.eq_any(&crowded_out))).execute(conn)?;
    let ids = crowded_out.iter().map(|id| id.parse());
    Ok(ids
        .collect::<Result<_, _>>()
        .map_err(|error: tenantry_domain::ParseIdError| StoreError::Failed(error.into()))?)
}

fn add_token(conn: &mut AnyConnection, refresh: TokenHash, session: &str) -> QueryResult<()> {
    let row = (
        refresh_tokens::hash.eq(refresh.as_bytes().as_slice()),
        refresh_tokens::session_id.eq(session),
    );
    diesel::insert_into(refresh_tokens::table)
        .values(row)
        .execute(conn)
        .map(drop)
}

fn session_of(conn: &mut AnyConnection, refresh: TokenHash) -> QueryResult<Option<String>> {
    refresh_tokens::table
        .find(refresh.as_bytes().as_slice())
        .select(refresh_tokens::session_id)
        .first(conn)
        .optional()
}

/// A refresh token that is presented, to be taken for the next.
struct Refresh<'a> {
    presented: TokenHash,
    next: TokenHash,
    actor: &'a Actor,
    now: Timestamp,
}

impl Refresh<'_> {
    fn run(&self, conn: &mut AnyConnection, guard: &Guard, session: &str) -> Result<Refreshed, WorkError> {
        let Some(kept) = dialect::session_to_change(conn, session)? else {
            return Ok(Refreshed::Refused);
        };
        let mut kept = KeptSession::try_from(kept)?;
        // Only now: whoever held the session may have used the token.
        let is_used = refresh_tokens::table
            .find(self.presented.as_bytes().as_slice())
            .select(refresh_tokens::is_used)
            .first::<bool>(conn)?;
        let (user, tenant) = owner(conn, session)?;
        match verdict(&kept, is_used, &user, tenant.as_ref(), self.now) {
            Verdict::Refuse => Ok(Refreshed::Refused),
            Verdict::End => {
                diesel::delete(sessions::table.find(session)).execute(conn)?;
                append(conn, guard, &reused(&user, kept.session.id), self.actor, self.now)?;
                Ok(Refreshed::Reused)
            }
            Verdict::Rotate => {
                self.rotate(conn, session)?;
                kept.session.used_at = self.now;
                let (events, actor) = refreshed(&user, kept.session.id, self.actor);
                append(conn, guard, &events, &actor, self.now)?;
                Ok(Refreshed::Rotated {
                    session: kept.session,
                    user: Box::new(user),
                })
            }
        }
    }

    fn rotate(&self, conn: &mut AnyConnection, session: &str) -> QueryResult<()> {
        diesel::update(refresh_tokens::table.find(self.presented.as_bytes().as_slice()))
            .set(refresh_tokens::is_used.eq(true))
            .execute(conn)?;
        add_token(conn, self.next, session)?;
        diesel::update(sessions::table.find(session))
            .set(sessions::used_at.eq(self.now.unix_micros()))
            .execute(conn)
            .map(drop)
    }
}

/// The session's user with the user's tenant. They are not locked: who changes them ends the session, and waits for it.
fn owner(conn: &mut AnyConnection, session: &str) -> Result<(User, Option<Tenant>), WorkError> {
    let (user, tenant) = users::table
        .inner_join(sessions::table)
        .left_join(tenants::table)
        .filter(sessions::id.eq(session))
        .select((users::all_columns, tenants::all_columns.nullable()))
        .first::<(UserRow, Option<TenantRow>)>(conn)?;
    Ok((user.try_into()?, tenant.map(Tenant::try_from).transpose()?))
}
