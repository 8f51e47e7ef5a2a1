//! What becomes of documents when servers and commands are killed, files are made to do harm, and models change.

use std::fs;
use std::process::{Output, Stdio};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use tenantry_extraction::conformance::samples;

use crate::client::Client;
use crate::database::Database;
use crate::house::{House, plain_tenant};
use crate::server::{Server, Settings};
use crate::upstreams::Upstreams;
use crate::{on_both_databases, wait_for};

on_both_databases! {
    documents_outlive_a_server_that_is_killed_again_and_again
    an_ingest_that_is_killed_goes_on_where_it_was
    two_servers_share_the_work_and_one_of_them_is_killed
    hostile_files_fail_with_a_reason_and_the_server_answers_all_along
    a_model_that_does_not_fit_is_refused_and_then_changed_without_a_pause
}

#[cfg(feature = "pgvector-tests")]
mod pgvector {
    use crate::database::Database;

    #[test]
    fn documents_outlive_a_server_that_is_killed_again_and_again() {
        super::documents_outlive_a_server_that_is_killed_again_and_again(&Database::pgvector());
    }

    #[test]
    fn an_ingest_that_is_killed_goes_on_where_it_was() {
        super::an_ingest_that_is_killed_goes_on_where_it_was(&Database::pgvector());
    }

    #[test]
    fn two_servers_share_the_work_and_one_of_them_is_killed() {
        super::two_servers_share_the_work_and_one_of_them_is_killed(&Database::pgvector());
    }

    #[test]
    fn a_model_is_changed_without_a_pause() {
        super::a_model_that_does_not_fit_is_refused_and_then_changed_without_a_pause(&Database::pgvector());
    }
}

/// How often something is killed, at another moment each time.
const KILLS: u64 = 10;

/// Long enough for several segments, and of words of its own.
fn text(number: usize) -> String {
    let sentence = |line| {
        format!(
            "Parcel {number} of shelf {line} holds {} lamps and a note.\n",
            number * line
        )
    };
    (1..600).map(sentence).collect()
}

/// The moment of the next kill, which differs from test run to test run as little as it can.
fn pause(round: u64) -> Duration {
    Duration::from_millis(30 + round * round * 7_919 % 900)
}

/// A house whose vectors are in a folder that outlives its servers.
fn house(database: &Database, upstreams: &Upstreams) -> (House, TempDir, Client) {
    let data = TempDir::new().unwrap();
    let settings = upstreams
        .settings(database)
        .with("DATA_DIR", data.path().to_str().unwrap())
        .with("VECTOR_STORE", database.vector_store())
        .with("INGEST_WORKERS", "3");
    let house = House::open_with(settings);
    let user = house.tenant(&plain_tenant("acme"));
    (house, data, user)
}

/// Runs a command as the house's servers are configured.
fn run(settings: &Settings, arguments: &[&str]) -> Output {
    let folder = TempDir::new().unwrap();
    settings.run(folder.path(), arguments)
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// Waits until no job is left to be done.
#[track_caller]
fn wait_until_settled(user: &Client) {
    wait_for("every job to be over", || {
        let left =
            |state: &str| user.get(&format!("/jobs?state={state}&limit=1")).expect(200)["total"].clone();
        (left("queued") == 0 && left("running") == 0).then_some(())
    });
}

/// Every document that is listed.
fn documents(user: &Client) -> Vec<Value> {
    user.get("/documents?limit=100").expect(200)["items"]
        .as_array()
        .unwrap()
        .clone()
}

/// The records and the index agree, document by document.
#[track_caller]
fn assert_reconciled(settings: &Settings) {
    let compared = run(settings, &["reconcile", "--all"]);
    assert!(compared.status.success(), "{compared:?}");
    assert!(out(&compared).contains("no difference"), "{compared:?}");
}

fn documents_outlive_a_server_that_is_killed_again_and_again(database: &Database) {
    let upstreams = Upstreams::start(&[]);
    let (mut house, _data, mut user) = house(database, &upstreams);
    let hand_in = |user: &Client, name: usize, version: usize| {
        let body = json!({ "title": name.to_string(), "text": text(name + version), "external_id": name.to_string() });
        let job = user.post("/documents", &body).expect(202);
        job["document_id"].as_str().unwrap().to_owned()
    };
    let mut removed = Vec::new();
    for round in 0..KILLS {
        let at = usize::try_from(round).unwrap();
        let ids = [3 * at, 3 * at + 1, 3 * at + 2].map(|name| hand_in(&user, name, 0));
        // An earlier one changes, another goes.
        if at > 0 {
            hand_in(&user, 3 * at - 3, 7);
            user.delete(&format!("/documents/{}", ids[2])).expect(204);
            removed.push(ids[2].clone());
        }
        thread::sleep(pause(round));
        house.server.kill();
        house.server = Server::start(&house.settings);
        user = user.at(house.server.port());
    }
    wait_until_settled(&user);
    let jobs = user.get("/jobs?limit=100").expect(200)["items"].clone();
    let jobs = jobs.as_array().unwrap();
    let lost: u64 = jobs.iter().map(|job| job["attempts"].as_u64().unwrap()).sum();
    assert!(lost > 0, "no kill met a job that was being done");

    let documents = documents(&user);
    assert_eq!(
        documents.len(),
        usize::try_from(3 * KILLS).unwrap() - removed.len()
    );
    for document in &documents {
        assert_eq!(document["state"], "ready", "{document}");
        assert!(!removed.iter().any(|id| document["id"] == id.as_str()));
    }
    let text_of = |name: &str| {
        let listed = user.get(&format!("/documents?external_id={name}")).expect(200);
        let id = listed["items"][0]["id"].as_str().unwrap().to_owned();
        user.get(&format!("/documents/{id}/text")).body
    };
    assert_eq!(text_of("0"), text(7), "the newer version is the one that stays");
    assert_eq!(text_of("1"), text(1));
    let found = user
        .post("/search", &json!({ "query": "parcel 28 lamps", "limit": 100 }))
        .expect(200);
    for hit in found["items"].as_array().unwrap() {
        assert!(
            !removed.iter().any(|id| hit["document_id"] == id.as_str()),
            "{hit}"
        );
    }
    house.server.terminate();
    house.server.wait_until_stopped();
    assert_reconciled(&house.settings);
}

fn an_ingest_that_is_killed_goes_on_where_it_was(database: &Database) {
    let folder = TempDir::new().unwrap();
    let settings = Settings::new(&database.url())
        .with("DATA_DIR", folder.path().join("data").to_str().unwrap())
        .with("VECTOR_STORE", database.vector_store());
    assert!(settings.run(folder.path(), &["migrate"]).status.success());
    let tenant = ["tenant", "create", "--id", "acme", "--name", "Acme"];
    assert!(settings.run(folder.path(), &tenant).status.success());
    let files = folder.path().join("files");
    fs::create_dir_all(files.join("deep")).unwrap();
    for number in 0..24 {
        fs::write(files.join(format!("deep/{number}.txt")), text(number)).unwrap();
    }
    fs::write(files.join("article.pdf"), samples::article()).unwrap();
    fs::write(files.join("slides.pptx"), samples::pptx()).unwrap();
    fs::write(files.join("book.epub"), samples::epub(None)).unwrap();

    let ingest = ["ingest", "--tenant", "acme", "--workers", "3", "files"];
    for round in 0..KILLS {
        let mut command = settings.command(folder.path(), &ingest);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        thread::sleep(pause(round));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let last = settings.run(folder.path(), &ingest);
    assert!(last.status.success(), "{last:?}");
    let said = out(&last);
    let ends = said
        .lines()
        .filter(|line| line.starts_with("ready ") || line.starts_with("skipped "));
    assert_eq!(ends.count(), 27, "{said}");
    let again = out(&settings.run(folder.path(), &ingest));
    assert!(again.ends_with("0 ready, 27 skipped, 0 failed\n"), "{again}");
    assert_reconciled(&settings);
}

fn two_servers_share_the_work_and_one_of_them_is_killed(database: &Database) {
    let upstreams = Upstreams::start(&[]);
    let (house, _data, user) = house(database, &upstreams);
    let mut other = Server::start(&house.settings);
    let users = [user.clone(), user.at(other.port())];
    for number in 0..24 {
        let body = json!({ "title": number.to_string(), "text": text(number) });
        users[number % 2].post("/documents", &body).expect(202);
    }
    // Both have begun before one is gone.
    for server in [&house.server, &other] {
        wait_for("a server to finish a job", || {
            server.log().contains("ingest done").then_some(())
        });
    }
    other.kill();
    wait_until_settled(&user);
    let documents = documents(&user);
    assert_eq!(documents.len(), 24);
    assert!(
        documents.iter().all(|document| document["state"] == "ready"),
        "{documents:?}"
    );
    assert_reconciled(&house.settings);
}

fn hostile_files_fail_with_a_reason_and_the_server_answers_all_along(database: &Database) {
    let upstreams = Upstreams::start(&[]);
    let (house, _data, user) = house(database, &upstreams);
    let deep_xml = format!("{}{}", "<w:p>".repeat(100_000), "</w:p>".repeat(100_000));
    let bomb = "0".repeat(64 << 20);
    let files: [(&str, Vec<u8>); 8] = [
        ("locked.pdf", samples::encrypted_pdf()),
        ("scan.pdf", samples::scan()),
        ("deep.docx", samples::docx(&deep_xml)),
        (
            "bomb.docx",
            samples::archive(&[("word/document.xml", &bomb), ("[Content_Types].xml", &bomb)]),
        ),
        ("old.doc", samples::ole(&["WordDocument"])),
        ("half.pdf", samples::article()[..300].to_vec()),
        (
            "picture.txt",
            [&b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"[..], &[0; 500]].concat(),
        ),
        ("blank.txt", b" \n \n".to_vec()),
    ];
    let jobs: Vec<(&str, Value)> = files
        .iter()
        .map(|(name, bytes)| (*name, user.upload("/documents", name, bytes).expect(202)))
        .collect();
    for (name, job) in jobs {
        let job = wait_for("a hostile file to fail", || {
            assert_eq!(house.server.client().get("/healthz").status, 200, "{name}");
            user.post("/search", &json!({ "query": "anything" })).expect(200);
            let job = user
                .get(&format!("/jobs/{}", job["id"].as_str().unwrap()))
                .expect(200);
            let is_over = job["state"] != "queued" && job["state"] != "running";
            is_over.then_some(job)
        });
        let reason = job["reason"].as_str().unwrap_or_default();
        assert!(job["state"] == "failed" && reason.len() > 10, "{name}: {job}");
        assert!(
            !reason.contains("panicked") && !reason.contains('/'),
            "{name}: {reason}"
        );
    }
    user.add_document(&json!({ "title": "Fine", "text": "Plain words are still taken in." }));
    assert_reconciled(&house.settings);
}

fn a_model_that_does_not_fit_is_refused_and_then_changed_without_a_pause(database: &Database) {
    let upstreams = Upstreams::start(&[]);
    let (mut house, _data, user) = house(database, &upstreams);
    user.add_document(&json!({ "title": "Returns", "text": "Tools can be brought back within 30 days." }));
    house.server.terminate();
    house.server.wait_until_stopped();

    let changed = house
        .settings
        .clone()
        .with("OPENAI_EMBEDDING_MODEL", "another-model");
    let refused = run(&changed, &["serve"]);
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(!refused.status.success(), "{said}");
    for part in [
        "1 tenant (acme)",
        "text-embedding-3-small (1536)",
        "another-model",
        "OPENAI_EMBEDDING_MODEL_PREVIOUS=",
    ] {
        assert!(said.contains(part), "{said}");
    }
    let both = changed
        .clone()
        .with("OPENAI_EMBEDDING_MODEL_PREVIOUS", "text-embedding-3-small");
    let server = Server::start(&both);
    let user = user.at(server.port());
    let search = |user: &Client| {
        let found = user
            .post("/search", &json!({ "query": "bring tools back" }))
            .expect(200);
        assert_eq!(found["items"][0]["title"], "Returns", "{found}");
    };
    search(&user);
    let built = run(&both, &["reindex", "--all"]);
    assert!(
        built.status.success() && out(&built).contains("another-model"),
        "{built:?}"
    );
    search(&user);
    let back = run(&both, &["reindex", "--tenant", "acme", "--back"]);
    assert!(
        back.status.success() && out(&back).contains("text-embedding-3-small"),
        "{back:?}"
    );
    search(&user);
    assert!(run(&both, &["reindex", "--all"]).status.success());
    drop(server);
    // The old model is needed no more.
    let server = Server::start(&changed);
    search(&user.at(server.port()));
    assert_reconciled(&changed);
}
