use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tenantry_domain::Email;
use tenantry_mail::{SmtpMailer, SmtpUrl};
use url::{Host, Origin, Url};

use super::answers::callable_origins;
use super::reader::{Reader, number};
use super::secrets::read_secret;
use super::variables::{
    MAIL_FROM, PUBLIC_URL, REFRESH_TOKEN_EXPIRE_DAYS, SMTP_URL, SMTP_URL_FILE, TENANT_OIDC_ORIGINS,
    TRUSTED_PROXIES,
};
use crate::proxies::TrustedProxies;

/// How people log in, and how they are reached.
#[derive(Debug)]
pub struct AccountSettings {
    /// How long a session goes on at most.
    pub session_lifetime: Duration,
    /// The proxies in front of the server.
    pub trusted_proxies: TrustedProxies,
    /// The address of the server as browsers know it, without a slash at its end.
    pub public_url: Option<String>,
    /// What sends mails.
    pub mailer: Option<Arc<SmtpMailer>>,
    /// The origins that tenants' identity providers may have although they are not public.
    pub identity_origins: Vec<Origin>,
}

pub(super) fn accounts(reader: &mut Reader<'_>) -> Option<AccountSettings> {
    let days: Option<u64> = reader.value(&REFRESH_TOKEN_EXPIRE_DAYS, number(1, 365));
    let trusted_proxies = reader.optional(&TRUSTED_PROXIES, str::parse::<TrustedProxies>);
    let public_url = reader.optional(&PUBLIC_URL, public_url);
    let mailer = mailer(reader, matches!(public_url, Some(None)));
    let identity_origins = reader.optional(&TENANT_OIDC_ORIGINS, callable_origins);
    Some(AccountSettings {
        session_lifetime: Duration::from_hours(24) * u32::try_from(days?).unwrap_or(1),
        trusted_proxies: trusted_proxies?.unwrap_or_default(),
        public_url: public_url?,
        mailer: mailer?,
        identity_origins: identity_origins?.unwrap_or_default(),
    })
}

/// What sends mails, if a mail server is named; `has_no_address` says that there is nothing that a mail could link to.
fn mailer(reader: &mut Reader<'_>, has_no_address: bool) -> Option<Option<Arc<SmtpMailer>>> {
    let url = smtp_url(reader);
    let from = reader.optional(&MAIL_FROM, |text| {
        Email::parse(text).map_err(|_| "is no e-mail address")
    });
    let Some(url) = url? else {
        return from.map(|_| None);
    };
    if has_no_address {
        reader.problems.add(&PUBLIC_URL, "is not set");
    }
    let Some(from) = from? else {
        reader.problems.add(&MAIL_FROM, "is not set");
        return None;
    };
    let mailer = SmtpMailer::new(url, &from).map_err(|_| "is no address that mails can be from");
    reader.problems.keep(&MAIL_FROM, mailer.map(Arc::new)).map(Some)
}

fn smtp_url(reader: &mut Reader<'_>) -> Option<Option<SmtpUrl>> {
    let parse = |text: &str| SmtpUrl::parse(text).map_err(|error| format!("cannot be used ({error})"));
    let direct = reader.optional(&SMTP_URL, parse);
    let file = reader.optional(&SMTP_URL_FILE, |path| Ok::<_, String>(path.to_owned()))?;
    match (direct?, file) {
        (Some(_), Some(_)) => {
            reader
                .problems
                .add(&SMTP_URL_FILE, "is set, and so is `SMTP_URL`");
            None
        }
        (direct, None) => Some(direct),
        (None, Some(path)) => {
            let url =
                read_secret(&path).map_err(|error| format!("names a file that cannot be read: {error}"));
            let url = url.and_then(|text| parse(&text));
            reader.problems.keep(&SMTP_URL_FILE, url).map(Some)
        }
    }
}

/// An address that browsers can be sent to without anybody on the way reading along.
fn public_url(text: &str) -> Result<String, &'static str> {
    let url = super::models::operator_url(text)?;
    let is_here = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => IpAddr::V4(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::V6(address).is_loopback(),
        None => false,
    };
    if url.scheme() == "https" || is_here {
        Ok(Url::as_str(&url).trim_end_matches('/').to_owned())
    } else {
        Err("is not https")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_lead_to_https_or_to_this_machine() {
        for (text, url) in [
            ("https://rag.example.org", "https://rag.example.org"),
            ("https://example.org/rag/", "https://example.org/rag"),
            ("http://localhost:8000/", "http://localhost:8000"),
            ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
            ("http://[::1]:8000", "http://[::1]:8000"),
        ] {
            assert_eq!(public_url(text).as_deref(), Ok(url), "{text}");
        }
        for text in [
            "http://rag.example.org",
            "http://localhost.example.org",
            "rag.example.org",
            "ftp://localhost",
            "https://ada:pw@rag.example.org",
            "https://rag.example.org/?x",
            "https://rag.example.org/#x",
        ] {
            assert!(public_url(text).is_err(), "{text}");
        }
    }
}
