mod data;
pub(crate) mod filter;
mod rules;
mod server;

pub use server::PineconeStub;
