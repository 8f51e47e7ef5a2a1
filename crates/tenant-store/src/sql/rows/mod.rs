mod api_keys;
mod archive;
mod audit;
mod chat;
mod conversations;
mod documents;
mod erased;
mod identities;
mod indexes;
mod jobs;
mod json;
mod keys;
mod messages;
mod prompts;
mod segments;
mod sessions;
mod tenants;
mod usage;
mod users;

use std::str::FromStr;

use tenantry_domain::{BoxError, Timestamp};
use time::PrimitiveDateTime;

pub(super) use self::api_keys::ApiKeyRow;
pub(super) use self::archive::{IdentityKey, UsageKey, archived_identity, archived_usage};
pub(super) use self::audit::{AuditRow, read_head};
pub(super) use self::conversations::ConversationRow;
pub(super) use self::documents::{DocumentRow, ReadyRow, VersionRow};
pub(super) use self::erased::{ErasedRow, read_removed, write_removed};
pub(super) use self::identities::{IdentityRow, ProviderRow};
pub(super) use self::indexes::{IndexRow, generation};
pub(super) use self::jobs::JobRow;
pub(super) use self::keys::KeyRow;
pub(super) use self::messages::MessageRow;
pub(super) use self::prompts::PromptRow;
pub(super) use self::segments::SegmentRow;
pub(super) use self::sessions::{FailuresRow, SessionRow};
pub(super) use self::tenants::{TenantChanges, TenantRow};
pub(super) use self::usage::{SumRow, UsageRow};
pub(super) use self::users::{UserChanges, UserRow};

use crate::StoreError;

/// A row that this version cannot have written.
#[derive(Debug, thiserror::Error)]
#[error("a row of {table} cannot be read")]
struct UnreadableRow {
    table: &'static str,
    #[source]
    why: BoxError,
}

/// Turns a failure to read a row of `table` into a store's.
fn unreadable<E: Into<BoxError>>(table: &'static str) -> impl Fn(E) -> StoreError {
    move |why| {
        StoreError::Failed(
            UnreadableRow {
                table,
                why: why.into(),
            }
            .into(),
        )
    }
}

/// The moment as both databases keep it: UTC without saying so, to the microsecond.
pub(super) fn written(at: Timestamp) -> PrimitiveDateTime {
    let at = at.to_offset_date_time();
    PrimitiveDateTime::new(at.date(), at.time())
}

fn read(at: PrimitiveDateTime) -> Timestamp {
    at.assume_utc().into()
}

/// The moment of a column that counts microseconds.
pub(super) fn moment(table: &'static str, micros: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_unix_micros(micros).map_err(unreadable(table))
}

/// A number of a column that is never negative.
fn number(table: &'static str, number: i64) -> Result<u32, StoreError> {
    u32::try_from(number).map_err(unreadable(table))
}

/// The value of a column that holds a name or an id.
fn parsed<T: FromStr>(table: &'static str, text: &str) -> Result<T, StoreError>
where
    T::Err: Into<BoxError>,
{
    text.parse().map_err(unreadable(table))
}
