use std::collections::BTreeSet;

/// The words of `text` in lower case; runs of Chinese, Japanese and Korean characters, which write no blanks between
/// words, as overlapping pairs.
pub(crate) fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut run: Vec<char> = Vec::new();
    for c in text.chars() {
        if is_cjk(c) {
            end_word(&mut word, &mut words);
            run.push(c);
        } else {
            end_run(&mut run, &mut words);
            if c.is_alphanumeric() {
                word.extend(c.to_lowercase());
            } else if c != '\'' && c != '’' {
                end_word(&mut word, &mut words);
            }
        }
    }
    end_word(&mut word, &mut words);
    end_run(&mut run, &mut words);
    words
}

/// What a text is about: its words without the most common English ones, without English endings.
pub(crate) fn terms(text: &str) -> BTreeSet<String> {
    let words = words(text);
    words
        .iter()
        .filter(|word| !STOPWORDS.contains(&word.as_str()))
        .map(|word| stem(word))
        .collect()
}

fn end_word(word: &mut String, words: &mut Vec<String>) {
    if !word.is_empty() {
        words.push(std::mem::take(word));
    }
}

fn end_run(run: &mut Vec<char>, words: &mut Vec<String>) {
    match run.as_slice() {
        [] => {}
        [single] => words.push(single.to_string()),
        several => words.extend(several.windows(2).map(|pair| pair.iter().collect())),
    }
    run.clear();
}

/// Whether `c` belongs to Chinese, Japanese or Korean writing.
pub(crate) fn is_cjk(c: char) -> bool {
    matches!(c,
        '\u{3005}'..='\u{3007}' | '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}'
        | '\u{ac00}'..='\u{d7af}' | '\u{f900}'..='\u{faff}' | '\u{ff66}'..='\u{ff9d}' | '\u{20000}'..='\u{323af}')
}

/// Takes common English endings off, so that "refunds" meets "refunded"; far simpler than Porter's algorithm, but both
/// sides of a comparison go through it.
fn stem(word: &str) -> String {
    const ENDINGS: [(&str, &str); 9] = [
        ("ations", "at"),
        ("ation", "at"),
        ("ments", "ment"),
        ("ings", ""),
        ("ing", ""),
        ("ies", "y"),
        ("ed", ""),
        ("es", ""),
        ("s", ""),
    ];
    if !word.is_ascii() || word.ends_with("ss") || word.bytes().any(|b| b.is_ascii_digit()) {
        return word.to_owned();
    }
    let stem = ENDINGS.iter().find_map(|(ending, instead)| {
        let rest = word.strip_suffix(ending).filter(|rest| rest.len() >= 3)?;
        Some(format!("{rest}{instead}"))
    });
    let stem = stem.unwrap_or_else(|| word.to_owned());
    // "change", "changed" and "changing" must meet.
    if stem.len() > 3 {
        stem.strip_suffix('e').map_or(stem.clone(), str::to_owned)
    } else {
        stem
    }
}

const STOPWORDS: [&str; 101] = [
    "a", "about", "after", "all", "also", "am", "an", "and", "any", "are", "as", "at", "be", "been",
    "before", "being", "but", "by", "can", "could", "did", "do", "does", "doing", "for", "from", "had",
    "has", "have", "he", "her", "here", "him", "his", "how", "i", "if", "in", "into", "is", "it", "its",
    "just", "me", "more", "most", "my", "no", "not", "of", "on", "one", "only", "or", "other", "our", "out",
    "over", "please", "say", "says", "shall", "she", "should", "so", "some", "such", "tell", "than", "that",
    "the", "their", "them", "then", "there", "these", "they", "this", "those", "to", "too", "up", "us",
    "was", "we", "were", "what", "whats", "when", "where", "which", "while", "who", "whom", "why", "will",
    "with", "would", "you", "your", "yours",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[&str]) {
        assert_eq!(terms(text).into_iter().collect::<Vec<_>>(), expected, "{text:?}");
    }

    #[test]
    fn common_words_and_endings_are_left_out() {
        check("How do I get refunds?", &["get", "refund"]);
        check("refunded, Refunding; REFUND", &["refund"]);
        check("change changes changed changing", &["chang"]);
        check("the customer's policies", &["customer", "policy"]);
        check("address 2024s ÉTÉ", &["2024s", "address", "été"]);
    }

    #[test]
    fn characters_without_blanks_between_words_come_in_pairs() {
        check("退款期限是 30 天", &["30", "天", "期限", "款期", "退款", "限是"]);
        check("東京tower", &["tower", "東京"]);
    }

    #[test]
    fn nothing_gives_nothing() {
        check("", &[]);
        check("?! … is it the", &[]);
    }
}
