use std::ops::ControlFlow;

use tenantry_domain::{Actor, Generation, Tenant, TenantId, Timestamp};

use super::FailingStore;
use crate::{ArchivedRecord, ArchivedUser, ErasedTenant, StoreError, TenantArchiveStore, TenantEraseStore};

impl<S: TenantArchiveStore> TenantArchiveStore for FailingStore<S> {
    fn read_tenant(
        &self,
        id: &TenantId,
        visit: &mut dyn FnMut(ArchivedRecord) -> ControlFlow<()>,
    ) -> Result<bool, StoreError> {
        self.call("read_tenant", |store| store.read_tenant(id, visit))
    }

    fn begin_import(&self, tenant: &Tenant, now: Timestamp) -> Result<bool, StoreError> {
        self.call("begin_import", |store| store.begin_import(tenant, now))
    }

    fn import(&self, tenant: &TenantId, records: &[ArchivedRecord]) -> Result<Vec<ArchivedUser>, StoreError> {
        self.call("import", |store| store.import(tenant, records))
    }

    fn finish_import(
        &self,
        tenant: &TenantId,
        is_active: bool,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.call("finish_import", |store| {
            store.finish_import(tenant, is_active, actor, now)
        })
    }

    fn abandon_import(&self, tenant: &TenantId) -> Result<bool, StoreError> {
        self.call("abandon_import", |store| store.abandon_import(tenant))
    }
}

impl<S: TenantEraseStore> TenantEraseStore for FailingStore<S> {
    fn erase_some(&self, tenant: &TenantId, limit: u32) -> Result<u64, StoreError> {
        self.call("erase_some", |store| store.erase_some(tenant, limit))
    }

    fn finish_erasure(
        &self,
        tenant: &TenantId,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<Option<ErasedTenant>, StoreError> {
        self.call("finish_erasure", |store| store.finish_erasure(tenant, actor, now))
    }

    fn erased_tenant(&self, tenant: &TenantId) -> Result<Option<ErasedTenant>, StoreError> {
        self.call("erased_tenant", |store| store.erased_tenant(tenant))
    }

    fn generations(&self, tenant: &TenantId) -> Result<Vec<Generation>, StoreError> {
        self.call("generations", |store| store.generations(tenant))
    }

    fn vacuum(&self) -> Result<(), StoreError> {
        self.call("vacuum", S::vacuum)
    }
}
