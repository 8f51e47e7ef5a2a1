use std::fmt;
use std::sync::Arc;

use tenantry_domain::{ExternalIndex, Index, IndexState};
use tenantry_vector_client::{RecordIndex, VectorStore};

/// What holds a tenant's chunks.
#[derive(Debug, Clone)]
pub enum Collection {
    /// Indexes that are filled from the tenant's documents.
    Own(OwnCollection),
    /// An index that another tool fills.
    External(ExternalCollection),
}

/// The indexes that are filled from a tenant's documents, as they were when the collection was opened.
#[derive(Clone)]
pub struct OwnCollection {
    pub(crate) store: Arc<dyn VectorStore>,
    indexes: Vec<Index>,
    live: Index,
}

impl OwnCollection {
    /// `None` when none of the indexes is live.
    pub(crate) fn new(store: Arc<dyn VectorStore>, indexes: Vec<Index>) -> Option<Self> {
        let live = indexes
            .iter()
            .find(|index| index.state == IndexState::Live)?
            .clone();
        Some(Self { store, indexes, live })
    }

    /// The store that they are in.
    pub fn store(&self) -> &Arc<dyn VectorStore> {
        &self.store
    }

    /// The index that is searched.
    pub fn live(&self) -> &Index {
        &self.live
    }

    /// The index that is being built beside it, if any.
    pub fn building(&self) -> Option<&Index> {
        self.indexes
            .iter()
            .find(|index| index.state == IndexState::Building)
    }

    /// The indexes that new documents go into: the live one, and the one that is being built.
    pub fn active(&self) -> impl Iterator<Item = &Index> {
        std::iter::once(&self.live).chain(self.building())
    }

    /// The indexes that are kept to go back to.
    pub fn retired(&self) -> impl Iterator<Item = &Index> {
        self.indexes
            .iter()
            .filter(|index| index.state == IndexState::Retired)
    }

    /// Every index.
    pub fn all(&self) -> &[Index] {
        &self.indexes
    }
}

impl fmt::Debug for OwnCollection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnCollection")
            .field("indexes", &self.indexes)
            .finish_non_exhaustive()
    }
}

/// An index that another tool fills, and how it is read.
#[derive(Clone)]
pub struct ExternalCollection {
    pub(crate) index: Arc<dyn RecordIndex>,
    pub(crate) settings: ExternalIndex,
}

impl ExternalCollection {
    pub(crate) fn new(index: Arc<dyn RecordIndex>, settings: ExternalIndex) -> Self {
        Self { index, settings }
    }

    /// The index.
    pub fn index(&self) -> &Arc<dyn RecordIndex> {
        &self.index
    }

    /// How it is read.
    pub fn settings(&self) -> &ExternalIndex {
        &self.settings
    }
}

impl fmt::Debug for ExternalCollection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExternalCollection")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
