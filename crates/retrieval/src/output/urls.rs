//! Which URLs stay. Browsers, renderers and this crate do not all read a URL alike (user names, backslashes, entities, other
//! scripts' dots), so a URL stays only if it is written in the one plain way that all of them read alike.

use tenantry_domain::AllowedHosts;

use super::look::{Look, Wait};

/// The longest host, with what stands around it, that is looked at: names have at most 253 bytes.
const AUTHORITY: usize = 300;
/// The longest URL in angle brackets, in bytes.
const URL: usize = 2048;
/// The longest name of a host that is shown for a link that was removed.
const SHOWN: usize = 100;

/// Whether `url` leads to an allowed host, in whatever way it is read.
pub(super) fn is_allowed(url: &str, allowed: &AllowedHosts) -> bool {
    let Some(rest) = strip_scheme(url, "https://").or_else(|| strip_scheme(url, "http://")) else {
        return false;
    };
    let (host, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    allowed.contains(host) && is_plain(path)
}

/// Whether nothing follows the host of `url`, which is allowed.
pub(super) fn is_host_alone(url: &str) -> bool {
    url.split_once("://")
        .is_some_and(|(_, rest)| !rest.contains(['/', '?', '#']))
}

/// The length of the autolink to an allowed host that `rest` begins with.
pub(super) fn look_at_autolink(rest: &str, ended: bool, allowed: &AllowedHosts) -> Look<usize> {
    let Some(inner) = rest
        .strip_prefix('<')
        .filter(|inner| inner.is_empty() || inner.starts_with(['h', 'H']))
    else {
        return Look::No;
    };
    let stops = |c: char| c == '>' || c == '<' || c.is_whitespace();
    let Some(end) = inner.find(stops) else {
        let wakes = |byte: u8| byte == b'>' || byte == b'<' || byte.is_ascii_whitespace();
        return Look::undecided(rest, ended, Wait::until(wakes, URL));
    };
    let (url, after) = inner.split_at(end);
    if after.starts_with('>') && end + 1 < URL && is_allowed(url, allowed) {
        Look::Is(end + 2)
    } else {
        Look::No
    }
}

/// Whether a renderer sees one word in it, without another URL, and no mark of Markdown but emphasis.
fn is_plain(path: &str) -> bool {
    let mut depth = 0_u32;
    for c in path.chars() {
        match c {
            '(' => depth += 1,
            ')' if depth == 0 => return false,
            ')' => depth -= 1,
            '-' | '.' | '_' | '~' | '!' | '$' | '*' | '+' | ',' | ';' | '=' | ':' | '@' | '%' | '/' | '?'
            | '#' | '&' => {}
            c if c.is_alphanumeric() => {}
            _ => return false,
        }
    }
    depth == 0 && !path.contains("//") && !path.to_ascii_lowercase().contains("www.")
}

/// How much of `rest`, which follows `//` or, with the `prefix`, `www.`, is the name of an allowed host.
pub(super) fn allowed_authority(
    prefix: &str,
    rest: &str,
    ended: bool,
    allowed: &AllowedHosts,
) -> Look<usize> {
    let is_end = |c: char| c.is_whitespace() || matches!(c, '/' | '?' | '#');
    // `]` and `(`: the text of a link ends, and what follows is written by this filter.
    let found = [rest.find(is_end), rest.find("](")].into_iter().flatten().min();
    let Some(end) = found.or(ended.then_some(rest.len())) else {
        let wakes = |byte: u8| !byte.is_ascii_alphanumeric() && byte != b'.' && byte != b'-';
        return Look::undecided(rest, ended, Wait::until(wakes, AUTHORITY));
    };
    let (name, after) = rest.split_at(end);
    // What ends a sentence, emphasis or a quotation is no part of a URL that ends there as well.
    let marks = |c: char| c.is_ascii_punctuation() && !matches!(c, '&' | '@' | '%' | '-' | '<' | '`');
    let name = if after.starts_with(['/', '?', '#']) {
        name
    } else {
        name.trim_end_matches(marks)
    };
    if end < AUTHORITY && allowed.contains(&format!("{prefix}{name}")) {
        Look::Is(name.len())
    } else {
        Look::No
    }
}

/// What can be told of where a link led, in a form that no renderer links: the name of the host, or an address of mail.
pub(super) fn shown(url: &str) -> Option<String> {
    if let Some(address) = strip_scheme(url, "mailto:") {
        return is_mail_address(address).then(|| address.to_owned());
    }
    let start = match url.find("://") {
        Some(at) => at + 3,
        None if url.starts_with("//") => 2,
        None => return None,
    };
    let rest = url.get(start..)?;
    let authority = rest.split(['/', '?', '#', '\\']).next()?;
    let host = authority.rsplit('@').next()?.split(':').next()?;
    let is_name = host.len() <= SHOWN
        && host.contains(char::is_alphanumeric)
        && host
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '-' | '.'));
    is_name.then(|| host.replace('.', "[.]"))
}

fn is_mail_address(text: &str) -> bool {
    let is_part = |part: &str| {
        (1..=64).contains(&part.len())
            && part
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"._+-".contains(&byte))
    };
    text.split_once('@')
        .is_some_and(|(local, host)| is_part(local) && is_part(host) && !host.contains(['_', '+']))
        && !text.to_ascii_lowercase().contains("www.")
}

fn strip_scheme<'u>(url: &'u str, scheme: &str) -> Option<&'u str> {
    let (start, rest) = url.split_at_checked(scheme.len())?;
    start.eq_ignore_ascii_case(scheme).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed() -> AllowedHosts {
        AllowedHosts::new(vec![
            "example.org".parse().unwrap(),
            "*.example.net".parse().unwrap(),
        ])
    }

    #[test]
    fn a_plain_url_of_an_allowed_host_stays() {
        for url in [
            "https://example.org",
            "HTTP://Example.ORG/a_b/(c)?d=e&f=%20#g",
            "https://a.b.example.net/ü",
            "https://example.org./x",
        ] {
            assert!(is_allowed(url, &allowed()), "{url}");
        }
    }

    #[test]
    fn a_url_that_could_be_read_otherwise_does_not() {
        for url in [
            "https://evil.com",
            "https://example.net",
            "//example.org",
            "example.org",
            "/example.org",
            "ftp://example.org",
            "javascript://example.org/%0aalert(1)",
            "data:text/html,https://example.org",
            "https:example.org",
            "https:/example.org",
            "https:///example.org",
            "https:\\\\example.org",
            "https://example.org\\@evil.com",
            "https://example.org@evil.com",
            "https://u:p@example.org",
            "https://example.org:443",
            "https://example.org:@evil.com",
            "https://example.org&#64;evil.com",
            "https://example.org&commat;evil.com",
            "https://example.org%40evil.com",
            "https://%65xample.org",
            "https://ｅxample.org",
            "https://example。org",
            "https://example.org。evil.com",
            "https://example.org.evil.com",
            "https://127.0.0.1",
            "https://[::1]",
            "https://example.org/a b",
            "https://example.org/\\",
            "https://example.org/<b>",
            "https://example.org/](https://evil.com",
            "https://example.org/)",
            "https://example.org//evil.com",
            "https://example.org/https://evil.com",
            "https://example.org/,www.evil.com",
            "https://example.org/`",
            "ht\ttps://example.org",
        ] {
            assert!(!is_allowed(url, &allowed()), "{url}");
        }
    }

    #[test]
    fn the_host_of_a_link_is_shown_so_that_nothing_links_it() {
        for (url, expected) in [
            ("https://docs.evil.com/a?b", Some("docs[.]evil[.]com")),
            ("https://example.org@evil.com:8080/", Some("evil[.]com")),
            ("//evil.com\\x", Some("evil[.]com")),
            ("mailto:help@example.org", Some("help@example.org")),
            ("mailto:<b>@example.org", None),
            ("https://evil.com&colon;x", None),
            ("https://[::1]/", None),
            ("javascript:alert(1)", None),
            ("data:text/html,x", None),
            ("/a/b", None),
            ("#a", None),
            ("", None),
        ] {
            assert_eq!(shown(url).as_deref(), expected, "{url}");
        }
    }
}
