//! The keys that seal tenants' secrets, and those that sign tokens.

use std::sync::{Arc, Mutex, PoisonError};

use tenantry_crypto::KeyRing;
use tenantry_domain::{Actor, Sealed, SystemClock, TenantId, Timestamp};
use tenantry_retrieval::{KeyReport, KeyRole, Secrets};
use tenantry_tenant_store::{
    KeyState, KeyStateStore, SealedValue, SecretKind, SecretSample, SqlStore, StoreError,
};

use super::report::Report;
use crate::config::{Environment, SecretKeys};
use crate::logging::chain;
use crate::startup::open_keys;

const CHECK: &str = "keys";

/// Opens the keys as a server would, without leaving anything behind, and looks at what they seal.
pub(super) fn check(
    store: &Arc<SqlStore>,
    keys: SecretKeys,
    env: &Environment,
    report: &mut Report,
) -> Option<Arc<KeyRing>> {
    let only_read = Arc::new(OnlyRead::new(store.clone()));
    let clock = Arc::new(SystemClock);
    let ring = match open_keys(only_read.as_ref(), keys, clock.as_ref()) {
        Ok(ring) => ring,
        Err(error) => {
            report.problem(
                CHECK,
                chain(&error),
                "no server starts on this database with these keys; docs/security.md tells how keys and backups belong together",
            );
            return None;
        }
    };
    let secrets = Secrets::new(only_read, ring.clone(), clock);
    match secrets.status() {
        Ok(status) => judge(&status, report),
        Err(error) => report.problem(CHECK, chain(&error), "see the database's log"),
    }
    opens(&secrets, report);
    if env
        .get("JWT_SECRET_KEY_PREVIOUS")
        .is_some_and(|keys| !keys.is_empty())
    {
        report.warning(
            CHECK,
            "tokens of an earlier JWT_SECRET_KEY are still taken",
            "take it out of JWT_SECRET_KEY_PREVIOUS, ACCESS_TOKEN_EXPIRE_MINUTES after the last server was given the new one",
        );
    }
    Some(ring)
}

fn judge(status: &KeyReport, report: &mut Report) {
    for key in status.of(KeyRole::Active) {
        let (key, secrets) = (key.key, key.secrets);
        report.ok(
            CHECK,
            format_args!("{key} seals, and has sealed {secrets} secrets"),
        );
    }
    if status.left() > 0 {
        report.warning(
            CHECK,
            format_args!("{} secrets are still sealed with an earlier key", status.left()),
            "`tenantry secrets rotate`, once every server has the new SECRET_KEY",
        );
    }
    for key in status.retired() {
        report.warning(
            CHECK,
            format_args!("the previous key {} is not needed any more", key.key),
            "take it out of SECRET_KEY_PREVIOUS, once it is no server's SECRET_KEY",
        );
    }
    if status.malformed > 0 {
        report.problem(
            CHECK,
            format_args!("{} stored secrets are not sealed", status.malformed),
            "`tenantry secrets verify` names their tenants; have them set again",
        );
    }
}

fn opens(secrets: &Secrets, report: &mut Report) {
    match secrets.verify() {
        Ok(found) if found.unopened.is_empty() => {
            report.ok(CHECK, format_args!("all {} secrets open", found.opened));
        }
        Ok(found) => report.problem(
            CHECK,
            format_args!("{} secrets do not open", found.unopened.len()),
            "`tenantry secrets verify` names them; their tenants cannot use what they are for until they are set again",
        ),
        Err(error) => report.problem(CHECK, chain(&error), "see the database's log"),
    }
}

/// A store that remembers what it is told for as long as it lives, and changes nothing.
struct OnlyRead {
    store: Arc<SqlStore>,
    added: Mutex<Vec<KeyState>>,
}

impl OnlyRead {
    fn new(store: Arc<SqlStore>) -> Self {
        Self {
            store,
            added: Mutex::default(),
        }
    }
}

impl KeyStateStore for OnlyRead {
    fn key_states(&self) -> Result<Vec<KeyState>, StoreError> {
        let mut states = self.store.key_states()?;
        let added = self.added.lock().unwrap_or_else(PoisonError::into_inner);
        states.extend(added.iter().cloned());
        Ok(states)
    }

    fn remember_key(&self, state: &KeyState) -> Result<(), StoreError> {
        let is_known = self
            .key_states()?
            .iter()
            .any(|known| known.key_id == state.key_id);
        if !is_known {
            let mut added = self.added.lock().unwrap_or_else(PoisonError::into_inner);
            added.push(state.clone());
        }
        Ok(())
    }

    fn secrets_by_key(&self) -> Result<Vec<SecretSample>, StoreError> {
        self.store.secrets_by_key()
    }

    fn sealed_values(
        &self,
        after: Option<&(TenantId, SecretKind)>,
        limit: u16,
    ) -> Result<Vec<SealedValue>, StoreError> {
        self.store.sealed_values(after, limit)
    }

    fn reseal(&self, _: &SealedValue, _: &Sealed, _: &Actor, _: Timestamp) -> Result<bool, StoreError> {
        Ok(false)
    }

    fn forget_key(&self, _: &str) -> Result<bool, StoreError> {
        Ok(false)
    }
}
