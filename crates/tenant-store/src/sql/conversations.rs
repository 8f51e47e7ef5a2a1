use diesel::prelude::*;
use tenantry_domain::{Conversation, ConversationId, Page, Paged, TenantId, TenantScope, Timestamp, UserId};

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
        let query = owned(scope.id(), owner, id).select(ConversationRow::as_select());
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
        let of_owner = || {
            conversations::table
                .filter(conversations::tenant_id.eq(scope.id().as_str()))
                .filter(conversations::owner_id.eq(&owner))
        };
        let (rows, total) = self.in_scope(scope, |conn| {
            let rows = of_owner()
                .order((conversations::updated_at.desc(), conversations::id.desc()))
                .select(ConversationRow::as_select())
                .limit(page.limit().into())
                .offset(page.offset().into())
                .load::<ConversationRow>(conn)?;
            Ok((rows, of_owner().count().get_result(conn)?))
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
        let renamed = (
            conversations::title.eq(title),
            conversations::updated_at.eq(now.unix_micros()),
        );
        let rename = diesel::update(owned(scope.id(), owner, id))
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
        let removal = diesel::delete(owned(scope.id(), owner, id));
        let removed = self.in_scope(scope, |conn| removal.execute(conn))?;
        Ok(removed > 0)
    }
}

/// The owner's conversation of that id. The owner is compared in a way that no index serves: PostgreSQL, while it has
/// no statistics, would look for the id among all that the owner has.
#[diesel::dsl::auto_type]
pub(super) fn owned<'t>(tenant: &'t TenantId, owner: UserId, id: ConversationId) -> _ {
    let key: (&'t str, String) = (tenant.as_str(), id.to_string());
    let owner: String = owner.to_string();
    conversations::table
        .find(key)
        .filter(conversations::owner_id.concat("").eq(owner))
}
