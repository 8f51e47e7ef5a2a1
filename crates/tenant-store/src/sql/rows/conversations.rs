use diesel::prelude::*;
use tenantry_domain::{Conversation, TenantId};

use super::{moment, parsed};
use crate::StoreError;
use crate::sql::schema::conversations;

const TABLE: &str = "conversations";

/// A conversation, its messages apart.
#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = conversations)]
pub(in crate::sql) struct ConversationRow {
    tenant_id: String,
    id: String,
    owner_id: String,
    title: String,
    created_at: i64,
    updated_at: i64,
    pub(in crate::sql) next_ordinal: i64,
}

impl ConversationRow {
    /// A conversation that has `messages` messages.
    pub(in crate::sql) fn new(tenant: &TenantId, conversation: &Conversation, messages: i64) -> Self {
        Self {
            tenant_id: tenant.to_string(),
            id: conversation.id.to_string(),
            owner_id: conversation.owner.to_string(),
            title: conversation.title.clone(),
            created_at: conversation.created_at.unix_micros(),
            updated_at: conversation.updated_at.unix_micros(),
            next_ordinal: messages,
        }
    }
}

impl TryFrom<ConversationRow> for Conversation {
    type Error = StoreError;

    fn try_from(row: ConversationRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: parsed(TABLE, &row.id)?,
            owner: parsed(TABLE, &row.owner_id)?,
            title: row.title,
            created_at: moment(TABLE, row.created_at)?,
            updated_at: moment(TABLE, row.updated_at)?,
        })
    }
}
