#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

#[cfg(any(test, feature = "testing"))]
pub mod conformance;
#[cfg(any(test, feature = "testing"))]
pub mod testing;

mod mailer;
mod memory;
#[cfg(feature = "smtp")]
mod smtp;
#[cfg(any(test, feature = "testing"))]
mod stub;

pub use mailer::{Mail, MailError, Mailer};
pub use memory::MemoryMailer;
#[cfg(feature = "smtp")]
pub use smtp::{SmtpMailer, SmtpUrl, SmtpUrlError, UnusableSender};
