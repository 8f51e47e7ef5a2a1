use secrecy::SecretString;
use tenantry_domain::{BoxError, Email};

/// A mail in plain text; `Debug` does not show what it says.
#[derive(Debug, Clone)]
pub struct Mail {
    /// Whom it goes to.
    pub to: Email,
    /// What it is about, in one line.
    pub subject: String,
    /// What it says. It may hold a link that lets its reader in.
    pub text: SecretString,
}

/// Why a mail was not sent.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MailError {
    /// The mail, its address or our credentials are refused; the same mail is not taken later either.
    #[error("the mail was refused")]
    Refused(#[source] BoxError),
    /// The mail server could not be reached, did not answer in time, or cannot take the mail now.
    #[error("the mail server is unavailable")]
    Unavailable(#[source] BoxError),
}

impl MailError {
    /// Whether the same call may succeed a moment later.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unavailable(_) => true,
            Self::Refused(_) => false,
        }
    }
}

/// Sends mails.
pub trait Mailer: Send + Sync {
    /// Hands `mail` over to whoever delivers it. That it arrives is not promised.
    ///
    /// # Errors
    /// [`MailError::Refused`] when it will never be taken, also when its subject is not one line; [`MailError::Unavailable`] when it may
    /// be later.
    fn send(&self, mail: &Mail) -> Result<(), MailError>;
}

/// Refuses a subject that would end its header and begin another one.
pub(crate) fn check(mail: &Mail) -> Result<(), MailError> {
    if mail.subject.chars().any(char::is_control) {
        Err(MailError::Refused("the subject is not one line".into()))
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_nothing_of_what_a_mail_says() {
        let mail = Mail {
            to: Email::parse("ada@example.org").unwrap(),
            subject: "a subject".into(),
            text: "tnp_secret".into(),
        };
        let shown = format!("{mail:?}");
        assert!(shown.contains("a subject") && !shown.contains("tnp_"), "{shown}");
    }

    #[test]
    fn only_a_server_that_is_away_is_worth_another_try() {
        assert!(MailError::Unavailable("away".into()).is_transient());
        assert!(!MailError::Refused("no such mailbox".into()).is_transient());
    }
}
