//! A tenant's data is the tenant's: it moves to another server with the same answers, and goes for good without a trace.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Output, Stdio};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::client::Client;
use crate::database::Database;
use crate::house::{House, PASSWORD, plain_tenant, user_create};
use crate::on_both_databases;
use crate::server::{Server, Settings};

/// A house on that database, with `VECTOR_STORE` as it says.
fn house(database: &Database) -> House {
    House::open_with(settings(database))
}

fn settings(database: &Database) -> Settings {
    Settings::new(&database.url()).with("VECTOR_STORE", database.vector_store())
}

/// A tenant with a document that has `marker` in it, and somebody who has asked about it.
fn tenant(house: &House, id: &str, marker: &str) -> Client {
    let client = house.tenant(&plain_tenant(id));
    for part in 0..3 {
        client.add_document(&json!({
            "title": format!("{marker} rules {part}"),
            "text": format!("The {marker} opens at {part} o'clock. It closes when the lamp goes out."),
            "external_id": format!("{marker}/{part}"),
        }));
    }
    answer(&client, marker);
    client
}

/// What a question about the marker is answered, and what that rests on.
fn answer(client: &Client, marker: &str) -> Value {
    let asked = json!({ "message": format!("When does the {marker} open?") });
    let answer = client.post("/chat", &asked).expect(200);
    assert!(answer["answer"].as_str().unwrap().contains(marker), "{answer}");
    let search = json!({ "query": format!("{marker} lamp"), "limit": 3 });
    let found = client.post("/search", &search).expect(200);
    json!({ "answer": answer["answer"], "sources": answer["sources"], "found": found["items"] })
}

fn run(house: &House, arguments: &[&str]) -> Output {
    house.settings.run(house.server.folder(), arguments)
}

#[track_caller]
fn succeed(house: &House, arguments: &[&str]) -> String {
    let output = run(house, arguments);
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// How often `text` stands in the files below a folder.
fn times(folder: &Path, text: &str) -> usize {
    let Ok(entries) = fs::read_dir(folder) else {
        return 0;
    };
    entries
        .map(|entry| {
            let path = entry.unwrap().path();
            if path.is_dir() {
                return times(&path, text);
            }
            let bytes = fs::read(path).unwrap();
            bytes
                .windows(text.len())
                .filter(|part| *part == text.as_bytes())
                .count()
        })
        .sum()
}

fn a_tenant_moves_to_a_fresh_server_and_answers_the_same(database: &Database) {
    let old = house(database);
    let client = tenant(&old, "acme", "xylophone");
    tenant(&old, "globex", "zeppelin");
    let before = answer(&client, "xylophone");
    let archive = old.server.folder().join("acme.jsonl.gz");
    let path = archive.to_str().unwrap();
    succeed(&old, &["tenant", "export", "--tenant", "acme", "--out", path]);
    let again = run(&old, &["tenant", "export", "--tenant", "acme", "--out", path]);
    assert_eq!(again.status.code(), Some(1), "it overwrites nothing");
    let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&archive).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);

    let fresh = Database::sqlite();
    let new = house(&fresh);
    let told = succeed(&new, &["tenant", "import", path]);
    assert!(told.contains("acme is there and active"), "{told}");
    let email = "user@acme.example.org";
    let with_password = new.settings.clone().with("TENANTRY_PASSWORD", PASSWORD);
    let set = with_password.run(new.server.folder(), &["user", "password", "--email", email]);
    assert!(set.status.success(), "{set:?}");
    let moved = new.server.client().log_in(email, PASSWORD);
    let conversations = |client: &Client| client.get("/conversations").expect(200);
    assert_eq!(conversations(&moved), conversations(&client));
    assert_eq!(answer(&moved, "xylophone"), before);
    assert!(!fresh.dump().contains("zeppelin"));
    succeed(&new, &["audit", "verify"]);

    let taken = run(&old, &["tenant", "import", path]);
    assert_eq!(taken.status.code(), Some(1));
    let told = succeed(&old, &["tenant", "import", path, "--as", "acme-2"]);
    assert!(told.contains(email), "{told}");
    user_create(
        &old.server,
        &old.settings,
        "second@acme.example.org",
        &["--tenant", "acme-2"],
    );
    let second = old.server.client().log_in("second@acme.example.org", PASSWORD);
    assert_eq!(answer(&second, "xylophone"), before);
}

fn an_erased_tenant_leaves_no_text_anywhere(database: &Database) {
    let house = house(database);
    let client = tenant(&house, "acme", "xylophone");
    let other = tenant(&house, "globex", "zeppelin");
    let others = answer(&other, "zeppelin");
    let erase = ["tenant", "erase", "--tenant", "acme"];

    let before = house.superuser.get("/admin/tenants/").expect(200);
    for refused in [&["--confirm", "acm"][..], &["--confirm", ""], &[]] {
        let output = run(&house, &[&erase, refused].concat());
        assert_eq!(output.status.code(), Some(1), "{output:?}");
    }
    assert_eq!(house.superuser.get("/admin/tenants/").expect(200), before);
    answer(&client, "xylophone");

    let receipt = succeed(&house, &[&erase[..], &["--confirm", "acme"]].concat());
    for marker in ["xylophone", "user@acme.example.org"] {
        assert_eq!(database.dump().matches(marker).count(), 0, "{marker}");
        assert_eq!(times(&house.server.folder().join("data"), marker), 0, "{marker}");
    }
    assert!(database.dump().contains("user@globex.example.org"));
    assert_eq!(answer(&other, "zeppelin"), others);
    assert_eq!(client.get("/documents").status, 401);
    house.superuser.get("/admin/tenants/acme").expect(404);
    let again = house.superuser.post("/admin/tenants/", &plain_tenant("acme"));
    again.expect(409);
    verify(&house, &receipt);
    assert_eq!(
        succeed(&house, &erase),
        receipt,
        "asked again, it is printed again"
    );
    succeed(&house, &["audit", "verify"]);
}

/// Only the receipt as it was signed passes, and a stranger's key is told.
fn verify(house: &House, receipt: &str) {
    let path = house.server.folder().join("receipt.json");
    let check = |text: &str, more: &[&str]| {
        fs::write(&path, text).unwrap();
        let arguments = [&["tenant", "verify-receipt", path.to_str().unwrap()], more].concat();
        run(house, &arguments).status.code()
    };
    let key: Value = serde_json::from_str(receipt).unwrap();
    let key = key["public_key"].as_str().unwrap();
    assert_eq!(check(receipt, &[]), Some(0));
    assert_eq!(check(receipt, &["--public-key", key]), Some(0));
    assert_eq!(check(receipt, &["--public-key", &"0".repeat(64)]), Some(1));
    assert_eq!(check(&receipt.replace("\"acme\"", "\"acmf\""), &[]), Some(1));
    assert_eq!(check("{}", &[]), Some(1));
}

fn an_id_that_is_typed_confirms_an_erasure(database: &Database) {
    let house = house(database);
    tenant(&house, "acme", "xylophone");
    for (typed, code) in [("acm\n", 1), ("acme\n", 0)] {
        let mut command = house
            .settings
            .command(house.server.folder(), &["tenant", "erase", "--tenant", "acme"]);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(typed.as_bytes()).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(code), "{typed:?}");
    }
    assert!(!database.dump().contains("xylophone"));
}

/// Killed without a word, wherever it is, and run again, it ends clean.
fn what_is_killed_half_way_is_finished_by_the_next_try(database: &Database) {
    let house = house(database);
    let client = tenant(&house, "acme", "xylophone");
    let before = answer(&client, "xylophone");
    let archive = house.server.folder().join("acme.jsonl.gz");
    let path = archive.to_str().unwrap();
    succeed(&house, &["tenant", "export", "--tenant", "acme", "--out", path]);
    let erase = ["tenant", "erase", "--tenant", "acme", "--confirm", "acme"];
    for millis in [300, 900, 1_300, 1_400, 1_500, 1_600] {
        killed_after(&house.settings, house.server.folder(), &erase, millis);
    }
    let receipt = succeed(&house, &erase);
    assert!(receipt.contains("\"documents\": 3"), "{receipt}");
    assert!(!database.dump().contains("xylophone"));
    assert_eq!(times(&house.server.folder().join("data"), "xylophone"), 0);

    let fresh = Database::sqlite();
    let mut new = self::house(&fresh);
    let import = ["tenant", "import", path];
    for millis in [10, 40, 70, 100, 150] {
        killed_after(&new.settings, new.server.folder(), &import, millis);
    }
    let output = run(&new, &import);
    let was_whole = String::from_utf8_lossy(&output.stderr).contains("the id is taken");
    assert!(output.status.success() || was_whole, "{output:?}");
    // A server that starts on it finds nothing to mend.
    new.server.kill();
    let server = Server::start(
        &new.settings
            .clone()
            .with("DATA_DIR", new.server.folder().join("data").to_str().unwrap()),
    );
    user_create(
        &server,
        &new.settings,
        "second@acme.example.org",
        &["--tenant", "acme"],
    );
    let moved = server.client().log_in("second@acme.example.org", PASSWORD);
    assert_eq!(answer(&moved, "xylophone"), before);
}

fn killed_after(settings: &Settings, folder: &Path, arguments: &[&str], millis: u64) {
    let mut command = settings.command(folder, arguments);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    thread::sleep(Duration::from_millis(millis));
    // It may have ended by itself.
    drop(child.kill());
    child.wait().unwrap();
}

on_both_databases! {
    a_tenant_moves_to_a_fresh_server_and_answers_the_same
    an_erased_tenant_leaves_no_text_anywhere
    an_id_that_is_typed_confirms_an_erasure
    what_is_killed_half_way_is_finished_by_the_next_try
}

#[cfg(feature = "pgvector-tests")]
mod pgvector {
    use crate::database::Database;

    #[test]
    fn an_erased_tenant_leaves_no_text_anywhere() {
        super::an_erased_tenant_leaves_no_text_anywhere(&Database::pgvector());
    }
}
