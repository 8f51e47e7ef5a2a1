//! Every use case on memory parts, with scripted failures.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may fail loudly")]

mod accounts;
mod api_keys;
mod archive;
mod chat;
mod conversations;
mod deaths;
mod embedding_models;
mod fate;
mod ingest;
mod knowledge;
mod log_in;
mod passwords;
mod reconcile;
mod reindex;
mod resolve;
mod secrets;
mod sessions;
mod settings;
mod support;
mod tenants;
mod upload;
