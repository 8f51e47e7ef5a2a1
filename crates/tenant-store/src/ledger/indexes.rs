use tenantry_domain::{Dimension, EmbeddingModel, Generation, Index, IndexState, Timestamp};

use crate::StoreError;

/// The indexes of one tenant, those that were forgotten included, so that no generation is given twice.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Indexes(pub(crate) Vec<Entry>);

/// An index, or what is left of a forgotten one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) index: Index,
    pub(crate) is_forgotten: bool,
}

/// Whether both are none or of one space.
fn same_model(one: Option<&EmbeddingModel>, other: Option<&EmbeddingModel>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => one.is_same_space(other),
        (None, None) => true,
        _ => false,
    }
}

impl Indexes {
    /// Those that were not forgotten, in the order of their generations.
    pub(crate) fn kept(&self) -> impl Iterator<Item = &Index> {
        self.0
            .iter()
            .filter(|entry| !entry.is_forgotten)
            .map(|entry| &entry.index)
    }

    /// Those that were not forgotten; where there are none, the first, live, by `model`.
    pub(crate) fn kept_or_first(&mut self, model: Option<&EmbeddingModel>, at: Timestamp) -> Vec<Index> {
        if self.kept().next().is_none() {
            self.add(model, IndexState::Live, at);
        }
        self.kept().cloned().collect()
    }

    fn of_state(&self, state: IndexState) -> Option<&Index> {
        self.kept().find(|index| index.state == state)
    }

    fn find(&mut self, generation: Generation, states: &[IndexState]) -> Option<&mut Entry> {
        self.0.iter_mut().find(|entry| {
            let index = &entry.index;
            !entry.is_forgotten && index.generation == generation && states.contains(&index.state)
        })
    }

    /// Adds the index after the last one.
    fn add(&mut self, model: Option<&EmbeddingModel>, state: IndexState, at: Timestamp) -> Index {
        let last = self.0.iter().map(|entry| entry.index.generation).max();
        let index = Index {
            generation: last.map_or(Generation::FIRST, Generation::next),
            model: model.cloned(),
            state,
            created_at: at,
        };
        self.0.push(Entry {
            index: index.clone(),
            is_forgotten: false,
        });
        index
    }

    /// See [`crate::IndexStore::begin_index`].
    pub(crate) fn begin(
        &mut self,
        model: Option<&EmbeddingModel>,
        at: Timestamp,
    ) -> Result<Index, StoreError> {
        match self.of_state(IndexState::Building) {
            Some(building) if same_model(building.model.as_ref(), model) => Ok(building.clone()),
            Some(_) => Err(StoreError::IdTaken),
            None => Ok(self.add(model, IndexState::Building, at)),
        }
    }

    /// See [`crate::IndexStore::set_dimension`].
    pub(crate) fn set_dimension(&mut self, generation: Generation, dimension: Dimension) -> bool {
        let found = self.find(generation, IndexState::ALL);
        match found.and_then(|entry| entry.index.model.as_mut()) {
            Some(model) => *model.dimension.get_or_insert(dimension) == dimension,
            None => false,
        }
    }

    /// See [`crate::IndexStore::reopen_index`].
    pub(crate) fn reopen(&mut self, generation: Generation) -> bool {
        if self.of_state(IndexState::Building).is_some() {
            return false;
        }
        let retired = self.find(generation, &[IndexState::Retired]);
        retired
            .map(|entry| entry.index.state = IndexState::Building)
            .is_some()
    }

    /// See [`crate::IndexStore::switch_index`].
    pub(crate) fn switch(&mut self, generation: Generation) -> bool {
        if self.find(generation, &[IndexState::Building]).is_none() {
            return false;
        }
        for entry in self.0.iter_mut().filter(|entry| !entry.is_forgotten) {
            if entry.index.generation == generation {
                entry.index.state = IndexState::Live;
            } else if entry.index.state == IndexState::Live {
                entry.index.state = IndexState::Retired;
            }
        }
        true
    }

    /// See [`crate::IndexStore::forget_index`].
    pub(crate) fn forget(&mut self, generation: Generation) -> bool {
        let found = self.find(generation, &[IndexState::Building, IndexState::Retired]);
        found.map(|entry| entry.is_forgotten = true).is_some()
    }
}
