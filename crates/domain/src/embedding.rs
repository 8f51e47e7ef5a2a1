/// The length of a vector: 1 to 20,000, the most that a Pinecone index takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Dimension(u16);

/// A vector length outside 1 to 20,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a dimension lies between 1 and {max}", max = Dimension::MAX)]
pub struct DimensionOutOfRange;

impl Dimension {
    /// The longest vector.
    pub const MAX: u16 = 20_000;

    /// A vector length.
    ///
    /// # Errors
    /// When `n` is 0 or above [`Dimension::MAX`].
    pub fn new(n: usize) -> Result<Self, DimensionOutOfRange> {
        match u16::try_from(n) {
            Ok(n @ 1..=Self::MAX) => Ok(Self(n)),
            _ => Err(DimensionOutOfRange),
        }
    }

    /// The length.
    pub fn get(self) -> usize {
        usize::from(self.0)
    }
}

impl std::fmt::Display for Dimension {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// A text's place in a model's space: finite numbers, not all zero, scaled to unit length.
#[derive(Clone, PartialEq)]
pub struct Embedding(Vec<f32>);

/// Numbers that are no embedding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidEmbedding {
    /// Empty, or longer than [`Dimension::MAX`].
    #[error(transparent)]
    Dimension(#[from] DimensionOutOfRange),
    /// A number is infinite or not a number.
    #[error("a number is not finite")]
    NotFinite,
    /// All numbers are zero, so that the vector has no direction.
    #[error("all numbers are zero")]
    Zero,
}

impl Embedding {
    /// Scales `values` to unit length, so that the dot product of two embeddings is their cosine.
    ///
    /// # Errors
    /// When the numbers are too many or none, not all finite, or all zero.
    pub fn new(mut values: Vec<f32>) -> Result<Self, InvalidEmbedding> {
        Dimension::new(values.len())?;
        if !values.iter().all(|value| value.is_finite()) {
            return Err(InvalidEmbedding::NotFinite);
        }
        // Scaling by the largest first keeps the sum of squares from overflowing or vanishing.
        let largest = values
            .iter()
            .fold(0.0_f32, |largest, value| largest.max(value.abs()));
        if largest == 0.0 {
            return Err(InvalidEmbedding::Zero);
        }
        for value in &mut values {
            *value /= largest;
        }
        let norm = values.iter().map(|value| value * value).sum::<f32>().sqrt();
        for value in &mut values {
            *value /= norm;
        }
        Ok(Self(values))
    }

    /// The numbers.
    pub fn as_slice(&self) -> &[f32] {
        &self.0
    }

    /// How many numbers there are.
    pub fn dimension(&self) -> Dimension {
        Dimension(u16::try_from(self.0.len()).unwrap_or(Dimension::MAX))
    }

    /// The cosine of the angle to `other`, from -1 to 1; `None` when the dimensions differ.
    pub fn cosine(&self, other: &Self) -> Option<f32> {
        (self.0.len() == other.0.len()).then(|| self.0.iter().zip(&other.0).map(|(a, b)| a * b).sum())
    }
}

impl std::fmt::Debug for Embedding {
    /// Names the dimension only: the numbers help nobody who reads a log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Embedding({} floats)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_embedding_has_unit_length_even_at_the_edges_of_f32() {
        for values in [
            vec![3.0, 4.0],
            vec![1e30, 1e30],
            vec![1e-30, 0.0],
            vec![f32::MAX, f32::MIN],
        ] {
            let unit = Embedding::new(values).unwrap();
            assert!((unit.cosine(&unit).unwrap() - 1.0).abs() < 1e-5);
        }
    }

    #[test]
    fn numbers_without_a_direction_are_refused() {
        assert_eq!(
            Embedding::new(vec![]),
            Err(InvalidEmbedding::Dimension(DimensionOutOfRange))
        );
        assert_eq!(Embedding::new(vec![0.0; 3]), Err(InvalidEmbedding::Zero));
        assert_eq!(
            Embedding::new(vec![1.0, f32::NAN]),
            Err(InvalidEmbedding::NotFinite)
        );
        assert_eq!(
            Embedding::new(vec![1.0, f32::INFINITY]),
            Err(InvalidEmbedding::NotFinite)
        );
    }

    #[test]
    fn embeddings_of_different_dimensions_have_no_cosine() {
        let short = Embedding::new(vec![1.0]).unwrap();
        let long = Embedding::new(vec![1.0, 0.0]).unwrap();
        assert_eq!(short.cosine(&long), None);
    }
}
