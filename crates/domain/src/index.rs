use std::fmt;

use crate::names::names;
use crate::{Dimension, TenantScope, Timestamp};

/// A model that makes embeddings. Vectors of two models cannot be compared, whatever their dimensions.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EmbeddingModel {
    /// Who runs it: `local`, `openai`, or the host of a compatible server.
    pub provider: String,
    /// Its name, as the provider calls it.
    pub name: String,
    /// Its dimension, where it is known before the first call.
    pub dimension: Option<Dimension>,
}

impl EmbeddingModel {
    /// Whether vectors of `other` can be searched with vectors of this one: same provider and name, and no two different
    /// dimensions.
    pub fn is_same_space(&self, other: &Self) -> bool {
        let dimensions = match (self.dimension, other.dimension) {
            (Some(one), Some(two)) => one == two,
            _ => true,
        };
        self.provider == other.provider && self.name == other.name && dimensions
    }
}

impl fmt::Display for EmbeddingModel {
    /// As `openai/text-embedding-3-small (1536)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.provider, self.name)?;
        match self.dimension {
            Some(dimension) => write!(f, " ({dimension})"),
            None => Ok(()),
        }
    }
}

/// Which of a tenant's indexes: each rebuild makes the next one, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Generation(u32);

impl Generation {
    /// The index that a tenant begins with.
    pub const FIRST: Self = Self(1);

    /// The generation of that number; `None` for 0.
    pub fn new(number: u32) -> Option<Self> {
        (number > 0).then_some(Self(number))
    }

    /// Its number.
    pub fn get(self) -> u32 {
        self.0
    }

    /// The one after it.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One index of one tenant: what vector stores read and write.
#[derive(Debug, Clone, Copy)]
pub struct IndexScope<'s> {
    tenant: &'s TenantScope,
    generation: Generation,
}

impl<'s> IndexScope<'s> {
    /// The tenant.
    pub fn tenant(self) -> &'s TenantScope {
        self.tenant
    }

    /// The generation.
    pub fn generation(self) -> Generation {
        self.generation
    }
}

impl TenantScope {
    /// The tenant's index of that generation.
    pub fn index(&self, generation: Generation) -> IndexScope<'_> {
        IndexScope {
            tenant: self,
            generation,
        }
    }
}

/// A state that this version does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a state of an index")]
pub struct ParseIndexStateError;

names! {
    /// What an index is used for.
    IndexState, ParseIndexStateError:
    /// It is being filled beside the live one; new documents go into both.
    Building = "building",
    /// It is searched. A tenant has one.
    Live = "live",
    /// It was searched before, and is kept to go back to; new documents do not reach it.
    Retired = "retired",
}

/// What is known of an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    /// Which one.
    pub generation: Generation,
    /// The model that made its vectors; `None` when it has none and is searched by words alone.
    pub model: Option<EmbeddingModel>,
    /// What it is used for.
    pub state: IndexState,
    /// When it was begun.
    pub created_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model(name: &str, dimension: Option<usize>) -> EmbeddingModel {
        EmbeddingModel {
            provider: "openai".into(),
            name: name.into(),
            dimension: dimension.map(|n| Dimension::new(n).unwrap()),
        }
    }

    #[test]
    fn models_share_a_space_by_name_and_dimension() {
        let small = model("small", Some(1536));
        assert!(small.is_same_space(&model("small", Some(1536))));
        assert!(small.is_same_space(&model("small", None)));
        assert!(!small.is_same_space(&model("small", Some(512))));
        assert!(!small.is_same_space(&model("large", Some(1536))));
        assert_eq!(small.to_string(), "openai/small (1536)");
    }

    #[test]
    fn every_state_reads_back_from_its_name() {
        for state in IndexState::ALL {
            assert_eq!(state.as_str().parse(), Ok(*state));
        }
        assert_eq!("forgotten".parse::<IndexState>(), Err(ParseIndexStateError));
    }

    #[test]
    fn generations_count_from_one() {
        assert_eq!(Generation::new(0), None);
        assert_eq!(Generation::FIRST.next().get(), 2);
    }
}
