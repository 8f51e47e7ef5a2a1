//! An embedding as bytes in a tenant's file.

use tenantry_domain::Embedding;

/// The numbers as sqlite-vec reads them: 32-bit floats in the machine's byte order.
pub(super) fn floats(embedding: &Embedding) -> Vec<u8> {
    embedding
        .as_slice()
        .iter()
        .flat_map(|value| value.to_ne_bytes())
        .collect()
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
}
