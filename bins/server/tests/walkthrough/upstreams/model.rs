//! The model: embeddings by words, and answers that quote what the prompt holds.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tenantry_http_client::Answer;

/// What `text-embedding-3-small` makes.
pub(super) const DIMENSION: usize = 1_536;

/// Embeds by words, so that texts with words in common lie near each other.
pub(super) fn embeddings(body: &Value) -> Answer {
    let inputs: Vec<_> = match &body["input"] {
        Value::Array(inputs) => inputs.iter().filter_map(Value::as_str).collect(),
        input => input.as_str().into_iter().collect(),
    };
    let embedded = inputs.iter().enumerate().map(
        |(index, input)| json!({ "object": "embedding", "index": index, "embedding": embedding(input) }),
    );
    let usage = json!({ "prompt_tokens": inputs.len(), "total_tokens": inputs.len() });
    let data: Vec<_> = embedded.collect();
    Answer::json(
        200,
        &json!({ "object": "list", "model": body["model"], "data": data, "usage": usage }),
    )
}

pub(super) fn embedding(text: &str) -> Vec<f64> {
    let mut counts = vec![0.0_f64; DIMENSION];
    // So that a text without words has a direction too.
    counts[0] = 0.1;
    for word in text
        .to_lowercase()
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
    {
        // FNV-1a: the same on every machine.
        let hash = word.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        counts[usize::try_from(hash % 1_535).unwrap() + 1] += 1.0;
    }
    let length = counts.iter().map(|count| count * count).sum::<f64>().sqrt();
    counts.iter().map(|count| count / length).collect()
}

/// Answers with the sentences of the prompt that name a number of days, as a model that reads its passages would, and
/// cites the first passage.
pub(crate) fn quote(body: &Value) -> Answer {
    let text: String = body["messages"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|message| message["content"].as_str())
        .collect();
    let sentences = text.split(['.', '\n']).map(str::trim);
    let found: BTreeSet<_> = sentences
        .filter(|sentence| {
            let mut words = sentence.split(' ').zip(sentence.split(' ').skip(1));
            words.any(|(number, days)| number.parse::<u32>().is_ok() && days.starts_with("days"))
        })
        .collect();
    let answer = if found.is_empty() {
        "The passages do not say.".to_owned()
    } else {
        format!("{} [1].", found.into_iter().collect::<Vec<_>>().join(". "))
    };
    if body["stream"] == true {
        streamed(&answer)
    } else {
        whole(&answer)
    }
}

/// What an answer costs here, always.
fn usage() -> Value {
    json!({ "prompt_tokens": 25, "completion_tokens": 12, "total_tokens": 37 })
}

fn whole(text: &str) -> Answer {
    let message = json!({ "role": "assistant", "content": text, "refusal": null });
    let choice = json!({ "index": 0, "message": message, "finish_reason": "stop", "logprobs": null });
    Answer::json(
        200,
        &json!({
            "id": "chatcmpl-1", "object": "chat.completion", "created": 1_764_000_000, "model": "gpt-4o-mini-2024-07-18",
            "choices": [choice], "usage": usage(),
        }),
    )
}

/// A chunk of a streamed answer.
pub(crate) fn chunk(text: &str) -> Value {
    chunk_with(&json!({ "content": text }), &Value::Null)
}

fn chunk_with(delta: &Value, finish: &Value) -> Value {
    json!({
        "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_764_000_000,
        "model": "gpt-4o-mini-2024-07-18", "usage": null,
        "choices": [{ "index": 0, "delta": delta, "finish_reason": finish, "logprobs": null }],
    })
}

/// A whole streamed answer, word by word, with its usage, as OpenAI sends it.
pub(crate) fn streamed(text: &str) -> Answer {
    let mut chunks = vec![chunk_with(
        &json!({ "role": "assistant", "content": "" }),
        &Value::Null,
    )];
    chunks.extend(text.split_inclusive(' ').map(chunk));
    chunks.push(chunk_with(&json!({}), &json!("stop")));
    let mut last = chunk("");
    last["choices"] = json!([]);
    last["usage"] = usage();
    chunks.push(last);
    let events = chunks.iter().map(Value::to_string);
    Answer::events(events.chain(["[DONE]".to_owned()]))
}
