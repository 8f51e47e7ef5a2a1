//! The description and the routes say the same.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use actix_web::http::Method;
use actix_web::test::TestRequest;
use serde_json::Value;

use crate::http::testing::{Server, get};

/// What anybody may call.
const PUBLIC: &[&str] = &[
    "GET /docs",
    "GET /healthz",
    "GET /openapi.json",
    "GET /password-reset",
    "GET /readyz",
    "POST /login",
    "POST /password-reset",
    "POST /password-reset/request",
    "POST /refresh",
    "POST /register",
    "POST /token",
];

/// Every operation of the served document: method, path, description.
async fn operations(server: &Server) -> Vec<(String, String, Value)> {
    let document = server.call(get("/openapi.json")).await.json();
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            operations.push((method.to_uppercase(), path.clone(), operation.clone()));
        }
    }
    assert!(operations.len() > 20, "{operations:?}");
    operations
}

/// A request as the description's example makes it.
fn example(document: &Value, method: &str, path: &str, operation: &Value) -> TestRequest {
    let path = path
        .replace("{tenant_id}", "acme")
        .replace("{number}", "1")
        .replace("{id}", "019a0000-0000-7000-8000-000000000000");
    let request = get(&path).method(Method::from_bytes(method.as_bytes()).unwrap());
    let schema = &operation["requestBody"]["content"]["application/json"]["schema"]["$ref"];
    match schema.as_str() {
        Some(reference) => {
            let schema = document.pointer(reference.strip_prefix('#').unwrap()).unwrap();
            let example = &schema["example"];
            assert!(example.is_object(), "{reference} has no example");
            request.set_json(example)
        }
        None => request,
    }
}

#[actix_web::test]
async fn every_route_is_public_or_refuses_an_anonymous_caller() {
    let server = Server::new().await;
    let document = server.call(get("/openapi.json")).await.json();
    let mut public = BTreeSet::new();
    for (method, path, operation) in operations(&server).await {
        let answer = server.call(example(&document, &method, &path, &operation)).await;
        if operation.get("security").is_some() {
            assert_eq!(answer.status, 401, "{method} {path}");
            answer.is_of(&path, "unauthenticated", "invalid_api_key");
        } else {
            assert_ne!(answer.status, 404, "{method} {path} is not registered");
            public.insert(format!("{method} {path}"));
        }
    }
    assert_eq!(public, PUBLIC.iter().map(ToString::to_string).collect());
}

#[actix_web::test]
async fn every_operation_says_whom_it_is_for_and_lets_a_member_in_or_not() {
    let server = Server::new().await;
    let document = server.call(get("/openapi.json")).await.json();
    for (method, path, operation) in operations(&server).await {
        let access = operation["x-tenantry-access"].as_str();
        let access = access.unwrap_or_else(|| panic!("{method} {path} does not say whom it is for"));
        assert_eq!(access == "public", operation.get("security").is_none(), "{path}");
        let tag = operation["tags"][0].as_str();
        assert_eq!(access == "superuser", tag == Some("Administration"), "{path}");
        assert_eq!(access == "superuser", path.starts_with("/admin/"), "{path}");
        assert_eq!(access == "admin", tag == Some("Tenant administration"), "{path}");
        let request = example(&document, &method, &path, &operation);
        match access {
            "public" => {}
            "superuser" => server.call_as("ada", request).await.is(403, "superuser_required"),
            "admin" => server
                .call_as("ada", request)
                .await
                .is(403, "permission_required"),
            "user" | "chat" | "search" | "ingest" => {
                let answer = server.call_as("ada", request).await;
                assert!(
                    !matches!(answer.status, 401 | 403 | 405 | 422 | 500..),
                    "{method} {path}: {}",
                    answer.text()
                );
            }
            unknown => panic!("{method} {path}: {unknown}"),
        }
    }
}

#[actix_web::test]
async fn every_route_needs_a_tenant_the_administration_or_neither() {
    let server = Server::new().await;
    let document = server.call(get("/openapi.json")).await.json();
    for (method, path, operation) in operations(&server).await {
        let access = operation["x-tenantry-access"].as_str().unwrap();
        if matches!(access, "chat" | "search" | "ingest" | "admin") {
            let answer = server
                .call_as("nomad", example(&document, &method, &path, &operation))
                .await;
            assert_eq!(answer.status, 403, "{method} {path}");
            answer.is_of(&path, "tenant_forbidden", "tenant_forbidden");
        }
    }
}

#[actix_web::test]
async fn every_operation_is_described_and_may_fail_in_the_shape_of_its_address() {
    let server = Server::new().await;
    let document = server.call(get("/openapi.json")).await.json();
    assert_eq!(
        document["openapi"].as_str().map(|version| &version[..3]),
        Some("3.1")
    );
    for (method, path, operation) in operations(&server).await {
        assert!(operation["summary"].is_string(), "{method} {path}");
        assert!(operation["operationId"].is_string(), "{method} {path}");
        let error = &operation["responses"]["default"]["content"]["application/json"]["schema"]["$ref"];
        let shape = if path.starts_with("/v1/") {
            "OpenAiError"
        } else {
            "Error"
        };
        assert_eq!(*error, format!("#/components/schemas/{shape}"), "{path}");
        let responses = operation["responses"].as_object().unwrap();
        for (status, response) in responses {
            let description = response["description"].as_str().unwrap_or_default();
            assert!(!description.is_empty(), "{method} {path}: {status}");
        }
        let guarded = operation.get("security").is_some();
        let lets_in = ["/token", "/login", "/refresh"].contains(&path.as_str());
        assert_eq!(
            responses.contains_key("401"),
            guarded || lets_in,
            "{method} {path}"
        );
    }
    let ids: Vec<String> = operations(&server)
        .await
        .iter()
        .map(|(_, _, operation)| operation["operationId"].to_string())
        .collect();
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "{ids:?}");
}

#[actix_web::test]
async fn a_field_that_null_clears_is_told_from_one_that_null_is_a_mistake_in() {
    let document = Server::new().await.call(get("/openapi.json")).await.json();
    let schemas = &document["components"]["schemas"];
    for (schema, field, nullable) in [
        ("TenantUpdate", "system_prompt", true),
        ("TenantUpdate", "pinecone_index", true),
        ("TenantUpdate", "name", false),
        ("TenantUpdate", "pinecone_api_key", false),
        ("TenantUpdate", "is_active", false),
        ("TenantSettingsUpdate", "system_prompt", true),
        ("ChatTuning", "temperature", true),
        ("LlmProviderUpdate", "base_url", false),
        ("LlmProviderUpdate", "api_key", true),
        ("UserUpdate", "tenant_id", true),
        ("UserUpdate", "role", false),
        ("UserUpdate", "is_superuser", false),
        ("UserUpdate", "password", false),
    ] {
        let kind = &schemas[schema]["properties"][field]["type"];
        assert_eq!(kind.is_array(), nullable, "{schema}.{field}: {kind}");
        assert_eq!(schemas[schema].get("required"), None, "{schema}");
    }
}

#[actix_web::test]
async fn every_reference_leads_somewhere() {
    let server = Server::new().await;
    let document = server.call(get("/openapi.json")).await.json();
    let text = document.to_string();
    for reference in text.split("\"$ref\":\"#").skip(1) {
        let pointer = reference.split('"').next().unwrap();
        assert!(document.pointer(pointer).is_some(), "{pointer}");
    }
    let schemes = document["components"]["securitySchemes"].as_object().unwrap();
    for way in document["paths"]["/users/me"]["get"]["security"]
        .as_array()
        .unwrap()
    {
        assert!(
            way.as_object()
                .unwrap()
                .keys()
                .all(|name| schemes.contains_key(name)),
            "{way}"
        );
    }
    assert_eq!(schemes.len(), 2);
}

/// Nothing but documented handlers can pass `service` of the documented configuration; this holds the ways around it.
#[test]
fn no_route_is_registered_past_the_document() {
    let routes = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/routes");
    let (mut handlers, mut documented, mut registered) = (0, 0, 0);
    for source in sources(&routes) {
        let source = source.split("\n#[cfg(test)]").next().unwrap();
        for way_around in [
            ".route(",
            ".map(|config",
            ".external_resource(",
            ".default_service(",
            "Resource::new",
            "web::resource",
            "web::scope",
            "web::to(",
        ] {
            assert!(!source.contains(way_around), "{way_around}");
        }
        for unchecked in [
            "web::Query",
            "web::Path",
            "web::Form",
            "web::Payload",
            "operator()",
            "operator_scope",
            ".resolver",
        ] {
            assert!(!source.contains(unchecked), "{unchecked}");
        }
        let lines: Vec<&str> = source.lines().collect();
        let count = |prefix: &str| lines.iter().filter(|line| line.starts_with(prefix)).count();
        handlers += ["#[get(", "#[post(", "#[put(", "#[delete("]
            .iter()
            .map(|attribute| count(attribute))
            .sum::<usize>();
        documented += count("#[utoipa::path(");
        registered += source.matches(".service(").count();
    }
    assert!(handlers > 20);
    assert_eq!((handlers, registered), (documented, documented));
}

fn sources(folder: &Path) -> Vec<String> {
    let mut sources = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources.extend(self::sources(&path));
        } else if path.extension().is_some_and(|kind| kind == "rs") && !path.ends_with("tests.rs") {
            sources.push(fs::read_to_string(path).unwrap());
        }
    }
    sources
}
