use diesel::prelude::*;
use tenantry_domain::{Actor, PasswordHash, Timestamp, TokenHash, User, UserId};

use super::audit::append;
use super::connection::AnyConnection;
use super::dialect;
use super::isolation::Guard;
use super::ledger::WorkError;
use super::rows::UserRow;
use super::schema::{password_resets, users};
use super::users::save;
use crate::UserChange;
use crate::ledger::sessions::{reset, reset_issued};
use crate::ledger::users::changed;

/// Keeps a secret in place of the user's earlier one.
pub(super) fn issue(
    conn: &mut AnyConnection,
    guard: &Guard,
    user: &User,
    (secret, expires_at): (TokenHash, Timestamp),
    (actor, now): (&Actor, Timestamp),
) -> Result<(), WorkError> {
    let id = user.id.to_string();
    diesel::delete(password_resets::table.find(&id)).execute(conn)?;
    let row = (
        password_resets::user_id.eq(&id),
        password_resets::secret.eq(secret.as_bytes().as_slice()),
        password_resets::expires_at.eq(expires_at.unix_micros()),
    );
    diesel::insert_into(password_resets::table)
        .values(row)
        .execute(conn)?;
    append(conn, guard, &reset_issued(user, expires_at), actor, now)
}

/// The active user whose password may be set with the secret.
pub(super) fn user(
    conn: &mut AnyConnection,
    secret: TokenHash,
    now: Timestamp,
) -> QueryResult<Option<UserRow>> {
    users::table
        .inner_join(password_resets::table)
        .filter(password_resets::secret.eq(secret.as_bytes().as_slice()))
        .filter(password_resets::expires_at.gt(now.unix_micros()))
        .filter(users::is_active)
        .select(users::all_columns)
        .first(conn)
        .optional()
}

/// Sets the password, if the secret still is the user's once nobody else can change the user.
pub(super) fn redeem(
    conn: &mut AnyConnection,
    guard: &Guard,
    (id, secret): (UserId, TokenHash),
    password: &PasswordHash,
    (actor, now): (&Actor, Timestamp),
) -> Result<Option<User>, WorkError> {
    if dialect::user_to_change(conn, id)?.is_none() {
        return Ok(None);
    }
    let Some(before) = user(conn, secret, now)? else {
        return Ok(None);
    };
    let changed = changed(&before.try_into()?, &UserChange::of_reset(password, actor), now)?;
    save(conn, &changed, now)?;
    append(conn, guard, &reset(&changed.user), actor, now)?;
    Ok(Some(changed.user))
}
