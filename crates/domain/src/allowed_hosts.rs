use std::fmt;
use std::str::FromStr;

/// The hosts that an answer may link to or show images of; everything else in it is made harmless.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AllowedHosts(Vec<AllowedHost>);

/// One entry of [`AllowedHosts`]: `example.org` is that host alone, `*.example.org` every host below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowedHost {
    /// The name in lower case, without the `*.`.
    name: String,
    below: bool,
}

/// Text that is no host name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a host as `example.org`, or `*.example.org` for all below it")]
pub struct ParseAllowedHostError;

impl AllowedHosts {
    /// Those hosts.
    pub fn new(hosts: Vec<AllowedHost>) -> Self {
        Self(hosts)
    }

    /// Its entries.
    pub fn iter(&self) -> impl Iterator<Item = &AllowedHost> {
        self.0.iter()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether `host`, as it stands in a URL, is one of them. The case of letters and a final dot do not matter.
    pub fn contains(&self, host: &str) -> bool {
        let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
        self.0.iter().any(|allowed| allowed.is(&host))
    }
}

impl AllowedHost {
    fn is(&self, host: &str) -> bool {
        if self.below {
            host.strip_suffix(self.name.as_str())
                .is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
        } else {
            host == self.name
        }
    }
}

impl FromStr for AllowedHost {
    type Err = ParseAllowedHostError;

    /// Reads a host of at most 253 characters, with two labels or more of letters, digits and inner hyphens (RFC 1123, section
    /// 2.1); names of other scripts in their ASCII form, as `xn--`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (below, name) = match text.strip_prefix("*.") {
            Some(name) => (true, name),
            None => (false, text),
        };
        let is_label = |label: &str| {
            (1..=63).contains(&label.len())
                && label
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        let is_number = |label: &str| label.bytes().all(|byte| byte.is_ascii_digit());
        let named = name.len() <= 253
            && name.contains('.')
            && name.split('.').all(is_label)
            && !name.rsplit('.').next().is_some_and(is_number);
        if named {
            Ok(Self {
                name: name.to_ascii_lowercase(),
                below,
            })
        } else {
            Err(ParseAllowedHostError)
        }
    }
}

impl fmt::Display for AllowedHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.below {
            f.write_str("*.")?;
        }
        f.write_str(&self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(names: &[&str]) -> AllowedHosts {
        AllowedHosts::new(names.iter().map(|name| name.parse().unwrap()).collect())
    }

    #[test]
    fn a_host_is_allowed_however_its_case() {
        let allowed = hosts(&["Example.org"]);
        assert!(allowed.contains("example.ORG"));
        assert!(allowed.contains("example.org."));
        for other in [
            "www.example.org",
            "badexample.org",
            "example.org.evil.net",
            "org",
            "",
        ] {
            assert!(!allowed.contains(other), "{other}");
        }
    }

    #[test]
    fn a_star_allows_what_lies_below_alone() {
        let allowed = hosts(&["*.example.org"]);
        assert!(allowed.contains("a.example.org"));
        assert!(allowed.contains("a.b.example.org"));
        for other in [
            "example.org",
            ".example.org",
            "badexample.org",
            "example.org.evil.net",
        ] {
            assert!(!allowed.contains(other), "{other}");
        }
    }

    #[test]
    fn what_is_no_host_is_refused() {
        for text in [
            "",
            "*",
            "*.",
            "localhost",
            "https://example.org",
            "example.org/x",
            "example.org:443",
            "a..b",
            "-a.org",
            "a-.org",
            "127.0.0.1",
            "[::1]",
            "bücher.de",
            "a.*.org",
            "u@example.org",
        ] {
            assert_eq!(text.parse::<AllowedHost>(), Err(ParseAllowedHostError), "{text}");
        }
    }

    #[test]
    fn an_entry_reads_back() {
        for text in ["example.org", "*.example.org", "xn--bcher-kva.de"] {
            assert_eq!(text.parse::<AllowedHost>().unwrap().to_string(), text);
        }
    }
}
