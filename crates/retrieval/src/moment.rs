use std::time::Duration;

use tenantry_domain::Timestamp;

/// The moment so long after another one; the same where there is none so late.
pub(crate) fn after(moment: Timestamp, by: Duration) -> Timestamp {
    shifted(moment, i64::saturating_add, by)
}

/// The moment so long before another one; the same where there is none so early.
pub(crate) fn before(moment: Timestamp, by: Duration) -> Timestamp {
    shifted(moment, i64::saturating_sub, by)
}

fn shifted(moment: Timestamp, shift: fn(i64, i64) -> i64, by: Duration) -> Timestamp {
    let by = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
    Timestamp::from_unix_micros(shift(moment.unix_micros(), by)).unwrap_or(moment)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_told_from_each_other() {
        let moment = Timestamp::from_unix_micros(5_000_000).unwrap();
        assert_eq!(after(moment, Duration::from_secs(2)).unix_micros(), 7_000_000);
        assert_eq!(before(moment, Duration::from_micros(1)).unix_micros(), 4_999_999);
        assert_eq!(after(moment, Duration::MAX), moment);
    }
}
