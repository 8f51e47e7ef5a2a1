use std::collections::VecDeque;
use std::fmt;
use std::ops::ControlFlow;
use std::sync::{Mutex, PoisonError};

use tenantry_domain::{Cancellation, Dimension, Embedding, EmbeddingModel};

use crate::{
    Completer, Completion, Embedded, Embedder, FinishReason, LlmError, Prompt, Reranker, Usage, completer,
    deliver, embedder, reranker, terms,
};

/// Embeds texts by hashing their words into 64 numbers, for tests alone: texts with the same words are close, which
/// is no understanding of what they mean.
#[derive(Debug, Clone, Copy, Default)]
pub struct MemoryEmbedder;

impl MemoryEmbedder {
    const DIMENSION: usize = 64;

    fn place(text: &str) -> Result<Embedding, LlmError> {
        let mut values = [0.0_f32; Self::DIMENSION];
        for word in terms::words(text) {
            let hash = fnv1a(word.as_bytes());
            let slot = usize::try_from(hash >> 1).unwrap_or_default() % Self::DIMENSION;
            if let Some(value) = values.get_mut(slot) {
                *value += if hash & 1 == 0 { 1.0 } else { -1.0 };
            }
        }
        if values.iter().all(|value| *value == 0.0)
            && let Some(first) = values.first_mut()
        {
            *first = 1.0;
        }
        Embedding::new(values.to_vec()).map_err(|error| LlmError::Protocol(error.into()))
    }
}

/// The 64-bit FNV-1a hash, truncated to fit any `usize`.
fn fnv1a(bytes: &[u8]) -> u64 {
    let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    hash & 0xffff_ffff
}

impl Embedder for MemoryEmbedder {
    fn identity(&self) -> EmbeddingModel {
        EmbeddingModel {
            provider: "memory".to_owned(),
            name: "hashed-words".to_owned(),
            dimension: Dimension::new(Self::DIMENSION).ok(),
        }
    }

    fn embed(&self, texts: &[&str]) -> Result<Embedded, LlmError> {
        embedder::refuse_empty(texts)?;
        let embeddings = texts
            .iter()
            .map(|text| Self::place(text))
            .collect::<Result<_, _>>()?;
        Ok(Embedded {
            embeddings,
            tokens: None,
        })
    }
}

/// Ranks passages by the words that they share with the query, for tests alone.
#[derive(Debug, Clone, Copy, Default)]
pub struct MemoryReranker;

impl Reranker for MemoryReranker {
    fn model(&self) -> &'static str {
        "memory"
    }

    fn rerank(&self, query: &str, passages: &[&str]) -> Result<Vec<f32>, LlmError> {
        reranker::refuse_empty(query)?;
        let query = terms::terms(query);
        let shared = |passage: &&str| terms::terms(passage).intersection(&query).count();
        let relevance = |shared| f32::from(u16::try_from(shared).unwrap_or(u16::MAX));
        Ok(passages.iter().map(shared).map(relevance).collect())
    }
}

/// Answers by a script and keeps the prompts it was given.
///
/// # Examples
/// ```
/// use tenantry_llm_client::{Completer, MemoryCompleter, Prompt};
///
/// let model = MemoryCompleter::saying("Thirty days [1].");
/// let prompt = Prompt { question: "How long?".into(), ..Prompt::default() };
/// assert_eq!(model.complete(&prompt)?.text, "Thirty days [1].");
/// assert_eq!(model.prompts(), [prompt]);
/// # Ok::<(), tenantry_llm_client::LlmError>(())
/// ```
pub struct MemoryCompleter {
    script: Box<Script>,
    model: String,
    usage: Option<Usage>,
    rewrites: bool,
    prompts: Mutex<Vec<Prompt>>,
}

type Script = dyn Fn(&Prompt) -> Result<String, LlmError> + Send + Sync;

impl MemoryCompleter {
    const MODEL: &'static str = "memory";

    /// A completer that answers every prompt by `script`.
    pub fn new(script: impl Fn(&Prompt) -> Result<String, LlmError> + Send + Sync + 'static) -> Self {
        Self {
            script: Box::new(script),
            model: Self::MODEL.to_owned(),
            usage: None,
            rewrites: true,
            prompts: Mutex::default(),
        }
    }

    /// A completer that always says `text`.
    pub fn saying(text: impl Into<String>) -> Self {
        let text = text.into();
        Self::new(move |_| Ok(text.clone()))
    }

    /// A completer that gives each of `answers` once, in their order, and is unavailable after the last.
    pub fn queue(answers: impl IntoIterator<Item = Result<String, LlmError>>) -> Self {
        let answers = Mutex::new(answers.into_iter().collect::<VecDeque<_>>());
        Self::new(move |_| {
            let next = answers.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
            next.unwrap_or_else(|| Err(LlmError::Unavailable("no answer is left in the script".into())))
        })
    }

    /// Names the model; without a name it is `memory`.
    #[must_use]
    pub fn named(mut self, model: impl Into<String>) -> Self {
        self.model = model.into();
        self
    }

    /// Lets every answer take that many tokens; without, answers do not say.
    #[must_use]
    pub fn counting(mut self, usage: Usage) -> Self {
        self.usage = Some(usage);
        self
    }

    /// Refuses to rewrite; without, the script is asked to do that too.
    #[must_use]
    pub fn without_rewriting(mut self) -> Self {
        self.rewrites = false;
        self
    }

    /// The prompts so far, in the order they came.
    pub fn prompts(&self) -> Vec<Prompt> {
        self.prompts
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl Completer for MemoryCompleter {
    fn model(&self) -> &str {
        &self.model
    }

    fn can_rewrite(&self) -> bool {
        self.rewrites
    }

    fn complete(&self, prompt: &Prompt) -> Result<Completion, LlmError> {
        completer::refuse_rewriting(self, prompt)?;
        self.prompts
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(prompt.clone());
        let text = (self.script)(prompt)?;
        Ok(Completion {
            text,
            model: self.model.clone(),
            asked: self.model.clone(),
            finish: FinishReason::Stop,
            usage: self.usage,
        })
    }

    fn stream(
        &self,
        prompt: &Prompt,
        cancellation: &Cancellation,
        on_delta: &mut dyn FnMut(&str) -> ControlFlow<()>,
    ) -> Result<Completion, LlmError> {
        let completion = self.complete(prompt)?;
        deliver(completion.text.split_inclusive(' '), cancellation, on_delta)?;
        Ok(completion)
    }
}

impl fmt::Debug for MemoryCompleter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryCompleter")
            .field("prompts", &self.prompts().len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_has_the_name_and_the_tokens_that_were_asked_for() {
        let usage = Usage {
            prompt_tokens: 7,
            completion_tokens: 2,
        };
        let model = MemoryCompleter::saying("Yes.").named("small").counting(usage);
        let completion = model.complete(&Prompt::default()).unwrap();
        assert_eq!(
            (completion.model.as_str(), completion.usage),
            ("small", Some(usage))
        );
        assert_eq!(model.model(), "small");
    }

    #[test]
    fn the_script_is_asked_to_rewrite_unless_that_is_refused() {
        let asked = Prompt::rewriting(Vec::new(), "How long?");
        let model = MemoryCompleter::new(|prompt| Ok(format!("{} a query", prompt.question)));
        assert_eq!(model.complete(&asked).unwrap().text, "How long? a query");
        let model = model.without_rewriting();
        assert!(matches!(model.complete(&asked), Err(LlmError::Refused(_))));
        assert_eq!(model.prompts().len(), 1);
    }
}
