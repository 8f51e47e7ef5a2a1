/// Texts in one request; OpenAI takes 2,048.
const MAX_TEXTS: usize = 256;
/// Bytes of text in one request. OpenAI takes 300,000 tokens, and hardly any text has fewer than two bytes a token.
const MAX_BYTES: usize = 600_000;

/// Splits `texts` into requests; a text that is too long by itself has one of its own.
pub(super) fn batches<'t, 's>(texts: &'t [&'s str]) -> Vec<&'t [&'s str]> {
    let mut batches = Vec::new();
    let mut start = 0;
    let mut bytes = 0;
    for (at, text) in texts.iter().enumerate() {
        if at > start && (at - start == MAX_TEXTS || bytes + text.len() > MAX_BYTES) {
            batches.extend(texts.get(start..at));
            start = at;
            bytes = 0;
        }
        bytes += text.len();
    }
    batches.extend(texts.get(start..).filter(|rest| !rest.is_empty()));
    batches
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(lengths: &[usize], expected: &[usize]) {
        let texts = lengths
            .iter()
            .map(|length| "x".repeat(*length))
            .collect::<Vec<_>>();
        let texts = texts.iter().map(String::as_str).collect::<Vec<_>>();
        let batches = batches(&texts);
        assert_eq!(
            batches.iter().map(|batch| batch.len()).collect::<Vec<_>>(),
            expected
        );
        assert_eq!(batches.concat(), texts);
    }

    #[test]
    fn a_batch_is_bounded_by_texts_and_by_bytes() {
        check(&[], &[]);
        check(&[1], &[1]);
        check(&[1; 256], &[256]);
        check(&[1; 600], &[256, 256, 88]);
        check(&[300_000, 300_000, 1], &[2, 1]);
        check(&[700_000, 1, 700_000, 700_000], &[1, 1, 1, 1]);
    }
}
