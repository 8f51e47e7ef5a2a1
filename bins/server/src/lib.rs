#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod app;
pub mod cli;
pub mod config;
pub mod error;
pub mod extract;
pub mod http;
pub mod logging;
pub mod offload;
pub mod routes;
pub mod serve;
pub mod startup;
pub mod wiring;
