use secrecy::SecretString;
use tenantry_domain::{AccessClaims, RequestOrigin, TenantId, Timestamp, TokenHash, UserId};

use super::ResolveError;
use crate::opaque::Purpose;

/// What a bearer has shown, once it is known to be genuine or to be looked up by its hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credential {
    /// An access token of ours that was verified.
    Token(AccessClaims),
    /// What may be an API key, by its hash.
    ApiKey(TokenHash),
    /// A token of an identity provider that was verified.
    Identity(AdmittedIdentity),
}

impl Credential {
    /// The API key that `text` has the form of; whether there is such a key is for the [`Resolver`](crate::Resolver) to say.
    pub fn api_key(text: &str) -> Option<Self> {
        Purpose::ApiKey.hash(text).map(Self::ApiKey)
    }
}

/// The user whom a verified token of an identity provider names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdmittedIdentity {
    /// The user.
    pub user: UserId,
    /// The tenant that the provider speaks for.
    pub tenant: TenantId,
    /// When the token was issued; it ends with the sessions that the user had then.
    pub issued_at: Timestamp,
    /// When the token ends.
    pub expires_at: Timestamp,
}

/// Knows whom the tokens of identity providers name.
pub trait IdentityGate: Send + Sync {
    /// The user whom the token names, for the tenant whose provider issued it. It may ask the provider for its keys.
    ///
    /// # Errors
    /// [`ResolveError::Unauthenticated`] when no provider of an active tenant has issued it, it is not valid now, or names nobody;
    /// [`ResolveError::Provider`] when the provider's keys are needed and cannot be had; else when the store fails.
    fn authenticate(
        &self,
        token: &SecretString,
        origin: &RequestOrigin,
    ) -> Result<AdmittedIdentity, ResolveError>;
}

/// The gate of a server without identity providers.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoIdentities;

impl IdentityGate for NoIdentities {
    fn authenticate(&self, _: &SecretString, _: &RequestOrigin) -> Result<AdmittedIdentity, ResolveError> {
        Err(ResolveError::Unauthenticated)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::opaque::hash_of;

    #[test]
    fn an_api_key_has_one_form() {
        let key = format!("tnk_{}", "aZ0-_".repeat(9).split_at(43).0);
        assert_eq!(Credential::api_key(&key), Some(Credential::ApiKey(hash_of(&key))));
        let refused = [
            key.replace("tnk_", "TNK_"),
            key.replace("tnk_", ""),
            format!("{key}a"),
            key.split_at(46).0.to_owned(),
            key.replace('a', "="),
            key.replace('a', "ä"),
            String::new(),
        ];
        for text in refused {
            assert_eq!(Credential::api_key(&text), None, "{text}");
        }
    }

    #[test]
    fn a_credential_shows_no_secret() {
        let key = format!("tnk_{}", "k".repeat(43));
        assert_eq!(
            format!("{:?}", Credential::api_key(&key).unwrap()),
            "ApiKey(TokenHash(..))"
        );
    }
}
