//! Failures on demand, and a mail server, for the tests of code that uses this crate.

use std::sync::atomic::{AtomicBool, Ordering};

pub use crate::stub::{Received, StubSmtp};
use crate::{Mail, MailError, Mailer};

/// Works as the mailer inside until it is broken, then fails every call until it is mended.
#[derive(Debug)]
pub struct Breakable<T> {
    inner: T,
    broken: AtomicBool,
}

impl<T> Breakable<T> {
    /// `inner`, unbroken.
    pub const fn new(inner: T) -> Self {
        Self {
            inner,
            broken: AtomicBool::new(false),
        }
    }

    /// The mailer inside.
    pub const fn inner(&self) -> &T {
        &self.inner
    }

    /// Lets every call fail from now on.
    pub fn break_down(&self) {
        self.broken.store(true, Ordering::SeqCst);
    }

    /// Lets calls through again.
    pub fn mend(&self) {
        self.broken.store(false, Ordering::SeqCst);
    }
}

impl<T: Mailer> Mailer for Breakable<T> {
    fn send(&self, mail: &Mail) -> Result<(), MailError> {
        if self.broken.load(Ordering::SeqCst) {
            return Err(MailError::Unavailable("broken on purpose".into()));
        }
        self.inner.send(mail)
    }
}

#[cfg(test)]
mod tests {
    use tenantry_domain::Email;

    use super::*;
    use crate::MemoryMailer;

    #[test]
    fn a_broken_mailer_fails_until_it_is_mended() {
        let mailer = Breakable::new(MemoryMailer::new());
        let mail = Mail {
            to: Email::parse("ada@example.org").unwrap(),
            subject: String::new(),
            text: "text".into(),
        };
        mailer.break_down();
        assert!(mailer.send(&mail).is_err());
        mailer.mend();
        assert!(mailer.send(&mail).is_ok());
        assert_eq!(mailer.inner().sent().len(), 1);
    }
}
