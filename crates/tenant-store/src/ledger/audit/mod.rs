//! How entries of an audit log follow each other, and under which names the store's changes are entered: decided here once, for every
//! store.

mod events;
mod hash;

use tenantry_domain::{Actor, AuditEntry, AuditEvent, AuditHash, RequestOrigin, Timestamp};

#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub(crate) use self::events::chat_replaced;
pub(crate) use self::events::{
    Events, cancelled, removed, submitted, tenant_changed, tenant_created, user_changed, user_created,
};
pub use self::hash::audit_hash;

use crate::{AuditHead, AuditLog};

/// The most characters that are kept of a request's id.
const REQUEST_ID: usize = 200;

/// The entry of `event` in a log that ends with `head`. No text can fail to be stored: U+0000 becomes U+FFFD.
pub(crate) fn follow(
    log: &AuditLog,
    head: AuditHead,
    event: &AuditEvent,
    actor: &Actor,
    at: Timestamp,
) -> AuditEntry {
    let mut entry = AuditEntry {
        tenant: log.tenant().cloned(),
        number: head.number.saturating_add(1),
        at,
        actor: Actor {
            principal: actor.principal,
            origin: RequestOrigin {
                request: actor.origin.request.as_deref().map(request_id),
                address: actor.origin.address,
            },
        },
        action: event.action,
        target: event
            .target
            .as_ref()
            .map(|(kind, id)| ((*kind).to_owned(), storable(id))),
        details: event
            .details
            .iter()
            .map(|(name, value)| ((*name).to_owned(), storable(value)))
            .collect(),
        previous: head.hash,
        hash: AuditHash::START,
    };
    entry.hash = audit_hash(&entry);
    entry
}

fn storable(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

fn request_id(id: &str) -> String {
    storable(id).chars().take(REQUEST_ID).collect()
}
