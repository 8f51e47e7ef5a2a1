use tenantry_domain::{Actor, Email, Page, Paged, SessionId, Timestamp, User, UserId};

use super::tenants::set;
use super::{MemoryStore, Records, paged};
use crate::text::Texts;
use crate::{Access, StoreError, UserChange, UserFilter, UserStore};

/// The user's token version is the highest there is.
#[derive(Debug, thiserror::Error)]
#[error("the token version cannot be raised any more")]
struct TokenVersionExhausted;

impl UserStore for MemoryStore {
    fn create_user(&self, user: &User, _actor: &Actor) -> Result<(), StoreError> {
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
        let unknown = change
            .tenant
            .iter()
            .flatten()
            .any(|tenant| !records.tenants.contains_key(tenant));
        let Some(user) = records.users.get_mut(&id) else {
            return Ok(None);
        };
        if unknown {
            return Err(StoreError::UnknownTenant);
        }
        if change.end_sessions {
            let raised = user.token_version.checked_add(1);
            user.token_version = raised.ok_or_else(|| StoreError::Failed(TokenVersionExhausted.into()))?;
        }
        set(&mut user.tenant, change.tenant.clone());
        set(&mut user.role, change.role);
        set(&mut user.is_active, change.is_active);
        set(&mut user.is_superuser, change.is_superuser);
        if change.password_hash.is_some() {
            user.password_hash.clone_from(&change.password_hash);
        }
        user.updated_at = now;
        Ok(Some(user.clone()))
    }

    fn access(
        &self,
        id: UserId,
        session: Option<SessionId>,
        _now: Timestamp,
    ) -> Result<Option<Access>, StoreError> {
        let records = self.records();
        Ok(records.users.get(&id).map(|user| Access {
            user: user.clone(),
            tenant: user
                .tenant
                .as_ref()
                .and_then(|tenant| records.tenants.get(tenant))
                .cloned(),
            session_is_live: session.is_none(),
        }))
    }
}

fn by_email<'r>(records: &'r Records, email: &Email) -> Option<&'r User> {
    records.users.values().find(|user| user.email == *email)
}
