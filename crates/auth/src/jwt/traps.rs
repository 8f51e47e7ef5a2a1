//! What other verifiers were caught with, and what this one does with it.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use proptest::prelude::*;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use sha2::{Sha256, Sha384, Sha512};
use tenantry_domain::{ManualClock, Timestamp};

use super::*;
use crate::conformance::{self, Fixture, claims};
use crate::{MAX_TOKEN_BYTES, TokenError, TokenIssuer, TokenVerifier};

const SECRET: &str = "n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg-n4bQgYhMfWWaL-qgxVrQFaO";
const NOW: u64 = 1_800_000_000;

struct Bench {
    clock: Arc<ManualClock>,
    settings: JwtSettings,
    issuer: JwtIssuer,
    verifier: JwtVerifier,
    kid: String,
}

fn bench() -> Bench {
    with_keys(&JwtKeys::new(Algorithm::Hs256, &SECRET.into(), &[]).unwrap())
}

fn with_keys(keys: &JwtKeys) -> Bench {
    let settings = JwtSettings {
        issuer: "tenantry".to_owned(),
        audience: "tenantry-api".to_owned(),
        lifetime: Lifetime::from_minutes(30).unwrap(),
    };
    let micros = i64::try_from(NOW).unwrap() * 1_000_000;
    let clock = Arc::new(ManualClock::new(Timestamp::from_unix_micros(micros).unwrap()));
    Bench {
        issuer: JwtIssuer::new(keys, settings.clone(), clock.clone()),
        verifier: JwtVerifier::new(keys, &settings, clock.clone()),
        kid: keys.active().id.clone(),
        clock,
        settings,
    }
}

impl Bench {
    fn header(&self) -> Value {
        json!({ "alg": "HS256", "typ": "at+jwt", "kid": self.kid })
    }

    fn claims() -> Value {
        json!({
            "iss": "tenantry", "aud": "tenantry-api", "sub": claims(None).user.to_string(), "tenant_id": "acme",
            "ver": 3, "sid": claims(None).session.unwrap().to_string(), "iat": NOW, "nbf": NOW, "exp": NOW + 1_800, "jti": "01907e4d-0000-7000-8000-000000000002",
        })
    }

    /// What comes of a token of this header and claims under a signature that is right.
    fn signed(&self, header: &str, claims: &str) -> Result<(), TokenError> {
        self.verifier
            .verify(&sign(&parts(header.as_bytes(), claims.as_bytes())))
            .map(|_| ())
    }

    fn with_header(&self, name: &str, value: Value) -> Result<(), TokenError> {
        self.signed(&with(self.header(), name, value), &Self::claims().to_string())
    }

    fn with_claim(&self, name: &str, value: Value) -> Result<(), TokenError> {
        self.signed(&self.header().to_string(), &with(Self::claims(), name, value))
    }

    fn without_claim(&self, name: &str) -> Result<(), TokenError> {
        self.signed(&self.header().to_string(), &without(Self::claims(), name))
    }
}

fn with(mut object: Value, name: &str, value: Value) -> String {
    object[name] = value;
    object.to_string()
}

fn without(mut object: Value, name: &str) -> String {
    object.as_object_mut().unwrap().remove(name).unwrap();
    object.to_string()
}

fn parts(header: &[u8], claims: &[u8]) -> String {
    format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(header),
        URL_SAFE_NO_PAD.encode(claims)
    )
}

fn sign(message: &str) -> String {
    let mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes())
        .unwrap()
        .chain_update(message);
    format!(
        "{message}.{}",
        URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())
    )
}

#[test]
fn a_jwt_keeps_the_promises_of_a_token() {
    for algorithm in [Algorithm::Hs256, Algorithm::Hs384, Algorithm::Hs512] {
        let bench = with_keys(&JwtKeys::new(algorithm, &SECRET.into(), &[]).unwrap());
        conformance::tokens(&Fixture {
            issuer: &bench.issuer,
            verifier: &bench.verifier,
            clock: &bench.clock,
            lifetime: bench.settings.lifetime,
        });
    }
}

#[test]
fn the_forger_of_these_tests_makes_tokens_that_pass() {
    let bench = bench();
    assert_eq!(
        bench.signed(&bench.header().to_string(), &Bench::claims().to_string()),
        Ok(())
    );
    assert_eq!(bench.without_claim("tenant_id"), Ok(()));
    assert_eq!(bench.without_claim("sid"), Ok(()));
}

#[test]
fn an_issued_token_has_this_header_and_these_claims() {
    let bench = bench();
    let issued = bench.issuer.issue(&claims(Some("acme"))).unwrap();
    let part = |at: usize| -> Value {
        let part = issued.token.expose_secret().split('.').nth(at).unwrap();
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
    };
    assert_eq!(part(0), bench.header());
    let mut found = part(1);
    let jti = found["jti"].take();
    assert_eq!(jti.as_str().unwrap().len(), 36);
    let mut expected = Bench::claims();
    expected["jti"].take();
    assert_eq!(found, expected);
    let without_both = tenantry_domain::AccessClaims {
        session: None,
        ..claims(None)
    };
    let without_both = bench.issuer.issue(&without_both).unwrap();
    let part = without_both
        .token
        .expose_secret()
        .split('.')
        .nth(1)
        .unwrap()
        .to_owned();
    let found: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap();
    assert_eq!((found.get("tenant_id"), found.get("sid")), (None, None));
}

#[test]
fn no_other_algorithm_is_accepted() {
    let bench = bench();
    let claims = Bench::claims().to_string();
    for name in [
        "none", "None", "NONE", "nOnE", "", "hs256", "HS256 ", "HS384", "HS512", "RS256", "PS256", "ES256",
        "EdDSA",
    ] {
        let header = with(bench.header(), "alg", json!(name));
        assert_eq!(
            bench.signed(&header, &claims),
            Err(TokenError::Malformed),
            "{name:?}"
        );
        let message = parts(header.as_bytes(), claims.as_bytes());
        assert_eq!(
            bench.verifier.verify(&format!("{message}.")),
            Err(TokenError::Malformed),
            "{name:?} unsigned"
        );
    }
    for value in [json!(null), json!(1), json!(["HS256"]), json!({ "HS256": "" })] {
        assert_eq!(bench.with_header("alg", value), Err(TokenError::Malformed));
    }
    assert_eq!(
        bench.signed(&without(bench.header(), "alg"), &claims),
        Err(TokenError::Malformed)
    );
}

#[test]
fn a_right_signature_of_another_hash_is_refused() {
    let bench = bench();
    let message = |alg: &str| {
        parts(
            with(bench.header(), "alg", json!(alg)).as_bytes(),
            Bench::claims().to_string().as_bytes(),
        )
    };
    let tag384 = Hmac::<Sha384>::new_from_slice(SECRET.as_bytes())
        .unwrap()
        .chain_update(message("HS384"))
        .finalize();
    let tag512 = Hmac::<Sha512>::new_from_slice(SECRET.as_bytes())
        .unwrap()
        .chain_update(message("HS512"))
        .finalize();
    for (alg, tag) in [
        ("HS384", tag384.into_bytes().to_vec()),
        ("HS512", tag512.into_bytes().to_vec()),
    ] {
        let token = format!("{}.{}", message(alg), URL_SAFE_NO_PAD.encode(tag));
        assert_eq!(bench.verifier.verify(&token), Err(TokenError::Malformed), "{alg}");
    }
}

#[test]
fn the_signature_covers_all_and_is_not_optional() {
    let bench = bench();
    let (header, claims) = (bench.header().to_string(), Bench::claims().to_string());
    let message = parts(header.as_bytes(), claims.as_bytes());
    let token = sign(&message);
    let (_, signature) = token.rsplit_once('.').unwrap();
    let empty_key = Hmac::<Sha256>::new_from_slice(b"")
        .unwrap()
        .chain_update(&message)
        .finalize();
    let other = with(Bench::claims(), "tenant_id", json!("globex"));
    for forged in [
        format!("{message}."),
        format!("{message}.{}", &signature[..42]),
        format!("{message}.{signature}AA"),
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(empty_key.into_bytes())),
        format!("{}.{signature}", parts(header.as_bytes(), other.as_bytes())),
    ] {
        let refused = bench.verifier.verify(&forged);
        assert!(
            matches!(refused, Err(TokenError::Signature | TokenError::Malformed)),
            "{forged}: {refused:?}"
        );
    }
}

#[test]
fn a_token_has_three_parts_and_one_encoding() {
    let bench = bench();
    let (header, claims) = (bench.header().to_string(), Bench::claims().to_string());
    let token = sign(&parts(header.as_bytes(), claims.as_bytes()));
    let (message, signature) = token.rsplit_once('.').unwrap();
    let (encoded_header, encoded_claims) = message.split_once('.').unwrap();
    let padded = format!(
        "{}.{}",
        URL_SAFE.encode(format!("{header} ")),
        URL_SAFE.encode(format!("{claims} "))
    );
    for text in [
        message.to_owned(),
        format!("{token}."),
        format!(".{token}"),
        format!("{token}.{signature}"),
        format!("{message}..{signature}"),
        format!("{token}="),
        format!("{token} "),
        format!("{token}\n"),
        format!("Bearer {token}"),
        sign(&padded),
        sign(&format!("{encoded_header}=.{encoded_claims}")),
        sign(&format!("{encoded_header}.{encoded_claims}=")),
        sign(&format!("{encoded_header} .{encoded_claims}")),
        sign(&format!("{encoded_header}\n.{encoded_claims}")),
        trailing_bits(&token),
    ] {
        assert!(bench.verifier.verify(&text).is_err(), "{text:?}");
    }
}

/// The same signature bytes in another spelling: 32 bytes leave two bits of the last character unused.
fn trailing_bits(token: &str) -> String {
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let (rest, last) = token.split_at(token.len() - 1);
    let place = alphabet.find(last).unwrap();
    assert_eq!(place % 4, 0);
    format!("{rest}{}", &alphabet[place + 1..place + 2])
}

#[test]
fn a_header_with_anything_else_in_it_is_refused() {
    let bench = bench();
    for (name, value) in [
        ("crit", json!(["exp"])),
        ("crit", json!([])),
        ("b64", json!(false)),
        ("jwk", json!({ "kty": "oct", "k": "AAAA" })),
        ("jku", json!("https://attacker.example/keys")),
        ("x5u", json!("https://attacker.example/chain")),
        ("x5c", json!(["AAAA"])),
        ("zip", json!("DEF")),
        ("cty", json!("JWT")),
        ("anything", json!(null)),
    ] {
        assert_eq!(
            bench.with_header(name, value),
            Err(TokenError::Malformed),
            "{name}"
        );
    }
    let claims = Bench::claims().to_string();
    let twice = format!(
        r#"{{"alg":"none","alg":"HS256","typ":"at+jwt","kid":"{}"}}"#,
        bench.kid
    );
    for header in ["", "null", "[]", "{}", "\"\"", "{", twice.as_str()] {
        assert_eq!(
            bench.signed(header, &claims),
            Err(TokenError::Malformed),
            "{header}"
        );
    }
}

#[test]
fn only_an_access_token_is_one() {
    let bench = bench();
    for typ in ["JWT", "jwt", "AT+JWT", "application/at+jwt", "refresh+jwt", ""] {
        assert_eq!(
            bench.with_header("typ", json!(typ)),
            Err(TokenError::Malformed),
            "{typ:?}"
        );
    }
    let missing = without(bench.header(), "typ");
    assert_eq!(
        bench.signed(&missing, &Bench::claims().to_string()),
        Err(TokenError::Malformed)
    );
}

#[test]
fn an_unknown_key_is_refused() {
    let bench = bench();
    for kid in [
        "",
        "0000000000000000",
        "../../dev/null",
        "' OR 1=1",
        &bench.kid.to_uppercase(),
    ] {
        assert_eq!(
            bench.with_header("kid", json!(kid)),
            Err(TokenError::Signature),
            "{kid:?}"
        );
    }
    let missing = without(bench.header(), "kid");
    assert_eq!(
        bench.signed(&missing, &Bench::claims().to_string()),
        Err(TokenError::Malformed)
    );
}

#[test]
fn a_previous_key_verifies_and_does_not_sign() {
    let old = bench();
    let token = old.issuer.issue(&claims(Some("acme"))).unwrap().token;
    let rotated = JwtKeys::new(
        Algorithm::Hs256,
        &SECRET.to_uppercase().as_str().into(),
        &[SECRET.into()],
    )
    .unwrap();
    let new = with_keys(&rotated);
    assert_eq!(
        new.verifier.verify(token.expose_secret()),
        Ok(claims(Some("acme")))
    );
    let token = new.issuer.issue(&claims(None)).unwrap().token;
    assert_eq!(
        old.verifier.verify(token.expose_secret()),
        Err(TokenError::Signature)
    );
    let renamed = old.with_header("kid", json!(new.kid));
    assert_eq!(renamed, Err(TokenError::Signature));
    let dropped =
        with_keys(&JwtKeys::new(Algorithm::Hs256, &SECRET.to_uppercase().as_str().into(), &[]).unwrap());
    let token = old.issuer.issue(&claims(None)).unwrap().token;
    assert_eq!(
        dropped.verifier.verify(token.expose_secret()),
        Err(TokenError::Signature)
    );
}

#[test]
fn every_claim_is_required_and_typed() {
    let bench = bench();
    for name in ["iss", "aud", "sub", "ver", "iat", "nbf", "exp", "jti"] {
        assert_eq!(
            bench.without_claim(name),
            Err(TokenError::Malformed),
            "without {name}"
        );
        for value in [json!(null), json!({}), json!([]), json!(true)] {
            assert!(bench.with_claim(name, value.clone()).is_err(), "{name}: {value}");
        }
    }
    for name in ["iat", "nbf", "exp", "ver"] {
        for value in [
            json!(-1),
            json!(1.5),
            json!(1.8e9),
            json!("1800000000"),
            json!(1e300),
        ] {
            assert_eq!(
                bench.with_claim(name, value.clone()),
                Err(TokenError::Malformed),
                "{name}: {value}"
            );
        }
    }
    for (name, value) in [
        ("sub", json!("")),
        ("sub", json!("admin")),
        ("sub", json!("01907E4D-0000-7000-8000-000000000001")),
        ("tenant_id", json!(null)),
        ("tenant_id", json!("")),
        ("tenant_id", json!("../acme")),
        ("tenant_id", json!(["acme"])),
        ("ver", json!(4_294_967_296_u64)),
        ("sid", json!(null)),
        ("sid", json!("")),
        ("sid", json!("current")),
        ("sid", json!("01907E4D-0000-7000-8000-000000000003")),
        ("sid", json!(["01907e4d-0000-7000-8000-000000000003"])),
    ] {
        assert_eq!(
            bench.with_claim(name, value.clone()),
            Err(TokenError::Malformed),
            "{name}: {value}"
        );
    }
}

#[test]
fn a_claim_stands_once() {
    let bench = bench();
    let once = Bench::claims().to_string();
    for again in [
        r#","tenant_id":"globex"}"#,
        r#","exp":1900000000}"#,
        r#","sub":"x"}"#,
        r#","sid":"x"}"#,
        r#","\u0065xp":1900000000}"#,
    ] {
        let twice = format!("{}{again}", once.strip_suffix('}').unwrap());
        assert_eq!(
            bench.signed(&bench.header().to_string(), &twice),
            Err(TokenError::Malformed),
            "{again}"
        );
    }
    for claims in [
        "",
        "null",
        "[]",
        "{}",
        &format!("{once}x"),
        &format!("{once}{once}"),
    ] {
        assert_eq!(
            bench.signed(&bench.header().to_string(), claims),
            Err(TokenError::Malformed),
            "{claims}"
        );
    }
    let header = bench.header().to_string();
    let no_text = sign(&parts(header.as_bytes(), &[b'"', 0xff, 0xfe, b'"']));
    assert_eq!(bench.verifier.verify(&no_text), Err(TokenError::Malformed));
}

#[test]
fn a_claim_that_is_not_known_is_ignored() {
    assert_eq!(bench().with_claim("is_superuser", json!(true)), Ok(()));
}

#[test]
fn a_token_for_or_from_another_service_is_refused() {
    let bench = bench();
    for name in ["iss", "aud"] {
        for value in [
            "",
            "another",
            "Tenantry",
            "tenantry ",
            "tenantry-ap",
            "tenantry-apis",
        ] {
            assert_eq!(
                bench.with_claim(name, json!(value)),
                Err(TokenError::WrongAudience),
                "{name}: {value:?}"
            );
        }
    }
    assert_eq!(
        bench.with_claim("aud", json!(["tenantry-api", "another"])),
        Err(TokenError::Malformed)
    );
    assert_eq!(
        bench.with_claim("iss", json!(["tenantry"])),
        Err(TokenError::Malformed)
    );
}

#[test]
fn times_beyond_the_leeway_are_refused() {
    let bench = bench();
    let times = |iat: u64, nbf: u64, exp: u64| {
        let mut claims = Bench::claims();
        claims["iat"] = json!(iat);
        claims["nbf"] = json!(nbf);
        claims["exp"] = json!(exp);
        bench.signed(&bench.header().to_string(), &claims.to_string())
    };
    assert_eq!(
        times(NOW + 5, NOW + 5, NOW + 60),
        Ok(()),
        "clocks may differ by five seconds"
    );
    assert_eq!(times(NOW + 6, NOW, NOW + 60), Err(TokenError::NotValidNow));
    assert_eq!(times(NOW, NOW + 6, NOW + 60), Err(TokenError::NotValidNow));
    assert_eq!(times(NOW - 60, NOW, NOW - 4), Ok(()));
    assert_eq!(times(NOW - 60, NOW, NOW - 5), Err(TokenError::Expired));
    assert_eq!(
        times(NOW - 60, NOW, NOW - 61),
        Err(TokenError::NotValidNow),
        "ended before it began"
    );
    assert_eq!(
        times(NOW, NOW, NOW + 1_801),
        Err(TokenError::NotValidNow),
        "longer than configured"
    );
    assert_eq!(times(NOW, NOW, u64::MAX), Err(TokenError::NotValidNow));
    assert_eq!(times(u64::MAX, NOW, u64::MAX), Err(TokenError::NotValidNow));
    assert_eq!(times(NOW, u64::MAX, NOW + 60), Err(TokenError::NotValidNow));
    assert_eq!(times(0, 0, 0), Err(TokenError::Expired));
}

#[test]
fn a_token_is_not_valid_before_a_clock_that_went_back() {
    let bench = bench();
    let later = with_keys(&JwtKeys::new(Algorithm::Hs256, &SECRET.into(), &[]).unwrap());
    later.clock.advance(Duration::from_mins(1));
    let token = later.issuer.issue(&claims(None)).unwrap().token;
    assert_eq!(
        bench.verifier.verify(token.expose_secret()),
        Err(TokenError::NotValidNow)
    );
}

#[test]
fn size_is_judged_before_anything_else() {
    let bench = bench();
    let mut big = Bench::claims();
    for n in 0..10_000 {
        big[format!("claim{n}")] = json!(n);
    }
    assert_eq!(
        bench.signed(&bench.header().to_string(), &big.to_string()),
        Err(TokenError::TooLong)
    );
    let deep = format!(r#"{{"iss":{}{}}}"#, "[".repeat(1_200), "]".repeat(1_200));
    assert_eq!(
        bench.signed(&bench.header().to_string(), &deep),
        Err(TokenError::Malformed)
    );
    let token = sign(&parts(bench.header().to_string().as_bytes(), &vec![b' '; 2_900]));
    assert!(token.len() <= MAX_TOKEN_BYTES);
    assert_eq!(bench.verifier.verify(&token), Err(TokenError::Malformed));
}

#[test]
fn debug_shows_no_secret() {
    let bench = bench();
    let shown = format!("{:?} {:?}", bench.issuer, bench.verifier);
    assert!(
        shown.contains(&bench.kid) && !shown.contains(&SECRET[..8]),
        "{shown}"
    );
}

proptest! {
    #[test]
    fn no_changed_byte_passes(at in any::<prop::sample::Index>(), byte in 0..128_u8) {
        let bench = bench();
        let mut token = bench.issuer.issue(&claims(Some("acme"))).unwrap().token.expose_secret().as_bytes().to_vec();
        let at = at.index(token.len());
        prop_assume!(token[at] != byte);
        token[at] = byte;
        prop_assert!(bench.verifier.verify(str::from_utf8(&token).unwrap()).is_err());
    }

    #[test]
    fn no_text_makes_the_verifier_panic(text in any::<String>(), header in any::<String>(), claims in any::<String>()) {
        let bench = bench();
        prop_assert!(bench.verifier.verify(&text).is_err());
        prop_assert!(bench.signed(&header, &claims).is_err());
        prop_assert!(bench.signed(&bench.header().to_string(), &claims).is_err());
    }

    #[test]
    fn whatever_is_issued_verifies(
        user in any::<u128>(), tenant in prop::option::of("[a-z0-9][a-z0-9_-]{0,62}"), token_version in any::<u32>(),
        session in prop::option::of(any::<u128>()),
    ) {
        let bench = bench();
        let claims = tenantry_domain::AccessClaims {
            user: tenantry_domain::UserId::from_uuid(uuid::Uuid::from_u128(user)),
            tenant: tenant.map(|id| tenantry_domain::TenantId::parse(&id).unwrap()),
            token_version,
            session: session.map(|id| tenantry_domain::SessionId::from_uuid(uuid::Uuid::from_u128(id))),
        };
        let token = bench.issuer.issue(&claims).unwrap().token;
        prop_assert_eq!(bench.verifier.verify(token.expose_secret()), Ok(claims));
    }
}
