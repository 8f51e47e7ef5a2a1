use std::collections::BTreeMap;

use crate::{Email, IdentityProviderId, Role, Timestamp};

/// An identity provider (`OpenID Connect`) whose tokens one tenant accepts.
///
/// It speaks for its own tenant alone: whatever its tokens say, they name users of that tenant, and never a superuser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentityProvider {
    /// The provider's id within the tenant.
    pub id: IdentityProviderId,
    /// Its name for people.
    pub name: String,
    /// Whom its tokens are issued by, claim `iss`, to the letter.
    pub issuer: String,
    /// Whom its tokens must be for, claim `aud`.
    pub audience: String,
    /// How its claims are read.
    pub claims: ClaimMapping,
    /// Whether somebody who is seen for the first time becomes a user.
    pub creates_users: bool,
    /// Whether its tokens are accepted.
    pub is_active: bool,
    /// When it was added.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// Where a provider's tokens say what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimMapping {
    /// The claim that holds the e-mail address.
    pub email: String,
    /// A claim that must be there with this text, for an issuer that several tenants share.
    pub tenant: Option<(String, String)>,
    /// The claim, a text or a list of texts, from which the role comes; without one it is `default_role`.
    pub role: Option<String>,
    /// The roles by what that claim says; of several the highest.
    pub roles: BTreeMap<String, Role>,
    /// The role of whom `roles` does not name.
    pub default_role: Role,
}

impl Default for ClaimMapping {
    /// Addresses in `email`, and everybody a member.
    fn default() -> Self {
        Self {
            email: "email".to_owned(),
            tenant: None,
            role: None,
            roles: BTreeMap::new(),
            default_role: Role::default(),
        }
    }
}

/// What a verified token of an identity provider says of its bearer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignIdentity {
    /// Claim `sub`: the bearer's id at the provider.
    pub subject: String,
    /// The address, where the token has one that is not declared unverified.
    pub email: Option<Email>,
    /// Whether the token says that the address was verified.
    pub email_is_verified: bool,
    /// The role that follows from its claims.
    pub role: Role,
    /// Whether the mapping names a claim for the role, so that the role follows it at each use.
    pub role_is_mapped: bool,
    /// Claim `iat`.
    pub issued_at: Timestamp,
    /// Claim `exp`.
    pub expires_at: Timestamp,
}
