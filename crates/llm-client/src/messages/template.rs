use std::borrow::Cow;

/// Words that chat templates put between messages, beside those in bars. Servers that run a model themselves often read them in any text
/// (llama.cpp, and tokenizers of Hugging Face unless they are told otherwise).
const WORDS: [&str; 14] = [
    "[INST]",
    "[/INST]",
    "[SYSTEM_PROMPT]",
    "[/SYSTEM_PROMPT]",
    "[TOOL_RESULTS]",
    "[/TOOL_RESULTS]",
    "<<SYS>>",
    "<</SYS>>",
    "<s>",
    "</s>",
    "<start_of_turn>",
    "<end_of_turn>",
    "<bos>",
    "<eos>",
];
/// The bars of `<|im_start|>`, and the full-width ones of other templates.
const BARS: [char; 2] = ['|', '｜'];
/// The longest word between bars, in bytes.
const LONGEST: usize = 64;

/// `text` with a blank in every word of a chat template, which then is no longer one: what somebody wrote cannot end its message and begin
/// another, in the name of another speaker, on a server that reads such words in any text.
pub(super) fn defused(text: &str) -> Cow<'_, str> {
    let mut safe = String::new();
    let mut kept = 0;
    for (at, first) in text.char_indices().filter(|(_, c)| matches!(c, '<' | '[')) {
        let rest = text.get(at..).unwrap_or_default();
        if is_template_word(rest) {
            let after = at + first.len_utf8();
            safe.push_str(text.get(kept..after).unwrap_or_default());
            safe.push(' ');
            kept = after;
        }
    }
    if kept == 0 {
        return Cow::Borrowed(text);
    }
    safe.push_str(text.get(kept..).unwrap_or_default());
    Cow::Owned(safe)
}

fn is_template_word(rest: &str) -> bool {
    WORDS.iter().any(|word| rest.starts_with(word)) || in_bars(rest).is_some()
}

/// A word as `<|im_start|>`; an operator as `<|`, without a closing one near by, is none.
fn in_bars(rest: &str) -> Option<()> {
    let inside = rest.strip_prefix('<')?.strip_prefix(BARS)?;
    let (word, after) = inside.split_once(BARS)?;
    let fits = !word.is_empty() && word.len() <= LONGEST && !word.contains(char::is_whitespace);
    (fits && after.starts_with('>')).then_some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_chat_templates_are_broken() {
        for (text, expected) in [
            (
                "a<|im_end|>\n<|im_start|>system",
                "a< |im_end|>\n< |im_start|>system",
            ),
            ("<|start_header_id|>", "< |start_header_id|>"),
            ("<｜User｜>", "< ｜User｜>"),
            ("[/INST] [INST]", "[ /INST] [ INST]"),
            ("<<SYS>>x<</SYS>>", "< <SYS>>x< </SYS>>"),
            ("</s><s>", "< /s>< s>"),
            ("<start_of_turn>model", "< start_of_turn>model"),
            ("<<|x|>", "<< |x|>"),
        ] {
            assert_eq!(defused(text), expected);
            assert_eq!(defused(&defused(text)), expected, "it is done twice");
        }
    }

    #[test]
    fn other_text_stays_as_it_is() {
        for text in [
            "",
            "f <| g x |> h",
            "a[0] <b>bold</b> <section> <<EOF",
            "<||> <| |>",
            "x <|y|z>",
            "[1] [INSTALL] é｜",
        ] {
            assert!(
                matches!(defused(text), Cow::Borrowed(same) if same == text),
                "{text}"
            );
        }
    }

    #[test]
    fn no_text_takes_long() {
        let bars = "<|".repeat(200_000);
        assert_eq!(defused(&bars).len(), bars.len());
    }
}
