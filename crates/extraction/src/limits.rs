/// How much of a file is read, wherever it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The largest file that is held in memory, in bytes; plain text and Markdown are not held and not bounded by it.
    pub file_bytes: u64,
    /// The longest text, in characters.
    pub text_chars: u64,
    /// What the parts of an archive may unpack to, all together, in bytes.
    pub unpacked_bytes: u64,
    /// How many files an archive may have.
    pub archive_parts: u32,
    /// How deeply XML elements may be nested.
    pub xml_depth: u32,
}

impl Default for Limits {
    /// 100 MiB of file, 200 million characters of text, 512 MiB unpacked, 20,000 parts, 256 levels.
    fn default() -> Self {
        Self {
            file_bytes: 100 << 20,
            text_chars: 200_000_000,
            unpacked_bytes: 512 << 20,
            archive_parts: 20_000,
            xml_depth: 256,
        }
    }
}
