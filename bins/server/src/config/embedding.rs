use std::path::{Path, PathBuf};

use super::models::Provider;
use super::reader::{Reader, token};
use super::variables::{MODEL_DIR, OPENAI_EMBEDDING_MODEL, OPENAI_EMBEDDING_MODEL_PREVIOUS};

/// The provider's model unless another is named.
const PROVIDERS_OWN: &str = "text-embedding-3-small";
/// Where the local model is looked for, below the working folder and `DATA_DIR`.
const LOCAL_MODEL: &str = "models/all-MiniLM-L6-v2";

/// What embeds text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmbeddingSettings {
    /// What makes new indexes.
    pub current: Embeddings,
    /// The models of indexes that were made before.
    pub previous: Vec<EmbeddingChoice>,
    /// Where the local model may be, the first choice first.
    pub model_dirs: Vec<PathBuf>,
}

/// What makes new indexes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Embeddings {
    /// This model.
    By(EmbeddingChoice),
    /// The local model when its files are there, else nothing.
    LocalIfThere,
    /// Nothing: words alone are searched.
    None,
}

/// A model that embeds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EmbeddingChoice {
    /// The model in the process.
    Local,
    /// The provider's model of that name.
    Provider(String),
}

impl EmbeddingSettings {
    /// Whether the local model is built in and has a folder.
    pub fn local_is_there(&self) -> bool {
        cfg!(feature = "local-model") && self.model_dirs.iter().any(|folder| folder.is_dir())
    }
}

/// What embeds; `provider` is what was read of the provider, `data_dir` where else the local model may be.
pub(super) fn embedding(
    reader: &mut Reader<'_>,
    provider: Option<&Provider>,
    data_dir: Option<&Path>,
) -> Option<EmbeddingSettings> {
    let current = reader.optional(&OPENAI_EMBEDDING_MODEL, token);
    let previous = reader.optional(&OPENAI_EMBEDDING_MODEL_PREVIOUS, |text| {
        text.split(',').map(|name| earlier(name, provider)).collect()
    });
    let named = reader.optional(&MODEL_DIR, |text| Ok::<_, String>(PathBuf::from(text)));
    let named = named?;
    let is_named = named.is_some();
    let model_dirs = match named {
        Some(folder) => vec![folder],
        None => [Some(Path::new("")), data_dir]
            .into_iter()
            .flatten()
            .map(|folder| folder.join(LOCAL_MODEL))
            .collect(),
    };
    Some(EmbeddingSettings {
        current: match (current?.as_deref(), provider) {
            (Some("none"), _) => Embeddings::None,
            (Some("local"), _) => Embeddings::By(EmbeddingChoice::Local),
            (name, Some(_)) => Embeddings::By(EmbeddingChoice::Provider(
                name.unwrap_or(PROVIDERS_OWN).to_owned(),
            )),
            // A provider's model without a provider was never an error.
            (_, None) if is_named => Embeddings::By(EmbeddingChoice::Local),
            (_, None) => Embeddings::LocalIfThere,
        },
        previous: previous?.unwrap_or_default(),
        model_dirs,
    })
}

fn earlier(name: &str, provider: Option<&Provider>) -> Result<EmbeddingChoice, &'static str> {
    match (token(name)?.as_str(), provider) {
        ("", _) => Err("has an empty entry"),
        ("none", _) => Err("names no model"),
        ("local", _) => Ok(EmbeddingChoice::Local),
        (name, Some(_)) => Ok(EmbeddingChoice::Provider(name.to_owned())),
        (_, None) => Err("names a provider's model, and no provider is configured"),
    }
}
