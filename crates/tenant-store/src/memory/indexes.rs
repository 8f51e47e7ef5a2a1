use tenantry_domain::{
    Dimension, EmbeddingModel, Generation, Index, IndexState, TenantId, TenantScope, Timestamp,
};

use super::MemoryStore;
use crate::ledger::Indexes;
use crate::text::Texts;
use crate::{IndexStore, StoreError};

impl MemoryStore {
    fn change<T>(
        &self,
        scope: &TenantScope,
        change: impl FnOnce(&mut Indexes) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut records = self.records();
        change(records.indexes.entry(scope.id().clone()).or_default())
    }
}

impl IndexStore for MemoryStore {
    fn indexes(
        &self,
        scope: &TenantScope,
        model: Option<&EmbeddingModel>,
        at: Timestamp,
    ) -> Result<Vec<Index>, StoreError> {
        model.map_or(Ok(()), Texts::refuse_nul)?;
        self.records().refuse_unknown(scope.id())?;
        self.change(scope, |indexes| Ok(indexes.kept_or_first(model, at)))
    }

    fn set_dimension(
        &self,
        scope: &TenantScope,
        generation: Generation,
        dimension: Dimension,
    ) -> Result<bool, StoreError> {
        self.change(scope, |indexes| Ok(indexes.set_dimension(generation, dimension)))
    }

    fn begin_index(
        &self,
        scope: &TenantScope,
        model: Option<&EmbeddingModel>,
        at: Timestamp,
    ) -> Result<Index, StoreError> {
        model.map_or(Ok(()), Texts::refuse_nul)?;
        self.records().refuse_unknown(scope.id())?;
        self.change(scope, |indexes| indexes.begin(model, at))
    }

    fn reopen_index(&self, scope: &TenantScope, generation: Generation) -> Result<bool, StoreError> {
        self.change(scope, |indexes| Ok(indexes.reopen(generation)))
    }

    fn switch_index(&self, scope: &TenantScope, generation: Generation) -> Result<bool, StoreError> {
        self.change(scope, |indexes| Ok(indexes.switch(generation)))
    }

    fn forget_index(&self, scope: &TenantScope, generation: Generation) -> Result<bool, StoreError> {
        self.change(scope, |indexes| Ok(indexes.forget(generation)))
    }

    fn indexes_in_use(&self) -> Result<Vec<(TenantId, Index)>, StoreError> {
        let records = self.records();
        let active = records.tenants.values().filter(|tenant| tenant.is_active);
        Ok(active
            .filter_map(|tenant| Some((&tenant.id, records.indexes.get(&tenant.id)?)))
            .flat_map(|(id, indexes)| indexes.kept().map(|index| (id.clone(), index.clone())))
            .filter(|(_, index)| index.state != IndexState::Retired)
            .collect())
    }
}
