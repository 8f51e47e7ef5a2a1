use std::collections::BTreeMap;

use actix_web::HttpRequest;
use actix_web::http::header;
use serde::{Deserialize, Serialize};
use tenantry_domain::{AuditEntry, Page, Timestamp};
use tenantry_tenant_store::AuditFilter;
use utoipa::{IntoParams, ToSchema};

use crate::error::{ApiError, Code};
use crate::extract::PageParams;

/// The media type of JSON Lines.
pub(super) const JSON_LINES: &str = "application/x-ndjson";

/// Which entries to give, and how.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct AuditParams {
    /// Only those of this tenant's log, or with `-` of the platform's own. Below `/admin` alone.
    #[param(example = "acme")]
    tenant_id: Option<String>,
    /// Only those of this actor: a kind, `user`, `api_key`, `operator`, `system` or `anonymous`, or an id.
    #[param(example = "user")]
    actor: Option<String>,
    /// Only those of this action.
    #[param(example = "user.changed")]
    action: Option<String>,
    /// Only those on this target: a kind, as `document`, or an id.
    #[param(example = "document")]
    target: Option<String>,
    /// Only those of this moment or later.
    #[param(format = DateTime, example = "2026-11-01T00:00:00Z")]
    from: Option<String>,
    /// Only those before this moment.
    #[param(format = DateTime, example = "2026-12-01T00:00:00Z")]
    until: Option<String>,
    /// `json` for a page of a list, or `jsonl` for all entries as JSON Lines; else as `Accept` says.
    #[param(example = "jsonl")]
    format: Option<String>,
    /// How many entries of a list at most: 1 to 100, else 50.
    limit: Option<u32>,
    /// How many entries of a list to skip.
    offset: Option<u32>,
}

/// How entries are given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// A page of them as one JSON object.
    Json,
    /// All of them, one a line.
    JsonLines,
}

impl AuditParams {
    /// The entries that are meant, of all logs.
    pub(super) fn filter(&self) -> Result<AuditFilter, ApiError> {
        let log = self.tenant_id.as_deref().map(str::parse).transpose();
        let action = self.action.as_deref().map(str::parse).transpose();
        Ok(AuditFilter {
            log: log.map_err(|_| wrong("`tenant_id` is no tenant's id".to_owned()))?,
            actor: text("actor", self.actor.as_ref())?,
            action: action.map_err(|_| wrong("`action` is none of the audit log's".to_owned()))?,
            target: text("target", self.target.as_ref())?,
            from: moment("from", self.from.as_deref())?,
            until: moment("until", self.until.as_deref())?,
        })
    }

    /// The entries that are meant, of one tenant's log.
    pub(super) fn filter_of_tenant(&self) -> Result<AuditFilter, ApiError> {
        if self.tenant_id.is_some() {
            return Err(wrong("`tenant_id` is for superusers below `/admin`".to_owned()));
        }
        self.filter()
    }

    pub(super) fn format(&self, request: &HttpRequest) -> Result<Format, ApiError> {
        let format = match self.format.as_deref() {
            Some("json") => Format::Json,
            Some("jsonl") => Format::JsonLines,
            Some(_) => return Err(wrong("`format` is neither `json` nor `jsonl`".to_owned())),
            None if accepts_lines(request) => Format::JsonLines,
            None => Format::Json,
        };
        if format == Format::JsonLines && (self.limit.is_some() || self.offset.is_some()) {
            return Err(wrong(
                "`limit` and `offset` are for a list, not for JSON Lines".to_owned(),
            ));
        }
        Ok(format)
    }

    pub(super) fn page(&self) -> Result<Page, ApiError> {
        PageParams::new(self.limit, self.offset).page()
    }
}

/// Whether the client names JSON Lines among what it takes.
fn accepts_lines(request: &HttpRequest) -> bool {
    let values = request.headers().get_all(header::ACCEPT);
    let ranges = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    let types = ranges.map(|range| range.split(';').next().unwrap_or_default().trim());
    types
        .into_iter()
        .any(|name| name.eq_ignore_ascii_case(JSON_LINES))
}

fn text(name: &str, value: Option<&String>) -> Result<Option<String>, ApiError> {
    match value {
        Some(text) if text.contains('\0') => Err(wrong(format!("`{name}` holds U+0000"))),
        value => Ok(value.cloned()),
    }
}

fn moment(name: &str, value: Option<&str>) -> Result<Option<Timestamp>, ApiError> {
    let moment = value.map(str::parse).transpose();
    moment.map_err(|_| wrong(format!("`{name}` is no moment as 2026-11-01T00:00:00Z")))
}

fn wrong(sentence: String) -> ApiError {
    ApiError::new(Code::InvalidRequest).saying(sentence)
}

/// An entry of the audit log.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditEntry)]
pub(crate) struct AuditEntryView {
    /// Whose log it is in; `null` for the platform's own.
    tenant_id: Option<String>,
    /// Its place there, from 1 on without a gap.
    number: u64,
    /// When it was done.
    #[schema(format = DateTime)]
    at: String,
    /// Who did it.
    actor: AuditActorView,
    /// The client's address, where there was one.
    address: Option<String>,
    /// The id of the request, where there was one.
    request_id: Option<String>,
    /// What was done.
    #[schema(example = "user.changed")]
    action: &'static str,
    /// To what.
    target: Option<AuditTargetView>,
    /// What else is to be known, by name.
    details: BTreeMap<String, String>,
    /// The hash of the entry before it; zeros for the first.
    previous_hash: String,
    /// Its own hash, over all of the above.
    hash: String,
}

/// Who did something.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditActor)]
struct AuditActorView {
    /// `user`, `api_key`, `operator` for the command line, `system` for the service itself, or `anonymous`.
    kind: &'static str,
    /// The id of the user or the key.
    id: Option<String>,
}

/// What something was done to.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditTarget)]
struct AuditTargetView {
    /// What it is.
    #[schema(example = "user")]
    kind: String,
    /// Which one.
    id: String,
}

impl From<AuditEntry> for AuditEntryView {
    fn from(entry: AuditEntry) -> Self {
        let principal = entry.actor.principal;
        let origin = entry.actor.origin;
        Self {
            tenant_id: entry.tenant.map(|tenant| tenant.to_string()),
            number: entry.number,
            at: entry.at.to_string(),
            actor: AuditActorView {
                kind: principal.kind(),
                id: principal.id(),
            },
            address: origin.address.map(|address| address.to_string()),
            request_id: origin.request,
            action: entry.action.as_str(),
            target: entry.target.map(|(kind, id)| AuditTargetView { kind, id }),
            details: entry.details,
            previous_hash: entry.previous.to_string(),
            hash: entry.hash.to_string(),
        }
    }
}

impl AuditEntryView {
    /// The entry as a line of JSON Lines.
    pub(crate) fn line(&self) -> String {
        // A struct of texts and numbers is always JSON.
        serde_json::to_string(self).unwrap_or_default() + "\n"
    }
}
