//! The yardstick of the quality bench is tested, so that its figures can be believed.

#[path = "../benches/quality/collection.rs"]
mod collection;
#[path = "../benches/quality/metrics.rs"]
mod metrics;

use std::fs;

use metrics::{Judgements, mean, ndcg, recall};

fn ranking(documents: &[&str]) -> Vec<String> {
    documents.iter().map(|&document| document.to_owned()).collect()
}

fn judged(pairs: &[(&str, u32)]) -> Judgements {
    pairs
        .iter()
        .map(|&(document, relevance)| (document.to_owned(), relevance))
        .collect()
}

fn close(a: f64, b: f64) {
    assert!((a - b).abs() < 1e-9, "{a} is not {b}");
}

#[test]
fn ndcg_is_that_of_a_computation_by_hand() {
    let judged = judged(&[("a", 3), ("b", 2), ("c", 1), ("d", 0)]);
    close(ndcg(&ranking(&["a", "b", "c"]), &judged, 10), 1.0);
    // 2/log2(2) + 0 + 3/log2(4), over 3/log2(2) + 2/log2(3) + 1/log2(4).
    let ideal = 3.0 + 2.0 / 3_f64.log2() + 0.5;
    close(ndcg(&ranking(&["b", "x", "a"]), &judged, 10), (2.0 + 1.5) / ideal);
    close(ndcg(&ranking(&["x", "a"]), &judged, 1), 0.0);
    close(ndcg(&[], &judged, 10), 0.0);
}

#[test]
fn recall_counts_relevant_documents_alone() {
    let judged = judged(&[("a", 1), ("b", 2), ("c", 0)]);
    close(recall(&ranking(&["c", "a", "x"]), &judged, 10), 0.5);
    close(recall(&ranking(&["c", "x", "a"]), &judged, 2), 0.0);
    close(recall(&ranking(&["b", "a"]), &judged, 2), 1.0);
    close(mean(&[0.5, 1.0]), 0.75);
    close(mean(&[]), 0.0);
}

#[test]
fn a_collection_is_read_in_both_spellings() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write(
        "corpus.jsonl",
        "{\"_id\":\"d1\",\"title\":\"T\",\"text\":\"x\"}\n\n{\"id\":\"d2\",\"text\":\"y\"}\n",
    );
    write(
        "queries.jsonl",
        "{\"_id\":\"q1\",\"text\":\"one\"}\n{\"_id\":\"q2\",\"text\":\"two\"}\n",
    );
    write("qrels.tsv", "query-id\tcorpus-id\tscore\nq1\td1\t2\nq1\td2\t0\n");
    let mut ids = Vec::new();
    collection::documents(folder.path(), &mut |entry| {
        ids.push((entry.id, entry.title, entry.text));
        Ok(())
    })
    .unwrap();
    assert_eq!(ids.len(), 2);
    let queries = collection::queries(folder.path()).unwrap();
    assert_eq!(
        (queries.len(), queries[0].0.text.as_str(), queries[0].1["d1"]),
        (1, "one", 2)
    );
    write("qrels.tsv", "q2 0 d2 1\n");
    let queries = collection::queries(folder.path()).unwrap();
    assert_eq!((queries[0].0.id.as_str(), queries[0].1["d2"]), ("q2", 1));
}

#[test]
fn what_is_wrong_with_a_collection_is_told_by_file_and_line() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write("queries.jsonl", "{\"_id\":\"q1\",\"text\":\"one\"}\n{oops\n");
    write("qrels.tsv", "q1 0 d1 1\n");
    let told = |folder| collection::queries(folder).unwrap_err();
    assert!(
        told(folder.path()).contains("queries.jsonl:2:"),
        "{}",
        told(folder.path())
    );
    write("qrels.tsv", "q1 0 d1 1\nq1 0 d2 high\n");
    assert!(
        told(folder.path()).contains("qrels.tsv:2:"),
        "{}",
        told(folder.path())
    );
    write("queries.jsonl", "");
    write("qrels.tsv", "q1 0 d1 1\n");
    assert!(told(folder.path()).contains("lacks"), "{}", told(folder.path()));
}
