//! Makes one hit of chunks that follow each other in a document.

use tenantry_domain::{DocumentVersion, Origin};

use super::diversity::Ranked;

/// The most chunks of a hit: a passage grows by its neighbours, but it does not become the document.
const MAX_CHUNKS: usize = 3;
/// The most characters of a hit that was merged.
const MAX_CHARACTERS: u32 = 6_000;

/// Chunks that become one hit, in the order of the text.
#[derive(Debug)]
pub(super) struct Group {
    /// At least one.
    pub(super) chunks: Vec<Ranked>,
}

impl Group {
    pub(super) fn new(chunk: Ranked) -> Self {
        Self { chunks: vec![chunk] }
    }

    /// The version that all of its chunks stand in; `None` for a record, which has no neighbours.
    pub(super) fn version(&self) -> Option<DocumentVersion> {
        self.chunks.first().and_then(version)
    }

    /// The chunk of the best score.
    pub(super) fn best(&self) -> Option<&Ranked> {
        let score = |ranked: &&Ranked| ranked.candidate.score.score;
        let chunks = self.chunks.iter();
        chunks.reduce(|best, next| if score(&next) > score(&best) { next } else { best })
    }

    /// Whether `next` is one group with this one: of the same version, right before or after it, and together not too long.
    fn fits(&self, next: &Self) -> bool {
        let Some((first, second)) = self.in_order(next) else {
            return false;
        };
        let ends = (first.chunks.first(), second.chunks.last());
        let (Some(start), Some(end)) = ends else {
            return false;
        };
        let length = end
            .candidate
            .chunk
            .span
            .end
            .saturating_sub(start.candidate.chunk.span.start);
        self.chunks.len() + next.chunks.len() <= MAX_CHUNKS && length <= MAX_CHARACTERS
    }

    /// The two in the order of the text, where they are neighbours.
    fn in_order<'g>(&'g self, other: &'g Self) -> Option<(&'g Self, &'g Self)> {
        if self.version()? != other.version()? {
            return None;
        }
        let follows = |one: &Self, two: &Self| {
            let (Some(last), Some(first)) = (one.chunks.last(), two.chunks.first()) else {
                return false;
            };
            let (last, first) = (&last.candidate.chunk, &first.candidate.chunk);
            first.ordinal.checked_sub(last.ordinal) == Some(1) && last.span.end <= first.span.start
        };
        if follows(self, other) {
            Some((self, other))
        } else {
            follows(other, self).then_some((other, self))
        }
    }

    fn join(&mut self, other: Self) {
        self.chunks.extend(other.chunks);
        self.chunks.sort_by_key(|ranked| ranked.candidate.chunk.ordinal);
    }
}

fn version(ranked: &Ranked) -> Option<DocumentVersion> {
    match ranked.candidate.origin {
        Origin::Document(document) => Some(DocumentVersion {
            document,
            version: ranked.candidate.version,
        }),
        Origin::Record(_) => None,
    }
}

/// The first `limit` groups of `ranked`, each where its first chunk stands. Reading ends with the first chunk that would begin one
/// more, so that only neighbours which are hits themselves are joined.
pub(super) fn groups(ranked: impl Iterator<Item = Ranked>, limit: usize, merging: bool) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for chunk in ranked {
        let next = Group::new(chunk);
        let neighbour = groups.iter().position(|group| merging && group.fits(&next));
        let Some(at) = neighbour else {
            if groups.len() >= limit {
                break;
            }
            groups.push(next);
            continue;
        };
        if let Some(group) = groups.get_mut(at) {
            group.join(next);
        }
        close_gap(&mut groups, at);
    }
    groups
}

/// Joins the group at `at` with a later one, if its last chunk made them neighbours.
fn close_gap(groups: &mut Vec<Group>, at: usize) {
    let Some(grown) = groups.get(at) else { return };
    let later = groups.iter().skip(at + 1).position(|group| grown.fits(group));
    if let Some(offset) = later {
        let joined = groups.remove(at + 1 + offset);
        if let Some(grown) = groups.get_mut(at) {
            grown.join(joined);
        }
    }
}

#[cfg(test)]
mod tests {
    use tenantry_domain::{Chunk, DocumentId, ScoreParts, Span, Timestamp};

    use super::super::candidate::Candidate;
    use super::*;

    fn document() -> DocumentId {
        DocumentId::generate(Timestamp::from_unix_micros(0).unwrap())
    }

    fn chunk(origin: Origin, ordinal: u32, score: f32) -> Ranked {
        let candidate = Candidate {
            origin,
            version: 1,
            title: String::new(),
            chunk: Chunk {
                ordinal,
                span: Span {
                    start: ordinal * 100,
                    end: ordinal * 100 + 90,
                },
                text: String::new(),
                headings: Vec::new(),
                page: None,
            },
            score: ScoreParts {
                score,
                ..ScoreParts::default()
            },
            embedding: None,
            fused_place: 1,
        };
        Ranked {
            candidate,
            relevance_place: 1,
            diversity: None,
        }
    }

    fn grouped(ordinals: &[u32], limit: usize, merging: bool) -> Vec<Vec<u32>> {
        let document = document();
        let ranked = ordinals
            .iter()
            .map(|ordinal| chunk(Origin::Document(document), *ordinal, 0.5));
        groups(ranked, limit, merging)
            .into_iter()
            .map(|group| {
                group
                    .chunks
                    .iter()
                    .map(|ranked| ranked.candidate.chunk.ordinal)
                    .collect()
            })
            .collect()
    }

    #[test]
    fn neighbours_become_one_group_in_the_order_of_the_text() {
        assert_eq!(grouped(&[4, 9, 3], 5, true), [vec![3, 4], vec![9]]);
        assert_eq!(grouped(&[4, 9, 3], 5, false), [[4], [9], [3]]);
        assert_eq!(grouped(&[2, 4, 3], 5, true), [[2, 3, 4]], "a gap that closes");
    }

    #[test]
    fn a_group_stays_a_passage() {
        assert_eq!(grouped(&[1, 2, 3, 4], 5, true), [vec![1, 2, 3], vec![4]]);
        assert_eq!(grouped(&[1, 2, 4, 5, 3], 5, true), [vec![1, 2, 3], vec![4, 5]]);
    }

    #[test]
    fn the_limit_counts_groups_and_ends_the_search_for_neighbours() {
        assert_eq!(grouped(&[1, 2, 7, 3, 9, 8], 2, true), [vec![1, 2, 3], vec![7]]);
        assert_eq!(grouped(&[1, 2], 1, false), [[1]]);
    }

    #[test]
    fn other_documents_and_records_are_nobodys_neighbours() {
        let strangers = [
            chunk(Origin::Document(document()), 1, 0.5),
            chunk(Origin::Document(document()), 2, 0.5),
            chunk(Origin::Record("a".into()), 0, 0.5),
            chunk(Origin::Record("a".into()), 1, 0.5),
        ];
        assert_eq!(groups(strangers.into_iter(), 9, true).len(), 4);
    }

    #[test]
    fn the_best_chunk_speaks_for_the_group() {
        let document = document();
        let ranked = [(1, 0.5), (2, 0.9), (3, 0.9)];
        let ranked = ranked.map(|(ordinal, score)| chunk(Origin::Document(document), ordinal, score));
        let groups = groups(ranked.into_iter(), 1, true);
        assert_eq!(groups[0].best().unwrap().candidate.chunk.ordinal, 2);
    }
}
