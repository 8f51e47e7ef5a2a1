//! Published test vectors, and our own format pinned: a change of either is a change of what is stored.

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text
        .chars()
        .filter_map(|c| c.to_digit(16))
        .map(|d| u8::try_from(d).unwrap())
        .collect();
    digits
        .chunks_exact(2)
        .map(|pair| pair[0] << 4 | pair[1])
        .collect()
}

mod argon2id {
    use argon2::{Algorithm, Argon2, AssociatedData, ParamsBuilder, Version};

    use super::hex;

    #[test]
    fn rfc_9106_section_5_3() {
        let params = ParamsBuilder::new()
            .m_cost(32)
            .t_cost(3)
            .p_cost(4)
            .data(AssociatedData::new(&[4; 12]).unwrap())
            .build()
            .unwrap();
        let mut tag = [0; 32];
        Argon2::new_with_secret(&[3; 8], Algorithm::Argon2id, Version::V0x13, params)
            .unwrap()
            .hash_password_into(&[1; 32], &[2; 16], &mut tag)
            .unwrap();
        assert_eq!(
            tag.to_vec(),
            hex("0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659")
        );
    }

    #[test]
    fn the_reference_implementation_with_64_mebibytes() {
        let params = argon2::Params::new(65_536, 2, 1, Some(32)).unwrap();
        let mut tag = [0; 32];
        crate::argon2id::argon2id(params, b"password", b"somesalt", &mut tag).unwrap();
        assert_eq!(
            tag.to_vec(),
            hex("09316115d5cf24ed5a15a31a3ba326e5cf32edc24702987c02b6566f61913cf7")
        );
    }
}

#[cfg(feature = "argon2")]
mod passwords {
    use tenantry_domain::PasswordHash;

    use crate::{Argon2Hasher, Password, PasswordHasher, Verdict};

    #[test]
    fn a_hash_made_by_libargon2_with_our_parameters_is_up_to_date() {
        let hash = PasswordHash::from_stored(
            "$argon2id$v=19$m=19456,t=2,p=1$AAECAwQFBgcICQoLDA0ODw$gYJZtjEAJqjg26xdLmknq8/bB7MiWPrE9hsYuA+SkIU"
                .to_owned(),
        );
        let password = Password::new(&"correct horse battery staple".into()).unwrap();
        assert_eq!(
            Argon2Hasher::default().verify(&password, Some(&hash)).unwrap(),
            Verdict::Match
        );
    }
}

#[cfg(feature = "aead")]
mod sealing {
    use chacha20poly1305::aead::{Aead, Payload};
    use chacha20poly1305::{KeyInit, XChaCha20Poly1305};
    use hkdf::Hkdf;
    use secrecy::ExposeSecret;
    use sha2::Sha256;
    use tenantry_domain::{Sealed, TenantId};

    use super::hex;
    use crate::{Field, KeyRing, Sealer, SealingKey, SecretKey};

    #[test]
    fn xchacha_draft_03_appendix_a_3() {
        let plaintext =
            b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the \
            future, sunscreen would be it.";
        let aad = hex("50515253c0c1c2c3c4c5c6c7");
        let key: [u8; 32] = std::array::from_fn(|i| 0x80 + u8::try_from(i).unwrap());
        let nonce: [u8; 24] = std::array::from_fn(|i| 0x40 + u8::try_from(i).unwrap());
        let sealed = XChaCha20Poly1305::new(&key.into())
            .encrypt(
                &nonce.into(),
                Payload {
                    msg: plaintext,
                    aad: &aad,
                },
            )
            .unwrap();
        let expected = hex(
            "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb731c7f1b0b4aa6440bf3a82f4eda7e39ae64c670
             8c54c216cb96b72e1213b4522f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff921f9664c97637da9
             768812f615c68b13b52e c0875924c1c7987947deafd8780acf49",
        );
        assert_eq!(sealed, expected);
    }

    #[test]
    fn rfc_5869_appendix_a_with_sha_256() {
        let check = |ikm: &[u8], salt: &[u8], info: &[u8], okm: &str| {
            let expected = hex(okm);
            let mut out = vec![0; expected.len()];
            Hkdf::<Sha256>::new(Some(salt), ikm)
                .expand(info, &mut out)
                .unwrap();
            assert_eq!(out, expected);
        };
        let bytes = |range: std::ops::RangeInclusive<u8>| range.collect::<Vec<u8>>();
        check(
            &[0x0b; 22],
            &bytes(0x00..=0x0c),
            &bytes(0xf0..=0xf9),
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
        );
        check(
            &bytes(0x00..=0x4f),
            &bytes(0x60..=0xaf),
            &bytes(0xb0..=0xff),
            "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09
             da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87",
        );
        check(
            &[0x0b; 22],
            &[],
            &[],
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
        );
    }

    fn key() -> SealingKey {
        SealingKey::derive(&std::array::from_fn(|i| u8::try_from(i).unwrap()))
    }

    fn nonce() -> [u8; 24] {
        std::array::from_fn(|i| 0x40 + u8::try_from(i).unwrap())
    }

    /// Computed apart, with libsodium and Python's `hmac`.
    const PINNED: [(&str, &str); 2] = [
        (
            "pcsk_1234",
            "v1.4da2053bcdcf66a7.QEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZXXVvg_RiMzYqNLC86xawf2sxNilmrUT9wTw",
        ),
        (
            "",
            "v1.4da2053bcdcf66a7.QEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZXU98-uDe3HxsYR71iJkt1eA",
        ),
    ];
    const PINNED_CANARY: &str =
        "v1.4da2053bcdcf66a7.QEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZXlcjtInfOWHI_fcZWG1qM-jY1InXG_dgiDx8mjYFDdw";

    #[test]
    fn the_format_of_a_sealed_value_is_pinned() {
        let acme = TenantId::parse("acme").unwrap();
        let field = Field::pinecone_api_key(&acme);
        for (secret, text) in PINNED {
            let value = key().seal_with_nonce(field, &secret.into(), &nonce()).unwrap();
            assert_eq!(value.as_str(), text);
            let opened = KeyRing::new(key(), Vec::new()).open(field, &Sealed::from_stored(text.to_owned()));
            assert_eq!(opened.unwrap().expose_secret(), secret);
        }
    }

    /// Computed apart, by Python's `hmac` and the formulas of RFC 8032, section 5.1.
    #[cfg(feature = "receipts")]
    #[test]
    fn the_key_of_receipts_is_pinned() {
        use crate::ReceiptSigner;

        assert_eq!(
            key().receipt_signer().public_key().to_string(),
            "077dc3e3393263b483f8de5c57136d1443b2b5f3498aec292c154725a68605e0"
        );
    }

    #[test]
    fn the_format_of_a_canary_is_pinned() {
        let made = key().canary_with_nonce(&nonce()).unwrap();
        assert_eq!(made.as_str(), PINNED_CANARY);
        assert!(key().opens_canary(&made));
    }

    #[test]
    fn the_key_of_a_passphrase_is_pinned() {
        let parsed = SecretKey::parse(&"correct horse battery staple".into()).unwrap();
        let SecretKey::Passphrase(phrase) = parsed else {
            panic!("a passphrase")
        };
        let salt = std::array::from_fn(|i| u8::try_from(i).unwrap());
        assert_eq!(
            phrase.stretch(&salt).unwrap().id().to_string(),
            "fcedc39fcec7cb42"
        );
    }
}
