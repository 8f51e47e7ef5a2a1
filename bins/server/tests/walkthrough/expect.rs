//! Compares what the document shows with what came, where `…` stands for anything.

use serde_json::Value;

/// Whether `text` is `pattern`, where each `…` stands for any piece of it.
pub(crate) fn text_matches(pattern: &str, text: &str) -> bool {
    let mut pieces = pattern.split('…');
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let mut pieces: Vec<_> = pieces.collect();
    let Some(last) = pieces.pop() else {
        return rest.is_empty();
    };
    for piece in pieces {
        let Some(at) = rest.find(piece) else { return false };
        rest = &rest[at + piece.len()..];
    }
    rest.ends_with(last)
}

/// Compares JSON with what was shown: the same keys and elements, where `"…"` stands for any value, text may have `…` in
/// it, and an array that ends in `"…"` may have more elements.
///
/// # Errors
/// With the place of the first difference.
pub(crate) fn json_matches(shown: &Value, found: &Value) -> Result<(), String> {
    compare("", shown, found)
}

fn compare(place: &str, shown: &Value, found: &Value) -> Result<(), String> {
    match (shown, found) {
        (Value::String(any), _) if any == "…" => Ok(()),
        (Value::String(pattern), Value::String(text)) if text_matches(pattern, text) => Ok(()),
        (Value::Object(fields), Value::Object(others)) => {
            if let Some(unknown) = others.keys().find(|key| !fields.contains_key(*key)) {
                return Err(format!("{place}/{unknown} is not shown: {found}"));
            }
            fields.iter().try_for_each(|(key, value)| match others.get(key) {
                Some(other) => compare(&format!("{place}/{key}"), value, other),
                None => Err(format!("{place}/{key} is missing: {found}")),
            })
        }
        (Value::Array(elements), Value::Array(others)) => {
            let open = elements.last().is_some_and(|last| last == "…");
            let elements = if open {
                &elements[..elements.len() - 1]
            } else {
                elements
            };
            if others.len() < elements.len() || (!open && others.len() != elements.len()) {
                return Err(format!("{place} has {} elements: {found}", others.len()));
            }
            let mut pairs = elements.iter().zip(others).enumerate();
            pairs.try_for_each(|(at, (shown, found))| compare(&format!("{place}/{at}"), shown, found))
        }
        _ if shown == found => Ok(()),
        _ => Err(format!("{place}: shown {shown}, found {found}")),
    }
}

/// Compares what `curl -i` printed with the answer that was shown: the status line, at least the shown headers, and the
/// body as JSON, or line by line where the shown one is none.
///
/// # Errors
/// With the first difference.
pub(crate) fn answer_matches(shown: &str, printed: &str) -> Result<(), String> {
    let printed = printed.replace("\r\n", "\n");
    let (shown_head, shown_body) = shown.split_once("\n\n").unwrap_or((shown, ""));
    let (head, body) = printed
        .split_once("\n\n")
        .ok_or_else(|| format!("no answer but {printed:?}"))?;
    let (shown_status, shown_headers) = shown_head.split_once('\n').unwrap_or((shown_head, ""));
    let (status, headers) = head.split_once('\n').unwrap_or((head, ""));
    if status.trim_end() != shown_status.trim_end() {
        return Err(format!("shown {shown_status}, found {printed}"));
    }
    for shown in shown_headers.lines() {
        if !headers.lines().any(|header| header_matches(shown, header)) {
            return Err(format!("no header {shown} in {headers}"));
        }
    }
    match serde_json::from_str(shown_body) {
        Ok(shown) => {
            let found = serde_json::from_str(body).map_err(|error| format!("{error}: {body:?}"))?;
            json_matches(&shown, &found)
        }
        Err(error) if shown_body.trim_start().starts_with('{') => {
            Err(format!("what is shown is no JSON: {error}"))
        }
        Err(_) => lines_match(shown_body, body),
    }
}

fn header_matches(shown: &str, header: &str) -> bool {
    match (shown.split_once(": "), header.split_once(": ")) {
        (Some((shown_name, shown)), Some((name, value))) => {
            shown_name.eq_ignore_ascii_case(name) && text_matches(shown, value.trim_end())
        }
        _ => false,
    }
}

/// Compares lines with those that were shown: all of them in that order, but for blank ones and comments of an event
/// stream. A line that is `…` stands for any number of lines.
///
/// # Errors
/// With the first difference.
pub(crate) fn lines_match(shown: &str, found: &str) -> Result<(), String> {
    let relevant = |line: &&str| !line.trim().is_empty() && !line.starts_with(':');
    let mut lines = found.lines().filter(relevant);
    let mut skip = false;
    for shown in shown.lines().filter(relevant) {
        if shown == "…" {
            skip = true;
            continue;
        }
        let matching = |line: &str| line_matches(shown, line);
        let there = if skip {
            lines.any(matching)
        } else {
            lines.next().is_some_and(matching)
        };
        if !there {
            return Err(format!("no line {shown:?} at its place in:\n{found}"));
        }
        skip = false;
    }
    match lines.next() {
        Some(line) if !skip => Err(format!("{line:?} is not shown")),
        _ => Ok(()),
    }
}

/// A line of text, or of an event's data, which is compared as JSON.
fn line_matches(shown: &str, line: &str) -> bool {
    let json = |line: &str| {
        line.strip_prefix("data: ")
            .and_then(|data| serde_json::from_str(data).ok())
    };
    match (json(shown), json(line)) {
        (Some(shown), Some(found)) => json_matches(&shown, &found).is_ok(),
        _ => text_matches(shown, line.trim_end()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_ellipsis_stands_for_any_piece_of_text() {
        for (pattern, text) in [
            ("…", ""),
            ("a…", "abc"),
            ("…c", "abc"),
            ("a…c…e", "abcde"),
            ("abc", "abc"),
        ] {
            assert!(text_matches(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [
            ("a…", "bc"),
            ("…c", "cb"),
            ("a…c…e", "aecd"),
            ("abc", "abcd"),
            ("a…a", "a"),
        ] {
            assert!(!text_matches(pattern, text), "{pattern} {text}");
        }
    }

    #[test]
    fn what_is_not_shown_may_not_be_there_and_the_other_way_round() {
        let found = json!({ "id": "acme", "n": 1, "list": [1, 2] });
        for shown in [
            json!({ "id": "acme", "n": 1, "list": [1, 2] }),
            json!({ "id": "…", "n": "…", "list": "…" }),
            json!({ "id": "a…e", "n": 1, "list": [1, "…"] }),
        ] {
            assert_eq!(json_matches(&shown, &found), Ok(()), "{shown}");
        }
        for shown in [
            json!({ "id": "acme", "n": 1 }),
            json!({ "id": "acme", "n": 1, "list": [1, 2], "more": "…" }),
            json!({ "id": "acme", "n": 2, "list": [1, 2] }),
            json!({ "id": "acme", "n": "1", "list": [1, 2] }),
            json!({ "id": "acme", "n": 1, "list": [1] }),
            json!({ "id": "acme", "n": 1, "list": [1, 2, 3, "…"] }),
        ] {
            assert!(json_matches(&shown, &found).is_err(), "{shown}");
        }
    }

    #[test]
    fn an_answer_is_compared_by_status_headers_and_body() {
        let printed = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nx-request-id: 7\r\n\r\n{\"a\":1}";
        let ok = |shown: &str| answer_matches(shown, printed).is_ok();
        assert!(ok("HTTP/1.1 200 OK\n\n{ \"a\": 1 }"));
        assert!(ok("HTTP/1.1 200 OK\nx-request-id: …\n\n{ \"a\": 1 }"));
        assert!(!ok("HTTP/1.1 201 Created\n\n{ \"a\": 1 }"));
        assert!(!ok("HTTP/1.1 200 OK\nretry-after: …\n\n{ \"a\": 1 }"));
        assert!(!ok("HTTP/1.1 200 OK\n\n{ \"a\": 2 }"));
        assert!(!ok("HTTP/1.1 200 OK"));
    }

    #[test]
    fn events_are_compared_line_by_line() {
        let found = ": hb\n\nevent: delta\ndata: {\"text\":\"a\"}\n\nevent: delta\ndata: {\"text\":\"b\"}\n\nevent: done\ndata: {}\n\n";
        assert_eq!(
            lines_match(
                "event: delta\ndata: {\"text\": \"a\"}\n…\nevent: done\ndata: {}",
                found
            ),
            Ok(())
        );
        assert!(
            lines_match(
                "event: delta\ndata: {\"text\":\"a\"}\nevent: done\ndata: {}",
                found
            )
            .is_err()
        );
        assert!(lines_match("event: delta\n…\nevent: sources\n", found).is_err());
        assert!(lines_match("event: delta\ndata: {\"text\":\"a\"}", found).is_err());
    }
}
