mod documents;
mod keys;
mod tenants;
mod users;

use tenantry_domain::{BoxError, Timestamp};
use time::PrimitiveDateTime;

pub(super) use self::documents::{DocumentRow, NewDocumentRow, ReadyRow};
pub(super) use self::keys::KeyRow;
pub(super) use self::tenants::{TenantChanges, TenantRow};
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
