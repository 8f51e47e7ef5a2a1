//! Keeps what a tenant reads of another tool apart from what other tenants write.

use tenantry_domain::TenantId;
use tenantry_tenant_store::TenantStore;

use super::SaveTenantError;
use crate::InvalidField;

/// Refuses a namespace in which another tenant's own chunks are: two tenants may have keys of one Pinecone project. Where a host
/// is not known yet, it could be the same.
///
/// Our namespaces are a tenant's id, alone or followed by `.` and a generation.
pub(super) fn is_nobody_elses(
    tenants: &dyn TenantStore,
    reader: &TenantId,
    host: Option<&str>,
    namespace: &str,
) -> Result<(), SaveTenantError> {
    let name = namespace.split_once('.').map_or(namespace, |(tenant, _)| tenant);
    let Ok(owner) = TenantId::parse(name) else {
        return Ok(());
    };
    if owner == *reader {
        return Ok(());
    }
    let Some(owner) = tenants.tenant(&owner)? else {
        return Ok(());
    };
    let other_host = |theirs: &String| host.is_some_and(|host| host != theirs);
    if owner.pinecone.api_key.is_none() || owner.pinecone.host.as_ref().is_some_and(other_host) {
        return Ok(());
    }
    Err(InvalidField::new("pinecone_namespace", "is another tenant's own").into())
}
