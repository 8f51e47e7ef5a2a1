use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::Path;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tenantry_retrieval::{
    ArchiveFault, ArchiveLimits, ExportError, Exporter, ImportError, ImportParts, ImportProgress, Imported,
    Importer, Superuser,
};

use super::unknown;
use crate::cli::ask::visible;
use crate::cli::{ExportTenant, Failure, ImportTenant};
use crate::startup::Platform;

/// Writes a tenant's archive into a new file that its owner alone may read.
pub(super) fn export(platform: &Platform, args: &ExportTenant, out: &mut dyn Write) -> Result<(), Failure> {
    let exporter = Exporter::new(
        platform.store.clone(),
        platform.store.clone(),
        platform.clock.clone(),
    );
    let file = make(&args.out)?;
    let written = write(&exporter, args, file, out);
    if written.is_err() {
        // Half an archive is none, and would be in the way of the next try.
        let _ = fs::remove_file(&args.out);
    }
    written
}

fn write(from: &Exporter, args: &ExportTenant, file: File, out: &mut dyn Write) -> Result<(), Failure> {
    let mut to = BufWriter::new(file);
    let bar = spinner();
    let written = from.export(&Superuser::operator(), &args.tenant, &mut to, &mut |records| {
        bar.set_message(format!("{records} records"));
    });
    bar.finish_and_clear();
    let exported = written.map_err(|error| match error {
        ExportError::UnknownTenant => unknown(&args.tenant),
        error => error.into(),
    })?;
    let file = to.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.sync_all()?;
    let counts: Vec<_> = exported
        .counts
        .iter()
        .map(|(kind, count)| format!("{count} {kind}"))
        .collect();
    writeln!(
        out,
        "{} is in {}: {}",
        args.tenant,
        args.out.display(),
        counts.join(", ")
    )?;
    if exported.unfinished_documents > 0 {
        writeln!(
            out,
            "left out, because they are still being taken in: {} documents",
            exported.unfinished_documents
        )?;
    }
    Ok(())
}

/// Makes the file, which must not be there.
fn make(path: &Path) -> Result<File, Failure> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map_err(|error| {
        let failure = Failure::new(format!("cannot make {}: {error}", path.display()));
        match error.kind() {
            io::ErrorKind::AlreadyExists => failure.hint("an archive is written into a file of its own"),
            _ => failure,
        }
    })
}

/// Makes a tenant of an archive.
pub(super) fn import(platform: &Platform, args: &ImportTenant, out: &mut dyn Write) -> Result<(), Failure> {
    let mut file = File::open(&args.file)
        .map_err(|error| Failure::new(format!("cannot read {}: {error}", args.file.display())))?;
    let parts = ImportParts {
        store: platform.store.clone(),
        erase: platform.store.clone(),
        collections: platform.collections.clone(),
        reconciler: platform.reconciler.clone(),
        resolver: platform.app.resolver.clone(),
        clock: platform.clock.clone(),
    };
    let bar = spinner();
    let made = Importer::new(parts, ArchiveLimits::default()).import(
        &Superuser::operator(),
        &mut file,
        args.id.as_ref(),
        &mut |progress| {
            bar.set_message(match progress {
                ImportProgress::Checked(lines) => format!("checked {lines} lines"),
                ImportProgress::Written(records) => format!("wrote {records} records"),
                ImportProgress::Indexed(done, total) => format!("indexed {done} of {total} documents"),
            });
        },
    );
    bar.finish_and_clear();
    let imported = made.map_err(|error| match error {
        ImportError::IdTaken => Failure::from(error).hint("`--as ID` makes a tenant of another id"),
        ImportError::Archive(fault @ ArchiveFault::Version(_)) => Failure::from(fault)
            .hint("nothing was made of it; the version of tenantry that wrote it reads it"),
        ImportError::Archive(fault) => Failure::from(fault)
            .hint("nothing was made of it; give a whole file of `tenantry tenant export`, copied anew"),
        error => error.into(),
    })?;
    tell(&imported, out)
}

fn tell(imported: &Imported, out: &mut dyn Write) -> Result<(), Failure> {
    let count = |kind: &str| imported.counts.get(kind).copied().unwrap_or(0);
    let counts: Vec<_> = imported
        .counts
        .iter()
        .map(|(kind, count)| format!("{count} {kind}"))
        .collect();
    let state = if imported.is_active { "active" } else { "inactive" };
    writeln!(
        out,
        "{} is there and {state}; its archive has {}",
        imported.tenant,
        counts.join(", ")
    )?;
    if count("user") > 0 {
        writeln!(
            out,
            "its users have no password: `tenantry user reset --email ...` gives each a link to set one"
        )?;
    }
    for email in &imported.users_left_out {
        let email = visible(email.as_str());
        writeln!(
            out,
            "left out: {email}, whose address or id somebody has; their conversations are kept under the same owner"
        )?;
    }
    if count("api_key") > 0 {
        writeln!(
            out,
            "left out: its API keys, whose secrets are in no archive; make new ones"
        )?;
    }
    if count("identity_provider") > 0 {
        writeln!(
            out,
            "switched off: its identity providers, for an admin to look at first"
        )?;
    }
    if imported.audit_left_out && count("audit") > 0 {
        writeln!(
            out,
            "left out: its audit log, which is another tenant's under this id"
        )?;
    }
    Ok(())
}

/// Says on a terminal how far something has come, nothing elsewhere.
pub(super) fn spinner() -> ProgressBar {
    let bar = ProgressBar::new_spinner();
    if !io::stderr().is_terminal() {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}
