mod data;
mod server;

pub use server::PineconeStub;
