//! Orders the best candidates by a reranker.

use tenantry_domain::TopK;
use tenantry_llm_client::{LlmError, Reranker};

use super::candidate::{Candidate, Found};
use super::explanation::Reranking;
use super::{SearchError, SearchRequest, Searcher};
use crate::InvalidField;

/// How many candidates are reranked: twice the hits that are wanted, within these bounds. Providers bill up to 100 documents as
/// one search.
const FEWEST: usize = 50;
const MOST: usize = 100;

impl Searcher {
    /// The reranker to use, where one is configured and wanted.
    ///
    /// # Errors
    /// [`SearchError::Invalid`] when one is asked for and none is configured.
    pub(super) fn wanted_reranker(
        &self,
        request: &SearchRequest,
    ) -> Result<Option<&dyn Reranker>, SearchError> {
        match (request.rerank, self.reranker.as_deref()) {
            (Some(true), None) => {
                Err(InvalidField::new("rerank", "is asked for, but no reranker is configured").into())
            }
            (Some(false), _) => Ok(None),
            (_, reranker) => Ok(reranker),
        }
    }
}

/// Orders the best of `found` by `reranker` and leaves the others out. When it fails, everything stays as it is: the fused order
/// is a good answer too.
pub(super) fn rerank(reranker: &dyn Reranker, query: &str, limit: TopK, found: &mut Found) -> Reranking {
    if found.candidates.is_empty() {
        return Reranking::Off;
    }
    let most = (usize::from(limit.get()) * 2).clamp(FEWEST, MOST);
    let best = found.candidates.iter().take(most);
    let passages: Vec<String> = best.map(Candidate::text_in_context).collect();
    let passages: Vec<&str> = passages.iter().map(String::as_str).collect();
    let scores = reranker
        .rerank(query, &passages)
        .and_then(|relevances| scores(relevances, passages.len()));
    let scores = match scores {
        Ok(scores) => scores,
        Err(error) => return Reranking::Failed(error),
    };
    found.counts.not_reranked = found.candidates.len().saturating_sub(most);
    found.candidates.truncate(most);
    for (candidate, score) in found.candidates.iter_mut().zip(scores) {
        candidate.score.rerank = Some(score);
        candidate.score.score = score;
    }
    // The sort is stable, so that ties keep the fused order.
    found
        .candidates
        .sort_by(|a, b| b.score.score.total_cmp(&a.score.score));
    Reranking::Done
}

/// Relevances as scores of 0 to 1 in the same order. Most providers give such numbers; those of servers that give a model's raw
/// output, which is a logit, go through the logistic function.
fn scores(relevances: Vec<f32>, wanted: usize) -> Result<Vec<f32>, LlmError> {
    if relevances.len() != wanted || !relevances.iter().all(|relevance| relevance.is_finite()) {
        return Err(LlmError::Protocol(
            "not one finite relevance for each passage".into(),
        ));
    }
    if relevances.iter().all(|relevance| (0.0..=1.0).contains(relevance)) {
        return Ok(relevances);
    }
    Ok(relevances
        .into_iter()
        .map(|logit| 1.0 / (1.0 + (-logit).exp()))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relevances_become_scores_of_zero_to_one_in_the_same_order() {
        assert_eq!(scores(vec![0.9, 0.0, 1.0], 3).unwrap(), [0.9, 0.0, 1.0]);
        let logits = scores(vec![8.0, -300.0, 0.0], 3).unwrap();
        assert!(
            logits[0] > 0.99 && logits[1] < 0.01 && (logits[2] - 0.5).abs() < 1e-6,
            "{logits:?}"
        );
    }

    #[test]
    fn an_answer_that_is_not_one_number_a_passage_is_none() {
        for wrong in [vec![], vec![0.5], vec![0.5, f32::NAN], vec![0.5, f32::INFINITY]] {
            assert!(matches!(scores(wrong, 2), Err(LlmError::Protocol(_))));
        }
    }
}
