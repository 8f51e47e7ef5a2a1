use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tenantry_domain::Role::{Admin, Member};
use tenantry_domain::{Clock, ForeignIdentity, IdentityProvider, ManualClock, Timestamp};
use tenantry_http_client::{Answer, Gate, HttpError, MemoryTransport, Piece, Recorded};
use url::Url;

use super::signing::{Signer, json as written};
use super::*;
use crate::conformance::identities::{self, Fixture, ISSUER, claims, provider};

/// One provider on a network of its own, which can be changed and switched off.
pub(super) struct World {
    pub(super) clock: Arc<ManualClock>,
    pub(super) transport: Arc<MemoryTransport>,
    pub(super) verifier: OidcVerifier,
    published: Arc<Mutex<Published>>,
    is_up: Arc<AtomicBool>,
}

struct Published {
    discovery: Value,
    set: Value,
}

impl World {
    pub(super) fn new(keys: &[Value]) -> Self {
        let published = Arc::new(Mutex::new(Published {
            discovery: json!({ "issuer": ISSUER, "jwks_uri": "https://keys.example.org/acme.json" }),
            set: json!({ "keys": keys }),
        }));
        let is_up = Arc::new(AtomicBool::new(true));
        let (seen, up) = (published.clone(), is_up.clone());
        let transport = Arc::new(MemoryTransport::new(move |request: &Recorded| {
            if !up.load(Ordering::SeqCst) {
                return Err(HttpError::Connect("switched off".into()));
            }
            let published = seen.lock().unwrap();
            Ok(match (request.header("host").unwrap(), request.path()) {
                ("login.example.org", "/realms/acme/.well-known/openid-configuration") => {
                    Answer::json(200, &published.discovery)
                }
                ("keys.example.org", "/acme.json") => Answer::json(200, &published.set),
                _ => Answer::new(404),
            })
        }));
        let clock = Arc::new(ManualClock::new(
            Timestamp::from_unix_micros(1_800_000_000_000_000).unwrap(),
        ));
        Self {
            verifier: OidcVerifier::new(transport.clone(), clock.clone()),
            clock,
            transport,
            published,
            is_up,
        }
    }

    pub(super) fn publish(&self, keys: &[Value]) {
        self.published.lock().unwrap().set = json!({ "keys": keys });
    }

    fn discovery(&self, document: Value) {
        self.published.lock().unwrap().discovery = document;
    }

    fn switch(&self, on: bool) {
        self.is_up.store(on, Ordering::SeqCst);
    }

    pub(super) fn verify(&self, token: &str) -> Result<ForeignIdentity, IdentityError> {
        self.verifier.verify(&provider(&*self.clock), token)
    }

    /// What comes of a new token of this key.
    fn accepts(&self, signer: &Signer) -> Result<ForeignIdentity, IdentityError> {
        self.verify(&signer.token(&claims(&*self.clock)))
    }

    fn fetches(&self) -> usize {
        self.transport.requests().len() / 2
    }
}

#[test]
fn memory_identities_keep_the_promises() {
    let clock = Arc::new(ManualClock::new(
        Timestamp::from_unix_micros(1_800_000_000_000_000).unwrap(),
    ));
    let memory = MemoryIdentities::new(clock.clone());
    identities::identities(&Fixture {
        verifier: &memory,
        issue: &|claims| memory.issue(claims.clone()),
        clock: &clock,
    });
}

#[test]
fn tokens_of_every_algorithm_keep_the_promises() {
    for signer in Signer::all() {
        let world = World::new(&[signer.jwk()]);
        identities::identities(&Fixture {
            verifier: &world.verifier,
            issue: &|claims| signer.token(claims),
            clock: &world.clock,
        });
        assert_eq!(world.fetches(), 1, "{}", signer.algorithm());
    }
}

#[test]
fn keys_are_fetched_by_discovery_once_and_then_known() {
    let signers = Signer::all();
    let world = World::new(&signers.each_ref().map(Signer::jwk));
    for _ in 0..3 {
        for signer in &signers {
            world.accepts(signer).unwrap();
        }
    }
    let targets: Vec<_> = world
        .transport
        .requests()
        .into_iter()
        .map(|seen| seen.target)
        .collect();
    assert_eq!(
        targets,
        ["/realms/acme/.well-known/openid-configuration", "/acme.json"]
    );
    for seen in world.transport.requests() {
        assert_eq!(
            (seen.method.as_str(), seen.header("accept")),
            ("GET", Some("application/json"))
        );
        assert_eq!(seen.header("authorization"), None);
    }
}

#[test]
fn a_new_key_works_without_a_restart_and_one_taken_back_ends_within_the_hour() {
    let (old, new) = (Signer::p256("2026-10"), Signer::p256("2026-11"));
    let world = World::new(&[old.jwk()]);
    world.accepts(&old).unwrap();
    world.publish(&[new.jwk(), old.jwk()]);
    world.clock.advance(Duration::from_secs(10));
    world.accepts(&new).unwrap();
    world.accepts(&old).unwrap();
    world.publish(&[new.jwk()]);
    world.clock.advance(Duration::from_secs(3_599));
    world.accepts(&old).unwrap();
    world.clock.advance(Duration::from_secs(1));
    let refused = world.accepts(&old).unwrap_err();
    assert!(matches!(refused, IdentityError::Signature), "{refused}");
    world.accepts(&new).unwrap();
    assert_eq!(world.fetches(), 3);
}

#[test]
fn a_key_that_changes_under_its_name_is_noticed() {
    let (old, new) = (Signer::ed25519("key"), Signer::ed25519("key"));
    let world = World::new(&[old.jwk()]);
    world.accepts(&old).unwrap();
    world.publish(&[new.jwk()]);
    world.clock.advance(Duration::from_secs(10));
    world.accepts(&new).unwrap();
    assert!(world.accepts(&old).is_err());
}

#[test]
fn an_unknown_key_has_the_keys_fetched_every_ten_seconds_at_most() {
    let (known, unknown) = (Signer::p256("known"), Signer::p256("unknown"));
    let world = World::new(&[known.jwk()]);
    for second in 0..25 {
        let refused = world.accepts(&unknown).unwrap_err();
        assert!(matches!(refused, IdentityError::Signature), "{refused}");
        assert_eq!(world.fetches(), 1 + second / 10);
        world.accepts(&known).unwrap();
        world.clock.advance(Duration::from_secs(1));
    }
}

#[test]
fn known_keys_work_for_a_day_while_the_provider_is_away() {
    let (known, unknown) = (Signer::rsa("known"), Signer::p256("unknown"));
    let world = World::new(&[known.jwk()]);
    world.accepts(&known).unwrap();
    world.switch(false);
    for _ in 0..23 {
        world.clock.advance(Duration::from_hours(1));
        world.accepts(&known).unwrap();
    }
    let refused = world.accepts(&unknown).unwrap_err();
    assert!(refused.is_transient(), "{refused}: it may be a new key");
    world.clock.advance(Duration::from_hours(1));
    let refused = world.accepts(&known).unwrap_err();
    assert!(refused.is_transient(), "{refused}");
    world.switch(true);
    world.clock.advance(Duration::from_secs(10));
    world.accepts(&known).unwrap();
}

#[test]
fn keys_no_longer_fresh_are_asked_for_once_a_minute_while_the_provider_is_away() {
    let known = Signer::p256("known");
    let world = World::new(&[known.jwk()]);
    world.accepts(&known).unwrap();
    world.switch(false);
    world.clock.advance(Duration::from_hours(1));
    for _ in 0..60 {
        world.accepts(&known).unwrap();
        world.clock.advance(Duration::from_secs(1));
    }
    assert_eq!(world.transport.requests().len(), 2 + 1);
    world.accepts(&known).unwrap();
    assert_eq!(world.transport.requests().len(), 2 + 2);
}

#[test]
fn a_provider_that_was_never_reached_is_unavailable_and_asked_every_ten_seconds() {
    let signer = Signer::p256("key");
    let world = World::new(&[signer.jwk()]);
    world.switch(false);
    for _ in 0..10 {
        let refused = world.accepts(&signer).unwrap_err();
        assert!(refused.is_transient(), "{refused}");
        world.clock.advance(Duration::from_secs(1));
    }
    assert_eq!(world.transport.requests().len(), 1);
    world.switch(true);
    world.accepts(&signer).unwrap();
}

#[test]
fn a_discovery_document_of_another_issuer_is_not_believed() {
    let signer = Signer::p256("key");
    let keys = "https://keys.example.org/acme.json";
    for document in [
        json!({ "issuer": "https://login.example.org", "jwks_uri": keys }),
        json!({ "issuer": format!("{ISSUER}/"), "jwks_uri": keys }),
        json!({ "issuer": ISSUER.to_uppercase(), "jwks_uri": keys }),
        json!({ "jwks_uri": keys }),
        json!({ "issuer": ISSUER }),
        json!({ "issuer": ISSUER, "jwks_uri": 7 }),
        json!({ "issuer": ISSUER, "jwks_uri": "acme.json" }),
        json!([ISSUER, keys]),
    ] {
        let world = World::new(&[signer.jwk()]);
        world.discovery(document.clone());
        let refused = world.accepts(&signer).unwrap_err();
        assert!(
            matches!(refused, IdentityError::Unavailable(_)),
            "{document}: {refused}"
        );
        assert_eq!(world.transport.requests().len(), 1, "{document}");
    }
}

#[test]
fn keys_lie_at_public_addresses_too() {
    let signer = Signer::p256("key");
    for keys in [
        "http://keys.example.org/acme.json",
        "https://127.0.0.1/acme.json",
        "https://[::1]/acme.json",
        "https://169.254.169.254/latest",
        "https://ada:pw@keys.example.org/acme.json",
        "file:///etc/passwd",
    ] {
        let world = World::new(&[signer.jwk()]);
        world.discovery(json!({ "issuer": ISSUER, "jwks_uri": keys }));
        let refused = world.accepts(&signer).unwrap_err();
        assert!(
            matches!(refused, IdentityError::Unavailable(_)),
            "{keys}: {refused}"
        );
        assert_eq!(world.transport.requests().len(), 1, "{keys}");
    }
}

#[test]
fn an_issuer_in_the_house_is_asked_when_its_origin_is_allowed() {
    let house = "http://10.0.0.7:8080/realms/acme";
    let verifier = |allowed: &[&str]| {
        let transport = Arc::new(MemoryTransport::new(|_| Ok(Answer::new(404))));
        let clock: Arc<dyn Clock> = Arc::new(ManualClock::new(Timestamp::from_unix_micros(0).unwrap()));
        let origins: Vec<_> = allowed
            .iter()
            .map(|url| Url::parse(url).unwrap().origin())
            .collect();
        OidcVerifier::new(transport, clock).with_allowed_origins(origins)
    };
    assert_eq!(verifier(&[]).check_issuer(house), Err(RejectedIssuer::NotHttps));
    assert_eq!(verifier(&["http://10.0.0.7:8080"]).check_issuer(house), Ok(()));
    assert_eq!(
        verifier(&["http://10.0.0.7:8081"]).check_issuer(house),
        Err(RejectedIssuer::NotHttps)
    );
    for private in ["https://10.0.0.7", "https://127.1", "https://[::ffff:10.0.0.7]/a"] {
        assert_eq!(
            verifier(&[]).check_issuer(private),
            Err(RejectedIssuer::NotPublic),
            "{private}"
        );
    }
    for text in [
        " https://login.example.org",
        "https://login.example.org/a b",
        "https://login.example.org\n",
        "https:\\\\login.example.org",
        "https://lögin.example.org",
        "ftp://login.example.org",
        "https://",
    ] {
        assert_eq!(
            verifier(&[]).check_issuer(text),
            Err(RejectedIssuer::NotAUrl),
            "{text:?}"
        );
    }
}

#[test]
fn what_is_no_key_set_or_too_large_leaves_the_known_keys() {
    let signer = Signer::p256("key");
    let many: Vec<_> = (0..65).map(|_| signer.jwk()).collect();
    for set in [
        json!({ "keys": many }),
        json!({ "keys": {} }),
        json!([]),
        json!("x".repeat(300 << 10)),
    ] {
        let world = World::new(&[signer.jwk()]);
        world.accepts(&signer).unwrap();
        world.published.lock().unwrap().set = set;
        world.clock.advance(Duration::from_hours(1));
        world.accepts(&signer).unwrap();
        assert_eq!(world.fetches(), 2);
    }
}

#[test]
fn one_fetch_serves_everybody_who_waits_and_no_other_issuer_does() {
    let signer = Signer::p256("key");
    let (begun, go) = (Gate::new(), Gate::new());
    let (jwk, opened, held) = (signer.jwk(), begun.clone(), go.clone());
    let transport = Arc::new(MemoryTransport::new(move |request: &Recorded| {
        let host = request.header("host").unwrap();
        let issuer = format!("https://{host}");
        Ok(if request.path() == "/keys" {
            Answer::json(200, &json!({ "keys": [jwk] }))
        } else {
            let document = json!({ "issuer": issuer, "jwks_uri": format!("{issuer}/keys") });
            let answer = Answer::json(200, &document);
            if host == "slow.example.org" {
                answer
                    .before_head(Piece::Open(opened.clone()))
                    .before_head(Piece::Wait(held.clone()))
            } else {
                answer
            }
        })
    }));
    let clock = Arc::new(ManualClock::new(
        Timestamp::from_unix_micros(1_800_000_000_000_000).unwrap(),
    ));
    let verifier = OidcVerifier::new(transport.clone(), clock.clone());
    let verify = |issuer: &str| {
        let mut claims = claims(&*clock);
        issuer.clone_into(&mut claims.issuer);
        let provider = IdentityProvider {
            issuer: issuer.to_owned(),
            ..provider(&*clock)
        };
        verifier.verify(&provider, &signer.token(&claims))
    };
    std::thread::scope(|threads| {
        let slow: Vec<_> = (0..3)
            .map(|_| threads.spawn(|| verify("https://slow.example.org")))
            .collect();
        assert!(begun.wait(Duration::from_secs(30)));
        verify("https://quick.example.org").unwrap();
        go.open();
        for one in slow {
            one.join().unwrap().unwrap();
        }
    });
    let slow = transport
        .requests()
        .into_iter()
        .filter(|seen| seen.header("host") == Some("slow.example.org"));
    assert_eq!(slow.count(), 2);
}

#[test]
fn a_bounded_number_of_issuers_is_remembered() {
    let transport = Arc::new(MemoryTransport::new(|_| Ok(Answer::new(500))));
    let clock = Arc::new(ManualClock::new(
        Timestamp::from_unix_micros(1_800_000_000_000_000).unwrap(),
    ));
    let verifier = OidcVerifier::new(transport, clock.clone());
    let signer = Signer::ed25519("key");
    for number in 0..1_100 {
        let issuer = format!("https://{number}.example.org");
        let claims = ForeignClaims {
            issuer: issuer.clone(),
            ..claims(&*clock)
        };
        let provider = IdentityProvider {
            issuer,
            ..provider(&*clock)
        };
        assert!(verifier.verify(&provider, &signer.token(&claims)).is_err());
    }
    assert_eq!(verifier.known_issuers(), 1_024);
}

#[test]
fn a_claim_inside_another_is_named_by_its_path() {
    let signer = Signer::p256("key");
    let world = World::new(&[signer.jwk()]);
    let mut payload = written(&claims(&*world.clock));
    payload["realm_access"] = json!({ "roles": ["boss"], "a/b": ["boss"] });
    payload["https://example.org/roles"] = json!("boss");
    let token = signer.signed(&signer.header().to_string(), &payload.to_string());
    let role = |name: &str| {
        let mut provider = provider(&*world.clock);
        provider.claims.role = Some(name.to_owned());
        provider.claims.roles = [("boss".to_owned(), Admin)].into();
        world.verifier.verify(&provider, &token).unwrap().role
    };
    assert_eq!(role("/realm_access/roles"), Admin);
    assert_eq!(role("/realm_access/a~1b"), Admin);
    assert_eq!(role("https://example.org/roles"), Admin);
    for name in [
        "realm_access",
        "realm_access/roles",
        "/realm_access",
        "/",
        "//",
        "/realm_access/roles/0",
    ] {
        assert_eq!(role(name), Member, "{name}");
    }
}

#[test]
fn debug_shows_no_token_and_no_key() {
    let world = World::new(&[]);
    let shown = format!(
        "{:?} {:?}",
        world.verifier,
        MemoryIdentities::new(world.clock.clone())
    );
    assert_eq!(shown, "OidcVerifier { allowed: [], .. } MemoryIdentities { .. }");
}
