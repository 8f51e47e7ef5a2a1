use std::net::IpAddr;

use secrecy::ExposeSecret;
use url::{Host, Url};

use crate::{Header, HttpError, RejectedUrl, Request, Trust, address};

impl Trust {
    /// Says whether a URL of this trust may be called, as far as its text tells; what its host resolves to is checked
    /// when the connection is made.
    ///
    /// # Errors
    /// When the URL is not `http` or `https` with a host, carries credentials, or, under [`Trust::Public`], is not
    /// `https`, lies outside the domain, or names an address that is not public.
    pub fn permits(&self, url: &Url) -> Result<(), RejectedUrl> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(RejectedUrl::Scheme);
        }
        let host = url.host().ok_or(RejectedUrl::Scheme)?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(RejectedUrl::Credentials);
        }
        match self {
            Self::Operator => Ok(()),
            Self::Public { domain } => {
                if url.scheme() != "https" {
                    return Err(RejectedUrl::NotHttps);
                }
                match domain {
                    Some(domain) if !lies_below(&host, domain) => Err(RejectedUrl::ForeignHost),
                    _ => public_if_address(&host),
                }
            }
        }
    }
}

/// A name with the final dot of a fully qualified one is the same name; the parser of the URL has lowered its case.
fn lies_below(host: &Host<&str>, domain: &str) -> bool {
    let Host::Domain(name) = host else { return false };
    let name = name.strip_suffix('.').unwrap_or(name);
    let domain = domain.to_ascii_lowercase();
    name.strip_suffix(domain.as_str())
        .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

fn public_if_address(host: &Host<&str>) -> Result<(), RejectedUrl> {
    let address = match *host {
        Host::Domain(_) => return Ok(()),
        Host::Ipv4(v4) => IpAddr::V4(v4),
        Host::Ipv6(v6) => IpAddr::V6(v6),
    };
    if address::is_public(address) {
        Ok(())
    } else {
        Err(RejectedUrl::NotPublic)
    }
}

/// What every transport checks right before it sends.
pub(crate) fn check(request: &Request) -> Result<(), HttpError> {
    request.trust.permits(&request.url)?;
    match request
        .headers
        .iter()
        .find(|(name, value)| !can_be_sent(name, value))
    {
        Some((name, _)) => Err(HttpError::Header(name)),
        None => Ok(()),
    }
}

/// Visible ASCII with single blanks and tabs inside (RFC 9110, section 5.5); a key with a stray blank around it or
/// anything that could end the line is refused. No copy of a secret is made for it.
fn can_be_sent(name: &str, value: &Header) -> bool {
    let name_fits = !name.is_empty()
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_".contains(&b));
    let (prefix, value) = match value {
        Header::Plain(value) => ("", value.as_str()),
        Header::Secret { prefix, value } => (*prefix, value.expose_secret()),
    };
    let inside = |text: &str| text.bytes().all(|b| b == b'\t' || (b' '..=b'~').contains(&b));
    let mut ends = prefix.chars().chain(value.chars());
    let (first, last) = (ends.next(), ends.next_back());
    let blank = |end: Option<char>| end.is_some_and(char::is_whitespace);
    name_fits && inside(prefix) && inside(value) && !blank(first) && !blank(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(trust: &Trust, url: &str) -> Result<(), RejectedUrl> {
        trust.permits(&Url::parse(url).unwrap())
    }

    fn below_pinecone() -> Trust {
        Trust::Public {
            domain: Some("pinecone.io".into()),
        }
    }

    #[test]
    fn a_host_below_the_domain_is_permitted_however_it_is_spelled() {
        for url in [
            "https://pinecone.io/",
            "https://api.pinecone.io/indexes",
            "https://API.Pinecone.IO/",
            "https://a.b.pinecone.io./",
            "https://a.pinecone.io:8443/",
            "https://%61.pinecone.io/",
        ] {
            assert_eq!(judge(&below_pinecone(), url), Ok(()), "{url}");
        }
    }

    #[test]
    fn a_host_that_only_looks_as_if_below_the_domain_is_refused() {
        for url in [
            "https://evilpinecone.io/",
            "https://pinecone.io.evil.com/",
            "https://pinecone.io.evil.com./",
            "https://evil.com/pinecone.io",
            "https://evil.com/?x=.pinecone.io",
            "https://evil.com/#.pinecone.io",
            "https://evil.com\\.pinecone.io/",
            "https://pinecone.io../",
            "https://8.8.8.8/",
        ] {
            assert_eq!(
                judge(&below_pinecone(), url),
                Err(RejectedUrl::ForeignHost),
                "{url}"
            );
        }
    }

    #[test]
    fn credentials_in_a_url_are_refused_under_any_trust() {
        for trust in [Trust::Operator, below_pinecone()] {
            for url in [
                "https://u@a.pinecone.io/",
                "https://u:p@a.pinecone.io/",
                "https://:p@a.pinecone.io/",
            ] {
                assert_eq!(judge(&trust, url), Err(RejectedUrl::Credentials), "{url}");
            }
        }
    }

    #[test]
    fn only_the_operator_may_name_http_and_private_addresses() {
        let anywhere = Trust::Public { domain: None };
        assert_eq!(judge(&Trust::Operator, "http://10.0.0.1:8080/v1"), Ok(()));
        assert_eq!(
            judge(&anywhere, "http://example.org/"),
            Err(RejectedUrl::NotHttps)
        );
        assert_eq!(judge(&anywhere, "https://1.1.1.1/"), Ok(()));
        for url in [
            "https://10.0.0.1/",
            "https://0x7f000001/",
            "https://2130706433/",
            "https://127.1/",
            "https://0177.0.0.1/",
            "https://[::1]/",
            "https://[::ffff:169.254.169.254]/",
        ] {
            assert_eq!(judge(&anywhere, url), Err(RejectedUrl::NotPublic), "{url}");
        }
    }

    #[test]
    fn other_schemes_are_refused() {
        for url in [
            "ftp://a.pinecone.io/",
            "file:///etc/passwd",
            "data:text/plain,x",
            "unix:/run/x",
        ] {
            assert_eq!(judge(&Trust::Operator, url), Err(RejectedUrl::Scheme), "{url}");
        }
    }
}
