/// How a dense and a lexical ranking become one: reciprocal rank fusion.
///
/// A chunk's score is the sum, over the rankings that found it, of `weight / (k + rank)`, ranks counted from 1 (Cormack,
/// Clarke and Büttcher, "Reciprocal Rank Fusion outperforms Condorcet and individual Rank Learning Methods", SIGIR 2009,
/// where `k` is 60 and every weight 1), divided by the most that it could be, so that it lies between 0 and 1. The defaults
/// are those of four English collections with a small sentence encoder: they never fell below BM25 alone, as the paper's did
/// on some.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fusion {
    k: f32,
    dense: f32,
    lexical: f32,
}

/// Settings that no ranking can be fused with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("fusion needs k of 1 to 1000 and weights of 0 to 10, not both 0")]
pub struct InvalidFusion;

impl Fusion {
    /// A fusion with constant `k`, 1 to 1,000, and a weight of 0 to 10 for each ranking, not both 0.
    ///
    /// # Errors
    /// When a number is outside its bounds.
    pub fn new(k: f32, dense: f32, lexical: f32) -> Result<Self, InvalidFusion> {
        let weight = |weight: f32| (0.0..=10.0).contains(&weight);
        if (1.0..=1_000.0).contains(&k) && weight(dense) && weight(lexical) && dense + lexical > 0.0 {
            Ok(Self { k, dense, lexical })
        } else {
            Err(InvalidFusion)
        }
    }

    /// How much the first ranks stand out; a smaller one makes them count for more.
    pub fn k(self) -> f32 {
        self.k
    }

    /// What the dense ranking counts for.
    pub fn dense_weight(self) -> f32 {
        self.dense
    }

    /// What the lexical ranking counts for.
    pub fn lexical_weight(self) -> f32 {
        self.lexical
    }
}

impl Default for Fusion {
    /// `k` of 10, half weight on the dense ranking, full weight on the lexical one.
    fn default() -> Self {
        Self {
            k: 10.0,
            dense: 0.5,
            lexical: 1.0,
        }
    }
}

/// How a tenant's knowledge is searched unless a request says otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct SearchSettings {
    /// How dense and lexical rankings are fused.
    pub fusion: Fusion,
    /// The lowest score of a hit, 0 to 1; hits below are left out.
    pub min_score: Option<f32>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fusion_has_sane_numbers() {
        assert!(Fusion::new(60.0, 1.0, 1.0).is_ok());
        assert!(Fusion::new(10.0, 0.0, 1.0).is_ok());
        for (k, dense, lexical) in [
            (0.0, 1.0, 1.0),
            (f32::NAN, 1.0, 1.0),
            (10.0, -1.0, 1.0),
            (10.0, f32::INFINITY, 1.0),
            (10.0, 0.0, 0.0),
        ] {
            assert_eq!(Fusion::new(k, dense, lexical), Err(InvalidFusion));
        }
    }
}
