use diesel::prelude::*;
use tenantry_domain::{
    BoxError, Document, Email, PasswordHash, PineconeSettings, Sealed, SealedSecret, Tenant, TenantId,
    Timestamp, User,
};
use time::PrimitiveDateTime;

use super::schema::{crypto_state, documents, tenants, users};
use crate::{KeyDerivation, KeyState, NewDocument, StoreError, TenantChange, UserChange};

/// A row that this version cannot have written.
#[derive(Debug, thiserror::Error)]
#[error("a row of {table} cannot be read")]
struct UnreadableRow {
    table: &'static str,
    #[source]
    why: BoxError,
}

/// Turns a failure to read a row of `table` into a store's.
fn unreadable<E: Into<BoxError>>(table: &'static str) -> impl Fn(E) -> StoreError {
    move |why| {
        StoreError::Failed(
            UnreadableRow {
                table,
                why: why.into(),
            }
            .into(),
        )
    }
}

/// The moment as both databases keep it: UTC without saying so, to the microsecond.
pub(super) fn written(at: Timestamp) -> PrimitiveDateTime {
    let at = at.to_offset_date_time();
    PrimitiveDateTime::new(at.date(), at.time())
}

fn read(at: PrimitiveDateTime) -> Timestamp {
    at.assume_utc().into()
}

#[derive(Queryable, Insertable)]
#[diesel(table_name = tenants)]
pub(super) struct TenantRow {
    id: String,
    name: String,
    pinecone_environment: Option<String>,
    pinecone_index: Option<String>,
    pinecone_host: Option<String>,
    pinecone_api_key: Option<String>,
    pinecone_api_key_last_four: Option<String>,
    system_prompt: Option<String>,
    is_active: bool,
    created_at: PrimitiveDateTime,
    updated_at: PrimitiveDateTime,
}

impl From<&Tenant> for TenantRow {
    fn from(tenant: &Tenant) -> Self {
        let tenant = tenant.clone();
        let (key, last_four) = sealed_columns(tenant.pinecone.api_key);
        Self {
            id: tenant.id.to_string(),
            name: tenant.name,
            pinecone_environment: tenant.pinecone.environment,
            pinecone_index: tenant.pinecone.index,
            pinecone_host: tenant.pinecone.host,
            pinecone_api_key: key,
            pinecone_api_key_last_four: last_four,
            system_prompt: tenant.system_prompt,
            is_active: tenant.is_active,
            created_at: written(tenant.created_at),
            updated_at: written(tenant.updated_at),
        }
    }
}

impl TryFrom<TenantRow> for Tenant {
    type Error = StoreError;

    fn try_from(row: TenantRow) -> Result<Self, StoreError> {
        let last_four = row.pinecone_api_key_last_four.unwrap_or_default();
        Ok(Self {
            id: TenantId::parse(&row.id).map_err(unreadable("tenants"))?,
            name: row.name,
            pinecone: PineconeSettings {
                environment: row.pinecone_environment,
                index: row.pinecone_index,
                host: row.pinecone_host,
                api_key: row.pinecone_api_key.map(|key| SealedSecret {
                    sealed: Sealed::from_stored(key),
                    last_four,
                }),
            },
            system_prompt: row.system_prompt,
            is_active: row.is_active,
            created_at: read(row.created_at),
            updated_at: read(row.updated_at),
        })
    }
}

fn sealed_columns(secret: Option<SealedSecret>) -> (Option<String>, Option<String>) {
    secret
        .map(|secret| (secret.sealed.as_str().to_owned(), secret.last_four))
        .unzip()
}

#[derive(AsChangeset)]
#[diesel(table_name = tenants)]
pub(super) struct TenantChanges {
    name: Option<String>,
    pinecone_environment: Option<Option<String>>,
    pinecone_index: Option<Option<String>>,
    pinecone_host: Option<Option<String>>,
    pinecone_api_key: Option<Option<String>>,
    pinecone_api_key_last_four: Option<Option<String>>,
    system_prompt: Option<Option<String>>,
    is_active: Option<bool>,
    updated_at: PrimitiveDateTime,
}

impl TenantChanges {
    pub(super) fn new(change: &TenantChange, now: Timestamp) -> Self {
        let change = change.clone();
        let (key, last_four) = change.pinecone_api_key.map(sealed_columns).unzip();
        Self {
            name: change.name,
            pinecone_environment: change.pinecone_environment,
            pinecone_index: change.pinecone_index,
            pinecone_host: change.pinecone_host,
            pinecone_api_key: key,
            pinecone_api_key_last_four: last_four,
            system_prompt: change.system_prompt,
            is_active: change.is_active,
            updated_at: written(now),
        }
    }
}

#[derive(Queryable, Insertable)]
#[diesel(table_name = users)]
pub(super) struct UserRow {
    id: String,
    email: String,
    password_hash: Option<String>,
    is_superuser: bool,
    is_active: bool,
    tenant_id: Option<String>,
    token_version: i64,
    created_at: PrimitiveDateTime,
    updated_at: PrimitiveDateTime,
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
        }
    }
}

impl TryFrom<UserRow> for User {
    type Error = StoreError;

    fn try_from(row: UserRow) -> Result<Self, StoreError> {
        let tenant = row.tenant_id.map(|id| TenantId::parse(&id)).transpose();
        Ok(Self {
            id: row
                .id
                .parse()
                .map_err(unreadable::<tenantry_domain::ParseIdError>("users"))?,
            email: Email::parse(&row.email).map_err(unreadable("users"))?,
            password_hash: row.password_hash.map(PasswordHash::from_stored),
            is_superuser: row.is_superuser,
            is_active: row.is_active,
            tenant: tenant.map_err(unreadable("users"))?,
            token_version: row
                .token_version
                .try_into()
                .map_err(unreadable::<std::num::TryFromIntError>("users"))?,
            created_at: read(row.created_at),
            updated_at: read(row.updated_at),
        })
    }
}

#[derive(AsChangeset)]
#[diesel(table_name = users)]
pub(super) struct UserChanges {
    tenant_id: Option<Option<String>>,
    is_active: Option<bool>,
    is_superuser: Option<bool>,
    password_hash: Option<String>,
    updated_at: PrimitiveDateTime,
}

impl UserChanges {
    pub(super) fn new(change: &UserChange, now: Timestamp) -> Self {
        Self {
            tenant_id: change
                .tenant
                .as_ref()
                .map(|tenant| tenant.as_ref().map(ToString::to_string)),
            is_active: change.is_active,
            is_superuser: change.is_superuser,
            password_hash: change.password_hash.as_ref().map(|hash| hash.as_str().to_owned()),
            updated_at: written(now),
        }
    }
}

/// A document as it is listed: without its text, which may be long.
#[derive(Queryable, Selectable)]
#[diesel(table_name = documents)]
pub(super) struct DocumentRow {
    id: String,
    title: String,
    media_type: String,
    state: String,
    failure: Option<String>,
    characters: i64,
    chunks: i64,
    created_at: PrimitiveDateTime,
    updated_at: PrimitiveDateTime,
}

impl TryFrom<DocumentRow> for Document {
    type Error = StoreError;

    fn try_from(row: DocumentRow) -> Result<Self, StoreError> {
        let count = |count: i64| u32::try_from(count).map_err(unreadable("documents"));
        Ok(Self {
            id: row
                .id
                .parse()
                .map_err(unreadable::<tenantry_domain::ParseIdError>("documents"))?,
            title: row.title,
            media_type: row
                .media_type
                .parse()
                .map_err(unreadable::<tenantry_domain::ParseMediaTypeError>("documents"))?,
            state: row
                .state
                .parse()
                .map_err(unreadable::<tenantry_domain::ParseDocumentStateError>(
                    "documents",
                ))?,
            failure: row.failure,
            characters: count(row.characters)?,
            chunks: count(row.chunks)?,
            created_at: read(row.created_at),
            updated_at: read(row.updated_at),
        })
    }
}

#[derive(Insertable)]
#[diesel(table_name = documents)]
pub(super) struct NewDocumentRow<'d> {
    tenant_id: &'d str,
    id: String,
    title: &'d str,
    media_type: &'static str,
    state: &'static str,
    characters: i64,
    chunks: i64,
    created_at: PrimitiveDateTime,
    updated_at: PrimitiveDateTime,
    text: &'d str,
}

impl<'d> NewDocumentRow<'d> {
    pub(super) fn new(tenant: &'d TenantId, new: &'d NewDocument) -> Self {
        let document = new.begin();
        Self {
            tenant_id: tenant.as_str(),
            id: document.id.to_string(),
            title: &new.title,
            media_type: document.media_type.as_str(),
            state: document.state.as_str(),
            characters: document.characters.into(),
            chunks: document.chunks.into(),
            created_at: written(document.created_at),
            updated_at: written(document.updated_at),
            text: &new.text,
        }
    }
}

#[derive(Queryable, Insertable)]
#[diesel(table_name = crypto_state)]
pub(super) struct KeyRow {
    kid: String,
    canary: String,
    kdf: String,
    salt: Option<Vec<u8>>,
    created_at: PrimitiveDateTime,
}

const RAW: &str = "raw";
const PASSPHRASE: &str = "argon2id";

impl From<&KeyState> for KeyRow {
    fn from(state: &KeyState) -> Self {
        let (kdf, salt) = match &state.derivation {
            KeyDerivation::Raw => (RAW, None),
            KeyDerivation::Passphrase { salt } => (PASSPHRASE, Some(salt.to_vec())),
        };
        Self {
            kid: state.key_id.clone(),
            canary: state.canary.as_str().to_owned(),
            kdf: kdf.to_owned(),
            salt,
            created_at: written(state.created_at),
        }
    }
}

impl TryFrom<KeyRow> for KeyState {
    type Error = StoreError;

    fn try_from(row: KeyRow) -> Result<Self, StoreError> {
        let salt = row.salt.map(<[u8; 16]>::try_from).transpose();
        let salt = salt.map_err(|_| unreadable("crypto_state")("the salt does not have 16 bytes"))?;
        let derivation = match (row.kdf.as_str(), salt) {
            (RAW, None) => KeyDerivation::Raw,
            (PASSPHRASE, Some(salt)) => KeyDerivation::Passphrase { salt },
            _ => return Err(unreadable("crypto_state")("the key derivation is not known")),
        };
        Ok(Self {
            key_id: row.kid,
            canary: Sealed::from_stored(row.canary),
            derivation,
            created_at: read(row.created_at),
        })
    }
}
