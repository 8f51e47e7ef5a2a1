use tenantry_domain::{
    Actor, Email, Page, Paged, PromptVersion, Sealed, SessionId, Tenant, TenantId, TenantScope, Timestamp,
    UsageRecord, User, UserId,
};

use super::FailingStore;
use crate::{
    Access, KeyState, KeyStateStore, PromptStore, SealedValue, SecretKind, SecretSample, StoreError,
    TenantChange, TenantStore, UsageFilter, UsageGroup, UsageStore, UsageSum, UserChange, UserFilter,
    UserStore,
};

impl<S: TenantStore> TenantStore for FailingStore<S> {
    fn create_tenant(&self, tenant: &Tenant, actor: &Actor) -> Result<(), StoreError> {
        self.call("create_tenant", |inner| inner.create_tenant(tenant, actor))
    }

    fn tenant(&self, id: &TenantId) -> Result<Option<Tenant>, StoreError> {
        self.call("tenant", |inner| inner.tenant(id))
    }

    fn tenants(&self, page: Page) -> Result<Paged<Tenant>, StoreError> {
        self.call("tenants", |inner| inner.tenants(page))
    }

    fn update_tenant(
        &self,
        id: &TenantId,
        change: &TenantChange,
        now: Timestamp,
    ) -> Result<Option<Tenant>, StoreError> {
        self.call("update_tenant", |inner| inner.update_tenant(id, change, now))
    }
}

impl<S: UserStore> UserStore for FailingStore<S> {
    fn create_user(&self, user: &User, actor: &Actor) -> Result<(), StoreError> {
        self.call("create_user", |inner| inner.create_user(user, actor))
    }

    fn user(&self, id: UserId) -> Result<Option<User>, StoreError> {
        self.call("user", |inner| inner.user(id))
    }

    fn user_by_email(&self, email: &Email) -> Result<Option<User>, StoreError> {
        self.call("user_by_email", |inner| inner.user_by_email(email))
    }

    fn users(&self, filter: &UserFilter, page: Page) -> Result<Paged<User>, StoreError> {
        self.call("users", |inner| inner.users(filter, page))
    }

    fn update_user(
        &self,
        id: UserId,
        change: &UserChange,
        now: Timestamp,
    ) -> Result<Option<User>, StoreError> {
        self.call("update_user", |inner| inner.update_user(id, change, now))
    }

    fn access(
        &self,
        id: UserId,
        session: Option<SessionId>,
        now: Timestamp,
    ) -> Result<Option<Access>, StoreError> {
        self.call("access", |inner| inner.access(id, session, now))
    }
}

impl<S: KeyStateStore> KeyStateStore for FailingStore<S> {
    fn key_states(&self) -> Result<Vec<KeyState>, StoreError> {
        self.call("key_states", S::key_states)
    }

    fn remember_key(&self, state: &KeyState) -> Result<(), StoreError> {
        self.call("remember_key", |inner| inner.remember_key(state))
    }

    fn secrets_by_key(&self) -> Result<Vec<SecretSample>, StoreError> {
        self.call("secrets_by_key", S::secrets_by_key)
    }

    fn sealed_values(
        &self,
        after: Option<&(TenantId, SecretKind)>,
        limit: u16,
    ) -> Result<Vec<SealedValue>, StoreError> {
        self.call("sealed_values", |inner| inner.sealed_values(after, limit))
    }

    fn reseal(
        &self,
        old: &SealedValue,
        new: &Sealed,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.call("reseal", |inner| inner.reseal(old, new, actor, now))
    }

    fn forget_key(&self, key_id: &str) -> Result<bool, StoreError> {
        self.call("forget_key", |inner| inner.forget_key(key_id))
    }
}

impl<S: PromptStore> PromptStore for FailingStore<S> {
    fn prompt_versions(&self, tenant: &TenantId, page: Page) -> Result<Paged<PromptVersion>, StoreError> {
        self.call("prompt_versions", |inner| inner.prompt_versions(tenant, page))
    }

    fn prompt_version(&self, tenant: &TenantId, number: u32) -> Result<Option<PromptVersion>, StoreError> {
        self.call("prompt_version", |inner| inner.prompt_version(tenant, number))
    }
}

impl<S: UsageStore> UsageStore for FailingStore<S> {
    fn add_usage(&self, scope: &TenantScope, records: &[UsageRecord]) -> Result<(), StoreError> {
        self.call("add_usage", |inner| inner.add_usage(scope, records))
    }

    fn usage(
        &self,
        scope: &TenantScope,
        filter: &UsageFilter,
        group: UsageGroup,
    ) -> Result<Vec<UsageSum>, StoreError> {
        self.call("usage", |inner| inner.usage(scope, filter, group))
    }

    fn usage_of_all(&self, filter: &UsageFilter, group: UsageGroup) -> Result<Vec<UsageSum>, StoreError> {
        self.call("usage_of_all", |inner| inner.usage_of_all(filter, group))
    }
}
