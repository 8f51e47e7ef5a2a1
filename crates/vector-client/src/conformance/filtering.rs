//! What a filter lets through.

use std::collections::BTreeMap;

use tenantry_domain::{Bound, Bounds, DocumentVersion, Filter, Metadata, MetadataValue};

use super::fixture::{chunk, embedding, metadata, version};
use super::random::Random;
use super::store::Capabilities;
use super::subject::{NORTH, Subject, UP, hybrid, top};
use crate::{VectorQuery, VectorStore};

/// How many documents the checks below filter.
const DOCUMENTS: u8 = 40;

fn text(text: &str) -> MetadataValue {
    MetadataValue::Text(text.to_owned())
}

fn number(number: f64) -> MetadataValue {
    MetadataValue::Number(number)
}

fn range(key: &str, lower: Option<(MetadataValue, bool)>, upper: Option<(MetadataValue, bool)>) -> Filter {
    let end = |end: Option<(MetadataValue, bool)>| end.map(|(value, inclusive)| Bound { value, inclusive });
    let bounds = Bounds {
        lower: end(lower),
        upper: end(upper),
    };
    Filter::Range(key.to_owned(), bounds)
}

/// Each operator on each kind of value, on keys that are missing, and nested, lets through what [`Filter::matches`] says.
pub fn every_operator_lets_through_what_it_matches(store: &dyn VectorStore, capabilities: Capabilities) {
    let subject = Subject::emptied(store, "conformance-operators");
    let filed = file(&subject, every_kind().into_iter());
    let mut filters = every_operator();
    let negate = |filter: &Filter| Filter::Not(Box::new(filter.clone()));
    filters.extend(filters.iter().map(negate).collect::<Vec<_>>());
    filters.push(Filter::Or(filters.iter().take(60).cloned().collect()));
    for filter in &filters {
        check(&subject, capabilities, &filed, filter);
    }
}

/// Metadata whose key `k` has each kind of value, some of which look like another one.
fn every_kind() -> Vec<Metadata> {
    let values = [
        text("en"),
        text("en' OR 1=1 --"),
        text(""),
        number(1.0),
        number(9_007_199_254_740_992.0),
        number(9_007_199_254_740_994.0),
        number(0.1 + 0.2),
        MetadataValue::Bool(true),
        MetadataValue::Bool(false),
        MetadataValue::Texts(vec![]),
        MetadataValue::Texts(vec!["en".into(), "de".into()]),
    ];
    let mut documents = values.map(|value| metadata([("k", value)])).to_vec();
    documents.push(metadata([]));
    documents.push(metadata([("k", text("2026-11-23")), ("k.k", number(-0.0))]));
    documents
}

/// Filters with each operator on each kind of value.
fn every_operator() -> Vec<Filter> {
    let values = [
        text("en"),
        text(""),
        text("1"),
        text("true"),
        text("en' OR 1=1 --"),
        number(1.0),
        number(0.3),
        number(9_007_199_254_740_992.0),
        MetadataValue::Bool(true),
    ];
    let key = || "k".to_owned();
    let inside = |value| Some((value, true));
    let mut filters = vec![
        Filter::And(vec![]),
        Filter::Or(vec![]),
        Filter::In(key(), vec![]),
        Filter::In(key(), values.to_vec()),
        Filter::Eq("k.k".to_owned(), number(0.0)),
        Filter::Ne("missing".to_owned(), text("en")),
        range("k", inside(text("2026-01-01")), inside(text("2026-12-31"))),
        range("k", inside(number(0.5)), inside(text("z"))),
        range("missing", None, inside(number(1.0))),
    ];
    for value in &values {
        filters.push(Filter::Eq(key(), value.clone()));
        filters.push(Filter::Ne(key(), value.clone()));
        if !matches!(value, MetadataValue::Bool(_)) {
            for inclusive in [true, false] {
                let end = || Some((value.clone(), inclusive));
                filters.push(range("k", end(), None));
                filters.push(range("k", None, end()));
            }
        }
    }
    filters
}

/// The widest and the deepest filter that [`Filter::check`] lets through are answered.
pub fn the_largest_filter_is_answered(store: &dyn VectorStore, capabilities: Capabilities) {
    let subject = Subject::emptied(store, "conformance-largest");
    let documents = ["v7", "w7"].map(|value| metadata([("k", text(value))]));
    let filed = file(&subject, documents.into_iter());
    let values: Vec<_> = (0..Filter::MAX_VALUES).map(|n| text(&format!("v{n}"))).collect();
    let part = Filter::In("k".to_owned(), values);
    let wide = Filter::Or(vec![part.clone(); Filter::MAX_PARTS - 1]);
    let deep = (1..Filter::MAX_DEPTH).fold(part, |filter, n| {
        if n % 2 == 0 {
            Filter::And(vec![filter])
        } else {
            Filter::Not(Box::new(filter))
        }
    });
    for filter in [wide, deep] {
        filter.check().expect("the filter is within its bounds");
        assert_eq!(check(&subject, capabilities, &filed, &filter), 1);
    }
}

/// Filters at random, of hostile keys and values, let through what [`Filter::matches`] says.
pub fn random_filters_let_through_what_they_match(
    store: &dyn VectorStore,
    capabilities: Capabilities,
    seed: u64,
) {
    let subject = Subject::emptied(store, "conformance-filters");
    let mut random = Random::new(seed);
    let filed = file(&subject, (0..DOCUMENTS).map(|_| random.metadata()));
    let telling = (0..250).filter(|_| {
        let found = check(&subject, capabilities, &filed, &random.filter());
        found > 0 && found < filed.len()
    });
    let telling = telling.count();
    assert!(
        telling > 80,
        "only {telling} filters of seed {seed} tell documents apart"
    );
}

/// The only chunk that passes is found by each ranking, though many others fit the query better.
pub fn a_filter_finds_the_one_among_many(store: &dyn VectorStore, capabilities: Capabilities) {
    let subject = Subject::emptied(store, "conformance-rare");
    let many: Vec<_> = (0..300)
        .map(|n| chunk(n, "apples apples apples", Some(&NORTH)))
        .collect();
    subject.put_with(version(1, 1), &metadata([("lang", text("en"))]), &many);
    let one = [chunk(
        0,
        "one of a long list of words, among them apples",
        Some(&UP),
    )];
    subject.put_with(version(2, 1), &metadata([("lang", text("is"))]), &one);
    let filter = Filter::Eq("lang".to_owned(), text("is"));
    let wanted = embedding(&NORTH);
    let found = subject.search(VectorQuery {
        filter: Some(&filter),
        ..hybrid("apples", &wanted, 1)
    });
    assert_eq!(
        found.iter().map(|found| found.of).collect::<Vec<_>>(),
        [version(2, 1)]
    );
    assert_eq!(found[0].score.dense_rank, Some(1));
    assert_eq!(found[0].score.lexical_rank, capabilities.lexical.then_some(1));
}

/// Versions of one document are filtered each by its own metadata, and writing a version again replaces it.
pub fn metadata_is_the_version_s_own(store: &dyn VectorStore) {
    let subject = Subject::emptied(store, "conformance-metadata");
    let of = |lang: &str| metadata([("lang", text(lang)), (lang, MetadataValue::Bool(true))]);
    let one = [chunk(0, "apples", Some(&NORTH))];
    subject.put_with(version(1, 1), &of("en"), &one);
    subject.put_with(version(1, 2), &of("de"), &one);
    let wanted = embedding(&NORTH);
    let found = |filter: &Filter| -> Vec<_> {
        let query = VectorQuery {
            filter: Some(filter),
            ..hybrid("apples", &wanted, 10)
        };
        subject.search(query).iter().map(|found| found.of).collect()
    };
    let english = Filter::Eq("lang".to_owned(), text("en"));
    let was_english = Filter::Eq("en".to_owned(), MetadataValue::Bool(true));
    assert_eq!(found(&english), [version(1, 1)]);
    subject.put_with(version(1, 1), &of("de"), &one);
    subject.put_with(version(1, 2), &of("en"), &one);
    assert_eq!(found(&english), [version(1, 2)]);
    assert_eq!(found(&was_english), [version(1, 2)]);
    subject.remove(version(1, 2));
    subject.put(version(1, 2), &one);
    assert_eq!(found(&english), []);
}

/// Stores a document of two chunks for each metadata.
fn file(
    subject: &Subject<'_>,
    documents: impl Iterator<Item = Metadata>,
) -> BTreeMap<DocumentVersion, Metadata> {
    let filed: BTreeMap<_, _> = (0..)
        .zip(documents)
        .map(|(n, metadata)| (version(n, 1), metadata))
        .collect();
    for (of, metadata) in &filed {
        let two = [chunk(0, "apples", Some(&NORTH)), chunk(1, "apples", Some(&UP))];
        subject.put_with(*of, metadata, &two);
    }
    filed
}

/// Compares what is found with what the filter means, by every way to search; gives how many documents pass.
fn check(
    subject: &Subject<'_>,
    capabilities: Capabilities,
    filed: &BTreeMap<DocumentVersion, Metadata>,
    filter: &Filter,
) -> usize {
    let passing = filed.iter().filter(|(_, metadata)| filter.matches(metadata));
    let expected: Vec<_> = passing.flat_map(|(of, _)| [(*of, 0), (*of, 1)]).collect();
    let wanted = embedding(&NORTH);
    let mut queries = vec![hybrid("", &wanted, 1_000), hybrid("apples", &wanted, 1_000)];
    if capabilities.lexical {
        queries.push(VectorQuery::words("apples", top(1_000)));
    }
    for query in queries {
        let found = subject.search(VectorQuery {
            filter: Some(filter),
            ..query
        });
        let mut found: Vec<_> = found
            .iter()
            .map(|found| (found.of, found.chunk.ordinal))
            .collect();
        found.sort_unstable();
        assert_eq!(found, expected, "{filter:?}");
    }
    expected.len() / 2
}
