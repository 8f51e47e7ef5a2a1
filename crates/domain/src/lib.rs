#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod cancel;
mod chunk;
mod claims;
mod clock;
mod document;
mod embedding;
mod ids;
mod page;
mod tenant;
mod user;

pub use cancel::{Cancellation, OnCancel};
pub use chunk::{Chunk, Hit, ScoreParts, Span, TopK, TopKOutOfRange};
pub use claims::AccessClaims;
pub use clock::{Clock, ManualClock, SystemClock, Timestamp, TimestampOutOfRange};
pub use document::{Document, DocumentState, MediaType, ParseDocumentStateError, ParseMediaTypeError};
pub use embedding::{Dimension, DimensionOutOfRange, Embedding, InvalidEmbedding};
pub use ids::{DocumentId, ParseIdError, UserId};
pub use page::{Page, PageOutOfRange, Paged};
pub use tenant::{
    ParseTenantIdError, PineconeSettings, Sealed, SealedSecret, Tenant, TenantId, TenantInactive, TenantScope,
};
pub use user::{Email, ParseEmailError, PasswordHash, User};

/// The cause of a failure that a caller cannot act on; the error that carries it says what failed.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;
