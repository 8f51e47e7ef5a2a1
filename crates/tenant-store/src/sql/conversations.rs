use diesel::prelude::*;
use tenantry_domain::{Conversation, ConversationId, Page, Paged, TenantScope, Timestamp, UserId};

use super::rows::ConversationRow;
use super::schema::conversations;
use super::{SqlStore, paged};
use crate::text::{Texts, refuse_nul};
use crate::{ConversationStore, StoreError};

impl ConversationStore for SqlStore {
    fn create_conversation(
        &self,
        scope: &TenantScope,
        conversation: &Conversation,
    ) -> Result<(), StoreError> {
        conversation.refuse_nul()?;
        let row = ConversationRow::new(scope.id(), conversation, 0);
        let insert = diesel::insert_into(conversations::table).values(row);
        self.in_scope(scope, |conn| insert.execute(conn)).map(drop)
    }

    fn conversation(
        &self,
        scope: &TenantScope,
        owner: UserId,
        id: ConversationId,
    ) -> Result<Option<Conversation>, StoreError> {
        let query = conversations::table
            .find((scope.id().as_str(), id.to_string()))
            .filter(conversations::owner_id.eq(owner.to_string()))
            .select(ConversationRow::as_select());
        self.in_scope(scope, |conn| query.first::<ConversationRow>(conn).optional())?
            .map(Conversation::try_from)
            .transpose()
    }

    fn conversations(
        &self,
        scope: &TenantScope,
        owner: UserId,
        page: Page,
    ) -> Result<Paged<Conversation>, StoreError> {
        let owner = owner.to_string();
        let owned = || {
            conversations::table
                .filter(conversations::tenant_id.eq(scope.id().as_str()))
                .filter(conversations::owner_id.eq(&owner))
        };
        let (rows, total) = self.in_scope(scope, |conn| {
            let rows = owned()
                .order((conversations::updated_at.desc(), conversations::id.desc()))
                .select(ConversationRow::as_select())
                .limit(page.limit().into())
                .offset(page.offset().into())
                .load::<ConversationRow>(conn)?;
            Ok((rows, owned().count().get_result(conn)?))
        })?;
        paged(rows, total)
    }

    fn rename_conversation(
        &self,
        scope: &TenantScope,
        owner: UserId,
        id: ConversationId,
        title: &str,
        now: Timestamp,
    ) -> Result<Option<Conversation>, StoreError> {
        refuse_nul("title", title)?;
        let owned = conversations::table
            .find((scope.id().as_str(), id.to_string()))
            .filter(conversations::owner_id.eq(owner.to_string()));
        let renamed = (
            conversations::title.eq(title),
            conversations::updated_at.eq(now.unix_micros()),
        );
        let rename = diesel::update(owned)
            .set(renamed)
            .returning(conversations::all_columns);
        self.in_scope(scope, |conn| {
            rename.get_result::<ConversationRow>(conn).optional()
        })?
        .map(Conversation::try_from)
        .transpose()
    }

    fn remove_conversation(
        &self,
        scope: &TenantScope,
        owner: UserId,
        id: ConversationId,
    ) -> Result<bool, StoreError> {
        // The messages go with the row that they name: a turn that is under way waits for it, or is waited for.
        let owned = conversations::table
            .find((scope.id().as_str(), id.to_string()))
            .filter(conversations::owner_id.eq(owner.to_string()));
        let removed = self.in_scope(scope, |conn| diesel::delete(owned).execute(conn))?;
        Ok(removed > 0)
    }
}
