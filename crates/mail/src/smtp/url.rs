use std::fmt;
use std::net::IpAddr;

use secrecy::SecretString;
use url::Url;

/// Where an SMTP server is, and who we are to it; `Debug` shows neither user nor password.
#[derive(Clone)]
pub struct SmtpUrl {
    host: String,
    port: u16,
    security: Security,
    credentials: Option<(String, SecretString)>,
}

/// How what is said to the server is kept from others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Security {
    /// TLS from the first byte.
    Tls,
    /// TLS before anything but greetings.
    StartTls,
    /// Nothing: the server is on this machine.
    None,
}

/// Why a text names no SMTP server. It never shows the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SmtpUrlError {
    /// It is no URL with a host.
    #[error("it is no url")]
    Malformed,
    /// Its scheme is neither `smtps` nor `smtp`.
    #[error("it is neither smtps nor smtp")]
    Scheme,
    /// A user without a password, or the other way round, or either cannot be read.
    #[error("it has a user without a password, or the other way round")]
    Credentials,
    /// It has a path, a query or a fragment.
    #[error("it has a path, a query or a fragment")]
    Excess,
}

impl SmtpUrl {
    /// Reads `smtps://user:password@host:port` or the same with `smtp`; user, password and port may be left out. Characters of
    /// the user and the password that mean something in a URL are percent-encoded (RFC 3986, section 2.1).
    ///
    /// # Errors
    /// When the text has another form.
    ///
    /// # Examples
    /// ```
    /// use tenantry_mail::SmtpUrl;
    ///
    /// assert!(SmtpUrl::parse("smtps://ada:p%40ss@mail.example.org").is_ok());
    /// assert!(SmtpUrl::parse("https://mail.example.org").is_err());
    /// ```
    pub fn parse(text: &str) -> Result<Self, SmtpUrlError> {
        let url = Url::parse(text).map_err(|_| SmtpUrlError::Malformed)?;
        let host = url.host_str().filter(|host| !host.is_empty());
        let host = host.ok_or(SmtpUrlError::Malformed)?.to_owned();
        let (security, usual) = match url.scheme() {
            "smtps" => (Security::Tls, 465),
            "smtp" if is_loopback(&host) => (Security::None, 25),
            "smtp" => (Security::StartTls, 587),
            _ => return Err(SmtpUrlError::Scheme),
        };
        if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
            return Err(SmtpUrlError::Excess);
        }
        Ok(Self {
            port: url.port().unwrap_or(usual),
            credentials: credentials(&url)?,
            host: host.trim_matches(['[', ']']).to_owned(),
            security,
        })
    }

    pub(super) fn host(&self) -> &str {
        &self.host
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    pub(super) fn security(&self) -> Security {
        self.security
    }

    pub(super) fn credentials(&self) -> Option<(&str, &SecretString)> {
        let (user, password) = self.credentials.as_ref()?;
        Some((user, password))
    }
}

/// Whether a host is this machine, by what is written alone: no name is looked up.
fn is_loopback(host: &str) -> bool {
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

fn credentials(url: &Url) -> Result<Option<(String, SecretString)>, SmtpUrlError> {
    match (url.username(), url.password()) {
        ("", None) => Ok(None),
        ("", Some(_)) | (_, None | Some("")) => Err(SmtpUrlError::Credentials),
        (user, Some(password)) => Ok(Some((decoded(user)?, decoded(password)?.into()))),
    }
}

/// What percent-encoded text stands for.
fn decoded(text: &str) -> Result<String, SmtpUrlError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut pieces = text.split('%');
    bytes.extend(pieces.next().unwrap_or_default().bytes());
    for piece in pieces {
        let (digits, rest) = piece.split_at_checked(2).ok_or(SmtpUrlError::Credentials)?;
        let byte = u8::from_str_radix(digits, 16).map_err(|_| SmtpUrlError::Credentials)?;
        bytes.push(byte);
        bytes.extend(rest.bytes());
    }
    let text = String::from_utf8(bytes).map_err(|_| SmtpUrlError::Credentials)?;
    // A line end would begin another command.
    if text.chars().any(char::is_control) {
        return Err(SmtpUrlError::Credentials);
    }
    Ok(text)
}

impl fmt::Debug for SmtpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SmtpUrl")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("security", &self.security)
            .field("has_credentials", &self.credentials.is_some())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn a_url_says_where_how_and_as_whom() {
        for (text, host, port, security) in [
            ("smtps://mail.example.org", "mail.example.org", 465, Security::Tls),
            (
                "smtp://mail.example.org",
                "mail.example.org",
                587,
                Security::StartTls,
            ),
            (
                "smtp://mail.example.org:25/",
                "mail.example.org",
                25,
                Security::StartTls,
            ),
            ("smtp://localhost:1025", "localhost", 1025, Security::None),
            ("smtp://127.0.0.1", "127.0.0.1", 25, Security::None),
            ("smtp://[::1]:1025", "::1", 1025, Security::None),
            ("smtps://localhost", "localhost", 465, Security::Tls),
            (
                "smtp://localhost.example.org",
                "localhost.example.org",
                587,
                Security::StartTls,
            ),
            ("smtp://10.0.0.1", "10.0.0.1", 587, Security::StartTls),
        ] {
            let url = SmtpUrl::parse(text).unwrap();
            assert_eq!(
                (url.host(), url.port(), url.security()),
                (host, port, security),
                "{text}"
            );
            assert!(url.credentials().is_none());
        }
        let url = SmtpUrl::parse("smtps://ada%40example.org:p%3Aw%25d@mail.example.org").unwrap();
        let (user, password) = url.credentials().unwrap();
        assert_eq!((user, password.expose_secret()), ("ada@example.org", "p:w%d"));
    }

    #[test]
    fn what_names_no_mail_server_is_refused() {
        for (text, error) in [
            ("mail.example.org", SmtpUrlError::Malformed),
            ("smtp:", SmtpUrlError::Malformed),
            ("smtp:///path", SmtpUrlError::Malformed),
            ("https://mail.example.org", SmtpUrlError::Scheme),
            ("smtp+insecure://mail.example.org", SmtpUrlError::Scheme),
            ("smtps://ada@mail.example.org", SmtpUrlError::Credentials),
            ("smtps://ada:@mail.example.org", SmtpUrlError::Credentials),
            ("smtps://:pw@mail.example.org", SmtpUrlError::Credentials),
            (
                "smtps://ada:p%0d%0aDATA@mail.example.org",
                SmtpUrlError::Credentials,
            ),
            ("smtps://ada:%ff@mail.example.org", SmtpUrlError::Credentials),
            ("smtps://mail.example.org/x", SmtpUrlError::Excess),
            ("smtp://mail.example.org?tls=none", SmtpUrlError::Excess),
            ("smtps://mail.example.org#x", SmtpUrlError::Excess),
        ] {
            assert_eq!(SmtpUrl::parse(text).unwrap_err(), error, "{text}");
        }
    }

    #[test]
    fn debug_shows_neither_user_nor_password() {
        let url = SmtpUrl::parse("smtps://ada:hunter2@mail.example.org").unwrap();
        let shown = format!("{url:?}");
        assert!(shown.contains("mail.example.org"), "{shown}");
        assert!(!shown.contains("ada") && !shown.contains("hunter2"), "{shown}");
    }
}
