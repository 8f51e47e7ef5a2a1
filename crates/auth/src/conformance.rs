//! What every [`TokenIssuer`] and [`TokenVerifier`] promise, one function per promise; each panics when it is broken.
#![expect(clippy::unwrap_used, reason = "a broken promise fails the test that asked")]

pub mod identities;

use std::time::Duration;

use secrecy::ExposeSecret;
use tenantry_domain::{AccessClaims, ManualClock, SessionId, TenantId, UserId};

use crate::{Lifetime, MAX_TOKEN_BYTES, TokenError, TokenIssuer, TokenVerifier};

/// An issuer and a verifier that belong together, with the clock that both go by.
#[derive(Clone, Copy)]
pub struct Fixture<'a> {
    /// Issues the tokens.
    pub issuer: &'a dyn TokenIssuer,
    /// Verifies them.
    pub verifier: &'a dyn TokenVerifier,
    /// The clock of both.
    pub clock: &'a ManualClock,
    /// The configured lifetime.
    pub lifetime: Lifetime,
}

impl std::fmt::Debug for Fixture<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fixture")
            .field("lifetime", &self.lifetime)
            .finish_non_exhaustive()
    }
}

/// Checks every promise; moves the clock forward.
pub fn tokens(fixture: &Fixture<'_>) {
    a_token_says_what_it_was_issued_for(fixture);
    two_tokens_are_never_alike(fixture);
    a_changed_token_is_refused(fixture);
    what_is_no_token_is_refused(fixture);
    a_long_token_is_refused_as_too_long(fixture);
    a_token_lives_as_long_as_it_says(fixture);
}

/// The verifier reads the claims that the issuer was given, with and without a tenant, with and without a session.
pub fn a_token_says_what_it_was_issued_for(fixture: &Fixture<'_>) {
    for claims in [
        claims(Some("acme")),
        claims(None),
        AccessClaims {
            token_version: u32::MAX,
            ..claims(None)
        },
        AccessClaims {
            session: None,
            ..claims(Some("acme"))
        },
    ] {
        let issued = fixture.issuer.issue(&claims).unwrap();
        assert_eq!(fixture.verifier.verify(issued.token.expose_secret()), Ok(claims));
    }
}

/// Two tokens for the same claims at the same moment differ.
pub fn two_tokens_are_never_alike(fixture: &Fixture<'_>) {
    let issue = || fixture.issuer.issue(&claims(None)).unwrap().token;
    assert_ne!(issue().expose_secret(), issue().expose_secret());
}

/// A token with any one character changed, added or cut off is refused.
pub fn a_changed_token_is_refused(fixture: &Fixture<'_>) {
    let issued = fixture.issuer.issue(&claims(Some("acme"))).unwrap();
    let token = issued.token.expose_secret();
    for (at, old) in token.char_indices() {
        let new = if old == 'a' { "b" } else { "a" };
        let mut changed = token.to_owned();
        changed.replace_range(at..at + old.len_utf8(), new);
        refused(fixture, &changed);
        let mut cut = token.to_owned();
        cut.remove(at);
        refused(fixture, &cut);
    }
    for added in [
        format!("{token}a"),
        format!("{token}="),
        format!(" {token}"),
        format!("{token}\n"),
        format!("{token}.a"),
    ] {
        refused(fixture, &added);
    }
}

/// Text that the issuer did not make is refused.
pub fn what_is_no_token_is_refused(fixture: &Fixture<'_>) {
    for text in [
        "",
        ".",
        "..",
        "...",
        "token",
        "a.b.c",
        "😀.😀.😀",
        "\0",
        "e30.e30.",
    ] {
        refused(fixture, text);
    }
}

/// A text above the limit is refused as such, before anything else is looked at.
pub fn a_long_token_is_refused_as_too_long(fixture: &Fixture<'_>) {
    for length in [MAX_TOKEN_BYTES + 1, 1 << 20] {
        assert_eq!(
            fixture.verifier.verify(&"a".repeat(length)),
            Err(TokenError::TooLong),
            "{length}"
        );
    }
    assert_ne!(
        fixture.verifier.verify(&"a".repeat(MAX_TOKEN_BYTES)),
        Err(TokenError::TooLong)
    );
}

/// A token is valid until the lifetime that it was issued with ends, and expired five seconds later at the latest.
pub fn a_token_lives_as_long_as_it_says(fixture: &Fixture<'_>) {
    let claims = claims(Some("acme"));
    let issued = fixture.issuer.issue(&claims).unwrap();
    assert_eq!(issued.expires_in, fixture.lifetime.seconds());
    let token = issued.token.expose_secret();
    fixture
        .clock
        .advance(Duration::from_secs(u64::from(issued.expires_in) - 1));
    assert_eq!(fixture.verifier.verify(token), Ok(claims));
    fixture.clock.advance(Duration::from_secs(1 + 5));
    assert_eq!(fixture.verifier.verify(token), Err(TokenError::Expired));
}

/// Claims of some user, as a test needs them.
pub fn claims(tenant: Option<&str>) -> AccessClaims {
    AccessClaims {
        user: UserId::from_uuid(uuid::Uuid::from_u128(0x0190_7e4d_0000_7000_8000_0000_0000_0001)),
        tenant: tenant.map(|id| TenantId::parse(id).unwrap()),
        token_version: 3,
        session: Some(SessionId::from_uuid(uuid::Uuid::from_u128(
            0x0190_7e4d_0000_7000_8000_0000_0000_0003,
        ))),
    }
}

fn refused(fixture: &Fixture<'_>, text: &str) {
    assert!(fixture.verifier.verify(text).is_err(), "accepted {text:?}");
}
