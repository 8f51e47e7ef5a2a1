use tenantry_domain::{AuditAction, AuditEvent, Sealed};

use super::audit::Events;
use crate::keys::key_named;
use crate::{AuditLog, SealedValue};

/// A credential was sealed with another key, and is the same credential.
pub(crate) fn resealed(old: &SealedValue, new: &Sealed) -> Events {
    let key = |sealed| key_named(sealed).unwrap_or("none").to_owned();
    let event = AuditEvent::new(AuditAction::CredentialResealed)
        .on("credential", old.kind.column())
        .with("key", format_args!("{} to {}", key(&old.sealed), key(new)));
    vec![(AuditLog::Tenant(old.tenant.clone()), event)]
}
