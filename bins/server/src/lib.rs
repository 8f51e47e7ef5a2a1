#![forbid(unsafe_code)]
//! The Tenantry server: HTTP, configuration, command line and wiring around the library crates.

pub mod app;
pub mod cli;
pub mod config;
pub mod error;
pub mod extract;
pub mod http;
pub mod offload;
pub mod routes;
pub mod serve;
pub mod startup;
pub mod wiring;
