//! What every [`Sealer`] and [`PasswordHasher`] promises, one function per promise; each panics when it is broken.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a broken promise fails the test that asked"
)]

use secrecy::{ExposeSecret, SecretString};
use tenantry_domain::{PasswordHash, Sealed, TenantId};

use crate::{
    Field, OpenError, Password, PasswordHasher, ReceiptSigner, ReceiptVerifier, Sealer, Signature, Verdict,
};

/// Checks every promise of a sealer that one sealer alone can show.
pub fn sealer(sealer: &dyn Sealer) {
    what_was_sealed_opens(sealer);
    another_place_does_not_open(sealer);
    a_changed_value_does_not_open(sealer);
    the_same_secret_is_never_sealed_alike(sealer);
    the_sealed_value_hides_the_secret(sealer);
    a_sealed_value_names_the_active_key(sealer);
    what_is_no_sealed_value_is_malformed(sealer);
}

/// Checks every promise of a password hasher.
pub fn password_hasher(hasher: &dyn PasswordHasher) {
    only_the_right_password_matches(hasher);
    the_same_password_is_never_hashed_alike(hasher);
    the_hash_hides_the_password(hasher);
    without_a_hash_nothing_matches(hasher);
    a_malformed_hash_is_an_error_and_no_match(hasher);
}

/// Checks every promise of a signer of receipts and of what verifies them; `other` is one of another key.
pub fn receipt_signer(signer: &dyn ReceiptSigner, verifier: &dyn ReceiptVerifier, other: &dyn ReceiptSigner) {
    let key = signer.public_key();
    for message in [b"".as_slice(), b"erased", &[0xff; 5_000]] {
        let signature = signer.sign(message);
        assert_eq!(signer.sign(message), signature, "one message, one signature");
        assert!(verifier.verify(&key, message, &signature));
        let mut more = message.to_vec();
        more.push(0);
        assert!(!verifier.verify(&key, &more, &signature), "another message");
        let bytes = signature.as_bytes().map(|byte| byte ^ 1);
        assert!(
            !verifier.verify(&key, message, &Signature::from_bytes(bytes)),
            "another signature"
        );
        assert!(
            !verifier.verify(&other.public_key(), message, &signature),
            "another key"
        );
        assert!(
            !verifier.verify(&key, message, &other.sign(message)),
            "another's signature"
        );
    }
}

/// What was sealed for a field opens for that field, an empty secret too.
pub fn what_was_sealed_opens(sealer: &dyn Sealer) {
    let acme = tenant("acme");
    for secret in ["pcsk_1234", "", "ключ 🔑", &"long".repeat(5_000)] {
        let value = sealer.seal(field(&acme), &secret.into()).unwrap();
        assert_eq!(sealer.open(field(&acme), &value).unwrap().expose_secret(), secret);
    }
}

/// For another tenant, table or column it does not open, nor where two names only join to the same text.
pub fn another_place_does_not_open(sealer: &dyn Sealer) {
    let (acme, globex) = (tenant("acme"), tenant("globex"));
    let home = Field {
        table: "ab",
        column: "c",
        tenant: &acme,
    };
    let value = sealer.seal(home, &SECRET.into()).unwrap();
    for elsewhere in [
        Field {
            tenant: &globex,
            ..home
        },
        Field {
            table: "other",
            ..home
        },
        Field {
            column: "other",
            ..home
        },
        Field {
            table: "a",
            column: "bc",
            tenant: &acme,
        },
        Field {
            table: "",
            column: "abc",
            tenant: &acme,
        },
        Field {
            table: "c",
            column: "ab",
            tenant: &acme,
        },
    ] {
        let opened = sealer.open(elsewhere, &value);
        assert!(
            matches!(opened, Err(OpenError::Rejected)),
            "{elsewhere:?}: {:?}",
            opened.map(|_| "opened")
        );
    }
}

/// A value with any one character changed, added or cut off does not open.
pub fn a_changed_value_does_not_open(sealer: &dyn Sealer) {
    let acme = tenant("acme");
    let value = sealer.seal(field(&acme), &SECRET.into()).unwrap();
    let text = value.as_str();
    for (at, old) in text.char_indices() {
        let new = if old == 'a' { "b" } else { "a" };
        let mut changed = text.to_owned();
        changed.replace_range(at..at + old.len_utf8(), new);
        refused(sealer, &changed);
        let mut cut = text.to_owned();
        cut.remove(at);
        refused(sealer, &cut);
    }
    for added in [
        format!("{text}a"),
        format!("{text}="),
        format!(" {text}"),
        format!("{text}\n"),
        format!("{text}.a"),
    ] {
        refused(sealer, &added);
    }
}

/// Sealing the same secret twice gives two different values.
pub fn the_same_secret_is_never_sealed_alike(sealer: &dyn Sealer) {
    let acme = tenant("acme");
    let seal = || sealer.seal(field(&acme), &SECRET.into()).unwrap();
    assert_ne!(seal(), seal());
}

/// The sealed value does not contain the secret.
pub fn the_sealed_value_hides_the_secret(sealer: &dyn Sealer) {
    let acme = tenant("acme");
    let value = sealer.seal(field(&acme), &SECRET.into()).unwrap();
    assert!(!value.as_str().contains(SECRET));
}

/// A sealed value names the key that is active when it is sealed.
pub fn a_sealed_value_names_the_active_key(sealer: &dyn Sealer) {
    let acme = tenant("acme");
    let value = sealer.seal(field(&acme), &SECRET.into()).unwrap();
    assert_eq!(sealer.key_id(&value).unwrap(), sealer.active_key());
    assert_eq!(sealer.key_ids().first(), Some(&sealer.active_key()));
}

/// Text that no sealer made is malformed, above all a secret stored in the clear.
pub fn what_is_no_sealed_value_is_malformed(sealer: &dyn Sealer) {
    let acme = tenant("acme");
    let key = sealer.active_key();
    let unknown_format = format!("v0.{key}.AAAA");
    for text in [
        "",
        ".",
        "..",
        "...",
        "pcsk_1234",
        "v1",
        "v1..",
        "v1.zz.AAAA",
        "😀.😀.😀",
        &unknown_format,
    ] {
        let value = Sealed::from_stored(text.to_owned());
        let opened = sealer.open(field(&acme), &value);
        assert!(
            matches!(opened, Err(OpenError::Malformed)),
            "{text:?}: {:?}",
            opened.map(|_| "opened")
        );
        assert!(
            matches!(sealer.key_id(&value), Err(OpenError::Malformed)),
            "{text:?}"
        );
    }
}

/// A value sealed with a key that the sealer lacks is not opened, and the error names that key.
pub fn a_value_of_another_key_is_not_opened(sealer: &dyn Sealer, other: &dyn Sealer) {
    let acme = tenant("acme");
    let value = other.seal(field(&acme), &SECRET.into()).unwrap();
    match sealer.open(field(&acme), &value) {
        Err(OpenError::UnknownKey(key)) => assert_eq!(key, other.active_key()),
        opened => panic!("expected an unknown key: {:?}", opened.map(|_| "opened")),
    }
}

/// The right password matches its hash, any other does not, however close or long.
pub fn only_the_right_password_matches(hasher: &dyn PasswordHasher) {
    let hash = hasher.hash(&password(PASSWORD)).unwrap();
    assert_eq!(
        hasher.verify(&password(PASSWORD), Some(&hash)).unwrap(),
        Verdict::Match
    );
    for wrong in [
        "",
        "Correct horse battery",
        "correct horse batter",
        "correct horse battery ",
    ] {
        assert_eq!(
            hasher.verify(&password(wrong), Some(&hash)).unwrap(),
            Verdict::Mismatch,
            "{wrong:?}"
        );
    }
    let long = "x".repeat(Password::MAX_BYTES);
    let hash = hasher.hash(&password(&long)).unwrap();
    let one_less = "x".repeat(Password::MAX_BYTES - 1);
    assert_eq!(
        hasher.verify(&password(&one_less), Some(&hash)).unwrap(),
        Verdict::Mismatch
    );
}

/// Hashing the same password twice gives two different hashes.
pub fn the_same_password_is_never_hashed_alike(hasher: &dyn PasswordHasher) {
    let hash = || hasher.hash(&password(PASSWORD)).unwrap();
    assert_ne!(hash().as_str(), hash().as_str());
}

/// The hash does not contain the password.
pub fn the_hash_hides_the_password(hasher: &dyn PasswordHasher) {
    assert!(
        !hasher
            .hash(&password(PASSWORD))
            .unwrap()
            .as_str()
            .contains(PASSWORD)
    );
}

/// Without a hash every password is a mismatch, the empty one too.
pub fn without_a_hash_nothing_matches(hasher: &dyn PasswordHasher) {
    for text in ["", PASSWORD] {
        assert_eq!(
            hasher.verify(&password(text), None).unwrap(),
            Verdict::Mismatch,
            "{text:?}"
        );
    }
}

/// A stored text that is no hash is an error, never a match.
pub fn a_malformed_hash_is_an_error_and_no_match(hasher: &dyn PasswordHasher) {
    for text in [
        "",
        PASSWORD,
        "$",
        "$argon2id$",
        "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ",
        "\0",
        "😀",
    ] {
        let hash = PasswordHash::from_stored(text.to_owned());
        assert!(
            hasher.verify(&password(PASSWORD), Some(&hash)).is_err(),
            "{text:?}"
        );
    }
}

const SECRET: &str = "pcsk_the_secret_itself";
const PASSWORD: &str = "correct horse battery";

fn tenant(id: &str) -> TenantId {
    TenantId::parse(id).unwrap()
}

fn field(tenant: &TenantId) -> Field<'_> {
    Field::pinecone_api_key(tenant)
}

fn password(text: &str) -> Password {
    Password::new(&SecretString::from(text)).unwrap()
}

fn refused(sealer: &dyn Sealer, text: &str) {
    let acme = tenant("acme");
    assert!(
        sealer
            .open(field(&acme), &Sealed::from_stored(text.to_owned()))
            .is_err(),
        "opened {text:?}"
    );
}
