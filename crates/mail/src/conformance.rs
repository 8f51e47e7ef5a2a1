//! What every [`Mailer`] promises, one function for each promise; each panics when it is broken.
#![expect(clippy::unwrap_used, reason = "a broken promise fails the test that asked")]

use tenantry_domain::Email;

use crate::{Mail, MailError, Mailer};

/// A mail as its reader sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivered {
    /// The address that it was delivered to.
    pub to: String,
    /// Its subject.
    pub subject: String,
    /// What it says.
    pub text: String,
}

/// Checks every promise. `delivered` tells the mails so far, in their order.
pub fn mailer(mailer: &dyn Mailer, delivered: &dyn Fn() -> Vec<Delivered>) {
    a_mail_arrives_as_it_was_written(mailer, delivered);
    a_long_line_arrives_in_one_piece(mailer, delivered);
    a_line_that_is_a_dot_ends_no_mail(mailer, delivered);
    a_subject_begins_no_other_header(mailer, delivered);
}

/// The mail goes to its one address, with its subject and its text, whatever letters they have.
pub fn a_mail_arrives_as_it_was_written(mailer: &dyn Mailer, delivered: &dyn Fn() -> Vec<Delivered>) {
    arrives(
        mailer,
        delivered,
        "Set a new password",
        "one line\n\nanother line\n",
    );
    arrives(mailer, delivered, "Neues Paßwort: 密码", "Grüße\nдо свидания\n");
}

/// A link longer than a line of a mail should be is not broken.
pub fn a_long_line_arrives_in_one_piece(mailer: &dyn Mailer, delivered: &dyn Fn() -> Vec<Delivered>) {
    let link = format!(
        "https://tenantry.example.org/{}#token=tnp_a=b\n",
        "x".repeat(1_200)
    );
    arrives(mailer, delivered, "a link", &link);
}

/// What ends a mail on its way (RFC 5321, section 4.5.2) does not end it when it is written in it.
pub fn a_line_that_is_a_dot_ends_no_mail(mailer: &dyn Mailer, delivered: &dyn Fn() -> Vec<Delivered>) {
    arrives(mailer, delivered, "dots", "before\n.\nQUIT\n..\nafter\n");
}

/// A subject of several lines is refused, and nothing is sent.
pub fn a_subject_begins_no_other_header(mailer: &dyn Mailer, delivered: &dyn Fn() -> Vec<Delivered>) {
    let before = delivered().len();
    for subject in ["a\r\nBcc: eve@example.org", "a\nb", "a\rb"] {
        let refused = mailer.send(&mail(subject, "text"));
        assert!(matches!(refused, Err(MailError::Refused(_))), "{subject:?}");
    }
    assert_eq!(delivered().len(), before);
}

fn arrives(mailer: &dyn Mailer, delivered: &dyn Fn() -> Vec<Delivered>, subject: &str, text: &str) {
    let before = delivered().len();
    mailer.send(&mail(subject, text)).unwrap();
    let mails = delivered();
    assert_eq!(mails.len(), before + 1);
    let last = mails.last().unwrap();
    assert_eq!(
        (last.to.as_str(), last.subject.as_str()),
        ("ada@example.org", subject)
    );
    assert_eq!(last.text.trim_end(), text.trim_end());
}

fn mail(subject: &str, text: &str) -> Mail {
    Mail {
        to: Email::parse("ada@example.org").unwrap(),
        subject: subject.into(),
        text: text.into(),
    }
}
