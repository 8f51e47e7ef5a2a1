use std::collections::BTreeMap;

use tenantry_domain::{Bound, Bounds, Filter, Generation, Metadata, MetadataValue, TopK};
use tenantry_vector_client::conformance::{Random, chunk, scope, version};
use tenantry_vector_client::{VectorQuery, VectorStore};

use crate::database::Database;

/// Numbers that are easily mistaken for each other.
const NUMBERS: [f64; 14] = [
    0.0,
    -0.0,
    0.1,
    0.1 + 0.2,
    0.3,
    1.0,
    9_007_199_254_740_992.0,
    9_007_199_254_740_994.0,
    f64::MAX,
    f64::MIN,
    f64::MIN_POSITIVE,
    5e-324,
    f64::EPSILON,
    1.0 + f64::EPSILON,
];

/// Texts that are easily mistaken for something else.
const TEXTS: [&str; 12] = [
    "",
    "a",
    "A",
    "ä",
    "true",
    "0.1",
    "null",
    "\"a\"",
    "[\"a\"]",
    "z",
    "Z",
    "\u{1f600}",
];

fn values() -> Vec<MetadataValue> {
    let numbers = NUMBERS.map(MetadataValue::Number);
    let texts = TEXTS.map(|text| MetadataValue::Text(text.to_owned()));
    let others = [
        MetadataValue::Bool(true),
        MetadataValue::Bool(false),
        MetadataValue::Texts(vec![]),
        MetadataValue::Texts(vec!["a".into(), "true".into(), "\u{1f600}".into()]),
    ];
    numbers.into_iter().chain(texts).chain(others).collect()
}

fn of_one(value: &MetadataValue) -> Metadata {
    Metadata::new(BTreeMap::from([("key".to_owned(), value.clone())])).unwrap()
}

fn range(value: &MetadataValue, inclusive: bool, is_lower: bool) -> Filter {
    let end = Some(Bound {
        value: value.clone(),
        inclusive,
    });
    let (lower, upper) = if is_lower { (end, None) } else { (None, end) };
    Filter::Range("key".to_owned(), Bounds { lower, upper })
}

/// Every filter of one comparison that may be asked.
fn filters() -> Vec<Filter> {
    let mut filters = Vec::new();
    for value in values() {
        for filter in [
            Filter::Eq("key".to_owned(), value.clone()),
            Filter::Ne("key".to_owned(), value.clone()),
            Filter::In("key".to_owned(), vec![value.clone(), MetadataValue::Bool(true)]),
            range(&value, true, true),
            range(&value, false, true),
            range(&value, true, false),
            range(&value, false, false),
            Filter::Not(Box::new(range(&value, true, true))),
        ] {
            filters.push(filter);
        }
    }
    filters.push(Filter::Eq("other".to_owned(), MetadataValue::Bool(true)));
    filters.push(Filter::Ne("other".to_owned(), MetadataValue::Bool(true)));
    filters.retain(|filter| filter.check().is_ok());
    filters
}

#[test]
fn a_filter_lets_through_exactly_what_it_matches() {
    let database = Database::create();
    let store = database.store();
    let tenant = scope("a");
    let index = tenant.index(Generation::FIRST);
    let mut stored: Vec<_> = values().iter().map(of_one).collect();
    stored.push(Metadata::default());
    for (n, metadata) in (0..).zip(&stored) {
        let chunks = [chunk(0, "apples", Some(&[1.0, 0.0]))];
        store.upsert(index, version(n, 1), metadata, &chunks).unwrap();
    }
    let mut random = Random::new(7);
    let singles = filters();
    let random_ones = (0..200).map(|_| random.filter());
    let pairs = singles.chunks(3).map(|some| Filter::Or(some.to_vec()));
    for filter in singles.iter().cloned().chain(pairs).chain(random_ones) {
        let query = VectorQuery {
            filter: Some(&filter),
            ..VectorQuery::words("apples", TopK::new(1_000).unwrap())
        };
        let found = store.search(index, query).unwrap();
        for (n, metadata) in (0..).zip(&stored) {
            let is_found = found.iter().any(|found| found.of == version(n, 1));
            assert_eq!(is_found, filter.matches(metadata), "{metadata:?} for {filter:?}");
        }
    }
}
