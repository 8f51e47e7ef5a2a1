//! Maximal marginal relevance: each next hit is the one that is most relevant and least like those before it (Carbonell and
//! Goldstein, "The Use of MMR, Diversity-Based Reranking", SIGIR 1998).

use tenantry_vector_client::word_overlap;

use super::candidate::Candidate;
use super::explanation::Diversity;

/// A candidate in its final order.
#[derive(Debug)]
pub(super) struct Ranked {
    pub(super) candidate: Candidate,
    /// Its place by its score, from 1.
    pub(super) relevance_place: usize,
    pub(super) diversity: Option<Diversity>,
}

/// The candidates, best first, in the order of their scores.
pub(super) fn by_relevance(candidates: Vec<Candidate>) -> impl Iterator<Item = Ranked> {
    candidates
        .into_iter()
        .zip(1..)
        .map(|(candidate, relevance_place)| Ranked {
            candidate,
            relevance_place,
            diversity: None,
        })
}

/// Gives candidates in the order of their marginal relevance. They are chosen as they are asked for: each choice compares what
/// is left with the last one alone.
#[derive(Debug)]
pub(super) struct ByDiversity {
    diversity: f32,
    left: Vec<Waiting>,
}

#[derive(Debug)]
struct Waiting {
    ranked: Ranked,
    /// The similarity to the nearest one that was chosen.
    similarity: f32,
}

impl ByDiversity {
    /// The candidates, best first, to be chosen from with that diversity, 0 to 1.
    pub(super) fn new(candidates: Vec<Candidate>, diversity: f32) -> Self {
        let waiting = by_relevance(candidates).map(|ranked| Waiting {
            ranked,
            similarity: 0.0,
        });
        Self {
            diversity,
            left: waiting.collect(),
        }
    }

    fn value(&self, waiting: &Waiting) -> f32 {
        (1.0 - self.diversity) * waiting.ranked.candidate.score.score - self.diversity * waiting.similarity
    }
}

impl Iterator for ByDiversity {
    type Item = Ranked;

    fn next(&mut self) -> Option<Ranked> {
        let values = self.left.iter().map(|waiting| self.value(waiting)).enumerate();
        // Of equal values the first, which is the more relevant one.
        let (at, value) = values.reduce(|best, next| if next.1 > best.1 { next } else { best })?;
        let Waiting {
            mut ranked,
            similarity,
        } = self.left.remove(at);
        ranked.diversity = Some(Diversity { similarity, value });
        for waiting in &mut self.left {
            let closer = similarity_of(&waiting.ranked.candidate, &ranked.candidate);
            waiting.similarity = waiting.similarity.max(closer);
        }
        Some(ranked)
    }
}

/// 0 to 1: by embeddings where both have one, else by the words they share.
fn similarity_of(one: &Candidate, other: &Candidate) -> f32 {
    let cosine = one
        .embedding
        .as_ref()
        .zip(other.embedding.as_ref())
        .and_then(|(one, other)| one.cosine(other));
    cosine.map_or_else(
        || word_overlap(&one.chunk.text, &other.chunk.text),
        |cosine| cosine.clamp(0.0, 1.0),
    )
}

#[cfg(test)]
mod tests {
    use tenantry_domain::{Chunk, DocumentId, Embedding, Origin, ScoreParts, Span, Timestamp};

    use super::*;

    fn candidate(text: &str, score: f32, embedding: Option<[f32; 2]>) -> Candidate {
        Candidate {
            origin: Origin::Document(DocumentId::generate(Timestamp::from_unix_micros(0).unwrap())),
            version: 1,
            title: "Title".into(),
            chunk: Chunk {
                ordinal: 0,
                span: Span { start: 0, end: 1 },
                text: text.into(),
                headings: Vec::new(),
                page: None,
            },
            score: ScoreParts {
                score,
                ..ScoreParts::default()
            },
            embedding: embedding.map(|values| Embedding::new(values.to_vec()).unwrap()),
            fused_place: 1,
        }
    }

    fn order(candidates: Vec<Candidate>, diversity: f32) -> Vec<String> {
        ByDiversity::new(candidates, diversity)
            .map(|ranked| ranked.candidate.chunk.text)
            .collect()
    }

    fn fees() -> Vec<Candidate> {
        vec![
            candidate("late fee", 1.0, Some([1.0, 0.0])),
            candidate("late fee again", 0.9, Some([1.0, 0.01])),
            candidate("opening hours", 0.5, Some([0.0, 1.0])),
        ]
    }

    #[test]
    fn what_repeats_a_hit_comes_after_what_is_new() {
        assert_eq!(
            order(fees(), 0.01),
            ["late fee", "late fee again", "opening hours"]
        );
        assert_eq!(
            order(fees(), 0.5),
            ["late fee", "opening hours", "late fee again"]
        );
        assert_eq!(order(fees(), 1.0)[1], "opening hours");
    }

    #[test]
    fn without_embeddings_shared_words_make_texts_alike() {
        let without = fees().into_iter().map(|candidate| Candidate {
            embedding: None,
            ..candidate
        });
        assert_eq!(
            order(without.collect(), 0.5),
            ["late fee", "opening hours", "late fee again"]
        );
    }

    #[test]
    fn each_choice_says_what_it_was_made_by() {
        let chosen: Vec<_> = ByDiversity::new(fees(), 0.5).collect();
        let diversity = chosen[2].diversity.unwrap();
        assert!((diversity.similarity - 1.0).abs() < 1e-3, "{diversity:?}");
        assert!((diversity.value - (0.5 * 0.9 - 0.5 * diversity.similarity)).abs() < 1e-6);
        assert_eq!(chosen[2].relevance_place, 2);
    }
}
