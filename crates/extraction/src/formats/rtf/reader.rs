use std::collections::HashMap;

use encoding_rs::{Encoding, WINDOWS_1252};

use super::charsets::{of_charset, of_code_page};
use super::lexer::{Lexer, Token};
use super::paragraphs::Paragraphs;
use crate::markdown::one_line;
use crate::out::Out;
use crate::{Bound, ExtractError};

/// How deeply groups may stand in one another.
const MAX_GROUPS: u32 = 4_096;

/// Groups whose text is not the document's.
const LEFT_OUT: [&str; 24] = [
    "colortbl",
    "pict",
    "object",
    "header",
    "headerl",
    "headerr",
    "headerf",
    "footer",
    "footerl",
    "footerr",
    "footerf",
    "fldinst",
    "nonshppict",
    "themedata",
    "datastore",
    "listtable",
    "listoverridetable",
    "rsidtbl",
    "xmlnstbl",
    "revtbl",
    "filetbl",
    "template",
    "bkmkstart",
    "bkmkend",
];

/// Where text goes that is read now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Body,
    Nowhere,
    Fonts,
    Styles,
    Info,
    Title,
}

/// What a group inherits and, at its end, gives back.
#[derive(Debug, Clone, Copy)]
struct Group {
    place: Place,
    /// How many characters stand after `\u` for readers that do not know it.
    fallback: i64,
    font: Option<&'static Encoding>,
    hidden: bool,
}

pub(super) struct Reader<'o, 's, 'f> {
    body: Paragraphs<'o, 's, 'f>,
    group: Group,
    groups: Vec<Group>,
    code_page: &'static Encoding,
    fonts: HashMap<i64, Option<&'static Encoding>>,
    font_number: i64,
    /// Heading levels by style number.
    styles: HashMap<i64, usize>,
    style_number: i64,
    style_name: String,
    title: String,
    /// Bytes in the font's encoding that were not decoded yet.
    bytes: Vec<u8>,
    /// Characters still to be passed over after `\u`.
    passing: i64,
    /// The first half of a pair of surrogates.
    surrogate: Option<u16>,
    ignorable: bool,
}

impl<'o, 's, 'f> Reader<'o, 's, 'f> {
    pub(super) fn new(out: &'o mut Out<'s, 'f>) -> Self {
        let group = Group {
            place: Place::Body,
            fallback: 1,
            font: None,
            hidden: false,
        };
        Self {
            body: Paragraphs::new(out),
            group,
            groups: Vec::new(),
            code_page: WINDOWS_1252,
            fonts: HashMap::new(),
            font_number: 0,
            styles: HashMap::new(),
            style_number: 0,
            style_name: String::new(),
            title: String::new(),
            bytes: Vec::new(),
            passing: 0,
            surrogate: None,
            ignorable: false,
        }
    }

    /// Writes the document's text and gives its title.
    pub(super) fn read(mut self, bytes: &[u8]) -> Result<Option<String>, ExtractError> {
        let mut lexer = Lexer::new(bytes.trim_ascii_start());
        while let Some(token) = lexer.next() {
            match token {
                Token::Byte(byte) => self.byte(byte),
                Token::Control("bin", count) => lexer.pass_over(count.unwrap_or(0)),
                Token::Control(word, number) => {
                    self.settle();
                    self.control(word, number)?;
                }
                Token::Open => self.open()?,
                Token::Close => self.close(),
            }
        }
        self.settle();
        self.body.end()?;
        Ok(Some(one_line(&self.title)).filter(|title| !title.is_empty()))
    }

    fn open(&mut self) -> Result<(), ExtractError> {
        self.settle();
        let depth = u32::try_from(self.groups.len()).unwrap_or(u32::MAX);
        if depth >= MAX_GROUPS {
            return Err(ExtractError::TooLarge(Bound::Depth(MAX_GROUPS)));
        }
        self.groups.push(self.group);
        Ok(())
    }

    fn close(&mut self) {
        self.settle();
        self.passing = 0;
        if let Some(group) = self.groups.pop() {
            self.group = group;
        }
    }

    fn byte(&mut self, byte: u8) {
        if self.passing > 0 {
            self.passing -= 1;
        } else {
            self.bytes.push(byte);
        }
    }

    /// Decodes the bytes that were gathered.
    fn settle(&mut self) {
        if self.bytes.is_empty() {
            return;
        }
        let bytes = std::mem::take(&mut self.bytes);
        let encoding = self.group.font.unwrap_or(self.code_page);
        let (text, _) = encoding.decode_without_bom_handling(&bytes);
        self.write(&text);
    }

    fn write(&mut self, text: &str) {
        match self.group.place {
            Place::Body if !self.group.hidden => self.body.push(text),
            Place::Title => self.title.push_str(text),
            Place::Styles => self.style(text),
            _ => {}
        }
    }

    fn style(&mut self, text: &str) {
        self.style_name.push_str(text);
        if let Some((name, _)) = self.style_name.split_once(';') {
            let level = name.trim().to_ascii_lowercase();
            let level = level
                .strip_prefix("heading ")
                .and_then(|level| level.parse().ok());
            if let Some(level) = level {
                self.styles.entry(self.style_number).or_insert(level);
            }
            self.style_name.clear();
        }
    }

    fn control(&mut self, word: &str, number: Option<i64>) -> Result<(), ExtractError> {
        if std::mem::take(&mut self.ignorable) && !matches!(word, "listtext" | "pntext" | "shptxt") {
            self.group.place = Place::Nowhere;
        }
        if self.passing > 0 && matches!(word, "~" | "_" | "-" | "\\" | "{" | "}") {
            self.passing -= 1;
            return Ok(());
        }
        match word {
            "*" => self.ignorable = true,
            "u" => self.unicode(number.unwrap_or(0)),
            "uc" => self.group.fallback = number.unwrap_or(1),
            "ansicpg" => self.code_page = number.and_then(of_code_page).unwrap_or(self.code_page),
            "mac" => self.code_page = of_code_page(10_000).unwrap_or(self.code_page),
            "fonttbl" => self.group.place = Place::Fonts,
            "stylesheet" => self.group.place = Place::Styles,
            "info" => self.group.place = Place::Info,
            "title" if self.group.place == Place::Info => self.group.place = Place::Title,
            "listtext" | "pntext" => {
                if self.group.place == Place::Body {
                    self.body.set_point();
                }
                self.group.place = Place::Nowhere;
            }
            "f" => self.font(number.unwrap_or(0)),
            "fcharset" if self.group.place == Place::Fonts => {
                self.fonts.insert(self.font_number, number.and_then(of_charset));
            }
            "s" => self.style_number(number.unwrap_or(0)),
            "outlinelevel" => self.outline_level(number),
            "v" => self.group.hidden = number != Some(0),
            "plain" => {
                self.group.hidden = false;
                self.group.font = None;
            }
            word if LEFT_OUT.contains(&word) => self.group.place = Place::Nowhere,
            word if self.group.place == Place::Body => self.body.control(word)?,
            _ => {}
        }
        Ok(())
    }

    fn font(&mut self, number: i64) {
        self.font_number = number;
        self.group.font = self.fonts.get(&number).copied().flatten();
    }

    fn style_number(&mut self, number: i64) {
        match self.group.place {
            Place::Styles => self.style_number = number,
            Place::Body => self.body.set_level(self.styles.get(&number).copied()),
            _ => {}
        }
    }

    /// An outline level counts from 0; 9 is body text.
    fn outline_level(&mut self, number: Option<i64>) {
        let level = number
            .and_then(|n| usize::try_from(n).ok())
            .filter(|n| *n < 9)
            .map(|n| n + 1);
        match (self.group.place, level) {
            (Place::Styles, Some(level)) => {
                self.styles.insert(self.style_number, level);
            }
            (Place::Body, level) => self.body.set_level(level),
            _ => {}
        }
    }

    /// A UTF-16 unit as a signed number.
    fn unicode(&mut self, number: i64) {
        self.passing = self.group.fallback.clamp(0, 64);
        let Ok(unit) = u16::try_from(number.rem_euclid(65_536)) else {
            return;
        };
        let units = match self.surrogate.take() {
            Some(first) => vec![first, unit],
            None if (0xd800..0xdc00).contains(&unit) => {
                self.surrogate = Some(unit);
                return;
            }
            None => vec![unit],
        };
        self.write(&String::from_utf16_lossy(&units));
    }
}
