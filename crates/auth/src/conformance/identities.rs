//! What every [`IdentityVerifier`] promises, one function per promise; each panics when it is broken.

use std::collections::BTreeMap;
use std::time::Duration;

use tenantry_domain::{ClaimMapping, Clock, Email, IdentityProvider, IdentityProviderId, ManualClock, Role};
use uuid::Uuid;

use crate::{
    ClaimValue, ForeignClaims, IdentityError, IdentityVerifier, MAX_IDENTITY_TOKEN_BYTES, RejectedIssuer,
};

/// The issuer of [`provider`].
pub const ISSUER: &str = "https://login.example.org/realms/acme";
/// Whom its tokens are for.
pub const AUDIENCE: &str = "tenantry-acme";

/// A verifier with what issues tokens for it, and the clock that both go by.
#[derive(Clone, Copy)]
pub struct Fixture<'a> {
    /// Verifies the tokens.
    pub verifier: &'a dyn IdentityVerifier,
    /// A token with these claims, as the issuer in them would make it.
    pub issue: &'a dyn Fn(&ForeignClaims) -> String,
    /// The clock.
    pub clock: &'a ManualClock,
}

impl std::fmt::Debug for Fixture<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fixture").finish_non_exhaustive()
    }
}

/// Checks every promise; moves the clock forward.
pub fn identities(fixture: &Fixture<'_>) {
    a_token_says_who_its_bearer_is(fixture);
    a_token_names_its_issuer(fixture);
    what_is_no_token_is_refused(fixture);
    a_token_is_for_one_issuer_and_audience(fixture);
    of_several_audiences_the_authorized_party_is_ours(fixture);
    the_tenants_claim_is_there_with_its_text(fixture);
    an_address_that_is_not_verified_is_said_to_be(fixture);
    the_highest_mapped_role_counts(fixture);
    a_subject_is_an_id(fixture);
    an_issuer_is_a_plain_https_url(fixture);
    a_token_has_its_time(fixture);
}

/// A provider of [`ISSUER`] that maps nothing.
pub fn provider(clock: &dyn Clock) -> IdentityProvider {
    IdentityProvider {
        id: IdentityProviderId::from_uuid(Uuid::from_u128(0x0190_7e4d_0000_7000_8000_0000_0000_0077)),
        name: "Acme's own".to_owned(),
        issuer: ISSUER.to_owned(),
        audience: AUDIENCE.to_owned(),
        claims: ClaimMapping::default(),
        creates_users: true,
        is_active: true,
        created_at: clock.now(),
        updated_at: clock.now(),
    }
}

/// Claims that [`provider`] accepts, issued now for ten minutes.
pub fn claims(clock: &dyn Clock) -> ForeignClaims {
    let now = clock.now().unix_seconds();
    ForeignClaims {
        issuer: ISSUER.to_owned(),
        audiences: vec![AUDIENCE.to_owned()],
        authorized_party: None,
        subject: "248289761001".to_owned(),
        issued_at: now,
        not_before: None,
        expires_at: now + 600,
        others: BTreeMap::from([
            ("email".to_owned(), text("Ada@Example.org")),
            ("email_verified".to_owned(), ClaimValue::Flag(true)),
        ]),
    }
}

/// Subject, address, role and times are read.
pub fn a_token_says_who_its_bearer_is(fixture: &Fixture<'_>) {
    let claims = claims(fixture.clock);
    let said = verify(fixture, &provider(fixture.clock), &claims).unwrap();
    assert_eq!(said.subject, "248289761001");
    assert_eq!(said.email.as_ref().map(Email::as_str), Some("ada@example.org"));
    assert!(said.email_is_verified);
    assert_eq!((said.role, said.role_is_mapped), (Role::Member, false));
    assert_eq!(said.issued_at.unix_seconds(), claims.issued_at);
    assert_eq!(said.expires_at.unix_seconds(), claims.expires_at);
}

/// The issuer of a token is known without anything being verified.
pub fn a_token_names_its_issuer(fixture: &Fixture<'_>) {
    let token = (fixture.issue)(&claims(fixture.clock));
    assert_eq!(fixture.verifier.issuer_of(&token).as_deref(), Some(ISSUER));
}

/// Text that no issuer made has no issuer and is refused; a text above the limit before it is looked at.
pub fn what_is_no_token_is_refused(fixture: &Fixture<'_>) {
    let provider = provider(fixture.clock);
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
        "e30.e30.e30.e30",
    ] {
        assert_eq!(fixture.verifier.issuer_of(text), None, "{text:?}");
        let refused = fixture.verifier.verify(&provider, text).unwrap_err();
        assert!(matches!(refused, IdentityError::Malformed), "{text:?}: {refused}");
    }
    let long = "a".repeat(MAX_IDENTITY_TOKEN_BYTES + 1);
    assert_eq!(fixture.verifier.issuer_of(&long), None);
    let refused = fixture.verifier.verify(&provider, &long).unwrap_err();
    assert!(matches!(refused, IdentityError::TooLong), "{refused}");
}

/// A token is accepted by providers of its issuer and audience alone, compared to the letter.
pub fn a_token_is_for_one_issuer_and_audience(fixture: &Fixture<'_>) {
    let claims = claims(fixture.clock);
    let ours = provider(fixture.clock);
    for other in [
        format!("{ISSUER}/"),
        ISSUER.to_uppercase(),
        "https://login.example.org".to_owned(),
    ] {
        let other = IdentityProvider {
            issuer: other,
            ..ours.clone()
        };
        let refused = verify(fixture, &other, &claims).unwrap_err();
        assert!(matches!(refused, IdentityError::WrongAudience), "{refused}");
    }
    for other in ["", "tenantry", "Tenantry-acme", "tenantry-acme "] {
        let other = IdentityProvider {
            audience: other.to_owned(),
            ..ours.clone()
        };
        let refused = verify(fixture, &other, &claims).unwrap_err();
        assert!(matches!(refused, IdentityError::WrongAudience), "{refused}");
    }
}

/// A token for several is accepted where `azp` names our audience.
pub fn of_several_audiences_the_authorized_party_is_ours(fixture: &Fixture<'_>) {
    let ours = provider(fixture.clock);
    let several = |party: Option<&str>| ForeignClaims {
        audiences: vec!["another".to_owned(), AUDIENCE.to_owned()],
        authorized_party: party.map(str::to_owned),
        ..claims(fixture.clock)
    };
    verify(fixture, &ours, &several(Some(AUDIENCE))).unwrap();
    for party in [None, Some("another"), Some("")] {
        let refused = verify(fixture, &ours, &several(party)).unwrap_err();
        assert!(
            matches!(refused, IdentityError::WrongAudience),
            "{party:?}: {refused}"
        );
    }
}

/// Where the mapping names a claim for the tenant, it must be exactly that text; a list with it is not.
pub fn the_tenants_claim_is_there_with_its_text(fixture: &Fixture<'_>) {
    let mut ours = provider(fixture.clock);
    ours.claims.tenant = Some(("org".to_owned(), "acme".to_owned()));
    let with = |value: Option<ClaimValue>| {
        let mut claims = claims(fixture.clock);
        claims.others.extend(value.map(|value| ("org".to_owned(), value)));
        verify(fixture, &ours, &claims)
    };
    with(Some(text("acme"))).unwrap();
    for value in [
        None,
        Some(text("globex")),
        Some(text("Acme")),
        Some(text("")),
        Some(ClaimValue::Texts(vec!["acme".to_owned()])),
        Some(ClaimValue::Flag(true)),
    ] {
        let refused = with(value.clone()).unwrap_err();
        assert!(
            matches!(refused, IdentityError::WrongTenant),
            "{value:?}: {refused}"
        );
    }
}

/// An address is verified when the token says so of `email`; one that the token declares unverified is not read.
pub fn an_address_that_is_not_verified_is_said_to_be(fixture: &Fixture<'_>) {
    let ours = provider(fixture.clock);
    let with = |verified: Option<ClaimValue>| {
        let mut claims = claims(fixture.clock);
        claims.others.remove("email_verified");
        claims
            .others
            .extend(verified.map(|value| ("email_verified".to_owned(), value)));
        let said = verify(fixture, &ours, &claims).unwrap();
        (said.email.is_some(), said.email_is_verified)
    };
    assert_eq!(with(Some(ClaimValue::Flag(true))), (true, true));
    assert_eq!(with(Some(text("true"))), (true, true));
    assert_eq!(with(None), (true, false));
    assert_eq!(with(Some(ClaimValue::Flag(false))), (false, false));
    assert_eq!(with(Some(text("false"))), (false, false));
    assert_eq!(with(Some(text("TRUE"))), (false, false));

    let mut other = ours.clone();
    "upn".clone_into(&mut other.claims.email);
    let mut claims = claims(fixture.clock);
    assert_eq!(verify(fixture, &other, &claims).unwrap().email, None);
    claims.others.insert("upn".to_owned(), text("bo@example.org"));
    let said = verify(fixture, &other, &claims).unwrap();
    assert_eq!(said.email.as_ref().map(Email::as_str), Some("bo@example.org"));
    assert!(
        !said.email_is_verified,
        "`email_verified` speaks of `email` alone"
    );
    claims.others.insert("upn".to_owned(), text("no address"));
    assert_eq!(verify(fixture, &other, &claims).unwrap().email, None);
}

/// Of the roles that the claim is mapped to the highest counts; without one the default does.
pub fn the_highest_mapped_role_counts(fixture: &Fixture<'_>) {
    let mut ours = provider(fixture.clock);
    ours.claims.role = Some("groups".to_owned());
    ours.claims.roles = BTreeMap::from([
        ("staff".to_owned(), Role::Member),
        ("leads".to_owned(), Role::Admin),
    ]);
    ours.claims.default_role = Role::Reader;
    let with = |value: Option<ClaimValue>| {
        let mut claims = claims(fixture.clock);
        claims
            .others
            .extend(value.map(|value| ("groups".to_owned(), value)));
        let said = verify(fixture, &ours, &claims).unwrap();
        assert!(said.role_is_mapped);
        said.role
    };
    let texts = |names: &[&str]| {
        Some(ClaimValue::Texts(
            names.iter().map(|name| (*name).to_owned()).collect(),
        ))
    };
    assert_eq!(with(texts(&["staff", "leads", "guests"])), Role::Admin);
    assert_eq!(with(texts(&["staff", "guests"])), Role::Member);
    assert_eq!(with(Some(text("leads"))), Role::Admin);
    for value in [
        None,
        texts(&[]),
        texts(&["guests", "Leads"]),
        Some(text("staff leads")),
        Some(ClaimValue::Flag(true)),
    ] {
        assert_eq!(with(value.clone()), Role::Reader, "{value:?}");
    }
}

/// A subject is 1 to 255 visible ASCII characters and blanks.
pub fn a_subject_is_an_id(fixture: &Fixture<'_>) {
    let ours = provider(fixture.clock);
    let with = |subject: &str| {
        let claims = ForeignClaims {
            subject: subject.to_owned(),
            ..claims(fixture.clock)
        };
        verify(fixture, &ours, &claims)
    };
    with(&"s".repeat(255)).unwrap();
    with("auth0|5f7c 8e").unwrap();
    for subject in ["", "a\0", "a\n", "ä", &"s".repeat(256)] {
        let refused = with(subject).unwrap_err();
        assert!(
            matches!(refused, IdentityError::Malformed),
            "{subject:?}: {refused}"
        );
    }
}

/// Keys are fetched from `https` URLs without credentials, query or fragment.
pub fn an_issuer_is_a_plain_https_url(fixture: &Fixture<'_>) {
    let check = |issuer: &str| fixture.verifier.check_issuer(issuer);
    for issuer in [
        ISSUER,
        "https://login.example.org",
        "https://login.example.org/",
        "https://login.example.org:8443/a",
    ] {
        assert_eq!(check(issuer), Ok(()), "{issuer}");
    }
    assert_eq!(check("http://login.example.org"), Err(RejectedIssuer::NotHttps));
    assert_eq!(
        check("https://login.example.org/?a=b"),
        Err(RejectedIssuer::QueryOrFragment)
    );
    assert_eq!(
        check("https://login.example.org/#a"),
        Err(RejectedIssuer::QueryOrFragment)
    );
    assert_eq!(
        check("https://ada:pw@login.example.org"),
        Err(RejectedIssuer::Credentials)
    );
    assert_eq!(check("login.example.org"), Err(RejectedIssuer::NotAUrl));
    assert_eq!(check(""), Err(RejectedIssuer::NotAUrl));
    assert_eq!(
        check(&format!("https://login.example.org/{}", "a".repeat(500))),
        Err(RejectedIssuer::TooLong)
    );
}

/// A token is valid from `iat` and `nbf` to `exp`, give or take a minute, and a day after it was issued at the latest.
pub fn a_token_has_its_time(fixture: &Fixture<'_>) {
    let ours = provider(fixture.clock);
    let now = fixture.clock.now().unix_seconds();
    let at = |issued_at: i64, not_before: Option<i64>, expires_at: i64| {
        let claims = ForeignClaims {
            issued_at,
            not_before,
            expires_at,
            ..claims(fixture.clock)
        };
        verify(fixture, &ours, &claims)
    };
    at(now + 60, Some(now + 60), now + 600).unwrap();
    at(now - 600, Some(now - 600), now - 59).unwrap();
    at(now - 86_400, None, now + 1).unwrap();
    for refused in [at(now + 61, None, now + 600), at(now, Some(now + 61), now + 600)] {
        assert!(matches!(refused, Err(IdentityError::NotValidNow)), "{refused:?}");
    }
    for refused in [at(now - 600, None, now - 60), at(now - 86_461, None, now + 600)] {
        assert!(matches!(refused, Err(IdentityError::Expired)), "{refused:?}");
    }

    let claims = claims(fixture.clock);
    let token = (fixture.issue)(&claims);
    fixture.clock.advance(Duration::from_secs(659));
    fixture.verifier.verify(&ours, &token).unwrap();
    fixture.clock.advance(Duration::from_secs(1));
    let refused = fixture.verifier.verify(&ours, &token).unwrap_err();
    assert!(matches!(refused, IdentityError::Expired), "{refused}");
}

fn text(value: &str) -> ClaimValue {
    ClaimValue::Text(value.to_owned())
}

fn verify(
    fixture: &Fixture<'_>,
    provider: &IdentityProvider,
    claims: &ForeignClaims,
) -> Result<tenantry_domain::ForeignIdentity, IdentityError> {
    fixture.verifier.verify(provider, &(fixture.issue)(claims))
}
