use std::fmt;

use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};

use crate::{PublicKey, ReceiptSigner, ReceiptVerifier, Signature};

/// Signs with Ed25519 (RFC 8032); `Debug` shows the public key alone.
pub struct Ed25519Signer {
    pair: Ed25519KeyPair,
    public: PublicKey,
}

impl Ed25519Signer {
    /// The signer whose private key is `seed`.
    #[expect(
        clippy::expect_used,
        reason = "any 32 bytes are a private key: RFC 8032, section 5.1.5"
    )]
    pub(crate) fn from_seed(seed: &[u8; 32]) -> Self {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).expect("32 bytes");
        let mut public = [0; 32];
        let bytes = pair.public_key().as_ref();
        public.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
        Self {
            pair,
            public: PublicKey::from_bytes(public),
        }
    }
}

impl ReceiptSigner for Ed25519Signer {
    fn public_key(&self) -> PublicKey {
        self.public
    }

    fn sign(&self, message: &[u8]) -> Signature {
        let mut signature = [0; 64];
        let made = self.pair.sign(message);
        signature
            .iter_mut()
            .zip(made.as_ref())
            .for_each(|(to, from)| *to = *from);
        Signature::from_bytes(signature)
    }
}

/// Verifies with Ed25519, by whatever public key a receipt names.
#[derive(Debug, Clone, Copy, Default)]
pub struct Ed25519Verifier;

impl ReceiptVerifier for Ed25519Verifier {
    fn verify(&self, key: &PublicKey, message: &[u8], signature: &Signature) -> bool {
        UnparsedPublicKey::new(&ED25519, key.as_bytes())
            .verify(message, signature.as_bytes())
            .is_ok()
    }
}

impl fmt::Debug for Ed25519Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ed25519Signer")
            .field("public", &self.public)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance;

    #[test]
    fn it_keeps_the_promises_of_a_receipt_signer() {
        conformance::receipt_signer(
            &Ed25519Signer::from_seed(&[1; 32]),
            &Ed25519Verifier,
            &Ed25519Signer::from_seed(&[2; 32]),
        );
    }

    /// The first test of RFC 8032, section 7.1.
    #[test]
    fn it_signs_as_the_standard_says() {
        let seed: PublicKey = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"
            .parse()
            .unwrap();
        let signer = Ed25519Signer::from_seed(seed.as_bytes());
        assert_eq!(
            signer.public_key().to_string(),
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
        );
        assert_eq!(
            signer.sign(b"").to_string(),
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
        );
    }

    #[test]
    fn debug_shows_no_private_key() {
        let shown = format!("{:?}", Ed25519Signer::from_seed(&[0x5a; 32]));
        assert!(!shown.contains("5a5a") && !shown.contains("90, 90"), "{shown}");
    }
}
