#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod app;
pub mod cli;
pub mod config;
pub mod error;
pub mod extract;
pub mod http;
mod limits;
pub mod logging;
pub mod offload;
mod peer;
mod proxies;
mod routes;
pub mod serve;
mod sse;
pub mod startup;
mod turn;
pub mod wiring;
pub mod workers;
