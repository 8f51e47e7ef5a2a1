#![forbid(unsafe_code)]
//! The Tenantry server: HTTP, configuration, command line and wiring around the library crates.

pub mod app;
pub mod offload;
