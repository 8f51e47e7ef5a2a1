use std::time::Duration;

use actix_web::web::{Bytes, Data, Json, ReqData};
use actix_web::{HttpResponse, get, post};
use serde::Deserialize;
use tenantry_domain::{DocumentId, Job, JobId, JobState};
use tenantry_tenant_store::JobFilter;
use tokio::time::{sleep, timeout};

use utoipa_actix_web::service_config::ServiceConfig;

mod wire;

pub(super) use wire::JobView;

use super::wire::Listing;
use crate::error::{ApiError, Code};
use crate::extract::{CurrentTenant, Ingest, PageParams, Params, PathId, RequestId};
use crate::limits::HttpSettings;
use crate::offload::Class;
use crate::sse::{Feeder, event, feed};

/// How long it is to the next look at a job that somebody watches and that has just changed.
const FIRST_LOOK: Duration = Duration::from_millis(50);
/// How long it is at most.
const LAST_LOOK: Duration = Duration::from_secs(1);

pub(super) fn configure(config: &mut ServiceConfig<'_>) {
    config
        .service(list_jobs)
        .service(show_job)
        .service(watch_job)
        .service(cancel_job);
}

/// Which jobs to list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListParams {
    /// Only those of this state: `queued`, `running`, `done`, `failed` or `cancelled`.
    state: Option<String>,
    /// Only those on this document.
    document_id: Option<String>,
    /// How many entries at most: 1 to 100, else 50.
    limit: Option<u32>,
    /// How many entries to skip.
    offset: Option<u32>,
}

impl ListParams {
    fn filter(&self) -> Result<JobFilter, ApiError> {
        let wrong = |told: &'static str| ApiError::new(Code::InvalidRequest).saying(told);
        let state = self.state.as_deref().map(str::parse::<JobState>).transpose();
        let document = self
            .document_id
            .as_deref()
            .map(str::parse::<DocumentId>)
            .transpose();
        Ok(JobFilter {
            state: state
                .map_err(|_| wrong("`state` is none of queued, running, done, failed and cancelled"))?,
            document: document.map_err(|_| wrong("`document_id` is not an id"))?,
        })
    }
}

/// Lists the tenant's jobs, newest first.
#[utoipa::path(
    tag = "Knowledge",
    security(("bearer" = [])),
    extensions(("x-tenantry-access" = json!("ingest"))),
    params(ListParams),
    responses((status = 200, description = "A page of the jobs", body = Listing<JobView>))
)]
#[get("/jobs")]
async fn list_jobs(
    tenant: CurrentTenant<Ingest>,
    params: Params<ListParams>,
) -> Result<Json<Listing<JobView>>, ApiError> {
    let filter = params.0.filter()?;
    let page = PageParams::new(params.0.limit, params.0.offset).page()?;
    let jobs = tenant.run(Class::Store, move |app, scope| {
        app.knowledge.jobs(scope, &filter, page)
    });
    Ok(Json(Listing::of(jobs.await?, JobView::from)))
}

/// Shows a job.
#[utoipa::path(
    tag = "Knowledge",
    security(("bearer" = [])),
    extensions(("x-tenantry-access" = json!("ingest"))),
    params(("id" = String, Path, description = "The job's id")),
    responses((status = 200, description = "The job", body = JobView))
)]
#[get("/jobs/{id}")]
async fn show_job(tenant: CurrentTenant<Ingest>, id: PathId) -> Result<Json<JobView>, ApiError> {
    Ok(Json(look(&tenant, id.parse()?).await?))
}

/// Asks for the end of a job that takes a document in.
///
/// One that is over, or a removal, stays as it is.
#[utoipa::path(
    tag = "Knowledge",
    security(("bearer" = [])),
    extensions(("x-tenantry-access" = json!("ingest"))),
    params(("id" = String, Path, description = "The job's id")),
    responses((status = 200, description = "The job as it is now", body = JobView))
)]
#[post("/jobs/{id}/cancel")]
async fn cancel_job(tenant: CurrentTenant<Ingest>, id: PathId) -> Result<Json<JobView>, ApiError> {
    let cancelled = tenant.run(Class::Store, move |app, scope| {
        let job = app.knowledge.cancel(scope, id.parse()?)?;
        app.wake.wake();
        job.ok_or_else(ApiError::not_found)
    });
    Ok(Json(cancelled.await?.into()))
}

/// Streams a job's progress as events.
///
/// `progress` comes at each change, and at the end `done`, each with the job; or `error`, when it can be watched no longer.
#[utoipa::path(
    tag = "Knowledge",
    security(("bearer" = [])),
    extensions(("x-tenantry-access" = json!("ingest"))),
    params(("id" = String, Path, description = "The job's id")),
    responses((status = 200, description = "The events", content((String = "text/event-stream"))))
)]
#[get("/jobs/{id}/events")]
async fn watch_job(
    tenant: CurrentTenant<Ingest>,
    id: PathId,
    settings: Data<HttpSettings>,
    request: ReqData<RequestId>,
) -> Result<HttpResponse, ApiError> {
    let id = id.parse()?;
    let job = look(&tenant, id).await?;
    let watching = tenant.offload().watcher(tenant.id()?).await?;
    let offload = tenant.offload().clone();
    Ok(feed(&offload, &settings, &request, move |feeder| async move {
        let _watching = watching;
        watch(&tenant, id, job, &feeder).await
    }))
}

/// Sends the job at each change, until it is over.
async fn watch(
    tenant: &CurrentTenant<Ingest>,
    id: JobId,
    mut job: JobView,
    feeder: &Feeder,
) -> Result<Bytes, ApiError> {
    while !job.is_over() {
        feeder.send(event("progress", &job)).await;
        let mut pause = FIRST_LOOK;
        job = loop {
            sleep(pause).await;
            let now = match look(tenant, id).await {
                // A removal that was done has removed itself too.
                Err(error) if error.is_not_found() && job.is_removal() => break job.done(),
                now => now?,
            };
            if now != job {
                break now;
            }
            pause = (pause * 2).min(LAST_LOOK);
        };
    }
    Ok(event("done", &job))
}

/// The job as it is now, for the caller as they are now.
async fn look(tenant: &CurrentTenant<Ingest>, id: JobId) -> Result<JobView, ApiError> {
    let job = tenant.run_again(Class::Store, move |app, scope| {
        app.knowledge.job(scope, id)?.ok_or_else(ApiError::not_found)
    });
    Ok(job.await?.into())
}

/// The job once it is over, or as it was last seen after `wait`; it goes on also when it can be watched no longer.
pub(super) async fn wait(tenant: &CurrentTenant<Ingest>, job: Job, wait: Duration) -> JobView {
    let (id, mut seen) = (job.id, JobView::from(job));
    if wait.is_zero() {
        return seen;
    }
    let watching = async {
        let _watching = tenant.offload().watcher(tenant.id()?).await?;
        let mut pause = FIRST_LOOK;
        while !seen.is_over() {
            sleep(pause).await;
            seen = look(tenant, id).await?;
            pause = (pause * 2).min(LAST_LOOK);
        }
        Ok::<_, ApiError>(())
    };
    // What went wrong with the watching says nothing of the job, which is known by its id.
    drop(timeout(wait, watching).await);
    seen
}

#[cfg(test)]
mod tests;
