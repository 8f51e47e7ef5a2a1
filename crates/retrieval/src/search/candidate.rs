use tenantry_domain::{Chunk, Embedding, Origin, ScoreParts};

use super::explanation::{CandidateCounts, DenseSearch};

/// A chunk that may be shown, on its way to become a hit.
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    pub(super) origin: Origin,
    /// The version that it stands in; 0 for a record.
    pub(super) version: u32,
    pub(super) title: String,
    pub(super) chunk: Chunk,
    pub(super) score: ScoreParts,
    pub(super) embedding: Option<Embedding>,
    /// Its place by the fused score, from 1.
    pub(super) fused_place: usize,
}

impl Candidate {
    /// Its text below what it stands under.
    pub(super) fn text_in_context(&self) -> String {
        let mut lines = vec![self.title.as_str()];
        lines.extend(self.chunk.headings.iter().map(String::as_str));
        format!("{}\n{}", lines.join(" > "), self.chunk.text)
    }
}

/// What a collection gave, best first.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) candidates: Vec<Candidate>,
    pub(super) counts: CandidateCounts,
    pub(super) dense: DenseSearch,
    pub(super) lexical: bool,
}
