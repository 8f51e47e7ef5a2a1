//! Keeps what a tenant reads of another tool apart from what other tenants write.

use tenantry_domain::TenantId;
use tenantry_tenant_store::{StoreError, TenantStore};

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
    if is_anothers(tenants, reader, host, namespace)? {
        return Err(InvalidField::new("pinecone_external.namespace", "is another tenant's own").into());
    }
    Ok(())
}

/// Whether another tenant's own chunks are, or will be, in the namespace. Asked at each use too: the other tenant may have come, or got
/// its key, after the reader was saved.
pub(crate) fn is_anothers(
    tenants: &dyn TenantStore,
    reader: &TenantId,
    host: Option<&str>,
    namespace: &str,
) -> Result<bool, StoreError> {
    let name = namespace.split_once('.').map_or(namespace, |(tenant, _)| tenant);
    let Ok(owner) = TenantId::parse(name) else {
        return Ok(false);
    };
    if owner == *reader {
        return Ok(false);
    }
    let Some(owner) = tenants.tenant(&owner)? else {
        return Ok(false);
    };
    let other_host = |theirs: &String| host.is_some_and(|host| host != theirs);
    Ok(owner.pinecone.api_key.is_some() && !owner.pinecone.host.as_ref().is_some_and(other_host))
}
