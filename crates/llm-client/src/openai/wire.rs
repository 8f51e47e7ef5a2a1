//! The JSON of the protocol. Of what a server answers every field but the text is optional, and unknown ones are
//! passed over: compatible servers differ.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::de::{self, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

#[derive(Serialize)]
pub(super) struct EmbeddingRequest<'a> {
    pub(super) model: &'a str,
    pub(super) input: &'a [&'a str],
    /// A third of the bytes of numbers written out.
    pub(super) encoding_format: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) dimensions: Option<usize>,
}

#[derive(Deserialize)]
pub(super) struct EmbeddingAnswer {
    pub(super) error: Option<Value>,
    #[serde(default)]
    pub(super) data: Vec<EmbeddingItem>,
    pub(super) usage: Option<WireUsage>,
}

#[derive(Deserialize)]
pub(super) struct EmbeddingItem {
    pub(super) index: Option<usize>,
    pub(super) embedding: Floats,
}

#[derive(Serialize)]
pub(super) struct ChatRequest<'a> {
    pub(super) model: &'a str,
    pub(super) messages: Vec<Message>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) max_completion_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) max_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) temperature: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) top_p: Option<f32>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    pub(super) stop: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) presence_penalty: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) frequency_penalty: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) seed: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) stream: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) stream_options: Option<StreamOptions>,
}

#[derive(Serialize)]
pub(super) struct StreamOptions {
    pub(super) include_usage: bool,
}

#[derive(Debug, Serialize, PartialEq, Eq)]
pub(super) struct Message {
    pub(super) role: &'static str,
    pub(super) content: String,
}

/// A whole answer or one chunk of a streamed one.
#[derive(Deserialize)]
pub(super) struct ChatAnswer<'a> {
    pub(super) error: Option<Value>,
    #[serde(borrow)]
    pub(super) object: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) model: Option<Cow<'a, str>>,
    pub(super) choices: Option<Vec<Choice>>,
    pub(super) usage: Option<WireUsage>,
}

#[derive(Deserialize)]
pub(super) struct Choice {
    pub(super) index: Option<u64>,
    /// In a whole answer.
    pub(super) message: Option<Words>,
    /// In a chunk.
    pub(super) delta: Option<Words>,
    pub(super) finish_reason: Option<String>,
}

#[derive(Deserialize, Default)]
pub(super) struct Words {
    pub(super) content: Option<String>,
    pub(super) refusal: Option<String>,
    /// What a reasoning model thinks, as vLLM and others call it.
    reasoning_content: Option<Value>,
    /// The same, as Ollama and others call it.
    reasoning: Option<Value>,
}

impl Words {
    /// Whether there is anything of the model's thoughts.
    pub(super) fn thinks(&self) -> bool {
        let thoughts = [&self.reasoning_content, &self.reasoning];
        thoughts
            .into_iter()
            .flatten()
            .any(|thought| thought.as_str().is_none_or(|text| !text.is_empty()))
    }
}

#[derive(Deserialize, Clone, Copy)]
#[expect(clippy::struct_field_names, reason = "the protocol's own names")]
pub(super) struct WireUsage {
    #[serde(default, deserialize_with = "count")]
    pub(super) prompt_tokens: Option<u64>,
    #[serde(default, deserialize_with = "count")]
    pub(super) completion_tokens: Option<u64>,
    #[serde(default, deserialize_with = "count")]
    pub(super) total_tokens: Option<u64>,
}

/// What is no count, as `-1`, says that it is not known; the answer beside it stands.
fn count<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    Value::deserialize(deserializer).map(|count| count.as_u64())
}

/// An embedding as an array of numbers or as base64 of little-endian floats of four bytes.
#[derive(Debug, PartialEq)]
pub(super) struct Floats(pub(super) Vec<f32>);

impl<'de> Deserialize<'de> for Floats {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(EitherWay)
    }
}

struct EitherWay;

impl<'de> Visitor<'de> for EitherWay {
    type Value = Floats;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an array of numbers or base64 of floats")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Floats, E> {
        let bytes = STANDARD
            .decode(text)
            .map_err(|_| E::custom("the embedding is not base64"))?;
        let (floats, rest) = bytes.as_chunks::<4>();
        if !rest.is_empty() {
            return Err(E::custom("the embedding is not a whole number of floats"));
        }
        Ok(Floats(
            floats.iter().map(|float| f32::from_le_bytes(*float)).collect(),
        ))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut numbers: A) -> Result<Floats, A::Error> {
        let mut floats = Vec::new();
        while let Some(number) = numbers.next_element()? {
            floats.push(number);
        }
        Ok(Floats(floats))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn floats(json: &str) -> Option<Vec<f32>> {
        serde_json::from_str::<Floats>(json).ok().map(|floats| floats.0)
    }

    #[test]
    fn floats_are_read_from_numbers_and_from_base64() {
        assert_eq!(floats("[1, -0.5, 2e0]"), Some(vec![1.0, -0.5, 2.0]));
        assert_eq!(floats("\"AACAPwAAAL8=\""), Some(vec![1.0, -0.5]));
        assert_eq!(floats("[]"), Some(vec![]));
    }

    #[test]
    fn what_is_neither_is_refused() {
        for json in [
            "\"AACAPwAAAL\"",
            "\"AACA\"",
            "\"!\"",
            "[1, null]",
            "[\"1\"]",
            "1",
            "null",
            "{}",
        ] {
            assert_eq!(floats(json), None, "{json}");
        }
    }
}
