use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use tenantry_domain::Cancellation;

use crate::sentences::sentences;
use crate::terms::terms;
use crate::{
    Completer, Completion, FinishReason, Grounding, LlmError, Passage, Prompt, Usage, completer, deliver,
};

/// Answers without any model: quotes the sentences of the passages that share most with the question, each with its
/// `[number]`, or says that none does. Of a prompt it reads the passages and the question alone, it cannot rewrite, and it takes no tokens.
///
/// # Examples
/// ```
/// use tenantry_llm_client::{Completer, ExtractiveCompleter, Passage, Prompt};
///
/// let answer = ExtractiveCompleter.complete(&Prompt {
///     passages: vec![Passage {
///         number: 1,
///         title: "Returns".into(),
///         text: "We ship on weekdays. Refunds are paid within 30 days.".into(),
///     }],
///     question: "When is a refund paid?".into(),
///     ..Prompt::default()
/// })?;
/// assert_eq!(answer.text, "The documents say: “Refunds are paid within 30 days.” [1]");
/// assert_eq!(answer.model, "extractive");
/// # Ok::<(), tenantry_llm_client::LlmError>(())
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct ExtractiveCompleter;

/// Quotes in one answer, each from another passage.
const MAX_QUOTES: usize = 3;
/// Characters of one quote, after which it is cut at a word.
const MAX_QUOTE_CHARS: usize = 400;
/// The share of the question, by weight, that a sentence must speak of where it shares one term alone.
const MIN_SHARE: f64 = 0.25;
/// A further quote must be worth that much of the best one.
const MIN_OF_BEST: f64 = 0.5;
/// What a term is worth that stands in the sentence's heading or title alone.
const CONTEXT_WORTH: f64 = 0.5;

impl ExtractiveCompleter {
    const MODEL: &'static str = "extractive";

    fn pieces(prompt: &Prompt) -> Result<Vec<String>, LlmError> {
        completer::refuse_rewriting(&Self, prompt)?;
        if prompt.passages.is_empty() || prompt.grounding == Grounding::Off {
            return Ok(vec!["No document was found for this question.".to_owned()]);
        }
        let quotes = best_quotes(&terms(&prompt.question), &prompt.passages);
        Ok(match quotes.as_slice() {
            [] => vec!["None of the documents that were found answers this question.".to_owned()],
            [only] => vec!["The documents say: ".to_owned(), only.to_string()],
            several => {
                let mut pieces = vec!["The documents say:".to_owned()];
                pieces.extend(several.iter().map(|quote| format!("\n\n{quote}")));
                pieces
            }
        })
    }

    fn completion(text: String) -> Completion {
        Completion {
            text,
            model: Self::MODEL.to_owned(),
            asked: Self::MODEL.to_owned(),
            finish: FinishReason::Stop,
            usage: Some(Usage::default()),
        }
    }
}

impl Completer for ExtractiveCompleter {
    fn model(&self) -> &str {
        Self::MODEL
    }

    fn can_rewrite(&self) -> bool {
        false
    }

    fn complete(&self, prompt: &Prompt) -> Result<Completion, LlmError> {
        Ok(Self::completion(Self::pieces(prompt)?.concat()))
    }

    fn stream(
        &self,
        prompt: &Prompt,
        cancellation: &Cancellation,
        on_delta: &mut dyn FnMut(&str) -> ControlFlow<()>,
    ) -> Result<Completion, LlmError> {
        let pieces = Self::pieces(prompt)?;
        deliver(pieces.iter().map(String::as_str), cancellation, on_delta)?;
        Ok(Self::completion(pieces.concat()))
    }
}

/// A sentence that may be quoted.
struct Quote {
    passage: usize,
    number: usize,
    text: String,
    own: BTreeSet<String>,
    context: BTreeSet<String>,
    worth: f64,
}

impl std::fmt::Display for Quote {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "“{}” [{}]", self.text, self.number)
    }
}

fn best_quotes(question: &BTreeSet<String>, passages: &[Passage]) -> Vec<Quote> {
    let mut quotes = candidates(question, passages);
    let weights = weights(question, &quotes);
    let whole: f64 = weights.values().sum();
    let weight = |term: &String| weights.get(term).copied().unwrap_or_default();
    quotes.retain_mut(|quote| {
        let context = quote.context.difference(&quote.own).map(weight).sum::<f64>() * CONTEXT_WORTH;
        quote.worth = quote.own.iter().map(weight).sum::<f64>() + context;
        quote.own.len() >= 2 || (quote.worth > 0.0 && quote.worth >= whole * MIN_SHARE)
    });
    // Stable, so that of equals the one from the better passage comes first.
    quotes.sort_by(|a, b| b.worth.total_cmp(&a.worth));
    let enough = quotes.first().map_or(0.0, |best| best.worth * MIN_OF_BEST);
    let mut chosen: Vec<Quote> = Vec::new();
    for quote in quotes {
        let known = |other: &Quote| other.passage == quote.passage || other.text == quote.text;
        if quote.worth >= enough && chosen.len() < MAX_QUOTES && !chosen.iter().any(known) {
            chosen.push(quote);
        }
    }
    chosen
}

fn candidates(question: &BTreeSet<String>, passages: &[Passage]) -> Vec<Quote> {
    let mut quotes = Vec::new();
    for (at, passage) in passages.iter().enumerate() {
        let title = terms(&passage.title);
        for sentence in sentences(&passage.text) {
            let own = &terms(sentence.text) & question;
            let context = &(&title | &terms(sentence.heading)) & question;
            quotes.push(Quote {
                passage: at,
                number: passage.number,
                text: quotable(sentence.text),
                own,
                context,
                worth: 0.0,
            });
        }
    }
    quotes
}

/// What each term of the question is worth: the fewer sentences have it, the more.
fn weights(question: &BTreeSet<String>, quotes: &[Quote]) -> BTreeMap<String, f64> {
    let count = |matching: usize| f64::from(u32::try_from(matching).unwrap_or(u32::MAX));
    let all = count(quotes.len());
    let weigh = |term: &String| {
        let having = count(quotes.iter().filter(|quote| quote.own.contains(term)).count());
        (term.clone(), (1.0 + all / (having + 0.5)).ln())
    };
    question.iter().map(weigh).collect()
}

/// The sentence on one line, at most as long as a quote may be. Reference marks of the document itself, as `[4]`, are
/// left out: they would read as citations.
fn quotable(sentence: &str) -> String {
    let line = without_marks(sentence)
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    let Some((end, _)) = line.char_indices().nth(MAX_QUOTE_CHARS) else {
        return line;
    };
    let cut = line.get(..end).unwrap_or_default();
    let cut = cut.rsplit_once(' ').map_or(cut, |(words, _)| words);
    format!("{cut} …")
}

fn without_marks(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('[') {
        kept.push_str(before);
        let inside = after.split_once(']').filter(|(inside, _)| {
            !inside.is_empty() && inside.bytes().all(|b| b.is_ascii_digit() || b", ".contains(&b))
        });
        if let Some((_, after)) = inside {
            kept.truncate(kept.trim_end().len());
            rest = after;
        } else {
            kept.push('[');
            rest = after;
        }
    }
    kept.push_str(rest);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(question: &str, texts: &[&str]) -> String {
        let passages = texts.iter().zip(1..).map(|(text, number)| Passage {
            number,
            title: "Handbook".into(),
            text: (*text).into(),
        });
        let prompt = Prompt {
            passages: passages.collect(),
            question: question.into(),
            ..Prompt::default()
        };
        ExtractiveCompleter.complete(&prompt).unwrap().text
    }

    #[test]
    fn the_sentence_that_shares_most_with_the_question_is_quoted() {
        let text = "We open at nine. Refunds are paid within 30 days of the return. Shipping is free.";
        assert_eq!(
            answer("How many days does a refund take?", &[text]),
            "The documents say: “Refunds are paid within 30 days of the return.” [1]"
        );
    }

    #[test]
    fn quotes_come_from_different_passages_and_keep_their_numbers() {
        let text = answer(
            "When are refunds paid?",
            &[
                "Refunds are paid on Friday. Refunds are paid in euros.",
                "Nothing to see here.",
                "A refund paid by card takes a day.",
            ],
        );
        assert_eq!(
            text,
            "The documents say:\n\n“Refunds are paid on Friday.” [1]\n\n“A refund paid by card takes a day.” [3]"
        );
    }

    #[test]
    fn a_sentence_that_overlapping_passages_share_is_quoted_once() {
        let shared = "Refunds are paid within 30 days.";
        assert_eq!(
            answer("refunds paid?", &[shared, &format!("{shared} Or later.")]),
            format!("The documents say: “{shared}” [1]")
        );
    }

    #[test]
    fn what_no_passage_speaks_of_is_said_plainly() {
        let none = "None of the documents that were found answers this question.";
        assert_eq!(
            answer("Who won the football world cup?", &["Refunds take 30 days."]),
            none
        );
        assert_eq!(answer("What is it?", &["Refunds take 30 days."]), none);
        assert_eq!(answer("Refunds?", &[""]), none);
        assert_eq!(
            answer("Refunds?", &[]),
            "No document was found for this question."
        );
    }

    #[test]
    fn nothing_is_quoted_where_nothing_was_to_be_searched() {
        let prompt = Prompt {
            grounding: Grounding::Off,
            passages: vec![Passage {
                number: 1,
                title: "Handbook".into(),
                text: "Refunds take 30 days.".into(),
            }],
            question: "Refunds?".into(),
            ..Prompt::default()
        };
        let completion = ExtractiveCompleter.complete(&prompt).unwrap();
        assert_eq!(completion.text, "No document was found for this question.");
        assert_eq!(completion.usage, Some(Usage::default()));
    }

    #[test]
    fn a_heading_lends_its_words_to_what_stands_below_it() {
        let text = "# Refunds\n\nThirty days, no questions asked.\n\n# Shipping\n\nTwo working days.";
        assert_eq!(
            answer("What about refunds?", &[text]),
            "The documents say: “Thirty days, no questions asked.” [1]"
        );
    }

    #[test]
    fn other_languages_are_quoted_too() {
        assert_eq!(
            answer(
                "退款期限是多久？",
                &["我们九点开门。退款期限是三十天。运费全免。"]
            ),
            "The documents say: “退款期限是三十天。” [1]"
        );
        assert_eq!(
            answer(
                "Срок возврата?",
                &["Мы открыты с девяти. Срок возврата тридцать дней."]
            ),
            "The documents say: “Срок возврата тридцать дней.” [1]"
        );
    }

    #[test]
    fn marks_of_the_document_do_not_become_citations() {
        assert_eq!(
            answer(
                "Who makes refunds?",
                &["Refunds [2] are made\nby the shop alone [sic] [12, 13]."]
            ),
            "The documents say: “Refunds are made by the shop alone [sic].” [1]"
        );
    }

    #[test]
    fn a_quote_has_an_end() {
        let text = answer(
            "refund?",
            &[&format!("A refund {}", "goes on and on ".repeat(100))],
        );
        assert!(text.chars().count() < MAX_QUOTE_CHARS + 40);
        assert!(text.ends_with(" …” [1]"), "{text}");
    }
}
