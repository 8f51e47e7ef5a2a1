//! Log lines on standard error, for people or as JSON.

use std::io::{self, Write};

use env_logger::fmt::Formatter;
use env_logger::{Builder, Target};
use log::{LevelFilter, Record, SetLoggerError};
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
    let line = match format {
        LogFormat::Text => text_line(record),
        LogFormat::Json => json_line(record),
    };
    writeln!(out, "{line}")
}

fn text_line(record: &Record<'_>) -> String {
    let message = escape_control(&record.args().to_string());
    let (now, level, target) = (SystemClock.now(), record.level(), record.target());
    format!("{now} {level:<5} {target}: {message}")
}

fn json_line(record: &Record<'_>) -> String {
    // The serialiser escapes control characters itself.
    serde_json::json!({
        "time": SystemClock.now().to_string(),
        "level": record.level().as_str(),
        "target": record.target(),
        "message": record.args().to_string(),
    })
    .to_string()
}

/// A text in which no control character can end the line, forge another one or command a terminal.
fn escape_control(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control()
            || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
        {
            escaped.extend(c.escape_default());
        } else {
            escaped.push(c);
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use log::Level;

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
        assert!(!line(message, LogFormat::Json).chars().any(char::is_control));
    }

    #[test]
    fn a_json_line_has_the_message_as_it_was() {
        let object: serde_json::Value = serde_json::from_str(&line("a \"b\"\n", LogFormat::Json)).unwrap();
        assert_eq!(object["message"], "a \"b\"\n");
        assert_eq!(object["level"], "WARN");
        assert_eq!(object["target"], "tenantry");
    }
}
