//! How a session begins and goes on: each under the lock of the user, or of the session itself.

use diesel::prelude::*;
use tenantry_domain::{Actor, ParseIdError, SessionId, Tenant, Timestamp, TokenHash, User};

use super::audit::append;
use super::connection::AnyConnection;
use super::dialect;
use super::isolation::Guard;
use super::ledger::WorkError;
use super::rows::{SessionRow, TenantRow, UserRow};
use super::schema::{refresh_tokens, sessions, tenants, users};
use crate::ledger::sessions::{KeptSession, Verdict, begun, refreshed, reused, verdict};
use crate::{MAX_SESSIONS, NewSession, Refreshed, StoreError};

/// Begins a session of a user whom nobody else changes meanwhile.
pub(super) fn begin(
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
        .map_err(|error: ParseIdError| StoreError::Failed(error.into()))?)
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

/// The session that a refresh token is of.
pub(super) fn session_of(conn: &mut AnyConnection, refresh: TokenHash) -> QueryResult<Option<String>> {
    refresh_tokens::table
        .find(refresh.as_bytes().as_slice())
        .select(refresh_tokens::session_id)
        .first(conn)
        .optional()
}

/// A refresh token that is presented, to be taken for the next.
pub(super) struct Refresh<'a> {
    pub(super) presented: TokenHash,
    pub(super) next: TokenHash,
    pub(super) actor: &'a Actor,
    pub(super) now: Timestamp,
}

impl Refresh<'_> {
    /// Takes the token under the lock of its session.
    pub(super) fn run(
        &self,
        conn: &mut AnyConnection,
        guard: &Guard,
        session: &str,
    ) -> Result<Refreshed, WorkError> {
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
