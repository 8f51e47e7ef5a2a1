//! When a server starts, and when it refuses to.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::json;
use tempfile::TempDir;

use crate::database::Database;
use crate::house::{House, plain_tenant};
use crate::on_both_databases;
use crate::server::{JWT_SECRET_KEY, SECRET_KEY, Server, Settings};
use crate::upstreams::{PineconeAccount, Upstreams};

on_both_databases! {
    five_servers_that_start_at_once_on_an_empty_database_all_become_ready
    migrate_says_what_it_applied_and_then_that_nothing_is_left
    a_server_that_may_not_migrate_refuses_an_empty_database
    a_database_that_is_newer_than_the_server_is_refused
    a_secret_key_that_does_not_open_what_is_stored_is_refused
}

fn five_servers_that_start_at_once_on_an_empty_database_all_become_ready(database: &Database) {
    let settings = Settings::new(&database.url());
    let mut servers: Vec<_> = (0..5).map(|_| Server::launch(&settings)).collect();
    for server in &mut servers {
        server.wait_until_ready();
    }
    let applied: Vec<_> = servers
        .iter()
        .map(|server| server.log().matches("applied migration").count())
        .collect();
    assert!(
        applied.iter().filter(|count| **count > 0).count() == 1,
        "one of them migrates: {applied:?}"
    );
}

fn migrate_says_what_it_applied_and_then_that_nothing_is_left(database: &Database) {
    let folder = TempDir::new().unwrap();
    let settings = Settings::new(&database.url());
    let migrate = |arguments: &[&str]| {
        let output = settings.run(folder.path(), arguments);
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let steps: BTreeSet<_> = [
        "tenants",
        "users",
        "documents",
        "crypto_state",
        "tenant_settings",
        "document_versions",
        "ingestion",
    ]
    .into();
    let named = |text: &str| steps.iter().filter(|step| text.contains(**step)).count();

    let pending = migrate(&["migrate", "--status"]);
    assert_eq!(named(&pending), steps.len(), "{pending}");
    let applied = migrate(&["migrate"]);
    assert_eq!(named(&applied), steps.len(), "{applied}");
    let again = migrate(&["migrate"]);
    assert_eq!(named(&again), 0, "{again}");
}

fn a_server_that_may_not_migrate_refuses_an_empty_database(database: &Database) {
    let folder = TempDir::new().unwrap();
    let output = Settings::new(&database.url()).run(folder.path(), &["serve", "--no-migrate"]);
    assert!(!output.status.success());
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("tenantry migrate"), "{said}");
}

fn a_database_that_is_newer_than_the_server_is_refused(database: &Database) {
    let folder = TempDir::new().unwrap();
    let settings = Settings::new(&database.url());
    assert!(settings.run(folder.path(), &["migrate"]).status.success());
    database.sql("INSERT INTO __diesel_schema_migrations (version, run_on) VALUES ('29991231235959', CURRENT_TIMESTAMP)");

    let output = settings.run(folder.path(), &["serve"]);
    assert!(!output.status.success(), "{output:?}");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("newer"), "{said}");
}

fn a_secret_key_that_does_not_open_what_is_stored_is_refused(database: &Database) {
    let upstreams = Upstreams::start(&[PineconeAccount::new("pc-acme-0123456789abcdef", "acme-docs")]);
    let mut house = House::open_with(upstreams.settings(database));
    let mut tenant = plain_tenant("acme");
    tenant["pinecone_api_key"] = json!("pc-acme-0123456789abcdef");
    house.tenant(&tenant);
    house.server.terminate();
    house.server.wait_until_stopped();

    let folder = TempDir::new().unwrap();
    let other = "11d94e7f1a6b38054d7e9f2a1b0c8d6e53f7a4b918c2d0e6f9a35b7c4d8e1f22";
    let settings = house.settings.clone().with("SECRET_KEY", other);
    let output = settings.run(folder.path(), &["serve"]);
    assert!(!output.status.success(), "{output:?}");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("SECRET_KEY does not match this database"), "{said}");
    assert!(!said.contains(other) && !said.contains(SECRET_KEY), "{said}");

    // Named as an earlier key, the right one opens what was sealed with it.
    Server::start(&settings.with("SECRET_KEY_PREVIOUS", SECRET_KEY));
}

#[test]
fn each_bad_setting_is_refused_by_name_before_anything_is_made() {
    let short = "c2d94e7f1a6b3805";
    for (variable, value) in [
        ("SECRET_KEY", None),
        ("SECRET_KEY", Some(short)),
        ("SECRET_KEY", Some("changeme-changeme-changeme")),
        (
            "SECRET_KEY",
            Some(" 7a1f0d3c9b5e48261f6a0c7d92e4b83510cf6e2d8a947b13f05c6d7e8a9b1c24"),
        ),
        ("SECRET_KEY_FILE", Some("/does/not/exist")),
        ("SECRET_KEY_PREVIOUS", Some(short)),
        ("DATABASE_URL", None),
        ("DATABASE_URL", Some("mysql://localhost/tenantry")),
        ("DATABASE_URL", Some("postgres:typo")),
        ("DATABASE_URL", Some("tenantry.db")),
        ("JWT_SECRET_KEY", None),
        ("JWT_SECRET_KEY", Some(short)),
        (
            "JWT_SECRET_KEY",
            Some("your-secret-key-your-secret-key-your-secret-key"),
        ),
        ("JWT_SECRET_KEY", Some(SECRET_KEY)),
        ("ALGORITHM", Some("none")),
        ("ALGORITHM", Some("hs256")),
        ("ALGORITHM", Some("RS256")),
        ("ACCESS_TOKEN_EXPIRE_MINUTES", Some("0")),
        ("ACCESS_TOKEN_EXPIRE_MINUTES", Some("10081")),
        ("ACCESS_TOKEN_EXPIRE_MINUTES", Some("soon")),
        ("BACKEND_CORS_ORIGINS", Some("*")),
        (
            "BACKEND_CORS_ORIGINS",
            Some("[\"https://app.example.org\", \"*\"]"),
        ),
        ("BACKEND_CORS_ORIGINS", Some("https://app.example.org/")),
        ("OPENAI_BASE_URL", Some("ftp://localhost/v1")),
        ("PINECONE_CONTROL_URL", Some("not a url")),
        ("PORT", Some("70000")),
        ("HOST", Some("not an address")),
        ("VECTOR_STORE", Some("pgvector3000")),
        ("LOG_FORMAT", Some("xml")),
        ("REGISTRATION", Some("perhaps")),
    ] {
        let folder = TempDir::new().unwrap();
        let settings = sound(folder.path());
        let settings = match value {
            Some(value) if variable == "SECRET_KEY_FILE" => {
                settings.without("SECRET_KEY").with(variable, value)
            }
            Some(value) => settings.with(variable, value),
            None => settings.without(variable),
        };
        refused(folder.path(), &settings, &[(variable, value)]);
    }
}

#[test]
fn all_bad_settings_are_told_at_once() {
    let folder = TempDir::new().unwrap();
    let bad = [
        ("SECRET_KEY", "2short"),
        ("JWT_SECRET_KEY", "3short"),
        ("ALGORITHM", "ROT13"),
        ("PORT", "-7"),
    ];
    let settings = bad.iter().fold(sound(folder.path()), |settings, (name, value)| {
        settings.with(name, value)
    });
    refused(
        folder.path(),
        &settings,
        &bad.map(|(name, value)| (name, Some(value))),
    );
}

/// Settings with which a server would start in that folder.
fn sound(folder: &Path) -> Settings {
    Settings::new(&format!("sqlite://{}/tenantry.db", folder.display()))
        .with("JWT_SECRET_KEY", JWT_SECRET_KEY)
}

/// Asserts that nothing starts, that one line names each bad variable and none tells a secret, and that no file is made.
#[track_caller]
fn refused(folder: &Path, settings: &Settings, bad: &[(&str, Option<&str>)]) {
    let output = settings.run(folder, &["serve"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        output.status.code().is_some_and(|code| code != 0),
        "{bad:?}: {:?} {said}",
        output.status
    );
    for (variable, value) in bad {
        let lines: Vec<_> = said
            .lines()
            .filter(|line| line.trim_start().starts_with(variable))
            .collect();
        assert_eq!(lines.len(), 1, "{variable}={value:?}: {said}");
        let secret = variable.contains("SECRET") || variable.contains("KEY");
        if let Some(value) = value.filter(|_| secret && *variable != "SECRET_KEY_FILE") {
            assert!(!said.contains(value.trim()), "{variable} is told: {said}");
        }
    }
    let problems = said.lines().filter(|line| line.contains("; expected ")).count();
    assert_eq!(problems, bad.len(), "{bad:?}: {said}");
    let made: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert!(
        made.iter()
            .all(|name| name.to_string_lossy().starts_with("command.")),
        "{bad:?} made {made:?}"
    );
}
