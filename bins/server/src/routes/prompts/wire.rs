use serde::{Deserialize, Serialize};
use tenantry_domain::PromptVersion;
use tenantry_retrieval::{ChangedLine, LineChange, PromptDiff};
use utoipa::{IntoParams, ToSchema};

/// A version of a system prompt.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PromptVersion)]
pub(super) struct PromptView {
    /// Its number, from 1.
    number: u32,
    /// The prompt; `null` where it was cleared.
    text: Option<String>,
    /// Which user set it; `null` where the command line did, or it was written directly into the database.
    author_id: Option<String>,
    /// When it was set.
    #[schema(format = DateTime)]
    created_at: String,
}

impl From<PromptVersion> for PromptView {
    fn from(version: PromptVersion) -> Self {
        Self {
            number: version.number,
            text: version.text,
            author_id: version.author.map(|author| author.to_string()),
            created_at: version.created_at.to_string(),
        }
    }
}

/// How to show a version.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ShowParams {
    /// Whether to replace the variables, as for a question that the caller asked now.
    render: Option<bool>,
}

impl ShowParams {
    pub(super) fn renders(&self) -> bool {
        self.render.unwrap_or(false)
    }
}

/// What to compare with.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct DiffParams {
    /// The number of the version to end with; else the latest.
    pub(super) to: Option<u32>,
}

/// What changed from one version of a prompt to another.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PromptDiff)]
pub(super) struct DiffView {
    /// The number of the version that it begins with.
    from: u32,
    /// The number of the version that it ends with.
    to: u32,
    /// The change in the unified form, with three lines around it; empty when nothing changed.
    unified: String,
    /// Every line of both, in order.
    lines: Vec<LineView>,
}

/// One line of a diff.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChangedLine)]
struct LineView {
    /// What became of it: `same`, `removed` or `added`.
    #[schema(example = "added")]
    change: &'static str,
    /// Where it stands in the first version, from 1.
    from_line: Option<usize>,
    /// Where it stands in the second, from 1.
    to_line: Option<usize>,
    /// The line, without its end.
    text: String,
}

impl From<PromptDiff> for DiffView {
    fn from(diff: PromptDiff) -> Self {
        Self {
            from: diff.from,
            to: diff.to,
            unified: diff.unified,
            lines: diff.lines.into_iter().map(LineView::from).collect(),
        }
    }
}

impl From<ChangedLine> for LineView {
    fn from(line: ChangedLine) -> Self {
        Self {
            change: match line.change {
                LineChange::Same => "same",
                LineChange::Removed => "removed",
                LineChange::Added => "added",
            },
            from_line: line.from,
            to_line: line.to,
            text: line.text,
        }
    }
}
