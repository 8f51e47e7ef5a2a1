//! Questions and answers on memory parts, with scripted models.

mod bench;
mod follow_ups;
mod isolation;
mod leaving;
mod models;
mod settings;
mod support;
mod turns;
mod usage;
