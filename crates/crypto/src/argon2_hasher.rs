use std::hint::black_box;

use argon2::password_hash::phc::{self, Output, ParamsString, Salt};
use argon2::{ARGON2ID_IDENT, Params, Version};
use tenantry_domain::{BoxError, PasswordHash};
use zeroize::Zeroizing;

use crate::argon2id::argon2id;
use crate::{Password, PasswordError, PasswordHasher, Verdict};

/// What a password hash costs: its memory, its passes over it and its lanes.
///
/// # Examples
/// ```
/// use tenantry_crypto::Argon2Parameters;
///
/// assert_eq!(Argon2Parameters::default(), Argon2Parameters::new(19_456, 2, 1)?);
/// # Ok::<(), tenantry_crypto::Argon2ParametersOutOfRange>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Argon2Parameters {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

/// Parameters that are no Argon2 or cost more than a login may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("argon2 takes 8 KiB for each lane up to 1 GiB, 1 to 64 passes and 1 to 16 lanes")]
pub struct Argon2ParametersOutOfRange;

impl Argon2Parameters {
    /// Parameters of `memory_kib` KiB (8 for each lane, up to 1,048,576), 1 to 64 `passes` and 1 to 16 `lanes`.
    ///
    /// # Errors
    /// When one of them is out of range.
    pub fn new(memory_kib: u32, passes: u32, lanes: u32) -> Result<Self, Argon2ParametersOutOfRange> {
        let in_range = (1..=16).contains(&lanes)
            && (1..=64).contains(&passes)
            && (8 * lanes..=1 << 20).contains(&memory_kib);
        if in_range {
            Ok(Self {
                memory_kib,
                passes,
                lanes,
            })
        } else {
            Err(Argon2ParametersOutOfRange)
        }
    }

    fn to_params(self, output_bytes: usize) -> Result<Params, argon2::Error> {
        Params::new(self.memory_kib, self.passes, self.lanes, Some(output_bytes))
    }
}

impl Default for Argon2Parameters {
    /// 19 MiB, two passes, one lane: the least that OWASP's Password Storage Cheat Sheet asks for.
    fn default() -> Self {
        Self {
            memory_kib: 19_456,
            passes: 2,
            lanes: 1,
        }
    }
}

/// Hashes passwords with Argon2id into PHC strings, `$argon2id$v=19$m=..,t=..,p=..$salt$hash`.
///
/// Each call takes the parameters' memory and keeps one core busy; how many run at once is the caller's to limit.
#[derive(Debug, Clone, Copy, Default)]
pub struct Argon2Hasher {
    parameters: Argon2Parameters,
}

/// What a password is compared with.
struct Target {
    parameters: Argon2Parameters,
    salt: Salt,
    /// `None` when no password can match.
    output: Option<Output>,
}

const SALT_BYTES: usize = 16;
const OUTPUT_BYTES: usize = 32;
/// The shortest stored hash that is compared; a shorter one was cut.
const MIN_OUTPUT_BYTES: usize = 16;

impl Argon2Hasher {
    /// A hasher that makes hashes of these parameters; it verifies hashes of any others too.
    pub const fn new(parameters: Argon2Parameters) -> Self {
        Self { parameters }
    }

    /// The work of a hash that does not exist: the parameters of today, a fixed salt, and nothing that matches.
    fn dummy(&self) -> Result<Target, BoxError> {
        Ok(Target {
            parameters: self.parameters,
            salt: Salt::new(&[0; SALT_BYTES])?,
            output: None,
        })
    }
}

impl Target {
    fn parse(hash: &PasswordHash) -> Result<Self, BoxError> {
        let phc::PasswordHash {
            algorithm,
            version,
            params,
            salt: Some(salt),
            hash: Some(output),
        } = phc::PasswordHash::new(hash.as_str())?
        else {
            return Err("a salt and a hash are missing".into());
        };
        if algorithm != ARGON2ID_IDENT || version != Some(Version::V0x13.into()) {
            return Err("not a hash of argon2id, version 19".into());
        }
        if output.len() < MIN_OUTPUT_BYTES {
            return Err("the hash is too short".into());
        }
        let params = Params::try_from(&params)?;
        if !(params.keyid().is_empty() && params.data().is_empty()) {
            return Err("the hash needs a key id or associated data".into());
        }
        let parameters = Argon2Parameters::new(params.m_cost(), params.t_cost(), params.p_cost())?;
        Ok(Self {
            parameters,
            salt,
            output: Some(output),
        })
    }

    /// Does the work, whether or not anything can match.
    fn matches(&self, password: &Password) -> Result<bool, BoxError> {
        let output_bytes = self.output.map_or(OUTPUT_BYTES, |output| output.len());
        let computed = compute(password, &self.salt, self.parameters.to_params(output_bytes)?)?;
        // `Output` compares in constant time.
        Ok(self.output == Some(black_box(computed)))
    }
}

impl PasswordHasher for Argon2Hasher {
    fn hash(&self, password: &Password) -> Result<PasswordHash, PasswordError> {
        let hash = || -> Result<PasswordHash, BoxError> {
            let mut salt = [0; SALT_BYTES];
            getrandom::fill(&mut salt)?;
            let salt = Salt::new(&salt)?;
            let params = self.parameters.to_params(OUTPUT_BYTES)?;
            let hash = phc::PasswordHash {
                algorithm: ARGON2ID_IDENT,
                version: Some(Version::V0x13.into()),
                params: ParamsString::try_from(&params)?,
                salt: Some(salt),
                hash: Some(compute(password, &salt, params)?),
            };
            Ok(PasswordHash::from_stored(hash.to_string()))
        };
        hash().map_err(PasswordError::Unavailable)
    }

    fn verify(&self, password: &Password, hash: Option<&PasswordHash>) -> Result<Verdict, PasswordError> {
        let verdict = || -> Result<Verdict, BoxError> {
            let target = hash.map_or_else(|| self.dummy(), Target::parse)?;
            let up_to_date = target.parameters == self.parameters
                && target.output.is_some_and(|output| output.len() == OUTPUT_BYTES);
            Ok(match (target.matches(password)?, up_to_date) {
                (true, true) => Verdict::Match,
                (true, false) => Verdict::MatchOutdated,
                (false, _) => Verdict::Mismatch,
            })
        };
        verdict().map_err(PasswordError::Unavailable)
    }
}

fn compute(password: &Password, salt: &Salt, params: Params) -> Result<Output, BoxError> {
    let mut bytes = Zeroizing::new([0; Output::MAX_LENGTH]);
    let out = params
        .output_len()
        .and_then(|length| bytes.get_mut(..length))
        .ok_or("the hash is too long")?;
    argon2id(params, password.expose().as_bytes(), salt, out)?;
    Ok(Output::new(out)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance;

    /// Small parameters, for speed.
    fn quick(passes: u32) -> Argon2Hasher {
        Argon2Hasher::new(Argon2Parameters::new(64, passes, 1).unwrap())
    }

    fn password(text: &str) -> Password {
        Password::new(&text.into()).unwrap()
    }

    #[test]
    fn the_argon2_hasher_keeps_the_promises_of_a_hasher() {
        conformance::password_hasher(&quick(1));
        conformance::only_the_right_password_matches(&Argon2Hasher::default());
    }

    #[test]
    fn a_hash_is_a_phc_string_of_todays_parameters() {
        let hash = Argon2Hasher::default().hash(&password("correct horse")).unwrap();
        assert!(
            hash.as_str().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{}",
            hash.as_str()
        );
    }

    #[test]
    fn a_hash_of_other_parameters_matches_as_outdated() {
        let hash = quick(1).hash(&password("correct horse")).unwrap();
        let verdict = |text| quick(2).verify(&password(text), Some(&hash)).unwrap();
        assert_eq!(verdict("correct horse"), Verdict::MatchOutdated);
        assert_eq!(verdict("wrong horse"), Verdict::Mismatch);
    }

    #[test]
    fn a_missing_hash_costs_the_work_of_todays_parameters() {
        let hasher = quick(3);
        let dummy = hasher.dummy().unwrap();
        assert_eq!(dummy.parameters, hasher.parameters);
        assert!(!dummy.matches(&password("")).unwrap());
        let real = Target::parse(&hasher.hash(&password("x")).unwrap()).unwrap();
        assert_eq!(
            (real.parameters, real.salt.len()),
            (dummy.parameters, dummy.salt.len())
        );
    }

    #[test]
    fn a_hash_that_costs_too_much_or_is_of_another_kind_is_refused() {
        let tail = "$AAECAwQFBgcICQoLDA0ODw$gYJZtjEAJqjg26xdLmknq8/bB7MiWPrE9hsYuA+SkIU";
        for head in [
            "$argon2id$v=19$m=4194304,t=2,p=1",
            "$argon2id$v=19$m=19456,t=4294967295,p=1",
            "$argon2id$v=19$m=19456,t=2,p=255",
            "$argon2id$v=16$m=64,t=1,p=1",
            "$argon2id$m=64,t=1,p=1",
            "$argon2i$v=19$m=64,t=1,p=1",
            "$argon2d$v=19$m=64,t=1,p=1",
            "$argon2id$v=19$m=64,t=1,p=1,data=AAAA",
            "$scrypt$ln=1,r=1,p=1",
        ] {
            let hash = PasswordHash::from_stored(format!("{head}{tail}"));
            assert!(quick(1).verify(&password("x"), Some(&hash)).is_err(), "{head}");
        }
        let cut = PasswordHash::from_stored(
            "$argon2id$v=19$m=64,t=1,p=1$AAECAwQFBgcICQoLDA0ODw$AAAAAAAAAAAAAA".to_owned(),
        );
        assert!(quick(1).verify(&password("x"), Some(&cut)).is_err());
    }

    #[test]
    fn parameters_out_of_range_are_refused() {
        for (memory, passes, lanes) in [
            (7, 1, 1),
            (15, 1, 2),
            (1 << 21, 1, 1),
            (64, 0, 1),
            (64, 65, 1),
            (64, 1, 0),
            (64, 1, 17),
            (64, 1, u32::MAX),
        ] {
            let refused = Argon2Parameters::new(memory, passes, lanes);
            assert_eq!(
                refused,
                Err(Argon2ParametersOutOfRange),
                "{memory} {passes} {lanes}"
            );
        }
    }
}
