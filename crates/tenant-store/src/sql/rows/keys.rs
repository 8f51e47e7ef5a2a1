use diesel::prelude::*;
use tenantry_domain::Sealed;
use time::PrimitiveDateTime;

use super::{read, unreadable, written};
use crate::sql::schema::crypto_state;
use crate::{KeyDerivation, KeyState, StoreError};

#[derive(Queryable, Insertable)]
#[diesel(table_name = crypto_state)]
pub(in crate::sql) struct KeyRow {
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
