//! Filters as conditions on the metadata of versions; keys and values are bound, never written into a statement.

use serde_json::{Map, Value};
use tenantry_domain::{Bound, Bounds, Filter, Metadata, MetadataValue};

/// A condition and the texts that it binds.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Condition {
    /// SQL that is true or false, never null.
    pub(super) sql: String,
    /// What its placeholders stand for, in order.
    pub(super) binds: Vec<String>,
}

/// The metadata as it is stored.
pub(super) fn json(metadata: &Metadata) -> String {
    let values = metadata
        .iter()
        .map(|(key, value)| (key.to_owned(), value_json(value)));
    Value::Object(values.collect::<Map<_, _>>()).to_string()
}

fn value_json(value: &MetadataValue) -> Value {
    match value {
        MetadataValue::Text(text) => text.as_str().into(),
        // The shortest text that reads back as the same number, so that the server's exact decimals are equal and in order
        // just when the numbers are.
        MetadataValue::Number(number) => (*number).into(),
        MetadataValue::Bool(truth) => (*truth).into(),
        MetadataValue::Texts(texts) => texts.as_slice().into(),
    }
}

/// What `filter` asks of the column `metadata`, with placeholders from number `first` on.
pub(super) fn condition(filter: &Filter, first: usize) -> Condition {
    let mut writer = Writer {
        first,
        binds: Vec::new(),
    };
    let sql = writer.filter(filter);
    Condition {
        sql,
        binds: writer.binds,
    }
}

struct Writer {
    first: usize,
    binds: Vec<String>,
}

impl Writer {
    fn bind(&mut self, text: impl Into<String>) -> String {
        let number = self.first.saturating_add(self.binds.len());
        self.binds.push(text.into());
        format!("${number}")
    }

    fn filter(&mut self, filter: &Filter) -> String {
        match filter {
            Filter::Eq(key, value) => self.equals(key, value),
            Filter::Ne(key, value) => format!("NOT {}", self.equals(key, value)),
            Filter::In(key, values) => self.is_one_of(key, values),
            Filter::Range(key, bounds) => self.range(key, bounds),
            Filter::And(parts) => self.joined(parts, " AND ", "true"),
            Filter::Or(parts) => self.joined(parts, " OR ", "false"),
            Filter::Not(part) => format!("NOT ({})", self.filter(part)),
        }
    }

    fn joined(&mut self, parts: &[Filter], operator: &str, of_none: &str) -> String {
        if parts.is_empty() {
            return of_none.to_owned();
        }
        let parts: Vec<_> = parts.iter().map(|part| self.filter(part)).collect();
        format!("({})", parts.join(operator))
    }

    /// `@>` of two single values is equality, and a list `@>` a value that it has
    /// (<https://www.postgresql.org/docs/current/datatype-json.html#JSON-CONTAINMENT>).
    fn equals(&mut self, key: &str, value: &MetadataValue) -> String {
        let (key, value) = (self.bind(key), self.bind(value_json(value).to_string()));
        format!("coalesce((v.metadata -> {key}) @> ({value})::jsonb, false)")
    }

    fn is_one_of(&mut self, key: &str, values: &[MetadataValue]) -> String {
        let values = Value::Array(values.iter().map(value_json).collect());
        let (key, values) = (self.bind(key), self.bind(values.to_string()));
        format!(
            "EXISTS (SELECT FROM jsonb_array_elements(({values})::jsonb) AS one(wanted) \
             WHERE (v.metadata -> {key}) @> one.wanted)"
        )
    }

    fn range(&mut self, key: &str, bounds: &Bounds) -> String {
        let ends = [
            bounds.lower.as_ref().map(|end| (end, ">")),
            bounds.upper.as_ref().map(|end| (end, "<")),
        ];
        let ends: Vec<_> = ends
            .into_iter()
            .flatten()
            .map(|(end, beyond)| self.end(key, end, beyond))
            .collect();
        format!("({})", ends.join(" AND "))
    }

    /// `CASE` keeps the cast from a value that is none: the order of `AND` is the planner's.
    fn end(&mut self, key: &str, end: &Bound, beyond: &str) -> String {
        let (kind, cast, value) = match &end.value {
            MetadataValue::Number(number) => ("number", "::numeric", Value::from(*number).to_string()),
            MetadataValue::Text(text) => ("string", " COLLATE \"C\"", text.clone()),
            MetadataValue::Bool(_) | MetadataValue::Texts(_) => return "false".to_owned(),
        };
        let (key, value) = (self.bind(key), self.bind(value));
        let or_equal = if end.inclusive { "=" } else { "" };
        format!(
            "(CASE WHEN jsonb_typeof(v.metadata -> {key}) = '{kind}' \
             THEN (v.metadata ->> {key}){cast} {beyond}{or_equal} ({value}){cast} ELSE false END)"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_values_are_bound_and_never_written() {
        let hostile = "x' OR true --";
        let text = MetadataValue::Text(hostile.to_owned());
        let filter = Filter::And(vec![
            Filter::Eq(hostile.to_owned(), text.clone()),
            Filter::Not(Box::new(Filter::In(hostile.to_owned(), vec![text.clone()]))),
            Filter::Range(
                hostile.to_owned(),
                Bounds {
                    lower: Some(Bound {
                        value: text,
                        inclusive: false,
                    }),
                    upper: None,
                },
            ),
        ]);
        let condition = condition(&filter, 4);
        assert!(!condition.sql.contains("OR true"), "{}", condition.sql);
        assert_eq!(condition.binds.len(), 6);
        for number in 4..10 {
            assert!(condition.sql.contains(&format!("${number}")));
        }
    }

    #[test]
    fn a_filter_of_nothing_is_true_and_a_choice_of_nothing_false() {
        assert_eq!(condition(&Filter::And(vec![]), 1).sql, "true");
        assert_eq!(condition(&Filter::Or(vec![]), 1).sql, "false");
    }
}
