use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tenantry_crypto::{PublicKey, ReceiptSigner, ReceiptVerifier, Signature};
use tenantry_domain::{TenantId, Timestamp};
use tenantry_tenant_store::ErasedTenant;

use super::writer::hexadecimal;

const FORMAT: &str = "tenantry-erasure-receipt";
const VERSION: u32 = 1;

/// Why a text is no receipt, or not as it was signed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReceiptError {
    /// It is none, or of another version.
    #[error("the text is no receipt of an erasure that this version of the program reads")]
    NotAReceipt,
    /// It is not what was signed.
    #[error("the receipt is not as it was signed")]
    Altered,
}

/// The proof that a tenant was erased: what went, when, and by whose hand, signed by the platform.
///
/// Signed is the compact JSON object of all fields but `signature`, in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// Its number on the platform, which the audit log names too.
    pub number: u64,
    /// The tenant.
    pub tenant: TenantId,
    /// When its last record went.
    pub erased_at: Timestamp,
    /// Who erased it, as `operator` or `user` with an id.
    pub erased_by: String,
    /// How many records went, by table.
    pub removed: BTreeMap<String, u64>,
    /// The key that tells whether the platform signed it.
    pub public_key: PublicKey,
    signature: Signature,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Signed {
    format: String,
    version: u32,
    number: u64,
    tenant: String,
    tenant_sha256: String,
    erased_at: String,
    erased_by: String,
    removed: BTreeMap<String, u64>,
    public_key: String,
}

#[derive(Serialize, Deserialize)]
struct Written {
    #[serde(flatten)]
    signed: Signed,
    signature: String,
}

impl Receipt {
    /// The receipt for what is remembered of `tenant`; the same one each time that it is asked for.
    pub(super) fn of(tenant: &TenantId, erased: &ErasedTenant, signer: &dyn ReceiptSigner) -> Self {
        let mut receipt = Self {
            number: erased.number,
            tenant: tenant.clone(),
            erased_at: erased.at,
            erased_by: erased.by.to_string(),
            removed: erased.removed.clone(),
            public_key: signer.public_key(),
            signature: Signature::from_bytes([0; 64]),
        };
        receipt.signature = signer.sign(&receipt.message());
        receipt
    }

    /// Reads a receipt and checks that whoever has the private half of its key signed it as it is. Whose key that is, is to be known
    /// from elsewhere.
    ///
    /// # Errors
    /// When the text is no receipt, or was changed after it was signed.
    pub fn verify(text: &str, verifier: &dyn ReceiptVerifier) -> Result<Self, ReceiptError> {
        let written: Written = serde_json::from_str(text).map_err(|_| ReceiptError::NotAReceipt)?;
        let Written { signed, signature } = written;
        if signed.format != FORMAT || signed.version != VERSION {
            return Err(ReceiptError::NotAReceipt);
        }
        let receipt = Self {
            number: signed.number,
            tenant: signed.tenant.parse().map_err(|_| ReceiptError::NotAReceipt)?,
            erased_at: signed.erased_at.parse().map_err(|_| ReceiptError::NotAReceipt)?,
            erased_by: signed.erased_by.clone(),
            removed: signed.removed.clone(),
            public_key: signed.public_key.parse().map_err(|_| ReceiptError::NotAReceipt)?,
            signature: signature.parse().map_err(|_| ReceiptError::NotAReceipt)?,
        };
        // What was read must be all that was written: a text with two spellings would be two texts with one signature.
        let is_whole = compact(&signed) == receipt.message();
        if is_whole && verifier.verify(&receipt.public_key, &receipt.message(), &receipt.signature) {
            Ok(receipt)
        } else {
            Err(ReceiptError::Altered)
        }
    }

    /// The receipt as text: a JSON object.
    pub fn to_json(&self) -> String {
        let written = Written {
            signed: self.signed(),
            signature: self.signature.to_string(),
        };
        serde_json::to_string_pretty(&written).unwrap_or_default()
    }

    fn signed(&self) -> Signed {
        Signed {
            format: FORMAT.to_owned(),
            version: VERSION,
            number: self.number,
            tenant: self.tenant.to_string(),
            tenant_sha256: hexadecimal(&Sha256::digest(self.tenant.as_str())),
            erased_at: self.erased_at.to_string(),
            erased_by: self.erased_by.clone(),
            removed: self.removed.clone(),
            public_key: self.public_key.to_string(),
        }
    }

    fn message(&self) -> Vec<u8> {
        compact(&self.signed())
    }
}

fn compact(signed: &Signed) -> Vec<u8> {
    serde_json::to_vec(signed).unwrap_or_default()
}
