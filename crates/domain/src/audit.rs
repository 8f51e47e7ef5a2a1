use std::collections::BTreeMap;
use std::fmt;

use crate::{Actor, TenantId, Timestamp};

/// Text that is no action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected an action of the audit log, as `user.created`")]
pub struct ParseAuditActionError;

crate::names::names! {
    /// What was done.
    AuditAction, ParseAuditActionError:
    /// Somebody logged in.
    LoggedIn = "login.succeeded",
    /// Somebody did not: an unknown account, a wrong password, or an account that may not.
    LoginFailed = "login.failed",
    /// A session got its next tokens.
    SessionRefreshed = "session.refreshed",
    /// A refresh token was used twice, which ended its session.
    RefreshTokenReused = "session.reuse_detected",
    /// A session was ended.
    SessionEnded = "session.ended",
    /// Every session of a user was ended.
    SessionsEnded = "sessions.ended",
    /// A password was changed.
    PasswordChanged = "password.changed",
    /// A one-time link to set a password was made.
    PasswordResetIssued = "password.reset_issued",
    /// A password was set with a one-time link.
    PasswordReset = "password.reset",
    /// A user was made.
    UserCreated = "user.created",
    /// A user changed tenant, role, rank or state.
    UserChanged = "user.changed",
    /// A user of an identity provider was seen for the first time.
    IdentityLinked = "identity.linked",
    /// An identity provider was added.
    IdentityProviderAdded = "identity_provider.added",
    /// An identity provider was changed.
    IdentityProviderChanged = "identity_provider.changed",
    /// An identity provider was removed.
    IdentityProviderRemoved = "identity_provider.removed",
    /// An API key was made.
    ApiKeyCreated = "api_key.created",
    /// An API key got a successor.
    ApiKeyRotated = "api_key.rotated",
    /// An API key was revoked.
    ApiKeyRevoked = "api_key.revoked",
    /// A tenant was made.
    TenantCreated = "tenant.created",
    /// A tenant was activated or deactivated.
    TenantSwitched = "tenant.switched",
    /// A tenant's archive was written.
    TenantExported = "tenant.exported",
    /// A tenant was made from an archive.
    TenantImported = "tenant.imported",
    /// A tenant was erased.
    TenantErased = "tenant.erased",
    /// A tenant's credential was set or cleared.
    CredentialChanged = "credential.changed",
    /// A tenant's credential was sealed with another key.
    CredentialResealed = "credential.resealed",
    /// A tenant's settings were changed.
    SettingsChanged = "settings.changed",
    /// A tenant's system prompt was changed.
    PromptChanged = "prompt.changed",
    /// A document was handed in.
    DocumentSubmitted = "document.submitted",
    /// A document was removed.
    DocumentRemoved = "document.removed",
    /// A job on a document was cancelled.
    JobCancelled = "job.cancelled",
}

/// One thing that was done, before it has its place in the log. It holds names and ids, never a secret or what somebody wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEvent {
    /// What was done.
    pub action: AuditAction,
    /// To what: its kind, as `user`, and its id.
    pub target: Option<(&'static str, String)>,
    /// What else is to be known, by name, as `role` -> `member to admin`; at most 1,000 characters each.
    pub details: BTreeMap<&'static str, String>,
}

impl AuditEvent {
    /// That `action` was done.
    pub fn new(action: AuditAction) -> Self {
        Self {
            action,
            target: None,
            details: BTreeMap::new(),
        }
    }

    /// The same with what it was done to.
    #[must_use]
    pub fn on(mut self, kind: &'static str, id: impl fmt::Display) -> Self {
        self.target = Some((kind, id.to_string()));
        self
    }

    /// The same with one more detail.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl fmt::Display) -> Self {
        self.details
            .insert(name, value.to_string().chars().take(1_000).collect());
        self
    }
}

/// The hash of an entry of the audit log, which covers the hash of the entry before it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct AuditHash([u8; 32]);

impl AuditHash {
    /// What the first entry of a log follows.
    pub const START: Self = Self([0; 32]);

    /// The hash of these bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for AuditHash {
    /// 64 hexadecimal digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for AuditHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AuditHash({self})")
    }
}

/// An entry of the audit log: of one tenant's, or of the platform's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// Whose log it is in; `None` for the platform's.
    pub tenant: Option<TenantId>,
    /// Its place there, from 1 on without a gap.
    pub number: u64,
    /// When it was done.
    pub at: Timestamp,
    /// Who did it.
    pub actor: Actor,
    /// What was done.
    pub action: AuditAction,
    /// To what: its kind and its id.
    pub target: Option<(String, String)>,
    /// What else is to be known, by name.
    pub details: BTreeMap<String, String>,
    /// The hash of the entry before it.
    pub previous: AuditHash,
    /// The entry's own hash, over everything above.
    pub hash: AuditHash,
}
