use std::fmt;
use std::sync::Arc;

use tenantry_domain::{ClaimMapping, Clock, ForeignIdentity, IdentityProvider};
use tenantry_http_client::Transport;
use url::Origin;

use super::claims::EMAIL_VERIFIED;
use super::fetch::Fetcher;
use super::jwk::{self, Jwk};
use super::keys::KeyCache;
use super::parse::Parsed;
use super::{IdentityError, IdentityVerifier, RejectedIssuer};

/// Verifies tokens signed with RS256 (2,048 bits or more), ES256 or Ed25519, by the keys that their issuer publishes.
///
/// Where the keys are, the discovery document at `/.well-known/openid-configuration` below the issuer says (`OpenID Connect
/// Discovery 1.0`). They are kept for each issuer: a token of a known key needs no network, an unknown key has them fetched at most
/// every ten seconds, one fetch at a time. After an hour they are fetched anew, so that a key that was taken back ends; while the
/// provider cannot be reached they go on to work, for a day at most. No issuer waits for another.
///
/// What needs no key is checked first, so that only a token of the right issuer and audience, at the right time, can make it fetch.
pub struct OidcVerifier {
    fetcher: Fetcher,
    keys: KeyCache,
    clock: Arc<dyn Clock>,
}

impl OidcVerifier {
    /// A verifier that fetches keys through `transport` and goes by `clock`. It decides itself when to ask again: `transport` should not.
    pub fn new(transport: Arc<dyn Transport>, clock: Arc<dyn Clock>) -> Self {
        Self {
            fetcher: Fetcher::new(transport),
            keys: KeyCache::new(clock.clone()),
            clock,
        }
    }

    /// Lets issuers be at these origins although they are not `https` or not public, as of a provider in the house.
    #[must_use]
    pub fn with_allowed_origins(mut self, origins: impl IntoIterator<Item = Origin>) -> Self {
        self.fetcher.allow(origins);
        self
    }

    #[cfg(test)]
    pub(super) fn known_issuers(&self) -> usize {
        self.keys.len()
    }
}

impl IdentityVerifier for OidcVerifier {
    fn issuer_of(&self, token: &str) -> Option<String> {
        Some(Parsed::new(token).ok()?.issuer()?.to_owned())
    }

    fn verify(&self, provider: &IdentityProvider, token: &str) -> Result<ForeignIdentity, IdentityError> {
        let token = Parsed::new(token)?;
        let claims = token.claims(names(&provider.claims))?;
        claims.are_for(provider)?;
        claims.are_valid_at(self.clock.now())?;
        let identity = claims.read(&provider.claims)?;
        let accepts = |keys: &[Jwk]| {
            jwk::pick(keys, token.algorithm, token.kid.as_deref())
                .is_some_and(|key| key.verifies(token.signed.as_bytes(), &token.signature))
        };
        let issuer = &provider.issuer;
        self.keys
            .satisfy(issuer, &accepts, &|| self.fetcher.keys(issuer))?;
        Ok(identity)
    }

    fn check_issuer(&self, issuer: &str) -> Result<(), RejectedIssuer> {
        self.fetcher.check(issuer)
    }
}

/// The names of the claims that the mapping reads.
fn names(mapping: &ClaimMapping) -> impl Iterator<Item = &str> {
    let tenant = mapping.tenant.as_ref().map(|(name, _)| name.as_str());
    [EMAIL_VERIFIED, mapping.email.as_str()]
        .into_iter()
        .chain(tenant)
        .chain(mapping.role.as_deref())
}

impl fmt::Debug for OidcVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OidcVerifier")
            .field("allowed", &self.fetcher.allowed())
            .finish_non_exhaustive()
    }
}
