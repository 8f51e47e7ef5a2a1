use std::fmt;

use hkdf::Hkdf;
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use tenantry_domain::Sealed;
use zeroize::Zeroizing;

use crate::envelope::{Envelope, KeyBytes, NONCE_BYTES, Place, length_prefixed};
use crate::{Field, KeyId, OpenError, SealError};

/// What a canary says when it is opened.
const CANARY: &str = "tenantry canary";

/// One key that tenant secrets are sealed with; `Debug` shows its id alone.
///
/// Its parts come from 32 secret bytes by HKDF-SHA256 without a salt, one for each purpose: `tenantry/v1/kek` seals
/// secrets, `tenantry/v1/kid` names the key (first 8 bytes), `tenantry/v1/canary` seals the canary, `tenantry/v1/receipt` signs
/// receipts.
pub struct SealingKey {
    id: KeyId,
    kek: KeyBytes,
    canary: KeyBytes,
    #[cfg(feature = "receipts")]
    receipt: KeyBytes,
}

impl SealingKey {
    /// The key whose input keying material is `root`.
    pub(crate) fn derive(root: &[u8; 32]) -> Self {
        let root = Hkdf::<Sha256>::new(None, root);
        let mut id = [0; 8];
        id.iter_mut()
            .zip(*expand(&root, b"tenantry/v1/kid"))
            .for_each(|(id, byte)| *id = byte);
        Self {
            id: KeyId::from_bytes(id),
            kek: expand(&root, b"tenantry/v1/kek"),
            canary: expand(&root, b"tenantry/v1/canary"),
            #[cfg(feature = "receipts")]
            receipt: expand(&root, b"tenantry/v1/receipt"),
        }
    }

    /// What signs receipts for whoever holds this key.
    #[cfg(feature = "receipts")]
    pub fn receipt_signer(&self) -> crate::Ed25519Signer {
        crate::Ed25519Signer::from_seed(&self.receipt)
    }

    /// The key's id, safe to show and to log.
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// Seals the canary: a known text that a database keeps, to tell later whether a configured key is this one.
    ///
    /// # Errors
    /// When the operating system gives no random numbers or the cipher fails.
    pub fn canary(&self) -> Result<Sealed, SealError> {
        self.canary_with_nonce(&fresh_nonce()?)
    }

    /// Whether `sealed` is a canary of this key.
    pub fn opens_canary(&self, sealed: &Sealed) -> bool {
        let opened = Envelope::parse(sealed).and_then(|envelope| {
            if envelope.key_id() == self.id {
                envelope.open(&self.canary, &Place::CANARY)
            } else {
                Err(OpenError::UnknownKey(envelope.key_id()))
            }
        });
        opened.is_ok_and(|text| text.expose_secret() == CANARY)
    }

    /// Seals `secret` for `field`.
    pub(crate) fn seal(&self, field: Field<'_>, secret: &SecretString) -> Result<Sealed, SealError> {
        self.seal_with_nonce(field, secret, &fresh_nonce()?)
    }

    /// Opens an envelope of this key that was sealed for `field`.
    pub(crate) fn open(&self, field: Field<'_>, envelope: Envelope) -> Result<SecretString, OpenError> {
        let place = Place::from(field);
        envelope.open(&self.record_key(&place), &place)
    }

    pub(crate) fn seal_with_nonce(
        &self,
        field: Field<'_>,
        secret: &SecretString,
        nonce: &[u8; NONCE_BYTES],
    ) -> Result<Sealed, SealError> {
        let place = Place::from(field);
        Envelope::seal(self.id, &self.record_key(&place), &place, secret, nonce)
    }

    pub(crate) fn canary_with_nonce(&self, nonce: &[u8; NONCE_BYTES]) -> Result<Sealed, SealError> {
        Envelope::seal(self.id, &self.canary, &Place::CANARY, &CANARY.into(), nonce)
    }

    /// The key of one record: moving a sealed value elsewhere changes it, as it changes the associated data.
    fn record_key(&self, place: &Place<'_>) -> KeyBytes {
        let mut info = b"dek".to_vec();
        info.extend(length_prefixed(&[place.table, place.column, place.tenant]));
        expand(&pseudorandom_key(&self.kek), &info)
    }
}

impl fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealingKey")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

#[expect(
    clippy::expect_used,
    reason = "HKDF-SHA256 takes 32 bytes as a key: RFC 5869, section 2.3"
)]
fn pseudorandom_key(bytes: &KeyBytes) -> Hkdf<Sha256> {
    Hkdf::from_prk(bytes.as_slice()).expect("32 bytes")
}

#[expect(
    clippy::expect_used,
    reason = "HKDF-SHA256 gives up to 8,160 bytes: RFC 5869, section 2.3"
)]
fn expand(key: &Hkdf<Sha256>, info: &[u8]) -> KeyBytes {
    let mut out = Zeroizing::new([0; 32]);
    key.expand(info, out.as_mut_slice()).expect("32 bytes");
    out
}

fn fresh_nonce() -> Result<[u8; NONCE_BYTES], SealError> {
    let mut nonce = [0; NONCE_BYTES];
    getrandom::fill(&mut nonce).map_err(|error| SealError::Unavailable(error.into()))?;
    Ok(nonce)
}
