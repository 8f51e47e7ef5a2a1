use std::fmt;
use std::sync::Arc;

use tenantry_domain::{Clock, EmbeddingModel, Generation, Index, IndexState, TenantScope};
use tenantry_tenant_store::StoreError;

use crate::{
    Collections, Embedders, IndexError, OwnCollection, Reconciler, RepairProgress, UnknownEmbeddingModel,
};

/// Why an index was not built, or not gone back to.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReindexError {
    /// An index of another model is being built.
    #[error("an index of another model, {}, is being built", named(.0.as_ref()))]
    OtherBuilding(Option<EmbeddingModel>),
    /// There is no index to go back to.
    #[error("there is no earlier index to go back to")]
    NoEarlier,
    /// Somebody else switched, forgot or began an index meanwhile.
    #[error("the tenant's indexes were changed meanwhile")]
    Changed,
    /// Documents changed faster than they were written.
    #[error("the index still differs from the records in {0} versions")]
    Unequal(usize),
    /// The tenant wants a model that is not configured.
    #[error(transparent)]
    UnknownModel(#[from] UnknownEmbeddingModel),
    /// The chunks could not be written or removed.
    #[error(transparent)]
    Index(#[from] IndexError),
}

/// What is being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReindexProgress {
    /// The index that is filled.
    pub generation: Generation,
    /// How far it has come.
    pub repair: RepairProgress,
}

/// What was switched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reindexed {
    /// The index that is searched now.
    pub live: Index,
    /// The one that was searched before, kept to go back to.
    pub retired: Index,
    /// Versions that were written.
    pub written: u64,
}

/// Builds a tenant's index anew beside the one that is searched, switches, and goes back.
///
/// Answers come from the live index until the switch, which is one step in the record store. New documents go into both
/// from the moment the second one is begun. Killed at any point and run again, it goes on where it was.
pub struct Reindexer {
    reconciler: Arc<Reconciler>,
    collections: Arc<Collections>,
    embedders: Arc<Embedders>,
    clock: Arc<dyn Clock>,
}

impl Reindexer {
    /// A reindexer that fills indexes as `reconciler` repairs them.
    pub fn new(
        reconciler: Arc<Reconciler>,
        collections: Arc<Collections>,
        embedders: Arc<Embedders>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            reconciler,
            collections,
            embedders,
            clock,
        }
    }

    /// Whether the tenant's live index was made by another model than its settings, or the server's, want now.
    ///
    /// # Errors
    /// [`ReindexError::UnknownModel`] when the model that is wanted is not configured; else when a store fails.
    pub fn is_outdated(&self, scope: &TenantScope) -> Result<bool, ReindexError> {
        let wanted = self.wanted(scope)?;
        let indexes = self
            .collections
            .records()
            .indexes(scope, wanted.as_ref(), self.clock.now())
            .map_err(IndexError::from)?;
        let live = indexes.iter().find(|index| index.state == IndexState::Live);
        Ok(!live.is_some_and(|index| match (&index.model, &wanted) {
            (Some(made), Some(wanted)) => wanted.is_same_space(made),
            (None, None) => true,
            _ => false,
        }))
    }

    /// Builds an index by the model that the tenant wants from the stored text, and switches to it. The one that was live is kept to go
    /// back to; one that was kept before is removed.
    ///
    /// # Errors
    /// [`ReindexError::UnknownModel`] when the model that is wanted is not configured; [`ReindexError::OtherBuilding`] when an
    /// index of another model was begun and not finished ([`Reindexer::abandon`] removes it); [`ReindexError::Unequal`] when documents change faster than they are written; else
    /// when a store or the embedder fails.
    pub fn build(
        &self,
        scope: &TenantScope,
        on_progress: &mut dyn FnMut(ReindexProgress),
    ) -> Result<Reindexed, ReindexError> {
        let model = self.wanted(scope)?;
        let collection = self.open(scope)?;
        let begun = self
            .collections
            .records()
            .begin_index(scope, model.as_ref(), self.clock.now());
        let building = match begun {
            Ok(index) => index,
            Err(StoreError::IdTaken) => {
                let other = self.open(scope)?.building().and_then(|index| index.model.clone());
                return Err(ReindexError::OtherBuilding(other));
            }
            Err(error) => return Err(IndexError::from(error).into()),
        };
        self.forget(scope, &collection, collection.retired())?;
        self.fill_and_switch(scope, &building, on_progress)
    }

    /// Brings the index that was live before up to date, by its own model, and switches to it.
    ///
    /// # Errors
    /// [`ReindexError::NoEarlier`] when none is kept, [`IndexError::Mismatch`] when its model is not configured; else as
    /// [`Reindexer::build`].
    pub fn back(
        &self,
        scope: &TenantScope,
        on_progress: &mut dyn FnMut(ReindexProgress),
    ) -> Result<Reindexed, ReindexError> {
        let collection = self.open(scope)?;
        let reopened = collection
            .building()
            .filter(|index| index.generation < collection.live().generation);
        let earlier = match (reopened, collection.building()) {
            // An earlier call of this was interrupted.
            (Some(reopened), _) => reopened,
            (None, Some(other)) => return Err(ReindexError::OtherBuilding(other.model.clone())),
            (None, None) => collection.retired().last().ok_or(ReindexError::NoEarlier)?,
        };
        self.embedders.of(earlier).map_err(IndexError::from)?;
        if reopened.is_none()
            && !self
                .collections
                .records()
                .reopen_index(scope, earlier.generation)
                .map_err(IndexError::from)?
        {
            return Err(ReindexError::Changed);
        }
        self.fill_and_switch(scope, earlier, on_progress)
    }

    /// Removes the index that was begun and is not finished; `false` when there is none.
    ///
    /// # Errors
    /// When a store fails; the same call again completes it.
    pub fn abandon(&self, scope: &TenantScope) -> Result<bool, ReindexError> {
        let collection = self.open(scope)?;
        Ok(self.forget(scope, &collection, collection.building().into_iter())? > 0)
    }

    /// Removes the indexes that are kept to go back to, and gives their number.
    ///
    /// # Errors
    /// When a store fails; the same call again completes it.
    pub fn drop_retired(&self, scope: &TenantScope) -> Result<u64, ReindexError> {
        let collection = self.open(scope)?;
        self.forget(scope, &collection, collection.retired())
    }

    fn fill_and_switch(
        &self,
        scope: &TenantScope,
        building: &Index,
        on_progress: &mut dyn FnMut(ReindexProgress),
    ) -> Result<Reindexed, ReindexError> {
        let generation = building.generation;
        let mut written = self.fill(scope, generation, on_progress)?;
        let before = self.open(scope)?.live().clone();
        let switched = self
            .collections
            .records()
            .switch_index(scope, generation)
            .map_err(IndexError::from)?;
        if !switched {
            return Err(ReindexError::Changed);
        }
        // What a worker published between the last look and the switch.
        written += self.fill(scope, generation, on_progress)?;
        Ok(Reindexed {
            live: self.open(scope)?.live().clone(),
            retired: before,
            written,
        })
    }

    /// Makes the index equal to the records.
    fn fill(
        &self,
        scope: &TenantScope,
        generation: Generation,
        on_progress: &mut dyn FnMut(ReindexProgress),
    ) -> Result<u64, ReindexError> {
        let wanted = |index: &Index| index.generation == generation;
        let repaired = self.reconciler.repair_where(scope, &wanted, &mut |repair| {
            on_progress(ReindexProgress { generation, repair });
        })?;
        match repaired.left.total() {
            0 => Ok(repaired.written),
            left => Err(ReindexError::Unequal(left)),
        }
    }

    /// Removes indexes that are not live: what is in them first, so that a failure leaves them to be removed again.
    fn forget<'i>(
        &self,
        scope: &TenantScope,
        collection: &OwnCollection,
        indexes: impl Iterator<Item = &'i Index>,
    ) -> Result<u64, ReindexError> {
        let mut forgotten = 0;
        for index in indexes {
            let generation = index.generation;
            collection
                .store
                .clear(scope.index(generation))
                .map_err(IndexError::from)?;
            let done = self
                .collections
                .records()
                .forget_index(scope, generation)
                .map_err(IndexError::from)?;
            // A worker that still knew it may have written to it since.
            collection
                .store
                .clear(scope.index(generation))
                .map_err(IndexError::from)?;
            forgotten += u64::from(done);
        }
        Ok(forgotten)
    }

    fn wanted(&self, scope: &TenantScope) -> Result<Option<EmbeddingModel>, ReindexError> {
        let wanted = self.embedders.wanted(scope.tenant())?;
        Ok(wanted.map(|embedder| embedder.identity()))
    }

    fn open(&self, scope: &TenantScope) -> Result<OwnCollection, ReindexError> {
        Ok(self.collections.own(scope).map_err(IndexError::from)?)
    }
}

fn named(model: Option<&EmbeddingModel>) -> String {
    model.map_or_else(|| "none".to_owned(), ToString::to_string)
}

impl fmt::Debug for Reindexer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reindexer").finish_non_exhaustive()
    }
}
