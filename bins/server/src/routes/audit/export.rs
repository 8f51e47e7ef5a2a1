use actix_web::HttpResponse;
use actix_web::web::Bytes;
use futures_util::stream::{self, StreamExt};
use tenantry_domain::AuditEntry;
use tenantry_tenant_store::AuditFilter;

use super::Reader;
use super::wire::{AuditEntryView, JSON_LINES};
use crate::error::ApiError;

/// The answer with every entry that the filter lets through, one a line, however many they are.
pub(super) async fn export(reader: Reader, filter: AuditFilter) -> Result<HttpResponse, ApiError> {
    let mut exporting = Exporting {
        reader,
        filter,
        last: None,
    };
    // What is refused is refused by a status, not by an answer that breaks off.
    let first = exporting.piece().await?.unwrap_or_default();
    let rest = stream::try_unfold(exporting, |mut exporting| async move {
        let piece = exporting.piece().await?;
        Ok(piece.map(|piece| (piece, exporting)))
    });
    let lines = stream::once(async { Ok(first) }).chain(rest);
    Ok(HttpResponse::Ok()
        .content_type(JSON_LINES)
        .streaming::<_, ApiError>(lines))
}

/// How far a log was exported. Nothing is held between two pieces, so that a slow reader is nobody's burden.
struct Exporting {
    reader: Reader,
    filter: AuditFilter,
    last: Option<AuditEntry>,
}

impl Exporting {
    /// The next lines; `None` when there are no more.
    async fn piece(&mut self) -> Result<Option<Bytes>, ApiError> {
        let entries = self.reader.next(self.filter.clone(), self.last.clone()).await?;
        let Some(last) = entries.last() else {
            return Ok(None);
        };
        self.last = Some(last.clone());
        let lines: String = entries
            .into_iter()
            .map(|entry| AuditEntryView::from(entry).line())
            .collect();
        Ok(Some(lines.into()))
    }
}
