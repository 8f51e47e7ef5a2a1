//! What the tests below share.

use std::path::PathBuf;

use serde_json::Value;

use crate::http::testing::Answer;

/// Writes a body to `TENANTRY_RECORD_DIR`, where that is set, named after the schema of `OpenAI`'s API description that it must
/// satisfy: scripts/check-openai-bodies holds it against that.
pub(super) fn record(schema: &str, case: &str, body: &Value) {
    #[expect(
        clippy::disallowed_methods,
        reason = "a check outside the tests says where it wants the bodies"
    )]
    let folder = std::env::var_os("TENANTRY_RECORD_DIR").map(PathBuf::from);
    if let Some(folder) = folder {
        let file = folder.join(format!("{schema}-server-{case}.json"));
        std::fs::write(file, format!("{body:#}\n")).unwrap();
    }
}

/// Asserts all of an error.
#[track_caller]
pub(super) fn error(answer: &Answer, status: u16, kind: &str, code: Option<&str>, param: Option<&str>) {
    let body = answer.json();
    let case = format!("{status}-{}", code.unwrap_or("none"));
    record("ErrorResponse", &case, &body);
    let error = body["error"].as_object().unwrap();
    let keys: Vec<&str> = error.keys().map(String::as_str).collect();
    assert_eq!(keys, ["code", "message", "param", "type"], "{body}");
    let told = (
        answer.status,
        error["type"].as_str(),
        error["code"].as_str(),
        error["param"].as_str(),
    );
    assert_eq!(told, (status, Some(kind), code, param), "{body}");
    assert!(!error["message"].as_str().unwrap().is_empty());
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert!(answer.header("x-request-id").is_some());
    assert!(!answer.text().contains("secret"), "{body}");
}
