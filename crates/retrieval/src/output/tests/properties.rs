use proptest::collection::vec;
use proptest::prelude::*;

use super::{oracle, sent, whole};

/// What texts that are made to slip through are made of.
const PARTS: &[&str] = &[
    "[",
    "]",
    "(",
    ")",
    "![",
    "](",
    "]:",
    "[a]",
    "[r]: ",
    "[^1]",
    "!",
    "<",
    ">",
    "\\",
    "`",
    "``",
    "```",
    "~~~",
    "~",
    "|",
    "$",
    "$$",
    "\\[",
    "\\)",
    "\n",
    "\n\n",
    "\r",
    "\n```\n",
    "\n```mermaid\n",
    "\n```{",
    "\n~~~\n",
    "\n  ```\n",
    "\n    ```\n",
    "\n> ",
    "\n- ",
    "\n1. ",
    "\n    ",
    "\n|-|-|\n",
    "\n# ",
    "\n: ",
    " ",
    "  ",
    "\t",
    "<img src=x>",
    "<!--",
    "-->",
    "<b",
    "</b>",
    "<?",
    "<![CDATA[",
    "http",
    "https",
    "://",
    ":",
    "//",
    "/",
    "www",
    ".",
    "evil.com",
    "example.org",
    "http://evil.com",
    "https://example.org",
    "https://example.org/a",
    "www.evil.com",
    "(http://evil.com)",
    "](http://evil.com)",
    "![a](http://evil.com)",
    "[a](https://example.org)",
    "(https://example.org)",
    "<https://example.org>",
    "<https://evil.com>",
    "javascript:x",
    "\"",
    "'",
    "@",
    "&",
    "#",
    ";",
    "&#104;",
    "&colon;",
    "&#x",
    "&lt;",
    "&amp;",
    "[1]",
    "[9]",
    "[0]",
    "[1, 9]",
    "[[1]]",
    "【9】",
    "【1†s】",
    "［1",
    "*",
    "_",
    "-",
    "x",
    "a",
    "é",
    "\u{200D}",
    "\u{200B}",
    "1",
    "mailto:a@b.c",
    "{",
    "=",
    "---",
    "[ ] ",
    "[x] ",
];

fn part() -> impl Strategy<Value = String> {
    let fixed = prop::sample::select(PARTS).prop_map(str::to_owned);
    prop_oneof![12 => fixed, 1 => "\\PC{1,3}", 1 => "[ -~]{1,4}"]
}

fn text() -> impl Strategy<Value = String> {
    vec(part(), 0..30).prop_map(|parts| parts.concat())
}

/// Texts in which it is hard to tell what is code.
fn code() -> impl Strategy<Value = String> {
    let parts = &[
        "`",
        "``",
        "```",
        "~~~",
        "```x",
        "<b>",
        "![a](http://evil.com)",
        "http://evil.com",
        "\n",
        "\n",
        "\n\n",
        "- ",
        "1. ",
        "> ",
        "* ",
        "+ ",
        " ",
        "  ",
        "   ",
        "    ",
        "\t",
        "a",
        "|",
        "$",
        "$$",
        "\\",
        "[",
        "]: ",
        "](",
        "#",
        "---",
        "[9]",
        "|-|",
        "[x] ",
        ":",
        "\\[",
        "\\]",
        "=",
    ];
    vec(prop::sample::select(parts.as_slice()), 0..25).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn however_a_text_is_cut_the_same_comes_out(text in prop_oneof![text(), code()], cuts in vec(any::<prop::sample::Index>(), 0..12)) {
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| text.floor_char_boundary(cut.index(text.len() + 1))).collect();
        cuts.sort_unstable();
        let ends = cuts.iter().copied().chain([text.len()]);
        let starts = [0].into_iter().chain(cuts.iter().copied());
        let (sent, end) = sent(starts.zip(ends).map(|(start, end)| &text[start..end]));
        prop_assert_eq!((sent.concat() + &end.rest, end.cited), whole(&text));
        prop_assert_eq!(super::letter_by_letter(&text), whole(&text));
    }

    #[test]
    fn no_browser_calls_another_host(text in prop_oneof![text(), code()]) {
        let (output, _) = whole(&text);
        prop_assert_eq!(oracle::faults(&output), Vec::<String>::new(), "{:?}", output);
    }

    #[test]
    fn an_output_is_its_own_output(text in prop_oneof![text(), code()]) {
        let (output, _) = whole(&text);
        prop_assert_eq!(&whole(&output).0, &output);
    }

    #[test]
    fn an_output_is_not_much_longer_than_its_text(text in text()) {
        prop_assert!(whole(&text).0.len() <= 8 * text.len());
    }

    #[test]
    fn every_cited_passage_exists_and_stands_in_the_output(text in text()) {
        let (output, cited) = whole(&text);
        for number in cited {
            let marker = format!("[{number}]");
            prop_assert!((1..=3).contains(&number) && output.contains(&marker));
        }
    }

    #[test]
    fn words_are_not_changed(text in "([a-zA-Z]{1,9}[,;]? ?){0,40}") {
        prop_assume!(!text.contains("www"));
        prop_assert_eq!(whole(&text).0, text);
    }
}
