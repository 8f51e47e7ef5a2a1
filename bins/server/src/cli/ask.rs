use std::io::{self, Write};

use tenantry_domain::{Citation, TenantId, TenantScope};
use tenantry_retrieval::{Answer, Asker, Question, ResolveError, Source, Superuser};

use super::{AskArgs, Failure, open};
use crate::app::App;
use crate::config::Environment;

/// Answers a question and shows what the answer rests on.
pub(super) fn run(env: &Environment, args: &AskArgs, out: &mut dyn Write) -> Result<(), Failure> {
    let app = open(env)?.app;
    let scope = scope(&app, &args.tenant)?;
    let question = Question::alone(&args.question);
    let answer = app.chat.answer(&scope, &Asker::operator(), question)?;
    Ok(print(&answer, out)?)
}

/// The scope of a tenant for whoever runs the process.
pub(super) fn scope(app: &App, tenant: &TenantId) -> Result<TenantScope, Failure> {
    app.resolver
        .operator_scope(&Superuser::operator(), tenant)
        .map_err(|error| match error {
            ResolveError::TenantForbidden => Failure::new(format!("there is no active tenant {tenant}"))
                .hint("`tenantry tenant list` shows the tenants"),
            error => error.into(),
        })
}

/// Writes an answer with the passages that it cites, or with those that were found when it cites none.
pub(super) fn print(answer: &Answer, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}", visible(answer.text.trim_end()))?;
    let (heading, sources) = if answer.supported {
        ("Sources:", answer.citations.clone())
    } else {
        let found = answer.sources.iter().map(Source::citation).collect();
        ("Found, and not cited:", found)
    };
    if !sources.is_empty() {
        writeln!(out, "\n{heading}")?;
    }
    for source in sources {
        let Citation {
            number, title, span, ..
        } = source;
        let title = visible(&title);
        writeln!(
            out,
            "  [{number}] {title}, characters {} to {}",
            span.start, span.end
        )?;
    }
    writeln!(out, "\nModel: {}", visible(&answer.model))
}

/// A text without what could command a terminal.
pub(super) fn visible(text: &str) -> String {
    text.chars().filter(|&c| c == '\n' || !c.is_control()).collect()
}
