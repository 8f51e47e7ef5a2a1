use std::time::Duration;

/// How an [`EmbeddedVectorStore`](super::EmbeddedVectorStore) works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EmbeddedOptions {
    /// How many indexes' files stay open between uses, each with up to five connections.
    pub open_files: usize,
    /// How long to wait for another process that writes the same file.
    pub busy_timeout: Duration,
    /// How many of the nearest by sketch are compared by their whole embeddings. Indexes of up to as many chunks, and
    /// filters that let as many through, are searched exactly; others lose a few of the nearest, the fewer the larger this is.
    pub rescored: u32,
}

impl Default for EmbeddedOptions {
    /// 64 files, 5 s and 2,000 rescored.
    fn default() -> Self {
        Self {
            open_files: 64,
            busy_timeout: Duration::from_secs(5),
            rescored: 2_000,
        }
    }
}
