use diesel::prelude::*;
use tenantry_domain::{Session, Timestamp, TokenHash};

use super::{moment, number, parsed, unreadable};
use crate::StoreError;
use crate::ledger::sessions::KeptSession;
use crate::ledger::throttle::Failures;
use crate::sql::schema::{login_throttle, sessions};

const TABLE: &str = "sessions";

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = sessions)]
pub(in crate::sql) struct SessionRow {
    id: String,
    user_id: String,
    token_version: i64,
    method: String,
    client: Option<String>,
    address: Option<String>,
    created_at: i64,
    used_at: i64,
    expires_at: i64,
}

impl From<&KeptSession> for SessionRow {
    fn from(kept: &KeptSession) -> Self {
        let session = &kept.session;
        Self {
            id: session.id.to_string(),
            user_id: session.user.to_string(),
            token_version: kept.token_version.into(),
            method: session.method.to_string(),
            client: session.client.clone(),
            address: session.address.map(|address| address.to_string()),
            created_at: session.created_at.unix_micros(),
            used_at: session.used_at.unix_micros(),
            expires_at: session.expires_at.unix_micros(),
        }
    }
}

impl TryFrom<SessionRow> for KeptSession {
    type Error = StoreError;

    fn try_from(row: SessionRow) -> Result<Self, StoreError> {
        let address = row.address.map(|address| parsed(TABLE, &address));
        Ok(Self {
            session: Session {
                id: parsed(TABLE, &row.id)?,
                user: parsed(TABLE, &row.user_id)?,
                method: parsed(TABLE, &row.method)?,
                client: row.client,
                address: address.transpose()?,
                created_at: moment(TABLE, row.created_at)?,
                used_at: moment(TABLE, row.used_at)?,
                expires_at: moment(TABLE, row.expires_at)?,
            },
            token_version: number(TABLE, row.token_version)?,
        })
    }
}

/// The failures that are kept of one key.
#[derive(Queryable, Insertable)]
#[diesel(table_name = login_throttle)]
pub(in crate::sql) struct FailuresRow {
    key: Vec<u8>,
    failures: i64,
    last_at: i64,
}

impl FailuresRow {
    /// A key that never failed.
    pub(in crate::sql) fn none(key: &TokenHash, now: Timestamp) -> Self {
        Self {
            key: key.as_bytes().to_vec(),
            failures: 0,
            last_at: now.unix_micros(),
        }
    }

    pub(in crate::sql) fn read(self) -> Result<(TokenHash, Failures), StoreError> {
        const TABLE: &str = "login_throttle";
        let key = <[u8; 32]>::try_from(self.key);
        let key = key.map_err(|_| unreadable(TABLE)("a key does not have 32 bytes"))?;
        let failures = Failures {
            count: number(TABLE, self.failures)?,
            last_at: moment(TABLE, self.last_at)?,
        };
        Ok((TokenHash::from_bytes(key), failures))
    }
}
