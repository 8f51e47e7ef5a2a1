use std::fmt;
use std::str::FromStr;

use secrecy::SecretString;
use tenantry_domain::{BoxError, Sealed, TenantId};

/// Where a secret is stored: a sealed value opens only in the place that it was sealed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field<'a> {
    /// The table.
    pub table: &'a str,
    /// The column.
    pub column: &'a str,
    /// The tenant whose row it is.
    pub tenant: &'a TenantId,
}

impl<'a> Field<'a> {
    /// The Pinecone API key of `tenant`.
    pub fn pinecone_api_key(tenant: &'a TenantId) -> Self {
        Self {
            table: "tenants",
            column: "pinecone_api_key",
            tenant,
        }
    }

    /// The API key of `tenant`'s own provider of models.
    pub fn llm_api_key(tenant: &'a TenantId) -> Self {
        Self {
            table: "tenants",
            column: "llm_api_key",
            tenant,
        }
    }
}

/// Names a sealing key without telling anything about it: 16 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId([u8; 8]);

/// Text that names no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a key id has 16 lower-case hexadecimal digits")]
pub struct ParseKeyIdError;

impl KeyId {
    /// The id of these 8 bytes.
    pub const fn from_bytes(bytes: [u8; 8]) -> Self {
        Self(bytes)
    }
}

impl FromStr for KeyId {
    type Err = ParseKeyIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.len() == 16 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        match u64::from_str_radix(text, 16) {
            Ok(number) if digits => Ok(Self(number.to_be_bytes())),
            _ => Err(ParseKeyIdError),
        }
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", u64::from_be_bytes(self.0))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyId({self})")
    }
}

/// Why a secret was not sealed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// The operating system gave no random numbers, or the cipher failed.
    #[error("the secret could not be sealed")]
    Unavailable(#[source] BoxError),
}

/// Why a sealed secret was not opened. Never a reason to take the sealed text for the secret itself.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The text is not in the sealer's format.
    #[error("the sealed value is malformed")]
    Malformed,
    /// It was sealed with a key that is not configured.
    #[error("the sealed value needs key {0}, which is not configured")]
    UnknownKey(KeyId),
    /// It was altered, or belongs to another tenant, table or column.
    #[error("the sealed value was altered or moved")]
    Rejected,
}

/// Seals secrets for the place where they are stored, and opens them there.
///
/// Every implementation keeps these promises, which the `conformance` module checks: what was sealed for a field opens
/// for that field; for any other tenant, table or column it does not; a changed value does not open; sealing the
/// same secret twice gives two different values; the sealed value does not contain the secret.
pub trait Sealer: Send + Sync {
    /// Seals `secret` for `field` with the active key. An empty secret is sealed like any other.
    ///
    /// # Errors
    /// When the operating system gives no random numbers or the cipher fails.
    fn seal(&self, field: Field<'_>, secret: &SecretString) -> Result<Sealed, SealError>;

    /// Opens what was sealed for `field`, with the active or a retired key.
    ///
    /// # Errors
    /// When the value is malformed, needs a key that is not configured, was altered, or was sealed for another field.
    fn open(&self, field: Field<'_>, sealed: &Sealed) -> Result<SecretString, OpenError>;

    /// The key that `sealed` names, without opening it.
    ///
    /// # Errors
    /// [`OpenError::Malformed`] when it names none.
    fn key_id(&self, sealed: &Sealed) -> Result<KeyId, OpenError>;

    /// The key that new secrets are sealed with.
    fn active_key(&self) -> KeyId;

    /// Every key that opens what it sealed, the active one first.
    fn key_ids(&self) -> Vec<KeyId>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_id_has_one_spelling() {
        let id: KeyId = "00ff00ff12345678".parse().unwrap();
        assert_eq!(id.to_string(), "00ff00ff12345678");
        for text in [
            "",
            "00FF00FF12345678",
            "+0ff00ff12345678",
            "00ff00ff1234567",
            "00ff00ff123456789",
        ] {
            assert_eq!(text.parse::<KeyId>(), Err(ParseKeyIdError), "{text}");
        }
    }
}
