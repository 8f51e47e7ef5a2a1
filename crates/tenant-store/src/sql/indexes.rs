use diesel::prelude::*;
use tenantry_domain::{
    Dimension, EmbeddingModel, Generation, Index, IndexState, TenantId, TenantScope, Timestamp,
};

use super::SqlStore;
use super::connection::AnyConnection;
use super::ledger::{SqlLedger, WorkError};
use super::rows::IndexRow;
use super::schema::{indexes, tenants};
use crate::ledger::{Entry, Indexes};
use crate::text::Texts;
use crate::{IndexStore, StoreError};

impl SqlStore {
    /// Changes a tenant's indexes while nobody else does, and while no version of a document is published.
    fn change_indexes<T>(
        &self,
        scope: &TenantScope,
        change: impl FnOnce(&mut Indexes) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.change(scope.id(), |ledger| {
            let before = read(load(ledger.conn, scope.id())?)?;
            let mut after = before.clone();
            let answer = change(&mut after)?;
            save(ledger, &before, &after)?;
            Ok(answer)
        })
    }
}

fn load(conn: &mut AnyConnection, tenant: &TenantId) -> QueryResult<Vec<IndexRow>> {
    indexes::table
        .filter(indexes::tenant_id.eq(tenant.as_str()))
        .order(indexes::generation.asc())
        .select(IndexRow::as_select())
        .load(conn)
}

fn read(rows: Vec<IndexRow>) -> Result<Indexes, StoreError> {
    let entries = rows.into_iter().map(Entry::try_from);
    Ok(Indexes(entries.collect::<Result<_, _>>()?))
}

impl IndexStore for SqlStore {
    fn indexes(
        &self,
        scope: &TenantScope,
        model: Option<&EmbeddingModel>,
        at: Timestamp,
    ) -> Result<Vec<Index>, StoreError> {
        model.map_or(Ok(()), Texts::refuse_nul)?;
        let there = read(self.in_scope(scope, |conn| load(conn, scope.id()))?)?;
        if there.kept().next().is_some() {
            return Ok(there.kept().cloned().collect());
        }
        self.change_indexes(scope, |indexes| Ok(indexes.kept_or_first(model, at)))
    }

    fn set_dimension(
        &self,
        scope: &TenantScope,
        generation: Generation,
        dimension: Dimension,
    ) -> Result<bool, StoreError> {
        self.change_indexes(scope, |indexes| Ok(indexes.set_dimension(generation, dimension)))
    }

    fn begin_index(
        &self,
        scope: &TenantScope,
        model: Option<&EmbeddingModel>,
        at: Timestamp,
    ) -> Result<Index, StoreError> {
        model.map_or(Ok(()), Texts::refuse_nul)?;
        self.change_indexes(scope, |indexes| indexes.begin(model, at))
    }

    fn reopen_index(&self, scope: &TenantScope, generation: Generation) -> Result<bool, StoreError> {
        self.change_indexes(scope, |indexes| Ok(indexes.reopen(generation)))
    }

    fn switch_index(&self, scope: &TenantScope, generation: Generation) -> Result<bool, StoreError> {
        self.change_indexes(scope, |indexes| Ok(indexes.switch(generation)))
    }

    fn forget_index(&self, scope: &TenantScope, generation: Generation) -> Result<bool, StoreError> {
        self.change_indexes(scope, |indexes| Ok(indexes.forget(generation)))
    }

    fn indexes_in_use(&self) -> Result<Vec<(TenantId, Index)>, StoreError> {
        let used = [IndexState::Live.as_str(), IndexState::Building.as_str()];
        let query = indexes::table
            .inner_join(tenants::table)
            .filter(tenants::is_active.eq(true))
            .filter(indexes::state.eq_any(used))
            .order((indexes::tenant_id.asc(), indexes::generation.asc()))
            .select(IndexRow::as_select());
        let rows = self.run(|conn| query.load::<IndexRow>(conn))?;
        let in_use = |row: IndexRow| {
            let tenant = TenantId::parse(&row.tenant_id).map_err(|error| StoreError::Failed(error.into()))?;
            Ok((tenant, Entry::try_from(row)?.index))
        };
        rows.into_iter().map(in_use).collect()
    }
}

/// Writes what differs; the old live index leaves its place before the new one takes it.
fn save(ledger: &mut SqlLedger<'_>, before: &Indexes, after: &Indexes) -> Result<(), WorkError> {
    let mut changed: Vec<_> = after.0.iter().filter(|entry| !before.0.contains(entry)).collect();
    changed.sort_by_key(|entry| entry.index.state == IndexState::Live);
    for entry in changed {
        let row = IndexRow::new(ledger.tenant, entry);
        let key = (row.tenant_id.clone(), row.generation);
        let is_new = !before
            .0
            .iter()
            .any(|known| known.index.generation == entry.index.generation);
        if is_new {
            diesel::insert_into(indexes::table)
                .values(row)
                .execute(ledger.conn)?;
        } else {
            diesel::update(indexes::table.find(key))
                .set(row)
                .execute(ledger.conn)?;
        }
    }
    Ok(())
}
