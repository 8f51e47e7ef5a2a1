use std::io::{self, IsTerminal, Write};
use std::path::Path;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tenantry_domain::{Document, TenantScope};
use tenantry_retrieval::IngestProgress;

use super::ask::scope;
use super::{Failure, IngestArgs, chain, open, sources};
use crate::app::App;
use crate::config::Environment;

/// Takes files into a tenant's knowledge; one that cannot be read is skipped and told.
pub(super) fn run(env: &Environment, args: &IngestArgs, out: &mut dyn Write) -> Result<(), Failure> {
    let app = open(env)?.app;
    let scope = scope(&app, &args.tenant)?;
    let found = sources::find(&args.paths);
    let bar = progress_bar(found.len());
    let (mut taken, mut skipped) = (0_usize, 0_usize);
    for source in found {
        let outcome = match &source {
            Ok(path) => {
                bar.set_message(path.display().to_string());
                ingest(&app, &scope, path, &bar).map_err(|reason| (path.as_path(), reason))
            }
            Err((path, reason)) => Err((path.as_path(), reason.clone())),
        };
        let line = match outcome {
            Ok(document) => {
                taken += 1;
                format!("{}: {} chunks", document.title, document.chunks)
            }
            Err((path, reason)) => {
                skipped += 1;
                format!("skipped {}: {reason}", path.display())
            }
        };
        bar.suspend(|| writeln!(out, "{line}"))?;
        bar.inc(1);
    }
    bar.finish_and_clear();
    writeln!(out, "{taken} documents taken in, {skipped} files skipped")?;
    if skipped == 0 {
        Ok(())
    } else {
        Err(Failure::told())
    }
}

fn ingest(app: &App, scope: &TenantScope, path: &Path, bar: &ProgressBar) -> Result<Document, String> {
    let text = sources::read(path)?;
    let mut on_progress = |progress: IngestProgress| {
        bar.set_message(format!(
            "{} ({} of {} chunks)",
            path.display(),
            progress.done,
            progress.total
        ));
    };
    app.knowledge
        .ingest(scope, &text, &mut on_progress)
        .map_err(|error| chain(&error))
}

/// A bar on a terminal, nothing elsewhere: the lines that are written anyway are the progress then.
fn progress_bar(files: usize) -> ProgressBar {
    let bar = ProgressBar::new(u64::try_from(files).unwrap_or(u64::MAX));
    if !io::stderr().is_terminal() {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} {wide_msg}") {
        bar.set_style(style);
    }
    bar
}
