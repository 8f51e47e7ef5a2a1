use std::sync::Arc;

use tenantry_crypto::{KeyRing, Sealer};
use tenantry_tenant_store::{KeyStateStore, MigrateError, SqlStore, StoreError};

use crate::app::Readiness;

/// The database answers, has the tables of this version, and knows the key that this server seals with.
pub(super) struct Ready {
    store: Arc<SqlStore>,
    keys: Arc<KeyRing>,
}

impl Ready {
    pub(super) fn new(store: &Arc<SqlStore>, keys: &Arc<KeyRing>) -> Self {
        Self {
            store: store.clone(),
            keys: keys.clone(),
        }
    }
}

impl Readiness for Ready {
    fn check(&self) -> Result<(), StoreError> {
        match self.store.pending() {
            Ok(pending) if pending.is_empty() => {}
            Ok(_) => return Err(StoreError::Failed("migrations are pending".into())),
            Err(MigrateError::Store(error)) => return Err(error),
            Err(error) => return Err(StoreError::Failed(error.into())),
        }
        let active = self.keys.active_key();
        let known =
            self.store.key_states()?.into_iter().any(|state| {
                state.key_id == active.to_string() && self.keys.opens_canary(active, &state.canary)
            });
        if known {
            Ok(())
        } else {
            Err(StoreError::Failed("the database does not know SECRET_KEY".into()))
        }
    }
}
