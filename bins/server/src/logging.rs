//! Log lines on standard error, for people or as JSON.

use std::error::Error;
use std::io::{self, Write};

use env_logger::fmt::Formatter;
use env_logger::{Builder, Target};
use log::{Level, LevelFilter, Metadata, Record, SetLoggerError};
use tenantry_domain::{Clock, SystemClock};

/// The form of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// A line for people.
    Text,
    /// A JSON object a line.
    Json,
}

/// Starts logging to standard error; call it once.
///
/// # Errors
/// When something else logs already.
pub fn init(format: LogFormat, filter: &str) -> Result<(), SetLoggerError> {
    let mut builder = Builder::new();
    // What the framework says about its threads is of no use to an operator.
    builder
        .filter_level(LevelFilter::Info)
        .filter_module("actix_server", LevelFilter::Warn);
    builder
        .parse_filters(filter)
        .target(Target::Stderr)
        .format(move |out, record| write(out, record, format));
    builder.try_init()
}

fn write(out: &mut Formatter, record: &Record<'_>, format: LogFormat) -> io::Result<()> {
    if !may_be_written(record.metadata()) {
        return Ok(());
    }
    let line = match format {
        LogFormat::Text => text_line(record),
        LogFormat::Json => json_line(record),
    };
    writeln!(out, "{line}")
}

/// Whether a line may be written at all, whatever the filter lets through. At `trace` the libraries below print what they
/// send, the heads of requests with their keys included; up to `debug` they do not.
fn may_be_written(line: &Metadata<'_>) -> bool {
    let library = line.target().split("::").next().unwrap_or_default();
    line.level() < Level::Trace || library == "tenantry" || library.starts_with("tenantry_")
}

fn text_line(record: &Record<'_>) -> String {
    let message = escape_control(&record.args().to_string());
    let (now, level, target) = (SystemClock.now(), record.level(), record.target());
    format!("{now} {level:<5} {target}: {message}")
}

fn json_line(record: &Record<'_>) -> String {
    let line = serde_json::json!({
        "time": SystemClock.now().to_string(),
        "level": record.level().as_str(),
        "target": record.target(),
        "message": record.args().to_string(),
    });
    // The serialiser escapes the control characters below U+0020 and no others; all of ours have four digits.
    escape(&line.to_string(), |c| format!("\\u{:04x}", u32::from(c)))
}

/// An error with its causes, each said once.
pub(crate) fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        // The words of a database's library may come in several lines.
        let next = error.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
        if !text.ends_with(&next) {
            text.push_str(": ");
            text.push_str(&next);
        }
        cause = error.source();
    }
    text
}

/// A text in which no control character can end the line, forge another one or command a terminal.
fn escape_control(text: &str) -> String {
    escape(text, |c| c.escape_default().to_string())
}

fn escape(text: &str, spell: impl Fn(char) -> String) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if is_harmful(c) {
            escaped.push_str(&spell(c));
        } else {
            escaped.push(c);
        }
    }
    escaped
}

/// Whether a character can end a line, turn its direction or command a terminal.
fn is_harmful(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(message: &str, format: LogFormat) -> String {
        let args = format_args!("{message}");
        let record = Record::builder()
            .args(args)
            .level(Level::Warn)
            .target("tenantry")
            .build();
        match format {
            LogFormat::Text => text_line(&record),
            LogFormat::Json => json_line(&record),
        }
    }

    #[test]
    fn one_message_is_one_line_whatever_it_holds() {
        let message = "a\nERROR forged\r\u{1b}[31m\u{2028}\u{202E}\0é";
        let text = line(message, LogFormat::Text);
        assert!(!text.chars().any(char::is_control), "{text:?}");
        assert!(
            text.ends_with(r"tenantry: a\nERROR forged\r\u{1b}[31m\u{2028}\u{202e}\u{0}é"),
            "{text}"
        );
        let message = format!("{message}\u{7f}\u{9b}31m");
        let json = line(&message, LogFormat::Json);
        assert!(!json.chars().any(is_harmful), "{json:?}");
        let object: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(object["message"], message);
    }

    #[test]
    fn at_trace_none_but_our_own_modules_speak() {
        let may = |target: &str, level: Level| {
            may_be_written(&Metadata::builder().target(target).level(level).build())
        };
        for target in [
            "ureq_proto::util",
            "ureq::run",
            "rustls::client::hs",
            "actix_http::h1",
            "tenantryx",
            "",
        ] {
            assert!(!may(target, Level::Trace), "{target}");
            assert!(may(target, Level::Debug), "{target}");
        }
        for target in ["tenantry", "tenantry::http", "tenantry_http_client::retry"] {
            assert!(may(target, Level::Trace), "{target}");
        }
    }

    #[test]
    fn a_json_line_has_the_message_as_it_was() {
        let object: serde_json::Value = serde_json::from_str(&line("a \"b\"\n", LogFormat::Json)).unwrap();
        assert_eq!(object["message"], "a \"b\"\n");
        assert_eq!(object["level"], "WARN");
        assert_eq!(object["target"], "tenantry");
    }
}
