use diesel::prelude::*;
use tenantry_domain::{ConversationId, Message, TenantId, TokenUsage};

use super::{json, moment, parsed, unreadable};
use crate::StoreError;
use crate::sql::schema::messages;

const TABLE: &str = "messages";

/// A message with its place in its conversation.
#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = messages)]
pub(in crate::sql) struct MessageRow {
    tenant_id: String,
    conversation_id: String,
    ordinal: i64,
    id: String,
    role: String,
    status: String,
    model: Option<String>,
    prompt_tokens: Option<i64>,
    completion_tokens: Option<i64>,
    usage_estimated: Option<bool>,
    created_at: i64,
    text: String,
    citations: String,
}

impl MessageRow {
    pub(in crate::sql) fn new(
        tenant: &TenantId,
        conversation: ConversationId,
        ordinal: i64,
        message: &Message,
    ) -> Self {
        let usage = message.usage;
        Self {
            tenant_id: tenant.to_string(),
            conversation_id: conversation.to_string(),
            ordinal,
            id: message.id.to_string(),
            role: message.role.to_string(),
            status: message.status.to_string(),
            model: message.model.clone(),
            prompt_tokens: usage.map(|usage| tokens(usage.prompt_tokens)),
            completion_tokens: usage.map(|usage| tokens(usage.completion_tokens)),
            usage_estimated: usage.map(|usage| usage.estimated),
            created_at: message.created_at.unix_micros(),
            text: message.text.clone(),
            citations: json::write_citations(&message.citations),
        }
    }

    fn usage(&self) -> Result<Option<TokenUsage>, StoreError> {
        let columns = (self.prompt_tokens, self.completion_tokens, self.usage_estimated);
        let (Some(prompt), Some(completion), Some(estimated)) = columns else {
            return Ok(None);
        };
        Ok(Some(TokenUsage {
            prompt_tokens: prompt.try_into().map_err(unreadable_number)?,
            completion_tokens: completion.try_into().map_err(unreadable_number)?,
            estimated,
        }))
    }
}

/// A number of tokens as a column can have it.
fn tokens(tokens: u64) -> i64 {
    i64::try_from(tokens).unwrap_or(i64::MAX)
}

fn unreadable_number(error: std::num::TryFromIntError) -> StoreError {
    unreadable(TABLE)(error)
}

impl TryFrom<MessageRow> for Message {
    type Error = StoreError;

    fn try_from(row: MessageRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: parsed(TABLE, &row.id)?,
            role: parsed(TABLE, &row.role)?,
            status: parsed(TABLE, &row.status)?,
            citations: json::read_citations(&row.citations).map_err(unreadable(TABLE))?,
            usage: row.usage()?,
            model: row.model,
            text: row.text,
            created_at: moment(TABLE, row.created_at)?,
        })
    }
}
