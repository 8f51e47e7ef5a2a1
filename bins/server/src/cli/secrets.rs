use std::io::Write;

use tenantry_domain::{Actor, Principal};
use tenantry_retrieval::{KeyReport, KeyRole, KeyUse, RotateError, Rotation, Secrets};

use super::{Failure, RotateArgs, SecretsCommand, open};
use crate::config::Environment;
use crate::startup::Platform;

/// Tells about sealing keys and sealed secrets, and seals them with the key that is active now.
pub(super) fn run(env: &Environment, command: &SecretsCommand, out: &mut dyn Write) -> Result<(), Failure> {
    let Platform {
        store, keys, clock, ..
    } = open(env)?;
    let secrets = Secrets::new(store, keys, clock);
    match command {
        SecretsCommand::Status => status(&secrets.status()?, out),
        SecretsCommand::Rotate(args) => rotate(&secrets, args, out),
        SecretsCommand::Verify => verify(&secrets, out),
    }
}

fn status(report: &KeyReport, out: &mut dyn Write) -> Result<(), Failure> {
    for KeyUse {
        key, role, secrets, ..
    } in &report.keys
    {
        let role = match role {
            KeyRole::Active => "active",
            KeyRole::Previous => "previous",
            KeyRole::NotConfigured => "not configured",
        };
        writeln!(out, "{key}  {role:<15} {secrets} sealed")?;
    }
    if report.malformed > 0 {
        writeln!(
            out,
            "{} stored values are not sealed; `tenantry secrets verify` names their tenants",
            report.malformed
        )?;
    }
    advise(report, out)
}

/// What to do next, if anything.
fn advise(report: &KeyReport, out: &mut dyn Write) -> Result<(), Failure> {
    if report.left() > 0 {
        writeln!(
            out,
            "{} are not sealed with the active key: once it is the active one of every server, `tenantry secrets rotate` seals them \
             with it",
            report.left()
        )?;
    }
    for KeyUse { key, .. } in report.retired() {
        writeln!(
            out,
            "{key} is not needed any more: take it out of SECRET_KEY_PREVIOUS of every server, once it is no server's active key"
        )?;
    }
    let unused = report.of(KeyRole::NotConfigured);
    for KeyUse { key, .. } in unused.filter(|unused| unused.secrets == 0) {
        writeln!(
            out,
            "{key} is remembered and not needed: once no server has it, `tenantry secrets rotate --forget-unused` forgets it"
        )?;
    }
    Ok(())
}

fn rotate(secrets: &Secrets, args: &RotateArgs, out: &mut dyn Write) -> Result<(), Failure> {
    let actor = Actor::of(Principal::Operator);
    let done = secrets.rotate(&actor, |so_far| {
        // Who does not listen any more changes nothing of the work.
        let _ = writeln!(out, "{} sealed anew so far", so_far.total());
    });
    let Rotation { resealed, unopened } = done.map_err(explain)?;
    for (key, secrets) in &resealed {
        writeln!(out, "{secrets} that {key} had sealed are sealed anew")?;
    }
    if resealed.is_empty() {
        writeln!(out, "there was nothing to seal anew")?;
    }
    if args.forget_unused {
        for key in secrets.forget_unused()? {
            writeln!(out, "{key} is forgotten")?;
        }
    }
    for one in &unopened {
        writeln!(out, "{}: {}: {}", one.tenant, one.kind, one.reason)?;
    }
    status(&secrets.status()?, out)?;
    if unopened.is_empty() {
        return Ok(());
    }
    let message = format!(
        "{} were left as they are, because they do not open",
        unopened.len()
    );
    Err(Failure::new(message).hint("set them again, or have them cleared: nobody can read them any more"))
}

fn explain(error: RotateError) -> Failure {
    let hint = match &error {
        RotateError::KeyMissing(_) => "list the missing keys in SECRET_KEY_PREVIOUS; nothing was changed",
        RotateError::Overtaken(_) => {
            "some server still seals with another key: give all of them the new one, then call again"
        }
        _ => "what was sealed anew stays so; call again to go on",
    };
    Failure::from(error).hint(hint)
}

fn verify(secrets: &Secrets, out: &mut dyn Write) -> Result<(), Failure> {
    let found = secrets.verify()?;
    for one in &found.unopened {
        writeln!(out, "{}: {}: {}", one.tenant, one.kind, one.reason)?;
    }
    let failed = found.unopened.len();
    writeln!(out, "{} secrets open, {failed} do not", found.opened)?;
    if failed == 0 { Ok(()) } else { Err(Failure::told()) }
}
