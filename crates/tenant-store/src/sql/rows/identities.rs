use std::collections::BTreeMap;

use diesel::prelude::*;
use tenantry_domain::{
    BoxError, ClaimMapping, IdentityProvider, IdentityProviderId, Role, TenantId, Timestamp, UserId,
};

use super::{moment, parsed, unreadable};
use crate::StoreError;
use crate::sql::schema::{identities, identity_providers};

const TABLE: &str = "identity_providers";

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = identity_providers)]
#[diesel(treat_none_as_null = true)]
pub(in crate::sql) struct ProviderRow {
    tenant_id: String,
    id: String,
    name: String,
    issuer: String,
    audience: String,
    email_claim: String,
    tenant_claim: String,
    tenant_value: String,
    role_claim: Option<String>,
    roles: String,
    default_role: String,
    creates_users: bool,
    is_active: bool,
    created_at: i64,
    updated_at: i64,
}

impl ProviderRow {
    pub(in crate::sql) fn new(tenant: &TenantId, provider: &IdentityProvider) -> Self {
        let claims = &provider.claims;
        let (tenant_claim, tenant_value) = claims.tenant.clone().unwrap_or_default();
        Self {
            tenant_id: tenant.to_string(),
            id: provider.id.to_string(),
            name: provider.name.clone(),
            issuer: provider.issuer.clone(),
            audience: provider.audience.clone(),
            email_claim: claims.email.clone(),
            tenant_claim,
            tenant_value,
            role_claim: claims.role.clone(),
            roles: write_roles(&claims.roles),
            default_role: claims.default_role.to_string(),
            creates_users: provider.creates_users,
            is_active: provider.is_active,
            created_at: provider.created_at.unix_micros(),
            updated_at: provider.updated_at.unix_micros(),
        }
    }

    /// The tenant's id, with the provider.
    pub(in crate::sql) fn with_tenant(self) -> Result<(TenantId, IdentityProvider), StoreError> {
        let tenant = parsed(TABLE, &self.tenant_id)?;
        Ok((tenant, self.try_into()?))
    }
}

impl TryFrom<ProviderRow> for IdentityProvider {
    type Error = StoreError;

    fn try_from(row: ProviderRow) -> Result<Self, StoreError> {
        let names_tenant = !row.tenant_claim.is_empty();
        let claims = ClaimMapping {
            email: row.email_claim,
            tenant: names_tenant.then_some((row.tenant_claim, row.tenant_value)),
            role: row.role_claim,
            roles: read_roles(&row.roles).map_err(unreadable(TABLE))?,
            default_role: parsed(TABLE, &row.default_role)?,
        };
        Ok(Self {
            id: parsed(TABLE, &row.id)?,
            name: row.name,
            issuer: row.issuer,
            audience: row.audience,
            claims,
            creates_users: row.creates_users,
            is_active: row.is_active,
            created_at: moment(TABLE, row.created_at)?,
            updated_at: moment(TABLE, row.updated_at)?,
        })
    }
}

fn write_roles(roles: &BTreeMap<String, Role>) -> String {
    let roles = roles
        .iter()
        .map(|(name, role)| (name.clone(), role.as_str().into()));
    serde_json::Value::Object(roles.collect()).to_string()
}

fn read_roles(text: &str) -> Result<BTreeMap<String, Role>, BoxError> {
    let roles: BTreeMap<String, String> = serde_json::from_str(text)?;
    let read = |(name, role): (String, String)| Ok((name, role.parse()?));
    roles.into_iter().map(read).collect()
}

/// Who a subject of a provider is.
#[derive(Insertable)]
#[diesel(table_name = identities)]
pub(in crate::sql) struct IdentityRow {
    tenant_id: String,
    provider_id: String,
    subject: String,
    user_id: String,
    linked_at: i64,
}

impl IdentityRow {
    pub(in crate::sql) fn new(
        tenant: &TenantId,
        provider: IdentityProviderId,
        subject: &str,
        user: UserId,
        at: Timestamp,
    ) -> Self {
        Self {
            tenant_id: tenant.to_string(),
            provider_id: provider.to_string(),
            subject: subject.to_owned(),
            user_id: user.to_string(),
            linked_at: at.unix_micros(),
        }
    }
}
