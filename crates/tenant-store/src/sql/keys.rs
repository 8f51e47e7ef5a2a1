use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text};
use tenantry_domain::{Actor, Sealed, TenantId, Timestamp};

use super::rows::KeyRow;
use super::schema::crypto_state;
use super::{SqlStore, count, dialect};
use crate::text::Texts;
use crate::{KeyState, KeyStateStore, SealedValue, SecretKind, SecretSample, StoreError};

/// The first secret of each key, with the number of secrets that share the key.
#[derive(QueryableByName)]
struct SampleRow {
    #[diesel(sql_type = Text)]
    id: String,
    #[diesel(sql_type = Bool)]
    is_pinecone: bool,
    #[diesel(sql_type = Text)]
    sealed: String,
    #[diesel(sql_type = BigInt)]
    secrets: i64,
}

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
                "SELECT id, is_pinecone, sealed, secrets FROM ( \
                     SELECT id, is_pinecone, sealed, \
                         count(*) OVER (PARTITION BY key_part) AS secrets, \
                         row_number() OVER (PARTITION BY key_part ORDER BY id, is_pinecone DESC) AS place \
                     FROM (SELECT id, is_pinecone, sealed, {key_part} AS key_part FROM ( \
                         SELECT id, TRUE AS is_pinecone, pinecone_api_key AS sealed \
                         FROM tenants WHERE pinecone_api_key IS NOT NULL \
                         UNION ALL SELECT id, FALSE, llm_api_key FROM tenants WHERE llm_api_key IS NOT NULL \
                     ) AS secrets) AS secrets \
                 ) AS samples WHERE place = 1 ORDER BY id, is_pinecone DESC",
                key_part = dialect::key_part(conn),
            );
            diesel::sql_query(query).load::<SampleRow>(conn)
        })?;
        rows.into_iter().map(SecretSample::try_from).collect()
    }

    fn sealed_otherwise(
        &self,
        _key_part: &str,
        _after: Option<&(TenantId, SecretKind)>,
        _limit: u16,
    ) -> Result<Vec<SealedValue>, StoreError> {
        Err(StoreError::Failed("not written yet".into()))
    }

    fn reseal(
        &self,
        _old: &SealedValue,
        _new: &Sealed,
        _actor: &Actor,
        _now: Timestamp,
    ) -> Result<bool, StoreError> {
        Err(StoreError::Failed("not written yet".into()))
    }

    fn forget_key(&self, _key_id: &str) -> Result<bool, StoreError> {
        Err(StoreError::Failed("not written yet".into()))
    }
}

impl TryFrom<SampleRow> for SecretSample {
    type Error = StoreError;

    fn try_from(row: SampleRow) -> Result<Self, StoreError> {
        Ok(Self {
            tenant: TenantId::parse(&row.id).map_err(|error| StoreError::Failed(error.into()))?,
            kind: if row.is_pinecone {
                SecretKind::PineconeApiKey
            } else {
                SecretKind::LlmApiKey
            },
            sealed: Sealed::from_stored(row.sealed),
            secrets: count(row.secrets)?,
        })
    }
}
