mod url;

use std::fmt;
use std::time::Duration;

use lettre::message::header::{ContentType, Header, HeaderName, HeaderValue};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{Address, Message, SmtpTransport, Transport};
use secrecy::ExposeSecret;
use tenantry_domain::Email;

use self::url::Security;
pub use self::url::{SmtpUrl, SmtpUrlError};
use crate::mailer::check;
use crate::{Mail, MailError, Mailer};

/// How long each step with the server may take: to connect, to send, to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// An address that no mail can be sent from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no mail can be sent from that address")]
pub struct UnusableSender;

/// Hands each mail to one SMTP server, on a connection of its own.
///
/// To anything but this machine the connection is TLS, or becomes TLS before a credential or a mail is sent.
pub struct SmtpMailer {
    url: SmtpUrl,
    from: Address,
    security: Security,
    timeout: Duration,
    #[cfg(test)]
    root: Option<lettre::transport::smtp::client::Certificate>,
}

impl SmtpMailer {
    /// A mailer that hands mails from `from` to the server at `url`. It connects when it sends.
    ///
    /// # Errors
    /// When nothing can be sent from that address.
    pub fn new(url: SmtpUrl, from: &Email) -> Result<Self, UnusableSender> {
        Ok(Self {
            from: from.as_str().parse().map_err(|_| UnusableSender)?,
            security: url.security(),
            url,
            timeout: PATIENCE,
            #[cfg(test)]
            root: None,
        })
    }

    /// Connects, turns to TLS and says who we are, as for a mail, and sends none.
    ///
    /// # Errors
    /// As [`Mailer::send`].
    pub fn check(&self) -> Result<(), MailError> {
        let connected = self.transport().map_err(refused)?.test_connection();
        if connected.map_err(failed)? {
            Ok(())
        } else {
            Err(MailError::Unavailable(
                "the server did not answer as one of mails".into(),
            ))
        }
    }

    fn transport(&self) -> Result<SmtpTransport, lettre::transport::smtp::Error> {
        let tls = match self.security {
            Security::Tls => Tls::Wrapper(self.parameters()?),
            Security::StartTls => Tls::Required(self.parameters()?),
            Security::None => Tls::None,
        };
        let builder = SmtpTransport::builder_dangerous(self.url.host())
            .port(self.url.port())
            .hello_name(ClientId::Domain(self.from.domain().to_owned()))
            .timeout(Some(self.timeout))
            .tls(tls);
        Ok(match self.url.credentials() {
            Some((user, password)) => {
                let password = password.expose_secret().to_owned();
                builder.credentials(Credentials::new(user.to_owned(), password))
            }
            None => builder,
        }
        .build())
    }

    fn parameters(&self) -> Result<TlsParameters, lettre::transport::smtp::Error> {
        let parameters = TlsParameters::builder(self.url.host().to_owned());
        #[cfg(test)]
        let parameters = match &self.root {
            Some(root) => parameters.add_root_certificate(root.clone()),
            None => parameters,
        };
        parameters.build_rustls()
    }

    fn message(&self, mail: &Mail) -> Result<Message, MailError> {
        let to: Address = mail.to.as_str().parse().map_err(refused)?;
        let mut random = [0; 16];
        getrandom::fill(&mut random).map_err(|error| MailError::Unavailable(error.into()))?;
        let id = format!("<{:032x}@{}>", u128::from_be_bytes(random), self.from.domain());
        Message::builder()
            .from(self.from.clone().into())
            .to(to.into())
            .subject(mail.subject.clone())
            .message_id(Some(id))
            .header(AutoSubmitted)
            .header(ContentType::TEXT_PLAIN)
            .body(mail.text.expose_secret().to_owned())
            .map_err(refused)
    }
}

fn refused(error: impl std::error::Error + Send + Sync + 'static) -> MailError {
    MailError::Refused(error.into())
}

impl Mailer for SmtpMailer {
    fn send(&self, mail: &Mail) -> Result<(), MailError> {
        check(mail)?;
        let message = self.message(mail)?;
        let transport = self.transport().map_err(refused)?;
        let sent = transport.send(&message);
        sent.map(|_| ()).map_err(failed)
    }
}

fn failed(error: lettre::transport::smtp::Error) -> MailError {
    if error.is_permanent() || error.is_client() {
        MailError::Refused(error.into())
    } else {
        MailError::Unavailable(error.into())
    }
}

impl fmt::Debug for SmtpMailer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SmtpMailer")
            .field("url", &self.url)
            .field("from", &self.from.to_string())
            .finish_non_exhaustive()
    }
}

/// Tells programs that answer mails not to answer this one (RFC 3834, section 5).
#[derive(Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

#[cfg(test)]
mod tests;
