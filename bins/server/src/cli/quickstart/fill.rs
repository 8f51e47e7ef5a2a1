use std::io::Write;
use std::thread;
use std::time::Duration;

use tenantry_domain::{Cancellation, Job, JobState, Role, TenantScope};
use tenantry_retrieval::{NewFile, NewTenant, NewUser, SaveTenantError, Superuser, Worked};
use tenantry_tenant_store::{StoreError, SubmitOutcome};

use super::folder::Folder;
use super::samples::{SAMPLES, SUPERUSER, SUPERUSER_PASSWORD, Sample};
use crate::app::App;
use crate::cli::Failure;
use crate::cli::sources::heading;
use crate::startup::Platform;

/// How long it is between two looks for something to do.
const PAUSE: Duration = Duration::from_millis(200);

/// Makes what is not there yet: the superuser, the tenants, their users and documents.
pub(super) fn fill(platform: &Platform, folder: &Folder, out: &mut dyn Write) -> Result<(), Failure> {
    let app = &platform.app;
    let superuser = NewUser {
        email: SUPERUSER.to_owned(),
        password: folder.password(SUPERUSER_PASSWORD)?,
        is_superuser: true,
        tenant: None,
        role: Role::Member,
    };
    ensure_user(app, superuser)?;
    for sample in &SAMPLES {
        ensure_tenant(app, sample)?;
        let user = NewUser {
            email: sample.email.to_owned(),
            password: folder.password(sample.password)?,
            is_superuser: false,
            tenant: Some(sample.id()?),
            role: Role::Admin,
        };
        ensure_user(app, user)?;
        let scope = app
            .resolver
            .operator_scope(&Superuser::operator(), &sample.id()?)?;
        write!(out, "  {} ", sample.name)?;
        let new = ensure_documents(platform, &scope, sample, out)?;
        let all = sample.documents.len();
        writeln!(out, " {all} documents, {new} of them new")?;
    }
    Ok(())
}

fn ensure_user(app: &App, new: NewUser) -> Result<(), Failure> {
    let operator = Superuser::operator();
    if app.accounts.user_by_email(&operator, &new.email)?.is_none() {
        app.accounts.create(&operator, new)?;
    }
    Ok(())
}

fn ensure_tenant(app: &App, sample: &Sample) -> Result<(), Failure> {
    let new = NewTenant {
        system_prompt: Some(sample.prompt.to_owned()),
        ..NewTenant::named(sample.id()?, sample.name)
    };
    match app.tenants.create(&Superuser::operator(), new) {
        Ok(_) | Err(SaveTenantError::Store(StoreError::IdTaken)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Hands in the documents, which skips those that are there, and works until all are ready, a dot for each; gives the number of
/// new ones.
fn ensure_documents(
    platform: &Platform,
    scope: &TenantScope,
    sample: &Sample,
    out: &mut dyn Write,
) -> Result<usize, Failure> {
    let mut new = 0;
    for (name, text) in sample.documents {
        let file = NewFile {
            title: heading(text),
            file_name: Some(name.to_owned()),
            external_id: Some(name.to_owned()),
            ..NewFile::default()
        };
        let submitted = platform
            .app
            .knowledge
            .submit(scope, &file, &mut text.as_bytes())?;
        new += usize::from(submitted.outcome != SubmitOutcome::Unchanged);
        work_until_over(platform, scope, submitted.job)?;
        write!(out, ".")?;
        out.flush()?;
    }
    Ok(new)
}

fn work_until_over(platform: &Platform, scope: &TenantScope, mut job: Job) -> Result<(), Failure> {
    while !job.state.is_over() {
        // What an interrupted run began is free again once its lease has ended.
        if let Worked::Idle = platform
            .ingestor
            .run_one(Some(scope.id()), &Cancellation::new())?
        {
            thread::sleep(PAUSE);
        }
        let gone = || Failure::new("a document was removed while it was taken in");
        job = platform.app.knowledge.job(scope, job.id)?.ok_or_else(gone)?;
    }
    match job.state {
        JobState::Done => Ok(()),
        _ => Err(Failure::new(
            job.reason
                .unwrap_or_else(|| "a document was not taken in".to_owned()),
        )),
    }
}
