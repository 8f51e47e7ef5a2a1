//! The text of a sealed value: `v1.<key id>.<base64url without padding of nonce, ciphertext and tag>`.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chacha20poly1305::aead::AeadInOut;
use chacha20poly1305::{KeyInit, Tag, XChaCha20Poly1305, XNonce};
use secrecy::{ExposeSecret, SecretString};
use tenantry_domain::Sealed;
use zeroize::Zeroizing;

use crate::{Field, KeyId, OpenError, SealError};

/// 32 secret bytes that are wiped when they are dropped.
pub(crate) type KeyBytes = Zeroizing<[u8; 32]>;

/// The length of a nonce of XChaCha20-Poly1305: long enough to be random for every value.
pub(crate) const NONCE_BYTES: usize = 24;
const TAG_BYTES: usize = 16;
/// Names the cipher, the key derivation and the associated data; another way of sealing gets another version.
const VERSION: &str = "v1";

/// What a value is bound to besides its key.
pub(crate) struct Place<'a> {
    pub(crate) table: &'a str,
    pub(crate) column: &'a str,
    pub(crate) tenant: &'a str,
}

impl Place<'static> {
    /// Where canaries are kept. No tenant has an empty id, so that no secret is ever sealed for this place.
    pub(crate) const CANARY: Self = Self {
        table: "crypto_state",
        column: "canary",
        tenant: "",
    };
}

impl<'a> From<Field<'a>> for Place<'a> {
    fn from(field: Field<'a>) -> Self {
        Self {
            table: field.table,
            column: field.column,
            tenant: field.tenant.as_str(),
        }
    }
}

impl Place<'_> {
    fn associated_data(&self, key: KeyId) -> Vec<u8> {
        length_prefixed(&[VERSION, &key.to_string(), self.table, self.column, self.tenant])
    }
}

/// The parts one after another, each behind its length as four big-endian bytes, so that no two lists are alike.
pub(crate) fn length_prefixed(parts: &[&str]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(parts.iter().map(|part| 4 + part.len()).sum());
    for part in parts {
        // Names of tables, columns and tenants have no four gibibytes.
        let length = u32::try_from(part.len()).unwrap_or(u32::MAX);
        bytes.extend(length.to_be_bytes());
        bytes.extend(part.as_bytes());
    }
    bytes
}

/// A sealed value taken apart, not opened yet.
pub(crate) struct Envelope {
    key_id: KeyId,
    /// Nonce, ciphertext and tag; decrypted in place, hence wiped.
    bytes: Zeroizing<Vec<u8>>,
}

impl Envelope {
    pub(crate) fn key_id(&self) -> KeyId {
        self.key_id
    }

    pub(crate) fn parse(sealed: &Sealed) -> Result<Self, OpenError> {
        let mut parts = sealed.as_str().split('.');
        let (Some(VERSION), Some(key_id), Some(encoded), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(OpenError::Malformed);
        };
        let key_id = key_id.parse().map_err(|_| OpenError::Malformed)?;
        let bytes = Zeroizing::new(
            URL_SAFE_NO_PAD
                .decode(encoded)
                .map_err(|_| OpenError::Malformed)?,
        );
        if bytes.len() < NONCE_BYTES + TAG_BYTES {
            return Err(OpenError::Malformed);
        }
        Ok(Self { key_id, bytes })
    }

    pub(crate) fn seal(
        key_id: KeyId,
        key: &KeyBytes,
        place: &Place<'_>,
        secret: &SecretString,
        nonce: &[u8; NONCE_BYTES],
    ) -> Result<Sealed, SealError> {
        let secret = secret.expose_secret().as_bytes();
        // Room for all of it at once: a buffer that grows would leave a copy of the secret behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(NONCE_BYTES + secret.len() + TAG_BYTES));
        bytes.extend_from_slice(nonce);
        bytes.extend_from_slice(secret);
        let (_, body) = bytes.split_at_mut(NONCE_BYTES);
        let tag = cipher(key)
            .encrypt_inout_detached(&XNonce::from(*nonce), &place.associated_data(key_id), body.into())
            .map_err(|error| SealError::Unavailable(error.into()))?;
        bytes.extend_from_slice(&tag);
        let encoded = URL_SAFE_NO_PAD.encode(bytes.as_slice());
        Ok(Sealed::from_stored(format!("{VERSION}.{key_id}.{encoded}")))
    }

    pub(crate) fn open(mut self, key: &KeyBytes, place: &Place<'_>) -> Result<SecretString, OpenError> {
        let (nonce, rest) = self
            .bytes
            .split_first_chunk_mut::<NONCE_BYTES>()
            .ok_or(OpenError::Malformed)?;
        let (body, tag) = rest
            .split_last_chunk_mut::<TAG_BYTES>()
            .ok_or(OpenError::Malformed)?;
        cipher(key)
            .decrypt_inout_detached(
                &XNonce::from(*nonce),
                &place.associated_data(self.key_id),
                (&mut *body).into(),
                &Tag::from(*tag),
            )
            .map_err(|_| OpenError::Rejected)?;
        str::from_utf8(body)
            .map(SecretString::from)
            .map_err(|_| OpenError::Rejected)
    }
}

fn cipher(key: &KeyBytes) -> XChaCha20Poly1305 {
    let bytes: &[u8; 32] = key;
    XChaCha20Poly1305::new(bytes.into())
}
