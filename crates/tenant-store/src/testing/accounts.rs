use tenantry_domain::{Email, Page, Paged, Tenant, TenantId, Timestamp, User, UserId};

use super::FailingStore;
use crate::{
    Access, KeyState, KeyStateStore, SecretSample, StoreError, TenantChange, TenantStore, UserChange,
    UserFilter, UserStore,
};

impl<S: TenantStore> TenantStore for FailingStore<S> {
    fn create_tenant(&self, tenant: &Tenant) -> Result<(), StoreError> {
        self.reach("create_tenant")?.create_tenant(tenant)
    }

    fn tenant(&self, id: &TenantId) -> Result<Option<Tenant>, StoreError> {
        self.reach("tenant")?.tenant(id)
    }

    fn tenants(&self, page: Page) -> Result<Paged<Tenant>, StoreError> {
        self.reach("tenants")?.tenants(page)
    }

    fn update_tenant(
        &self,
        id: &TenantId,
        change: &TenantChange,
        now: Timestamp,
    ) -> Result<Option<Tenant>, StoreError> {
        self.reach("update_tenant")?.update_tenant(id, change, now)
    }
}

impl<S: UserStore> UserStore for FailingStore<S> {
    fn create_user(&self, user: &User) -> Result<(), StoreError> {
        self.reach("create_user")?.create_user(user)
    }

    fn user(&self, id: UserId) -> Result<Option<User>, StoreError> {
        self.reach("user")?.user(id)
    }

    fn user_by_email(&self, email: &Email) -> Result<Option<User>, StoreError> {
        self.reach("user_by_email")?.user_by_email(email)
    }

    fn users(&self, filter: &UserFilter, page: Page) -> Result<Paged<User>, StoreError> {
        self.reach("users")?.users(filter, page)
    }

    fn update_user(
        &self,
        id: UserId,
        change: &UserChange,
        now: Timestamp,
    ) -> Result<Option<User>, StoreError> {
        self.reach("update_user")?.update_user(id, change, now)
    }

    fn access(&self, id: UserId) -> Result<Option<Access>, StoreError> {
        self.reach("access")?.access(id)
    }
}

impl<S: KeyStateStore> KeyStateStore for FailingStore<S> {
    fn key_states(&self) -> Result<Vec<KeyState>, StoreError> {
        self.reach("key_states")?.key_states()
    }

    fn remember_key(&self, state: &KeyState) -> Result<(), StoreError> {
        self.reach("remember_key")?.remember_key(state)
    }

    fn secrets_by_key(&self) -> Result<Vec<SecretSample>, StoreError> {
        self.reach("secrets_by_key")?.secrets_by_key()
    }
}
