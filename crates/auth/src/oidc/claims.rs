use std::collections::BTreeMap;

use tenantry_domain::{ClaimMapping, Email, ForeignIdentity, IdentityProvider, Role, Timestamp};

use super::{IDENTITY_LEEWAY, IdentityError};

/// How far clocks may differ, in seconds.
const LEEWAY: i64 = IDENTITY_LEEWAY.as_secs().cast_signed();
/// How long ago a token may have been issued, in seconds: one day, however long it claims to live.
const MAX_AGE: i64 = 86_400;
/// The claim that says whether `email` was verified (`OpenID Connect Core 1.0`, section 5.1).
pub(super) const EMAIL_VERIFIED: &str = "email_verified";
/// The one claim that [`EMAIL_VERIFIED`] speaks of.
const EMAIL: &str = "email";

/// The claims of a provider's token, times in seconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignClaims {
    /// Claim `iss`.
    pub issuer: String,
    /// Claim `aud`.
    pub audiences: Vec<String>,
    /// Claim `azp`: the client that it was issued to.
    pub authorized_party: Option<String>,
    /// Claim `sub`.
    pub subject: String,
    /// Claim `iat`.
    pub issued_at: i64,
    /// Claim `nbf`.
    pub not_before: Option<i64>,
    /// Claim `exp`.
    pub expires_at: i64,
    /// Other claims by their name in the mapping.
    pub others: BTreeMap<String, ClaimValue>,
}

/// The value of a claim that a mapping names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClaimValue {
    /// A text.
    Text(String),
    /// A list of texts.
    Texts(Vec<String>),
    /// True or false.
    Flag(bool),
}

impl ForeignClaims {
    /// Whether they are of the provider's issuer, for its audience and for its tenant.
    pub(super) fn are_for(&self, provider: &IdentityProvider) -> Result<(), IdentityError> {
        if self.issuer != provider.issuer || !self.audiences.contains(&provider.audience) {
            return Err(IdentityError::WrongAudience);
        }
        // With several audiences only `azp` says which of them it was issued to (OpenID Connect Core 1.0, section 3.1.3.7).
        if self.audiences.len() > 1 && self.authorized_party.as_ref() != Some(&provider.audience) {
            return Err(IdentityError::WrongAudience);
        }
        match &provider.claims.tenant {
            Some((name, value)) if self.text(name) != Some(value) => Err(IdentityError::WrongTenant),
            _ => Ok(()),
        }
    }

    /// The one place that compares a foreign token's times.
    pub(super) fn are_valid_at(&self, now: Timestamp) -> Result<(), IdentityError> {
        let now = now.unix_seconds();
        let soon = now.saturating_add(LEEWAY);
        if self.issued_at > soon || self.not_before.is_some_and(|at| at > soon) {
            return Err(IdentityError::NotValidNow);
        }
        let oldest = now.saturating_sub(MAX_AGE).saturating_sub(LEEWAY);
        if now >= self.expires_at.saturating_add(LEEWAY) || self.issued_at < oldest {
            return Err(IdentityError::Expired);
        }
        Ok(())
    }

    /// What they say by the mapping. Ask the two questions above first.
    pub(super) fn read(&self, mapping: &ClaimMapping) -> Result<ForeignIdentity, IdentityError> {
        // An id of at most 255 ASCII characters (OpenID Connect Core 1.0, section 2).
        let subject = &self.subject;
        if subject.is_empty() || subject.len() > 255 || !subject.bytes().all(|b| (b' '..=b'~').contains(&b)) {
            return Err(IdentityError::Malformed);
        }
        let verified = (mapping.email == EMAIL)
            .then(|| self.flag(EMAIL_VERIFIED))
            .flatten();
        let email = self.text(&mapping.email).and_then(|text| Email::parse(text).ok());
        let email = email.filter(|_| verified != Some(false));
        Ok(ForeignIdentity {
            subject: subject.clone(),
            email_is_verified: email.is_some() && verified == Some(true),
            email,
            role: self.role(mapping),
            role_is_mapped: mapping.role.is_some(),
            issued_at: moment(self.issued_at)?,
            expires_at: moment(self.expires_at)?,
        })
    }

    /// The highest role among those that the claim is mapped to.
    fn role(&self, mapping: &ClaimMapping) -> Role {
        let claim = mapping.role.as_ref().and_then(|name| self.others.get(name));
        let named = match claim {
            Some(ClaimValue::Text(text)) => std::slice::from_ref(text),
            Some(ClaimValue::Texts(texts)) => texts,
            Some(ClaimValue::Flag(_)) | None => &[],
        };
        let roles = named.iter().filter_map(|name| mapping.roles.get(name));
        roles.copied().max().unwrap_or(mapping.default_role)
    }

    fn text(&self, name: &str) -> Option<&String> {
        match self.others.get(name)? {
            ClaimValue::Text(text) => Some(text),
            ClaimValue::Texts(_) | ClaimValue::Flag(_) => None,
        }
    }

    /// Some providers write flags as texts.
    fn flag(&self, name: &str) -> Option<bool> {
        match self.others.get(name)? {
            ClaimValue::Flag(flag) => Some(*flag),
            ClaimValue::Text(text) => Some(text == "true"),
            ClaimValue::Texts(_) => Some(false),
        }
    }
}

fn moment(seconds: i64) -> Result<Timestamp, IdentityError> {
    let micros = seconds.checked_mul(1_000_000).ok_or(IdentityError::Malformed)?;
    Timestamp::from_unix_micros(micros).map_err(|_| IdentityError::Malformed)
}
