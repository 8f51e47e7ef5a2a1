use actix_web::{HttpRequest, HttpResponse, get};
use tenantry_domain::{AuditEntry, Page, Paged};
use tenantry_tenant_store::AuditFilter;
use utoipa_actix_web::service_config::ServiceConfig;

use super::wire::Listing;
use crate::error::ApiError;
use crate::extract::{CurrentAdmin, Params, SuperUser};
use crate::offload::Class;

mod export;
mod wire;

use export::export;
pub(crate) use wire::AuditEntryView;
use wire::{AuditParams, Format};

pub(super) fn configure(config: &mut ServiceConfig<'_>) {
    config.service(list_audit).service(list_all_audit);
}

/// Lists what was done in the caller's own tenant, the latest first, or exports it as JSON Lines.
#[utoipa::path(
    tag = "Tenant administration",
    security(("bearer" = [])),
    extensions(("x-tenantry-access" = json!("admin"))),
    params(AuditParams),
    responses((status = 200, description = "A page of the entries; all of them as JSON Lines for `format=jsonl` or \
        `Accept: application/x-ndjson`", content(
            (Listing<AuditEntryView> = "application/json"),
            (AuditEntryView = "application/x-ndjson"),
        )))
)]
#[get("/tenant/audit")]
async fn list_audit(
    admin: CurrentAdmin,
    params: Params<AuditParams>,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let filter = params.0.filter_of_tenant()?;
    answer(Reader::Admin(admin), filter, &params.0, &request).await
}

/// Lists what was done on the platform and in all tenants, the latest first, or exports it as JSON Lines.
#[utoipa::path(
    tag = "Administration",
    security(("bearer" = [])),
    extensions(("x-tenantry-access" = json!("superuser"))),
    params(AuditParams),
    responses((status = 200, description = "A page of the entries; all of them as JSON Lines for `format=jsonl` or \
        `Accept: application/x-ndjson`", content(
            (Listing<AuditEntryView> = "application/json"),
            (AuditEntryView = "application/x-ndjson"),
        )))
)]
#[get("/admin/audit")]
async fn list_all_audit(
    admin: SuperUser,
    params: Params<AuditParams>,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let filter = params.0.filter()?;
    answer(Reader::Superuser(admin), filter, &params.0, &request).await
}

async fn answer(
    reader: Reader,
    filter: AuditFilter,
    params: &AuditParams,
    request: &HttpRequest,
) -> Result<HttpResponse, ApiError> {
    match params.format(request)? {
        Format::JsonLines => export(reader, filter).await,
        Format::Json => {
            let listed = reader.list(filter, params.page()?).await?;
            Ok(HttpResponse::Ok().json(Listing::of(listed, AuditEntryView::from)))
        }
    }
}

/// Who reads: each use looks again whether the caller may.
#[derive(Debug)]
enum Reader {
    Admin(CurrentAdmin),
    Superuser(SuperUser),
}

impl Reader {
    async fn list(self, filter: AuditFilter, page: Page) -> Result<Paged<AuditEntry>, ApiError> {
        match self {
            Self::Admin(admin) => {
                let listed = admin.run(Class::Store, move |app, admin| {
                    app.audit.own(admin, &filter, page)
                });
                listed.await
            }
            Self::Superuser(admin) => {
                let listed = admin.run(Class::Store, move |app, superuser| {
                    app.audit.all(superuser, &filter, page)
                });
                listed.await
            }
        }
    }

    /// The entries after `last`; none when there are no more.
    async fn next(&self, filter: AuditFilter, last: Option<AuditEntry>) -> Result<Vec<AuditEntry>, ApiError> {
        match self {
            Self::Admin(admin) => {
                let piece = admin.run_again(Class::Store, move |app, admin| {
                    app.audit.export_own(admin, &filter, last.as_ref())
                });
                piece.await
            }
            Self::Superuser(admin) => {
                let piece = admin.run_again(Class::Store, move |app, superuser| {
                    app.audit.export_all(superuser, &filter, last.as_ref())
                });
                piece.await
            }
        }
    }
}

#[cfg(test)]
mod tests;
