//! What every [`Embedder`], [`Reranker`], [`Completer`] and [`Providers`] owes its callers, one function an obligation, each panicking
//! where it is not kept.
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a broken obligation is reported by a panic"
)]

use std::ops::ControlFlow;

use tenantry_domain::{Cancellation, Embedding, MessageRole};

use crate::{
    Completer, Completion, Embedder, Grounding, InvalidBaseUrl, LlmError, Passage, Prompt, ProviderAddress,
    Providers, Reranker, Sampling, Turn,
};

/// Runs every obligation of an [`Embedder`].
pub fn embedder(subject: &dyn Embedder) {
    no_texts_give_no_embeddings(subject);
    an_empty_text_is_refused(subject);
    each_text_has_its_embedding_in_order(subject);
    many_texts_are_all_embedded(subject);
    all_embeddings_have_one_dimension(subject);
    the_model_stays_the_same(subject);
    english_is_understood(subject);
}

/// No texts give no embeddings.
pub fn no_texts_give_no_embeddings(subject: &dyn Embedder) {
    assert_eq!(embed(subject, &[]), []);
}

/// An empty text is refused, also among others.
pub fn an_empty_text_is_refused(subject: &dyn Embedder) {
    for texts in [&[""][..], &["a", "", "b"]] {
        assert!(
            matches!(subject.embed(texts), Err(LlmError::Refused(_))),
            "{texts:?} was not refused"
        );
    }
}

/// Embeddings stand in the order of their texts, and a text has the same one wherever it stands.
pub fn each_text_has_its_embedding_in_order(subject: &dyn Embedder) {
    let both = embed(subject, &["refunds take a month", "ships leave on monday"]);
    let swapped = embed(subject, &["ships leave on monday", "refunds take a month"]);
    let [first, second] = both.as_slice() else {
        panic!("two texts gave {} embeddings", both.len())
    };
    let [other, one] = swapped.as_slice() else {
        panic!("two texts gave {} embeddings", swapped.len())
    };
    let near = |a: &Embedding, b: &Embedding| a.cosine(b).is_some_and(|cosine| cosine > 0.999);
    assert!(
        near(first, one) && near(second, other),
        "the order of the texts is lost"
    );
    assert!(!near(first, second), "different texts have one embedding");
}

/// More texts than one request of any provider takes are embedded all the same.
pub fn many_texts_are_all_embedded(subject: &dyn Embedder) {
    let texts = (0..600).map(|n| format!("text number {n}")).collect::<Vec<_>>();
    let texts = texts.iter().map(String::as_str).collect::<Vec<_>>();
    assert_eq!(embed(subject, &texts).len(), texts.len());
}

/// All embeddings have one dimension, the one that was named before.
pub fn all_embeddings_have_one_dimension(subject: &dyn Embedder) {
    let named = subject.identity().dimension;
    let embeddings = embed(
        subject,
        &["a", "a much longer text with many more words in it", "日本語"],
    );
    let first = embeddings
        .first()
        .expect("three texts have embeddings")
        .dimension();
    assert!(embeddings.iter().all(|embedding| embedding.dimension() == first));
    assert!(
        named.is_none_or(|named| named == first),
        "the dimension is not the one that was named"
    );
}

/// The model is named, and is the same one before a call and after it; only its dimension may be learned.
pub fn the_model_stays_the_same(subject: &dyn Embedder) {
    let before = subject.identity();
    assert!(!before.provider.is_empty() && !before.name.is_empty());
    embed(subject, &["a"]);
    let after = subject.identity();
    assert!(
        after.is_same_space(&before),
        "{before} became {after} by embedding"
    );
}

/// A plain English sentence and a plain English word are understood.
pub fn english_is_understood(subject: &dyn Embedder) {
    for text in ["How long do refunds take?", "refunds"] {
        assert!(subject.understands(text), "{text:?} is not understood");
    }
}

/// Runs every obligation of a [`Reranker`].
pub fn reranker(subject: &dyn Reranker) {
    no_passages_have_no_relevance(subject);
    an_empty_query_is_refused(subject);
    each_passage_has_its_relevance_in_order(subject);
}

/// No passages have no relevance.
pub fn no_passages_have_no_relevance(subject: &dyn Reranker) {
    assert!(!subject.model().is_empty());
    assert!(rerank(subject, "query", &[]).is_empty());
}

/// An empty query is refused, with passages and without.
pub fn an_empty_query_is_refused(subject: &dyn Reranker) {
    for passages in [&[][..], &["a"]] {
        assert!(
            matches!(subject.rerank("", passages), Err(LlmError::Refused(_))),
            "{passages:?} were ranked by nothing"
        );
    }
}

/// The relevance of a passage stands where the passage does, wherever that is; one that repeats the query has the most.
pub fn each_passage_has_its_relevance_in_order(subject: &dyn Reranker) {
    let passages = ["ships leave on monday", "refunds take a month", "the cat sleeps"];
    for at in 0..passages.len() {
        let mut passages = passages;
        passages.swap(1, at);
        let relevance = rerank(subject, "refunds take a month", &passages);
        assert_eq!(relevance.len(), passages.len());
        assert!(relevance.iter().all(|relevance| relevance.is_finite()));
        let best = relevance
            .iter()
            .enumerate()
            .max_by(|one, other| one.1.total_cmp(other.1));
        assert_eq!(best.map(|(at, _)| at), Some(at), "{relevance:?} of {passages:?}");
    }
}

/// Runs every obligation of a [`Completer`].
pub fn completer(subject: &dyn Completer) {
    an_answer_names_its_model(subject);
    the_pieces_are_the_text(subject);
    a_break_ends_the_answer(subject);
    a_raised_cancellation_ends_the_answer(subject);
    a_prompt_without_passages_is_answered(subject);
    every_kind_of_prompt_is_answered(subject);
    a_follow_up_is_rewritten_or_refused(subject);
    nothing_is_left_of_an_answer(subject);
}

/// An answer has text and says which model wrote it.
pub fn an_answer_names_its_model(subject: &dyn Completer) {
    assert!(!subject.model().is_empty());
    let completion = subject.complete(&prompt()).expect("an answer");
    assert!(!completion.text.is_empty(), "the answer is empty");
    assert!(!completion.model.is_empty(), "the answer does not name its model");
}

/// The pieces of a stream, put together, are the text of its completion.
pub fn the_pieces_are_the_text(subject: &dyn Completer) {
    let (heard, completion) = stream(subject, &Cancellation::new(), usize::MAX);
    let completion = completion.expect("an answer");
    assert!(!heard.is_empty(), "nothing was streamed");
    assert_eq!(heard.concat(), completion.text);
}

/// A reader that breaks hears nothing more, and the call says that it was cancelled.
pub fn a_break_ends_the_answer(subject: &dyn Completer) {
    let (heard, completion) = stream(subject, &Cancellation::new(), 1);
    assert_eq!(heard.len(), 1);
    assert!(
        matches!(completion, Err(LlmError::Cancelled)),
        "a break is not reported as one"
    );
}

/// A cancellation that was raised before ends the call before the first piece.
pub fn a_raised_cancellation_ends_the_answer(subject: &dyn Completer) {
    let cancellation = Cancellation::new();
    cancellation.cancel();
    let (heard, completion) = stream(subject, &cancellation, usize::MAX);
    assert!(heard.is_empty(), "pieces came after the cancellation");
    assert!(
        matches!(completion, Err(LlmError::Cancelled)),
        "a cancellation is not reported as one"
    );
}

/// A question without passages still gets an answer.
pub fn a_prompt_without_passages_is_answered(subject: &dyn Completer) {
    let prompt = Prompt {
        question: "When?".to_owned(),
        ..Prompt::default()
    };
    assert!(!subject.complete(&prompt).expect("an answer").text.is_empty());
}

/// Whatever an answer may rest on, and whatever stands beside the question, it is answered: in one piece and streamed.
pub fn every_kind_of_prompt_is_answered(subject: &dyn Completer) {
    let turn = |speaker, text: &str| Turn {
        speaker,
        text: text.to_owned(),
    };
    let history = [
        turn(MessageRole::User, "Do you take returns?"),
        turn(MessageRole::Assistant, "Yes [1]."),
    ];
    for grounding in [Grounding::Passages, Grounding::PassagesFirst, Grounding::Off] {
        for turns in [&[][..], &history, &history[..1], &history[1..]] {
            let prompt = Prompt {
                grounding,
                history: turns.to_vec(),
                client_instruction: Some("Answer in one word.".to_owned()),
                language: Some("English".to_owned()),
                sampling: Sampling {
                    temperature: Some(0.0),
                    max_answer_tokens: Some(100),
                    stop: vec!["###".to_owned()],
                    seed: Some(1),
                    ..Sampling::default()
                },
                ..prompt()
            };
            assert!(!subject.complete(&prompt).expect("an answer").text.is_empty());
            let (heard, completion) = stream_of(subject, &prompt, &Cancellation::new(), usize::MAX);
            assert_eq!(heard.concat(), completion.expect("an answer").text);
            assert!(
                heard.iter().all(|piece| !piece.is_empty()),
                "an empty piece was passed on"
            );
        }
    }
}

/// Who says that it can rewrite does, and who does not refuses to: in one piece and streamed.
pub fn a_follow_up_is_rewritten_or_refused(subject: &dyn Completer) {
    let asked = Turn {
        speaker: MessageRole::User,
        text: "When are refunds paid?".to_owned(),
    };
    let prompt = Prompt::rewriting(vec![asked], "And postage?");
    let whole = subject.complete(&prompt);
    let (heard, streamed) = stream_of(subject, &prompt, &Cancellation::new(), usize::MAX);
    if subject.can_rewrite() {
        assert!(!whole.expect("a query").text.is_empty());
        assert_eq!(heard.concat(), streamed.expect("a query").text);
    } else {
        assert!(matches!(whole, Err(LlmError::Refused(_))), "{whole:?}");
        assert!(matches!(streamed, Err(LlmError::Refused(_))), "{streamed:?}");
        assert!(heard.is_empty());
    }
}

/// A cancellation after the end of an answer does no harm, and the next answer is whole.
pub fn nothing_is_left_of_an_answer(subject: &dyn Completer) {
    let cancellation = Cancellation::new();
    let (heard, completion) = stream(subject, &cancellation, usize::MAX);
    assert_eq!(heard.concat(), completion.expect("an answer").text);
    cancellation.cancel();
    let (again, completion) = stream(subject, &Cancellation::new(), usize::MAX);
    assert_eq!(again.concat(), completion.expect("an answer").text);
}

/// Runs every obligation of [`Providers`]. At `one` every model answers with the host of `one` in its text, at `other` with that
/// of `other`; both were chosen by a tenant.
pub fn providers(subject: &dyn Providers, one: &ProviderAddress, other: &ProviderAddress) {
    each_address_is_answered_by_its_own_provider(subject, one, other);
    each_address_has_its_own_embeddings(subject, one, other);
    an_address_that_is_not_allowed_is_refused(subject);
}

/// What was opened at an address is answered from there, whatever else is opened and in which order, and does not answer for
/// another.
pub fn each_address_is_answered_by_its_own_provider(
    subject: &dyn Providers,
    one: &ProviderAddress,
    other: &ProviderAddress,
) {
    let open = |address: &ProviderAddress| subject.completer(address, "chat").expect("a model");
    let host = |address: &ProviderAddress| address.base_url().host_str().unwrap_or_default().to_owned();
    let (first, second, again) = (open(one), open(other), open(one));
    for (model, address) in [(&second, other), (&first, one), (&again, one), (&second, other)] {
        let text = model.complete(&prompt()).expect("an answer").text;
        assert!(
            text.contains(&host(address)),
            "{} was answered by another: {text}",
            host(address)
        );
        let (heard, completion) = stream(model.as_ref(), &Cancellation::new(), usize::MAX);
        assert_eq!(heard.concat(), completion.expect("an answer").text);
        assert!(heard.concat().contains(&host(address)));
    }
}

/// An embedder can be opened at an address, and says there what it says elsewhere: who it is.
pub fn each_address_has_its_own_embeddings(
    subject: &dyn Providers,
    one: &ProviderAddress,
    other: &ProviderAddress,
) {
    for address in [one, other, one] {
        assert_eq!(subject.check(address), Ok(()));
        let embedder = subject.embedder(address, "embedding").expect("a model");
        assert_eq!(embed(embedder.as_ref(), &["a", "b"]).len(), 2);
    }
}

/// A tenant's address that is not `https` is refused, by the check and by every opening alike.
pub fn an_address_that_is_not_allowed_is_refused(subject: &dyn Providers) {
    let address = ProviderAddress::of_tenant("http://llm.example.org/v1", None).expect("an address");
    assert_eq!(subject.check(&address), Err(InvalidBaseUrl::NotHttps));
    let completer = subject.completer(&address, "chat");
    assert!(matches!(completer.err(), Some(LlmError::Refused(_))));
    let embedder = subject.embedder(&address, "embedding");
    assert!(matches!(embedder.err(), Some(LlmError::Refused(_))));
}

/// A prompt with a supported question.
pub fn prompt() -> Prompt {
    let passage = |number, title: &str, text: &str| Passage {
        number,
        title: title.into(),
        text: text.into(),
    };
    Prompt {
        system: Some("Be brief.".to_owned()),
        passages: vec![
            passage(1, "Returns", "Refunds are paid within 30 days."),
            passage(
                2,
                "Shipping",
                "We ship on weekdays. A refund of the postage is paid at once.",
            ),
        ],
        question: "When are refunds paid?".to_owned(),
        ..Prompt::default()
    }
}

fn embed(subject: &dyn Embedder, texts: &[&str]) -> Vec<Embedding> {
    subject.embed(texts).expect("embeddings").embeddings
}

fn rerank(subject: &dyn Reranker, query: &str, passages: &[&str]) -> Vec<f32> {
    subject.rerank(query, passages).expect("a relevance each")
}

fn stream(
    subject: &dyn Completer,
    cancellation: &Cancellation,
    stop_after: usize,
) -> (Vec<String>, Result<Completion, LlmError>) {
    stream_of(subject, &prompt(), cancellation, stop_after)
}

fn stream_of(
    subject: &dyn Completer,
    prompt: &Prompt,
    cancellation: &Cancellation,
    stop_after: usize,
) -> (Vec<String>, Result<Completion, LlmError>) {
    let mut heard = Vec::new();
    let completion = subject.stream(prompt, cancellation, &mut |delta| {
        heard.push(delta.to_owned());
        if heard.len() == stop_after {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    });
    (heard, completion)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        ExtractiveCompleter, FailingCompleter, FallbackCompleter, MemoryCompleter, MemoryEmbedder,
        MemoryProviders, MemoryReranker,
    };

    #[test]
    fn the_memory_embedder_conforms() {
        embedder(&MemoryEmbedder);
    }

    #[test]
    fn the_memory_reranker_conforms() {
        reranker(&MemoryReranker);
    }

    #[test]
    fn the_memory_completer_conforms() {
        completer(&MemoryCompleter::saying("Within 30 days [1]."));
        completer(&MemoryCompleter::saying("Within 30 days [1].").without_rewriting());
    }

    #[test]
    fn the_extractive_completer_conforms() {
        completer(&ExtractiveCompleter);
    }

    #[test]
    fn the_fallback_completer_conforms_by_its_first_model_and_by_a_later_one() {
        let memory = || -> Arc<dyn Completer> { Arc::new(MemoryCompleter::saying("Within 30 days [1].")) };
        let extractive = || -> Arc<dyn Completer> { Arc::new(ExtractiveCompleter) };
        let failing = || -> Arc<dyn Completer> {
            let down = || LlmError::Unavailable("scripted".into());
            Arc::new(FailingCompleter::at_once(down))
        };
        completer(&FallbackCompleter::new(memory(), vec![failing()]));
        completer(&FallbackCompleter::new(failing(), vec![memory()]));
        completer(&FallbackCompleter::new(
            failing(),
            vec![failing(), memory(), extractive()],
        ));
        completer(&FallbackCompleter::new(extractive(), Vec::new()));
        completer(&FallbackCompleter::new(extractive(), vec![memory()]));
    }

    #[test]
    fn the_memory_providers_conform() {
        let model = |text: &str| Arc::new(MemoryCompleter::saying(text));
        let subject = MemoryProviders::new()
            .with_completer("one.test", model("I am one.test."))
            .with_completer("other.test", model("I am other.test."))
            .with_embedder("one.test", Arc::new(MemoryEmbedder))
            .with_embedder("other.test", Arc::new(MemoryEmbedder));
        let address = |url: &str| ProviderAddress::of_tenant(url, None).unwrap();
        providers(
            &subject,
            &address("https://one.test/v1"),
            &address("https://other.test/v1"),
        );
        assert_eq!(subject.opened()[0].base_url, "https://one.test/v1");
        assert!(
            subject
                .opened()
                .iter()
                .all(|opened| opened.base_url.starts_with("https://"))
        );
    }
}
