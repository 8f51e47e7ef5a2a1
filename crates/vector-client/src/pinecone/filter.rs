//! Filters as Pinecone understands them (<https://docs.pinecone.io/guides/search/filter-by-metadata>).
//!
//! A condition lets through all that the filter matches, and where the service cannot say what the filter says, more: who
//! asks checks every answer by [`Filter::matches`]. There is no `$not` in every version, so negations are pushed to the
//! leaves. `$gt` and its kin compare numbers alone. Whether `$ne` and `$nin` hold for a record without the field has
//! changed over time, so `$exists` always says it beside them.

use serde_json::{Value, json};
use tenantry_domain::{Bound, Bounds, Filter, MetadataValue};

use super::metadata::Kind;

/// How the metadata's keys became fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fields {
    /// One field for each key and kind of value, as [`Kind::field`] names them.
    Ours,
    /// The keys themselves, as another tool wrote them.
    Theirs,
}

/// What a record must be like.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Condition {
    /// Anything.
    Any,
    /// Nothing is.
    Never,
    /// What Pinecone's filter says.
    Filter(Value),
}

/// A filter's condition, and whether it lets through nothing else than what the filter matches.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Pushdown {
    pub(super) condition: Condition,
    pub(super) exact: bool,
}

/// The condition of a filter.
pub(super) fn push_down(filter: Option<&Filter>, fields: Fields) -> Pushdown {
    let mut compiler = Compiler { fields, exact: true };
    let condition = filter.map_or(Condition::Any, |filter| compiler.condition(filter, true));
    Pushdown {
        condition,
        exact: compiler.exact,
    }
}

struct Compiler {
    fields: Fields,
    exact: bool,
}

impl Compiler {
    /// What is so when `filter` holds, or when it does not.
    fn condition(&mut self, filter: &Filter, holds: bool) -> Condition {
        match (filter, holds) {
            (Filter::Eq(key, value), true) | (Filter::Ne(key, value), false) => {
                self.one_of(key, std::slice::from_ref(value))
            }
            (Filter::Eq(key, value), false) | (Filter::Ne(key, value), true) => {
                self.none_of(key, std::slice::from_ref(value))
            }
            (Filter::In(key, values), true) => self.one_of(key, values),
            (Filter::In(key, values), false) => self.none_of(key, values),
            (Filter::Range(key, bounds), true) => self.inside(key, bounds),
            (Filter::Range(key, bounds), false) => self.outside(key, bounds),
            (Filter::And(parts), true) | (Filter::Or(parts), false) => {
                all(parts.iter().map(|part| self.condition(part, holds)).collect())
            }
            (Filter::Or(parts), true) | (Filter::And(parts), false) => {
                any(parts.iter().map(|part| self.condition(part, holds)).collect())
            }
            (Filter::Not(part), _) => self.condition(part, !holds),
        }
    }

    fn one_of(&mut self, key: &str, values: &[MetadataValue]) -> Condition {
        let Some(groups) = groups(values) else {
            return self.cannot_say();
        };
        let says = |(kind, values): (Kind, Vec<Value>)| match values.as_slice() {
            [value] => is(&self.field(kind, key), "$eq", value),
            _ => is(&self.field(kind, key), "$in", &values.into()),
        };
        any(groups.into_iter().map(says).collect())
    }

    fn none_of(&mut self, key: &str, values: &[MetadataValue]) -> Condition {
        let Some(groups) = groups(values) else {
            return self.cannot_say();
        };
        let says = |(kind, values): (Kind, Vec<Value>)| {
            let field = self.field(kind, key);
            let differs = match values.as_slice() {
                [value] => is(&field, "$ne", value),
                _ => is(&field, "$nin", &values.into()),
            };
            any(vec![is_missing(&field), differs])
        };
        all(groups.into_iter().map(says).collect())
    }

    fn inside(&mut self, key: &str, bounds: &Bounds) -> Condition {
        match Range::of(bounds) {
            Range::Numbers(ends) => {
                let field = self.field(Kind::Number, key);
                all(ends
                    .iter()
                    .map(|end| is(&field, end.inside, &end.value))
                    .collect())
            }
            Range::Texts => {
                self.exact = false;
                is(&self.field(Kind::Text, key), "$exists", &json!(true))
            }
            Range::Nothing => Condition::Never,
            Range::Unbounded => self.cannot_say(),
        }
    }

    fn outside(&mut self, key: &str, bounds: &Bounds) -> Condition {
        match (Range::of(bounds), self.fields) {
            (Range::Numbers(ends), Fields::Ours) => {
                let field = self.field(Kind::Number, key);
                let beyond = ends.iter().map(|end| is(&field, end.outside, &end.value));
                any([is_missing(&field)].into_iter().chain(beyond).collect())
            }
            (Range::Nothing, _) => Condition::Any,
            // A value of another kind lies outside too, and the service cannot be asked for a kind.
            (Range::Numbers(_), Fields::Theirs) | (Range::Texts | Range::Unbounded, _) => self.cannot_say(),
        }
    }

    fn cannot_say(&mut self) -> Condition {
        self.exact = false;
        Condition::Any
    }

    fn field(&self, kind: Kind, key: &str) -> String {
        match self.fields {
            Fields::Ours => kind.field(key),
            Fields::Theirs => key.to_owned(),
        }
    }
}

/// The values that are asked for with one operator: texts, numbers, and each boolean, which `$in` does not take. `None` when
/// there is a list, which is no value to compare with.
fn groups(values: &[MetadataValue]) -> Option<Vec<(Kind, Vec<Value>)>> {
    let (mut texts, mut numbers, mut groups) = (Vec::new(), Vec::new(), Vec::new());
    for value in values {
        match value {
            MetadataValue::Text(text) => texts.push(json!(text)),
            MetadataValue::Number(number) => numbers.push(json!(number)),
            MetadataValue::Bool(holds) => groups.push((Kind::Bool, vec![json!(holds)])),
            MetadataValue::Texts(_) => return None,
        }
    }
    let lists = [(Kind::Text, texts), (Kind::Number, numbers)];
    groups.extend(lists.into_iter().filter(|(_, values)| !values.is_empty()));
    Some(groups)
}

/// A range by what its bounds are.
enum Range {
    Numbers(Vec<End>),
    Texts,
    /// No value is both a number and a text, and no other is compared.
    Nothing,
    Unbounded,
}

struct End {
    value: Value,
    inside: &'static str,
    outside: &'static str,
}

impl Range {
    fn of(bounds: &Bounds) -> Self {
        let ends: Vec<&Bound> = [&bounds.lower, &bounds.upper].into_iter().flatten().collect();
        if ends.is_empty() {
            return Self::Unbounded;
        }
        if ends.iter().all(|end| matches!(end.value, MetadataValue::Text(_))) {
            return Self::Texts;
        }
        let lower = bounds
            .lower
            .as_ref()
            .map(|end| (end, ["$gte", "$lt", "$gt", "$lte"]));
        let upper = bounds
            .upper
            .as_ref()
            .map(|end| (end, ["$lte", "$gt", "$lt", "$gte"]));
        let numbers = [lower, upper].into_iter().flatten().map(|(end, operators)| {
            let MetadataValue::Number(number) = end.value else {
                return None;
            };
            let [at, beyond, above, up_to] = operators;
            let (inside, outside) = if end.inclusive {
                (at, beyond)
            } else {
                (above, up_to)
            };
            Some(End {
                value: json!(number),
                inside,
                outside,
            })
        });
        numbers
            .collect::<Option<_>>()
            .map_or(Self::Nothing, Self::Numbers)
    }
}

fn is(field: &str, operator: &str, value: &Value) -> Condition {
    Condition::Filter(json!({field: {operator: value}}))
}

fn is_missing(field: &str) -> Condition {
    is(field, "$exists", &json!(false))
}

fn all(parts: Vec<Condition>) -> Condition {
    join("$and", parts, &Condition::Any, &Condition::Never)
}

fn any(parts: Vec<Condition>) -> Condition {
    join("$or", parts, &Condition::Never, &Condition::Any)
}

/// `parts` by `operator`, where `neutral` changes nothing and `decisive` decides alone; the service takes no empty lists.
fn join(operator: &str, parts: Vec<Condition>, neutral: &Condition, decisive: &Condition) -> Condition {
    if parts.contains(decisive) {
        return decisive.clone();
    }
    let mut filters: Vec<_> = parts
        .into_iter()
        .filter_map(|part| match part {
            Condition::Filter(filter) => Some(filter),
            Condition::Any | Condition::Never => None,
        })
        .collect();
    match filters.len() {
        0 => neutral.clone(),
        1 => filters.pop().map_or_else(|| neutral.clone(), Condition::Filter),
        _ => Condition::Filter(json!({operator: filters})),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::{Strategy, prop, prop_assert, prop_oneof, proptest};
    use serde_json::Map;
    use tenantry_domain::Metadata;

    use super::*;
    use crate::pinecone::metadata::fields;
    use crate::testing::pinecone_stub::filter::matches;

    fn text(text: &str) -> MetadataValue {
        MetadataValue::Text(text.to_owned())
    }

    fn number(number: f64) -> MetadataValue {
        MetadataValue::Number(number)
    }

    fn range(
        key: &str,
        lower: Option<(MetadataValue, bool)>,
        upper: Option<(MetadataValue, bool)>,
    ) -> Filter {
        let end =
            |end: Option<(MetadataValue, bool)>| end.map(|(value, inclusive)| Bound { value, inclusive });
        let (lower, upper) = (end(lower), end(upper));
        Filter::Range(key.to_owned(), Bounds { lower, upper })
    }

    fn check(filter: &Filter, ours: &Condition, theirs: &Condition) {
        assert_eq!(
            &push_down(Some(filter), Fields::Ours).condition,
            ours,
            "{filter:?}"
        );
        assert_eq!(
            &push_down(Some(filter), Fields::Theirs).condition,
            theirs,
            "{filter:?}"
        );
    }

    #[test]
    fn every_operator_is_sent_as_pinecone_knows_it() {
        let sent = |filter: Value| Condition::Filter(filter);
        let eq = Filter::Eq("lang".into(), text("en"));
        check(
            &eq,
            &sent(json!({"t.lang": {"$eq": "en"}})),
            &sent(json!({"lang": {"$eq": "en"}})),
        );
        check(
            &Filter::Not(Box::new(eq.clone())),
            &sent(json!({"$or": [{"t.lang": {"$exists": false}}, {"t.lang": {"$ne": "en"}}]})),
            &sent(json!({"$or": [{"lang": {"$exists": false}}, {"lang": {"$ne": "en"}}]})),
        );
        let mixed = vec![text("en"), number(7.0), text("de"), MetadataValue::Bool(true)];
        check(
            &Filter::In("lang".into(), mixed),
            &sent(
                json!({"$or": [{"b.lang": {"$eq": true}}, {"t.lang": {"$in": ["en", "de"]}}, {"n.lang": {"$eq": 7.0}}]}),
            ),
            &sent(
                json!({"$or": [{"lang": {"$eq": true}}, {"lang": {"$in": ["en", "de"]}}, {"lang": {"$eq": 7.0}}]}),
            ),
        );
        let years = range(
            "year",
            Some((number(2020.0), true)),
            Some((number(2025.0), false)),
        );
        check(
            &Filter::And(vec![years.clone(), Filter::And(vec![])]),
            &sent(json!({"$and": [{"n.year": {"$gte": 2020.0}}, {"n.year": {"$lt": 2025.0}}]})),
            &sent(json!({"$and": [{"year": {"$gte": 2020.0}}, {"year": {"$lt": 2025.0}}]})),
        );
        check(
            &Filter::Not(Box::new(years)),
            &sent(
                json!({"$or": [{"n.year": {"$exists": false}}, {"n.year": {"$lt": 2020.0}}, {"n.year": {"$gte": 2025.0}}]}),
            ),
            &Condition::Any,
        );
    }

    #[test]
    fn what_the_service_cannot_say_lets_more_through_and_says_so() {
        let dates = range("date", Some((text("2026-01-01"), true)), None);
        let pushed = push_down(Some(&dates), Fields::Ours);
        assert_eq!(
            pushed.condition,
            Condition::Filter(json!({"t.date": {"$exists": true}}))
        );
        assert!(!pushed.exact);
        let pushed = push_down(Some(&Filter::Not(Box::new(dates))), Fields::Ours);
        assert_eq!((pushed.condition, pushed.exact), (Condition::Any, false));
    }

    #[test]
    fn what_nothing_can_be_is_not_asked_for() {
        let nothing = range("year", Some((number(1.0), true)), Some((text("z"), true)));
        for filter in [Filter::Or(vec![]), Filter::In("lang".into(), vec![]), nothing] {
            check(&filter, &Condition::Never, &Condition::Never);
            check(&Filter::Not(Box::new(filter)), &Condition::Any, &Condition::Any);
        }
        let all = push_down(None, Fields::Ours);
        assert_eq!((all.condition, all.exact), (Condition::Any, true));
    }

    fn some_text() -> impl Strategy<Value = String> {
        prop::sample::select(vec!["", "a", "b", "$ne", "\"}]"]).prop_map(str::to_owned)
    }

    fn some_number() -> impl Strategy<Value = f64> {
        prop::sample::select(vec![-1e308, -1.0, -0.0, 0.0, 1.0, 9_007_199_254_740_993.0])
    }

    fn some_key() -> impl Strategy<Value = String> {
        prop::sample::select(vec!["k", "t.k", "n.k"]).prop_map(str::to_owned)
    }

    fn one_value() -> impl Strategy<Value = MetadataValue> {
        prop_oneof![
            some_text().prop_map(MetadataValue::Text),
            some_number().prop_map(MetadataValue::Number),
            prop::bool::ANY.prop_map(MetadataValue::Bool),
        ]
    }

    fn some_value() -> impl Strategy<Value = MetadataValue> {
        let list = prop::collection::vec(some_text(), 0..3).prop_map(MetadataValue::Texts);
        prop_oneof![3 => one_value(), 1 => list]
    }

    fn some_bounds() -> impl Strategy<Value = Bounds> {
        let end = || {
            let comparable = prop_oneof![
                some_text().prop_map(MetadataValue::Text),
                some_number().prop_map(MetadataValue::Number),
            ];
            prop::option::of(
                (comparable, prop::bool::ANY).prop_map(|(value, inclusive)| Bound { value, inclusive }),
            )
        };
        (end(), end()).prop_map(|(lower, upper)| Bounds { lower, upper })
    }

    fn some_filter() -> impl Strategy<Value = Filter> {
        let leaf = prop_oneof![
            (some_key(), one_value()).prop_map(|(key, value)| Filter::Eq(key, value)),
            (some_key(), one_value()).prop_map(|(key, value)| Filter::Ne(key, value)),
            (some_key(), prop::collection::vec(one_value(), 0..4))
                .prop_map(|(key, values)| Filter::In(key, values)),
            (some_key(), some_bounds()).prop_map(|(key, bounds)| Filter::Range(key, bounds)),
        ];
        leaf.prop_recursive(3, 24, 3, |part| {
            prop_oneof![
                prop::collection::vec(part.clone(), 0..3).prop_map(Filter::And),
                prop::collection::vec(part.clone(), 0..3).prop_map(Filter::Or),
                part.prop_map(|part| Filter::Not(Box::new(part))),
            ]
        })
    }

    /// The same values under their plain keys.
    fn as_theirs(metadata: &Metadata) -> Map<String, Value> {
        let written = metadata.iter().filter_map(|(key, value)| {
            let one = Metadata::new(BTreeMap::from([("k".to_owned(), value.clone())])).unwrap();
            let value = fields(&one).into_iter().next()?.1;
            Some((key.to_owned(), value))
        });
        written.collect()
    }

    proptest! {
        #[test]
        fn a_condition_never_loses_a_record_and_is_exact_where_it_says_so(
            filter in some_filter(),
            metadata in prop::collection::btree_map(some_key(), some_value(), 0..3),
        ) {
            let metadata = Metadata::new(metadata).unwrap();
            let expected = filter.matches(&metadata);
            let records = [(Fields::Ours, fields(&metadata)), (Fields::Theirs, as_theirs(&metadata))];
            for (kind, record) in records {
                let pushed = push_down(Some(&filter), kind);
                for missing_differs in [true, false] {
                    let passes = match &pushed.condition {
                        Condition::Any => true,
                        Condition::Never => false,
                        Condition::Filter(condition) => matches(condition, &record, missing_differs).unwrap(),
                    };
                    prop_assert!(passes || !expected, "{pushed:?} loses {record:?}");
                    prop_assert!(passes == expected || !pushed.exact, "{pushed:?} is not exact for {record:?}");
                }
            }
        }
    }
}
