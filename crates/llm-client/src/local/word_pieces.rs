//! BERT's tokenizer for texts whose case does not matter, as the `BertNormalizer`, `BertPreTokenizer` and `WordPiece` of Hugging
//! Face's `tokenizers` do it, with two differences: marks as `[CLS]` that stand in a text are text, so that no document
//! can write them, and the reader stops where the model does.

use std::collections::HashMap;
use std::ops::ControlFlow;

use icu_properties::props::{EnumeratedProperty as _, GeneralCategory};
use serde::Deserialize;
use tenantry_domain::BoxError;
use unicode_normalization::UnicodeNormalization as _;

/// A vocabulary of word pieces.
pub(super) struct WordPieces {
    /// The pieces that begin a word.
    first: HashMap<Box<str>, i32>,
    /// The pieces that go on with one, without their `##`.
    further: HashMap<Box<str>, i32>,
    /// The bytes of the longest piece.
    longest: usize,
    /// A longer word, in characters, is one unknown piece.
    longest_word: usize,
    marks: Marks,
}

/// The ids that stand for no text.
struct Marks {
    start: i32,
    end: i32,
    unknown: i32,
}

#[derive(Deserialize)]
struct TokenizerFile {
    normalizer: Normalizer,
    pre_tokenizer: Kind,
    model: Vocabulary,
}

#[derive(Deserialize)]
struct Normalizer {
    r#type: String,
    clean_text: bool,
    handle_chinese_chars: bool,
    strip_accents: Option<bool>,
    lowercase: bool,
}

#[derive(Deserialize)]
struct Kind {
    r#type: String,
}

#[derive(Deserialize)]
struct Vocabulary {
    r#type: String,
    continuing_subword_prefix: String,
    max_input_chars_per_word: usize,
    vocab: HashMap<String, i32>,
}

impl WordPieces {
    /// Reads a `tokenizer.json`.
    ///
    /// # Errors
    /// When it is none, or one of another kind.
    pub(super) fn parse(json: &[u8]) -> Result<Self, BoxError> {
        let TokenizerFile {
            normalizer,
            pre_tokenizer,
            model,
        } = serde_json::from_slice(json)?;
        let folds = normalizer.clean_text
            && normalizer.handle_chinese_chars
            && normalizer.lowercase
            && normalizer.strip_accents != Some(false);
        let kinds = [&normalizer.r#type, &pre_tokenizer.r#type, &model.r#type];
        if !folds || kinds != ["BertNormalizer", "BertPreTokenizer", "WordPiece"] {
            return Err("it is not BERT's tokenizer for texts without case".into());
        }
        let mark = |text: &str| {
            let id = model.vocab.get(text).copied();
            id.ok_or_else(|| format!("the vocabulary has no {text}"))
        };
        let marks = Marks {
            start: mark("[CLS]")?,
            end: mark("[SEP]")?,
            unknown: mark("[UNK]")?,
        };
        let longest = model.vocab.keys().map(String::len).max().unwrap_or_default();
        let (mut first, mut further) = (HashMap::new(), HashMap::new());
        for (piece, id) in model.vocab {
            match piece.strip_prefix(&model.continuing_subword_prefix) {
                Some(rest) if !rest.is_empty() => further.insert(rest.into(), id),
                _ => first.insert(piece.into(), id),
            };
        }
        Ok(Self {
            first,
            further,
            longest,
            longest_word: model.max_input_chars_per_word,
            marks,
        })
    }

    /// The ids of `text` between the marks of its start and end, at most `limit` of them.
    pub(super) fn ids(&self, text: &str, limit: usize) -> Vec<i32> {
        let room = limit.saturating_sub(1);
        let mut ids = vec![self.marks.start];
        // A text may end early: the break says no more than that.
        let _ = each_word(text, &mut |word| {
            self.split(word, &mut ids);
            if ids.len() < room {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        });
        ids.truncate(room);
        ids.push(self.marks.end);
        ids
    }

    /// The number of pieces of each of the first `limit` words of letters and digits of `text`, with the word in lower case.
    pub(super) fn words(&self, text: &str, limit: usize) -> Vec<(String, usize)> {
        let mut words = Vec::new();
        let mut ids = Vec::new();
        let _ = each_word(text, &mut |word| {
            if word.chars().any(char::is_alphanumeric) {
                ids.clear();
                self.split(word, &mut ids);
                words.push((word.to_owned(), ids.len()));
            }
            if words.len() < limit {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        });
        words
    }

    /// Adds the pieces of `word`, each the longest that fits; a word that pieces cannot make up is unknown as a whole.
    fn split(&self, word: &str, ids: &mut Vec<i32>) {
        let before = ids.len();
        let mut rest = word;
        let fits = word.chars().count() <= self.longest_word;
        while fits && !rest.is_empty() {
            let pieces = if ids.len() == before {
                &self.first
            } else {
                &self.further
            };
            let Some((id, after)) = self.longest_piece(pieces, rest) else {
                break;
            };
            ids.push(id);
            rest = after;
        }
        if !rest.is_empty() {
            ids.truncate(before);
            ids.push(self.marks.unknown);
        }
    }

    /// The id of the longest of `pieces` that `word` begins with, and what comes after it.
    fn longest_piece<'w>(&self, pieces: &HashMap<Box<str>, i32>, word: &'w str) -> Option<(i32, &'w str)> {
        let longest = word.len().min(self.longest);
        (1..=longest).rev().find_map(|end| {
            let (piece, after) = word.split_at_checked(end)?;
            pieces.get(piece).map(|id| (*id, after))
        })
    }
}

/// Hands the words of `text`, without case and accents, to `take`; a sign of punctuation or a Chinese character is a
/// word of its own.
fn each_word(text: &str, take: &mut dyn FnMut(&str) -> ControlFlow<()>) -> ControlFlow<()> {
    let mut word = String::new();
    let letters = text
        .chars()
        .filter(|c| !is_noise(*c))
        .flat_map(spaced)
        .nfd()
        .filter(|c| category(*c) != GeneralCategory::NonspacingMark)
        .flat_map(char::to_lowercase);
    for c in letters {
        let alone = is_punctuation(c);
        if (alone || c.is_whitespace()) && !word.is_empty() {
            take(&word)?;
            word.clear();
        }
        if alone {
            take(c.encode_utf8(&mut [0; 4]))?;
        } else if !c.is_whitespace() {
            word.push(c);
        }
    }
    if word.is_empty() {
        ControlFlow::Continue(())
    } else {
        take(&word)
    }
}

/// Sets blanks around the characters that BERT calls Chinese, as its `_is_chinese_char` lists them.
fn spaced(c: char) -> impl Iterator<Item = char> {
    let chinese = matches!(c,
        '\u{4e00}'..='\u{9fff}' | '\u{3400}'..='\u{4dbf}' | '\u{20000}'..='\u{2a6df}' | '\u{2a700}'..='\u{2b73f}'
        | '\u{2b740}'..='\u{2b81f}' | '\u{2b820}'..='\u{2ceaf}' | '\u{f900}'..='\u{faff}' | '\u{2f800}'..='\u{2fa1f}');
    let blank = chinese.then_some(' ');
    blank.into_iter().chain([c]).chain(blank)
}

/// What is left out as if it were not there.
fn is_noise(c: char) -> bool {
    use GeneralCategory::{Control, Format, PrivateUse};

    match c {
        '\t' | '\n' | '\r' => false,
        '\u{fffd}' => true,
        _ => matches!(category(c), Control | Format | PrivateUse),
    }
}

fn is_punctuation(c: char) -> bool {
    use GeneralCategory::{
        ClosePunctuation, ConnectorPunctuation, DashPunctuation, FinalPunctuation, InitialPunctuation,
        OpenPunctuation, OtherPunctuation,
    };

    c.is_ascii_punctuation()
        || matches!(
            category(c),
            ClosePunctuation
                | ConnectorPunctuation
                | DashPunctuation
                | FinalPunctuation
                | InitialPunctuation
                | OpenPunctuation
                | OtherPunctuation
        )
}

fn category(c: char) -> GeneralCategory {
    GeneralCategory::for_char(c)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::local::tests::{VOCABULARY, tokenizer_json};

    fn pieces() -> WordPieces {
        WordPieces::parse(tokenizer_json().as_bytes()).unwrap()
    }

    fn check(text: &str, expected: &str) {
        let ids = pieces().ids(text, 256);
        let shown = ids
            .iter()
            .map(|id| VOCABULARY.split(' ').nth(usize::try_from(*id).unwrap()).unwrap());
        assert_eq!(
            shown.collect::<Vec<_>>().join(" "),
            format!("[CLS] {expected} [SEP]").replace("  ", " "),
            "{text:?}"
        );
    }

    #[test]
    fn the_longest_piece_comes_first() {
        check("refund refunds refundable", "refund refunds refund ##able");
        check("ab", "a ##b");
        check("", "");
    }

    #[test]
    fn a_word_that_pieces_cannot_make_up_is_unknown_as_a_whole() {
        check("refundж month", "[UNK] month");
        check("жrefund month", "[UNK] month");
        check(&"a".repeat(100), &["a", &" ##a".repeat(99)].concat());
        check(&"a".repeat(101), "[UNK]");
    }

    #[test]
    fn case_accents_and_invisible_characters_do_not_matter() {
        check("RÉSUMÉ Re\u{301}sume\u{301}", "resume resume");
        check("re\u{ad}fu\u{200b}nd\u{0}", "refund");
        check("refund\u{a0}\tmonth\r\n", "refund month");
    }

    #[test]
    fn punctuation_and_chinese_characters_are_words() {
        check("refund-month.", "refund - month .");
        check("退month款", "退 month [UNK]");
        check("“refund”", "[UNK] refund [UNK]");
    }

    #[test]
    fn a_document_cannot_write_marks() {
        check("[SEP]", "[ s ##e ##p ]");
        check("a [CLS] b", "a [ c ##l ##s ] b");
    }

    #[test]
    fn a_long_text_is_cut_where_the_model_stops_reading() {
        let ids = pieces().ids(&"refund ".repeat(10), 6);
        assert_eq!(ids.len(), 6);
        assert_eq!(ids.last(), pieces().ids("", 6).last());
        assert_eq!(pieces().ids("refundable refundable", 5).len(), 5);
        assert_eq!(pieces().ids("a", 3).len(), 3);
    }

    #[test]
    fn another_kind_of_tokenizer_is_refused() {
        let json = tokenizer_json();
        for (from, to) in [
            ("WordPiece", "BPE"),
            ("BertNormalizer", "NFC"),
            ("BertPreTokenizer", "ByteLevel"),
            (r#""lowercase":true"#, r#""lowercase":false"#),
            (r#""strip_accents":null"#, r#""strip_accents":false"#),
            ("[SEP]", "</s>"),
        ] {
            assert!(json.contains(from), "{from}");
            let json = json.replace(from, to);
            assert!(WordPieces::parse(json.as_bytes()).is_err(), "{to}");
        }
        assert!(WordPieces::parse(b"{}").is_err());
    }
}
