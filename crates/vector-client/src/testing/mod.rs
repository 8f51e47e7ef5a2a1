//! Scripted failures and stand-ins for tests.

mod failing;

pub use failing::{FailingVectorStore, Operation};
