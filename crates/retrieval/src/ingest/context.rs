use sha2::{Digest, Sha256};
use tenantry_domain::{Chunk, ChunkHash, EmbeddingModel};
use tenantry_llm_client::estimate_tokens;

use crate::outline::heading;

/// How many tokens of what stands above a chunk are embedded with it.
const MAX_TOKENS: usize = 40;
/// How many characters of the innermost heading are embedded when even that has more tokens.
const MAX_CHARACTERS: usize = 80;

/// What stands above a chunk: the document's title and the headings that the chunk does not begin with itself.
pub(super) fn context(title: &str, chunk: &Chunk) -> Vec<String> {
    let mut parts = vec![title.to_owned()];
    parts.extend(chunk.headings.iter().cloned());
    let own = chunk
        .text
        .lines()
        .next()
        .and_then(|line| heading(line.trim_start()));
    if let Some((_, own)) = own
        && chunk.headings.last().is_some_and(|last| last == own)
    {
        parts.pop();
    }
    // Many texts repeat their title as their first heading.
    parts.dedup();
    parts
}

/// The words of a context, outermost first.
pub(super) fn line(context: &[String]) -> String {
    context.join(" > ")
}

/// What is embedded for a chunk: as much of its context as leaves a small model room for the chunk, and the chunk.
pub(super) fn embedded_text(context: &[String], chunk: &Chunk) -> String {
    let mut parts = context.to_vec();
    // The title and the innermost heading say most; the outer headings go first, then the title.
    while estimate_tokens(&line(&parts)) > MAX_TOKENS && parts.len() > 1 {
        parts.remove(usize::from(parts.len() > 2));
    }
    let mut above = line(&parts);
    if estimate_tokens(&above) > MAX_TOKENS {
        above = above.chars().take(MAX_CHARACTERS).collect();
    }
    if above.is_empty() {
        chunk.text.clone()
    } else {
        format!("{above}\n{}", chunk.text)
    }
}

/// The hash of what a chunk's embedding is made from. The dimension is no part of it, because it is learned from the first
/// embedding.
pub(super) fn hash(model: Option<&EmbeddingModel>, embedded: &str) -> ChunkHash {
    let mut hash = Sha256::new();
    if let Some(model) = model {
        hash.update(model.provider.as_bytes());
        hash.update([0]);
        hash.update(model.name.as_bytes());
    }
    hash.update([0]);
    hash.update(embedded.as_bytes());
    let digest: [u8; 32] = hash.finalize().into();
    let mut first = [0; 16];
    first.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
    ChunkHash::from_bytes(first)
}

#[cfg(test)]
mod tests {
    use tenantry_domain::Span;

    use super::*;

    fn chunk(text: &str, headings: &[&str]) -> Chunk {
        Chunk {
            ordinal: 0,
            span: Span { start: 0, end: 0 },
            text: text.into(),
            headings: headings.iter().map(|&heading| heading.to_owned()).collect(),
            page: None,
        }
    }

    fn above(title: &str, chunk: &Chunk) -> String {
        line(&context(title, chunk))
    }

    #[test]
    fn nothing_is_said_twice() {
        assert_eq!(
            above("Rules", &chunk("text", &["Fees", "Late"])),
            "Rules > Fees > Late"
        );
        assert_eq!(
            above("Rules", &chunk("## Late ##\ntext", &["Fees", "Late"])),
            "Rules > Fees"
        );
        assert_eq!(above("Rules", &chunk("text", &["Rules", "Late"])), "Rules > Late");
        assert_eq!(above("Rules", &chunk("# Rules\ntext", &["Rules"])), "Rules");
    }

    #[test]
    fn a_long_context_keeps_the_title_and_what_is_nearest() {
        let long = "very long heading ".repeat(12);
        let chunk = chunk("text", &[&long, "Late"]);
        let embedded = embedded_text(&context("Rules", &chunk), &chunk);
        assert_eq!(embedded, "Rules > Late\ntext");
        let embedded = embedded_text(&context(&long, &chunk), &chunk);
        assert_eq!(embedded, "Late\ntext");
        let alone = embedded_text(std::slice::from_ref(&long), &chunk);
        assert!(estimate_tokens(&alone) <= MAX_TOKENS + 1 + estimate_tokens("text"));
    }

    #[test]
    fn the_hash_tells_models_and_texts_apart() {
        let model = |name: &str, dimension| EmbeddingModel {
            provider: "local".into(),
            name: name.into(),
            dimension,
        };
        let one = hash(Some(&model("a", None)), "text");
        assert_eq!(
            one,
            hash(Some(&model("a", tenantry_domain::Dimension::new(3).ok())), "text")
        );
        assert_ne!(one, hash(Some(&model("b", None)), "text"));
        assert_ne!(one, hash(Some(&model("a", None)), "text "));
        assert_ne!(one, hash(None, "text"));
    }
}
