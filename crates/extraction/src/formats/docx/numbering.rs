use std::collections::{HashMap, HashSet};

use crate::ExtractError;
use crate::xml::{Attributes, Visitor};

/// The list that a paragraph is a point of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct List {
    /// The list's id; `0` is no list.
    pub(super) id: String,
    /// How deep the point stands, from 0.
    pub(super) depth: usize,
}

/// Which lists count their points.
#[derive(Debug, Default)]
pub(super) struct Numbering {
    /// The definition that a list uses.
    definitions: HashMap<String, String>,
    /// Definitions and depths that count.
    counting: HashSet<(String, usize)>,
    definition: String,
    depth: usize,
    list: String,
}

impl Numbering {
    /// Whether the points of `list` have numbers.
    pub(super) fn counts(&self, list: &List) -> bool {
        self.definitions
            .get(&list.id)
            .is_some_and(|definition| self.counting.contains(&(definition.clone(), list.depth)))
    }
}

impl Visitor for Numbering {
    fn open(&mut self, name: &str, attributes: Attributes<'_>) -> Result<(), ExtractError> {
        match name {
            "abstractNum" => self.definition = attributes.get("abstractNumId").unwrap_or_default(),
            "lvl" => {
                let depth = attributes.get("ilvl").and_then(|depth| depth.parse().ok());
                self.depth = depth.unwrap_or(0);
            }
            "numFmt" if !matches!(attributes.get("val").as_deref(), Some("bullet" | "none") | None) => {
                self.counting.insert((self.definition.clone(), self.depth));
            }
            "num" => self.list = attributes.get("numId").unwrap_or_default(),
            "abstractNumId" => {
                let definition = attributes.get("val").unwrap_or_default();
                self.definitions.insert(self.list.clone(), definition);
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
