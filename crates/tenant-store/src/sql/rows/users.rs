use std::num::TryFromIntError;

use diesel::prelude::*;
use tenantry_domain::{Email, ParseIdError, PasswordHash, TenantId, Timestamp, User};
use time::PrimitiveDateTime;

use super::{parsed, read, unreadable, written};
use crate::StoreError;
use crate::ledger::users::ChangedUser;
use crate::sql::schema::users;

#[derive(Queryable, Insertable)]
#[diesel(table_name = users)]
pub(in crate::sql) struct UserRow {
    id: String,
    email: String,
    password_hash: Option<String>,
    is_superuser: bool,
    is_active: bool,
    tenant_id: Option<String>,
    token_version: i64,
    created_at: PrimitiveDateTime,
    updated_at: PrimitiveDateTime,
    role: String,
    sessions_ended_at: Option<PrimitiveDateTime>,
}

impl UserRow {
    pub(in crate::sql) fn sessions_ended_at(&self) -> Option<Timestamp> {
        self.sessions_ended_at.map(read)
    }
}

impl From<&User> for UserRow {
    fn from(user: &User) -> Self {
        Self {
            id: user.id.to_string(),
            email: user.email.as_str().to_owned(),
            password_hash: user.password_hash.as_ref().map(|hash| hash.as_str().to_owned()),
            is_superuser: user.is_superuser,
            is_active: user.is_active,
            tenant_id: user.tenant.as_ref().map(ToString::to_string),
            token_version: user.token_version.into(),
            created_at: written(user.created_at),
            updated_at: written(user.updated_at),
            role: user.role.to_string(),
            sessions_ended_at: None,
        }
    }
}

impl TryFrom<UserRow> for User {
    type Error = StoreError;

    fn try_from(row: UserRow) -> Result<Self, StoreError> {
        let tenant = row.tenant_id.map(|id| TenantId::parse(&id)).transpose();
        Ok(Self {
            id: row.id.parse().map_err(unreadable::<ParseIdError>("users"))?,
            email: Email::parse(&row.email).map_err(unreadable("users"))?,
            password_hash: row.password_hash.map(PasswordHash::from_stored),
            is_superuser: row.is_superuser,
            is_active: row.is_active,
            tenant: tenant.map_err(unreadable("users"))?,
            role: parsed("users", &row.role)?,
            token_version: row
                .token_version
                .try_into()
                .map_err(unreadable::<TryFromIntError>("users"))?,
            created_at: read(row.created_at),
            updated_at: read(row.updated_at),
        })
    }
}

/// What a user becomes; the address never changes, and a hash is never taken away.
#[derive(AsChangeset)]
#[diesel(table_name = users)]
pub(in crate::sql) struct UserChanges {
    tenant_id: Option<Option<String>>,
    is_active: bool,
    is_superuser: bool,
    password_hash: Option<String>,
    token_version: i64,
    updated_at: PrimitiveDateTime,
    role: &'static str,
    sessions_ended_at: Option<PrimitiveDateTime>,
}

impl UserChanges {
    pub(in crate::sql) fn new(changed: &ChangedUser, now: Timestamp) -> Self {
        let user = &changed.user;
        Self {
            tenant_id: Some(user.tenant.as_ref().map(ToString::to_string)),
            is_active: user.is_active,
            is_superuser: user.is_superuser,
            password_hash: user.password_hash.as_ref().map(|hash| hash.as_str().to_owned()),
            token_version: user.token_version.into(),
            updated_at: written(user.updated_at),
            role: user.role.as_str(),
            sessions_ended_at: changed.ends_sessions.then(|| written(now)),
        }
    }
}
