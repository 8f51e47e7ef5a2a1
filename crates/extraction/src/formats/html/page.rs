use std::cell::RefCell;

use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{Tag, TagKind, Token, TokenSink, TokenSinkResult};

use super::Dialect;
use super::blocks::Blocks;
use super::elements::{BLOCKS, LEFT_OUT, VOID, attribute, is_hidden};
use crate::ExtractError;
use crate::markdown::one_line;
use crate::out::Out;

/// Takes a page's tokens and writes its text.
pub(super) struct Page<'o, 's, 'f>(RefCell<State<'o, 's, 'f>>);

impl<'o, 's, 'f> Page<'o, 's, 'f> {
    pub(super) fn new(out: &'o mut Out<'s, 'f>, dialect: Dialect) -> Self {
        Self(RefCell::new(State {
            blocks: Blocks::new(out),
            dialect,
            failure: None,
            title: None,
            in_title: false,
            left_out: None,
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
        state.blocks.end()?;
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
    blocks: Blocks<'o, 's, 'f>,
    dialect: Dialect,
    failure: Option<ExtractError>,
    title: Option<String>,
    in_title: bool,
    /// The element that is left out, with how many of its name are open in one another.
    left_out: Option<(String, u32)>,
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
            "br" => self.blocks.line_break()?,
            "img" => self.blocks.push(&attribute(tag, "alt").unwrap_or_default()),
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => {
                let level = name.get(1..).and_then(|level| level.parse().ok());
                self.blocks.set_heading(level)?;
            }
            "pre" => self.blocks.begin_preformatted()?,
            "ul" | "ol" | "menu" => self.blocks.begin_list(name == "ol")?,
            "li" => self.blocks.begin_point()?,
            "table" => self.blocks.begin_table()?,
            "tr" => self.blocks.begin_row()?,
            "td" | "th" => self.blocks.begin_cell()?,
            _ if BLOCKS.contains(&name) => self.blocks.flush()?,
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
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => self.blocks.set_heading(None)?,
            "pre" => self.blocks.end_preformatted()?,
            "ul" | "ol" | "menu" => self.blocks.end_list()?,
            "table" => self.blocks.end_table()?,
            "li" | "tr" | "td" | "th" => self.blocks.flush()?,
            _ if BLOCKS.contains(&name) => self.blocks.flush()?,
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
            self.blocks.push(text);
        }
    }
}
