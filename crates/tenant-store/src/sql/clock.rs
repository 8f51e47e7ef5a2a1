use tenantry_domain::Timestamp;

use super::{SqlStore, dialect};
use crate::StoreError;

impl SqlStore {
    /// What time it is by the clock of the database's server; `None` for SQLite, which has none of its own.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn server_time(&self) -> Result<Option<Timestamp>, StoreError> {
        let micros = self.run(dialect::clock)?;
        let time = micros.map(Timestamp::from_unix_micros).transpose();
        time.map_err(|error| StoreError::Failed(error.into()))
    }
}
