use std::collections::HashMap;

use super::numbering::List;
use crate::ExtractError;
use crate::xml::{Attributes, Visitor};

/// What a paragraph's style says of its part in the document.
#[derive(Debug, Default)]
pub(super) struct Styles {
    styles: HashMap<String, Style>,
    current: String,
}

#[derive(Debug, Default)]
struct Style {
    based_on: Option<String>,
    level: Option<usize>,
    list: Option<List>,
}

impl Styles {
    /// The heading level of a style, from 1.
    pub(super) fn level(&self, id: &str) -> Option<usize> {
        self.inherited(id, |style| style.level)
    }

    /// The list that paragraphs of a style are points of.
    pub(super) fn list(&self, id: &str) -> Option<List> {
        self.inherited(id, |style| style.list.clone())
    }

    fn inherited<T>(&self, id: &str, of: impl Fn(&Style) -> Option<T>) -> Option<T> {
        // Word allows no more steps; a chain that loops ends here too.
        const MOST_STEPS: usize = 11;
        let first = self.styles.get(id);
        std::iter::successors(first, |style| self.styles.get(style.based_on.as_deref()?))
            .take(MOST_STEPS)
            .find_map(of)
    }
}

/// The heading level that an outline level means: it counts from 0, and 9 is body text.
pub(super) fn outline(attributes: Attributes<'_>) -> Option<usize> {
    let level: usize = attributes.get("val")?.parse().ok()?;
    (level < 9).then_some(level + 1)
}

impl Visitor for Styles {
    fn open(&mut self, name: &str, attributes: Attributes<'_>) -> Result<(), ExtractError> {
        if name == "style" {
            self.current = attributes.get("styleId").unwrap_or_default();
        }
        let style = self.styles.entry(self.current.clone()).or_default();
        match name {
            "name" => {
                let name = attributes.get("val").unwrap_or_default().to_ascii_lowercase();
                let level = match name.as_str() {
                    "title" => Some(1),
                    name => name.strip_prefix("heading ").and_then(|level| level.parse().ok()),
                };
                style.level = style.level.or(level);
            }
            "basedOn" => style.based_on = attributes.get("val"),
            "outlineLvl" => style.level = outline(attributes).or(style.level),
            "numId" => style.list.get_or_insert_default().id = attributes.get("val").unwrap_or_default(),
            "ilvl" => {
                let depth = attributes.get("val").and_then(|depth| depth.parse().ok());
                style.list.get_or_insert_default().depth = depth.unwrap_or(0);
            }
            _ => {}
        }
        Ok(())
    }

    fn close(&mut self, _: &str) -> Result<(), ExtractError> {
        Ok(())
    }

    fn text(&mut self, _: &str) -> Result<(), ExtractError> {
        Ok(())
    }
}
