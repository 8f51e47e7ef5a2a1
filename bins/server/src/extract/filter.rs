use tenantry_domain::{Bound, Bounds, Filter, MetadataValue};

use super::value::{Json, invalid, scalar, shown, wrong};
use crate::error::ApiError;

/// The filter that an object is: `{"lang": "en"}`, `{"year": {"gte": 2020, "lt": 2024}}`, `{"or": [..]}`; several keys must all
/// hold. Operators may be written with `$`, as other services have them.
///
/// # Errors
/// With the place of what cannot be applied.
pub(crate) fn filter(json: Json) -> Result<Filter, ApiError> {
    let filter = object(json, "filter", 1)?;
    filter
        .check()
        .map_err(|error| invalid(format!("filter: {error}")))?;
    Ok(filter)
}

fn object(json: Json, place: &str, depth: usize) -> Result<Filter, ApiError> {
    if depth > Filter::MAX_DEPTH {
        return Err(wrong(place, "is nested too deeply"));
    }
    let Json::Object(entries) = json else {
        return Err(wrong(place, "is not an object"));
    };
    let mut seen: Vec<String> = Vec::new();
    let mut all = Vec::new();
    for (key, json) in entries {
        let place = format!("{place}.{}", shown(&key));
        if seen.contains(&key) {
            return Err(wrong(&place, "stands there twice"));
        }
        all.push(match key.strip_prefix('$').unwrap_or(&key) {
            "and" => Filter::And(parts(json, &place, depth)?),
            "or" => Filter::Or(parts(json, &place, depth)?),
            "not" => Filter::Not(Box::new(object(json, &place, depth + 1)?)),
            _ => condition(&key, json, &place)?,
        });
        seen.push(key);
    }
    Ok(together(all))
}

fn parts(json: Json, place: &str, depth: usize) -> Result<Vec<Filter>, ApiError> {
    let Json::List(parts) = json else {
        return Err(wrong(place, "is not a list of filters"));
    };
    let numbered = (0..).zip(parts);
    numbered
        .map(|(number, part): (usize, Json)| object(part, &format!("{place}[{number}]"), depth + 1))
        .collect()
}

/// What a key's value must be like.
fn condition(key: &str, json: Json, place: &str) -> Result<Filter, ApiError> {
    let Json::Object(operators) = json else {
        return Ok(Filter::Eq(key.to_owned(), value(json, place)?));
    };
    if operators.is_empty() {
        return Err(wrong(place, "has no operator"));
    }
    let (mut all, mut bounds, mut seen) = (Vec::new(), Bounds::default(), Vec::new());
    for (operator, json) in operators {
        let place = format!("{place}.{}", shown(&operator));
        let plain = operator.strip_prefix('$').unwrap_or(&operator).to_owned();
        if seen.contains(&plain) {
            return Err(wrong(&place, "stands there twice"));
        }
        match plain.as_str() {
            "eq" => all.push(Filter::Eq(key.to_owned(), value(json, &place)?)),
            "ne" => all.push(Filter::Ne(key.to_owned(), value(json, &place)?)),
            "in" => all.push(Filter::In(key.to_owned(), values(json, &place)?)),
            "nin" => {
                let among = Filter::In(key.to_owned(), values(json, &place)?);
                all.push(Filter::Not(Box::new(among)));
            }
            "gt" | "gte" => lay(&mut bounds.lower, json, plain == "gte", &place)?,
            "lt" | "lte" => lay(&mut bounds.upper, json, plain == "lte", &place)?,
            _ => return Err(wrong(&place, "is none of eq, ne, in, nin, gt, gte, lt and lte")),
        }
        seen.push(plain);
    }
    if bounds != Bounds::default() {
        all.push(Filter::Range(key.to_owned(), bounds));
    }
    Ok(together(all))
}

fn lay(end: &mut Option<Bound>, json: Json, inclusive: bool, place: &str) -> Result<(), ApiError> {
    if end.is_some() {
        return Err(wrong(place, "is a second bound on the same side"));
    }
    *end = Some(Bound {
        value: value(json, place)?,
        inclusive,
    });
    Ok(())
}

fn values(json: Json, place: &str) -> Result<Vec<MetadataValue>, ApiError> {
    let Json::List(values) = json else {
        return Err(wrong(place, "is not a list of values"));
    };
    values.into_iter().map(|json| value(json, place)).collect()
}

fn value(json: Json, place: &str) -> Result<MetadataValue, ApiError> {
    scalar(json).ok_or_else(|| wrong(place, "is neither a text, a number, true nor false"))
}

/// One filter for all; a single one stands for itself.
fn together(mut all: Vec<Filter>) -> Filter {
    match all.pop() {
        Some(only) if all.is_empty() => only,
        Some(last) => {
            all.push(last);
            Filter::And(all)
        }
        None => Filter::And(all),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Json {
        serde_json::from_str(text).unwrap()
    }

    fn text(text: &str) -> MetadataValue {
        MetadataValue::Text(text.to_owned())
    }

    #[test]
    fn a_filter_is_read_in_every_spelling() {
        let eq = |key: &str, value| Filter::Eq(key.to_owned(), value);
        let end = |value: f64, inclusive| {
            Some(Bound {
                value: MetadataValue::Number(value),
                inclusive,
            })
        };
        let range = |lower, upper| Filter::Range("year".to_owned(), Bounds { lower, upper });
        for (json, expected) in [
            ("{}", Filter::And(vec![])),
            (r#"{"lang":"en"}"#, eq("lang", text("en"))),
            (r#"{"lang":{"$eq":"en"}}"#, eq("lang", text("en"))),
            (r#"{"lang":{"ne":"en"}}"#, Filter::Ne("lang".into(), text("en"))),
            (
                r#"{"lang":{"in":["en","de"]}}"#,
                Filter::In("lang".into(), vec![text("en"), text("de")]),
            ),
            (
                r#"{"lang":{"$nin":["en"]}}"#,
                Filter::Not(Box::new(Filter::In("lang".into(), vec![text("en")]))),
            ),
            (
                r#"{"year":{"gte":2020,"lt":2024}}"#,
                range(end(2020.0, true), end(2024.0, false)),
            ),
            (
                r#"{"a":true,"b":1}"#,
                Filter::And(vec![
                    eq("a", MetadataValue::Bool(true)),
                    eq("b", MetadataValue::Number(1.0)),
                ]),
            ),
            (
                r#"{"$or":[{"a":"x"},{"not":{"b":"y"}}]}"#,
                Filter::Or(vec![
                    eq("a", text("x")),
                    Filter::Not(Box::new(eq("b", text("y")))),
                ]),
            ),
        ] {
            assert_eq!(filter(read(json)).unwrap(), expected, "{json}");
        }
    }

    #[test]
    fn what_is_wrong_with_a_filter_is_told_with_its_place() {
        for (json, place) in [
            ("[]", "`filter` is not an object"),
            (r#"{"and":{}}"#, "`filter.and` is not a list"),
            (
                r#"{"and":[{"a":1},{"year":{"gtx":1}}]}"#,
                "`filter.and[1].year.gtx` is none of",
            ),
            (r#"{"a":null}"#, "`filter.a` is neither"),
            (r#"{"a":[1]}"#, "`filter.a` is neither"),
            (r#"{"a":{}}"#, "`filter.a` has no operator"),
            (r#"{"a":1,"a":2}"#, "`filter.a` stands there twice"),
            (r#"{"a":{"gt":1,"gte":2}}"#, "`filter.a.gte` is a second bound"),
            (r#"{"a":{"gt":true}}"#, "needs numbers or texts"),
            (r#"{"$where":"1"}"#, "metadata key"),
            (
                r#"{"not":{"not":{"not":{"not":{"not":{"not":{"not":{"not":{"a":1}}}}}}}}}"#,
                "nested too deeply",
            ),
        ] {
            let told = filter(read(json)).unwrap_err().to_string();
            assert!(told.contains(place), "{json}: {told}");
        }
    }
}
