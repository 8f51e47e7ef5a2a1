//! Files and folders into a tenant's knowledge.

mod follow;

use std::fs::File;
use std::io::{self, Write};
use std::process;
use std::thread;
use std::time::Duration;

use actix_web::rt::System;
use actix_web::rt::signal::ctrl_c;
use tenantry_domain::{Cancellation, DocumentState, Page, TenantScope};
use tenantry_retrieval::{InvalidField, NewFile, SubmitError};
use tenantry_tenant_store::{DocumentFilter, JobFilter, SubmitOutcome, Submitted};

use super::ask::scope;
use super::sources::{self, Source};
use super::{Failure, IngestArgs, chain, guard_failure, open};
use crate::app::App;
use crate::config::{Environment, usual_workers};
use crate::startup::check_embeddings;
use crate::workers::Workers;
use follow::Follow;

/// How long workers may take to give back their jobs when the command is stopped.
const STOP: Duration = Duration::from_secs(10);
/// What shells give for a command that Ctrl+C ended.
const INTERRUPTED: i32 = 130;

/// Hands in the files and takes them in by workers of its own, beside those of any server. Everything that was handed in is
/// durable: killed and run again, it goes on.
pub(super) fn run(env: &Environment, args: &IngestArgs, out: &mut dyn Write) -> Result<(), Failure> {
    let platform = open(env)?;
    let app = &platform.app;
    let scope = scope(app, &args.tenant)?;
    check_embeddings(platform.store.as_ref(), &platform.embedders, Some(&args.tenant))
        .map_err(guard_failure)?;
    let found = sources::find(&args.paths);
    let count = args.workers.map_or_else(usual_workers, usize::from);
    let workers = Workers::start(
        &platform.ingestor,
        Some(&args.tenant),
        count,
        &app.wake,
        &platform.clock,
    )?;
    let stop = workers.stopping();
    stop_on_interrupt(stop.clone())?;
    let mut follow = Follow::new(app, &scope, found.len(), out);
    let done =
        hand_in(app, &scope, found, &stop, &mut follow).and_then(|()| follow.until_all_are_over(&stop));
    workers.stop(STOP);
    done?;
    follow.finish(stop.is_cancelled())
}

fn hand_in(
    app: &App,
    scope: &TenantScope,
    found: Vec<sources::Found>,
    stop: &Cancellation,
    follow: &mut Follow<'_>,
) -> Result<(), Failure> {
    for source in found {
        if stop.is_cancelled() {
            follow.leave();
            continue;
        }
        match source {
            // Without this a folder that is there already would be copied into the database once more, file by file.
            Ok(source) if is_there(app, scope, &source)? => follow.skip(&source.external_id)?,
            Ok(source) => match submit(app, scope, &source) {
                Ok(submitted)
                    if submitted.outcome == SubmitOutcome::Unchanged && submitted.job.state.is_over() =>
                {
                    follow.skip(&source.external_id)?;
                }
                Ok(submitted) => {
                    app.wake.wake();
                    follow.add(source.external_id, submitted.job.id);
                }
                Err(Refusal::File(reason)) => follow.fail(&source.external_id, &reason)?,
                Err(Refusal::All(failure)) => return Err(failure),
            },
            Err((path, reason)) => follow.fail(&path.to_string_lossy(), &reason)?,
        }
        follow.look_now_and_then()?;
    }
    Ok(())
}

/// Whether the file's document can be found, was made from the same bytes, and is not being changed.
fn is_there(app: &App, scope: &TenantScope, source: &Source) -> Result<bool, Failure> {
    let filter = DocumentFilter {
        state: Some(DocumentState::Ready),
        external_id: Some(source.external_id.clone()),
    };
    let known = app.knowledge.documents(scope, &filter, Page::default())?.items;
    let Some((id, hash)) = known
        .first()
        .and_then(|known| Some((known.id, known.content_hash?)))
    else {
        return Ok(false);
    };
    // Another version that is on its way would take the place of this one.
    let jobs = JobFilter {
        document: Some(id),
        state: None,
    };
    let jobs = app.knowledge.jobs(scope, &jobs, Page::default())?.items;
    if jobs.iter().any(|job| !job.state.is_over()) {
        return Ok(false);
    }
    // A file that cannot be read is told when it is handed in.
    Ok(sources::hash(&source.path).is_ok_and(|found| found == hash))
}

/// Why a file was not taken.
enum Refusal {
    /// For a reason of its own.
    File(String),
    /// No file would be.
    All(Failure),
}

fn submit(app: &App, scope: &TenantScope, source: &Source) -> Result<Submitted, Refusal> {
    let mut file = File::open(&source.path).map_err(|error| Refusal::File(error.to_string()))?;
    let new = NewFile {
        title: sources::title(&source.path),
        file_name: source
            .path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned()),
        external_id: Some(source.external_id.clone()),
        ..NewFile::default()
    };
    app.knowledge
        .submit(scope, &new, &mut file)
        .map_err(|error| match error {
            SubmitError::Store(_) | SubmitError::ReadOnly => Refusal::All(error.into()),
            // The field's name is one of HTTP.
            SubmitError::Invalid(InvalidField {
                field: "file",
                reason,
            }) => Refusal::File(format!("the file {reason}")),
            error => Refusal::File(chain(&error)),
        })
}

/// Has Ctrl+C stop the workers at their next step; a second one ends the command at once.
fn stop_on_interrupt(stop: Cancellation) -> io::Result<()> {
    let wait = move || {
        System::new().block_on(async move {
            // Without a handler Ctrl+C ends the process, which leaves the jobs as durable as ever.
            if ctrl_c().await.is_ok() {
                stop.cancel();
                if ctrl_c().await.is_ok() {
                    process::exit(INTERRUPTED);
                }
            }
        });
    };
    thread::Builder::new()
        .name("interrupt".to_owned())
        .spawn(wait)
        .map(drop)
}
