use std::fmt::Display;
use std::io::Write;

use serde::Serialize;

use crate::cli::Failure;
use crate::cli::ask::visible;

/// How a part of a deployment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Verdict {
    /// As it should be.
    Ok,
    /// It works, and should not stay so.
    Warning,
    /// It does not work, or not safely.
    Problem,
}

impl Verdict {
    fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Problem => "problem",
        }
    }
}

/// What one look at a part showed.
#[derive(Debug, Serialize)]
struct Finding {
    check: &'static str,
    verdict: Verdict,
    message: String,
    advice: Option<String>,
}

/// Everything that was found.
#[derive(Debug, Default)]
pub(super) struct Report(Vec<Finding>);

/// The report as it is written for programs.
#[derive(Serialize)]
struct Written<'a> {
    verdict: Verdict,
    findings: &'a [Finding],
}

impl Report {
    /// That something is as it should be.
    pub(super) fn ok(&mut self, check: &'static str, message: impl Display) {
        self.add(check, Verdict::Ok, &message, None);
    }

    /// That something should not stay as it is, and what to do.
    pub(super) fn warning(&mut self, check: &'static str, message: impl Display, advice: impl Display) {
        self.add(check, Verdict::Warning, &message, Some(&advice));
    }

    /// That something does not work or is not safe, and what to do.
    pub(super) fn problem(&mut self, check: &'static str, message: impl Display, advice: impl Display) {
        self.add(check, Verdict::Problem, &message, Some(&advice));
    }

    fn add(
        &mut self,
        check: &'static str,
        verdict: Verdict,
        message: &dyn Display,
        advice: Option<&dyn Display>,
    ) {
        // What an upstream or a record says may have been written by anybody.
        let clean = |text: &dyn Display| visible(&text.to_string()).replace('\n', " ");
        self.0.push(Finding {
            check,
            verdict,
            message: clean(message),
            advice: advice.map(clean),
        });
    }

    /// The worst of what was found.
    pub(super) fn verdict(&self) -> Verdict {
        let verdicts = self.0.iter().map(|finding| finding.verdict);
        verdicts.max().unwrap_or(Verdict::Ok)
    }

    /// Writes it, for people or as one JSON object.
    pub(super) fn write(&self, json: bool, out: &mut dyn Write) -> Result<(), Failure> {
        if json {
            let written = Written {
                verdict: self.verdict(),
                findings: &self.0,
            };
            return Ok(writeln!(out, "{}", serde_json::to_string_pretty(&written)?)?);
        }
        for finding in &self.0 {
            writeln!(
                out,
                "{:<8} {:<14} {}",
                finding.verdict.as_str(),
                finding.check,
                finding.message
            )?;
            if let Some(advice) = &finding.advice {
                writeln!(out, "{:<23} -> {advice}", "")?;
            }
        }
        let count = |verdict| self.0.iter().filter(|finding| finding.verdict == verdict).count();
        let (problems, warnings) = (count(Verdict::Problem), count(Verdict::Warning));
        Ok(writeln!(out, "problems: {problems}, warnings: {warnings}")?)
    }
}
