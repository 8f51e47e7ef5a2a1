use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tenantry_domain::{ClaimMapping, IdentityProvider, Role};
use tenantry_retrieval::{ClaimMappingUpdate, IdentityProviderUpdate, NewIdentityProvider};
use utoipa::ToSchema;

use crate::error::{ApiError, Code};
use crate::extract::present;

/// An identity provider whose tokens a tenant accepts.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = IdentityProvider)]
pub(super) struct IdentityProviderView {
    /// The provider's id.
    id: String,
    /// Its name for people.
    name: String,
    /// Whom its tokens are issued by, claim `iss`, to the letter.
    #[schema(example = "https://login.example.org/realms/acme")]
    issuer: String,
    /// Whom its tokens must be for, claim `aud`.
    audience: String,
    /// How its claims are read.
    claims: ClaimsView,
    /// Whether somebody who is seen for the first time becomes a user.
    creates_users: bool,
    /// Whether its tokens are accepted.
    is_active: bool,
    /// When it was added.
    #[schema(format = DateTime)]
    created_at: String,
    /// When it last changed.
    #[schema(format = DateTime)]
    updated_at: String,
}

/// How the claims of a provider's tokens are read. A name that begins with `/` says where inside a claim, as
/// `/realm_access/roles` (RFC 6901).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ClaimMapping)]
struct ClaimsView {
    /// The claim that holds the e-mail address.
    email: String,
    /// A claim that must be there, and its text, for an issuer that several tenants share.
    tenant: Option<TenantClaim>,
    /// The claim, a text or a list of texts, from which the role comes; without one it is `default_role`.
    role: Option<String>,
    /// The roles by what that claim says; of several the highest counts.
    roles: BTreeMap<String, &'static str>,
    /// The role of whom `roles` does not name.
    #[schema(example = "member")]
    default_role: &'static str,
}

/// A claim and the text that it must have.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct TenantClaim {
    /// The claim.
    #[schema(example = "org")]
    claim: String,
    /// Its text.
    #[schema(example = "acme")]
    value: String,
}

impl From<IdentityProvider> for IdentityProviderView {
    fn from(provider: IdentityProvider) -> Self {
        Self {
            id: provider.id.to_string(),
            name: provider.name,
            issuer: provider.issuer,
            audience: provider.audience,
            claims: provider.claims.into(),
            creates_users: provider.creates_users,
            is_active: provider.is_active,
            created_at: provider.created_at.to_string(),
            updated_at: provider.updated_at.to_string(),
        }
    }
}

impl From<ClaimMapping> for ClaimsView {
    fn from(mapping: ClaimMapping) -> Self {
        let roles = mapping.roles.into_iter();
        Self {
            email: mapping.email,
            tenant: mapping.tenant.map(|(claim, value)| TenantClaim { claim, value }),
            role: mapping.role,
            roles: roles.map(|(says, role)| (says, role.as_str())).collect(),
            default_role: mapping.default_role.as_str(),
        }
    }
}

/// An identity provider to add.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewIdentityProvider, example = json!({
    "name": "Acme's log-in",
    "issuer": "https://login.example.org/realms/acme",
    "audience": "tenantry",
    "claims": {"role": "groups", "roles": {"rag-admins": "admin"}, "default_role": "reader"}
}))]
pub(super) struct NewIdentityProviderBody {
    /// Its name for people, 1 to 100 characters.
    name: String,
    /// The issuer's URL, to the letter as its tokens have it: `https`, at a public host, unless the operator allows its origin. Its
    /// discovery document is at `/.well-known/openid-configuration` below it.
    issuer: String,
    /// Whom its tokens must be for, 1 to 200 characters: choose one of this tenant alone, because a token that two tenants would
    /// accept is refused.
    audience: String,
    /// How its claims are read, where not as usual: the address from `email`, and everybody a member.
    #[serde(default)]
    claims: ClaimsBody,
    /// Whether somebody who is seen for the first time becomes a user; without it `true`.
    #[serde(default = "yes")]
    #[schema(default = true)]
    creates_users: bool,
    /// Whether its tokens are accepted; without it `true`.
    #[serde(default = "yes")]
    #[schema(default = true)]
    is_active: bool,
}

/// What to change of an identity provider; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = IdentityProviderUpdate, example = json!({"claims": {"default_role": "reader"}}))]
pub(super) struct IdentityProviderBody {
    /// Its name for people, 1 to 100 characters.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = String)]
    name: Option<String>,
    /// The issuer's URL; with another one, which users its subjects were is forgotten.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = String)]
    issuer: Option<String>,
    /// Whom its tokens must be for.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = String)]
    audience: Option<String>,
    /// How its claims are read, value by value.
    #[serde(default)]
    claims: ClaimsBody,
    /// Whether somebody who is seen for the first time becomes a user.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = bool)]
    creates_users: Option<bool>,
    /// Whether its tokens are accepted.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = bool)]
    is_active: Option<bool>,
}

/// How claims are read; what is left out stays. A name that begins with `/` says where inside a claim, as
/// `/realm_access/roles` (RFC 6901).
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ClaimMappingUpdate)]
struct ClaimsBody {
    /// The claim that holds the e-mail address. Only `email` can be verified, by `email_verified`.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = String)]
    email: Option<String>,
    /// A claim that must be there, and its text, for an issuer that several tenants share; `null` asks for none.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<TenantClaim>)]
    tenant: Option<Option<TenantClaim>>,
    /// The claim, a text or a list of texts, from which the role comes; `null` for none.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    role: Option<Option<String>>,
    /// The roles by what that claim says, all of them at once: `reader`, `member` or `admin`, 100 at most.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = BTreeMap<String, String>, example = json!({"rag-admins": "admin"}))]
    roles: Option<BTreeMap<String, String>>,
    /// The role of whom `roles` does not name.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = String)]
    default_role: Option<String>,
}

fn yes() -> bool {
    true
}

impl NewIdentityProviderBody {
    pub(super) fn into_new(self) -> Result<NewIdentityProvider, ApiError> {
        Ok(NewIdentityProvider {
            name: self.name,
            issuer: self.issuer,
            audience: self.audience,
            claims: self.claims.try_into()?,
            creates_users: self.creates_users,
            is_active: self.is_active,
        })
    }
}

impl IdentityProviderBody {
    pub(super) fn into_update(self) -> Result<IdentityProviderUpdate, ApiError> {
        Ok(IdentityProviderUpdate {
            name: self.name,
            issuer: self.issuer,
            audience: self.audience,
            claims: self.claims.try_into()?,
            creates_users: self.creates_users,
            is_active: self.is_active,
        })
    }
}

impl TryFrom<ClaimsBody> for ClaimMappingUpdate {
    type Error = ApiError;

    fn try_from(body: ClaimsBody) -> Result<Self, ApiError> {
        let roles = body.roles.map(|roles| {
            let role = |(says, name): (String, String)| Ok((says, role("claims.roles", &name)?));
            roles.into_iter().map(role).collect::<Result<_, ApiError>>()
        });
        let default_role = body.default_role.map(|name| role("claims.default_role", &name));
        let pair = |tenant: TenantClaim| (tenant.claim, tenant.value);
        Ok(Self {
            email: body.email,
            tenant: body.tenant.map(|tenant| tenant.map(pair)),
            role: body.role,
            roles: roles.transpose()?,
            default_role: default_role.transpose()?,
        })
    }
}

fn role(field: &str, name: &str) -> Result<Role, ApiError> {
    let wrong = |_| {
        let sentence = format!("`{field}` has a role that is none of `reader`, `member` and `admin`");
        ApiError::new(Code::InvalidRequest).saying(sentence)
    };
    name.parse().map_err(wrong)
}
