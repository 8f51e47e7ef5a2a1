use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header;
use actix_web::web::Json;
use actix_web::{HttpResponse, delete, get, post};
use serde::Deserialize;
use tenantry_domain::{Document, DocumentState};
use tenantry_tenant_store::{DocumentFilter, SubmitOutcome};

use utoipa_actix_web::service_config::ServiceConfig;

mod text;
mod wire;

use super::jobs;
use super::wire::Listing;
use crate::error::{ApiError, Code};
use crate::extract::{
    CurrentTenant, Ingest, NewDocument, NewDocumentForm, NewDocumentJson, PageParams, Params, PathId, Search,
};
use crate::offload::Class;
use wire::{DocumentView, DocumentWithText, SubmittedView};

/// The longest that a request waits for the end of a job, in seconds.
const MAX_WAIT: u64 = 60;
/// The longest text in characters that is given with its document.
const MAX_TEXT: u32 = 5_000_000;

pub(super) fn configure(config: &mut ServiceConfig<'_>) {
    config
        .service(create_document)
        .service(list_documents)
        .service(show_document)
        .service(text::show_text)
        .service(remove_document);
}

/// How to take a document.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct CreateParams {
    /// How many seconds to wait for the end of the job, 0 to 60; without it the answer comes at once.
    #[serde(default)]
    #[param(minimum = 0, maximum = 60)]
    wait: u64,
}

impl CreateParams {
    fn wait(&self) -> Result<Duration, ApiError> {
        if self.wait > MAX_WAIT {
            return Err(ApiError::new(Code::InvalidRequest).saying("`wait` is above 60"));
        }
        Ok(Duration::from_secs(self.wait))
    }
}

/// Takes in a text, or a file of any kind that can be read.
///
/// The answer is the job that does it; the document is found once the job is done.
#[utoipa::path(
    tag = "Knowledge",
    security(("bearer" = [])),
    extensions(("x-tenantry-access" = json!("ingest"))),
    params(CreateParams),
    request_body(content(
        (NewDocumentJson = "application/json"),
        (NewDocumentForm = "multipart/form-data")
    )),
    responses(
        (status = 202, description = "The job that takes the document in", body = SubmittedView),
        (status = 200, description = "The same file is there or on its way: the job that took it in", body = SubmittedView)
    )
)]
#[post("/documents")]
async fn create_document(
    tenant: CurrentTenant<Ingest>,
    params: Params<CreateParams>,
    body: NewDocument,
) -> Result<HttpResponse, ApiError> {
    let wait = params.0.wait()?;
    let submitted = body.keep(&tenant).await?;
    let duplicate = submitted.outcome == SubmitOutcome::Unchanged;
    let status = if duplicate {
        StatusCode::OK
    } else {
        StatusCode::ACCEPTED
    };
    let location = format!("/jobs/{}", submitted.job.id);
    let job = jobs::wait(&tenant, submitted.job, wait).await;
    Ok(HttpResponse::build(status)
        .insert_header((header::LOCATION, location))
        .json(SubmittedView { job, duplicate }))
}

/// Which documents to list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListParams {
    /// Only those of this state: `pending`, `extracting`, `indexing`, `ready` or `failed`.
    state: Option<String>,
    /// Only the one with this name of yours.
    external_id: Option<String>,
    /// How many entries at most: 1 to 100, else 50.
    limit: Option<u32>,
    /// How many entries to skip.
    offset: Option<u32>,
}

impl ListParams {
    fn filter(&self) -> Result<DocumentFilter, ApiError> {
        let state = self.state.as_deref().map(str::parse::<DocumentState>).transpose();
        Ok(DocumentFilter {
            state: state.map_err(|_| {
                ApiError::new(Code::InvalidRequest)
                    .saying("`state` is none of pending, extracting, indexing, ready and failed")
            })?,
            external_id: self.external_id.clone(),
        })
    }
}

/// Lists the tenant's documents, newest first.
#[utoipa::path(
    tag = "Knowledge",
    security(("bearer" = [])),
    extensions(("x-tenantry-access" = json!("search"))),
    params(ListParams),
    responses((status = 200, description = "A page of the documents", body = Listing<DocumentView>))
)]
#[get("/documents")]
async fn list_documents(
    tenant: CurrentTenant<Search>,
    params: Params<ListParams>,
) -> Result<Json<Listing<DocumentView>>, ApiError> {
    let filter = params.0.filter()?;
    let page = PageParams::new(params.0.limit, params.0.offset).page()?;
    let documents = tenant.run(Class::Store, move |app, scope| {
        app.knowledge.documents(scope, &filter, page)
    });
    Ok(Json(Listing::of(documents.await?, DocumentView::from)))
}

/// How much of a document to show.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ShowParams {
    /// Whether to give the text too, when it has at most 5,000,000 characters.
    #[serde(default)]
    include_text: bool,
}

/// Shows a document.
#[utoipa::path(
    tag = "Knowledge",
    security(("bearer" = [])),
    extensions(("x-tenantry-access" = json!("search"))),
    params(("id" = String, Path, description = "The document's id"), ShowParams),
    responses((status = 200, description = "The document", body = DocumentWithText))
)]
#[get("/documents/{id}")]
async fn show_document(
    tenant: CurrentTenant<Search>,
    id: PathId,
    params: Params<ShowParams>,
) -> Result<Json<DocumentWithText>, ApiError> {
    let found = tenant.run(Class::Store, move |app, scope| {
        let (id, knowledge) = (id.parse()?, &app.knowledge);
        let document = knowledge.document(scope, id)?.ok_or_else(ApiError::not_found)?;
        if !params.0.include_text {
            return Ok((document, None));
        }
        fits(&document)?;
        let found = knowledge.document_with_text(scope, id)?;
        let (document, text) = found.ok_or_else(ApiError::not_found)?;
        Ok::<_, ApiError>((document, Some(text)))
    });
    let (document, text) = found.await?;
    Ok(Json(DocumentWithText {
        document: document.into(),
        text,
    }))
}

fn fits(document: &Document) -> Result<(), ApiError> {
    if document.characters > MAX_TEXT {
        return Err(ApiError::new(Code::InvalidRequest).saying(
            "the text has more than 5000000 characters: `/documents/{id}/text` gives it piece by piece",
        ));
    }
    Ok(())
}

/// Removes a document.
///
/// It is found no more from that moment on; a job removes what belongs to it.
#[utoipa::path(
    tag = "Knowledge",
    security(("bearer" = [])),
    extensions(("x-tenantry-access" = json!("ingest"))),
    params(("id" = String, Path, description = "The document's id")),
    responses((status = 204, description = "It is found no more"))
)]
#[delete("/documents/{id}")]
async fn remove_document(tenant: CurrentTenant<Ingest>, id: PathId) -> Result<HttpResponse, ApiError> {
    let removed = tenant.run(Class::Store, move |app, scope| {
        let job = app.knowledge.remove(scope, id.parse()?)?;
        app.wake.wake();
        job.ok_or_else(ApiError::not_found)
    });
    removed.await?;
    Ok(HttpResponse::NoContent().finish())
}

#[cfg(test)]
mod tests;
