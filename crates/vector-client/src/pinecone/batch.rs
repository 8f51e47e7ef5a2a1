//! Splits an upsert into requests that Pinecone takes.

/// How many records one request carries: Pinecone takes 1,000, but of 1,536 numbers as text 100 already fill the bytes.
const MAX_RECORDS: usize = 100;

/// The most bytes of one request's body.
const MAX_BYTES: usize = 2_000_000;

/// Joins records, in order, into batches of at most [`MAX_RECORDS`] records and [`MAX_BYTES`] bytes; a record that is
/// larger alone goes alone.
pub(super) fn split(records: Vec<Vec<u8>>, namespace: &str) -> Vec<Vec<Vec<u8>>> {
    let around = body(&[], namespace).len();
    let mut batches: Vec<Vec<Vec<u8>>> = Vec::new();
    let mut bytes = 0;
    for record in records {
        let needed = record.len() + 1;
        match batches.last_mut() {
            Some(batch) if batch.len() < MAX_RECORDS && bytes + needed <= MAX_BYTES => {
                bytes += needed;
                batch.push(record);
            }
            _ => {
                bytes = around + needed;
                batches.push(vec![record]);
            }
        }
    }
    batches
}

/// The body of one upsert. `namespace` is a tenant id with a generation, which have nothing that JSON escapes.
pub(super) fn body(records: &[Vec<u8>], namespace: &str) -> Vec<u8> {
    [
        b"{\"vectors\":[",
        records.join(&b',').as_slice(),
        b"],\"namespace\":\"",
        namespace.as_bytes(),
        b"\"}",
    ]
    .concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(records: Vec<Vec<u8>>) -> Vec<usize> {
        split(records, "acme").iter().map(Vec::len).collect()
    }

    #[test]
    fn a_batch_has_at_most_a_hundred_records() {
        assert_eq!(sizes(vec![b"{}".to_vec(); 250]), [100, 100, 50]);
        assert_eq!(sizes(Vec::new()), Vec::<usize>::new());
    }

    #[test]
    fn a_batch_stays_below_two_megabytes_as_it_is_sent() {
        let records = vec![vec![b'x'; 399_990]; 12];
        assert_eq!(sizes(records.clone()), [5, 5, 2]);
        let sent = split(records, "acme")
            .iter()
            .map(|batch| body(batch, "acme").len())
            .max();
        assert!(
            sent.is_some_and(|bytes| (1_900_000..=MAX_BYTES).contains(&bytes)),
            "{sent:?}"
        );
        assert_eq!(sizes(vec![vec![b'x'; 3_000_000], b"{}".to_vec()]), [1, 1]);
    }

    #[test]
    fn the_body_is_json() {
        let body = body(&[b"{\"id\":\"a\"}".to_vec(), b"{\"id\":\"b\"}".to_vec()], "acme");
        let read: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(
            read,
            serde_json::json!({"vectors": [{"id": "a"}, {"id": "b"}], "namespace": "acme"})
        );
    }
}
