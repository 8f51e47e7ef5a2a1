use std::collections::{HashMap, HashSet};

use super::numbering::{List, Numbering};
use super::styles::{Styles, outline};
use crate::ExtractError;
use crate::markdown::{heading, list_item, one_line, table};
use crate::out::Out;
use crate::xml::{Attributes, Visitor};

/// Elements whose text is not the document's: what was deleted or moved away, field codes, and the second version
/// of a drawing for readers that do not know the first.
const LEFT_OUT: [&str; 5] = ["del", "moveFrom", "instrText", "Fallback", "rt"];

/// Writes the text of a document and of its notes.
pub(super) struct Body<'a, 's, 'f> {
    out: &'a mut Out<'s, 'f>,
    styles: &'a Styles,
    numbering: &'a Numbering,
    /// How many elements are open that are left out.
    left_out: u32,
    in_text: bool,
    run: Run,
    paragraphs: Vec<Paragraph>,
    tables: Vec<Vec<Vec<String>>>,
    /// How many columns each open cell spans.
    spans: Vec<usize>,
    counts: HashMap<(String, usize), u32>,
    /// The mark of the note that begins.
    note: Option<String>,
    /// The notes that the text refers to.
    noted: HashSet<String>,
    in_lost_note: bool,
}

#[derive(Debug, Default)]
struct Run {
    is_open: bool,
    hidden: bool,
}

#[derive(Debug, Default)]
struct Paragraph {
    text: String,
    style: Option<String>,
    level: Option<usize>,
    list: Option<List>,
}

impl<'a, 's, 'f> Body<'a, 's, 'f> {
    pub(super) fn new(out: &'a mut Out<'s, 'f>, styles: &'a Styles, numbering: &'a Numbering) -> Self {
        Self {
            out,
            styles,
            numbering,
            left_out: 0,
            in_text: false,
            run: Run::default(),
            paragraphs: Vec::new(),
            tables: Vec::new(),
            spans: Vec::new(),
            counts: HashMap::new(),
            note: None,
            noted: HashSet::new(),
            in_lost_note: false,
        }
    }

    fn push(&mut self, text: &str) {
        if let Some(paragraph) = self.paragraphs.last_mut().filter(|_| !self.run.hidden) {
            paragraph.text.push_str(text);
        }
    }

    /// Settings of the paragraph that is open; those of its style stand in another part.
    fn set(&mut self, name: &str, attributes: Attributes<'_>) {
        let Some(paragraph) = self.paragraphs.last_mut() else {
            return;
        };
        let value = || attributes.get("val").unwrap_or_default();
        match name {
            "pStyle" => paragraph.style = Some(value()),
            "outlineLvl" => paragraph.level = outline(attributes),
            "numId" => paragraph.list.get_or_insert_default().id = value(),
            "ilvl" => paragraph.list.get_or_insert_default().depth = value().parse().unwrap_or(0),
            _ => {}
        }
    }

    fn cell(&mut self) -> Option<&mut String> {
        self.tables.last_mut()?.last_mut()?.last_mut()
    }

    fn end_paragraph(&mut self) -> Result<(), ExtractError> {
        let Some(paragraph) = self.paragraphs.pop() else {
            return Ok(());
        };
        let text = paragraph.text.trim();
        if let Some(cell) = self.cell() {
            cell.push(' ');
            cell.push_str(text);
            return Ok(());
        }
        if text.is_empty() {
            return Ok(());
        }
        if let Some(mark) = self.note.take() {
            return self.out.block(&format!("{mark} {}", one_line(text)));
        }
        let style = paragraph.style.as_deref().unwrap_or_default();
        if let Some(level) = paragraph.level.or_else(|| self.styles.level(style)) {
            return heading(self.out, level, text);
        }
        match paragraph
            .list
            .or_else(|| self.styles.list(style))
            .filter(|list| list.id != "0")
        {
            Some(list) => self.point(&list, text),
            None => self.out.block(text),
        }
    }

    fn point(&mut self, list: &List, text: &str) -> Result<(), ExtractError> {
        let mark = if self.numbering.counts(list) {
            self.counts
                .retain(|(id, depth), _| *id != list.id || *depth <= list.depth);
            let count = self.counts.entry((list.id.clone(), list.depth)).or_default();
            *count += 1;
            format!("{count}.")
        } else {
            "-".to_owned()
        };
        list_item(self.out, list.depth, &mark, text)
    }

    /// A cell that spans columns is followed by empty ones, so that the next stands in its own column.
    fn end_cell(&mut self) {
        const WIDEST: usize = 64;
        let span = self.spans.pop().unwrap_or(1).clamp(1, WIDEST);
        if let Some(row) = self.tables.last_mut().and_then(|rows| rows.last_mut()) {
            row.resize(row.len() + span - 1, String::new());
        }
    }

    fn end_table(&mut self) -> Result<(), ExtractError> {
        let Some(rows) = self.tables.pop() else {
            return Ok(());
        };
        let Some(cell) = self.cell() else {
            return table(self.out, &rows);
        };
        for row in rows {
            cell.push(' ');
            cell.push_str(&row.join(", "));
            cell.push(';');
        }
        Ok(())
    }

    fn open_in_run(&mut self, name: &str, attributes: Attributes<'_>) {
        match name {
            "t" => self.in_text = true,
            "tab" => self.push("\t"),
            "br" | "cr" => self.push("\n"),
            "noBreakHyphen" => self.push("\u{2011}"),
            "vanish" => self.run.hidden = !matches!(attributes.get("val").as_deref(), Some("0" | "false")),
            "footnoteReference" => self.reference(attributes, ""),
            "endnoteReference" => self.reference(attributes, "e"),
            _ => {}
        }
    }

    fn reference(&mut self, attributes: Attributes<'_>, prefix: &str) {
        let id = attributes.get("id").unwrap_or_default();
        self.push(&format!("[^{prefix}{id}]"));
        self.noted.insert(format!("{prefix}{id}"));
    }

    fn begin_note(&mut self, attributes: Attributes<'_>, prefix: &str) {
        let id = format!("{prefix}{}", attributes.get("id").unwrap_or_default());
        // Others are the lines that part notes from the text, and notes of text that was deleted.
        if self.noted.contains(&id) {
            self.note = Some(format!("[^{id}]:"));
        } else {
            self.in_lost_note = true;
        }
    }
}

impl Visitor for Body<'_, '_, '_> {
    fn open(&mut self, name: &str, attributes: Attributes<'_>) -> Result<(), ExtractError> {
        if self.left_out > 0 || LEFT_OUT.contains(&name) {
            self.left_out += u32::from(LEFT_OUT.contains(&name));
            return Ok(());
        }
        match name {
            "p" => self.paragraphs.push(Paragraph::default()),
            "r" => {
                self.run = Run {
                    is_open: true,
                    hidden: false,
                }
            }
            "tbl" => {
                self.tables.push(Vec::new());
            }
            "tr" => {
                if let Some(rows) = self.tables.last_mut() {
                    rows.push(Vec::new());
                }
            }
            "tc" => {
                self.spans.push(1);
                if let Some(row) = self.tables.last_mut().and_then(|rows| rows.last_mut()) {
                    row.push(String::new());
                }
            }
            "gridSpan" => {
                let span = attributes.get("val").and_then(|span| span.parse().ok());
                if let (Some(open), Some(span)) = (self.spans.last_mut(), span) {
                    *open = span;
                }
            }
            "footnote" => self.begin_note(attributes, ""),
            "endnote" => self.begin_note(attributes, "e"),
            _ if self.run.is_open => self.open_in_run(name, attributes),
            _ => self.set(name, attributes),
        }
        Ok(())
    }

    fn close(&mut self, name: &str) -> Result<(), ExtractError> {
        if self.left_out > 0 {
            self.left_out -= u32::from(LEFT_OUT.contains(&name));
            return Ok(());
        }
        match name {
            "p" if self.in_lost_note => drop(self.paragraphs.pop()),
            "p" => self.end_paragraph()?,
            "footnote" | "endnote" => self.in_lost_note = false,
            "r" => self.run = Run::default(),
            "t" => self.in_text = false,
            "tc" => self.end_cell(),
            "tbl" => self.end_table()?,
            _ => {}
        }
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<(), ExtractError> {
        if self.in_text && self.left_out == 0 {
            self.push(text);
        }
        Ok(())
    }
}
