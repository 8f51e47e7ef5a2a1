use std::time::Duration;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

/// The first of `headers` of that lower-case name.
pub(crate) fn header<'h>(headers: &'h [(String, String)], name: &str) -> Option<&'h str> {
    headers
        .iter()
        .find(|(known, _)| known == name)
        .map(|(_, value)| value.as_str())
}

/// How long an answer asks to wait: `retry-after-ms`, else `retry-after` in seconds or as an HTTP date (RFC 9110,
/// section 10.2.3), which is read against the answer's own `date` so that no clock of ours matters. Zero, negative
/// and unreadable values say nothing.
pub(crate) fn retry_after(headers: &[(String, String)]) -> Option<Duration> {
    let header = |name: &str| header(headers, name).map(str::trim);
    let positive = |seconds: f64| {
        Duration::try_from_secs_f64(seconds)
            .ok()
            .filter(|wait| !wait.is_zero())
    };
    let millis = header("retry-after-ms").and_then(|text| text.parse::<f64>().ok());
    if let Some(wait) = millis.and_then(|millis| positive(millis / 1000.0)) {
        return Some(wait);
    }
    let text = header("retry-after")?;
    if let Ok(seconds) = text.parse::<f64>() {
        return positive(seconds);
    }
    let then = OffsetDateTime::parse(text, &Rfc2822).ok()?;
    let sent = OffsetDateTime::parse(header("date")?, &Rfc2822).ok()?;
    positive((then - sent).as_seconds_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(headers: &[(&str, &str)], expected: Option<u64>) {
        let headers: Vec<_> = headers
            .iter()
            .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
            .collect();
        assert_eq!(
            retry_after(&headers),
            expected.map(Duration::from_millis),
            "{headers:?}"
        );
    }

    #[test]
    fn every_spelling_of_a_wait_is_read() {
        check(&[("retry-after", "7")], Some(7_000));
        check(&[("retry-after", " 1.5 ")], Some(1_500));
        check(&[("retry-after-ms", "250"), ("retry-after", "7")], Some(250));
        check(&[("retry-after-ms", "x"), ("retry-after", "7")], Some(7_000));
        let date = ("date", "Sun, 06 Nov 1994 08:49:37 GMT");
        check(
            &[date, ("retry-after", "Sun, 06 Nov 1994 08:50:07 GMT")],
            Some(30_000),
        );
    }

    #[test]
    fn what_says_nothing_is_unknown() {
        for value in [
            "",
            "0",
            "-1",
            "soon",
            "NaN",
            "inf",
            "1e300",
            "Sun, 06 Nov 1994 08:49:37 GMT",
        ] {
            check(&[("retry-after", value)], None);
        }
        let date = ("date", "Sun, 06 Nov 1994 08:49:37 GMT");
        check(&[date, ("retry-after", "Sun, 06 Nov 1994 08:00:00 GMT")], None);
        check(&[], None);
    }
}
