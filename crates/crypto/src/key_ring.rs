use std::fmt;

use secrecy::SecretString;
use tenantry_domain::Sealed;

use crate::envelope::Envelope;
use crate::{Field, KeyId, OpenError, SealError, Sealer, SealingKey};

/// Seals with one active key and opens with that or any retired one, by XChaCha20-Poly1305.
///
/// A sealed value is `v1.<key id>.<base64url without padding of nonce, ciphertext and tag>`. It names its key, so that
/// no two keys are ever tried on it: the cipher does not commit to its key. The key of each record is derived from the
/// ring's key and the record's table, column and tenant, which are also bound as associated data.
///
/// # Examples
/// ```
/// use tenantry_crypto::{Field, KeyRing, SecretKey, Sealer, generate_secret_key};
/// use tenantry_domain::TenantId;
///
/// let SecretKey::Raw(key) = SecretKey::parse(&generate_secret_key()?)? else { unreachable!() };
/// let ring = KeyRing::new(key, Vec::new());
/// let (acme, globex) = (TenantId::parse("acme")?, TenantId::parse("globex")?);
/// let sealed = ring.seal(Field::pinecone_api_key(&acme), &"pcsk_1234".into())?;
/// assert!(ring.open(Field::pinecone_api_key(&acme), &sealed).is_ok());
/// assert!(ring.open(Field::pinecone_api_key(&globex), &sealed).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct KeyRing {
    active: SealingKey,
    retired: Vec<SealingKey>,
}

impl KeyRing {
    /// A ring that seals with `active`; a key that is given twice counts once.
    pub fn new(active: SealingKey, retired: Vec<SealingKey>) -> Self {
        Self { active, retired }
    }

    /// The key of that id, if the ring has it.
    pub fn key(&self, id: KeyId) -> Option<&SealingKey> {
        self.keys().find(|key| key.id() == id)
    }

    /// Every key, the active one first.
    pub fn keys(&self) -> impl Iterator<Item = &SealingKey> {
        std::iter::once(&self.active).chain(&self.retired)
    }

    /// What signs receipts with the active key.
    #[cfg(feature = "receipts")]
    pub fn receipt_signer(&self) -> crate::Ed25519Signer {
        self.active.receipt_signer()
    }

    /// Whether `sealed` is a canary of the key `id`; never, when the ring lacks that key.
    pub fn opens_canary(&self, id: KeyId, sealed: &Sealed) -> bool {
        self.key(id).is_some_and(|key| key.opens_canary(sealed))
    }
}

impl Sealer for KeyRing {
    fn seal(&self, field: Field<'_>, secret: &SecretString) -> Result<Sealed, SealError> {
        self.active.seal(field, secret)
    }

    fn open(&self, field: Field<'_>, sealed: &Sealed) -> Result<SecretString, OpenError> {
        let envelope = Envelope::parse(sealed)?;
        let key = self
            .key(envelope.key_id())
            .ok_or(OpenError::UnknownKey(envelope.key_id()))?;
        key.open(field, envelope)
    }

    fn key_id(&self, sealed: &Sealed) -> Result<KeyId, OpenError> {
        Envelope::parse(sealed).map(|envelope| envelope.key_id())
    }

    fn active_key(&self) -> KeyId {
        self.active.id()
    }

    fn key_ids(&self) -> Vec<KeyId> {
        self.keys().map(SealingKey::id).collect()
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyRing")
            .field("active", &self.active)
            .field("retired", &self.retired)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use secrecy::ExposeSecret;
    use tenantry_domain::TenantId;

    use super::*;
    use crate::conformance;

    fn key(seed: u8) -> SealingKey {
        SealingKey::derive(&[seed; 32])
    }

    fn ring() -> KeyRing {
        KeyRing::new(key(1), Vec::new())
    }

    fn field<'a>(table: &'a str, column: &'a str, tenant: &'a TenantId) -> Field<'a> {
        Field {
            table,
            column,
            tenant,
        }
    }

    #[test]
    fn a_key_ring_keeps_the_promises_of_a_sealer() {
        conformance::sealer(&ring());
        conformance::a_value_of_another_key_is_not_opened(&ring(), &KeyRing::new(key(2), Vec::new()));
    }

    #[test]
    fn a_retired_key_opens_and_does_not_seal() {
        let acme = TenantId::parse("acme").unwrap();
        let home = Field::pinecone_api_key(&acme);
        let old = ring().seal(home, &"pcsk_1234".into()).unwrap();
        let rotated = KeyRing::new(key(2), vec![key(1), key(2)]);
        assert_eq!(rotated.open(home, &old).unwrap().expose_secret(), "pcsk_1234");
        let new = rotated.seal(home, &"pcsk_1234".into()).unwrap();
        assert_eq!(rotated.key_id(&new).unwrap(), key(2).id());
        assert_eq!(rotated.key_ids()[..2], [key(2).id(), key(1).id()]);
        assert!(matches!(ring().open(home, &new), Err(OpenError::UnknownKey(id)) if id == key(2).id()));
    }

    #[test]
    fn a_value_relabelled_with_another_configured_key_does_not_open() {
        let acme = TenantId::parse("acme").unwrap();
        let home = Field::pinecone_api_key(&acme);
        let text = ring()
            .seal(home, &"pcsk_1234".into())
            .unwrap()
            .as_str()
            .to_owned();
        let relabelled = text.replace(&key(1).id().to_string(), &key(2).id().to_string());
        let both = KeyRing::new(key(1), vec![key(2)]);
        assert!(matches!(
            both.open(home, &Sealed::from_stored(relabelled)),
            Err(OpenError::Rejected)
        ));
    }

    #[test]
    fn only_its_own_key_opens_a_canary() {
        let canary = key(1).canary().unwrap();
        let both = KeyRing::new(key(2), vec![key(1)]);
        assert!(both.opens_canary(key(1).id(), &canary));
        assert!(!both.opens_canary(key(2).id(), &canary));
        assert!(!both.opens_canary(key(3).id(), &canary));
        assert!(!both.opens_canary(key(1).id(), &Sealed::from_stored(String::new())));
        let acme = TenantId::parse("acme").unwrap();
        let secret = ring()
            .seal(field("crypto_state", "canary", &acme), &"tenantry canary".into())
            .unwrap();
        assert!(
            !both.opens_canary(key(1).id(), &secret),
            "a tenant's secret is no canary"
        );
    }

    #[test]
    fn debug_shows_ids_alone() {
        let shown = format!("{:?}", KeyRing::new(key(1), vec![key(2)]));
        assert!(
            shown.contains(&key(1).id().to_string()) && shown.contains(&key(2).id().to_string()),
            "{shown}"
        );
        assert!(!shown.contains("[1, 1") && !shown.contains("0101"), "{shown}");
    }

    const NAME: &str = "[a-z_]{1,12}";
    const TENANT: &str = "[a-z0-9][a-z0-9_-]{0,20}";

    proptest! {
        #[test]
        fn whatever_is_sealed_opens_in_its_place(
            secret in any::<String>(), table in NAME, column in NAME, tenant in TENANT,
        ) {
            let tenant = TenantId::parse(&tenant).unwrap();
            let home = field(&table, &column, &tenant);
            let value = ring().seal(home, &secret.as_str().into()).unwrap();
            let opened = ring().open(home, &value).unwrap();
            prop_assert_eq!(opened.expose_secret(), secret);
        }

        #[test]
        fn no_flipped_bit_opens(secret in any::<String>(), at in any::<prop::sample::Index>(), bit in 0..7u8) {
            let acme = TenantId::parse("acme").unwrap();
            let home = Field::pinecone_api_key(&acme);
            let mut bytes = ring().seal(home, &secret.as_str().into()).unwrap().as_str().as_bytes().to_vec();
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            let flipped = Sealed::from_stored(String::from_utf8(bytes).unwrap());
            prop_assert!(ring().open(home, &flipped).is_err());
        }

        #[test]
        fn no_other_place_opens(
            from in (NAME, NAME, TENANT), to in (NAME, NAME, TENANT), keep in (any::<bool>(), any::<bool>(), any::<bool>()),
        ) {
            let to = (
                if keep.0 { from.0.clone() } else { to.0 },
                if keep.1 { from.1.clone() } else { to.1 },
                if keep.2 { from.2.clone() } else { to.2 },
            );
            prop_assume!(from != to);
            let (here, there) = (TenantId::parse(&from.2).unwrap(), TenantId::parse(&to.2).unwrap());
            let value = ring().seal(field(&from.0, &from.1, &here), &"pcsk_1234".into()).unwrap();
            let opened = ring().open(field(&to.0, &to.1, &there), &value);
            prop_assert!(matches!(opened, Err(OpenError::Rejected)));
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in any::<String>(), tail in "[A-Za-z0-9_-]{0,80}") {
            let acme = TenantId::parse("acme").unwrap();
            for text in [text, format!("v1.{}.{tail}", key(1).id())] {
                prop_assert!(ring().open(Field::pinecone_api_key(&acme), &Sealed::from_stored(text)).is_err());
            }
        }
    }
}
