//! Reads a judged collection in the form that BEIR gave them: `corpus.jsonl`, `queries.jsonl` and `qrels.tsv`.

use std::collections::HashMap;
use std::fmt::Display;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::metrics::Judgements;

/// A document of the collection.
#[derive(Debug, Deserialize)]
pub(crate) struct Entry {
    /// Its id in the judgements.
    #[serde(rename = "_id", alias = "id")]
    pub(crate) id: String,
    /// Its title, where it has one.
    #[serde(default)]
    pub(crate) title: String,
    /// Its text.
    #[serde(default)]
    pub(crate) text: String,
}

/// A query of the collection.
#[derive(Debug, Deserialize)]
pub(crate) struct Query {
    /// Its id in the judgements.
    #[serde(rename = "_id", alias = "id")]
    pub(crate) id: String,
    /// Its words.
    pub(crate) text: String,
}

/// Passes every document of the collection on, one after the other.
pub(crate) fn documents(
    folder: &Path,
    on_entry: &mut dyn FnMut(Entry) -> Result<(), String>,
) -> Result<(), String> {
    json_lines(&folder.join("corpus.jsonl"), on_entry)
}

/// The queries that have judgements, in the order of the file, each with its judgements.
pub(crate) fn queries(folder: &Path) -> Result<Vec<(Query, Judgements)>, String> {
    let mut judged = judgements(&folder.join("qrels.tsv"))?;
    let mut queries = Vec::new();
    json_lines(&folder.join("queries.jsonl"), &mut |query: Query| {
        if let Some(judgements) = judged.remove(&query.id) {
            queries.push((query, judgements));
        }
        Ok(())
    })?;
    match judged.keys().min() {
        Some(id) => Err(format!(
            "qrels.tsv judges {} queries that queries.jsonl lacks, {id} among them",
            judged.len()
        )),
        None if queries.is_empty() => Err("qrels.tsv judges nothing".to_owned()),
        None => Ok(queries),
    }
}

fn json_lines<T: DeserializeOwned>(
    path: &Path,
    on_line: &mut dyn FnMut(T) -> Result<(), String>,
) -> Result<(), String> {
    lines(path, &mut |line| {
        let value = serde_json::from_str(line).map_err(|error| error.to_string())?;
        on_line(value)
    })
}

/// The judgements by query. Four columns are TREC's (`query 0 document relevance`), three are BEIR's, whose first line is a heading.
fn judgements(path: &Path) -> Result<HashMap<String, Judgements>, String> {
    let mut judged: HashMap<String, Judgements> = HashMap::new();
    let mut first = true;
    lines(path, &mut |line| {
        let heading = std::mem::take(&mut first);
        let columns: Vec<&str> = line.split_whitespace().collect();
        let ([query, document, relevance] | [query, _, document, relevance]) = columns.as_slice() else {
            return Err("expected a query, a document and a relevance".to_owned());
        };
        match relevance.parse::<i64>() {
            // Some collections judge "spam" as -1 or -2.
            Ok(relevance) => {
                let relevance = u32::try_from(relevance.max(0)).map_err(|error| error.to_string())?;
                judged
                    .entry((*query).to_owned())
                    .or_default()
                    .insert((*document).to_owned(), relevance);
                Ok(())
            }
            Err(_) if heading => Ok(()),
            Err(error) => Err(format!("relevance {relevance:?}: {error}")),
        }
    })?;
    judged.retain(|_, judgements| judgements.values().any(|&relevance| relevance > 0));
    Ok(judged)
}

/// Passes each line on that is not blank; what is wrong is told with the file and the line's number.
fn lines(path: &Path, on_line: &mut dyn FnMut(&str) -> Result<(), String>) -> Result<(), String> {
    let at = |number: usize, problem: &dyn Display| format!("{}:{number}: {problem}", path.display());
    let file = File::open(path).map_err(|error| format!("{}: {error}", path.display()))?;
    for (number, line) in (1..).zip(BufReader::new(file).lines()) {
        let line = line.map_err(|error| at(number, &error))?;
        if !line.trim().is_empty() {
            on_line(&line).map_err(|problem| at(number, &problem))?;
        }
    }
    Ok(())
}
