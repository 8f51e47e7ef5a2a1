//! Whether a query is one that an English encoder makes sense of.
//!
//! Fused with lexical search, vectors of an English encoder make results in other languages worse (nDCG@10 of Spanish falls
//! from .955 to .913, of Russian from .873 to .792, of Arabic from .892 to .817), and lexical search alone is never
//! far behind. So a doubtful query is called foreign, unless it is one rare English word among known ones.

use super::word_pieces::WordPieces;
use crate::terms;

/// English text has up to 1.3 pieces a word, text in other European languages from 1.7 on. In hundredths.
const PIECES_PER_WORD: usize = 155;
/// What is read of a text: a query is shorter, and more does not change the verdict.
const WORDS: usize = 256;

/// Whether `text` is English, as far as its letters, its function words and its word pieces tell.
pub(super) fn is_english(text: &str, pieces: &WordPieces) -> bool {
    if is_mostly_in_another_script(text) {
        return false;
    }
    let words = pieces.words(text, WORDS);
    let count = |list: &[&str]| {
        words
            .iter()
            .filter(|(word, _)| list.contains(&word.as_str()))
            .count()
    };
    let foreign = count(&FOREIGN) + accented_words(text);
    let english = count(&ENGLISH);
    if foreign >= 2 && foreign > english {
        return false;
    }
    let split = |words: usize, pieces: usize| 100 * pieces > PIECES_PER_WORD * words;
    let all = words.iter().map(|(_, pieces)| pieces).sum::<usize>();
    if !split(words.len(), all) || english > foreign {
        return true;
    }
    // A short query with one word that the model has to spell is English when the others are, or when there are none.
    let worst = words.iter().max_by_key(|(_, pieces)| *pieces);
    let Some((worst, most)) = worst else {
        return true;
    };
    match words.len() {
        1 => foreign == 0 && worst.bytes().all(|byte| byte.is_ascii_alphabetic()),
        others => count(&FOREIGN) == 0 && !split(others - 1, all - most),
    }
}

/// Whether more is written in other scripts than in the Latin one; a Chinese character says as much as three letters.
fn is_mostly_in_another_script(text: &str) -> bool {
    let mut latin = 0_usize;
    let mut other = 0_usize;
    for c in text.chars().filter(|c| c.is_alphabetic()) {
        match c {
            _ if is_latin(c) => latin += 1,
            _ if terms::is_cjk(c) => other += 3,
            _ => other += 1,
        }
    }
    other > latin
}

/// The Latin blocks of Unicode, and its wide forms in East Asian text.
fn is_latin(c: char) -> bool {
    matches!(c, 'A'..='Z' | 'a'..='z' | '\u{aa}'..='\u{24f}' | '\u{1e00}'..='\u{1eff}' | '\u{ff21}'..='\u{ff5a}')
}

fn accented_words(text: &str) -> usize {
    text.split_whitespace()
        .filter(|word| word.chars().any(|c| c.is_alphabetic() && !c.is_ascii()))
        .count()
}

/// Words without which hardly a sentence of English is made, and which no language below has; without accents.
const ENGLISH: [&str; 56] = [
    "about", "after", "and", "are", "at", "be", "because", "before", "between", "by", "can", "could", "did",
    "does", "during", "each", "every", "for", "from", "has", "have", "how", "if", "into", "is", "it", "its",
    "must", "my", "of", "or", "our", "should", "than", "that", "the", "their", "there", "these", "they",
    "this", "to", "what", "when", "where", "which", "while", "who", "whose", "why", "will", "with", "within",
    "without", "would", "your",
];

/// Such words of Spanish, Portuguese, French, Italian, German, Dutch, Swedish, Danish, Norwegian, Polish, Turkish and
/// Indonesian, without those that are English words, too.
const FOREIGN: [&str; 117] = [
    "aan",
    "ako",
    "att",
    "auf",
    "au",
    "aus",
    "avec",
    "bagaimana",
    "bei",
    "bir",
    "che",
    "chi",
    "como",
    "cuando",
    "cuanto",
    "czy",
    "da",
    "dans",
    "dari",
    "das",
    "de",
    "dei",
    "del",
    "della",
    "dem",
    "den",
    "dengan",
    "der",
    "des",
    "det",
    "di",
    "donde",
    "dos",
    "du",
    "een",
    "eine",
    "einen",
    "einer",
    "el",
    "en",
    "es",
    "este",
    "faut",
    "gdzie",
    "gli",
    "het",
    "hoe",
    "hur",
    "hva",
    "hvor",
    "ich",
    "ik",
    "il",
    "ist",
    "jag",
    "jak",
    "jeg",
    "jest",
    "kiedy",
    "la",
    "las",
    "le",
    "les",
    "lo",
    "los",
    "mein",
    "meine",
    "mijn",
    "mio",
    "mit",
    "naar",
    "nas",
    "ne",
    "nicht",
    "nie",
    "niet",
    "oder",
    "och",
    "ons",
    "onde",
    "ou",
    "para",
    "por",
    "pour",
    "quale",
    "quando",
    "quanto",
    "que",
    "quel",
    "quelle",
    "qui",
    "quien",
    "sans",
    "sind",
    "som",
    "son",
    "su",
    "sul",
    "sur",
    "um",
    "uma",
    "una",
    "und",
    "une",
    "untuk",
    "van",
    "vad",
    "voor",
    "vom",
    "von",
    "waar",
    "wann",
    "wat",
    "wie",
    "yang",
    "zu",
    "zur",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::local::tests::tokenizer_json;

    /// A vocabulary of a few whole words, in which every other word is spelled letter by letter.
    fn check(text: &str, english: bool) {
        let pieces = WordPieces::parse(tokenizer_json().as_bytes()).unwrap();
        assert_eq!(is_english(text, &pieces), english, "{text:?}");
    }

    #[test]
    fn another_script_is_not_english() {
        check("сколько длится возврат", false);
        check("سياسة الإرجاع", false);
        check("退款需要多长时间", false);
        check("refunds 退款", true);
        check("refunds 退款期限", false);
        check("ＲＥＦＵＮＤＳ", true);
    }

    #[test]
    fn known_words_are_english() {
        check("refunds take a month", true);
        check("résumé take", true);
        check("", true);
        check("?!", true);
    }

    #[test]
    fn one_rare_word_among_known_ones_is_english() {
        check("eosinophilia month", true);
        check("month eosinophilia", true);
        check("thrombocytopenia", true);
    }

    #[test]
    fn several_rare_words_need_an_english_sentence_around_them() {
        check("albendazole lymphatic", false);
        check("is albendazole lymphatic", true);
        check("albendazole est lymphatic", false);
    }

    #[test]
    fn foreign_function_words_and_accents_tell_another_language() {
        check("la take de month", false);
        check("how la take and month", true);
        check("rückgabe", false);
        check("von eosinophilia", false);
        check("rückgabe für month", false);
    }

    #[test]
    fn an_identifier_is_no_english_word() {
        check("ord-2024-00012345", false);
        check("550e8400", false);
        check("month 550e8400", true);
    }
}
