use crate::ExtractError;
use crate::markdown::{heading, list_item, one_line, table};
use crate::out::Out;

/// Writes the text of a page block by block.
pub(super) struct Blocks<'o, 's, 'f> {
    out: &'o mut Out<'s, 'f>,
    /// The line that is being gathered.
    text: String,
    heading: Option<usize>,
    preformatted: u32,
    /// For each open list the number of its last point; `None` where points have no numbers.
    lists: Vec<Option<u32>>,
    /// The mark of a point of which nothing was written yet.
    point: Option<String>,
    tables: Vec<OpenTable>,
    after_break: bool,
}

#[derive(Default)]
struct OpenTable {
    rows: Vec<Vec<String>>,
    /// It has tables in its cells, so it only lays out: its cells are written as blocks.
    lays_out: bool,
}

impl<'o, 's, 'f> Blocks<'o, 's, 'f> {
    pub(super) fn new(out: &'o mut Out<'s, 'f>) -> Self {
        Self {
            out,
            text: String::new(),
            heading: None,
            preformatted: 0,
            lists: Vec::new(),
            point: None,
            tables: Vec::new(),
            after_break: false,
        }
    }

    pub(super) fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// Writes what is left.
    pub(super) fn end(&mut self) -> Result<(), ExtractError> {
        self.flush()?;
        while !self.tables.is_empty() {
            self.end_table()?;
        }
        Ok(())
    }

    /// Begins a heading of that level, or ends one.
    pub(super) fn set_heading(&mut self, level: Option<usize>) -> Result<(), ExtractError> {
        self.flush()?;
        self.heading = level;
        Ok(())
    }

    pub(super) fn begin_preformatted(&mut self) -> Result<(), ExtractError> {
        self.flush()?;
        self.preformatted += 1;
        Ok(())
    }

    pub(super) fn end_preformatted(&mut self) -> Result<(), ExtractError> {
        self.flush()?;
        self.preformatted = self.preformatted.saturating_sub(1);
        Ok(())
    }

    pub(super) fn begin_list(&mut self, numbered: bool) -> Result<(), ExtractError> {
        self.end_outer_list()?;
        self.lists.push(numbered.then_some(0));
        Ok(())
    }

    pub(super) fn end_list(&mut self) -> Result<(), ExtractError> {
        self.flush()?;
        self.lists.pop();
        self.end_outer_list()
    }

    /// Sets a list apart from the text around it.
    fn end_outer_list(&mut self) -> Result<(), ExtractError> {
        self.flush()?;
        if self.lists.is_empty() && !self.in_cell() {
            self.out.end_block()?;
        }
        Ok(())
    }

    fn in_cell(&self) -> bool {
        self.tables.last().is_some_and(|table| !table.lays_out)
    }

    pub(super) fn line_break(&mut self) -> Result<(), ExtractError> {
        if self.preformatted > 0 {
            self.text.push('\n');
        } else if self.in_cell() || self.heading.is_some() {
            self.text.push(' ');
        } else {
            self.flush()?;
            self.after_break = true;
        }
        Ok(())
    }

    /// Writes the gathered line as what it stands in.
    pub(super) fn flush(&mut self) -> Result<(), ExtractError> {
        let text = std::mem::take(&mut self.text);
        let table = self.tables.last_mut().filter(|table| !table.lays_out);
        if let Some(cell) = table.and_then(|table| table.rows.last_mut()?.last_mut()) {
            cell.push(' ');
            cell.push_str(&text);
            return Ok(());
        }
        if text.trim().is_empty() {
            return Ok(());
        }
        let after_break = std::mem::take(&mut self.after_break);
        if let Some(level) = self.heading {
            return heading(self.out, level, &text);
        }
        if self.preformatted > 0 {
            let text = text.trim_matches('\n');
            return self.out.block(&format!("```\n{text}\n```"));
        }
        let text = one_line(&text);
        match (self.lists.len().checked_sub(1), self.point.take()) {
            (Some(depth), Some(mark)) => list_item(self.out, depth, &mark, &text),
            (Some(depth), None) => self.out.line(&format!("{}{text}", "  ".repeat(depth.min(8) + 1))),
            (None, _) if after_break => self.out.line(&text),
            (None, _) => self.out.block(&text),
        }
    }

    pub(super) fn begin_point(&mut self) -> Result<(), ExtractError> {
        self.flush()?;
        self.point = match self.lists.last_mut() {
            Some(Some(number)) => {
                *number += 1;
                Some(format!("{number}."))
            }
            _ => Some("-".to_owned()),
        };
        if self.lists.is_empty() {
            self.lists.push(None);
        }
        Ok(())
    }

    pub(super) fn begin_table(&mut self) -> Result<(), ExtractError> {
        self.flush()?;
        if let Some(outer) = self.tables.last_mut() {
            outer.lays_out = true;
            for cell in std::mem::take(&mut outer.rows).into_iter().flatten() {
                self.out.block(&one_line(&cell))?;
            }
        }
        self.tables.push(OpenTable::default());
        Ok(())
    }

    pub(super) fn begin_row(&mut self) -> Result<(), ExtractError> {
        self.flush()?;
        if let Some(table) = self.tables.last_mut().filter(|table| !table.lays_out) {
            table.rows.push(Vec::new());
        }
        Ok(())
    }

    pub(super) fn begin_cell(&mut self) -> Result<(), ExtractError> {
        self.flush()?;
        if let Some(table) = self.tables.last_mut().filter(|table| !table.lays_out) {
            if table.rows.is_empty() {
                table.rows.push(Vec::new());
            }
            if let Some(row) = table.rows.last_mut() {
                row.push(String::new());
            }
        }
        Ok(())
    }

    pub(super) fn end_table(&mut self) -> Result<(), ExtractError> {
        self.flush()?;
        match self.tables.pop() {
            Some(closed) => table(self.out, &closed.rows),
            None => Ok(()),
        }
    }
}
