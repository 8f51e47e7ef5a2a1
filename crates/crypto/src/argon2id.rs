use argon2::{Algorithm, Argon2, Block, Params, Version};
use zeroize::Zeroizing;

/// Fills `out` with Argon2id (version 1.3) of `password` and `salt`, and wipes the working memory afterwards.
pub(crate) fn argon2id(
    params: Params,
    password: &[u8],
    salt: &[u8],
    out: &mut [u8],
) -> Result<(), argon2::Error> {
    let mut memory = Zeroizing::new(vec![Block::new(); params.block_count()]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params).hash_password_into_with_memory(
        password,
        salt,
        out,
        memory.as_mut_slice(),
    )
}
