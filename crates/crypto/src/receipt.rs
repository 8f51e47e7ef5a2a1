use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;
use std::sync::{Mutex, PoisonError};

/// Text that is no key or signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected {0} hexadecimal digits in lower case")]
pub struct ParseHexError(usize);

macro_rules! hexadecimal {
    ($(#[$doc:meta])* $name:ident, $bytes:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; $bytes]);

        impl $name {
            /// Of these bytes.
            pub const fn from_bytes(bytes: [u8; $bytes]) -> Self {
                Self(bytes)
            }

            /// Its bytes.
            pub const fn as_bytes(&self) -> &[u8; $bytes] {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = ParseHexError;

            /// Reads the one spelling that [`fmt::Display`] writes.
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let error = ParseHexError(2 * $bytes);
                let (pairs, rest) = text.as_bytes().as_chunks::<2>();
                if pairs.len() != $bytes || !rest.is_empty() {
                    return Err(error);
                }
                let mut bytes = [0; $bytes];
                for (byte, &[high, low]) in bytes.iter_mut().zip(pairs) {
                    *byte = digit(high).ok_or(error)? << 4 | digit(low).ok_or(error)?;
                }
                Ok(Self(bytes))
            }
        }

        impl fmt::Display for $name {
            /// Hexadecimal digits in lower case.
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }
    };
}

hexadecimal! {
    /// What tells whether a receipt was signed by somebody; safe to publish.
    PublicKey, 32
}
hexadecimal! {
    /// A signature under a receipt.
    Signature, 64
}

fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    }
}

/// Signs receipts.
///
/// # Examples
/// ```
/// use tenantry_crypto::{MemoryReceiptSigner, ReceiptSigner, ReceiptVerifier};
///
/// let signer = MemoryReceiptSigner::default();
/// let signature = signer.sign(b"erased");
/// assert!(signer.verify(&signer.public_key(), b"erased", &signature));
/// assert!(!signer.verify(&signer.public_key(), b"kept", &signature));
/// ```
pub trait ReceiptSigner: Send + Sync {
    /// The key that others verify with.
    fn public_key(&self) -> PublicKey;

    /// The signature of `message`: the same one for the same message.
    fn sign(&self, message: &[u8]) -> Signature;
}

/// Tells whether a signature is right; who only verifies holds no key that signs.
pub trait ReceiptVerifier: Send + Sync {
    /// Whether whoever has the private half of `key` signed `message` with `signature`.
    fn verify(&self, key: &PublicKey, message: &[u8], signature: &Signature) -> bool;
}

/// A signer that knows its own signatures again because it keeps them: for tests and trials, gone with the process.
#[derive(Debug)]
pub struct MemoryReceiptSigner {
    key: PublicKey,
    signed: Mutex<HashMap<Vec<u8>, Signature>>,
}

impl MemoryReceiptSigner {
    /// A signer that is known by `key`.
    pub fn new(key: PublicKey) -> Self {
        Self {
            key,
            signed: Mutex::default(),
        }
    }
}

impl Default for MemoryReceiptSigner {
    fn default() -> Self {
        Self::new(PublicKey([1; 32]))
    }
}

impl ReceiptSigner for MemoryReceiptSigner {
    fn public_key(&self) -> PublicKey {
        self.key
    }

    fn sign(&self, message: &[u8]) -> Signature {
        let mut signed = self.signed.lock().unwrap_or_else(PoisonError::into_inner);
        let mut next = [0; 64];
        next.iter_mut().zip(self.key.0).for_each(|(to, from)| *to = from);
        let number = signed.len().to_be_bytes();
        next.iter_mut()
            .rev()
            .zip(number.iter().rev())
            .for_each(|(to, from)| *to = *from);
        *signed.entry(message.to_vec()).or_insert(Signature(next))
    }
}

impl ReceiptVerifier for MemoryReceiptSigner {
    fn verify(&self, key: &PublicKey, message: &[u8], signature: &Signature) -> bool {
        let signed = self.signed.lock().unwrap_or_else(PoisonError::into_inner);
        *key == self.key && signed.get(message) == Some(signature)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance;

    #[test]
    fn a_memory_signer_keeps_the_promises_of_a_receipt_signer() {
        let (signer, other) = (
            MemoryReceiptSigner::default(),
            MemoryReceiptSigner::new(PublicKey([2; 32])),
        );
        conformance::receipt_signer(&signer, &signer, &other);
    }

    #[test]
    fn a_key_has_one_spelling() {
        let key = PublicKey([0xa7; 32]);
        assert_eq!(key.to_string().parse(), Ok(key));
        for text in [
            "",
            "a7",
            &"A7".repeat(32),
            &"a7".repeat(33),
            &"g7".repeat(32),
            &"é".repeat(32),
        ] {
            assert_eq!(text.parse::<PublicKey>(), Err(ParseHexError(64)), "{text}");
        }
    }
}
