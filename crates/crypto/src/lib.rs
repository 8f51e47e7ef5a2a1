#![cfg_attr(feature = "aead", doc = include_str!("../README.md"))]
#![cfg_attr(
    not(feature = "aead"),
    doc = "Seals and opens tenant secrets, hashes and verifies passwords."
)]
#![forbid(unsafe_code)]

#[cfg(any(test, feature = "testing"))]
pub mod conformance;
#[cfg(any(test, feature = "testing"))]
pub mod testing;

#[cfg(feature = "argon2")]
mod argon2_hasher;
#[cfg(any(feature = "aead", feature = "argon2"))]
mod argon2id;
#[cfg(feature = "receipts")]
mod ed25519;
#[cfg(feature = "aead")]
mod envelope;
#[cfg(feature = "aead")]
mod key_ring;
mod memory;
mod password;
mod policy;
mod receipt;
mod sealer;
#[cfg(feature = "aead")]
mod sealing_key;
#[cfg(feature = "aead")]
mod secret_key;
#[cfg(test)]
#[cfg(any(feature = "aead", feature = "argon2"))]
mod vectors;
mod weakness;

#[cfg(feature = "argon2")]
pub use argon2_hasher::{Argon2Hasher, Argon2Parameters, Argon2ParametersOutOfRange};
#[cfg(feature = "receipts")]
pub use ed25519::{Ed25519Signer, Ed25519Verifier};
#[cfg(feature = "aead")]
pub use key_ring::KeyRing;
pub use memory::{MemoryPasswordHasher, MemorySealer};
pub use password::{Password, PasswordError, PasswordHasher, Verdict};
pub use policy::{PasswordPolicy, RejectedPassword};
pub use receipt::{MemoryReceiptSigner, ParseHexError, PublicKey, ReceiptSigner, ReceiptVerifier, Signature};
pub use sealer::{Field, KeyId, OpenError, ParseKeyIdError, SealError, Sealer};
#[cfg(feature = "aead")]
pub use sealing_key::SealingKey;
#[cfg(feature = "aead")]
pub use secret_key::{Passphrase, SecretKey, SecretKeyError, fresh_salt, generate_secret_key};
pub use weakness::{WeakSecret, weak_secret};
