use tenantry_http_client::Trust;
use url::Url;

/// Where Pinecone is and which version of its API is spoken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PineconeOptions {
    pub(super) control_url: Url,
    pub(super) api_version: String,
    pub(super) trust: Trust,
}

/// A setting that Pinecone cannot be reached by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidPineconeOption {
    /// The control plane's URL is none that can be called.
    #[error("the control plane's url is not http or https with a host")]
    ControlUrl,
    /// The version has another form.
    #[error("an api version is a year and a month, as 2026-04")]
    ApiVersion,
}

impl PineconeOptions {
    /// The control plane unless the operator names another.
    pub const CONTROL_URL: &str = "https://api.pinecone.io";
    /// The API version unless the operator names another. A version lives for at least a year; later ones may describe
    /// indexes in another form, of which 2026-07's is understood as well.
    pub const API_VERSION: &str = "2026-04";

    /// The control plane at `control_url`, `https://api.pinecone.io` unless one is given, and the API's version,
    /// `2026-04` unless one is given.
    ///
    /// Without a control URL of the operator's own, only `https` hosts at or below `pinecone.io` get a tenant's key. With
    /// one, the hosts that it names are taken as they come, `http` and private addresses included.
    ///
    /// # Errors
    /// When the URL is not `http` or `https` with a host, or the version is not of the form `2026-04`.
    ///
    /// # Examples
    /// ```
    /// use tenantry_vector_client::PineconeOptions;
    ///
    /// assert!(PineconeOptions::new(None, None).is_ok());
    /// assert!(PineconeOptions::new(Some("http://127.0.0.1:5080"), Some("2026-07")).is_ok());
    /// assert!(PineconeOptions::new(Some("localhost:5080"), None).is_err());
    /// ```
    pub fn new(control_url: Option<&str>, api_version: Option<&str>) -> Result<Self, InvalidPineconeOption> {
        let trust = match control_url {
            Some(_) => Trust::Operator,
            None => Trust::Public {
                domain: Some("pinecone.io".to_owned()),
            },
        };
        let control_url =
            base_url(control_url.unwrap_or(Self::CONTROL_URL)).ok_or(InvalidPineconeOption::ControlUrl)?;
        let api_version = api_version.unwrap_or(Self::API_VERSION);
        let digits =
            |part: &str, length: usize| part.len() == length && part.bytes().all(|b| b.is_ascii_digit());
        match api_version.split_once('-') {
            Some((year, month)) if digits(year, 4) && digits(month, 2) => Ok(Self {
                control_url,
                api_version: api_version.to_owned(),
                trust,
            }),
            _ => Err(InvalidPineconeOption::ApiVersion),
        }
    }
}

/// A URL that paths can be added to; `https` where `text` is a host alone, as Pinecone writes them.
pub(super) fn host_url(text: &str) -> Option<Url> {
    if text.contains("://") {
        base_url(text)
    } else {
        base_url(&format!("https://{text}"))
    }
}

fn base_url(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    let callable = matches!(url.scheme(), "http" | "https") && url.has_host();
    (callable && url.query().is_none() && url.fragment().is_none()).then_some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_option_that_cannot_work_is_refused() {
        for url in [
            "",
            "api.pinecone.io",
            "ftp://api.pinecone.io",
            "https://",
            "http://a/?key=1",
            "mailto:a@b.c",
        ] {
            let refused = PineconeOptions::new(Some(url), None);
            assert_eq!(refused, Err(InvalidPineconeOption::ControlUrl), "{url}");
        }
        for version in ["", "latest", "2026-4", "2026-04-01", "2026-04\r\nx: y"] {
            let refused = PineconeOptions::new(None, Some(version));
            assert_eq!(refused, Err(InvalidPineconeOption::ApiVersion), "{version:?}");
        }
    }

    #[test]
    fn a_host_gets_https_unless_it_says_otherwise() {
        let url = |text| host_url(text).map(|url| url.to_string());
        assert_eq!(
            url("docs-1.svc.x.pinecone.io").as_deref(),
            Some("https://docs-1.svc.x.pinecone.io/")
        );
        assert_eq!(
            url("http://127.0.0.1:5081/base/").as_deref(),
            Some("http://127.0.0.1:5081/base/")
        );
        assert_eq!(url("a b"), None);
        assert_eq!(url(""), None);
    }
}
