use std::fmt;
use std::str::FromStr;
use std::sync::Mutex;
use std::time::Duration;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// A moment in UTC, kept to the microsecond because that is what every store keeps.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(OffsetDateTime);

/// A moment outside the years that RFC 3339 can write (0 to 9999).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the moment lies outside the years 0 to 9999")]
pub struct TimestampOutOfRange;

/// The first microsecond of the year 0.
const FIRST_MICROS: i64 = -62_167_219_200_000_000;
/// The last microsecond of the year 9999.
const LAST_MICROS: i64 = 253_402_300_799_999_999;

impl Timestamp {
    /// The moment `micros` microseconds after 1970-01-01T00:00:00Z.
    ///
    /// # Errors
    /// When the year is not between 0 and 9999.
    pub fn from_unix_micros(micros: i64) -> Result<Self, TimestampOutOfRange> {
        let at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(micros) * 1_000)
            .map_err(|_| TimestampOutOfRange)?;
        if (0..=9_999).contains(&at.year()) {
            Ok(Self(at))
        } else {
            Err(TimestampOutOfRange)
        }
    }

    /// Microseconds since 1970-01-01T00:00:00Z.
    pub fn unix_micros(self) -> i64 {
        // In range: `from_unix_micros` took an i64, and years 0 to 9999 fit in one.
        i64::try_from(self.0.unix_timestamp_nanos() / 1_000).unwrap_or(i64::MAX)
    }

    /// Whole seconds since 1970-01-01T00:00:00Z, rounded down.
    pub fn unix_seconds(self) -> i64 {
        self.0.unix_timestamp()
    }

    /// The moment at which a day begins (UTC), counted in days from 1970-01-01.
    ///
    /// # Errors
    /// When the year is not between 0 and 9999.
    pub fn from_unix_day(day: i64) -> Result<Self, TimestampOutOfRange> {
        let micros = day.checked_mul(86_400_000_000).ok_or(TimestampOutOfRange)?;
        Self::from_unix_micros(micros)
    }

    /// The day (UTC) that the moment lies in, counted from 1970-01-01.
    pub fn unix_day(self) -> i64 {
        self.unix_seconds().div_euclid(86_400)
    }

    /// The moment so long after this one, or the last one of the year 9999 where that comes first.
    #[must_use]
    pub fn saturating_add(self, by: Duration) -> Self {
        self.shifted(i64::saturating_add, by)
    }

    /// The moment so long before this one, or the first one of the year 0 where that comes later.
    #[must_use]
    pub fn saturating_sub(self, by: Duration) -> Self {
        self.shifted(i64::saturating_sub, by)
    }

    /// How long it is from `earlier` to this moment; `None` when that is the later one, as after a clock was set back.
    pub fn since(self, earlier: Self) -> Option<Duration> {
        let micros = self.unix_micros().saturating_sub(earlier.unix_micros());
        u64::try_from(micros).ok().map(Duration::from_micros)
    }

    fn shifted(self, shift: fn(i64, i64) -> i64, by: Duration) -> Self {
        let by = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
        let micros = shift(self.unix_micros(), by).clamp(FIRST_MICROS, LAST_MICROS);
        Self::from_unix_micros(micros).unwrap_or(self)
    }

    /// The same moment as a `time` value in UTC.
    pub fn to_offset_date_time(self) -> OffsetDateTime {
        self.0
    }
}

impl From<OffsetDateTime> for Timestamp {
    /// Truncates to the microsecond and converts to UTC; a moment outside RFC 3339's years becomes 1970.
    fn from(at: OffsetDateTime) -> Self {
        i64::try_from(at.unix_timestamp_nanos().div_euclid(1_000))
            .ok()
            .and_then(|micros| Self::from_unix_micros(micros).ok())
            .unwrap_or(Self(OffsetDateTime::UNIX_EPOCH))
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC, as `2026-11-23T07:29:00.123456Z`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.format(&Rfc3339).map_err(|_| fmt::Error)?)
    }
}

/// Text that is no moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a moment with its offset, as `2026-11-23T07:29:00Z`")]
pub struct ParseTimestampError;

impl FromStr for Timestamp {
    type Err = ParseTimestampError;

    /// Reads what RFC 3339 allows, in whatever offset, to the microsecond.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let at = OffsetDateTime::parse(text, &Rfc3339).map_err(|_| ParseTimestampError)?;
        let micros = i64::try_from(at.unix_timestamp_nanos().div_euclid(1_000));
        micros
            .ok()
            .and_then(|micros| Self::from_unix_micros(micros).ok())
            .ok_or(ParseTimestampError)
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Where the present comes from, so that tests can choose it.
pub trait Clock: Send + Sync {
    /// The present moment, truncated to the microsecond.
    fn now(&self) -> Timestamp;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the machine's clock"
    )]
    fn now(&self) -> Timestamp {
        OffsetDateTime::now_utc().into()
    }
}

/// A clock that stands still until it is told to move.
#[derive(Debug)]
pub struct ManualClock(Mutex<Timestamp>);

impl ManualClock {
    /// A clock that shows `now`.
    pub fn new(now: Timestamp) -> Self {
        Self(Mutex::new(now))
    }

    /// Moves the clock `by` forward.
    pub fn advance(&self, by: Duration) {
        let mut now = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        *now = (now.0 + by).into();
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_read_as_it_is_written_and_in_any_offset() {
        let at = Timestamp::from_unix_micros(1_795_418_940_123_456).unwrap();
        assert_eq!(at.to_string().parse(), Ok(at));
        assert_eq!("2026-11-23T08:29:00.1234569+01:00".parse(), Ok(at));
        for text in [
            "",
            "2026-11-23",
            "2026-11-23T07:29:00",
            "0000-01-01T00:00:00+01:00",
            "x",
        ] {
            assert_eq!(text.parse::<Timestamp>(), Err(ParseTimestampError), "{text}");
        }
    }

    #[test]
    fn a_timestamp_keeps_microseconds_and_no_more() {
        let at = Timestamp::from(OffsetDateTime::UNIX_EPOCH + time::Duration::nanoseconds(1_234_567_890));
        assert_eq!(at.unix_micros(), 1_234_567);
        assert_eq!(at.to_string(), "1970-01-01T00:00:01.234567Z");
        assert_eq!(Timestamp::from_unix_micros(at.unix_micros()), Ok(at));
    }

    #[test]
    fn a_moment_that_rfc_3339_cannot_write_is_refused() {
        assert_eq!(Timestamp::from_unix_micros(i64::MAX), Err(TimestampOutOfRange));
        assert_eq!(Timestamp::from_unix_micros(i64::MIN), Err(TimestampOutOfRange));
    }

    #[test]
    fn moments_are_told_from_each_other_and_end_with_the_years() {
        let at = Timestamp::from_unix_micros(5_000_000).unwrap();
        let later = at.saturating_add(Duration::from_secs(2));
        assert_eq!(later.unix_micros(), 7_000_000);
        assert_eq!(
            at.saturating_sub(Duration::from_micros(1)).unix_micros(),
            4_999_999
        );
        assert_eq!(later.since(at), Some(Duration::from_secs(2)));
        assert_eq!(at.since(at), Some(Duration::ZERO));
        assert_eq!(at.since(later), None);
        let (first, last) = (at.saturating_sub(Duration::MAX), at.saturating_add(Duration::MAX));
        assert_eq!(first.to_string(), "0000-01-01T00:00:00Z");
        assert_eq!(last.to_string(), "9999-12-31T23:59:59.999999Z");
    }

    #[test]
    fn a_manual_clock_moves_when_told() {
        let clock = ManualClock::new(Timestamp::from(OffsetDateTime::UNIX_EPOCH));
        clock.advance(Duration::from_secs(90));
        assert_eq!(clock.now().unix_seconds(), 90);
    }

    #[test]
    fn the_system_clock_is_past_the_day_this_was_written() {
        assert!(SystemClock.now().unix_seconds() > 1_700_000_000);
    }
}
