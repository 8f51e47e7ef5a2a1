//! Scripted failures and stand-ins for tests.

mod failing;
#[cfg(feature = "pinecone")]
pub(crate) mod pinecone_stub;

pub use failing::{FailingVectorStore, Moment, Operation};
#[cfg(feature = "pinecone")]
pub use pinecone_stub::PineconeStub;
