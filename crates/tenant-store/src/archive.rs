use std::ops::ControlFlow;

use tenantry_domain::{
    Actor, ApiKey, AuditEntry, Conversation, ConversationId, Document, DocumentVersion, Email,
    IdentityProvider, IdentityProviderId, Message, PromptVersion, Role, Segment, Tenant, TenantId,
    TextFormat, Timestamp, UsageKind, UsageTotals, User, UserId,
};

use crate::StoreError;
use crate::ledger::DocumentRecord;
use crate::ledger::usage::Account;
use crate::text::Texts;

/// One record of a tenant, without what only this store has a use for: no password, no hash of a secret, no rank on the platform.
#[derive(Debug, Clone, PartialEq)]
pub enum ArchivedRecord {
    /// The tenant; its secrets are as they are stored, sealed.
    Tenant(Box<Tenant>),
    /// A user of the tenant who is no superuser.
    User(ArchivedUser),
    /// A version of the system prompt.
    Prompt(PromptVersion),
    /// A document that is not being removed.
    Document(ArchivedDocument),
    /// A piece of the text of the document before it, of the version that may be found.
    Segment {
        /// The version.
        of: DocumentVersion,
        /// The piece.
        segment: Segment,
    },
    /// A conversation, whoever owns it.
    Conversation(Conversation),
    /// A message of the conversation before it.
    Message {
        /// The conversation.
        conversation: ConversationId,
        /// The message.
        message: Message,
    },
    /// What models were called for on one account.
    Usage(ArchivedUsage),
    /// An API key, which is of no use without the hash of its secret.
    ApiKey(ApiKey),
    /// An identity provider.
    IdentityProvider(IdentityProvider),
    /// Who somebody is whom an identity provider names.
    Identity(ArchivedIdentity),
    /// An entry of the tenant's audit log, as it is stored.
    Audit(AuditEntry),
}

/// A user as an archive has them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchivedUser {
    /// The user's id.
    pub id: UserId,
    /// The address to log in with.
    pub email: Email,
    /// What the user may do in the tenant.
    pub role: Role,
    /// Whether the user may log in.
    pub is_active: bool,
    /// When the user was created.
    pub created_at: Timestamp,
    /// When the user last changed.
    pub updated_at: Timestamp,
}

/// A document with how its text is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct ArchivedDocument {
    /// The document.
    pub document: Document,
    /// How the text of the version that may be found is written.
    pub format: TextFormat,
    /// How many segments that text has; 0 when no version may be found.
    pub segments: u32,
}

/// The sum of calls on one account of the tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchivedUsage {
    /// The day (UTC), counted from 1970-01-01.
    pub day: i64,
    /// For whom; `None` for work that nobody waits for.
    pub user: Option<UserId>,
    /// What for.
    pub kind: UsageKind,
    /// The model.
    pub model: String,
    /// The sum.
    pub totals: UsageTotals,
}

/// Who a subject of an identity provider is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchivedIdentity {
    /// The provider.
    pub provider: IdentityProviderId,
    /// The provider's own id of the person.
    pub subject: String,
    /// The user.
    pub user: UserId,
}

/// Reads all that belongs to one tenant, and makes a tenant of what was read.
///
/// A tenant that is being made is inactive from its first record to its last, and has a mark that says so: killed in between, it
/// is removed with [`TenantArchiveStore::abandon_import`] and made anew.
pub trait TenantArchiveStore: Send + Sync {
    /// Hands over the tenant's records, all as they were at one moment: the tenant, users, versions of the prompt, each document
    /// followed by the segments of its version that may be found, each conversation followed by its messages, usage, API keys, identity
    /// providers, identities, audit entries; each kind in the order of its ids or numbers. It reads page by page, and stops early when
    /// `visit` says so. `false` when there is no tenant of that id. `visit` must not use the store.
    ///
    /// # Errors
    /// When the store fails, or has a record that it cannot read.
    fn read_tenant(
        &self,
        id: &TenantId,
        visit: &mut dyn FnMut(ArchivedRecord) -> ControlFlow<()>,
    ) -> Result<bool, StoreError>;

    /// Adds a tenant that is to be filled: inactive whatever `tenant` says, without any secret, and without versions of its prompt. `false`,
    /// and nothing done, when a tenant of that id was begun like this and not finished.
    ///
    /// # Errors
    /// [`StoreError::IdTaken`] when there is a tenant of that id, or was one that was erased; else when the store fails.
    fn begin_import(&self, tenant: &Tenant, now: Timestamp) -> Result<bool, StoreError>;

    /// Adds records to a tenant that is being filled, all in one step, in the order in which [`TenantArchiveStore::read_tenant`] gives
    /// them. Users come without a password and never as superusers; those whose id or address a user has already are left out and
    /// given back. Identities of users that are not the tenant's, the tenant itself and API keys are left out. Audit entries are kept
    /// as they are and must follow the last one.
    ///
    /// # Errors
    /// [`StoreError::UnknownTenant`] when no such tenant is being filled, or a record names another one that is not there;
    /// [`StoreError::IdTaken`] when a record is there already; else when a record cannot be kept or the store fails. Nothing is added then.
    fn import(&self, tenant: &TenantId, records: &[ArchivedRecord]) -> Result<Vec<ArchivedUser>, StoreError>;

    /// Declares the tenant whole, and active if told so. Enters [`tenantry_domain::AuditAction::TenantImported`] in its audit log and in
    /// the platform's. `false` when no such tenant is being filled.
    ///
    /// # Errors
    /// When the store fails.
    fn finish_import(
        &self,
        tenant: &TenantId,
        is_active: bool,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<bool, StoreError>;

    /// Removes what is left of a tenant that was begun and not finished, after [`crate::TenantEraseStore::erase_some`] found nothing more
    /// to do. Its id may be used again. `false` when no such tenant is being filled.
    ///
    /// # Errors
    /// When the store fails.
    fn abandon_import(&self, tenant: &TenantId) -> Result<bool, StoreError>;
}

impl ArchivedUser {
    /// The user that comes of it: without a password, and never a superuser.
    pub(crate) fn into_user(self, tenant: &TenantId) -> User {
        User {
            id: self.id,
            email: self.email,
            password_hash: None,
            is_superuser: false,
            is_active: self.is_active,
            tenant: Some(tenant.clone()),
            role: self.role,
            token_version: 0,
            created_at: self.created_at,
            updated_at: self.updated_at,
        }
    }
}

impl From<&User> for ArchivedUser {
    fn from(user: &User) -> Self {
        Self {
            id: user.id,
            email: user.email.clone(),
            role: user.role,
            is_active: user.is_active,
            created_at: user.created_at,
            updated_at: user.updated_at,
        }
    }
}

impl From<&DocumentRecord> for ArchivedDocument {
    fn from(record: &DocumentRecord) -> Self {
        Self {
            document: record.document.clone(),
            format: record.format,
            segments: if record.document.version > 0 {
                record.segments
            } else {
                0
            },
        }
    }
}

impl From<ArchivedDocument> for DocumentRecord {
    fn from(archived: ArchivedDocument) -> Self {
        Self {
            latest: archived.document.version.max(1),
            document: archived.document,
            format: archived.format,
            segments: archived.segments,
        }
    }
}

impl Account {
    pub(crate) fn archived(&self, totals: UsageTotals) -> ArchivedUsage {
        ArchivedUsage {
            day: self.day,
            user: self.user,
            kind: self.kind,
            model: self.model.clone(),
            totals,
        }
    }

    pub(crate) fn of_archive(usage: ArchivedUsage) -> (Self, UsageTotals) {
        let account = Self {
            day: usage.day,
            user: usage.user,
            kind: usage.kind,
            model: usage.model,
        };
        (account, usage.totals)
    }
}

/// The tenant as it begins when it is made from an archive.
pub(crate) fn without_secrets(tenant: &Tenant) -> Tenant {
    let mut tenant = tenant.clone();
    tenant.pinecone.api_key = None;
    if let Some(provider) = &mut tenant.llm {
        provider.api_key = None;
    }
    tenant.is_active = false;
    tenant
}

impl Texts for ArchivedRecord {
    fn texts(&self) -> Vec<(&'static str, Option<&str>)> {
        match self {
            Self::Tenant(tenant) => tenant.texts(),
            Self::Prompt(prompt) => vec![("text", prompt.text.as_deref())],
            Self::Document(ArchivedDocument { document, .. }) => vec![
                ("external_id", document.external_id.as_deref()),
                ("title", Some(document.title.as_str())),
                ("failure", document.failure.as_deref()),
            ],
            Self::Segment { segment, .. } => segment.texts(),
            Self::Conversation(conversation) => conversation.texts(),
            Self::Message { message, .. } => message.texts(),
            Self::Usage(usage) => vec![("model", Some(usage.model.as_str()))],
            Self::IdentityProvider(provider) => provider.texts(),
            Self::Identity(identity) => vec![("subject", Some(identity.subject.as_str()))],
            Self::Audit(entry) => audit_texts(entry),
            // An address cannot hold it; API keys are not written.
            Self::User(_) | Self::ApiKey(_) => Vec::new(),
        }
    }
}

fn audit_texts(entry: &AuditEntry) -> Vec<(&'static str, Option<&str>)> {
    let target = entry.target.iter().flat_map(|(kind, id)| [kind, id]);
    let details = entry.details.iter().flat_map(|(name, value)| [name, value]);
    let texts = entry.actor.origin.request.iter().chain(target).chain(details);
    texts.map(|text| ("audit_log", Some(text.as_str()))).collect()
}
