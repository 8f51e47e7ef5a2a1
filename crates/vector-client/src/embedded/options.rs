use std::time::Duration;

use crate::Fusion;

/// How an [`EmbeddedVectorStore`](super::EmbeddedVectorStore) works.
#[derive(Debug, Clone, PartialEq)]
pub struct EmbeddedOptions {
    /// How many tenants' files stay open between uses, each with up to five connections.
    pub open_files: usize,
    /// How long to wait for another process that writes the same file.
    pub busy_timeout: Duration,
    /// How many of the nearest by sketch are compared by their whole embeddings. Collections of up to as many chunks are
    /// searched exactly; larger ones lose a few of the nearest, the fewer the larger this is.
    pub rescored: u32,
    /// How the two rankings become one.
    pub fusion: Fusion,
}

impl Default for EmbeddedOptions {
    /// 64 files, 5 s, 2,000 rescored, and the default fusion.
    fn default() -> Self {
        Self {
            open_files: 64,
            busy_timeout: Duration::from_secs(5),
            rescored: 2_000,
            fusion: Fusion::default(),
        }
    }
}
