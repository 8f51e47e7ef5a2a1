//! `tenantry doctor` on deployments that are well, and on such as are not.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;
use tenantry_http_client::{Answer, StubServer};

use crate::database::Database;
use crate::house::House;
use crate::on_both_databases;
use crate::server::{JWT_SECRET_KEY, SECRET_KEY, Settings};

on_both_databases! {
    a_deployment_that_is_well_is_told_so
    whatever_is_wrong_is_named_with_what_to_do
    what_tenants_brought_is_called_when_asked_for
    a_database_that_was_tampered_with_is_told
    looking_changes_nothing
}

const PROVIDER_KEY: &str = "sk-the-operators-0123456789";
const TENANT_KEY: &str = "sk-the-tenants-0123456789";
const OTHER_SECRET_KEY: &str = "e0b3c94f5a7d12866fd1c8a7205b9e34d7f16c3a80e25b9471d4a6c3f98e0b57";

/// Nobody listens there.
const NOBODY: &str = "http://127.0.0.1:9";

/// A provider that lists its models to those who have a key of it.
fn provider() -> StubServer {
    StubServer::start(|request| {
        let keys = [PROVIDER_KEY, TENANT_KEY].map(|key| format!("Bearer {key}"));
        if !keys
            .iter()
            .any(|key| request.header("authorization") == Some(key))
        {
            return Answer::new(401);
        }
        match request.path() {
            "/v1/models" => {
                let models = ["answers", "embeds"].map(|id| json!({ "id": id, "object": "model" }));
                Answer::json(200, &json!({ "object": "list", "data": models }))
            }
            _ => Answer::new(404),
        }
    })
}

fn settings(database: &Database, provider: &StubServer) -> Settings {
    Settings::new(&database.url())
        .with("OPENAI_BASE_URL", provider.url("/v1").as_str())
        .with("OPENAI_API_KEY", PROVIDER_KEY)
        .with("OPENAI_CHAT_MODEL", "answers")
        .with("OPENAI_EMBEDDING_MODEL", "embeds")
}

/// What the doctor says: its exit code and its findings as JSON.
struct Told {
    code: Option<i32>,
    report: Value,
}

impl Told {
    #[track_caller]
    fn by(settings: &Settings, folder: &Path, arguments: &[&str]) -> Self {
        let arguments = [&["doctor", "--json"], arguments].concat();
        let output = settings.run(folder, &arguments);
        let (out, err) = (
            String::from_utf8(output.stdout).unwrap(),
            String::from_utf8(output.stderr).unwrap(),
        );
        for secret in [
            SECRET_KEY,
            OTHER_SECRET_KEY,
            JWT_SECRET_KEY,
            PROVIDER_KEY,
            TENANT_KEY,
        ] {
            assert!(!out.contains(secret) && !err.contains(secret), "{out}{err}");
        }
        Self {
            code: output.status.code(),
            report: serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}{err}")),
        }
    }

    fn findings(&self) -> &[Value] {
        self.report["findings"].as_array().unwrap()
    }

    /// Asserts that something of that part is so, with advice.
    #[track_caller]
    fn assert_says(&self, check: &str, verdict: &str, message: &str) {
        let found = self.findings().iter().find(|finding| {
            finding["check"] == check
                && finding["verdict"] == verdict
                && finding["message"].as_str().unwrap().contains(message)
        });
        let found =
            found.unwrap_or_else(|| panic!("no {verdict} of {check} with {message}: {}", self.report));
        assert!(
            found["advice"].as_str().is_some_and(|advice| !advice.is_empty()),
            "{found}"
        );
        let is_problem = self.report["verdict"] == "problem";
        assert_eq!(self.code, Some(i32::from(is_problem)), "{}", self.report);
        assert!(verdict != "problem" || is_problem);
    }

    #[track_caller]
    fn assert_is_well(&self, check: &str) {
        let mut of = self
            .findings()
            .iter()
            .filter(|finding| finding["check"] == check)
            .peekable();
        assert!(of.peek().is_some(), "no {check}: {}", self.report);
        assert!(of.all(|finding| finding["verdict"] == "ok"), "{}", self.report);
    }
}

fn a_deployment_that_is_well_is_told_so(database: &Database) {
    let provider = provider();
    let house = House::open_with(settings(database, &provider));
    let told = Told::by(&house.settings, house.server.folder(), &[]);
    assert_eq!(
        (told.code, &told.report["verdict"]),
        (Some(0), &json!("ok")),
        "{}",
        told.report
    );
    for check in [
        "configuration",
        "listening",
        "CORS",
        "registration",
        "mail",
        "data folder",
        "disk",
        "database",
        "migrations",
        "isolation",
        "clock",
        "superuser",
        "audit logs",
        "keys",
        "models",
        "embeddings",
    ] {
        told.assert_is_well(check);
    }
    let called = provider.requests();
    assert!(
        called.iter().all(|request| request.target == "/v1/models"),
        "{called:?}"
    );

    let output = house.settings.run(house.server.folder(), &["doctor"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.status.success() && text.contains("problems: 0, warnings: 0"),
        "{text}"
    );
}

type Wrong = (
    &'static [(&'static str, &'static str)],
    &'static str,
    &'static str,
    &'static str,
);

/// Settings that make a part of a deployment what it should not be: the part, the verdict, and what is said.
const WRONG: &[Wrong] = &[
    (
        &[("OPENAI_API_KEY", "sk-wrong")],
        "models",
        "problem",
        "refuses the key",
    ),
    (
        &[("OPENAI_BASE_URL", NOBODY)],
        "models",
        "problem",
        "cannot be reached",
    ),
    (
        &[("OPENAI_CHAT_MODEL", "unheard-of")],
        "models",
        "warning",
        "unheard-of is none",
    ),
    (
        &[("OPENAI_EMBEDDING_MODEL", "unheard-of")],
        "models",
        "warning",
        "unheard-of is none",
    ),
    (
        &[("OPENAI_EMBEDDING_MODEL", "none")],
        "embeddings",
        "warning",
        "by their words alone",
    ),
    (
        &[("RERANK_URL", NOBODY), ("RERANK_MODEL", "ranks")],
        "reranker",
        "problem",
        "cannot be reached",
    ),
    (
        &[("PINECONE_CONTROL_URL", NOBODY)],
        "Pinecone",
        "problem",
        "cannot be reached",
    ),
    (&[("HOST", "0.0.0.0")], "listening", "warning", "plain HTTP"),
    (&[("REGISTRATION", "open")], "registration", "warning", "anybody"),
    (
        &[("BACKEND_CORS_ORIGINS", "http://app.example.org")],
        "CORS",
        "warning",
        "not https",
    ),
    (
        &[
            ("BACKEND_CORS_ORIGINS", "http://localhost:3000"),
            ("HOST", "0.0.0.0"),
        ],
        "CORS",
        "warning",
        "localhost",
    ),
    (
        &[
            ("SMTP_URL", "smtp://127.0.0.1:9"),
            ("PUBLIC_URL", "https://rag.example.org"),
            ("MAIL_FROM", "rag@example.org"),
        ],
        "mail",
        "problem",
        "unavailable",
    ),
    (
        &[("SECRET_KEY_PREVIOUS", OTHER_SECRET_KEY), ("PORT", "x")],
        "configuration",
        "problem",
        "PORT",
    ),
    (
        &[(
            "JWT_SECRET_KEY_PREVIOUS",
            "kJ8vQz2LwN5rXb7TgYpC4mHs9DfEaR3uVi6ZoKx1",
        )],
        "keys",
        "warning",
        "earlier JWT_SECRET_KEY",
    ),
];

fn whatever_is_wrong_is_named_with_what_to_do(database: &Database) {
    let provider = provider();
    let house = House::open_with(settings(database, &provider));
    let folder = house.server.folder();
    for (changes, check, verdict, message) in WRONG {
        let changed = changes
            .iter()
            .fold(house.settings.clone(), |settings, (name, value)| {
                settings.with(name, value)
            });
        Told::by(&changed, folder, &[]).assert_says(check, verdict, message);
    }
    let behind_tls = house.settings.clone().with("HOST", "0.0.0.0");
    Told::by(
        &behind_tls.clone().with("PUBLIC_URL", "https://rag.example.org"),
        folder,
        &[],
    )
    .assert_says("listening", "warning", "count as that one address");
    Told::by(&behind_tls.with("TRUSTED_PROXIES", "10.0.0.1"), folder, &[]).assert_is_well("listening");

    let data = folder.join("data");
    fs::set_permissions(&data, fs::Permissions::from_mode(0o755)).unwrap();
    Told::by(&house.settings, folder, &[]).assert_says("data folder", "warning", "755");
    let nowhere = house.settings.clone().with("DATA_DIR", "elsewhere");
    Told::by(&nowhere, folder, &[]).assert_says("data folder", "warning", "does not exist");

    let key = TempDir::new().unwrap();
    let file = key.path().join("key");
    fs::write(&file, SECRET_KEY).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let from_file = house
        .settings
        .clone()
        .without("SECRET_KEY")
        .with("SECRET_KEY_FILE", file.to_str().unwrap());
    Told::by(&from_file, folder, &[]).assert_says("SECRET_KEY_FILE", "warning", "644");
}

fn what_tenants_brought_is_called_when_asked_for(database: &Database) {
    let provider = provider();
    let origin = provider.url("/").origin().ascii_serialization();
    let house = House::open_with(settings(database, &provider).with("TENANT_LLM_ORIGINS", &origin));
    for (id, key) in [("acme", TENANT_KEY), ("globex", "sk-revoked")] {
        let own = json!({ "base_url": provider.url("/v1").as_str(), "api_key": key });
        let tenant = json!({ "id": id, "name": id, "chat": { "models": ["answers"] }, "llm_provider": own });
        house.superuser.post("/admin/tenants/", &tenant).expect(201);
    }
    let folder = house.server.folder();
    let quietly = Told::by(&house.settings, folder, &[]);
    assert_eq!(quietly.code, Some(0), "{}", quietly.report);
    assert!(
        provider
            .requests()
            .iter()
            .all(|request| !request.header("authorization").unwrap().contains(TENANT_KEY))
    );
    let told = Told::by(&house.settings, folder, &["--tenants"]);
    told.assert_says("tenant models", "problem", "globex");
    let of_acme = told
        .findings()
        .iter()
        .find(|finding| finding["message"].as_str().unwrap().starts_with("acme"));
    assert_eq!(of_acme.unwrap()["verdict"], "ok", "{}", told.report);
    // Not allowed any more, so that not even the doctor goes there.
    let calls = provider.requests().len();
    let forbidden = house.settings.clone().without("TENANT_LLM_ORIGINS");
    Told::by(&forbidden, folder, &["--tenants"]).assert_says("tenant models", "problem", "acme");
    assert_eq!(
        provider.requests().len(),
        calls + 1,
        "the operator's own is asked alone"
    );

    // 2. The keys: one that is to be rotated, and one that fits nothing.
    let rotating = house.settings.clone();
    let rotating = rotating
        .with("SECRET_KEY", OTHER_SECRET_KEY)
        .with("SECRET_KEY_PREVIOUS", SECRET_KEY);
    Told::by(&rotating, folder, &[]).assert_says(
        "keys",
        "warning",
        "2 secrets are still sealed with an earlier key",
    );
    let wrong = house.settings.clone().with("SECRET_KEY", OTHER_SECRET_KEY);
    Told::by(&wrong, folder, &["--tenants"]).assert_says("keys", "problem", "SECRET_KEY does not match");
    database.sql("update tenants set llm_api_key = 'sk-in-the-clear' where id = 'acme'");
    Told::by(&house.settings, folder, &[]).assert_says("keys", "problem", "1 stored secrets are not sealed");
}

fn a_database_that_was_tampered_with_is_told(database: &Database) {
    let provider = provider();
    let house = House::open_with(settings(database, &provider));
    let folder = house.server.folder();
    if database.kind() == "sqlite" {
        let triggers =
            database.sql("select name from sqlite_master where type = 'trigger' and tbl_name = 'audit_log'");
        for trigger in triggers.lines() {
            database.sql(&format!("drop trigger {trigger}"));
        }
    }
    database.sql("update audit_log set action = 'login.failed' where number = 1");
    Told::by(&house.settings, folder, &[]).assert_says("audit logs", "problem", "entry 1 was altered");
    database.sql("update users set is_active = false");
    Told::by(&house.settings, folder, &[]).assert_says("superuser", "warning", "there is none");
    let newest = "select max(version) from __diesel_schema_migrations";
    let version = database.sql(newest);
    database.sql(&format!(
        "update __diesel_schema_migrations set version = '99990101000000' where version = '{version}'"
    ));
    Told::by(&house.settings, folder, &[]).assert_says("migrations", "problem", "newer");
    database.sql("delete from __diesel_schema_migrations where version = '99990101000000'");
    Told::by(&house.settings, folder, &[]).assert_says("migrations", "problem", "pending");
}

fn looking_changes_nothing(database: &Database) {
    let folder = TempDir::new().unwrap();
    let settings = Settings::new(&database.url()).with("SECRET_KEY", "correct horse battery staple");
    if database.kind() == "sqlite" {
        Told::by(&settings, folder.path(), &[]).assert_says("database", "problem", "no file");
        Told::by(&settings, folder.path(), &[]).assert_says("database", "problem", "no file");
    } else {
        Told::by(&settings, folder.path(), &[]).assert_says("migrations", "problem", "pending");
        let unreachable = settings
            .clone()
            .with("DATABASE_URL", "postgres://u:hunter2@127.0.0.1:9/t");
        let told = Told::by(&unreachable, folder.path(), &[]);
        told.assert_says("database", "problem", "cannot reach the database");
        assert!(!told.report.to_string().contains("hunter2"));
    }
    let migrated = settings.run(folder.path(), &["migrate"]);
    assert!(migrated.status.success(), "{migrated:?}");
    let told = Told::by(&settings, folder.path(), &[]);
    told.assert_is_well("keys");
    assert_eq!(database.sql("select count(*) from crypto_state"), "0");
    assert!(!folder.path().join("data").exists());
}
