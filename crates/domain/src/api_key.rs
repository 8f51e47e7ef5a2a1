use crate::{ApiKeyId, Permissions, Principal, Timestamp};

/// A key with which another program acts for a tenant. The key itself is shown once, when it is made; what is kept is its hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// The key's id, which owns the conversations that it begins.
    pub id: ApiKeyId,
    /// Its name for people.
    pub name: String,
    /// How the key begins, for people to tell one from another.
    pub prefix: String,
    /// What it may do.
    pub permissions: Permissions,
    /// Who made it.
    pub created_by: Principal,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends; `None` for never.
    pub expires_at: Option<Timestamp>,
    /// When it was last used, to the minute.
    pub used_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
    /// The key that was made to replace it.
    pub replaced_by: Option<ApiKeyId>,
}

impl ApiKey {
    /// Whether it may be used at `now`.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|end| now < end)
    }
}
