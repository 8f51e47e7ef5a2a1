use std::io::Write;

use tenantry_domain::Page;
use tenantry_tenant_store::JobFilter;

use super::ask::{scope, visible};
use super::{Failure, JobsArgs, open};
use crate::config::Environment;

/// Lists a tenant's newest jobs.
pub(super) fn run(env: &Environment, args: &JobsArgs, out: &mut dyn Write) -> Result<(), Failure> {
    let app = open(env)?.app;
    let scope = scope(&app, &args.tenant)?;
    let filter = JobFilter {
        state: args.state,
        document: None,
    };
    let jobs = app
        .knowledge
        .jobs(&scope, &filter, Page::new(Page::MAX_LIMIT, 0)?)?;
    for job in &jobs.items {
        let (id, document, kind, state) = (job.id, job.document, job.kind, job.state);
        let reason = job
            .reason
            .as_deref()
            .map(|reason| format!("  {}", visible(reason)));
        writeln!(
            out,
            "{id}  {kind:<6} {state:<9} {:<10} {:>3} %  document {document}{}",
            job.stage.as_str(),
            job.percent(),
            reason.unwrap_or_default()
        )?;
    }
    writeln!(out, "{} of {} jobs", jobs.items.len(), jobs.total)?;
    Ok(())
}
