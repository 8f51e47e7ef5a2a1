use std::cell::RefCell;

use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{Tag, TagKind, Token, TokenSink, TokenSinkResult};

use super::Dialect;
use crate::ExtractError;
use crate::markdown::{heading, list_item, one_line, table};
use crate::out::Out;

/// Elements whose content is no text of the page: code, navigation, controls, and what stands in for media.
const LEFT_OUT: [&str; 18] = [
    "script", "style", "noscript", "template", "nav", "svg", "iframe", "object", "audio", "video", "canvas",
    "select", "button", "textarea", "datalist", "noframes", "noembed", "xmp",
];

/// Elements that end the line they stand on.
const BLOCKS: [&str; 36] = [
    "address",
    "article",
    "aside",
    "blockquote",
    "body",
    "caption",
    "center",
    "dd",
    "details",
    "dialog",
    "div",
    "dl",
    "dt",
    "fieldset",
    "figcaption",
    "figure",
    "footer",
    "form",
    "header",
    "hgroup",
    "hr",
    "html",
    "legend",
    "main",
    "ol",
    "option",
    "p",
    "search",
    "section",
    "summary",
    "table",
    "tbody",
    "tfoot",
    "thead",
    "ul",
    "head",
];

/// Elements with an optional end tag: hiding them would hide what follows too.
const END_OPTIONAL: [&str; 12] = [
    "p", "li", "td", "th", "tr", "dt", "dd", "option", "tbody", "thead", "html", "body",
];

/// Elements without content.
const VOID: [&str; 10] = [
    "br", "hr", "img", "input", "link", "meta", "area", "col", "source", "wbr",
];

/// Takes a page's tokens and writes its text.
pub(super) struct Page<'o, 's, 'f>(RefCell<State<'o, 's, 'f>>);

impl<'o, 's, 'f> Page<'o, 's, 'f> {
    pub(super) fn new(out: &'o mut Out<'s, 'f>, dialect: Dialect) -> Self {
        Self(RefCell::new(State {
            out,
            dialect,
            failure: None,
            title: None,
            in_title: false,
            left_out: None,
            text: String::new(),
            heading: None,
            preformatted: 0,
            lists: Vec::new(),
            point: None,
            tables: Vec::new(),
            after_break: false,
        }))
    }

    /// The error that writing met, if it did.
    pub(super) fn check(&self) -> Result<(), ExtractError> {
        self.0.borrow_mut().failure.take().map_or(Ok(()), Err)
    }

    /// Writes what is left and gives the title.
    pub(super) fn finish(self) -> Result<Option<String>, ExtractError> {
        self.check()?;
        let mut state = self.0.into_inner();
        state.flush()?;
        while !state.tables.is_empty() {
            state.end_table()?;
        }
        Ok(state
            .title
            .map(|title| one_line(&title))
            .filter(|title| !title.is_empty()))
    }
}

impl TokenSink for Page<'_, '_, '_> {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let mut state = self.0.borrow_mut();
        if state.failure.is_some() {
            return TokenSinkResult::Continue;
        }
        let (done, result) = match token {
            Token::TagToken(tag) => match tag.kind {
                TagKind::StartTag => (state.open(&tag), state.raw(&tag)),
                TagKind::EndTag => (state.close(&tag.name), TokenSinkResult::Continue),
            },
            Token::CharacterTokens(text) => {
                state.text(&text);
                (Ok(()), TokenSinkResult::Continue)
            }
            _ => (Ok(()), TokenSinkResult::Continue),
        };
        state.failure = done.err();
        result
    }
}

struct State<'o, 's, 'f> {
    out: &'o mut Out<'s, 'f>,
    dialect: Dialect,
    failure: Option<ExtractError>,
    title: Option<String>,
    in_title: bool,
    /// The element that is left out, with how many of its name are open in one another.
    left_out: Option<(String, u32)>,
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

impl State<'_, '_, '_> {
    fn open(&mut self, tag: &Tag) -> Result<(), ExtractError> {
        let name: &str = &tag.name;
        let whole = tag.self_closing && self.dialect == Dialect::Xhtml || VOID.contains(&name);
        if let Some((left_out, depth)) = &mut self.left_out {
            *depth += u32::from(left_out == name && !whole);
            return Ok(());
        }
        if !whole && (LEFT_OUT.contains(&name) || is_hidden(tag)) {
            self.left_out = Some((name.to_owned(), 1));
            return Ok(());
        }
        match name {
            "title" => self.in_title = !whole && self.title.is_none(),
            "br" => self.line_break()?,
            "img" => self.text.push_str(&attribute(tag, "alt").unwrap_or_default()),
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => {
                self.flush()?;
                self.heading = name.get(1..).and_then(|level| level.parse().ok());
            }
            "pre" => {
                self.flush()?;
                self.preformatted += 1;
            }
            "ul" | "ol" | "menu" => {
                self.flush()?;
                if self.lists.is_empty() && !self.in_cell() {
                    self.out.end_block()?;
                }
                self.lists.push((name == "ol").then_some(0));
            }
            "li" => self.begin_point()?,
            "table" => self.begin_table()?,
            "tr" => self.begin_row()?,
            "td" | "th" => self.begin_cell()?,
            _ if BLOCKS.contains(&name) => self.flush()?,
            _ => {}
        }
        if whole && !VOID.contains(&name) {
            self.close(name)?;
        }
        Ok(())
    }

    fn close(&mut self, name: &str) -> Result<(), ExtractError> {
        if let Some((left_out, depth)) = &mut self.left_out {
            *depth -= u32::from(left_out == name);
            if *depth == 0 {
                self.left_out = None;
            }
            return Ok(());
        }
        match name {
            "title" => self.in_title = false,
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => {
                self.flush()?;
                self.heading = None;
            }
            "pre" => {
                self.flush()?;
                self.preformatted = self.preformatted.saturating_sub(1);
            }
            "ul" | "ol" | "menu" => {
                self.flush()?;
                self.lists.pop();
                if self.lists.is_empty() && !self.in_cell() {
                    self.out.end_block()?;
                }
            }
            "table" => self.end_table()?,
            "li" | "tr" | "td" | "th" => self.flush()?,
            _ if BLOCKS.contains(&name) => self.flush()?,
            _ => {}
        }
        Ok(())
    }

    /// Elements whose content is not markup.
    fn raw(&self, tag: &Tag) -> TokenSinkResult<()> {
        if tag.self_closing && self.dialect == Dialect::Xhtml {
            return TokenSinkResult::Continue;
        }
        match &*tag.name {
            "script" => TokenSinkResult::RawData(RawKind::ScriptData),
            "style" | "xmp" | "iframe" | "noembed" | "noframes" => TokenSinkResult::RawData(RawKind::Rawtext),
            // In a drawing a title is markup like any other.
            "title" if self.left_out.is_none() => TokenSinkResult::RawData(RawKind::Rcdata),
            "textarea" => TokenSinkResult::RawData(RawKind::Rcdata),
            _ => TokenSinkResult::Continue,
        }
    }

    fn text(&mut self, text: &str) {
        if self.in_title {
            self.title.get_or_insert_default().push_str(text);
        } else if self.left_out.is_none() {
            self.text.push_str(text);
        }
    }

    fn in_cell(&self) -> bool {
        self.tables.last().is_some_and(|table| !table.lays_out)
    }

    fn line_break(&mut self) -> Result<(), ExtractError> {
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
    fn flush(&mut self) -> Result<(), ExtractError> {
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

    fn begin_point(&mut self) -> Result<(), ExtractError> {
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

    fn begin_table(&mut self) -> Result<(), ExtractError> {
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

    fn begin_row(&mut self) -> Result<(), ExtractError> {
        self.flush()?;
        if let Some(table) = self.tables.last_mut().filter(|table| !table.lays_out) {
            table.rows.push(Vec::new());
        }
        Ok(())
    }

    fn begin_cell(&mut self) -> Result<(), ExtractError> {
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

    fn end_table(&mut self) -> Result<(), ExtractError> {
        self.flush()?;
        match self.tables.pop() {
            Some(closed) => table(self.out, &closed.rows),
            None => Ok(()),
        }
    }
}

fn attribute(tag: &Tag, name: &str) -> Option<String> {
    let attribute = tag
        .attrs
        .iter()
        .find(|attribute| &*attribute.name.local == name)?;
    Some(attribute.value.to_string())
}

/// Text that readers do not see is left out: it is how instructions to a model are smuggled into a page.
fn is_hidden(tag: &Tag) -> bool {
    let name: &str = &tag.name;
    if END_OPTIONAL.contains(&name) {
        return false;
    }
    let style = attribute(tag, "style").unwrap_or_default().to_ascii_lowercase();
    let style: String = style.split_whitespace().collect();
    attribute(tag, "hidden").is_some()
        || style.contains("display:none")
        || style.contains("visibility:hidden")
}
