use tenantry_domain::{Actor, Email, Page, Paged, SessionId, Timestamp, User, UserId};

use super::{MemoryStore, Records, paged};
use crate::ledger::audit;
use crate::ledger::users::{changed, manages};
use crate::text::Texts;
use crate::{Access, StoreError, UserChange, UserFilter, UserStore};

impl UserStore for MemoryStore {
    fn create_user(&self, user: &User, actor: &Actor) -> Result<(), StoreError> {
        user.refuse_nul()?;
        let mut records = self.records();
        if records.users.contains_key(&user.id) {
            return Err(StoreError::IdTaken);
        }
        if by_email(&records, &user.email).is_some() {
            return Err(StoreError::EmailTaken);
        }
        if user
            .tenant
            .as_ref()
            .is_some_and(|tenant| !records.tenants.contains_key(tenant))
        {
            return Err(StoreError::UnknownTenant);
        }
        records.users.insert(user.id, user.clone());
        records.append_audit(&audit::user_created(user), actor, user.created_at);
        Ok(())
    }

    fn user(&self, id: UserId) -> Result<Option<User>, StoreError> {
        Ok(self.records().users.get(&id).cloned())
    }

    fn user_by_email(&self, email: &Email) -> Result<Option<User>, StoreError> {
        Ok(by_email(&self.records(), email).cloned())
    }

    fn users(&self, filter: &UserFilter, page: Page) -> Result<Paged<User>, StoreError> {
        let records = self.records();
        let mut users: Vec<_> = records
            .users
            .values()
            .filter(|user| filter.tenant.is_none() || user.tenant == filter.tenant)
            .filter(|user| {
                filter
                    .is_superuser
                    .is_none_or(|wanted| user.is_superuser == wanted)
            })
            .collect();
        users.sort_by_key(|user| &user.email);
        Ok(paged(&users, page))
    }

    fn update_user(
        &self,
        id: UserId,
        change: &UserChange,
        now: Timestamp,
    ) -> Result<Option<User>, StoreError> {
        change.refuse_nul()?;
        let mut records = self.records();
        let before = records.users.get(&id).cloned();
        let after = records.change_user(id, change, now)?;
        if let Some((before, after)) = before.zip(after.as_ref()) {
            let events = audit::user_changed(&before, after, change);
            records.append_audit(&events, &change.actor, now);
        }
        Ok(after)
    }

    fn access(
        &self,
        id: UserId,
        session: Option<SessionId>,
        now: Timestamp,
    ) -> Result<Option<Access>, StoreError> {
        let records = self.records();
        Ok(records.users.get(&id).map(|user| Access {
            user: user.clone(),
            tenant: user
                .tenant
                .as_ref()
                .and_then(|tenant| records.tenants.get(tenant))
                .cloned(),
            session_is_live: session.is_none_or(|id| records.sessions.is_live(id, user, now)),
            sessions_ended_at: records.sessions.ended_at(user.id),
        }))
    }
}

impl Records {
    /// Applies `change` to a user who may be there, and ends what it ends.
    pub(super) fn change_user(
        &mut self,
        id: UserId,
        change: &UserChange,
        now: Timestamp,
    ) -> Result<Option<User>, StoreError> {
        let before = self.users.get(&id).filter(|user| change.reaches(user));
        let Some(before) = before else {
            return Ok(None);
        };
        let changed = changed(before, change, now)?;
        let others = self.users.values().filter(|user| user.id != id);
        if changed.steps_down && !others.into_iter().any(manages) {
            return Err(StoreError::LastSuperuser);
        }
        if let Some(tenant) = &changed.user.tenant {
            self.refuse_unknown(tenant)?;
        }
        self.users.insert(id, changed.user.clone());
        if changed.ends_sessions {
            self.sessions.end_all(id, now);
        }
        Ok(Some(changed.user))
    }
}

fn by_email<'r>(records: &'r Records, email: &Email) -> Option<&'r User> {
    records.users.values().find(|user| user.email == *email)
}
