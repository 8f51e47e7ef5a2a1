use std::ops::ControlFlow;

use diesel::prelude::*;
use diesel::result::Error;
use tenantry_domain::{
    ApiKey, AuditEntry, Conversation, ConversationId, DocumentState, DocumentVersion, IdentityProvider,
    Message, PromptVersion, Segment, Tenant, TenantId, User,
};

use crate::ledger::DocumentRecord;
use crate::sql::connection::AnyConnection;
use crate::sql::ledger::WorkError;
use crate::sql::rows::{
    ApiKeyRow, AuditRow, ConversationRow, DocumentRow, IdentityKey, MessageRow, PromptRow, ProviderRow,
    SegmentRow, UsageKey, UserRow, archived_identity, archived_usage,
};
use crate::sql::schema::{
    api_keys, audit_log, conversations, document_segments, documents, identities, identity_providers,
    messages, system_prompts, usage_by_day, users,
};
use crate::{ArchivedRecord, ArchivedUser, StoreError};

/// How many rows are read at a time; of text, which may be 16 KiB a row and more, fewer.
const PAGE: i64 = 500;
const TEXTS: i64 = 50;

/// Why reading ended before its end.
pub(super) enum Halt {
    /// Whoever is read to has asked for it.
    Asked,
    /// It failed.
    Failed(WorkError),
}

impl From<Error> for Halt {
    fn from(error: Error) -> Self {
        Self::Failed(error.into())
    }
}

impl From<StoreError> for Halt {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

/// One tenant's records, on their way to somebody.
pub(super) struct Reading<'r> {
    pub(super) conn: &'r mut AnyConnection,
    pub(super) tenant: &'r TenantId,
    pub(super) visit: &'r mut dyn FnMut(ArchivedRecord) -> ControlFlow<()>,
}

type Walk = Result<(), Halt>;

impl Reading<'_> {
    pub(super) fn tenant(&mut self, tenant: Tenant) -> Walk {
        self.tell(ArchivedRecord::Tenant(Box::new(tenant)))
    }

    pub(super) fn users(&mut self) -> Walk {
        let mut after = String::new();
        loop {
            let rows = users::table
                .filter(users::tenant_id.eq(self.tenant.as_str()))
                .filter(users::is_superuser.eq(false))
                .filter(users::id.gt(&after))
                .order(users::id.asc())
                .limit(PAGE)
                .load::<UserRow>(self.conn)?;
            if rows.is_empty() {
                return Ok(());
            }
            for row in rows {
                let user = User::try_from(row)?;
                after = user.id.to_string();
                self.tell(ArchivedRecord::User(ArchivedUser::from(&user)))?;
            }
        }
    }

    /// What is the tenant's alone.
    pub(super) fn owned(&mut self) -> Walk {
        self.prompts()?;
        self.documents()?;
        self.conversations()?;
        self.usage()?;
        self.api_keys()?;
        self.identity_providers()?;
        self.identities()?;
        self.audit()
    }

    fn tell(&mut self, record: ArchivedRecord) -> Walk {
        match (self.visit)(record) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(Halt::Asked),
        }
    }

    fn prompts(&mut self) -> Walk {
        let mut after = 0;
        loop {
            let rows = system_prompts::table
                .filter(system_prompts::tenant_id.eq(self.tenant.as_str()))
                .filter(system_prompts::number.gt(after))
                .order(system_prompts::number.asc())
                .limit(TEXTS)
                .select(PromptRow::as_select())
                .load::<PromptRow>(self.conn)?;
            if rows.is_empty() {
                return Ok(());
            }
            for row in rows {
                let prompt = PromptVersion::try_from(row)?;
                after = prompt.number.into();
                self.tell(ArchivedRecord::Prompt(prompt))?;
            }
        }
    }

    fn documents(&mut self) -> Walk {
        let mut after = String::new();
        loop {
            let rows = documents::table
                .filter(documents::tenant_id.eq(self.tenant.as_str()))
                .filter(documents::id.gt(&after))
                .filter(documents::state.ne(DocumentState::Deleting.as_str()))
                .order(documents::id.asc())
                .limit(PAGE)
                .select(DocumentRow::as_select())
                .load::<DocumentRow>(self.conn)?;
            if rows.is_empty() {
                return Ok(());
            }
            for row in rows {
                let record = DocumentRecord::try_from(row)?;
                let of = DocumentVersion {
                    document: record.document.id,
                    version: record.document.version,
                };
                after = of.document.to_string();
                self.tell(ArchivedRecord::Document((&record).into()))?;
                // A document without a version that may be found has the pieces of none.
                if of.version > 0 {
                    self.segments(of)?;
                }
            }
        }
    }

    fn segments(&mut self, of: DocumentVersion) -> Walk {
        let mut from = 0;
        loop {
            let rows = document_segments::table
                .filter(document_segments::tenant_id.eq(self.tenant.as_str()))
                .filter(document_segments::document_id.eq(of.document.to_string()))
                .filter(document_segments::version.eq(i64::from(of.version)))
                .filter(document_segments::ordinal.ge(from))
                .order(document_segments::ordinal.asc())
                .limit(TEXTS)
                .select(SegmentRow::as_select())
                .load::<SegmentRow>(self.conn)?;
            if rows.is_empty() {
                return Ok(());
            }
            for row in rows {
                let segment = Segment::try_from(row)?;
                from = i64::from(segment.ordinal) + 1;
                self.tell(ArchivedRecord::Segment { of, segment })?;
            }
        }
    }

    fn conversations(&mut self) -> Walk {
        let mut after = String::new();
        loop {
            let rows = conversations::table
                .filter(conversations::tenant_id.eq(self.tenant.as_str()))
                .filter(conversations::id.gt(&after))
                .order(conversations::id.asc())
                .limit(PAGE)
                .select(ConversationRow::as_select())
                .load::<ConversationRow>(self.conn)?;
            if rows.is_empty() {
                return Ok(());
            }
            for row in rows {
                let conversation = Conversation::try_from(row)?;
                let id = conversation.id;
                after = id.to_string();
                self.tell(ArchivedRecord::Conversation(conversation))?;
                self.messages(id)?;
            }
        }
    }

    fn messages(&mut self, conversation: ConversationId) -> Walk {
        let mut from = 0;
        loop {
            let rows = messages::table
                .filter(messages::tenant_id.eq(self.tenant.as_str()))
                .filter(messages::conversation_id.eq(conversation.to_string()))
                .filter(messages::ordinal.ge(from))
                .order(messages::ordinal.asc())
                .limit(TEXTS)
                .select((messages::ordinal, MessageRow::as_select()))
                .load::<(i64, MessageRow)>(self.conn)?;
            if rows.is_empty() {
                return Ok(());
            }
            for (ordinal, row) in rows {
                from = ordinal + 1;
                let message = Message::try_from(row)?;
                self.tell(ArchivedRecord::Message {
                    conversation,
                    message,
                })?;
            }
        }
    }

    fn usage(&mut self) -> Walk {
        let mut after = UsageKey::default();
        loop {
            let later_model = usage_by_day::kind
                .eq(&after.kind)
                .and(usage_by_day::model.gt(&after.model));
            let later_kind = usage_by_day::kind.gt(&after.kind).or(later_model);
            let later_user = usage_by_day::user_id
                .gt(&after.user)
                .or(usage_by_day::user_id.eq(&after.user).and(later_kind));
            let later = usage_by_day::day
                .gt(after.day)
                .or(usage_by_day::day.eq(after.day).and(later_user));
            let rows = usage_by_day::table
                .filter(usage_by_day::tenant_id.eq(self.tenant.as_str()))
                .filter(later)
                .order((
                    usage_by_day::day.asc(),
                    usage_by_day::user_id.asc(),
                    usage_by_day::kind.asc(),
                    usage_by_day::model.asc(),
                ))
                .limit(PAGE)
                .select(UsageKey::COLUMNS)
                .load(self.conn)?;
            if rows.is_empty() {
                return Ok(());
            }
            for row in rows {
                let (key, usage) = archived_usage(row)?;
                after = key;
                self.tell(ArchivedRecord::Usage(usage))?;
            }
        }
    }

    fn api_keys(&mut self) -> Walk {
        let mut after = String::new();
        loop {
            let rows = api_keys::table
                .filter(api_keys::tenant_id.eq(self.tenant.as_str()))
                .filter(api_keys::id.gt(&after))
                .order(api_keys::id.asc())
                .limit(PAGE)
                .select(ApiKeyRow::as_select())
                .load::<ApiKeyRow>(self.conn)?;
            if rows.is_empty() {
                return Ok(());
            }
            for row in rows {
                let key = ApiKey::try_from(row)?;
                after = key.id.to_string();
                self.tell(ArchivedRecord::ApiKey(key))?;
            }
        }
    }

    fn identity_providers(&mut self) -> Walk {
        let mut after = String::new();
        loop {
            let rows = identity_providers::table
                .filter(identity_providers::tenant_id.eq(self.tenant.as_str()))
                .filter(identity_providers::id.gt(&after))
                .order(identity_providers::id.asc())
                .limit(PAGE)
                .select(ProviderRow::as_select())
                .load::<ProviderRow>(self.conn)?;
            if rows.is_empty() {
                return Ok(());
            }
            for row in rows {
                let provider = IdentityProvider::try_from(row)?;
                after = provider.id.to_string();
                self.tell(ArchivedRecord::IdentityProvider(provider))?;
            }
        }
    }

    fn identities(&mut self) -> Walk {
        let mut after = IdentityKey::default();
        loop {
            let (provider, subject) = &after;
            let later = identities::provider_id.gt(provider).or(identities::provider_id
                .eq(provider)
                .and(identities::subject.gt(subject)));
            let rows = identities::table
                .filter(identities::tenant_id.eq(self.tenant.as_str()))
                .filter(later)
                .order((identities::provider_id.asc(), identities::subject.asc()))
                .limit(PAGE)
                .select((identities::provider_id, identities::subject, identities::user_id))
                .load::<(String, String, String)>(self.conn)?;
            if rows.is_empty() {
                return Ok(());
            }
            for (provider, subject, user) in rows {
                let identity = archived_identity(&provider, &subject, &user)?;
                after = (provider, subject);
                self.tell(ArchivedRecord::Identity(identity))?;
            }
        }
    }

    fn audit(&mut self) -> Walk {
        let mut after = 0;
        loop {
            let rows = audit_log::table
                .filter(audit_log::tenant_id.eq(self.tenant.as_str()))
                .filter(audit_log::number.gt(after))
                .order(audit_log::number.asc())
                .limit(PAGE)
                .select((audit_log::number, AuditRow::as_select()))
                .load::<(i64, AuditRow)>(self.conn)?;
            if rows.is_empty() {
                return Ok(());
            }
            for (number, row) in rows {
                after = number;
                self.tell(ArchivedRecord::Audit(AuditEntry::try_from(row)?))?;
            }
        }
    }
}
