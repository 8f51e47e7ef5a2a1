use std::collections::{BTreeMap, HashSet};

use diesel::prelude::*;
use tenantry_domain::{ConversationId, Message, TenantId, Timestamp};

use crate::ledger::erasure::goes_on;
use crate::ledger::usage::{Account, kept};
use crate::sql::audit::move_head;
use crate::sql::connection::AnyConnection;
use crate::sql::dialect;
use crate::sql::ledger::WorkError;
use crate::sql::rows::{
    AuditRow, ConversationRow, DocumentRow, IdentityRow, MessageRow, PromptRow, ProviderRow, SegmentRow,
    UsageRow, UserRow, read_head,
};
use crate::sql::schema::{
    conversations, document_segments, documents, identities as links, identity_providers, messages,
    system_prompts, usage_by_day, users as accounts,
};
use crate::{ArchivedIdentity, ArchivedRecord, ArchivedUser, StoreError};

/// Adds the users among `records`, and gives those whose id or address is taken.
pub(super) fn users(
    conn: &mut AnyConnection,
    tenant: &TenantId,
    records: &[ArchivedRecord],
) -> Result<Vec<ArchivedUser>, WorkError> {
    let wanted: Vec<_> = records
        .iter()
        .filter_map(|record| match record {
            ArchivedRecord::User(user) => Some(user),
            _ => None,
        })
        .collect();
    let mut taken = taken(conn, &wanted)?;
    let mut left_out = Vec::new();
    for user in wanted {
        let (id, email) = (user.id.to_string(), user.email.as_str());
        if taken.contains(&id) || taken.contains(email) {
            left_out.push(user.clone());
            continue;
        }
        let row = UserRow::from(&user.clone().into_user(tenant));
        diesel::insert_into(accounts::table).values(row).execute(conn)?;
        taken.extend([id, email.to_owned()]);
    }
    Ok(left_out)
}

/// Those ids and addresses of `users` that somebody has.
fn taken(conn: &mut AnyConnection, users: &[&ArchivedUser]) -> Result<HashSet<String>, WorkError> {
    let ids: Vec<_> = users.iter().map(|user| user.id.to_string()).collect();
    let emails: Vec<_> = users.iter().map(|user| user.email.as_str()).collect();
    let rows: Vec<(String, String)> = accounts::table
        .filter(accounts::id.eq_any(ids).or(accounts::email.eq_any(emails)))
        .select((accounts::id, accounts::email))
        .load(conn)?;
    Ok(rows.into_iter().flat_map(|(id, email)| [id, email]).collect())
}

/// The identities among `records` that are of users of the tenant.
pub(super) fn identities(
    conn: &mut AnyConnection,
    tenant: &TenantId,
    records: &[ArchivedRecord],
) -> Result<Vec<ArchivedIdentity>, WorkError> {
    let mut wanted: Vec<_> = records
        .iter()
        .filter_map(|record| match record {
            ArchivedRecord::Identity(identity) => Some(identity.clone()),
            _ => None,
        })
        .collect();
    let ids: Vec<_> = wanted.iter().map(|identity| identity.user.to_string()).collect();
    let members: Vec<String> = accounts::table
        .filter(accounts::id.eq_any(ids))
        .filter(accounts::tenant_id.eq(tenant.as_str()))
        .filter(accounts::is_superuser.eq(false))
        .select(accounts::id)
        .load(conn)?;
    wanted.retain(|identity| members.contains(&identity.user.to_string()));
    Ok(wanted)
}

/// Adds what is the tenant's alone, identities and audit entries apart.
pub(super) fn owned(
    conn: &mut AnyConnection,
    tenant: &TenantId,
    records: &[ArchivedRecord],
) -> Result<(), WorkError> {
    let mut places = Places::default();
    for record in records {
        match record {
            ArchivedRecord::Prompt(prompt) => {
                let row = PromptRow::new(tenant, prompt);
                diesel::insert_into(system_prompts::table)
                    .values(row)
                    .execute(conn)?;
            }
            ArchivedRecord::Document(document) => {
                let row = DocumentRow::new(tenant, &document.clone().into());
                diesel::insert_into(documents::table).values(row).execute(conn)?;
            }
            ArchivedRecord::Segment { of, segment } => {
                let row = SegmentRow::new(tenant, of.document, of.version, segment);
                diesel::insert_into(document_segments::table)
                    .values(row)
                    .execute(conn)?;
            }
            ArchivedRecord::Conversation(conversation) => {
                let row = ConversationRow::new(tenant, conversation, 0);
                diesel::insert_into(conversations::table)
                    .values(row)
                    .execute(conn)?;
            }
            ArchivedRecord::Message {
                conversation,
                message,
            } => {
                places.add(conn, tenant, *conversation, message)?;
            }
            ArchivedRecord::Usage(usage) => {
                let (account, totals) = Account::of_archive(usage.clone());
                let row = UsageRow::new(tenant, account, kept(totals));
                diesel::insert_into(usage_by_day::table)
                    .values(row)
                    .execute(conn)?;
            }
            ArchivedRecord::IdentityProvider(provider) => {
                let row = ProviderRow::new(tenant, provider);
                diesel::insert_into(identity_providers::table)
                    .values(row)
                    .execute(conn)?;
            }
            ArchivedRecord::Tenant(_)
            | ArchivedRecord::User(_)
            | ArchivedRecord::ApiKey(_)
            | ArchivedRecord::Identity(_)
            | ArchivedRecord::Audit(_) => {}
        }
    }
    places.keep(conn, tenant)
}

/// The place of the next message of each conversation that got some.
#[derive(Default)]
struct Places(BTreeMap<ConversationId, i64>);

impl Places {
    fn add(
        &mut self,
        conn: &mut AnyConnection,
        tenant: &TenantId,
        conversation: ConversationId,
        message: &Message,
    ) -> Result<(), WorkError> {
        let place = match self.0.get(&conversation) {
            Some(place) => *place,
            None => conversations::table
                .find((tenant.as_str(), conversation.to_string()))
                .select(conversations::next_ordinal)
                .first(conn)
                .optional()?
                .ok_or(StoreError::UnknownTenant)?,
        };
        let row = MessageRow::new(tenant, conversation, place, message);
        diesel::insert_into(messages::table).values(row).execute(conn)?;
        self.0.insert(conversation, place.saturating_add(1));
        Ok(())
    }

    fn keep(self, conn: &mut AnyConnection, tenant: &TenantId) -> Result<(), WorkError> {
        for (conversation, next) in self.0 {
            diesel::update(conversations::table.find((tenant.as_str(), conversation.to_string())))
                .set(conversations::next_ordinal.eq(next))
                .execute(conn)?;
        }
        Ok(())
    }
}

/// Adds identities, as if they had been linked at `at`.
pub(super) fn link(
    conn: &mut AnyConnection,
    tenant: &TenantId,
    identities: &[ArchivedIdentity],
    at: Timestamp,
) -> Result<(), WorkError> {
    for identity in identities {
        let row = IdentityRow::new(tenant, identity.provider, &identity.subject, identity.user, at);
        diesel::insert_into(links::table).values(row).execute(conn)?;
    }
    Ok(())
}

/// Goes on with the tenant's audit log by the entries among `records`.
pub(super) fn audit(
    conn: &mut AnyConnection,
    tenant: &TenantId,
    records: &[ArchivedRecord],
) -> Result<(), WorkError> {
    let entries: Vec<_> = records
        .iter()
        .filter_map(|record| match record {
            ArchivedRecord::Audit(entry) => Some(entry),
            _ => None,
        })
        .collect();
    if entries.is_empty() {
        return Ok(());
    }
    let log = crate::AuditLog::Tenant(tenant.clone());
    let mut head = read_head(dialect::audit_head_to_move(conn, log.as_str())?)?;
    let mut rows = Vec::with_capacity(entries.len());
    for entry in entries {
        head = goes_on(tenant, head, entry)?;
        rows.push(AuditRow::new(entry)?);
    }
    dialect::insert_audit_rows(conn, rows)?;
    move_head(conn, &log, head)
}
