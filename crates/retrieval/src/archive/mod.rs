//! A tenant as a whole: written into an archive, made of one, and erased.

mod batches;
mod erase;
mod export;
mod fault;
mod import;
mod reader;
mod receipt;
mod sequence;
mod taking;
mod wire;
mod writer;

pub use self::erase::{EraseError, EraseParts, ErasePatience, Eraser, RemoteVectors};
pub use self::export::{ExportError, Exported, Exporter};
pub use self::fault::{ArchiveFault, ArchiveLimits};
pub use self::import::{ArchiveSource, ImportError, ImportParts, ImportProgress, Imported, Importer};
pub use self::receipt::{Receipt, ReceiptError};
