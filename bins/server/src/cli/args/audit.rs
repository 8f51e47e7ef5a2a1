use std::str::FromStr;

use clap::{Args, Subcommand};
use tenantry_domain::{AuditAction, AuditHash, Timestamp};
use tenantry_tenant_store::{AuditHead, AuditLog};

/// What to do with audit logs.
#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// Tell the first entry of each log that was altered, removed or reordered; the exit code is 1 when there is one
    Verify(VerifyAudit),
    /// Write entries as JSON Lines, the latest first
    Export(ExportAudit),
}

/// Which logs to verify.
#[derive(Debug, Args)]
#[command(
    after_help = "Whoever may write to the database could make a whole log anew. That shows against an end which was printed \
    before and kept elsewhere: give it to --noted."
)]
pub struct VerifyAudit {
    /// The tenant whose log to verify, or `-` for the platform's; else all of them
    #[arg(long, value_name = "ID", allow_hyphen_values = true)]
    pub tenant: Option<AuditLog>,
    /// Verify all logs, as without `--tenant`
    #[arg(long, conflicts_with = "tenant")]
    pub all: bool,
    /// An end of the log that an earlier run printed
    #[arg(long, value_name = "NUMBER:HASH", requires = "tenant")]
    pub noted: Option<NotedEnd>,
}

/// Which entries to write.
#[derive(Debug, Args)]
pub struct ExportAudit {
    /// The tenant whose log to write, or `-` for the platform's; else all of them
    #[arg(long, value_name = "ID", allow_hyphen_values = true)]
    pub tenant: Option<AuditLog>,
    /// Only what that actor did: a kind, as `user` or `operator`, or an id
    #[arg(long, value_name = "KIND|ID")]
    pub actor: Option<String>,
    /// Only that action, as `user.changed`
    #[arg(long, value_name = "ACTION")]
    pub action: Option<AuditAction>,
    /// Only what was done to that target: a kind, as `document`, or an id
    #[arg(long, value_name = "KIND|ID")]
    pub target: Option<String>,
    /// Only what was done at that moment or later, as `2026-11-01T00:00:00Z`
    #[arg(long, value_name = "MOMENT")]
    pub from: Option<Timestamp>,
    /// Only what was done before that moment
    #[arg(long, value_name = "MOMENT")]
    pub until: Option<Timestamp>,
}

/// The end of a log as `tenantry audit verify` prints it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotedEnd(pub AuditHead);

/// Text that is no end of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a number, a colon and 64 hexadecimal digits")]
pub struct ParseNotedEndError;

impl FromStr for NotedEnd {
    type Err = ParseNotedEndError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (number, hash) = text.split_once(':').ok_or(ParseNotedEndError)?;
        let digits: Option<Vec<u8>> = hash
            .chars()
            .map(|digit| digit.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
            .collect();
        let digits = digits.ok_or(ParseNotedEndError)?;
        let bytes: Vec<u8> = digits
            .chunks_exact(2)
            .map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit))
            .collect();
        let bytes = <[u8; 32]>::try_from(bytes).map_err(|_| ParseNotedEndError)?;
        if digits.len() != 64 {
            return Err(ParseNotedEndError);
        }
        Ok(Self(AuditHead {
            number: number.parse().map_err(|_| ParseNotedEndError)?,
            hash: AuditHash::from_bytes(bytes),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_read_as_it_is_printed() {
        let hash = AuditHash::from_bytes(std::array::from_fn(|place| {
            u8::try_from(place * 7 + 3).unwrap_or(0xf0)
        }));
        let NotedEnd(end) = format!("12:{hash}").parse().unwrap();
        assert_eq!((end.number, end.hash), (12, hash));
        for text in [
            "",
            "12",
            ":",
            "12:",
            "x:00",
            &format!("12:{hash}0"),
            &format!("12:{hash}00"),
            &format!("{hash}"),
        ] {
            assert_eq!(text.parse::<NotedEnd>(), Err(ParseNotedEndError), "{text}");
        }
    }
}
