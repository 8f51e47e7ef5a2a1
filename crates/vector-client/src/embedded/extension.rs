//! Registers the sqlite-vec extension: the workspace's only unsafe code.
#![expect(
    unsafe_code,
    reason = "SQLite takes an extension that is linked in through one C function only"
)]

use std::ffi::{c_char, c_int};
use std::sync::OnceLock;

use libsqlite3_sys::{SQLITE_OK, sqlite3, sqlite3_api_routines, sqlite3_auto_extension};
use tenantry_domain::BoxError;

// The crate links the C code; its own declaration leaves the parameters out.
use sqlite_vec as _;

unsafe extern "C" {
    /// sqlite-vec's entry point, in the form that every extension has (<https://www.sqlite.org/loadext.html>).
    fn sqlite3_vec_init(
        db: *mut sqlite3,
        message: *mut *mut c_char,
        api: *const sqlite3_api_routines,
    ) -> c_int;
}

/// Adds sqlite-vec to every connection that the process opens from now on; only the first call does something.
pub(super) fn register() -> Result<(), BoxError> {
    static REGISTERED: OnceLock<c_int> = OnceLock::new();
    // SAFETY: both functions are linked statically and live as long as the process, the entry point has the form that is
    // asked for, and `sqlite3_auto_extension` may be called from any thread.
    match REGISTERED.get_or_init(|| unsafe { sqlite3_auto_extension(Some(sqlite3_vec_init)) }) {
        &SQLITE_OK => Ok(()),
        code => Err(format!("sqlite-vec could not be registered: result code {code}").into()),
    }
}
