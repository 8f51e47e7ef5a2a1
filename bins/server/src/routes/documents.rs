use actix_web::http::StatusCode;
use actix_web::web::Json;
use actix_web::{CustomizeResponder, HttpResponse, Responder, delete, get, post};
use serde::{Deserialize, Serialize};
use tenantry_domain::Document;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::wire::Listing;
use crate::error::ApiError;
use crate::extract::{
    CurrentTenant, NewDocumentBody, NewDocumentForm, NewDocumentJson, PageParams, Params, PathId,
};
use crate::offload::Class;

pub(super) fn configure(config: &mut ServiceConfig<'_>) {
    config
        .service(create_document)
        .service(list_documents)
        .service(show_document)
        .service(remove_document);
}

/// A document.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Document)]
struct DocumentView {
    /// The document's id.
    id: String,
    /// Its title.
    title: String,
    /// `text/plain` or `text/markdown`.
    media_type: &'static str,
    /// How far it has come: only a `ready` document is found.
    #[schema(example = "ready")]
    state: &'static str,
    /// Why it failed, when it did.
    failure: Option<String>,
    /// The length of its text in Unicode code points.
    characters: u32,
    /// How many chunks it was split into.
    chunks: u32,
    /// When it was stored.
    #[schema(format = DateTime)]
    created_at: String,
    /// When it last changed.
    #[schema(format = DateTime)]
    updated_at: String,
}

impl From<Document> for DocumentView {
    fn from(document: Document) -> Self {
        Self {
            id: document.id.to_string(),
            title: document.title,
            media_type: document.media_type.as_str(),
            state: document.state.as_str(),
            failure: document.failure,
            characters: document.characters,
            chunks: document.chunks,
            created_at: document.created_at.to_string(),
            updated_at: document.updated_at.to_string(),
        }
    }
}

/// A document, with its text when that was asked for.
#[derive(Debug, Serialize, ToSchema)]
struct DocumentWithText {
    #[serde(flatten)]
    document: DocumentView,
    /// The text as it was stored, which citations count the characters of.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
}

/// How much of a document to show.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ShowParams {
    /// Whether to give the text too.
    #[serde(default)]
    include_text: bool,
}

/// Adds a text or Markdown document, which can be found as soon as this answers.
#[utoipa::path(
    tag = "Knowledge",
    security(("bearer" = [])),
    request_body(content(
        (NewDocumentJson = "application/json"),
        (NewDocumentForm = "multipart/form-data")
    )),
    responses((status = 201, description = "The document", body = DocumentView))
)]
#[post("/documents")]
async fn create_document(
    tenant: CurrentTenant,
    body: NewDocumentBody,
) -> Result<CustomizeResponder<Json<DocumentView>>, ApiError> {
    let document = tenant.run(Class::Upstream, move |app, scope| {
        let NewDocumentBody { text, room: _kept } = body;
        app.knowledge.ingest(scope, &text, &mut |_| ())
    });
    let view = Json(DocumentView::from(document.await?));
    Ok(view.customize().with_status(StatusCode::CREATED))
}

/// Lists the tenant's documents, newest first.
#[utoipa::path(
    tag = "Knowledge",
    security(("bearer" = [])),
    params(PageParams),
    responses((status = 200, description = "A page of the documents", body = Listing<DocumentView>))
)]
#[get("/documents")]
async fn list_documents(
    tenant: CurrentTenant,
    params: Params<PageParams>,
) -> Result<Json<Listing<DocumentView>>, ApiError> {
    let page = params.0.page()?;
    let documents = tenant.run(Class::Store, move |app, scope| {
        app.knowledge.documents(scope, page)
    });
    Ok(Json(Listing::of(documents.await?, DocumentView::from)))
}

/// Shows a document.
#[utoipa::path(
    tag = "Knowledge",
    security(("bearer" = [])),
    params(("id" = String, Path, description = "The document's id"), ShowParams),
    responses((status = 200, description = "The document", body = DocumentWithText))
)]
#[get("/documents/{id}")]
async fn show_document(
    tenant: CurrentTenant,
    id: PathId,
    params: Params<ShowParams>,
) -> Result<Json<DocumentWithText>, ApiError> {
    let found = tenant.run(Class::Store, move |app, scope| {
        let (id, knowledge) = (id.parse()?, &app.knowledge);
        let found = if params.0.include_text {
            knowledge
                .document_with_text(scope, id)?
                .map(|(document, text)| (document, Some(text)))
        } else {
            knowledge.document(scope, id)?.map(|document| (document, None))
        };
        found.ok_or_else(ApiError::not_found)
    });
    let (document, text) = found.await?;
    Ok(Json(DocumentWithText {
        document: document.into(),
        text,
    }))
}

/// Removes a document; it is found no more from that moment on.
#[utoipa::path(
    tag = "Knowledge",
    security(("bearer" = [])),
    params(("id" = String, Path, description = "The document's id")),
    responses((status = 204, description = "It is gone"))
)]
#[delete("/documents/{id}")]
async fn remove_document(tenant: CurrentTenant, id: PathId) -> Result<HttpResponse, ApiError> {
    let removed = tenant.run(Class::Upstream, move |app, scope| {
        let removed = app.knowledge.remove(scope, id.parse()?)?;
        removed.then_some(()).ok_or_else(ApiError::not_found)
    });
    removed.await?;
    Ok(HttpResponse::NoContent().finish())
}

#[cfg(test)]
mod tests;
