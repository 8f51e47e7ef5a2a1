use std::collections::BTreeMap;

use tenantry_domain::{Bound, Bounds, Embedding, ExternalIndex, Filter, MetadataValue};

use super::fixture::embedding;
use super::subject::{EAST, NORTH, top};
use super::writing::assert_mismatch;
use crate::{Record, RecordIndex, RecordQuery};

/// A record of the suite, to be written as another tool would.
#[derive(Debug, Clone)]
pub struct ForeignRecord {
    /// Its namespace; empty for the index's default one.
    pub namespace: &'static str,
    /// Its id.
    pub id: &'static str,
    /// Its embedding, of three numbers.
    pub embedding: Embedding,
    /// Its fields.
    pub fields: BTreeMap<String, MetadataValue>,
}

fn text(text: &str) -> MetadataValue {
    MetadataValue::Text(text.to_owned())
}

fn foreign<const N: usize>(
    namespace: &'static str,
    id: &'static str,
    values: [f32; 3],
    fields: [(&str, MetadataValue); N],
) -> ForeignRecord {
    ForeignRecord {
        namespace,
        id,
        embedding: embedding(&values),
        fields: fields.map(|(key, value)| (key.to_owned(), value)).into(),
    }
}

/// What the index must hold when [`record_index`] is run: two namespaces, equal ids in both.
pub fn foreign_records() -> Vec<ForeignRecord> {
    let number = MetadataValue::Number;
    vec![
        foreign(
            "",
            "a",
            [1.0, 0.1, 0.0],
            [
                ("body", text("Refunds take five days.")),
                ("title", text("Terms")),
                ("source", text("terms.pdf")),
                ("page", number(3.0)),
                ("year", number(2024.0)),
            ],
        ),
        foreign(
            "",
            "b/1#\"é\"",
            [1.0, 0.2, 0.0],
            [
                ("body", text("Zoë's 猫 \"said\" so.")),
                ("source", text("cats.html")),
                ("page", text("iv")),
                ("tags", MetadataValue::Texts(vec!["cats".into(), "pets".into()])),
            ],
        ),
        foreign(
            "",
            "c",
            [1.0, 0.3, 0.0],
            [
                ("body", text("Long. ".repeat(200).as_str())),
                ("file_name", text("long.txt")),
                ("page", number(1.5)),
                ("public", MetadataValue::Bool(true)),
            ],
        ),
        foreign("", "d", NORTH, [("text", text("under another field"))]),
        foreign("", "e", NORTH, [("body", text("")), ("year", number(2024.0))]),
        foreign("", "f", NORTH, [("body", number(7.0))]),
        foreign(
            "other",
            "a",
            NORTH,
            [("body", text("of another namespace")), ("year", number(2024.0))],
        ),
    ]
}

/// The index that the checks read: the default namespace, with the text in `body`.
pub fn foreign_index() -> ExternalIndex {
    ExternalIndex {
        namespace: String::new(),
        text_field: "body".to_owned(),
    }
}

/// Checks every promise of [`RecordIndex`], on an index that holds [`foreign_records`] and nothing else.
pub fn record_index(records: &dyn RecordIndex) {
    only_records_of_the_namespace_are_found(records);
    records_come_best_first_and_at_most_limit(records);
    a_record_without_text_is_left_out(records);
    title_and_page_are_the_record_s_own(records);
    records_bring_embeddings_where_asked_for(records);
    a_filter_on_records_lets_through_what_it_matches(records);
    a_search_of_records_by_another_dimension_is_refused(records);
}

/// Only the index's namespace is read, also where another one has the same ids; one without records has none.
pub fn only_records_of_the_namespace_are_found(records: &dyn RecordIndex) {
    let of = |namespace: &str| {
        let index = ExternalIndex {
            namespace: namespace.to_owned(),
            ..foreign_index()
        };
        let found = search(records, &index, 100, None);
        found.into_iter().map(|record| record.text).collect::<Vec<_>>()
    };
    assert_eq!(of("other"), ["of another namespace"]);
    assert_eq!(of("nobody"), Vec::<String>::new());
    assert!(!of("").contains(&"of another namespace".to_owned()));
}

/// The nearest come first, and no more than asked for.
pub fn records_come_best_first_and_at_most_limit(records: &dyn RecordIndex) {
    assert_eq!(
        ids(&search(records, &foreign_index(), 100, None)),
        ["a", "b/1#\"é\"", "c"]
    );
    let text_of_d = ExternalIndex {
        text_field: ExternalIndex::TEXT_FIELD.to_owned(),
        ..foreign_index()
    };
    assert_eq!(ids(&search(records, &text_of_d, 1, None)), ["d"]);
    let found = search(records, &foreign_index(), 5, None);
    assert!(found.is_sorted_by(|a, b| a.score >= b.score));
    assert!((found[0].score - 0.995).abs() < 1e-3, "{}", found[0].score);
}

/// What has no text under the field, an empty one, or something else there is no answer to anything.
pub fn a_record_without_text_is_left_out(records: &dyn RecordIndex) {
    let found = search(records, &foreign_index(), 100, None);
    assert!(
        found.iter().all(|record| !record.text.trim().is_empty()),
        "{found:?}"
    );
    let nowhere = ExternalIndex {
        text_field: "no such field".to_owned(),
        ..foreign_index()
    };
    assert_eq!(search(records, &nowhere, 100, None), []);
}

/// Text, title and page come from the record's fields, whatever their length and characters.
pub fn title_and_page_are_the_record_s_own(records: &dyn RecordIndex) {
    let found = search(records, &foreign_index(), 100, None);
    let told: Vec<_> = found
        .iter()
        .map(|record| (record.title.as_deref(), record.page))
        .collect();
    assert_eq!(
        told,
        [
            (Some("Terms"), Some(3)),
            (Some("cats.html"), None),
            (Some("long.txt"), None)
        ]
    );
    assert_eq!(found[1].text, "Zoë's 猫 \"said\" so.");
    assert_eq!(found[2].text, "Long. ".repeat(200));
}

/// Records bring their embeddings only where the query asks for it.
pub fn records_bring_embeddings_where_asked_for(records: &dyn RecordIndex) {
    let wanted = embedding(&NORTH);
    for with_embeddings in [false, true] {
        let query = RecordQuery {
            embedding: &wanted,
            limit: top(100),
            filter: None,
            with_embeddings,
        };
        let found = records.search(&foreign_index(), query).expect("searched");
        assert!(
            found
                .iter()
                .all(|record| record.embedding.is_some() == with_embeddings)
        );
        if let Some(first) = &found[0].embedding {
            let cosine = first
                .cosine(&embedding(&[1.0, 0.1, 0.0]))
                .expect("of one dimension");
            assert!(cosine > 0.999_9, "{cosine}");
        }
    }
}

/// Filters are taken for data and let through what they match on the record's own fields.
pub fn a_filter_on_records_lets_through_what_it_matches(records: &dyn RecordIndex) {
    let eq = |key: &str, value| Filter::Eq(key.to_owned(), value);
    let not = |filter| Filter::Not(Box::new(filter));
    let page = |value, inclusive| {
        let lower = Some(Bound { value, inclusive });
        Filter::Range("page".to_owned(), Bounds { lower, upper: None })
    };
    let (a, b, c) = ("a", "b/1#\"é\"", "c");
    let cases = [
        (eq("year", MetadataValue::Number(2024.0)), vec![a]),
        (eq("year", text("2024")), vec![]),
        (not(eq("year", MetadataValue::Number(2024.0))), vec![b, c]),
        (Filter::Ne("source".to_owned(), text("terms.pdf")), vec![b, c]),
        (eq("tags", text("pets")), vec![b]),
        (eq("public", MetadataValue::Bool(true)), vec![c]),
        (
            Filter::In("title".to_owned(), vec![text("x' OR 1=1"), text("Terms")]),
            vec![a],
        ),
        (page(MetadataValue::Number(1.5), false), vec![a]),
        (page(MetadataValue::Number(1.5), true), vec![a, c]),
        (page(text("i"), true), vec![b]),
        (not(page(MetadataValue::Number(1.5), true)), vec![b]),
        (Filter::Or(vec![]), vec![]),
        (Filter::And(vec![]), vec![a, b, c]),
        (eq("source", text("{\"$ne\":null}")), vec![]),
    ];
    for (filter, expected) in cases {
        let found = search(records, &foreign_index(), 100, Some(&filter));
        assert_eq!(ids(&found), expected, "{filter:?}");
    }
}

/// A query of another dimension is refused by name of both.
pub fn a_search_of_records_by_another_dimension_is_refused(records: &dyn RecordIndex) {
    let wanted = embedding(&EAST[..2]);
    let query = RecordQuery {
        embedding: &wanted,
        limit: top(1),
        filter: None,
        with_embeddings: false,
    };
    let refused = records.search(&foreign_index(), query);
    assert_mismatch(&refused.expect_err("another dimension is refused"));
}

fn search(
    records: &dyn RecordIndex,
    index: &ExternalIndex,
    limit: u16,
    filter: Option<&Filter>,
) -> Vec<Record> {
    let wanted = embedding(&NORTH);
    let query = RecordQuery {
        embedding: &wanted,
        limit: top(limit),
        filter,
        with_embeddings: false,
    };
    records.search(index, query).expect("searched")
}

fn ids(records: &[Record]) -> Vec<&str> {
    records.iter().map(|record| record.id.as_str()).collect()
}
