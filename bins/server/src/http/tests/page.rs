//! The written page of the API against what is served.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::http::HttpSettings;
use crate::http::testing::{Server, get};

fn page() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/http-api.md")).unwrap()
}

/// The sections of the page, by the operation that each is about.
fn sections(page: &str) -> Vec<(String, String)> {
    let page = page.split("\n## Errors\n").next().unwrap();
    let sections = page.split("\n### `").skip(1).map(|section| {
        let (heading, text) = section.split_once("`\n").unwrap();
        (heading.to_owned(), text.split("\n## ").next().unwrap().to_owned())
    });
    sections.collect()
}

fn resolve<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    match schema["$ref"].as_str() {
        Some(reference) => document.pointer(reference.strip_prefix('#').unwrap()).unwrap(),
        None => schema,
    }
}

/// The names of the fields that a body of that schema has.
fn fields(document: &Value, schema: &Value) -> BTreeSet<String> {
    let schema = resolve(document, schema);
    let own = schema["properties"]
        .as_object()
        .into_iter()
        .flat_map(|fields| fields.keys().cloned());
    let parts = schema["allOf"].as_array().into_iter().flatten();
    own.chain(parts.flat_map(|part| fields(document, part))).collect()
}

/// The fields of every JSON body that the operation takes or gives.
fn all_fields(document: &Value, operation: &Value) -> BTreeSet<String> {
    let responses = operation["responses"].as_object().unwrap().values();
    let bodies = responses.chain([&operation["requestBody"]]);
    let contents = bodies.filter_map(|body| body["content"].as_object());
    let schemas = contents.flat_map(|content| content.values().map(|one| &one["schema"]));
    schemas.flat_map(|schema| fields(document, schema)).collect()
}

#[actix_web::test]
async fn every_route_has_a_section_and_every_section_a_route() {
    let document = Server::new().await.call(get("/openapi.json")).await.json();
    let mut served = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        served.extend(
            item.as_object()
                .unwrap()
                .keys()
                .map(|method| format!("{} {path}", method.to_uppercase())),
        );
    }
    let page = page();
    let written: Vec<String> = sections(&page).into_iter().map(|(heading, _)| heading).collect();
    assert_eq!(written.len(), served.len(), "a section twice");
    assert_eq!(written.into_iter().collect::<BTreeSet<_>>(), served);
}

#[actix_web::test]
async fn every_example_is_json_with_fields_that_there_are() {
    let document = Server::new().await.call(get("/openapi.json")).await.json();
    let page = page();
    let mut examples = 0;
    for (heading, text) in sections(&page) {
        let (method, path) = heading.split_once(' ').unwrap();
        let known = all_fields(&document, &document["paths"][path][method.to_lowercase()]);
        for block in text.split("```json\n").skip(1) {
            let block = block.split("\n```").next().unwrap();
            let example: Value =
                serde_json::from_str(block).unwrap_or_else(|error| panic!("{heading}: {error}"));
            for field in example.as_object().unwrap().keys() {
                assert!(known.contains(field), "{heading}: {field} is none of {known:?}");
            }
            examples += 1;
        }
    }
    assert!(examples > 12, "{examples}");
}

#[test]
fn the_limits_of_the_page_are_those_of_the_code() {
    let (page, settings) = (page(), HttpSettings::default());
    for row in [
        format!(
            "| JSON body | {} KiB, 32 levels deep |",
            settings.max_json_bytes / 1_024
        ),
        format!("| Document, as JSON | {} MiB |", settings.max_text_bytes >> 20),
        format!(
            "| Document, as a file | {} MiB (`MAX_UPLOAD_MIB`) |",
            settings.max_upload_bytes >> 20
        ),
        format!(
            "| Documents on their way in, in memory all together | {} MiB, half of it for one tenant |",
            settings.permits.document_bytes >> 20
        ),
        format!(
            "| Body's arrival | {} seconds, and of a file one more for each {} KiB |",
            settings.body_deadline.as_secs(),
            HttpSettings::SLOWEST_UPLOAD >> 10
        ),
        format!(
            "| Watchers of jobs | {}, half of them for one tenant |",
            settings.permits.watchers
        ),
        format!("| Token | {} KiB |", tenantry_auth::MAX_TOKEN_BYTES / 1_024),
        format!(
            "| Waiting for a free worker | {} seconds, {} requests of each kind |",
            settings.permits.wait.as_secs(),
            settings.permits.queue
        ),
        format!(
            "| Reader of a stream who takes nothing | {} seconds |",
            settings.stall_deadline.as_secs()
        ),
    ] {
        assert!(page.contains(&row), "{row}");
    }
    assert!(settings.heartbeat.as_secs() <= 5);
}
