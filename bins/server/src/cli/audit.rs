use std::io::Write;

use tenantry_retrieval::{AuditLogs, Superuser, VerifiedLog};
use tenantry_tenant_store::{AuditFilter, AuditHead, AuditLog};

use super::args::{AuditCommand, ExportAudit, NotedEnd, VerifyAudit};
use super::{Failure, open};
use crate::config::Environment;
use crate::routes::AuditEntryView;

/// Verifies audit logs, or writes them out.
pub(super) fn run(env: &Environment, command: AuditCommand, out: &mut dyn Write) -> Result<(), Failure> {
    let logs = AuditLogs::new(open(env)?.store);
    match command {
        AuditCommand::Verify(args) => verify(&logs, args, out),
        AuditCommand::Export(args) => export(&logs, args, out),
    }
}

fn verify(logs: &AuditLogs, args: VerifyAudit, out: &mut dyn Write) -> Result<(), Failure> {
    let chosen = match args.tenant {
        Some(log) => vec![log],
        None => logs.logs(&Superuser::operator())?,
    };
    let noted = args.noted.map(|NotedEnd(end)| end);
    let mut faults = Vec::new();
    for log in &chosen {
        let verified = logs.verify(log, noted)?;
        if verified.fault.is_none() && verified.end.number == 0 && matches!(log, AuditLog::Tenant(_)) {
            return Err(empty(log));
        }
        writeln!(out, "{}", told(&verified))?;
        if let Some(fault) = verified.fault {
            faults.push(format!("{}: {fault}", name(log)));
        }
    }
    if faults.is_empty() {
        return Ok(());
    }
    let hint = "compare with a backup: entries before the first wrong one are as they were entered, those after it are not proven";
    Err(Failure::new(faults.join("; ")).hint(hint))
}

/// A tenant's log begins when the tenant is made, so that an empty one is a mistyped id, or nothing to be content with.
fn empty(log: &AuditLog) -> Failure {
    Failure::new(format!("{} has no audit log", name(log)))
        .hint("`tenantry tenant list` shows the tenants; the log of an erased one went with it, and the platform's (`--tenant -`) tells so")
}

fn told(verified: &VerifiedLog) -> String {
    let AuditHead { number, hash } = verified.end;
    let log = name(&verified.log);
    match &verified.fault {
        None => format!("{log}: {number} entries, as they were entered; the end is {number}:{hash}"),
        Some(fault) => format!("{log}: {fault}; {number} entries before it are as they were entered"),
    }
}

fn name(log: &AuditLog) -> String {
    match log {
        AuditLog::Platform => "the platform".to_owned(),
        AuditLog::Tenant(id) => id.to_string(),
    }
}

fn export(logs: &AuditLogs, args: ExportAudit, out: &mut dyn Write) -> Result<(), Failure> {
    let filter = AuditFilter {
        log: args.tenant,
        actor: args.actor,
        action: args.action,
        target: args.target,
        from: args.from,
        until: args.until,
    };
    let mut last = None;
    loop {
        let piece = logs.export_all(&Superuser::operator(), &filter, last.as_ref())?;
        let Some(end) = piece.last().cloned() else {
            return Ok(out.flush()?);
        };
        for entry in piece {
            out.write_all(AuditEntryView::from(entry).line().as_bytes())?;
        }
        last = Some(end);
    }
}
