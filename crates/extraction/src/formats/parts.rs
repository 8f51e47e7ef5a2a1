//! What the formats inside ZIP archives share: paths, relations between parts, and their own titles.

use std::collections::HashMap;

use crate::package::Package;
use crate::xml::{self, Attributes, Visitor};
use crate::{ExtractError, Limits};

/// Takes nothing but the beginnings of elements.
pub(super) struct Opens<F>(pub(super) F);

impl<F: FnMut(&str, Attributes<'_>)> Visitor for Opens<F> {
    fn open(&mut self, name: &str, attributes: Attributes<'_>) -> Result<(), ExtractError> {
        (self.0)(name, attributes);
        Ok(())
    }

    fn close(&mut self, _: &str) -> Result<(), ExtractError> {
        Ok(())
    }

    fn text(&mut self, _: &str) -> Result<(), ExtractError> {
        Ok(())
    }
}

/// A relation of a part to another one (ECMA-376 part 2, clause 6.5).
#[derive(Debug)]
pub(super) struct Relation {
    /// The last segment of the relation's type.
    pub(super) kind: String,
    /// The other part's path in the archive.
    pub(super) path: String,
}

/// The relations of the part at `path` by their ids; none where it has no list of them.
pub(super) fn relations(
    package: &mut Package<'_>,
    path: &str,
    limits: &Limits,
) -> Result<HashMap<String, Relation>, ExtractError> {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let list = format!("{folder}/_rels/{name}.rels");
    let mut relations = HashMap::new();
    let Some(part) = package.part(&list)? else {
        return Ok(relations);
    };
    let mut visitor = Opens(|name: &str, attributes: Attributes<'_>| {
        let external = attributes
            .get("TargetMode")
            .is_some_and(|mode| mode == "External");
        if name != "Relationship" || external {
            return;
        }
        if let (Some(id), Some(target)) = (attributes.get("Id"), attributes.get("Target")) {
            let kind = attributes.get("Type").unwrap_or_default();
            let kind = kind.rsplit('/').next().unwrap_or_default().to_owned();
            let path = resolved(path, &target);
            relations.insert(id, Relation { kind, path });
        }
    });
    xml::walk(part, limits, &mut visitor)?;
    Ok(relations)
}

/// The path that `target` means in a part at `from`.
pub(super) fn resolved(from: &str, target: &str) -> String {
    let target = target.split(['#', '?']).next().unwrap_or_default();
    let target = percent_decoded(target);
    let folder = if target.starts_with('/') { "" } else { folder(from) };
    let mut segments: Vec<&str> = Vec::new();
    for segment in folder.split('/').chain(target.split('/')) {
        match segment {
            "" | "." => {}
            ".." => {
                segments.pop();
            }
            segment => segments.push(segment),
        }
    }
    segments.join("/")
}

fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let digits = after.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        let decoded = digits.and_then(|two| u8::from_str_radix(two, 16).ok());
        if let (b'%', Some(decoded)) = (byte, decoded) {
            bytes.push(decoded);
            rest = after.get(2..).unwrap_or_default();
        } else {
            bytes.push(byte);
            rest = after;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The title in a part with Dublin Core metadata.
pub(super) fn title(
    package: &mut Package<'_>,
    path: &str,
    limits: &Limits,
) -> Result<Option<String>, ExtractError> {
    let Some(part) = package.part(path)? else {
        return Ok(None);
    };
    let mut title = Title::default();
    xml::walk(part, limits, &mut title)?;
    let text = crate::markdown::one_line(&title.text);
    Ok(Some(text).filter(|text| !text.is_empty()))
}

#[derive(Default)]
struct Title {
    text: String,
    inside: bool,
    found: bool,
}

impl Visitor for Title {
    fn open(&mut self, name: &str, _: Attributes<'_>) -> Result<(), ExtractError> {
        self.inside = name == "title" && !self.found;
        Ok(())
    }

    fn close(&mut self, name: &str) -> Result<(), ExtractError> {
        self.found = self.found || name == "title";
        self.inside = false;
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<(), ExtractError> {
        if self.inside {
            self.text.push_str(text);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_paths_from_their_part() {
        for (from, target, path) in [
            ("word/document.xml", "styles.xml", "word/styles.xml"),
            ("ppt/slides/slide1.xml", "../notes/n1.xml", "ppt/notes/n1.xml"),
            ("ppt/presentation.xml", "/ppt/slides/s.xml", "ppt/slides/s.xml"),
            (
                "content.opf",
                "Text/chapter%201.xhtml#top",
                "Text/chapter 1.xhtml",
            ),
            ("a/b.xml", "../../../etc/passwd", "etc/passwd"),
            ("a.xml", "100%", "100%"),
        ] {
            assert_eq!(resolved(from, target), path);
        }
    }
}
