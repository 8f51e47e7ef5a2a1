use std::fmt;

/// How long an access token lives: 1 to 10,080 minutes (a week).
///
/// # Examples
/// ```
/// use tenantry_auth::Lifetime;
///
/// assert_eq!(Lifetime::from_minutes(30)?.seconds(), 1_800);
/// assert!(Lifetime::from_minutes(0).is_err());
/// # Ok::<(), tenantry_auth::LifetimeOutOfRange>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lifetime {
    minutes: u16,
}

/// A number of minutes outside 1 to 10,080.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an access token lives between 1 and {max} minutes", max = Lifetime::MAX_MINUTES)]
pub struct LifetimeOutOfRange;

impl Lifetime {
    /// The longest lifetime in minutes.
    pub const MAX_MINUTES: u16 = 10_080;

    /// A lifetime of this many minutes.
    ///
    /// # Errors
    /// When `minutes` is 0 or above [`Lifetime::MAX_MINUTES`].
    pub fn from_minutes(minutes: u32) -> Result<Self, LifetimeOutOfRange> {
        match u16::try_from(minutes) {
            Ok(minutes @ 1..=Self::MAX_MINUTES) => Ok(Self { minutes }),
            _ => Err(LifetimeOutOfRange),
        }
    }

    /// The lifetime in minutes.
    pub fn minutes(self) -> u32 {
        self.minutes.into()
    }

    /// The lifetime in seconds.
    pub fn seconds(self) -> u32 {
        self.minutes() * 60
    }
}

impl fmt::Debug for Lifetime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Lifetime({} min)", self.minutes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_lives_a_minute_to_a_week() {
        for minutes in [0, 10_081, 65_536, 65_537, u32::MAX] {
            assert_eq!(
                Lifetime::from_minutes(minutes),
                Err(LifetimeOutOfRange),
                "{minutes}"
            );
        }
        assert_eq!(Lifetime::from_minutes(1).map(Lifetime::seconds), Ok(60));
        assert_eq!(Lifetime::from_minutes(10_080).map(Lifetime::seconds), Ok(604_800));
    }
}
