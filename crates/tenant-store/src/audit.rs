use std::fmt;
use std::str::FromStr;

use tenantry_domain::{
    Actor, AuditAction, AuditEntry, AuditEvent, AuditHash, Page, Paged, ParseTenantIdError, TenantId,
    Timestamp,
};

use crate::StoreError;

/// One log: entries follow each other in it without a gap, each with the hash of the one before.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AuditLog {
    /// The platform's own: what is done to no tenant, and log-ins of users without one.
    Platform,
    /// A tenant's.
    Tenant(TenantId),
}

impl AuditLog {
    /// The log of a tenant, or the platform's without one.
    pub fn of(tenant: Option<&TenantId>) -> Self {
        tenant.cloned().map_or(Self::Platform, Self::Tenant)
    }

    /// Whose it is; `None` for the platform's.
    pub fn tenant(&self) -> Option<&TenantId> {
        match self {
            Self::Platform => None,
            Self::Tenant(id) => Some(id),
        }
    }

    /// The name in the store and in hashes: the tenant's id, or `-`, which is no tenant's id.
    pub fn as_str(&self) -> &str {
        self.tenant().map_or("-", TenantId::as_str)
    }
}

impl fmt::Display for AuditLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for AuditLog {
    type Err = ParseTenantIdError;

    /// Reads what `Display` writes.
    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name {
            "-" => Ok(Self::Platform),
            id => TenantId::parse(id).map(Self::Tenant),
        }
    }
}

/// Which entries to list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AuditFilter {
    /// Only those of this log; `None` for those of all.
    pub log: Option<AuditLog>,
    /// Only those of this actor: a kind as `user`, or an id.
    pub actor: Option<String>,
    /// Only those of this action.
    pub action: Option<AuditAction>,
    /// Only those on this target: a kind as `document`, or an id.
    pub target: Option<String>,
    /// Only those of this moment or later.
    pub from: Option<Timestamp>,
    /// Only those before this moment.
    pub until: Option<Timestamp>,
}

/// The end of a log: what its next entry follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuditHead {
    /// How many entries it has had.
    pub number: u64,
    /// The hash of the last; [`AuditHash::START`] without one.
    pub hash: AuditHash,
}

impl AuditHead {
    /// The end of a log without entries.
    pub const START: Self = Self {
        number: 0,
        hash: AuditHash::START,
    };

    /// The end of a log whose last entry is `entry`.
    pub fn after(entry: &AuditEntry) -> Self {
        Self {
            number: entry.number,
            hash: entry.hash,
        }
    }
}

/// Keeps what was done. What other stores change they enter themselves, in the same transaction; this adds what changes nothing
/// else, and reads.
pub trait AuditStore: Send + Sync {
    /// Adds an entry.
    ///
    /// # Errors
    /// When the store fails.
    fn record(
        &self,
        log: &AuditLog,
        actor: &Actor,
        event: &AuditEvent,
        at: Timestamp,
    ) -> Result<(), StoreError>;

    /// A page of the entries that `filter` lets through, the latest first, of one moment by log and highest number.
    ///
    /// # Errors
    /// When the store fails.
    fn audit(&self, filter: &AuditFilter, page: Page) -> Result<Paged<AuditEntry>, StoreError>;

    /// At most `limit` entries that `filter` lets through, in the order of [`AuditStore::audit`], those that come after `last` in it:
    /// a long list is read piece by piece, while entries are added at its beginning.
    ///
    /// # Errors
    /// When the store fails.
    fn audit_next(
        &self,
        filter: &AuditFilter,
        last: Option<&AuditEntry>,
        limit: u16,
    ) -> Result<Vec<AuditEntry>, StoreError>;

    /// At most `limit` entries of a log in their order, those after number `after`, as they are stored: for whoever verifies them.
    ///
    /// # Errors
    /// When the store fails, or an entry cannot be read at all.
    fn audit_after(&self, log: &AuditLog, after: u64, limit: u16) -> Result<Vec<AuditEntry>, StoreError>;

    /// Where the log ends by the store's own account; the start when nothing was ever entered.
    ///
    /// # Errors
    /// When the store fails.
    fn audit_head(&self, log: &AuditLog) -> Result<AuditHead, StoreError>;

    /// Every log, the platform's first, the tenants' by id; also one that has a head or entries alone.
    ///
    /// # Errors
    /// When the store fails.
    fn audit_logs(&self) -> Result<Vec<AuditLog>, StoreError>;
}
