//! Scripted failures and stand-ins for tests.

mod failing;
#[cfg(feature = "pinecone")]
mod pinecone_stub;

pub use failing::{FailingVectorStore, Operation};
#[cfg(feature = "pinecone")]
pub use pinecone_stub::PineconeStub;
