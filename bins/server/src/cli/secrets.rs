use std::collections::BTreeMap;
use std::io::Write;

use tenantry_crypto::{KeyId, Sealer};
use tenantry_tenant_store::{KeyStateStore, SecretKind};

use super::tenant::every;
use super::{Failure, SecretsCommand, open};
use crate::config::Environment;
use crate::startup::{Platform, SALT_ROW, field_of};

/// Tells about sealing keys and sealed secrets.
pub(super) fn run(env: &Environment, command: &SecretsCommand, out: &mut dyn Write) -> Result<(), Failure> {
    let platform = open(env)?;
    match command {
        SecretsCommand::Status => status(&platform, out),
        SecretsCommand::Verify => verify(&platform, out),
    }
}

fn status(platform: &Platform, out: &mut dyn Write) -> Result<(), Failure> {
    let keys = &platform.keys;
    let mut counts: BTreeMap<KeyId, u64> = keys.keys().map(|key| (key.id(), 0)).collect();
    for state in platform
        .store
        .key_states()?
        .iter()
        .filter(|state| state.key_id != SALT_ROW)
    {
        if let Ok(id) = state.key_id.parse() {
            counts.entry(id).or_default();
        }
    }
    let mut malformed = 0;
    for sample in platform.store.secrets_by_key()? {
        match keys.key_id(&sample.sealed) {
            Ok(id) => *counts.entry(id).or_default() += sample.secrets,
            Err(_) => malformed += sample.secrets,
        }
    }
    for (id, secrets) in counts {
        let role = match keys.key(id) {
            Some(_) if id == keys.active_key() => "active",
            Some(_) => "previous",
            None => "not configured",
        };
        writeln!(out, "{id}  {role:<15} {secrets} sealed")?;
    }
    if malformed > 0 {
        writeln!(
            out,
            "{malformed} stored values are not sealed; `tenantry secrets verify` names their tenants"
        )?;
    }
    Ok(())
}

fn verify(platform: &Platform, out: &mut dyn Write) -> Result<(), Failure> {
    let (mut opened, mut failed) = (0_u64, 0_u64);
    every(&platform.app, |tenant| {
        for kind in SecretKind::ALL {
            let Some(secret) = kind.of(tenant) else {
                continue;
            };
            match platform.keys.open(field_of(kind, &tenant.id), &secret.sealed) {
                Ok(_) => opened += 1,
                Err(reason) => {
                    failed += 1;
                    writeln!(out, "{}: {kind}: {reason}", tenant.id)?;
                }
            }
        }
        Ok(())
    })?;
    writeln!(out, "{opened} secrets open, {failed} do not")?;
    if failed == 0 { Ok(()) } else { Err(Failure::told()) }
}
