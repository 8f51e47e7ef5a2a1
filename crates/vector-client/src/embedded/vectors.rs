//! An embedding as bytes in a tenant's file.

use tenantry_domain::Embedding;

use super::fault::Fault;

/// The numbers as sqlite-vec reads them: 32-bit floats in the machine's byte order.
pub(super) fn floats(embedding: &Embedding) -> Vec<u8> {
    embedding
        .as_slice()
        .iter()
        .flat_map(|value| value.to_ne_bytes())
        .collect()
}

/// The embedding of those bytes.
pub(super) fn embedding(bytes: &[u8]) -> Result<Embedding, Fault> {
    let (numbers, rest) = bytes.as_chunks();
    if !rest.is_empty() {
        return Err(Fault::out_of_range(rest));
    }
    let values = numbers.iter().map(|bytes| f32::from_ne_bytes(*bytes)).collect();
    Embedding::new(values).map_err(Fault::out_of_range)
}

/// One bit per number, set where it is positive, in whole bytes.
pub(super) fn sketch(embedding: &Embedding) -> Vec<u8> {
    let byte = |numbers: &[f32]| {
        numbers
            .iter()
            .zip(0_u32..)
            .fold(0_u8, |byte, (value, bit)| byte | (u8::from(*value > 0.0) << bit))
    };
    embedding.as_slice().chunks(8).map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sketch_has_a_bit_for_every_number() {
        let mut values = vec![-1.0_f32; 11];
        for positive in [0, 3, 8] {
            values[positive] = 1.0;
        }
        assert_eq!(
            sketch(&Embedding::new(values).unwrap()),
            [0b0000_1001, 0b0000_0001]
        );
    }

    #[test]
    fn an_embedding_comes_back_from_its_bytes() {
        let stored = Embedding::new(vec![0.5, -2.0, 1e-20]).unwrap();
        let cosine = embedding(&floats(&stored)).unwrap().cosine(&stored).unwrap();
        assert!((cosine - 1.0).abs() < 1e-6);
        for bytes in [&[][..], &[0; 8], &[1; 7]] {
            assert!(embedding(bytes).is_err(), "{bytes:?}");
        }
    }
}
