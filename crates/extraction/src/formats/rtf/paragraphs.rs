use crate::ExtractError;
use crate::markdown::{heading, list_item, table};
use crate::out::Out;

/// Gathers the text of a document and writes it paragraph by paragraph, tables whole.
pub(super) struct Paragraphs<'o, 's, 'f> {
    out: &'o mut Out<'s, 'f>,
    text: String,
    level: Option<usize>,
    is_point: bool,
    in_table: bool,
    rows: Vec<Vec<String>>,
    row: Vec<String>,
}

impl<'o, 's, 'f> Paragraphs<'o, 's, 'f> {
    pub(super) fn new(out: &'o mut Out<'s, 'f>) -> Self {
        Self {
            out,
            text: String::new(),
            level: None,
            is_point: false,
            in_table: false,
            rows: Vec::new(),
            row: Vec::new(),
        }
    }

    pub(super) fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// Makes the paragraph a heading of that level, or none.
    pub(super) fn set_level(&mut self, level: Option<usize>) {
        self.level = level;
    }

    /// Makes the paragraph a point of a list.
    pub(super) fn set_point(&mut self) {
        self.is_point = true;
    }

    /// Writes what is left.
    pub(super) fn end(&mut self) -> Result<(), ExtractError> {
        self.end_paragraph()?;
        self.end_table()
    }

    /// Does what a control word or symbol says of the text; nothing for those that only say how it looks.
    pub(super) fn control(&mut self, word: &str) -> Result<(), ExtractError> {
        match word {
            "par" | "sect" | "page" => self.end_paragraph()?,
            "line" => self.text.push('\n'),
            "tab" => self.text.push('\t'),
            "pard" => {
                self.level = None;
                self.in_table = false;
            }
            "intbl" => self.in_table = true,
            "trowd" => self.begin_row()?,
            "cell" | "nestcell" => {
                self.row.push(std::mem::take(&mut self.text));
                self.is_point = false;
            }
            "row" => self.rows.push(std::mem::take(&mut self.row)),
            _ => self.text.push_str(symbol(word)),
        }
        Ok(())
    }

    fn begin_row(&mut self) -> Result<(), ExtractError> {
        if !self.text.trim().is_empty() && self.row.is_empty() {
            self.end_paragraph()?;
        }
        self.in_table = true;
        Ok(())
    }

    fn end_paragraph(&mut self) -> Result<(), ExtractError> {
        if self.in_table {
            self.text.push(' ');
            return Ok(());
        }
        self.end_table()?;
        let text = std::mem::take(&mut self.text);
        if text.trim().is_empty() {
            return Ok(());
        }
        match (self.level, std::mem::take(&mut self.is_point)) {
            (Some(level), _) => heading(self.out, level, &text),
            (None, true) => list_item(self.out, 0, "-", &text),
            (None, false) => self.out.block(text.trim()),
        }
    }

    fn end_table(&mut self) -> Result<(), ExtractError> {
        let mut rows = std::mem::take(&mut self.rows);
        let row = std::mem::take(&mut self.row);
        if !row.is_empty() {
            rows.push(row);
        }
        if rows.is_empty() {
            return Ok(());
        }
        table(self.out, &rows)
    }
}

fn symbol(word: &str) -> &'static str {
    match word {
        "~" => "\u{a0}",
        "_" => "\u{2011}",
        "\\" => "\\",
        "{" => "{",
        "}" => "}",
        "emdash" => "\u{2014}",
        "endash" => "\u{2013}",
        "bullet" => "\u{2022}",
        "lquote" => "\u{2018}",
        "rquote" => "\u{2019}",
        "ldblquote" => "\u{201c}",
        "rdblquote" => "\u{201d}",
        "emspace" | "enspace" | "qmspace" => " ",
        _ => "",
    }
}
