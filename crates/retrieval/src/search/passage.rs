//! Reads the text of a hit that was merged out of the document's segments.

use tenantry_domain::{DocumentVersion, Segment, Span, TenantScope};
use tenantry_tenant_store::{DocumentStore, StoreError};

/// How many segments are looked at by a guess before halving takes over.
const GUESSES: u32 = 6;
/// More steps than halving any number of segments takes.
const MAX_STEPS: u32 = 80;

/// The text at `span`; `None` when the version's text is gone or ends before it.
pub(super) fn text_at(
    documents: &dyn DocumentStore,
    scope: &TenantScope,
    of: DocumentVersion,
    span: Span,
) -> Result<Option<String>, StoreError> {
    let Some(mut segment) = segment_at(documents, scope, of, span.start)? else {
        return Ok(None);
    };
    let mut text = String::new();
    loop {
        let inside = Span {
            start: span.start.saturating_sub(segment.start),
            end: span.end.saturating_sub(segment.start),
        };
        text.push_str(inside.slice(&segment.text));
        if end_of(&segment) >= span.end {
            return Ok(Some(text));
        }
        let Some(next) = one(documents, scope, of, segment.ordinal.saturating_add(1))? else {
            return Ok(None);
        };
        segment = next;
    }
}

/// The segment that the code point `at` stands in. Most documents have one; of those that have thousands, the lengths are
/// alike, so that a guess by the mean length is near.
fn segment_at(
    documents: &dyn DocumentStore,
    scope: &TenantScope,
    of: DocumentVersion,
    at: u32,
) -> Result<Option<Segment>, StoreError> {
    // The one that is looked for lies in `low..high`.
    let (mut low, mut high, mut place) = (0_u32, None, 0_u32);
    for step in 0..MAX_STEPS {
        let segment = one(documents, scope, of, place)?;
        let mean = segment
            .as_ref()
            .and_then(|segment| end_of(segment).checked_div(place.saturating_add(1)));
        match segment {
            Some(segment) if segment.start <= at && at < end_of(&segment) => return Ok(Some(segment)),
            Some(segment) if segment.start <= at => low = place.saturating_add(1),
            Some(_) | None => high = Some(place),
        }
        if high.is_some_and(|high| low >= high) {
            return Ok(None);
        }
        let guess = mean
            .and_then(|mean| at.checked_div(mean))
            .filter(|_| step < GUESSES);
        let halfway = high.map_or_else(|| low.saturating_mul(2), |high| low + (high - low) / 2);
        place = guess.unwrap_or(halfway).max(low);
        if let Some(high) = high {
            place = place.min(high.saturating_sub(1));
        }
    }
    Ok(None)
}

fn one(
    documents: &dyn DocumentStore,
    scope: &TenantScope,
    of: DocumentVersion,
    ordinal: u32,
) -> Result<Option<Segment>, StoreError> {
    let segments = documents.segments(scope, of, ordinal, 1)?;
    Ok(segments.into_iter().find(|segment| segment.ordinal == ordinal))
}

/// One past the segment's last code point.
fn end_of(segment: &Segment) -> u32 {
    let characters = u32::try_from(segment.text.chars().count()).unwrap_or(u32::MAX);
    segment.start.saturating_add(characters)
}
