//! What a renderer and a browser make of an output, by others' parsers: `pulldown-cmark` and `url`.

use pulldown_cmark::{CodeBlockKind, Event, LinkType, Options, Parser, Tag, TagEnd};
use url::Url;

/// What in `markdown` would make a browser call a host that is not allowed, or is HTML.
pub(super) fn faults(markdown: &str) -> Vec<String> {
    let common = Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_GFM;
    let dialects = [
        Options::empty(),
        common,
        common | Options::ENABLE_MATH | Options::ENABLE_DEFINITION_LIST,
        common
            | Options::ENABLE_WIKILINKS
            | Options::ENABLE_HEADING_ATTRIBUTES
            | Options::ENABLE_SMART_PUNCTUATION,
    ];
    let mut faults = Vec::new();
    for options in dialects {
        let (mut text, mut in_code) = (String::new(), false);
        for event in Parser::new_ext(markdown, options) {
            if let Event::Text(part) = &event {
                if !in_code {
                    text.push_str(part);
                }
                continue;
            }
            linked_by_itself(&text, &mut faults);
            text.clear();
            match event {
                Event::Start(Tag::CodeBlock(kind)) => {
                    in_code = true;
                    if let CodeBlockKind::Fenced(info) = kind
                        && (info.starts_with("mermaid") || info.contains('{'))
                    {
                        faults.push(format!("drawn: {info}"));
                    }
                }
                Event::End(TagEnd::CodeBlock) => in_code = false,
                Event::Html(html) | Event::InlineHtml(html) => faults.push(format!("HTML: {html}")),
                Event::Start(
                    Tag::Link {
                        link_type, dest_url, ..
                    }
                    | Tag::Image {
                        link_type, dest_url, ..
                    },
                ) => {
                    let local = matches!(link_type, LinkType::WikiLink { .. }) && is_local(&dest_url);
                    if !local && !is_allowed(&dest_url) {
                        faults.push(format!("link: {dest_url}"));
                    }
                }
                _ => {}
            }
        }
        linked_by_itself(&text, &mut faults);
    }
    faults
}

/// Finds what renderers link without a mark, in text as a reader sees it: GFM's extension, and those that look for
/// addresses once all else is done.
fn linked_by_itself(text: &str, faults: &mut Vec<String>) {
    let lower = text.to_ascii_lowercase();
    for (start, scheme) in [
        ("http://", ""),
        ("https://", ""),
        ("ftp://", ""),
        ("www.", "http://"),
    ] {
        for (at, _) in lower.match_indices(start) {
            let (address, name) = (&lower[at..], &lower[at + start.len()..]);
            let is_name = |c: char| c.is_alphanumeric() || "-_.".contains(c);
            let named = name.starts_with(is_name) && name.contains(char::is_alphanumeric);
            if !named {
                continue;
            }
            let word = address
                .split(|c: char| c.is_whitespace() || c == '<')
                .next()
                .unwrap();
            let host = start.len() + name.find(|c| !is_name(c)).unwrap_or(name.len());
            // What ends a sentence belongs to no address, in whatever form a renderer sets it.
            let marks = |c: char| !c.is_alphanumeric() && c != '/';
            for candidate in [
                word.trim_end_matches(marks),
                address[..host].trim_end_matches(marks),
            ] {
                let url = format!("{scheme}{candidate}");
                if Url::parse(&url).is_ok() && !is_allowed(&url) {
                    faults.push(format!("links itself: {url}"));
                }
            }
        }
    }
}

fn is_allowed(url: &str) -> bool {
    Url::parse(url).is_ok_and(|url| {
        let host = url.host_str().unwrap_or_default().trim_end_matches('.');
        let web = matches!(url.scheme(), "http" | "https");
        web && url.username().is_empty() && (host == "example.org" || host.ends_with(".example.net"))
    })
}

fn is_local(url: &str) -> bool {
    let page = Url::parse("https://page.test/").unwrap();
    page.join(url)
        .is_ok_and(|url| url.host_str() == Some("page.test"))
}

#[test]
fn what_a_browser_would_do_is_seen() {
    for bad in [
        "![a](http://evil.com)",
        "[a](http://evil.com)",
        "![a][b]\n\n[b]: http://evil.com",
        "[a](x)",
        "<http://evil.com>",
        "<b>",
        "a <!-- b -->",
        "see http://evil.com",
        "see http\\://evil.com",
        "see htt&#112;://evil.com",
        "www.evil.com",
        "https://example.org@evil.com",
        "http://evil[.]com",
        "> ```mermaid\n> x\n> ```",
    ] {
        assert_ne!(faults(bad), Vec::<String>::new(), "{bad}");
    }
    for good in [
        "[a](https://example.org)",
        "https://a.example.net/b",
        "`<b>`",
        "```\nhttp://evil.com\n```",
        "a www b",
        "http://",
    ] {
        assert_eq!(faults(good), Vec::<String>::new(), "{good}");
    }
}
