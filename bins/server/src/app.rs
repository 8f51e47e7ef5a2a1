//! The use cases of one running server, wired to their parts.

use std::fmt;
use std::sync::Arc;

use tenantry_auth::{TokenIssuer, TokenVerifier};
use tenantry_retrieval::{
    Accounts, ApiKeys, AuditLogs, Chat, Conversations, Identities, IdentityGate, Knowledge, LogIns,
    Passwords, Prompts, Resets, Resolver, Searcher, Sessions, TenantUsers, Tenants, UsageReports,
};
use tenantry_tenant_store::StoreError;

use crate::offload::StreamCaps;
use crate::workers::Wake;

/// What `/readyz` asks.
pub trait Readiness: Send + Sync {
    /// Whether the database answers and has the schema of this binary.
    ///
    /// # Errors
    /// When it does not.
    fn check(&self) -> Result<(), StoreError>;
}

/// Everything that a request may use; shared by all workers.
pub struct App {
    /// Issues access tokens.
    pub issuer: Arc<dyn TokenIssuer>,
    /// Verifies access tokens.
    pub verifier: Arc<dyn TokenVerifier>,
    /// Knows whom the tokens of identity providers name.
    pub identities: Arc<dyn IdentityGate>,
    /// The identity providers of tenants.
    pub identity_providers: Arc<Identities>,
    /// Resolves credentials to callers, superusers and tenant scopes.
    pub resolver: Arc<Resolver>,
    /// Accounts.
    pub accounts: Accounts,
    /// Log-ins with a password.
    pub log_ins: LogIns,
    /// The sessions that come of them.
    pub sessions: Arc<Sessions>,
    /// Passwords that their users know.
    pub passwords: Passwords,
    /// Passwords that are set by a link.
    pub resets: Resets,
    /// The users of a tenant, for its admins.
    pub tenant_users: TenantUsers,
    /// The keys with which other programs act for a tenant.
    pub api_keys: ApiKeys,
    /// Tenants and their keys.
    pub tenants: Tenants,
    /// The versions of system prompts.
    pub prompts: Prompts,
    /// What was spent on models.
    pub usage: UsageReports,
    /// The audit logs.
    pub audit: AuditLogs,
    /// Documents and the jobs on them.
    pub knowledge: Knowledge,
    /// Has a waiting worker of this process look for a job now, and not only at its next look.
    pub wake: Wake,
    /// Search.
    pub searcher: Arc<Searcher>,
    /// Chat.
    pub chat: Chat,
    /// The callers' own conversations.
    pub conversations: Conversations,
    /// How many answers may be under way at once, where a tenant's settings say nothing else.
    pub stream_caps: StreamCaps,
    /// Readiness of the database.
    pub readiness: Arc<dyn Readiness>,
    /// Whether anybody may register.
    pub registration_open: bool,
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App").finish_non_exhaustive()
    }
}
