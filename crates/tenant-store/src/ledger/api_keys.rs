//! What the audit log says of API keys.

use tenantry_domain::{ApiKey, ApiKeyId, AuditAction, AuditEvent, TenantId};

use crate::AuditLog;

type Entry = (AuditLog, AuditEvent);

/// A key was made.
pub(crate) fn created(tenant: &TenantId, key: &ApiKey) -> Entry {
    let event = about(AuditAction::ApiKeyCreated, key.id).with("scopes", key.permissions);
    in_log_of(tenant, with_end(event, key))
}

/// A key got `next` as its successor.
pub(crate) fn rotated(tenant: &TenantId, id: ApiKeyId, next: &ApiKey) -> Entry {
    let event = about(AuditAction::ApiKeyRotated, id).with("replaced_by", next.id);
    in_log_of(tenant, with_end(event, next))
}

/// A key was revoked.
pub(crate) fn revoked(tenant: &TenantId, id: ApiKeyId) -> Entry {
    in_log_of(tenant, about(AuditAction::ApiKeyRevoked, id))
}

fn about(action: AuditAction, id: ApiKeyId) -> AuditEvent {
    AuditEvent::new(action).on("api_key", id)
}

fn with_end(event: AuditEvent, key: &ApiKey) -> AuditEvent {
    match key.expires_at {
        Some(end) => event.with("expires_at", end),
        None => event,
    }
}

fn in_log_of(tenant: &TenantId, event: AuditEvent) -> Entry {
    (AuditLog::Tenant(tenant.clone()), event)
}
