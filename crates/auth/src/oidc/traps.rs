//! What other verifiers of foreign tokens were caught with, and what this one does with it.

use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use proptest::prelude::*;
use serde_json::{Value, json};
use sha2::Sha256;
use tenantry_domain::Clock;

use super::jwk::{self, Algorithm};
use super::signing::{RFC_7515_N, Signer, encode, json as written};
use super::tests::World;
use super::{IdentityError, IdentityVerifier, MAX_IDENTITY_TOKEN_BYTES};
use crate::conformance::identities::{ISSUER, claims};

fn payload(world: &World) -> Value {
    written(&claims(&*world.clock))
}

fn with(mut object: Value, name: &str, value: Value) -> Value {
    object[name] = value;
    object
}

fn without(mut object: Value, name: &str) -> Value {
    object.as_object_mut().unwrap().remove(name);
    object
}

#[track_caller]
fn malformed(world: &World, token: &str) {
    let refused = world.verify(token).unwrap_err();
    assert!(matches!(refused, IdentityError::Malformed), "{refused}: {token}");
}

#[track_caller]
fn wrongly_signed(world: &World, token: &str) {
    let refused = world.verify(token).unwrap_err();
    assert!(matches!(refused, IdentityError::Signature), "{refused}: {token}");
}

#[test]
fn rfc_7515_appendix_a_2_and_a_3_and_rfc_8037_appendix_a_4() {
    let check = |jwk: Value, algorithm: Algorithm, signed: &str, signature: &str| {
        let set = json!({ "keys": [jwk] }).to_string();
        let keys = jwk::read_set(set.as_bytes()).unwrap();
        let key = jwk::pick(&keys, algorithm, None).unwrap();
        let signature = super::parse::decode(signature).unwrap();
        assert!(key.verifies(signed.as_bytes(), &signature));
        assert!(!key.verifies(b"another message", &signature));
        assert!(!key.verifies(signed.as_bytes(), &signature[1..]));
    };
    let joe =
        "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
    check(
        json!({ "kty": "RSA", "n": RFC_7515_N, "e": "AQAB" }),
        Algorithm::Rs256,
        &format!("eyJhbGciOiJSUzI1NiJ9.{joe}"),
        "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw",
    );
    check(
        json!({
            "kty": "EC", "crv": "P-256",
            "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
        }),
        Algorithm::Es256,
        &format!("eyJhbGciOiJFUzI1NiJ9.{joe}"),
        "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
    );
    check(
        json!({ "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" }),
        Algorithm::Ed25519,
        "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc",
        "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg",
    );
}

#[test]
fn a_public_key_is_never_the_secret_of_an_hmac() {
    for signer in Signer::all() {
        let jwk = signer.jwk();
        let world = World::new(std::slice::from_ref(&jwk));
        let secrets = ["n", "x"].map(|name| {
            jwk[name]
                .as_str()
                .map_or_else(Vec::new, |text| text.as_bytes().to_vec())
        });
        for secret in secrets.into_iter().chain([jwk.to_string().into_bytes()]) {
            for alg in ["HS256", "HS384", "HS512"] {
                let header = with(signer.header(), "alg", json!(alg)).to_string();
                let signed = format!(
                    "{}.{}",
                    encode(header.as_bytes()),
                    encode(payload(&world).to_string().as_bytes())
                );
                let mac = Hmac::<Sha256>::new_from_slice(&secret)
                    .unwrap()
                    .chain_update(&signed);
                let token = format!("{signed}.{}", encode(&mac.finalize().into_bytes()));
                malformed(&world, &token);
                assert_eq!(
                    world.verifier.issuer_of(&token),
                    None,
                    "it is no foreign token at all"
                );
            }
        }
    }
}

#[test]
fn a_secret_in_a_key_set_is_no_key() {
    let secret = encode(b"n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg");
    for alg in ["HS256", "RS256", "EdDSA"] {
        let set = json!({ "keys": [{ "kty": "oct", "k": secret, "alg": alg, "kid": "key" }] });
        assert_eq!(jwk::read_set(set.to_string().as_bytes()), Some(vec![]));
    }
}

#[test]
fn a_token_without_a_signature_is_refused_however_none_is_spelled() {
    let signer = Signer::p256("key");
    let world = World::new(&[signer.jwk()]);
    for alg in [
        "none", "None", "NONE", "nOnE", "", " ES256", "es256", "ES256 ", "ES384", "ES256K", "PS256", "RS512",
        "Ed448", "RSA-OAEP",
    ] {
        malformed(
            &world,
            &signer.signed(
                &with(signer.header(), "alg", json!(alg)).to_string(),
                &payload(&world).to_string(),
            ),
        );
    }
    for alg in [json!(null), json!(["ES256"]), json!(7)] {
        malformed(
            &world,
            &signer.signed(
                &with(signer.header(), "alg", alg).to_string(),
                &payload(&world).to_string(),
            ),
        );
    }
    let token = signer.token(&claims(&*world.clock));
    let (message, _) = token.rsplit_once('.').unwrap();
    wrongly_signed(&world, &format!("{message}."));
    malformed(&world, message);
    assert!(world.verify(&token).is_ok());
}

#[test]
fn a_signature_counts_for_the_algorithm_of_its_key_alone() {
    let signers = Signer::all();
    let world = World::new(&signers.each_ref().map(Signer::jwk));
    for signer in &signers {
        for other in signers.iter().filter(|other| other.kid != signer.kid) {
            let body = payload(&world).to_string();
            let named = with(signer.header(), "kid", json!(other.kid));
            wrongly_signed(&world, &signer.signed(&named.to_string(), &body));
            let called = with(signer.header(), "alg", json!(other.algorithm()));
            wrongly_signed(&world, &signer.signed(&called.to_string(), &body));
            wrongly_signed(&world, &signer.signed(&other.header().to_string(), &body));
        }
    }
}

#[test]
fn ed25519_has_two_names() {
    let signer = Signer::ed25519("key");
    for (in_token, in_key) in [("EdDSA", "Ed25519"), ("Ed25519", "EdDSA"), ("Ed25519", "Ed25519")] {
        let world = World::new(&[with(signer.jwk(), "alg", json!(in_key))]);
        let header = with(signer.header(), "alg", json!(in_token)).to_string();
        world
            .verify(&signer.signed(&header, &payload(&world).to_string()))
            .unwrap();
    }
}

#[test]
fn a_key_that_is_not_for_verifying_these_signatures_is_not_used() {
    let signer = Signer::p256("key");
    let jwk = signer.jwk();
    for jwk in [
        with(jwk.clone(), "use", json!("enc")),
        with(jwk.clone(), "use", json!(null)),
        with(jwk.clone(), "key_ops", json!(["encrypt", "sign"])),
        with(jwk.clone(), "key_ops", json!("verify")),
        with(jwk.clone(), "alg", json!("ES384")),
        with(jwk.clone(), "alg", json!("RS256")),
        with(jwk.clone(), "alg", json!(7)),
        with(jwk.clone(), "crv", json!("P-384")),
        with(jwk.clone(), "kty", json!("RSA")),
        with(jwk.clone(), "kid", json!(7)),
        with(jwk.clone(), "x", json!("AQAB")),
        with(jwk.clone(), "y", json!("!")),
        without(jwk.clone(), "y"),
        with(
            jwk.clone(),
            "d",
            json!("jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"),
        ),
    ] {
        wrongly_signed(
            &World::new(std::slice::from_ref(&jwk)),
            &signer.token(&claims(&*World::new(&[]).clock)),
        );
        let usable = World::new(&[jwk, signer.jwk()]);
        usable.verify(&signer.token(&claims(&*usable.clock))).unwrap();
    }
}

#[test]
fn an_rsa_key_has_2048_bits_at_least() {
    let usable = |bytes: usize, first: u8| {
        let mut modulus = vec![0xA5; bytes];
        modulus[0] = first;
        let key = json!({ "kty": "RSA", "n": encode(&modulus), "e": "AQAB" });
        let set = json!({ "keys": [key] }).to_string();
        jwk::read_set(set.as_bytes()).unwrap().len() == 1
    };
    assert!(usable(256, 0x80) && usable(257, 0) && usable(512, 0x80) && usable(1_024, 0xFF));
    assert!(
        !usable(64, 0x80)
            && !usable(128, 0xFF)
            && !usable(255, 0xFF)
            && !usable(256, 0x7F)
            && !usable(256, 0)
    );
    assert!(!usable(1_025, 1));
}

#[test]
fn a_point_outside_the_curve_verifies_nothing() {
    let signer = Signer::p256("key");
    for (x, y) in [([0; 32], [0; 32]), ([1; 32], [1; 32]), ([0xFF; 32], [0xFF; 32])] {
        let jwk = with(with(signer.jwk(), "x", json!(encode(&x))), "y", json!(encode(&y)));
        let world = World::new(&[jwk]);
        wrongly_signed(&world, &signer.token(&claims(&*world.clock)));
        // CVE-2022-21449: a signature of zeros was good for every message.
        let token = signer.token(&claims(&*world.clock));
        let (message, _) = token.rsplit_once('.').unwrap();
        wrongly_signed(&world, &format!("{message}.{}", encode(&[0; 64])));
    }
}

#[test]
fn a_key_is_named_or_the_only_one_that_fits() {
    let (one, two, other) = (Signer::p256("one"), Signer::p256("two"), Signer::ed25519("other"));
    let nameless = |world: &World, signer: &Signer| {
        signer.signed(
            &without(signer.header(), "kid").to_string(),
            &payload(world).to_string(),
        )
    };
    let alone = World::new(&[one.jwk(), other.jwk()]);
    alone.verify(&nameless(&alone, &one)).unwrap();
    alone.verify(&nameless(&alone, &other)).unwrap();
    let several = World::new(&[one.jwk(), two.jwk(), other.jwk()]);
    wrongly_signed(&several, &nameless(&several, &one));
    several.verify(&nameless(&several, &other)).unwrap();

    // A token that names a key is not tried with one without a name.
    let unnamed = World::new(&[without(one.jwk(), "kid")]);
    wrongly_signed(&unnamed, &one.token(&claims(&*unnamed.clock)));
    unnamed.verify(&nameless(&unnamed, &one)).unwrap();
    for kid in [json!(""), json!("../one"), json!("one\0"), json!("One")] {
        let world = World::new(&[one.jwk()]);
        wrongly_signed(
            &world,
            &one.signed(
                &with(one.header(), "kid", kid).to_string(),
                &payload(&world).to_string(),
            ),
        );
    }
    for kid in [json!(null), json!(7), json!(["one"])] {
        malformed(
            &alone,
            &one.signed(
                &with(one.header(), "kid", kid).to_string(),
                &payload(&alone).to_string(),
            ),
        );
    }
}

#[test]
fn two_keys_of_one_name_and_kind_are_none() {
    let (one, two, other) = (Signer::p256("key"), Signer::p256("key"), Signer::ed25519("key"));
    let world = World::new(&[one.jwk(), two.jwk(), other.jwk()]);
    wrongly_signed(&world, &one.token(&claims(&*world.clock)));
    wrongly_signed(&world, &two.token(&claims(&*world.clock)));
    world.verify(&other.token(&claims(&*world.clock))).unwrap();
}

#[test]
fn a_key_in_the_token_or_an_address_for_one_is_not_used() {
    let (ours, forger) = (Signer::p256("key"), Signer::p256("key"));
    let world = World::new(&[ours.jwk()]);
    let mut header = forger.header();
    header["jwk"] = forger.jwk();
    header["jku"] = json!("https://forger.example/keys");
    header["x5u"] = json!("https://forger.example/chain");
    wrongly_signed(
        &world,
        &forger.signed(&header.to_string(), &payload(&world).to_string()),
    );
    assert!(
        world
            .transport
            .requests()
            .iter()
            .all(|seen| seen.header("host") != Some("forger.example"))
    );
}

#[test]
fn an_extension_that_is_called_critical_is_refused() {
    let signer = Signer::p256("key");
    let world = World::new(&[signer.jwk()]);
    for value in [
        json!(["exp"]),
        json!(["b64"]),
        json!([]),
        json!(null),
        json!("b64"),
    ] {
        malformed(
            &world,
            &signer.signed(
                &with(signer.header(), "crit", value).to_string(),
                &payload(&world).to_string(),
            ),
        );
    }
}

#[test]
fn a_token_is_of_a_kind_that_says_who_somebody_is() {
    let signer = Signer::p256("key");
    let world = World::new(&[signer.jwk()]);
    let of = |kind: Value| {
        signer.signed(
            &with(signer.header(), "typ", kind).to_string(),
            &payload(&world).to_string(),
        )
    };
    for kind in [
        "JWT",
        "jwt",
        "at+jwt",
        "AT+JWT",
        "application/at+jwt",
        "application/jwt",
    ] {
        world.verify(&of(json!(kind))).unwrap();
    }
    world
        .verify(&signer.signed(
            &without(signer.header(), "typ").to_string(),
            &payload(&world).to_string(),
        ))
        .unwrap();
    for kind in [
        json!("logout+jwt"),
        json!("secevent+jwt"),
        json!("dpop+jwt"),
        json!("JOSE"),
        json!(""),
        json!(7),
        json!(null),
    ] {
        malformed(&world, &of(kind));
    }
    let events = json!({ "http://schemas.openid.net/event/backchannel-logout": {} });
    malformed(
        &world,
        &signer.signed(
            &signer.header().to_string(),
            &with(payload(&world), "events", events).to_string(),
        ),
    );
}

#[test]
fn two_members_of_one_name_are_refused() {
    let signer = Signer::p256("key");
    let world = World::new(&[signer.jwk()]);
    let header = signer.header().to_string();
    let body = payload(&world).to_string();
    world.verify(&signer.signed(&header, &body)).unwrap();
    for twice in [
        r#""sub":"admin""#,
        r#""iss":"x""#,
        r#""email":"root@example.org""#,
        r#""\u0073ub":"admin""#,
        r#""any":1,"any":1"#,
    ] {
        malformed(
            &world,
            &signer.signed(&header, &body.replacen('{', &format!("{{{twice},"), 1)),
        );
    }
    malformed(
        &world,
        &signer.signed(&header.replacen('{', r#"{"alg":"ES256","#, 1), &body),
    );
}

#[test]
fn claims_have_their_types() {
    let signer = Signer::p256("key");
    let world = World::new(&[signer.jwk()]);
    let header = signer.header().to_string();
    let body = payload(&world);
    let now = world.clock.now().unix_seconds();
    for name in ["iss", "aud", "sub", "iat", "exp"] {
        malformed(
            &world,
            &signer.signed(&header, &without(body.clone(), name).to_string()),
        );
        for value in [json!(null), json!({}), json!(true), json!([])] {
            malformed(
                &world,
                &signer.signed(&header, &with(body.clone(), name, value).to_string()),
            );
        }
    }
    for name in ["iat", "nbf", "exp"] {
        let soon = now + 600;
        for value in [
            json!(soon.to_string()),
            json!(-1),
            json!(u64::MAX),
            json!(1e300),
            json!([soon]),
        ] {
            malformed(
                &world,
                &signer.signed(&header, &with(body.clone(), name, value).to_string()),
            );
        }
    }
    for aud in [
        json!([]),
        json!(["tenantry-acme", 7]),
        json!([["tenantry-acme"]]),
        json!(vec!["tenantry-acme"; 33]),
    ] {
        malformed(
            &world,
            &signer.signed(&header, &with(body.clone(), "aud", aud).to_string()),
        );
    }
    for azp in [json!(7), json!(null)] {
        malformed(
            &world,
            &signer.signed(&header, &with(body.clone(), "azp", azp).to_string()),
        );
    }
    for body in ["[]", "null", "\"text\"", "{", "", "{}x", "7"] {
        malformed(&world, &signer.signed(&header, body));
        malformed(&world, &signer.signed(body, &payload(&world).to_string()));
    }
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(2_000), "]".repeat(2_000));
    malformed(&world, &signer.signed(&header, &deep));
}

#[test]
fn a_token_has_one_spelling() {
    let signer = Signer::p256("key");
    let world = World::new(&[signer.jwk()]);
    let token = signer.token(&claims(&*world.clock));
    let [header, body, signature] = token.split('.').collect::<Vec<_>>().try_into().unwrap();
    for other in [
        format!("{token}="),
        format!(" {token}"),
        format!("{token} "),
        format!("{token}\n"),
        format!("{token}."),
        format!(".{token}"),
        format!("{header}=.{body}.{signature}"),
        format!("{header}.{body}\n.{signature}"),
        format!("{header}.{body}.{signature}.{signature}.{signature}"),
        format!("Bearer {token}"),
    ] {
        malformed(&world, &other);
    }
    // 64 bytes leave two bits of the last letter over, which must be zero.
    let last = signature.chars().last().unwrap();
    let next = char::from(u8::try_from(last).unwrap() + 1);
    malformed(
        &world,
        &format!("{header}.{body}.{}{next}", &signature[..signature.len() - 1]),
    );
    let long = format!("{header}.{body}.{}", "A".repeat(MAX_IDENTITY_TOKEN_BYTES));
    assert!(matches!(world.verify(&long), Err(IdentityError::TooLong)));
}

#[test]
fn what_would_be_refused_anyway_fetches_nothing() {
    let signer = Signer::p256("key");
    let world = World::new(&[signer.jwk()]);
    let header = signer.header().to_string();
    let body = payload(&world);
    let now = world.clock.now().unix_seconds();
    for (name, value) in [
        ("iss", json!("https://login.example.org")),
        ("aud", json!("another")),
        ("exp", json!(now - 600)),
        ("iat", json!(now - 90_000)),
        ("nbf", json!(now + 600)),
        ("sub", json!("")),
    ] {
        assert!(
            world
                .verify(&signer.signed(&header, &with(body.clone(), name, value).to_string()))
                .is_err()
        );
    }
    assert_eq!(world.transport.requests().len(), 0);
    world.verify(&signer.signed(&header, &body.to_string())).unwrap();
    assert_eq!(world.transport.requests().len(), 2);
}

#[test]
fn our_own_tokens_have_no_foreign_issuer() {
    use crate::{Algorithm, JwtIssuer, JwtKeys, JwtSettings, Lifetime, TokenIssuer};
    use secrecy::ExposeSecret;

    let world = World::new(&[]);
    let secret = "n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg-n4bQgYhMfWWaL-qgxVrQFaO";
    let keys = JwtKeys::new(Algorithm::Hs256, &secret.into(), &[]).unwrap();
    let settings = JwtSettings {
        issuer: ISSUER.to_owned(),
        audience: "tenantry-acme".to_owned(),
        lifetime: Lifetime::from_minutes(30).unwrap(),
    };
    let issuer = JwtIssuer::new(&keys, settings, world.clock.clone());
    let token = issuer.issue(&crate::conformance::claims(None)).unwrap().token;
    assert_eq!(world.verifier.issuer_of(token.expose_secret()), None);
    malformed(&world, token.expose_secret());
}

#[test]
fn a_foreign_token_is_not_one_of_ours() {
    use crate::{Algorithm, JwtKeys, JwtSettings, JwtVerifier, Lifetime, TokenVerifier};

    let secret = "n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg-n4bQgYhMfWWaL-qgxVrQFaO";
    let keys = JwtKeys::new(Algorithm::Hs256, &secret.into(), &[]).unwrap();
    let world = World::new(&[]);
    let settings = JwtSettings {
        issuer: ISSUER.to_owned(),
        audience: "tenantry-acme".to_owned(),
        lifetime: Lifetime::from_minutes(30).unwrap(),
    };
    let verifier = JwtVerifier::new(&keys, &settings, world.clock.clone());
    for signer in Signer::all() {
        assert!(verifier.verify(&signer.token(&claims(&*world.clock))).is_err());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn no_text_makes_the_verifier_panic(text in "\\PC{0,200}") {
        let world = World::new(&[]);
        prop_assert!(world.verify(&text).is_err());
        prop_assert_eq!(world.verifier.issuer_of(&text), None);
    }

    #[test]
    fn no_key_set_makes_the_reader_panic(text in "[\\[\\]{}\":,a-z0-9]{0,100}") {
        let _ = jwk::read_set(text.as_bytes());
    }

    #[test]
    fn a_changed_token_is_refused(at in 0usize..300, byte in 0u8..64) {
        let signer = Signer::ed25519("key");
        let world = World::new(&[signer.jwk()]);
        let token = signer.token(&claims(&*world.clock));
        let letter = char::from(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"[usize::from(byte)]);
        let mut changed = token.clone();
        let at = at % token.len();
        changed.replace_range(at..=at, &letter.to_string());
        prop_assume!(changed != token);
        prop_assert!(world.verify(&changed).is_err());
    }
}

#[test]
fn an_hour_between_two_looks_is_the_longest_that_a_key_lives_on() {
    let signer = Signer::rsa("key");
    let world = World::new(&[signer.jwk()]);
    world.verify(&signer.token(&claims(&*world.clock))).unwrap();
    world.publish(&[]);
    world.clock.advance(Duration::from_hours(1));
    wrongly_signed(&world, &signer.token(&claims(&*world.clock)));
}
