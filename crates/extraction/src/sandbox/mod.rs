//! Reading a file in a process of its own, which can be stopped and has limits: [`ProcessExtractor`] in the program
//! that wants the text, [`serve`] in the process that reads.

mod child;
mod confine;
mod process;
mod running;
mod wire;

pub use child::{serve, serve_with};
pub use process::{ProcessExtractor, ProcessLimits};
