use std::time::Duration;

/// What is taken in at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IngestLimits {
    /// The largest file in bytes.
    pub max_bytes: u64,
    /// The longest text in characters.
    pub max_characters: u32,
}

impl Default for IngestLimits {
    /// 200 MiB, 200 million characters.
    fn default() -> Self {
        Self {
            max_bytes: 200 << 20,
            max_characters: 200_000_000,
        }
    }
}

/// How a worker works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IngestOptions {
    /// What is taken in at most.
    pub limits: IngestLimits,
    /// How long a job is the worker's without being renewed: as long as a killed worker's job rests.
    pub lease: Duration,
    /// How many segments, of 16 KiB each, are indexed in one turn.
    pub slice_segments: u32,
    /// How long a turn goes on before the next segment is left to another one.
    pub slice_time: Duration,
}

impl Default for IngestOptions {
    /// A lease of one minute; turns of 16 segments or 10 seconds.
    fn default() -> Self {
        Self {
            limits: IngestLimits::default(),
            lease: Duration::from_mins(1),
            slice_segments: 16,
            slice_time: Duration::from_secs(10),
        }
    }
}
