use std::cmp::Ordering;

use crate::metadata::{check_key, check_value};
use crate::{InvalidMetadata, Metadata, MetadataValue};

/// What the metadata of a document must be like for its chunks to be found.
///
/// A filter only ever narrows the tenant's own documents. A key that a document lacks equals nothing and lies in no range, so
/// that [`Filter::Ne`] and [`Filter::Not`] hold for it. Of a list, `Eq` and `In` ask whether it contains the text.
#[derive(Debug, Clone, PartialEq)]
pub enum Filter {
    /// The key's value is this one, or contains it.
    Eq(String, MetadataValue),
    /// [`Filter::Eq`] does not hold.
    Ne(String, MetadataValue),
    /// [`Filter::Eq`] holds for one of these.
    In(String, Vec<MetadataValue>),
    /// The key's value, a number or a text, lies within these bounds. Texts are compared by their bytes, so that dates as
    /// `2026-11-23` are in order.
    Range(String, Bounds),
    /// All hold; none given, it holds.
    And(Vec<Filter>),
    /// At least one holds; none given, it does not.
    Or(Vec<Filter>),
    /// It does not hold.
    Not(Box<Filter>),
}

/// The bounds of a range, at least one of them given.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Bounds {
    /// The lowest value, and whether it is inside.
    pub lower: Option<Bound>,
    /// The highest value, and whether it is inside.
    pub upper: Option<Bound>,
}

/// One end of a range.
#[derive(Debug, Clone, PartialEq)]
pub struct Bound {
    /// A number or a text.
    pub value: MetadataValue,
    /// Whether the value itself is inside.
    pub inclusive: bool,
}

/// A filter that cannot be applied.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidFilter {
    /// A key or value is outside the bounds of metadata.
    #[error(transparent)]
    Metadata(#[from] InvalidMetadata),
    /// It has too many parts.
    #[error("a filter has more than {} parts", Filter::MAX_PARTS)]
    TooManyParts,
    /// It is nested too deeply.
    #[error("a filter is nested more than {} deep", Filter::MAX_DEPTH)]
    TooDeep,
    /// `in` has too many values.
    #[error("`in` of {0:?} has more than {max} values", max = Filter::MAX_VALUES)]
    TooManyValues(String),
    /// A range without bounds, or with a bound that is neither number nor text.
    #[error("a range of {0:?} needs numbers or texts as bounds")]
    Range(String),
    /// A list where one value is compared.
    #[error("{0:?} is compared with a list; use `in`")]
    List(String),
}

impl Filter {
    /// The most parts.
    pub const MAX_PARTS: usize = 64;
    /// The deepest nesting.
    pub const MAX_DEPTH: usize = 8;
    /// The most values of `in`.
    pub const MAX_VALUES: usize = 100;

    /// Checks the filter's size, keys and values; stores may rely on it.
    ///
    /// # Errors
    /// With the first thing that is wrong.
    pub fn check(&self) -> Result<(), InvalidFilter> {
        let mut parts = 0;
        self.check_at(1, &mut parts)
    }

    fn check_at(&self, depth: usize, parts: &mut usize) -> Result<(), InvalidFilter> {
        *parts += 1;
        if depth > Self::MAX_DEPTH {
            return Err(InvalidFilter::TooDeep);
        }
        if *parts > Self::MAX_PARTS {
            return Err(InvalidFilter::TooManyParts);
        }
        match self {
            Self::Eq(key, value) | Self::Ne(key, value) => check_one(key, value),
            Self::In(key, values) if values.len() > Self::MAX_VALUES => {
                Err(InvalidFilter::TooManyValues(key.clone()))
            }
            Self::In(key, values) => {
                check_key(key)?;
                values.iter().try_for_each(|value| check_one(key, value))
            }
            Self::Range(key, bounds) => bounds.check(key),
            Self::And(all) | Self::Or(all) => all.iter().try_for_each(|part| part.check_at(depth + 1, parts)),
            Self::Not(part) => part.check_at(depth + 1, parts),
        }
    }

    /// Whether a document with this metadata passes.
    pub fn matches(&self, metadata: &Metadata) -> bool {
        self.matches_values(&|key| metadata.get(key))
    }

    /// Whether values that `value` looks up by key pass: for metadata of others, which need not keep our bounds.
    pub fn matches_values<'v>(&self, value: &dyn Fn(&str) -> Option<&'v MetadataValue>) -> bool {
        match self {
            Self::Eq(key, wanted) => equals(value(key), wanted),
            Self::Ne(key, wanted) => !equals(value(key), wanted),
            Self::In(key, wanted) => wanted.iter().any(|wanted| equals(value(key), wanted)),
            Self::Range(key, bounds) => value(key).is_some_and(|found| bounds.contain(found)),
            Self::And(all) => all.iter().all(|part| part.matches_values(value)),
            Self::Or(any) => any.iter().any(|part| part.matches_values(value)),
            Self::Not(part) => !part.matches_values(value),
        }
    }
}

impl Bounds {
    fn check(&self, key: &str) -> Result<(), InvalidFilter> {
        check_key(key)?;
        let ends = [&self.lower, &self.upper];
        let comparable = |end: &Bound| matches!(end.value, MetadataValue::Number(_) | MetadataValue::Text(_));
        if ends.iter().all(|end| end.is_none()) || !ends.into_iter().flatten().all(comparable) {
            return Err(InvalidFilter::Range(key.to_owned()));
        }
        ends.into_iter()
            .flatten()
            .try_for_each(|end| Ok(check_value(key, &end.value)?))
    }

    fn contain(&self, value: &MetadataValue) -> bool {
        let inside = |end: &Option<Bound>, beyond: Ordering| {
            end.as_ref().is_none_or(|end| match compare(value, &end.value) {
                Some(Ordering::Equal) => end.inclusive,
                Some(order) => order == beyond,
                None => false,
            })
        };
        inside(&self.lower, Ordering::Greater) && inside(&self.upper, Ordering::Less)
    }
}

fn check_one(key: &str, value: &MetadataValue) -> Result<(), InvalidFilter> {
    check_key(key)?;
    if matches!(value, MetadataValue::Texts(_)) {
        return Err(InvalidFilter::List(key.to_owned()));
    }
    Ok(check_value(key, value)?)
}

fn equals(found: Option<&MetadataValue>, wanted: &MetadataValue) -> bool {
    match (found, wanted) {
        (Some(MetadataValue::Texts(texts)), MetadataValue::Text(wanted)) => texts.contains(wanted),
        (Some(found), wanted) => found == wanted,
        (None, _) => false,
    }
}

fn compare(found: &MetadataValue, bound: &MetadataValue) -> Option<Ordering> {
    match (found, bound) {
        (MetadataValue::Number(found), MetadataValue::Number(bound)) => found.partial_cmp(bound),
        (MetadataValue::Text(found), MetadataValue::Text(bound)) => Some(found.cmp(bound)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn text(text: &str) -> MetadataValue {
        MetadataValue::Text(text.to_owned())
    }

    fn document() -> Metadata {
        Metadata::new(BTreeMap::from([
            ("lang".to_owned(), text("en")),
            ("year".to_owned(), MetadataValue::Number(2024.0)),
            ("public".to_owned(), MetadataValue::Bool(true)),
            (
                "tags".to_owned(),
                MetadataValue::Texts(vec!["a".into(), "b".into()]),
            ),
        ]))
        .unwrap()
    }

    fn range(key: &str, lower: Option<(f64, bool)>, upper: Option<(f64, bool)>) -> Filter {
        let end = |end: Option<(f64, bool)>| {
            end.map(|(value, inclusive)| Bound {
                value: MetadataValue::Number(value),
                inclusive,
            })
        };
        let bounds = Bounds {
            lower: end(lower),
            upper: end(upper),
        };
        Filter::Range(key.to_owned(), bounds)
    }

    #[test]
    fn every_operator_means_what_its_name_says() {
        let eq = |key: &str, value| Filter::Eq(key.to_owned(), value);
        let cases = [
            (eq("lang", text("en")), true),
            (eq("lang", text("EN")), false),
            (eq("tags", text("b")), true),
            (eq("year", text("2024")), false),
            (Filter::Ne("lang".into(), text("en")), false),
            (Filter::Ne("missing".into(), text("en")), true),
            (Filter::In("lang".into(), vec![text("de"), text("en")]), true),
            (Filter::In("lang".into(), vec![]), false),
            (range("year", Some((2024.0, true)), Some((2025.0, false))), true),
            (range("year", Some((2024.0, false)), None), false),
            (range("lang", Some((0.0, true)), None), false),
            (range("missing", None, Some((9.0, true))), false),
            (Filter::And(vec![]), true),
            (Filter::Or(vec![]), false),
            (
                Filter::Not(Box::new(range("missing", None, Some((9.0, true))))),
                true,
            ),
        ];
        for (filter, expected) in cases {
            assert_eq!(filter.check(), Ok(()), "{filter:?}");
            assert_eq!(filter.matches(&document()), expected, "{filter:?}");
        }
    }

    #[test]
    fn values_outside_the_bounds_of_metadata_are_compared_as_well() {
        let long = text(&"x".repeat(Metadata::MAX_TEXT + 1));
        let lookup = |key: &str| (key == "any key").then_some(&long);
        assert!(Filter::Ne("any key".into(), text("x")).matches_values(&lookup));
        assert!(!Filter::Eq("other".into(), long.clone()).matches_values(&lookup));
        assert!(Filter::Eq("any key".into(), long.clone()).matches_values(&lookup));
    }

    #[test]
    fn a_filter_without_end_or_sense_is_refused() {
        let deep = (0..9).fold(Filter::And(vec![]), |filter, _| Filter::Not(Box::new(filter)));
        assert_eq!(deep.check(), Err(InvalidFilter::TooDeep));
        let wide = Filter::Or(vec![Filter::And(vec![]); 64]);
        assert_eq!(wide.check(), Err(InvalidFilter::TooManyParts));
        assert_eq!(
            range("year", None, None).check(),
            Err(InvalidFilter::Range("year".into()))
        );
        let list = Filter::Eq("tags".into(), MetadataValue::Texts(vec![]));
        assert_eq!(list.check(), Err(InvalidFilter::List("tags".into())));
        let key = Filter::Eq("$where".into(), text("1"));
        assert!(matches!(key.check(), Err(InvalidFilter::Metadata(_))));
    }
}
