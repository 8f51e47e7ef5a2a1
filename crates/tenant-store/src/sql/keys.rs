use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Text};
use tenantry_domain::{Actor, Sealed, TenantId, Timestamp};

use super::audit::append;
use super::connection::AnyConnection;
use super::rows::KeyRow;
use super::schema::{crypto_state, tenants};
use super::{SqlStore, count, dialect};
use crate::ledger::keys::resealed;
use crate::text::{Texts, refuse_nul};
use crate::{KeyState, KeyStateStore, SealedValue, SecretKind, SecretSample, StoreError};

/// The first secret of each key, with the number of secrets that share the key.
#[derive(QueryableByName)]
struct SampleRow {
    #[diesel(sql_type = Text)]
    id: String,
    #[diesel(sql_type = Integer)]
    kind: i32,
    #[diesel(sql_type = Text)]
    sealed: String,
    #[diesel(sql_type = BigInt)]
    secrets: i64,
}

/// A secret.
#[derive(QueryableByName)]
struct ValueRow {
    #[diesel(sql_type = Text)]
    id: String,
    #[diesel(sql_type = Integer)]
    kind: i32,
    #[diesel(sql_type = Text)]
    sealed: String,
}

/// Every secret, with the place of its kind in [`SecretKind::ALL`].
const SECRETS: &str = "SELECT id, 0 AS kind, pinecone_api_key AS sealed \
    FROM tenants WHERE pinecone_api_key IS NOT NULL \
    UNION ALL SELECT id, 1, llm_api_key FROM tenants WHERE llm_api_key IS NOT NULL";

impl KeyStateStore for SqlStore {
    fn key_states(&self) -> Result<Vec<KeyState>, StoreError> {
        let query = crypto_state::table.order((crypto_state::created_at.asc(), crypto_state::kid.asc()));
        self.run(|conn| query.load::<KeyRow>(conn))?
            .into_iter()
            .map(KeyState::try_from)
            .collect()
    }

    fn remember_key(&self, state: &KeyState) -> Result<(), StoreError> {
        state.refuse_nul()?;
        self.run(|conn| dialect::insert_new_key(conn, KeyRow::from(state)))
            .map(drop)
    }

    fn secrets_by_key(&self) -> Result<Vec<SecretSample>, StoreError> {
        let rows = self.run(|conn| {
            let query = format!(
                "SELECT id, kind, sealed, secrets FROM ( \
                     SELECT id, kind, sealed, \
                         count(*) OVER (PARTITION BY key_part) AS secrets, \
                         row_number() OVER (PARTITION BY key_part ORDER BY id, kind) AS place \
                     FROM (SELECT id, kind, sealed, {key_part} AS key_part FROM ({SECRETS}) AS secrets) AS secrets \
                 ) AS samples WHERE place = 1 ORDER BY id, kind",
                key_part = dialect::key_part(conn),
            );
            diesel::sql_query(query).load::<SampleRow>(conn)
        })?;
        rows.into_iter().map(SecretSample::try_from).collect()
    }

    fn sealed_values(
        &self,
        after: Option<&(TenantId, SecretKind)>,
        limit: u16,
    ) -> Result<Vec<SealedValue>, StoreError> {
        // Before every tenant id, none of which is empty.
        let (tenant, kind) = after.map_or(("", 0), |(tenant, kind)| (tenant.as_str(), place(*kind)));
        let rows = self.run(|conn| {
            // SQLite takes `$1` for a name, and counts names in the order in which they appear.
            let query = format!(
                "SELECT id, kind, sealed FROM ({SECRETS}) AS secrets \
                 WHERE id > $1 OR id = $1 AND kind > $2 ORDER BY id, kind LIMIT $3"
            );
            diesel::sql_query(query)
                .bind::<Text, _>(tenant)
                .bind::<Integer, _>(kind)
                .bind::<BigInt, _>(i64::from(limit))
                .load::<ValueRow>(conn)
        })?;
        rows.into_iter().map(SealedValue::try_from).collect()
    }

    fn reseal(
        &self,
        old: &SealedValue,
        new: &Sealed,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        refuse_nul(old.kind.column(), new.as_str())?;
        let guard = self.guard()?;
        let done = dialect::writing(&mut *self.acquire()?, |conn| {
            if replace(conn, old, new)? == 0 {
                return Ok(false);
            }
            append(conn, guard, &resealed(old, new), actor, now)?;
            Ok(true)
        });
        Ok(done?)
    }

    fn forget_key(&self, key_id: &str) -> Result<bool, StoreError> {
        refuse_nul("kid", key_id)?;
        let forgotten = self.run(|conn| {
            let query = format!(
                "DELETE FROM crypto_state WHERE kid = $1 AND NOT EXISTS ( \
                     SELECT 1 FROM (SELECT {key_part} AS part FROM ({SECRETS}) AS secrets) AS parts \
                     WHERE substr(part, length(part) - length($1)) = '.' || $1)",
                key_part = dialect::key_part(conn),
            );
            diesel::sql_query(query).bind::<Text, _>(key_id).execute(conn)
        })?;
        Ok(forgotten > 0)
    }
}

/// Puts `new` in the place of `old` where that is still there.
fn replace(conn: &mut AnyConnection, old: &SealedValue, new: &Sealed) -> QueryResult<usize> {
    let tenant = tenants::table.find(old.tenant.as_str());
    let (old_text, new_text) = (old.sealed.as_str(), new.as_str());
    match old.kind {
        SecretKind::PineconeApiKey => diesel::update(tenant.filter(tenants::pinecone_api_key.eq(old_text)))
            .set(tenants::pinecone_api_key.eq(new_text))
            .execute(conn),
        SecretKind::LlmApiKey => diesel::update(tenant.filter(tenants::llm_api_key.eq(old_text)))
            .set(tenants::llm_api_key.eq(new_text))
            .execute(conn),
    }
}

/// The place of a kind in [`SECRETS`].
fn place(kind: SecretKind) -> i32 {
    match kind {
        SecretKind::PineconeApiKey => 0,
        SecretKind::LlmApiKey => 1,
    }
}

impl TryFrom<ValueRow> for SealedValue {
    type Error = StoreError;

    fn try_from(row: ValueRow) -> Result<Self, StoreError> {
        let kinds = SecretKind::ALL.into_iter();
        let kind = kinds.into_iter().find(|kind| place(*kind) == row.kind);
        Ok(Self {
            tenant: TenantId::parse(&row.id).map_err(|error| StoreError::Failed(error.into()))?,
            kind: kind.ok_or_else(|| StoreError::Failed("a secret of an unknown kind".into()))?,
            sealed: Sealed::from_stored(row.sealed),
        })
    }
}

impl TryFrom<SampleRow> for SecretSample {
    type Error = StoreError;

    fn try_from(row: SampleRow) -> Result<Self, StoreError> {
        let SampleRow {
            id,
            kind,
            sealed,
            secrets,
        } = row;
        let SealedValue { tenant, kind, sealed } = ValueRow { id, kind, sealed }.try_into()?;
        Ok(Self {
            tenant,
            kind,
            sealed,
            secrets: count(secrets)?,
        })
    }
}
