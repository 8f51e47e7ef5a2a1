//! Metadata filters as they are documented (<https://docs.pinecone.io/guides/search/filter-by-metadata>), where it says
//! nothing as strictly as a service might be.

use serde_json::{Map, Value};

/// Whether a record with these fields passes; `missing_differs` is whether `$ne` and `$nin` hold for a record without the
/// field, which the service has changed over time.
///
/// # Errors
/// What the service would say of a filter that it does not understand.
pub(crate) fn matches(
    filter: &Value,
    fields: &Map<String, Value>,
    missing_differs: bool,
) -> Result<bool, String> {
    let parts = filter.as_object().ok_or("a filter is an object")?;
    if parts.is_empty() {
        return Err("a filter is not empty".to_owned());
    }
    let mut all = true;
    for (key, part) in parts {
        let holds = match key.as_str() {
            "$and" => joined(part, fields, missing_differs)?
                .into_iter()
                .all(|holds| holds),
            "$or" => joined(part, fields, missing_differs)?
                .into_iter()
                .any(|holds| holds),
            operator if operator.starts_with('$') => return Err(format!("{operator} stands at the top")),
            _ => compared(part, fields.get(key), missing_differs)?,
        };
        all &= holds;
    }
    Ok(all)
}

fn joined(parts: &Value, fields: &Map<String, Value>, missing_differs: bool) -> Result<Vec<bool>, String> {
    let parts = parts.as_array().filter(|parts| !parts.is_empty());
    let parts = parts.ok_or("$and and $or take a list that is not empty")?;
    parts
        .iter()
        .map(|part| matches(part, fields, missing_differs))
        .collect()
}

fn compared(comparison: &Value, found: Option<&Value>, missing_differs: bool) -> Result<bool, String> {
    let operators = comparison.as_object().filter(|operators| operators.len() == 1);
    let operators = operators.ok_or("a field is compared by one operator here")?;
    let mut holds = true;
    for (operator, wanted) in operators {
        let differs = |equal: bool| !equal && (found.is_some() || missing_differs);
        holds &= match operator.as_str() {
            "$eq" => equals(found, one(wanted)?),
            "$ne" => differs(equals(found, one(wanted)?)),
            "$in" => among(found, wanted)?,
            "$nin" => differs(among(found, wanted)?),
            "$exists" => wanted.as_bool().ok_or("$exists takes a boolean")? == found.is_some(),
            "$gt" => ordered(found, wanted, |found, wanted| found > wanted)?,
            "$gte" => ordered(found, wanted, |found, wanted| found >= wanted)?,
            "$lt" => ordered(found, wanted, |found, wanted| found < wanted)?,
            "$lte" => ordered(found, wanted, |found, wanted| found <= wanted)?,
            unknown => return Err(format!("{unknown} is not an operator")),
        };
    }
    Ok(holds)
}

fn one(wanted: &Value) -> Result<&Value, String> {
    let is_one = wanted.is_string() || wanted.is_number() || wanted.is_boolean();
    is_one
        .then_some(wanted)
        .ok_or_else(|| "a text, a number or a boolean is compared".to_owned())
}

fn among(found: Option<&Value>, wanted: &Value) -> Result<bool, String> {
    let wanted = wanted.as_array().filter(|wanted| {
        (1..=10_000).contains(&wanted.len()) && wanted.iter().all(|one| one.is_string() || one.is_number())
    });
    let wanted = wanted.ok_or("$in and $nin take 1 to 10000 texts and numbers")?;
    Ok(wanted.iter().any(|wanted| equals(found, wanted)))
}

fn ordered(found: Option<&Value>, wanted: &Value, holds: fn(f64, f64) -> bool) -> Result<bool, String> {
    let wanted = wanted.as_f64().ok_or("only numbers have an order")?;
    Ok(found
        .and_then(Value::as_f64)
        .is_some_and(|found| holds(found, wanted)))
}

fn equals(found: Option<&Value>, wanted: &Value) -> bool {
    match (found, wanted) {
        (Some(Value::Array(texts)), wanted) => texts.contains(wanted),
        (Some(Value::Number(found)), Value::Number(wanted)) => found.as_f64() == wanted.as_f64(),
        (Some(found), wanted) => found == wanted,
        (None, _) => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn passes(filter: &Value) -> Result<bool, String> {
        let fields = json!({"genre": ["comedy", "documentary"], "year": 2020.0, "public": true});
        matches(filter, fields.as_object().unwrap(), false)
    }

    #[test]
    fn every_operator_is_as_documented() {
        for (filter, expected) in [
            (json!({"genre": {"$eq": "comedy"}}), true),
            (json!({"genre": {"$in": ["documentary", "action"]}}), true),
            (
                json!({"$and": [{"genre": {"$eq": "comedy"}}, {"genre": {"$eq": "drama"}}]}),
                false,
            ),
            (
                json!({"$or": [{"genre": {"$eq": "comedy"}}, {"genre": {"$eq": "drama"}}]}),
                true,
            ),
            (json!({"genre": {"$ne": "comedy"}}), false),
            (json!({"genre": {"$nin": ["drama", 7]}}), true),
            (json!({"year": {"$gte": 2020}}), true),
            (json!({"year": {"$lt": 2020}}), false),
            (json!({"genre": {"$gt": 2019}}), false),
            (json!({"public": {"$eq": true}}), true),
            (json!({"none": {"$ne": "x"}}), false),
            (json!({"none": {"$exists": false}}), true),
        ] {
            assert_eq!(passes(&filter), Ok(expected), "{filter}");
        }
    }

    #[test]
    fn what_is_not_documented_is_refused() {
        for filter in [
            json!([]),
            json!({}),
            json!({"$not": {"genre": {"$eq": "comedy"}}}),
            json!({"$eq": "comedy"}),
            json!({"$and": []}),
            json!({"$or": {"genre": {"$eq": "comedy"}}}),
            json!({"genre": {"$regex": "c.*"}}),
            json!({"genre": {"$eq": ["comedy"]}}),
            json!({"genre": {"$eq": null}}),
            json!({"genre": {"$in": []}}),
            json!({"public": {"$in": [true]}}),
            json!({"year": {"$gt": "2019"}}),
            json!({"year": {"$exists": 1}}),
        ] {
            assert!(passes(&filter).is_err(), "{filter}");
        }
    }
}
