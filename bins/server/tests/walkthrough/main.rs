//! `docs/walkthrough.md` executed line by line, and the promises behind it, all against the real binary: on SQLite always,
//! on PostgreSQL with the feature `postgres-tests` and `TEST_DATABASE_URL`.
#![cfg(test)]

mod client;
mod database;
mod expect;
mod house;
mod server;
mod shell;
mod upstreams;

mod access;
mod audit;
mod doctor;
mod document;
mod ingestion;
mod isolation;
mod matrix;
mod outage;
mod pinecone;
mod portability;
mod readme;
mod rotation;
mod sessions;
mod startup;
mod streaming;

use std::path::PathBuf;
use std::time::{Duration, Instant};

/// The longest that anything here is waited for. Nothing takes that long unless it hangs.
const PATIENCE: Duration = Duration::from_mins(2);

/// The workspace's root.
fn root() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// Asks `done` again and again until it gives something.
#[track_caller]
fn wait_for<T>(what: &str, mut done: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(value) = done() {
            return value;
        }
        assert!(started.elapsed() < PATIENCE, "waited too long for {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Runs a test on SQLite, and on PostgreSQL where it is asked for.
macro_rules! on_both_databases {
    ($($name:ident)+) => {
        mod sqlite {
            $(
                #[test]
                fn $name() {
                    super::$name(&crate::database::Database::sqlite());
                }
            )+
        }

        #[cfg(feature = "postgres-tests")]
        mod postgres {
            $(
                #[test]
                fn $name() {
                    super::$name(&crate::database::Database::postgres());
                }
            )+
        }
    };
}
use on_both_databases;
