use secrecy::SecretString;
use serde::{Deserialize, Deserializer, Serialize};
use tenantry_domain::{Hit, Paged};
use utoipa::ToSchema;

/// One page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Listing<T> {
    /// The page's entries.
    items: Vec<T>,
    /// How many entries the whole list has.
    total: u64,
}

impl<T> Listing<T> {
    /// The page with every entry as it goes over the wire.
    pub(super) fn of<U>(page: Paged<U>, view: impl FnMut(U) -> T) -> Self {
        let Paged { items, total } = page.map(view);
        Self { items, total }
    }
}

/// A passage of one of the tenant's documents.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Passage {
    /// The document that the passage stands in.
    document_id: String,
    /// That document's title.
    title: String,
    /// The passage's place in its document, from 0.
    chunk: u32,
    /// Where the passage begins in the document's text, in Unicode code points.
    start: u32,
    /// Where it ends.
    end: u32,
    /// How well it fits; only comparable within one answer.
    score: f32,
    /// The passage's text.
    excerpt: String,
}

impl From<Hit> for Passage {
    fn from(hit: Hit) -> Self {
        Self {
            document_id: hit.document.to_string(),
            title: hit.title,
            chunk: hit.chunk.ordinal,
            start: hit.chunk.span.start,
            end: hit.chunk.span.end,
            score: hit.score.score,
            excerpt: hit.chunk.text,
        }
    }
}

/// A secret on its way in; `Debug` does not show it.
#[derive(Debug)]
pub(super) struct Secret(SecretString);

impl Secret {
    pub(super) fn into_inner(self) -> SecretString {
        self.0
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
        String::deserialize(value).map(|text| Self(text.into()))
    }
}
