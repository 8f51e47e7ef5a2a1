use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::mailer::check;
use crate::{Mail, MailError, Mailer};

/// Keeps every mail and sends none: for tests and trials.
#[derive(Default)]
pub struct MemoryMailer(Mutex<Vec<Mail>>);

impl MemoryMailer {
    /// A mailer that has sent nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// The mails so far, in their order.
    pub fn sent(&self) -> Vec<Mail> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Mail>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Mailer for MemoryMailer {
    fn send(&self, mail: &Mail) -> Result<(), MailError> {
        check(mail)?;
        self.lock().push(mail.clone());
        Ok(())
    }
}

impl fmt::Debug for MemoryMailer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryMailer")
            .field("sent", &self.lock().len())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;
    use crate::conformance::{self, Delivered};

    #[test]
    fn the_memory_mailer_keeps_the_promises_of_a_mailer() {
        let mailer = MemoryMailer::new();
        conformance::mailer(&mailer, &|| {
            let sent = mailer.sent().into_iter();
            let delivered = sent.map(|mail| Delivered {
                to: mail.to.to_string(),
                subject: mail.subject,
                text: mail.text.expose_secret().to_owned(),
            });
            delivered.collect()
        });
    }
}
