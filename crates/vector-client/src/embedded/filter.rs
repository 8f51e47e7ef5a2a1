//! A filter as a condition on chunks; every key and value is bound, never written into the statement.

use diesel::query_builder::{BoxedSqlQuery, SqlQuery};
use diesel::sql_types::{BigInt, Binary, Double, Text};
use diesel::sqlite::Sqlite;
use tenantry_domain::{Bound, Bounds, Filter, MetadataValue};

/// A statement whose parameters are bound one after the other.
pub(super) type Statement<'q> = BoxedSqlQuery<'q, Sqlite, SqlQuery>;

/// A parameter of a statement.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Bind {
    Text(String),
    Number(f64),
    Integer(i64),
    Bytes(Vec<u8>),
}

impl Bind {
    pub(super) fn to(self, statement: Statement<'_>) -> Statement<'_> {
        match self {
            Self::Text(text) => statement.bind::<Text, _>(text),
            Self::Number(number) => statement.bind::<Double, _>(number),
            Self::Integer(integer) => statement.bind::<BigInt, _>(integer),
            Self::Bytes(bytes) => statement.bind::<Binary, _>(bytes),
        }
    }
}

/// A value's rows in `attributes`, each with its kind: of a list one for each text.
pub(super) fn attributes(value: &MetadataValue) -> Vec<(&'static str, Bind)> {
    match value {
        MetadataValue::Text(text) => vec![("text", Bind::Text(text.clone()))],
        MetadataValue::Number(number) => vec![("number", Bind::Number(*number))],
        MetadataValue::Bool(value) => vec![("bool", Bind::Integer(i64::from(*value)))],
        MetadataValue::Texts(texts) => {
            let entry = |text: &String| ("entry", Bind::Text(text.clone()));
            texts.iter().map(entry).collect()
        }
    }
}

/// What the rows of `chunks AS c` must be like, with its parameters in their order.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Condition {
    pub(super) sql: String,
    pub(super) binds: Vec<Bind>,
}

impl Condition {
    /// The chunks of the versions that pass.
    pub(super) fn of(filter: &Filter) -> Self {
        let mut condition = Self::default();
        condition
            .sql
            .push_str("c.version IN (SELECT v.id FROM versions AS v WHERE ");
        condition.add(filter);
        condition.sql.push(')');
        condition
    }

    fn add(&mut self, filter: &Filter) {
        match filter {
            Filter::Eq(key, value) => self.add_equal(key, std::slice::from_ref(value)),
            Filter::Ne(key, value) => {
                self.sql.push_str("NOT ");
                self.add_equal(key, std::slice::from_ref(value));
            }
            Filter::In(key, values) => self.add_equal(key, values),
            Filter::Range(key, bounds) => self.add_range(key, bounds),
            Filter::And(all) => self.add_joined(all, "1", " AND "),
            Filter::Or(any) => self.add_joined(any, "0", " OR "),
            Filter::Not(part) => {
                self.sql.push_str("NOT ");
                self.add(part);
            }
        }
    }

    /// Each part stands in parentheses, or is one term.
    fn add_joined(&mut self, parts: &[Filter], neutral: &str, operator: &str) {
        self.sql.push('(');
        self.sql.push_str(neutral);
        for part in parts {
            self.sql.push_str(operator);
            self.add(part);
        }
        self.sql.push(')');
    }

    /// The value is one of `values`, or a list that has one of them.
    fn add_equal(&mut self, key: &str, values: &[MetadataValue]) {
        self.sql.push_str("(0");
        for kind in ["text", "number", "bool"] {
            let of_kind = |value| attributes(value).into_iter().filter(|(own, _)| *own == kind);
            let wanted: Vec<_> = values.iter().flat_map(of_kind).map(|(_, bind)| bind).collect();
            if wanted.is_empty() {
                continue;
            }
            self.sql.push_str(" OR ");
            let kinds = if kind == "text" {
                "'text', 'entry'"
            } else {
                &format!("'{kind}'")
            };
            let places = vec!["?"; wanted.len()].join(", ");
            self.add_attribute(
                key,
                &format!("a.kind IN ({kinds}) AND a.value IN ({places})"),
                wanted,
            );
        }
        self.sql.push(')');
    }

    /// Only values of a bound's own kind lie on either side of it.
    fn add_range(&mut self, key: &str, bounds: &Bounds) {
        let mut sql = Vec::new();
        let mut binds = Vec::new();
        let mut add = |bound: &Bound, operator: &str| {
            let or_equal = if bound.inclusive { "=" } else { "" };
            for (kind, bind) in attributes(&bound.value) {
                sql.push(format!("a.kind = '{kind}' AND a.value {operator}{or_equal} ?"));
                binds.push(bind);
            }
        };
        if let Some(lower) = &bounds.lower {
            add(lower, ">");
        }
        if let Some(upper) = &bounds.upper {
            add(upper, "<");
        }
        self.add_attribute(key, &sql.join(" AND "), binds);
    }

    fn add_attribute(&mut self, key: &str, condition: &str, binds: Vec<Bind>) {
        self.sql
            .push_str("v.id IN (SELECT a.version FROM attributes AS a WHERE a.key = ? AND ");
        self.sql.push_str(condition);
        self.sql.push(')');
        self.binds.push(Bind::Text(key.to_owned()));
        self.binds.extend(binds);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::Random;

    #[test]
    fn nothing_of_a_filter_stands_in_the_statement() {
        let mut random = Random::new(3);
        for _ in 0..500 {
            let filter = random.filter();
            let Condition { sql, binds } = Condition::of(&filter);
            let plain = |c: char| c.is_ascii_alphanumeric() || " ().,?=<>'_".contains(c);
            assert!(sql.chars().all(plain), "{sql}");
            assert_eq!(sql.matches('?').count(), binds.len(), "{sql}");
            let quoted: Vec<_> = sql.split('\'').skip(1).step_by(2).collect();
            assert!(
                quoted
                    .iter()
                    .all(|kind| ["text", "entry", "number", "bool"].contains(kind)),
                "{sql}"
            );
        }
    }
}
