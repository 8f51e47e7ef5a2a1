use sha2::{Digest, Sha256};
use tenantry_domain::{AuditEntry, AuditHash};

use crate::AuditLog;

/// What the first field says: another form of the hash has another text here.
const FORM: &str = "tenantry-audit-1";

/// The hash that an entry of an audit log must have: SHA-256 over everything else that it says.
///
/// Hashed is one field after another, each as its length in bytes (8 bytes, big-endian) and its bytes; a field that is absent is
/// eight bytes `ff`. Texts are UTF-8, numbers decimal without leading zeros. The fields are:
///
/// 1. `tenantry-audit-1`
/// 2. the log: a tenant's id, or `-` for the platform's
/// 3. the entry's number
/// 4. its moment, in microseconds since 1970-01-01 (UTC)
/// 5. the actor's kind, as `user`
/// 6. the actor's id, absent for a kind that has none
/// 7. the client's address, if known (IPv6 as in RFC 5952)
/// 8. the request's id, if there was one
/// 9. the action, as `user.created`
/// 10. the kind of the target, if there is one, and 11. its id
/// 12. how many details follow, and then of each, in the order of their names' bytes, its name and its value
/// 13. last, the 32 bytes of the hash of the entry before, all zero for the first entry of a log
///
/// # Examples
/// ```
/// use tenantry_domain::{Actor, AuditAction, AuditEntry, AuditHash, Timestamp};
/// use tenantry_tenant_store::audit_hash;
///
/// let mut entry = AuditEntry {
///     tenant: None,
///     number: 1,
///     at: Timestamp::from_unix_micros(0)?,
///     actor: Actor::system(),
///     action: AuditAction::LoginFailed,
///     target: None,
///     details: [("account".to_owned(), "ada@example.org".to_owned())].into(),
///     previous: AuditHash::START,
///     hash: AuditHash::START,
/// };
/// let hash = audit_hash(&entry);
/// entry.details.clear();
/// assert_ne!(audit_hash(&entry), hash);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn audit_hash(entry: &AuditEntry) -> AuditHash {
    let mut hashed = Fields(Sha256::new());
    hashed.text(FORM);
    hashed.text(AuditLog::of(entry.tenant.as_ref()).as_str());
    hashed.text(&entry.number.to_string());
    hashed.text(&entry.at.unix_micros().to_string());
    let principal = entry.actor.principal;
    let origin = &entry.actor.origin;
    hashed.text(principal.kind());
    hashed.optional(principal.id().as_deref());
    hashed.optional(origin.address.map(|address| address.to_string()).as_deref());
    hashed.optional(origin.request.as_deref());
    hashed.text(entry.action.as_str());
    let (kind, id) = entry
        .target
        .as_ref()
        .map(|(kind, id)| (kind.as_str(), id.as_str()))
        .unzip();
    hashed.optional(kind);
    hashed.optional(id);
    hashed.text(&entry.details.len().to_string());
    for (name, value) in &entry.details {
        hashed.text(name);
        hashed.text(value);
    }
    hashed.bytes(entry.previous.as_bytes());
    AuditHash::from_bytes(hashed.0.finalize().into())
}

/// What is hashed so far.
struct Fields(Sha256);

impl Fields {
    fn bytes(&mut self, bytes: &[u8]) {
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.0.update(length.to_be_bytes());
        self.0.update(bytes);
    }

    fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    fn optional(&mut self, text: Option<&str>) {
        match text {
            Some(text) => self.text(text),
            None => self.0.update([0xff; 8]),
        }
    }
}

#[cfg(test)]
mod tests {
    use tenantry_domain::{
        Actor, ApiKeyId, AuditAction, Principal, RequestOrigin, TenantId, Timestamp, UserId,
    };
    use uuid::Uuid;

    use super::*;

    fn id(last: u128) -> Uuid {
        Uuid::from_u128(0x0193_8f5e_7c00_7000_8000_0000_0000_0000 + last)
    }

    fn first() -> AuditEntry {
        AuditEntry {
            tenant: None,
            number: 1,
            at: Timestamp::from_unix_micros(0).unwrap(),
            actor: Actor::system(),
            action: AuditAction::LoginFailed,
            target: None,
            details: [].into(),
            previous: AuditHash::START,
            hash: AuditHash::START,
        }
    }

    fn second() -> AuditEntry {
        let details = [("role", "member to admin"), ("is_active", "true to false")];
        AuditEntry {
            tenant: Some(TenantId::parse("acme").unwrap()),
            number: 2,
            at: Timestamp::from_unix_micros(1_795_418_940_123_456).unwrap(),
            actor: Actor {
                principal: Principal::User(UserId::from_uuid(id(0xab))),
                origin: RequestOrigin {
                    request: Some("r-é".into()),
                    address: Some("2001:db8::1".parse().unwrap()),
                },
            },
            action: AuditAction::UserChanged,
            target: Some(("user".into(), id(0xcd).to_string())),
            details: details.map(|(name, value)| (name.into(), value.into())).into(),
            previous: audit_hash(&first()),
            hash: AuditHash::START,
        }
    }

    // Computed with another program (Python's hashlib) from the form that is described above.
    #[test]
    fn the_hash_is_over_the_form_that_is_described() {
        let third = AuditEntry {
            number: i64::MAX.unsigned_abs(),
            at: Timestamp::from_unix_micros(-62_167_219_200_000_000).unwrap(),
            actor: Actor {
                principal: Principal::ApiKey(ApiKeyId::from_uuid(id(0xef))),
                origin: RequestOrigin {
                    request: Some(String::new()),
                    address: Some("192.0.2.7".parse().unwrap()),
                },
            },
            action: AuditAction::DocumentSubmitted,
            target: Some(("document".into(), String::new())),
            details: [(String::new(), String::new())].into(),
            previous: audit_hash(&second()),
            ..second()
        };
        for (entry, hash) in [
            (
                first(),
                "faa540883d17c4bc2afd48e6a00240355f6690f38d0579ff38b417657bcbc628",
            ),
            (
                second(),
                "b8207dfa8da2727bc6535b31e48639d724459937daee54698ae16932312ff92d",
            ),
            (
                third,
                "2a854e5664795a2e1ad8167e3f317a6b71db8905e5de05f95168446109b2d447",
            ),
        ] {
            assert_eq!(audit_hash(&entry).to_string(), hash);
        }
    }

    #[test]
    fn every_value_is_covered_and_none_runs_into_the_next() {
        let changes: [fn(&mut AuditEntry); 18] = [
            |_| {},
            |entry| entry.tenant = None,
            |entry| entry.tenant = Some(TenantId::parse("acm").unwrap()),
            |entry| entry.number = 3,
            |entry| entry.at = Timestamp::from_unix_micros(1_795_418_940_123_457).unwrap(),
            |entry| entry.actor.principal = Principal::ApiKey(ApiKeyId::from_uuid(id(0xab))),
            |entry| entry.actor.principal = Principal::User(UserId::from_uuid(id(0xac))),
            |entry| entry.actor.principal = Principal::System,
            |entry| entry.actor.origin.address = None,
            |entry| entry.actor.origin.request = None,
            |entry| entry.actor.origin.request = Some(String::new()),
            |entry| entry.action = AuditAction::UserCreated,
            |entry| entry.target = None,
            |entry| entry.target = Some(("user".into(), String::new())),
            |entry| entry.target = Some((format!("user{}", id(0xcd)), String::new())),
            |entry| drop(entry.details.remove("role")),
            |entry| drop(entry.details.insert("role".into(), "admin to member".into())),
            |entry| entry.previous = AuditHash::START,
        ];
        let mut hashes: Vec<_> = changes
            .into_iter()
            .map(|change| {
                let mut entry = second();
                change(&mut entry);
                audit_hash(&entry).to_string()
            })
            .collect();
        hashes.sort();
        hashes.dedup();
        assert_eq!(hashes.len(), changes.len());
        let whole = AuditEntry {
            hash: audit_hash(&second()),
            ..second()
        };
        assert_eq!(audit_hash(&whole), whole.hash, "the hash is not over itself");
    }
}
