//! Where a Markdown link leads: what follows `](` and `]:`.

use tenantry_domain::AllowedHosts;

use super::look::{Look, Wait};
use super::urls;

/// The longest destination with its title, in bytes; what is longer is no link.
const LONGEST: usize = 2048;
const WAIT: Wait = Wait::until(|byte| !byte.is_ascii_alphanumeric(), LONGEST);

/// What stands in the parentheses of a link: `(url "title")`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Destination<'t> {
    pub(super) url: &'t str,
    /// With its quotation marks.
    title: Option<&'t str>,
    /// With the parentheses, in bytes.
    pub(super) length: usize,
}

impl Destination<'_> {
    /// What it looks like in the output, if it leads to an allowed host.
    pub(super) fn allowed(&self, allowed: &AllowedHosts) -> Option<String> {
        if !urls::is_allowed(self.url, allowed) {
            return None;
        }
        // Where a renderer sees no link here, it links the URL by itself, and the host could go on behind the parenthesis.
        let slash = if urls::is_host_alone(self.url) { "/" } else { "" };
        let title = self.title.filter(|title| is_plain_title(title));
        let blank = if title.is_some() { " " } else { "" };
        Some(format!(
            "({}{slash}{blank}{})",
            self.url,
            title.unwrap_or_default()
        ))
    }
}

/// Reads the parentheses that `rest` begins with as a destination (`CommonMark` 0.31, section 6.3). Where a renderer sees
/// another one, or none, nothing depends on it but how the text looks.
pub(super) fn look(rest: &str, ended: bool) -> Look<Destination<'_>> {
    let near = rest.get(..rest.floor_char_boundary(LONGEST)).unwrap_or_default();
    match read(near) {
        Ok(found) => Look::Is(found),
        Err(Stopped::Differs) => Look::No,
        Err(Stopped::RanOut) => Look::undecided(rest, ended, WAIT),
    }
}

/// How much of `rest`, which follows `]:`, is the URL of an allowed host.
pub(super) fn look_after_label(rest: &str, ended: bool, allowed: &AllowedHosts) -> Look<usize> {
    let start = rest.len() - rest.trim_start_matches([' ', '\t']).len();
    let url = rest.get(start..).unwrap_or_default();
    let ran_out = || {
        Look::undecided(
            rest,
            ended,
            Wait::until(|byte| byte.is_ascii_whitespace(), LONGEST),
        )
    };
    if url.is_empty() {
        return Look::undecided(rest, ended, Wait::until(|_| true, LONGEST));
    }
    if !url.starts_with(['h', 'H']) {
        return Look::No;
    }
    let Some(end) = url.find([' ', '\t', '\n']).or(ended.then_some(url.len())) else {
        return ran_out();
    };
    match url.get(..end) {
        Some(url) if start + end < LONGEST && urls::is_allowed(url, allowed) => Look::Is(start + end),
        _ => Look::No,
    }
}

/// Why no destination was read.
enum Stopped {
    /// The text is not over and could become one.
    RanOut,
    Differs,
}

fn read(text: &str) -> Result<Destination<'_>, Stopped> {
    let after = text.strip_prefix('(').ok_or(Stopped::Differs)?;
    let after = blanks(after)?;
    let (url, after) = match after.strip_prefix('<') {
        Some(after) => until(after, '>')?,
        None => bare(after)?,
    };
    let spaced = blanks(after)?;
    let (title, after) = match spaced.chars().next() {
        Some(mark @ ('"' | '\'' | '(')) if spaced.len() < after.len() => {
            let inner = spaced.get(1..).unwrap_or_default();
            let (_, after) = until(inner, if mark == '(' { ')' } else { mark })?;
            (spaced.get(..spaced.len() - after.len()), blanks(after)?)
        }
        _ => (None, spaced),
    };
    let after = match after.strip_prefix(')') {
        Some(after) => after,
        None if after.is_empty() => return Err(Stopped::RanOut),
        None => return Err(Stopped::Differs),
    };
    Ok(Destination {
        url,
        title,
        length: text.len() - after.len(),
    })
}

/// What follows white space without a blank line.
fn blanks(text: &str) -> Result<&str, Stopped> {
    let rest = text.trim_start_matches([' ', '\t', '\n']);
    let blanks = text.get(..text.len() - rest.len()).unwrap_or_default();
    if blanks.matches('\n').count() > 1 {
        Err(Stopped::Differs)
    } else {
        Ok(rest)
    }
}

/// What stands before `mark`, and after it.
fn until(text: &str, mark: char) -> Result<(&str, &str), Stopped> {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == mark => {
                let (before, after) = text.split_at(at);
                return Ok((before, after.get(1..).unwrap_or_default()));
            }
            '<' if mark == '>' => return Err(Stopped::Differs),
            '\n' if mark == '>' || text.get(at + 1..).is_some_and(|after| after.starts_with('\n')) => {
                return Err(Stopped::Differs);
            }
            _ => {}
        }
    }
    Err(Stopped::RanOut)
}

/// A destination without angle brackets: up to white space or the closing parenthesis.
fn bare(text: &str) -> Result<(&str, &str), Stopped> {
    let (mut depth, mut escaped) = (0_u32, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '(' => depth += 1,
            ')' if depth > 0 => depth -= 1,
            ')' | ' ' | '\t' | '\n' => return Ok(text.split_at(at)),
            _ => {}
        }
    }
    Err(Stopped::RanOut)
}

/// Whether a title has nothing that could be read as Markdown where its link is not seen as one.
fn is_plain_title(title: &str) -> bool {
    title.starts_with('"')
        && title
            .chars()
            .all(|c| c.is_alphanumeric() || " \".,;-–!?'’".contains(c))
        && title.matches('"').count() == 2
        && !title.to_ascii_lowercase().contains("www.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Option<&str> {
        match look(text, true) {
            Look::Is(found) => Some(found.url),
            _ => None,
        }
    }

    #[test]
    fn destinations_are_read_as_renderers_do() {
        for (text, expected) in [
            ("(a)", Some("a")),
            ("( a )b", Some("a")),
            ("()", Some("")),
            ("(<a b>)", Some("a b")),
            ("(\na\n\"b\")", Some("a")),
            ("(a 'b c')", Some("a")),
            ("(a (b c))", Some("a")),
            ("(a(b)c)", Some("a(b)c")),
            ("(a\\)b)", Some("a\\)b")),
            ("(a b)", None),
            ("(a\n\nb)", None),
            ("(\n\na)", None),
            ("(<a", None),
            ("(a", None),
            ("a", None),
        ] {
            assert_eq!(url(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_not_over_is_waited_for_up_to_a_length() {
        for text in ["(", "(a", "(a ", "(a \"b", "(<a", "(a \"b\""] {
            assert!(matches!(look(text, false), Look::Wait(_)), "{text}");
            assert_eq!(look(text, true), Look::No, "{text}");
        }
        assert_eq!(look(&format!("({}", "a".repeat(LONGEST)), false), Look::No);
        assert_eq!(look("(a b", false), Look::No);
    }

    #[test]
    fn a_title_stays_if_it_is_plain() {
        let allowed = AllowedHosts::new(vec!["example.org".parse().unwrap()]);
        for (text, expected) in [
            (
                "(https://example.org \"A title\")",
                "(https://example.org/ \"A title\")",
            ),
            ("(<https://example.org/a>)", "(https://example.org/a)"),
            ("( https://example.org\n'x')", "(https://example.org/)"),
            ("(https://example.org \"//evil.com\")", "(https://example.org/)"),
        ] {
            let Look::Is(found) = look(text, true) else {
                panic!("{text}")
            };
            assert_eq!(found.allowed(&allowed).as_deref(), Some(expected), "{text}");
            assert_eq!(found.length, text.len());
        }
    }
}
