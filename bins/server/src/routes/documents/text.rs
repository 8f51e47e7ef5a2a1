use actix_web::web::Bytes;
use actix_web::{HttpResponse, get};
use futures_util::stream::{self, StreamExt};
use tenantry_domain::{DocumentId, DocumentVersion, Segment};

use crate::error::ApiError;
use crate::extract::{CurrentTenant, PathId, Search};
use crate::offload::Class;

/// Gives a document's text, piece by piece, however long it is.
///
/// Should the document be replaced or removed meanwhile, the answer is cut off before its end.
#[utoipa::path(
    tag = "Knowledge",
    security(("bearer" = [])),
    extensions(("x-tenantry-access" = json!("search"))),
    params(("id" = String, Path, description = "The document's id")),
    responses((status = 200, description = "The text", body = String, content_type = "text/plain"))
)]
#[get("/documents/{id}/text")]
pub(super) async fn show_text(tenant: CurrentTenant<Search>, id: PathId) -> Result<HttpResponse, ApiError> {
    let (reading, first) = Reading::begin(tenant, id.parse()?).await?;
    let rest = stream::try_unfold(reading, Reading::next);
    let text = stream::once(async { Ok(first) }).chain(rest);
    Ok(HttpResponse::Ok()
        .content_type("text/plain; charset=utf-8")
        .streaming::<_, ApiError>(text))
}

/// How far a text was given. Nothing is held between two pieces, so that a slow reader is nobody's burden.
struct Reading {
    tenant: CurrentTenant<Search>,
    of: DocumentVersion,
    next: u32,
    /// How many characters are still to come.
    left: u32,
}

impl Reading {
    /// Begins with the version that is found now, and its first piece.
    async fn begin(tenant: CurrentTenant<Search>, id: DocumentId) -> Result<(Self, Bytes), ApiError> {
        let begun = tenant.clone().run(Class::Store, move |app, scope| {
            let document = app.knowledge.document(scope, id)?;
            let document = document.ok_or_else(ApiError::not_found)?;
            let of = DocumentVersion {
                document: id,
                version: document.version,
            };
            let segments = app.knowledge.segments(scope, of, 0)?;
            Ok::<_, ApiError>((of, document.characters, segments))
        });
        let (of, left, segments) = begun.await?;
        let mut reading = Self {
            tenant,
            of,
            next: 0,
            left,
        };
        let first = reading.take(segments);
        Ok((reading, first))
    }

    async fn next(mut self) -> Result<Option<(Bytes, Self)>, ApiError> {
        if self.left == 0 {
            return Ok(None);
        }
        let (of, next) = (self.of, self.next);
        let segments = self.tenant.run_again(Class::Store, move |app, scope| {
            app.knowledge.segments(scope, of, next)
        });
        let segments = segments.await?;
        if segments.is_empty() {
            return Err(ApiError::not_found().because("the document was replaced while its text was given"));
        }
        let piece = self.take(segments);
        Ok(Some((piece, self)))
    }

    fn take(&mut self, segments: Vec<Segment>) -> Bytes {
        let mut piece = String::new();
        for segment in segments {
            self.next = segment.ordinal.saturating_add(1);
            let characters = u32::try_from(segment.text.chars().count()).unwrap_or(u32::MAX);
            self.left = self.left.saturating_sub(characters);
            piece.push_str(&segment.text);
        }
        piece.into()
    }
}
