//! What is remembered of tenants that were erased, and what is entered of those and of imported ones: decided once, for every store.

use std::fmt::Write;

use sha2::{Digest, Sha256};
use tenantry_domain::{AuditAction, AuditEntry, AuditEvent, TenantId};

use super::audit::{Events, audit_hash};
use crate::{AuditHead, AuditLog, ErasedTenant, StoreError};

/// A tenant that may be used cannot be erased.
#[derive(Debug, thiserror::Error)]
#[error("the tenant is active")]
struct Active;

/// A superuser is not removed with a tenant.
#[derive(Debug, thiserror::Error)]
#[error("a superuser belongs to the tenant")]
struct HasSuperuser;

/// An entry of another log, or one that was altered or left its place.
#[derive(Debug, thiserror::Error)]
#[error("entry {0} of the audit log does not follow the one before it")]
struct Unchained(u64);

/// What a tenant is known by once its id is gone.
pub(crate) fn id_hash(id: &TenantId) -> [u8; 32] {
    Sha256::digest(id.as_str()).into()
}

/// A tenant was erased.
pub(crate) fn erased(tenant: &ErasedTenant) -> Events {
    let hash = tenant.id_hash.iter().fold(String::new(), |mut text, byte| {
        // Writing to a `String` never fails.
        let _ = write!(text, "{byte:02x}");
        text
    });
    let event = AuditEvent::new(AuditAction::TenantErased)
        .on("tenant", hash)
        .with("receipt", tenant.number);
    vec![(AuditLog::Platform, event)]
}

/// A tenant was made from an archive.
pub(crate) fn imported(tenant: &TenantId, is_active: bool) -> Events {
    let event = AuditEvent::new(AuditAction::TenantImported)
        .on("tenant", tenant)
        .with("is_active", is_active);
    let logs = [AuditLog::Platform, AuditLog::Tenant(tenant.clone())];
    logs.map(|log| (log, event.clone())).into()
}

/// The end of a log of `tenant` that ended with `head` and goes on with `entry`.
pub(crate) fn goes_on(
    tenant: &TenantId,
    head: AuditHead,
    entry: &AuditEntry,
) -> Result<AuditHead, StoreError> {
    let follows = entry.tenant.as_ref() == Some(tenant)
        && Some(entry.number) == head.number.checked_add(1)
        && entry.previous == head.hash
        && entry.hash == audit_hash(entry);
    if follows {
        Ok(AuditHead::after(entry))
    } else {
        Err(StoreError::Failed(Unchained(entry.number).into()))
    }
}

pub(crate) fn refuse_active(is_active: bool) -> Result<(), StoreError> {
    if is_active {
        Err(StoreError::Failed(Active.into()))
    } else {
        Ok(())
    }
}

pub(crate) fn refuse_superusers(there_are_some: bool) -> Result<(), StoreError> {
    if there_are_some {
        Err(StoreError::Failed(HasSuperuser.into()))
    } else {
        Ok(())
    }
}
