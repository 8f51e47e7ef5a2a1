use std::collections::BTreeMap;

use tenantry_auth::IdentityVerifier;
use tenantry_domain::{ClaimMapping, IdentityProvider, IdentityProviderId, Role, Timestamp};

use crate::InvalidField;
use crate::text::{line, visible_line};

const MAX_NAME: usize = 100;
const MAX_CLAIM: usize = 200;
const MAX_ROLES: usize = 100;
const TOO_LONG: &str = "has more than 200 characters";

/// A provider to add.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewIdentityProvider {
    /// Its name for people, 1 to 100 characters.
    pub name: String,
    /// The issuer's URL, to the letter as its tokens and its discovery document have it.
    pub issuer: String,
    /// Whom its tokens are for, 1 to 200 characters.
    pub audience: String,
    /// How its claims are read, where not as usual.
    pub claims: ClaimMappingUpdate,
    /// Whether somebody who is seen for the first time becomes a user.
    pub creates_users: bool,
    /// Whether its tokens are accepted.
    pub is_active: bool,
}

/// What to change of a provider: `None` keeps a value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IdentityProviderUpdate {
    /// The name.
    pub name: Option<String>,
    /// The issuer; with another one, who the subjects of the provider were is forgotten.
    pub issuer: Option<String>,
    /// The audience.
    pub audience: Option<String>,
    /// How its claims are read.
    pub claims: ClaimMappingUpdate,
    /// Whether somebody who is seen for the first time becomes a user.
    pub creates_users: Option<bool>,
    /// Whether its tokens are accepted.
    pub is_active: Option<bool>,
}

/// What to change of how claims are read: `None` keeps a value, `Some(None)` clears one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClaimMappingUpdate {
    /// The claim with the address.
    pub email: Option<String>,
    /// The claim that must be there, and its text.
    pub tenant: Option<Option<(String, String)>>,
    /// The claim from which the role comes.
    pub role: Option<Option<String>>,
    /// The roles by what that claim says, all of them at once, 100 at most.
    pub roles: Option<BTreeMap<String, Role>>,
    /// The role of whom `roles` does not name.
    pub default_role: Option<Role>,
}

impl NewIdentityProvider {
    pub(super) fn provider(
        self,
        id: IdentityProviderId,
        now: Timestamp,
        verifier: &dyn IdentityVerifier,
    ) -> Result<IdentityProvider, InvalidField> {
        let blank = IdentityProvider {
            id,
            name: String::new(),
            issuer: String::new(),
            audience: String::new(),
            claims: ClaimMapping::default(),
            creates_users: self.creates_users,
            is_active: self.is_active,
            created_at: now,
            updated_at: now,
        };
        let all = IdentityProviderUpdate {
            name: Some(self.name),
            issuer: Some(self.issuer),
            audience: Some(self.audience),
            claims: self.claims,
            creates_users: None,
            is_active: None,
        };
        all.applied_to(blank, now, verifier)
    }
}

impl IdentityProviderUpdate {
    pub(super) fn applied_to(
        self,
        mut provider: IdentityProvider,
        now: Timestamp,
        verifier: &dyn IdentityVerifier,
    ) -> Result<IdentityProvider, InvalidField> {
        if let Some(name) = self.name {
            provider.name = visible_line("name", &name, MAX_NAME, "has more than 100 characters")?;
        }
        if let Some(issuer) = self.issuer {
            let checked = verifier.check_issuer(&issuer);
            checked.map_err(|rejected| InvalidField::new("issuer", rejected.reason()))?;
            provider.issuer = issuer;
        }
        if let Some(audience) = self.audience {
            provider.audience = claim("audience", &audience)?;
        }
        provider.claims = self.claims.applied_to(provider.claims)?;
        provider.creates_users = self.creates_users.unwrap_or(provider.creates_users);
        provider.is_active = self.is_active.unwrap_or(provider.is_active);
        provider.updated_at = now;
        Ok(provider)
    }
}

impl ClaimMappingUpdate {
    fn applied_to(self, mut mapping: ClaimMapping) -> Result<ClaimMapping, InvalidField> {
        if let Some(email) = self.email {
            mapping.email = claim("claims.email", &email)?;
        }
        if let Some(tenant) = self.tenant {
            let pair = tenant.map(|(name, value)| {
                let name = claim("claims.tenant", &name)?;
                Ok((name, claim("claims.tenant", &value)?))
            });
            mapping.tenant = pair.transpose()?;
        }
        if let Some(role) = self.role {
            mapping.role = role.map(|name| claim("claims.role", &name)).transpose()?;
        }
        if let Some(roles) = self.roles {
            if roles.len() > MAX_ROLES {
                return Err(InvalidField::new("claims.roles", "has more than 100 entries"));
            }
            for name in roles.keys() {
                claim("claims.roles", name)?;
            }
            mapping.roles = roles;
        }
        mapping.default_role = self.default_role.unwrap_or(mapping.default_role);
        // Roles that no claim leads to would look as if they counted.
        if mapping.role.is_none() && !mapping.roles.is_empty() {
            return Err(InvalidField::new(
                "claims.roles",
                "needs a claim in `claims.role`",
            ));
        }
        Ok(mapping)
    }
}

/// A name or a value as it stands in a token: nothing is cut off that might belong to it.
fn claim(field: &'static str, text: &str) -> Result<String, InvalidField> {
    let line = line(field, text, MAX_CLAIM, TOO_LONG)?;
    if line.len() == text.len() {
        Ok(line)
    } else {
        Err(InvalidField::new(field, "begins or ends with a blank"))
    }
}
