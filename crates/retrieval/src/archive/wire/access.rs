use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use tenantry_domain::{
    Actor, ApiKey, ApiKeyId, AuditAction, AuditEntry, AuditHash, BoxError, ClaimMapping, Email,
    IdentityProvider, IdentityProviderId, Permissions, Principal, RequestOrigin, Role, TenantId, Timestamp,
    UserId,
};
use tenantry_tenant_store::{ArchivedIdentity, ArchivedUser};

use super::tenant::unreadable;
use super::text;

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::archive) struct UserLine {
    #[serde(with = "text")]
    id: UserId,
    #[serde(with = "text")]
    email: Email,
    #[serde(with = "text")]
    role: Role,
    is_active: bool,
    #[serde(with = "text")]
    created_at: Timestamp,
    #[serde(with = "text")]
    updated_at: Timestamp,
}

impl From<ArchivedUser> for UserLine {
    fn from(user: ArchivedUser) -> Self {
        Self {
            id: user.id,
            email: user.email,
            role: user.role,
            is_active: user.is_active,
            created_at: user.created_at,
            updated_at: user.updated_at,
        }
    }
}

impl From<UserLine> for ArchivedUser {
    fn from(line: UserLine) -> Self {
        Self {
            id: line.id,
            email: line.email,
            role: line.role,
            is_active: line.is_active,
            created_at: line.created_at,
            updated_at: line.updated_at,
        }
    }
}

/// A key, which nobody can use again: its secret is in no archive.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::archive) struct ApiKeyLine {
    #[serde(with = "text")]
    id: ApiKeyId,
    name: String,
    prefix: String,
    #[serde(with = "text")]
    permissions: Permissions,
    created_by: String,
    #[serde(with = "text")]
    created_at: Timestamp,
    #[serde(with = "text::option")]
    expires_at: Option<Timestamp>,
    #[serde(with = "text::option")]
    used_at: Option<Timestamp>,
    #[serde(with = "text::option")]
    revoked_at: Option<Timestamp>,
    #[serde(with = "text::option")]
    replaced_by: Option<ApiKeyId>,
}

impl From<ApiKey> for ApiKeyLine {
    fn from(key: ApiKey) -> Self {
        Self {
            id: key.id,
            name: key.name,
            prefix: key.prefix,
            permissions: key.permissions,
            created_by: key.created_by.to_string(),
            created_at: key.created_at,
            expires_at: key.expires_at,
            used_at: key.used_at,
            revoked_at: key.revoked_at,
            replaced_by: key.replaced_by,
        }
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::archive) struct ProviderLine {
    #[serde(with = "text")]
    id: IdentityProviderId,
    name: String,
    issuer: String,
    audience: String,
    email_claim: String,
    tenant_claim: Option<(String, String)>,
    role_claim: Option<String>,
    roles: BTreeMap<String, String>,
    #[serde(with = "text")]
    default_role: Role,
    creates_users: bool,
    was_active: bool,
    #[serde(with = "text")]
    created_at: Timestamp,
    #[serde(with = "text")]
    updated_at: Timestamp,
}

impl From<IdentityProvider> for ProviderLine {
    fn from(provider: IdentityProvider) -> Self {
        let claims = provider.claims;
        let roles = claims.roles.into_iter();
        Self {
            id: provider.id,
            name: provider.name,
            issuer: provider.issuer,
            audience: provider.audience,
            email_claim: claims.email,
            tenant_claim: claims.tenant,
            role_claim: claims.role,
            roles: roles.map(|(name, role)| (name, role.to_string())).collect(),
            default_role: claims.default_role,
            creates_users: provider.creates_users,
            was_active: provider.is_active,
            created_at: provider.created_at,
            updated_at: provider.updated_at,
        }
    }
}

impl From<ProviderLine> for IdentityProvider {
    /// Switched off, whatever it was: whose tokens are accepted here, somebody here decides.
    fn from(line: ProviderLine) -> Self {
        // A role that this version does not know gives none.
        let roles = line.roles.into_iter();
        let roles = roles.filter_map(|(name, role)| Some((name, role.parse().ok()?)));
        Self {
            id: line.id,
            name: line.name,
            issuer: line.issuer,
            audience: line.audience,
            claims: ClaimMapping {
                email: line.email_claim,
                tenant: line.tenant_claim,
                role: line.role_claim,
                roles: roles.collect(),
                default_role: line.default_role,
            },
            creates_users: line.creates_users,
            is_active: false,
            created_at: line.created_at,
            updated_at: line.updated_at,
        }
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::archive) struct IdentityLine {
    #[serde(with = "text")]
    provider: IdentityProviderId,
    subject: String,
    #[serde(with = "text")]
    user: UserId,
}

impl From<ArchivedIdentity> for IdentityLine {
    fn from(identity: ArchivedIdentity) -> Self {
        Self {
            provider: identity.provider,
            subject: identity.subject,
            user: identity.user,
        }
    }
}

impl From<IdentityLine> for ArchivedIdentity {
    fn from(line: IdentityLine) -> Self {
        Self {
            provider: line.provider,
            subject: line.subject,
            user: line.user,
        }
    }
}

/// An entry of the audit log with what its hash is made of, but the log's name.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::archive) struct AuditLine {
    number: u64,
    #[serde(with = "text")]
    at: Timestamp,
    actor: String,
    actor_id: Option<String>,
    address: Option<IpAddr>,
    request_id: Option<String>,
    #[serde(with = "text")]
    action: AuditAction,
    target: Option<(String, String)>,
    details: BTreeMap<String, String>,
    previous: String,
    hash: String,
}

impl From<AuditEntry> for AuditLine {
    fn from(entry: AuditEntry) -> Self {
        let principal = entry.actor.principal;
        Self {
            number: entry.number,
            at: entry.at,
            actor: principal.kind().to_owned(),
            actor_id: principal.id(),
            address: entry.actor.origin.address,
            request_id: entry.actor.origin.request,
            action: entry.action,
            target: entry.target,
            details: entry.details,
            previous: entry.previous.to_string(),
            hash: entry.hash.to_string(),
        }
    }
}

impl AuditLine {
    /// The entry in the log of `tenant`.
    pub(in crate::archive) fn entry(self, tenant: &TenantId) -> Result<AuditEntry, BoxError> {
        let hash = |text: &str| {
            text::hash(text)
                .map(AuditHash::from_bytes)
                .ok_or_else(|| unreadable("no hash"))
        };
        Ok(AuditEntry {
            tenant: Some(tenant.clone()),
            number: self.number,
            at: self.at,
            actor: Actor {
                principal: Principal::from_parts(&self.actor, self.actor_id.as_deref())?,
                origin: RequestOrigin {
                    request: self.request_id,
                    address: self.address,
                },
            },
            action: self.action,
            target: self.target,
            details: self.details,
            previous: hash(&self.previous)?,
            hash: hash(&self.hash)?,
        })
    }
}
