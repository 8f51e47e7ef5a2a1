use std::time::Duration;

use similar::{ChangeTag, TextDiff};
use tenantry_domain::PromptVersion;

/// How many unchanged lines a unified diff shows around a change.
const CONTEXT: usize = 3;
/// How long the shortest diff is looked for; after that, what is found is a longer one.
const PATIENCE: Duration = Duration::from_millis(200);

/// What changed from one version of a prompt to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PromptDiff {
    /// The number of the version that it begins with.
    pub from: u32,
    /// The number of the version that it ends with.
    pub to: u32,
    /// Every line of both, in order.
    pub lines: Vec<ChangedLine>,
    /// The same in the unified form; empty when nothing changed.
    pub unified: String,
}

/// One line of a diff.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedLine {
    /// What became of it.
    pub change: LineChange,
    /// Where it stands in the first version, from 1.
    pub from: Option<usize>,
    /// Where it stands in the second, from 1.
    pub to: Option<usize>,
    /// The line, without its end.
    pub text: String,
}

/// What became of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineChange {
    /// It is in both.
    Same,
    /// It is in the first alone.
    Removed,
    /// It is in the second alone.
    Added,
}

impl PromptDiff {
    /// What changed from `from` to `to`; a prompt that was cleared has no line.
    pub(super) fn between(from: &PromptVersion, to: &PromptVersion) -> Self {
        let (old, new) = (lines(from), lines(to));
        let diff = TextDiff::configure()
            .timeout(PATIENCE)
            .diff_lines(old.as_str(), new.as_str());
        let changes = diff.iter_all_changes().map(|line| ChangedLine {
            change: match line.tag() {
                ChangeTag::Equal => LineChange::Same,
                ChangeTag::Delete => LineChange::Removed,
                ChangeTag::Insert => LineChange::Added,
            },
            from: line.old_index().map(|index| index + 1),
            to: line.new_index().map(|index| index + 1),
            text: line.value().trim_end_matches(['\r', '\n']).to_owned(),
        });
        let lines = changes.collect();
        let names = [from, to].map(|version| format!("version {}", version.number));
        let [old_name, new_name] = &names;
        let unified = diff
            .unified_diff()
            .context_radius(CONTEXT)
            .header(old_name, new_name)
            .to_string();
        Self {
            from: from.number,
            to: to.number,
            lines,
            unified,
        }
    }
}

/// The text of a version with an end to its last line, so that a line is the same wherever it stands.
fn lines(version: &PromptVersion) -> String {
    let mut text = version.text.clone().unwrap_or_default();
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tenantry_domain::Timestamp;

    use super::*;

    fn version(number: u32, text: Option<&str>) -> PromptVersion {
        PromptVersion {
            number,
            text: text.map(str::to_owned),
            author: None,
            created_at: Timestamp::from_unix_micros(0).unwrap(),
        }
    }

    fn diff(from: &str, to: &str) -> PromptDiff {
        PromptDiff::between(&version(1, Some(from)), &version(2, Some(to)))
    }

    #[test]
    fn a_diff_shows_what_went_and_what_came() {
        let diff = diff("Be kind.\nBe brief.\n", "Be kind.\nBe exact.\n");
        let lines: Vec<_> = diff
            .lines
            .iter()
            .map(|line| (line.change, line.from, line.to, line.text.as_str()))
            .collect();
        let expected = [
            (LineChange::Same, Some(1), Some(1), "Be kind."),
            (LineChange::Removed, Some(2), None, "Be brief."),
            (LineChange::Added, None, Some(2), "Be exact."),
        ];
        assert_eq!(lines, expected);
        assert_eq!(
            diff.unified,
            "--- version 1\n+++ version 2\n@@ -1,2 +1,2 @@\n Be kind.\n-Be brief.\n+Be exact.\n"
        );
    }

    #[test]
    fn a_prompt_that_was_cleared_has_lost_every_line() {
        let diff = PromptDiff::between(&version(3, Some("a\nb")), &version(4, None));
        assert_eq!((diff.from, diff.to), (3, 4));
        assert!(diff.lines.iter().all(|line| line.change == LineChange::Removed));
        assert_eq!(diff.lines.len(), 2);
    }

    #[test]
    fn a_line_is_the_same_at_the_end_and_before_it() {
        let diff = diff("Be kind.", "Be kind.\nBe brief.");
        let changes: Vec<_> = diff.lines.iter().map(|line| line.change).collect();
        assert_eq!(changes, [LineChange::Same, LineChange::Added]);
        assert!(!diff.unified.contains('\\'), "{}", diff.unified);
    }

    #[test]
    fn equal_prompts_have_no_unified_diff() {
        let diff = diff("a\nb\n", "a\nb\n");
        assert_eq!(diff.unified, "");
        assert!(diff.lines.iter().all(|line| line.change == LineChange::Same));
    }

    proptest! {
        #[test]
        fn each_side_reads_back_from_its_lines(from in "([ab]{0,2}\n){0,12}", to in "([ab]{0,2}\n){0,12}") {
            let diff = diff(&from, &to);
            let side = |missing: LineChange| -> String {
                let lines = diff.lines.iter().filter(|line| line.change != missing);
                lines.flat_map(|line| [line.text.as_str(), "\n"]).collect()
            };
            prop_assert_eq!(side(LineChange::Added), from);
            prop_assert_eq!(side(LineChange::Removed), to);
        }
    }
}
