use diesel::dsl::exists;
use diesel::prelude::*;
use tenantry_domain::{
    Conversation, ConversationId, Message, Page, Paged, TenantId, TenantScope, UsageRecord, UserId,
};

use super::connection::AnyConnection;
use super::conversations::owned;
use super::rows::{ConversationRow, MessageRow};
use super::schema::{conversations, messages};
use super::{SqlStore, paged, usage};
use crate::text::Texts;
use crate::{MessageStore, MessageTarget, StoreError};

impl MessageStore for SqlStore {
    fn begin_turn(
        &self,
        scope: &TenantScope,
        owner: UserId,
        target: &MessageTarget,
        message: &Message,
    ) -> Result<Option<Conversation>, StoreError> {
        target.refuse_nul()?;
        target.refuse_other_owner(owner)?;
        message.refuse_nul()?;
        self.write(scope, |conn| match target {
            MessageTarget::New(begun) => {
                let row = ConversationRow::new(scope.id(), begun, 1);
                diesel::insert_into(conversations::table)
                    .values(row)
                    .execute(conn)?;
                insert(conn, MessageRow::new(scope.id(), begun.id, 0, message))?;
                Ok(Some(begun.clone()))
            }
            MessageTarget::Existing(id) => {
                let continued = add_message(conn, scope.id(), owner, *id, message)?;
                Ok(continued.map(Conversation::try_from).transpose()?)
            }
        })
    }

    fn finish_turn(
        &self,
        scope: &TenantScope,
        owner: UserId,
        conversation: ConversationId,
        answer: &Message,
        usage: &[UsageRecord],
    ) -> Result<bool, StoreError> {
        answer.refuse_nul()?;
        self.write(scope, |conn| {
            let continued = add_message(conn, scope.id(), owner, conversation, answer)?;
            // Last, because the sums are what other turns wait for.
            usage::add(conn, scope.id(), usage)?;
            Ok(continued.is_some())
        })
    }

    fn messages(
        &self,
        scope: &TenantScope,
        owner: UserId,
        conversation: ConversationId,
        page: Page,
    ) -> Result<Option<Paged<Message>>, StoreError> {
        let key = (scope.id().as_str(), conversation.to_string());
        let of_owner = || owned(scope.id(), owner, conversation);
        let of_conversation = messages::table
            .filter(messages::tenant_id.eq(key.0))
            .filter(messages::conversation_id.eq(&key.1));
        let read = of_conversation
            .filter(exists(of_owner()))
            .order(messages::ordinal.asc())
            .select(MessageRow::as_select())
            .limit(page.limit().into())
            .offset(page.offset().into());
        let counted = of_owner().select(of_conversation.count().single_value());
        let (rows, total) = self.in_scope(scope, |conn| {
            let rows = read.load::<MessageRow>(conn)?;
            Ok((rows, counted.first::<Option<i64>>(conn).optional()?))
        })?;
        total.map(|total| paged(rows, total.unwrap_or(0))).transpose()
    }

    fn last_messages(
        &self,
        scope: &TenantScope,
        owner: UserId,
        conversation: ConversationId,
        limit: u16,
    ) -> Result<Vec<Message>, StoreError> {
        let key = (scope.id().as_str(), conversation.to_string());
        let query = messages::table
            .filter(messages::tenant_id.eq(key.0))
            .filter(messages::conversation_id.eq(&key.1))
            .filter(exists(owned(scope.id(), owner, conversation)))
            .order(messages::ordinal.desc())
            .limit(limit.into())
            .select(MessageRow::as_select());
        let rows = self.in_scope(scope, |conn| query.load::<MessageRow>(conn))?;
        rows.into_iter().rev().map(Message::try_from).collect()
    }
}

/// Adds a message to the owner's conversation and gives that as it is then; `None` when there is none of that id. Raising
/// `next_ordinal` locks the conversation's row, so that two messages never have one place.
fn add_message(
    conn: &mut AnyConnection,
    tenant: &TenantId,
    owner: UserId,
    conversation: ConversationId,
    message: &Message,
) -> QueryResult<Option<ConversationRow>> {
    let continued = (
        conversations::updated_at.eq(message.created_at.unix_micros()),
        conversations::next_ordinal.eq(conversations::next_ordinal + 1),
    );
    let row = diesel::update(owned(tenant, owner, conversation))
        .set(continued)
        .returning(conversations::all_columns)
        .get_result::<ConversationRow>(conn)
        .optional()?;
    if let Some(row) = &row {
        insert(
            conn,
            MessageRow::new(tenant, conversation, row.next_ordinal - 1, message),
        )?;
    }
    Ok(row)
}

fn insert(conn: &mut AnyConnection, row: MessageRow) -> QueryResult<()> {
    diesel::insert_into(messages::table)
        .values(row)
        .execute(conn)
        .map(drop)
}
