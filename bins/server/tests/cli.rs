//! The binary as people call it: what it prints, what it exits with, what it leaves behind.
#![cfg(test)]

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use rustix::process::{Pid, Signal};
use tempfile::TempDir;
use tenantry_domain::{Clock, LlmProvider, Sealed, SealedSecret, SystemClock, TenantId};
use tenantry_http_client::{Answer, StubServer};
use tenantry_tenant_store::{DatabaseUrl, PoolOptions, SqlStore, TenantChange, TenantStore};

const SECRET: &str = "6f1c0b7e94d85a23b1f60c9d7e8a4f3512bd67ce90a1f4837d5e2c6b08f9a1d4";
const JWT_SECRET: &str = "kJ8vQz2LwN5rXb7TgYpC4mHs9DfEaR3uVi6ZoKx1";
const PASSWORD: &str = "seventeen blue herons";

/// A folder with a configuration of its own, and nothing of the environment that the tests run in.
struct Bench {
    folder: TempDir,
    variables: Vec<(&'static str, String)>,
}

/// What a command came to.
#[derive(Debug)]
struct Outcome {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Outcome {
    fn of(output: &Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8(output.stdout.clone()).unwrap(),
            err: String::from_utf8(output.stderr.clone()).unwrap(),
        }
    }

    #[track_caller]
    fn succeeds(self) -> String {
        assert_eq!(self.code, Some(0), "{self:?}");
        self.out
    }

    /// Fails with the code and says why on standard error, once and without a panic.
    #[track_caller]
    fn fails(self, code: i32) -> String {
        assert_eq!(self.code, Some(code), "{self:?}");
        assert_eq!(self.err.matches("error:").count(), 1, "{self:?}");
        assert!(!self.err.contains("panicked"), "{self:?}");
        self.err
    }
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = format!("sqlite://{}", folder.path().join("tenantry.db").display());
        let variables = vec![
            ("SECRET_KEY", SECRET.to_owned()),
            ("JWT_SECRET_KEY", JWT_SECRET.to_owned()),
            ("DATABASE_URL", database),
        ];
        Self { folder, variables }
    }

    fn migrated() -> Self {
        let bench = Self::new();
        bench.run(&["migrate"]).succeeds();
        bench
    }

    /// With a tenant to work for.
    fn with_acme() -> Self {
        let bench = Self::migrated();
        bench
            .run(&["tenant", "create", "--id", "acme", "--name", "Acme"])
            .succeeds();
        bench
    }

    fn with(mut self, name: &'static str, value: &str) -> Self {
        self.variables.retain(|(known, _)| *known != name);
        self.variables.push((name, value.to_owned()));
        self
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tenantry"));
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env_clear()
            .stdin(Stdio::null());
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }

    fn run(&self, arguments: &[&str]) -> Outcome {
        Outcome::of(&self.command(arguments).output().unwrap())
    }

    fn run_with_input(&self, arguments: &[&str], input: &str) -> Outcome {
        let mut command = self.command(arguments);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        Outcome::of(&child.wait_with_output().unwrap())
    }

    fn file(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }
}

/// A running server that is killed with its test.
struct Running(Child);

impl Running {
    /// Starts a server and waits until it says that it listens.
    fn start(bench: &Bench, arguments: &[&str], marker: &str) -> (Self, String) {
        let mut child = bench
            .command(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log: Box<dyn std::io::Read> = if arguments.first() == Some(&"quickstart") {
            Box::new(child.stdout.take().unwrap())
        } else {
            Box::new(child.stderr.take().unwrap())
        };
        let mut running = Self(child);
        let mut said = String::new();
        for line in BufReader::new(log).lines() {
            said.push_str(&line.unwrap());
            said.push('\n');
            if said.contains(marker) {
                return (running, said);
            }
        }
        panic!("the server ended with {:?}: {said}", running.0.wait());
    }

    /// Asks the server to stop, as a container platform does.
    fn terminate(&self) {
        rustix::process::kill_process(Pid::from_child(&self.0), Signal::TERM).unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

fn free_port() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port().to_string()
}

#[test]
fn help_shows_how_to_begin_and_the_version_is_the_packages() {
    let bench = Bench::new();
    let help = bench.run(&["--help"]).succeeds();
    for word in [
        "quickstart",
        "serve",
        "migrate",
        "user",
        "tenant",
        "ingest",
        "jobs",
        "reconcile",
        "reindex",
        "ask",
        "secrets",
        "health",
        "Examples",
    ] {
        assert!(help.contains(word), "{help}");
    }
    for command in [
        "serve",
        "migrate",
        "quickstart",
        "user",
        "tenant",
        "ingest",
        "jobs",
        "reconcile",
        "reindex",
        "ask",
        "secrets",
        "health",
    ] {
        assert!(
            bench.run(&[command, "--help"]).succeeds().contains("Usage"),
            "{command}"
        );
    }
    assert_eq!(
        bench.run(&["--version"]).succeeds(),
        format!("tenantry {}\n", env!("CARGO_PKG_VERSION"))
    );
}

#[test]
fn a_wrong_command_line_is_exit_code_2() {
    let bench = Bench::new();
    for arguments in [
        &["sever"][..],
        &["serve", "--fast"],
        &["user", "create"],
        &["user", "create", "--email", "nobody"],
        &["user", "create", "--email", "ada@example.org", "--role", "admin"],
        &["user", "role", "--email", "ada@example.org", "owner"],
        &[
            "user",
            "create",
            "--email",
            "ada@example.org",
            "--password",
            PASSWORD,
        ],
        &["tenant", "show", "Not An Id"],
        &["ingest", "--tenant", "acme"],
        &["reconcile"],
        &["reindex", "--all", "--back"],
        &["quickstart", "--port", "0"],
    ] {
        bench.run(arguments).fails(2);
    }
}

#[test]
fn a_wrong_configuration_is_told_whole_and_without_values() {
    let bench = Bench::new()
        .with("SECRET_KEY", "changeme-hunter2")
        .with("JWT_SECRET_KEY", "hunter2")
        .with("PORT", "x");
    for arguments in [
        &[][..],
        &["serve"],
        &["user", "promote", "--email", "ada@example.org"],
    ] {
        let error = bench.run(arguments).fails(1);
        for name in ["SECRET_KEY", "JWT_SECRET_KEY", "PORT"] {
            assert!(error.contains(name), "{error}");
        }
        assert!(!error.contains("hunter2"), "{error}");
    }
    let unknown = Bench::new().with("DATABASE_URL", "mysql://tenantry.db");
    assert!(unknown.run(&["migrate"]).fails(1).contains("DATABASE_URL"));
    assert_eq!(fs::read_dir(unknown.folder.path()).unwrap().count(), 0);
}

#[test]
fn variables_come_from_a_file_where_the_environment_has_none() {
    let bench = Bench::migrated();
    let lines: Vec<String> = bench
        .variables
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let file = bench.file(
        "settings.env",
        format!("# mine\n{}\nPORT=wrong\n", lines.join("\n")),
    );
    let bare = Bench {
        folder: bench.folder,
        variables: vec![("PORT", "8000".to_owned())],
    };
    assert!(bare.run(&["tenant", "list"]).fails(1).contains("DATABASE_URL"));
    bare.run(&["--env-file", file.to_str().unwrap(), "tenant", "list"])
        .succeeds();
    bare.run(&["tenant", "list", "--env-file", "missing.env"])
        .fails(1);
}

#[test]
fn migrations_are_told_and_applied_once() {
    let bench = Bench::new();
    let before = bench.run(&["migrate", "--status"]).succeeds();
    assert!(
        before.contains("pending") && !before.contains("applied"),
        "{before}"
    );
    assert_eq!(
        before,
        bench.run(&["migrate", "--status"]).succeeds(),
        "asking changes nothing"
    );
    let applied = bench.run(&["migrate"]).succeeds();
    assert_eq!(applied, before.replace("pending", "applied"));
    assert!(bench.run(&["migrate"]).succeeds().starts_with("nothing to apply"));
    assert_eq!(bench.run(&["migrate", "--status"]).succeeds(), applied);
}

#[test]
fn of_five_that_migrate_at_once_one_does_it() {
    let bench = Bench::new();
    let all = bench.run(&["migrate", "--status"]).succeeds().lines().count();
    let spawn = || {
        bench
            .command(&["migrate"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    };
    let children: Vec<Child> = (0..5).map(|_| spawn()).collect();
    let outputs = children
        .into_iter()
        .map(|child| Outcome::of(&child.wait_with_output().unwrap()).succeeds());
    let applied: Vec<usize> = outputs.map(|out| out.matches("applied 2").count()).collect();
    assert_eq!(applied.iter().sum::<usize>(), all, "{applied:?}");
    assert!(applied.contains(&all), "{applied:?}");
}

#[test]
fn a_database_without_tables_is_not_used() {
    let bench = Bench::new().with("PORT", &free_port());
    for arguments in [&["serve", "--no-migrate"][..], &["tenant", "list"]] {
        let error = bench.run(arguments).fails(1);
        assert!(error.contains("tenantry migrate"), "{error}");
    }
}

#[test]
fn a_database_that_does_not_answer_is_named_in_one_line() {
    let bench = Bench::new().with("DATABASE_URL", "sqlite:///nowhere/at/all.db");
    for arguments in [&["serve"][..], &["migrate"], &["tenant", "list"]] {
        let error = bench.run(arguments).fails(1);
        let told: Vec<&str> = error
            .lines()
            .skip_while(|line| !line.starts_with("error: "))
            .collect();
        assert_eq!(told.len(), 2, "{error}");
        assert!(
            told[0].contains("cannot reach the database at sqlite:///nowhere/at/all.db"),
            "{error}"
        );
        assert!(
            told[1].starts_with("hint: ") && told[1].contains("DATABASE_URL"),
            "{error}"
        );
    }
}

#[test]
fn a_password_comes_from_standard_input_or_a_variable() {
    let bench = Bench::migrated();
    let create = ["user", "create", "--superuser", "--email", "Ada@Example.org"];
    let error = bench.run(&create).fails(1);
    assert!(error.contains("TENANTRY_PASSWORD"), "{error}");
    let out = bench.run_with_input(&create, &format!("{PASSWORD}\n")).succeeds();
    assert_eq!(out, "created ada@example.org, a superuser\n");
    assert!(
        bench
            .run_with_input(&create, &format!("{PASSWORD}\n"))
            .fails(1)
            .contains("user promote")
    );
    let weak = ["user", "create", "--email", "bo@example.org"];
    assert!(
        bench
            .run_with_input(&weak, "short\n")
            .fails(1)
            .contains("12 characters")
    );
    let bench = bench.with("TENANTRY_PASSWORD", PASSWORD);
    assert_eq!(
        bench.run(&weak).succeeds(),
        "created bo@example.org, a user without a tenant\n"
    );
    bench
        .run(&["user", "promote", "--email", "bo@example.org"])
        .succeeds();
    bench
        .run(&["user", "password", "--email", "bo@example.org"])
        .succeeds();
    for unknown in [["user", "promote"], ["user", "password"]] {
        let error = bench
            .run(&[&unknown[..], &["--email", "eve@example.org"]].concat())
            .fails(1);
        assert!(error.contains("eve@example.org"), "{error}");
    }
    let homeless = [
        "user",
        "create",
        "--email",
        "cy@example.org",
        "--tenant",
        "nowhere",
    ];
    assert!(bench.run(&homeless).fails(1).contains("tenant"));
}

#[test]
fn a_role_is_given_with_the_account_or_later_and_only_in_a_tenant() {
    let bench = Bench::with_acme().with("TENANTRY_PASSWORD", PASSWORD);
    let create = |email: &str, more: &[&str]| {
        bench
            .run(&[&["user", "create", "--email", email], more].concat())
            .succeeds()
    };
    let made = create("ada@example.org", &["--tenant", "acme", "--role", "admin"]);
    assert_eq!(made, "created ada@example.org, an admin of tenant acme\n");
    create("bo@example.org", &["--tenant", "acme"]);
    create("root@example.org", &["--superuser"]);
    let role = |email: &str, role: &str| bench.run(&["user", "role", "--email", email, role]);
    assert_eq!(
        role("bo@example.org", "admin").succeeds(),
        "bo@example.org is admin of tenant acme now\n"
    );
    assert_eq!(
        role("bo@example.org", "member").succeeds(),
        "bo@example.org is member of tenant acme now\n"
    );
    assert!(
        role("root@example.org", "admin")
            .fails(1)
            .contains("has no tenant")
    );
    assert!(role("nobody@example.org", "admin").fails(1).contains("no user"));
}

#[test]
fn tenants_are_made_shown_and_deactivated() {
    let bench = Bench::migrated();
    assert_eq!(bench.run(&["tenant", "list"]).succeeds(), "");
    let prompt = bench.file("prompt.txt", "Answer briefly.");
    let create = [
        "tenant",
        "create",
        "--id",
        "acme",
        "--name",
        "Acme Ltd",
        "--system-prompt-file",
    ];
    let create = [&create[..], &[prompt.to_str().unwrap()]].concat();
    assert_eq!(bench.run(&create).succeeds(), "created tenant acme\n");
    assert!(bench.run(&create).fails(1).contains("taken"));
    let shown = bench.run(&["tenant", "show", "acme"]).succeeds();
    for part in ["Acme Ltd", "Answer briefly.", "not configured", "yes"] {
        assert!(shown.contains(part), "{shown}");
    }
    bench.run(&["tenant", "deactivate", "acme"]).succeeds();
    let list = bench.run(&["tenant", "list"]).succeeds();
    assert!(list.starts_with("acme ") && list.contains("inactive"), "{list}");
    assert!(
        bench
            .run(&["ask", "--tenant", "acme", "Anything?"])
            .fails(1)
            .contains("no active tenant")
    );
    for command in ["show", "deactivate"] {
        bench.run(&["tenant", command, "nowhere"]).fails(1);
    }
}

#[test]
fn a_key_is_printed_once_and_alone() {
    let bench = Bench::with_acme();
    let create = |more: &[&str]| {
        let args = [
            "key", "create", "--tenant", "acme", "--name", "website", "--scope", "chat",
        ];
        bench.run(&[&args, more].concat())
    };
    let outcome = create(&["--scope", "search", "--expires-at", "2999-01-01T00:00:00Z"]);
    let key = outcome.succeeds();
    let key = key.strip_suffix('\n').unwrap();
    assert!(
        key.len() == 47 && key.starts_with("tnk_") && !key.contains(char::is_whitespace),
        "{key}"
    );
    let listed = bench.run(&["key", "list", "--tenant", "acme"]).succeeds();
    for told in [
        &key[..12],
        "[chat search]",
        "until 2999-01-01T00:00:00Z",
        "never used",
        "website",
    ] {
        assert!(listed.contains(told), "{told}: {listed}");
    }
    assert!(!listed.contains(&key[12..]), "{listed}");
    let id = listed.split(' ').next().unwrap();
    let revoked = bench.run(&["key", "revoke", "--tenant", "acme", id]).succeeds();
    assert!(revoked.contains(id) && !revoked.contains(&key[12..]), "{revoked}");
    let listed = bench.run(&["key", "list", "--tenant", "acme"]).succeeds();
    assert!(listed.contains("revoked 20"), "{listed}");
    create(&["--scope", "root"]).fails(2);
    create(&["--expires-at", "tomorrow"]).fails(2);
    let past = create(&["--expires-at", "2026-01-01T00:00:00Z"]).fails(1);
    assert!(past.contains("expires_at"), "{past}");
    let absent = "0190a000-0000-7000-8000-000000000000";
    bench.run(&["key", "revoke", "--tenant", "acme", absent]).fails(1);
    bench.run(&["key", "list", "--tenant", "nowhere"]).fails(1);
}

#[test]
fn files_are_taken_in_and_questions_answered_from_them() {
    let bench = Bench::with_acme();
    bench.file(
        "kb/leave.md",
        "# Leave\n\nEverybody has 27 days of leave a year.\n",
    );
    bench.file("kb/deep/office.txt", "The office dog is called Biscuit.\n");
    bench.file("kb/.hidden.txt", "Nobody may see this.\n");
    let ingest = |paths: &[&str]| bench.run(&[&["ingest", "--tenant", "acme"], paths].concat());
    let out = ingest(&["kb"]).succeeds();
    for line in [
        "ready    kb/deep/office.txt: 1 chunk\n",
        "ready    kb/leave.md: 1 chunk\n",
        "2 ready, 0 skipped, 0 failed\n",
    ] {
        assert!(out.contains(line), "{out}");
    }
    let answer = bench
        .run(&["ask", "--tenant", "acme", "How many days of leave are there?"])
        .succeeds();
    assert!(
        answer.contains("27 days") && answer.contains("[1] Leave"),
        "{answer}"
    );

    bench.file(
        "kb/leave.md",
        "# Leave\n\nEverybody has 28 days of leave a year.\n",
    );
    let again = ingest(&["kb"]).succeeds();
    assert!(
        again.contains("skipped  kb/deep/office.txt: already there") && again.contains("1 ready, 1 skipped"),
        "{again}"
    );
    let answer = bench.run(&["ask", "--tenant", "acme", "How many days of leave are there?"]);
    assert!(answer.succeeds().contains("28 days"));

    bench.file(
        "kb/logo.png",
        [0x89, b'P', b'N', b'G', 13, 10, 26, 10, 0, 0, 0, 13],
    );
    let partly = ingest(&["kb", "missing.md"]);
    assert_eq!(partly.code, Some(1), "{partly:?}");
    for part in [
        "failed   kb/logo.png: ",
        "failed   missing.md: ",
        "0 ready, 2 skipped, 2 failed",
    ] {
        assert!(partly.out.contains(part), "{partly:?}");
    }
    let jobs = bench
        .run(&["jobs", "--tenant", "acme", "--state", "failed"])
        .succeeds();
    assert!(
        jobs.contains("ingest failed") && jobs.contains("1 of 1 jobs"),
        "{jobs}"
    );
    assert!(
        bench
            .run(&["ingest", "--tenant", "nowhere", "kb"])
            .fails(1)
            .contains("nowhere")
    );
}

#[test]
fn a_file_of_every_format_is_taken_in() {
    use tenantry_extraction::conformance::samples;

    let bench = Bench::with_acme();
    let paragraph = |text: &str| format!("<w:p><w:r><w:t>{text}</w:t></w:r></w:p>");
    let mail = "From: a@example.org\r\nSubject: Parcels\r\n\r\nParcels leave at noon.\r\n";
    for (name, bytes) in [
        ("all/a.txt", b"Plain words.".to_vec()),
        ("all/b.md", b"# Head\n\nMarked words.".to_vec()),
        (
            "all/c.html",
            b"<html><body><h1>Head</h1><p>Words of a page.</p></body></html>".to_vec(),
        ),
        ("all/d.pdf", samples::article()),
        ("all/e.docx", samples::docx(&paragraph("Words of a letter."))),
        ("all/f.pptx", samples::pptx()),
        (
            "all/g.xlsx",
            samples::xlsx("<row r=\"1\"><c r=\"A1\" t=\"inlineStr\"><is><t>cell</t></is></c></row>"),
        ),
        ("all/h.csv", b"name,price\nhelmet,4\nlock,2\n".to_vec()),
        ("all/i.epub", samples::epub(None)),
        ("all/j.rtf", b"{\\rtf1\\ansi Words of a note.\\par}".to_vec()),
        ("all/k.eml", mail.as_bytes().to_vec()),
    ] {
        bench.file(name, bytes);
    }
    let out = bench.run(&["ingest", "--tenant", "acme", "all"]).succeeds();
    assert!(out.contains("11 ready, 0 skipped, 0 failed"), "{out}");
    let answer = bench
        .run(&["ask", "--tenant", "acme", "When do parcels leave?"])
        .succeeds();
    assert!(answer.contains("noon"), "{answer}");
}

#[test]
fn an_ingest_that_is_interrupted_leaves_jobs_and_says_so() {
    let bench = Bench::with_acme();
    for number in 0..60 {
        bench.file(
            &format!("kb/{number}.txt"),
            format!("Shelf {number} holds lamps.\n").repeat(800),
        );
    }
    let mut child = bench
        .command(&["ingest", "--tenant", "acme", "--workers", "1", "kb"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.next().unwrap().unwrap().starts_with("ready "));
    rustix::process::kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let said: Vec<String> = lines.map(Result::unwrap).collect();
    let outcome = Outcome::of(&child.wait_with_output().unwrap());
    let error = outcome.fails(1);
    assert!(
        error.contains("stopped before every file was ready") && error.contains("the same command goes on"),
        "{error} {said:?}"
    );
    let again = bench.run(&["ingest", "--tenant", "acme", "kb"]).succeeds();
    assert!(
        again.contains("0 failed") && !again.contains("60 ready"),
        "{again}"
    );
}

#[test]
fn an_index_that_was_lost_is_written_again() {
    let bench = Bench::with_acme();
    bench.file("kb/office.txt", "The office dog is called Biscuit.\n");
    bench.run(&["ingest", "--tenant", "acme", "kb"]).succeeds();
    let reconcile = |options: &[&str]| bench.run(&[&["reconcile"], options].concat());
    assert!(reconcile(&["--all"]).succeeds().contains("no difference"));

    fs::remove_dir_all(bench.folder.path().join("data/vectors")).unwrap();
    let found = reconcile(&["--tenant", "acme"]);
    assert_eq!(found.code, Some(1), "{found:?}");
    assert!(
        found.out.contains("1 missing, 0 partial, 0 orphaned"),
        "{found:?}"
    );
    let repaired = reconcile(&["--tenant", "acme", "--repair"]).succeeds();
    assert!(repaired.contains("1 versions written"), "{repaired}");
    assert!(
        reconcile(&["--tenant", "acme"])
            .succeeds()
            .contains("no difference")
    );
    let answer = bench
        .run(&["ask", "--tenant", "acme", "What is the dog called?"])
        .succeeds();
    assert!(answer.contains("Biscuit"), "{answer}");
}

#[test]
fn an_index_is_built_anew_and_gone_back_to() {
    let bench = Bench::with_acme();
    bench.file("kb/office.txt", "The office dog is called Biscuit.\n");
    bench.run(&["ingest", "--tenant", "acme", "kb"]).succeeds();
    let reindex = |options: &[&str]| bench.run(&[&["reindex", "--tenant", "acme"], options].concat());
    assert!(reindex(&["--back"]).fails(1).contains("no earlier index"));
    let built = reindex(&[]).succeeds();
    assert!(built.contains("index 2 (words alone) is searched now"), "{built}");
    let back = reindex(&["--back"]).succeeds();
    assert!(back.contains("index 1 (words alone) is searched now"), "{back}");
    let answer = bench
        .run(&["ask", "--tenant", "acme", "What is the dog called?"])
        .succeeds();
    assert!(answer.contains("Biscuit"), "{answer}");
    let all = bench.run(&["reindex", "--all"]).succeeds();
    assert!(
        all.contains("every index was built by the model that its tenant is set to"),
        "{all}"
    );
}

#[test]
fn a_local_model_that_is_asked_for_and_not_there_is_told_with_what_brings_it() {
    let bench = Bench::migrated().with("OPENAI_EMBEDDING_MODEL", "local");
    let error = bench.run(&["serve"]).fails(1);
    assert!(
        error.contains("scripts/fetch-model") && error.contains("models/all-MiniLM-L6-v2"),
        "{error}"
    );
}

#[test]
fn pgvector_without_postgresql_is_refused() {
    let error = Bench::new()
        .with("VECTOR_STORE", "pgvector")
        .run(&["serve"])
        .fails(1);
    assert!(
        error.contains("VECTOR_STORE") && error.contains("DATABASE_URL is no PostgreSQL"),
        "{error}"
    );
}

#[test]
fn sealed_keys_are_counted_and_verified_and_never_shown() {
    let bench = Bench::migrated()
        .with("PINECONE_CONTROL_URL", "http://127.0.0.1:9")
        .with("TENANTRY_PINECONE_API_KEY", "pcsk_hunter2_0123456789");
    let create = [
        "tenant",
        "create",
        "--id",
        "acme",
        "--name",
        "Acme",
        "--with-pinecone-key",
    ];
    let created = bench.run(&create).succeeds();
    assert!(created.contains("checked at the first use"), "{created}");
    let status = bench.run(&["secrets", "status"]).succeeds();
    assert!(
        status.contains("active") && status.contains("1 sealed"),
        "{status}"
    );
    let verified = bench.run(&["secrets", "verify"]).succeeds();
    assert_eq!(verified, "1 secrets open, 0 do not\n");
    let shown = bench.run(&["tenant", "show", "acme"]).succeeds();
    assert!(
        shown.contains("ends with 6789") && shown.contains("to be checked"),
        "{shown}"
    );
    assert!(![created, status, verified, shown].concat().contains("hunter2"));
    let database = fs::read(bench.folder.path().join("tenantry.db")).unwrap();
    assert!(!database.windows(7).any(|bytes| bytes == b"hunter2"));
    let other = "0a9d4c7be3f25861d07f9b3c8e5a1426fb83d9e07c1a6542e9f0b8d37c5a4e61";
    let wrong = bench.with("SECRET_KEY", other).with("PORT", &free_port());
    let error = wrong.run(&["serve"]).fails(1);
    let told = error.lines().find(|line| line.starts_with("error: ")).unwrap();
    assert!(
        told.contains("SECRET_KEY does not match this database"),
        "{error}"
    );
    let rotated = wrong.with("SECRET_KEY_PREVIOUS", SECRET);
    let status = rotated.run(&["secrets", "status"]).succeeds();
    assert!(
        status.contains("previous        1 sealed") && status.contains("active          0 sealed"),
        "{status}"
    );
}

#[test]
fn the_key_of_a_tenants_own_provider_is_counted_and_verified_too() {
    let bench = Bench::with_acme();
    let url = format!("sqlite://{}", bench.folder.path().join("tenantry.db").display());
    let store = SqlStore::connect(&DatabaseUrl::parse(&url).unwrap(), PoolOptions::default()).unwrap();
    let change = TenantChange {
        llm: Some(Some(LlmProvider {
            base_url: "https://llm.example.org/v1".to_owned(),
            api_key: Some(SealedSecret {
                sealed: Sealed::from_stored("sk-hunter2".to_owned()),
                last_four: "ter2".to_owned(),
            }),
        })),
        ..TenantChange::default()
    };
    let acme = TenantId::parse("acme").unwrap();
    let changed = store.update_tenant(&acme, &change, SystemClock.now()).unwrap();
    assert!(changed.is_some());
    let status = bench.run(&["secrets", "status"]).succeeds();
    assert!(status.contains("1 stored values are not sealed"), "{status}");
    let verified = bench.run(&["secrets", "verify"]);
    assert_eq!(verified.code, Some(1), "{verified:?}");
    assert!(verified.out.contains("acme: LLM provider key: "), "{verified:?}");
    assert!(!format!("{verified:?}{status}").contains("hunter2"));
}

#[test]
fn a_server_lives_is_healthy_and_ends_when_told() {
    let bench = Bench::new().with("PORT", &free_port());
    assert!(bench.run(&["health"]).fails(1).contains("no answer"));
    let (mut server, log) = Running::start(&bench, &["serve"], "listening at");
    for part in [
        "applied migration",
        "sqlite://",
        "embedded",
        "no model provider is configured",
        env!("CARGO_PKG_VERSION"),
    ] {
        assert!(log.contains(part), "{part}: {log}");
    }
    assert!(!log.contains(SECRET) && !log.contains(JWT_SECRET));
    assert!(bench.run(&["health"]).succeeds().contains("alive"));
    let taken = bench.run(&["serve"]).fails(1);
    assert!(taken.contains("HOST and PORT"), "{taken}");
    server.terminate();
    assert_eq!(server.0.wait().unwrap().code(), Some(0));
}

#[test]
fn log_lines_are_json_when_asked_for() {
    let bench = Bench::new().with("PORT", &free_port()).with("LOG_FORMAT", "json");
    let (_server, log) = Running::start(&bench, &["serve"], "listening at");
    for line in log.lines() {
        let object: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(
            object["message"].is_string() && object["level"].is_string() && object["time"].is_string(),
            "{line}"
        );
    }
}

#[cfg(target_os = "linux")]
#[test]
fn no_level_of_the_log_shows_a_providers_key() {
    let provider = StubServer::start(|_| Answer::new(503));
    let key = "sk-marker-5f1c0b7e";
    let bench = Bench::migrated()
        .with("OPENAI_BASE_URL", provider.url("/v1").as_str())
        .with("OPENAI_API_KEY", key)
        .with("OPENAI_EMBEDDING_MODEL", "none")
        .with("RUST_LOG", "trace,ureq_proto::util=trace");
    bench
        .run(&["tenant", "create", "--id", "acme", "--name", "Acme"])
        .succeeds();
    // A model is asked where something was found.
    bench.file("late.md", "Nobody may be late.\n");
    bench.run(&["ingest", "--tenant", "acme", "late.md"]).succeeds();
    let asked = bench.run(&["ask", "--tenant", "acme", "How late may I be?"]);
    let sent = provider.requests();
    assert_eq!(
        sent[0].header("authorization"),
        Some(format!("Bearer {key}").as_str())
    );
    assert!(asked.err.contains("ureq"), "nothing was logged: {}", asked.err);
    assert!(!asked.err.contains("marker"), "{}", asked.err);
    // A dump of bytes may have the key in two lines.
    assert!(!asked.err.contains("TRACE ureq"), "{}", asked.err);
}

#[test]
fn the_memory_of_a_server_is_kept_out_of_core_dumps() {
    let bench = Bench::new().with("PORT", &free_port());
    let (server, _) = Running::start(&bench, &["serve"], "listening at");
    // Only the superuser may look into a process that is not dumpable, so its files belong to root. Where the tests
    // run as root themselves, the limit alone tells.
    let limits =
        fs::read_to_string(Path::new("/proc").join(server.0.id().to_string()).join("limits")).unwrap();
    let core = limits
        .lines()
        .find(|line| line.starts_with("Max core file size"))
        .unwrap();
    assert_eq!(core.split_whitespace().nth(4), Some("0"), "{core}");
}

#[test]
fn quickstart_gives_two_cited_answers_and_resumes() {
    let bench = Bench {
        folder: tempfile::tempdir().unwrap(),
        variables: Vec::new(),
    };
    let first = bench.run(&["quickstart", "--once"]).succeeds();
    assert!(first.contains("5 documents, 5 of them new"), "{first}");
    assert!(
        first.contains("Search goes by words alone; scripts/fetch-model"),
        "{first}"
    );
    assert!(
        first.contains("10 euros for each hour") && first.contains("[1] Returning a bike"),
        "{first}"
    );
    assert!(
        first.contains("20 cents for each opening day") && first.contains("[1] Returning what you"),
        "{first}"
    );
    let second = bench.run(&["quickstart", "--once"]).succeeds();
    assert!(
        second.contains("5 documents, 0 of them new") && !second.contains("5 of them new"),
        "{second}"
    );
    let log_ins = |out: &str| out.split_once("Log-ins").unwrap().1.to_owned();
    assert_eq!(log_ins(&first), log_ins(&second));
    let env_file = "tenantry-quickstart/.env";
    let answer = bench.run(&[
        "--env-file",
        env_file,
        "ask",
        "--tenant",
        "alpine-bikes",
        "When is the desk open?",
    ]);
    assert!(answer.succeeds().contains("Opening hours and seasons"));
}

#[test]
fn quickstart_takes_no_setting_from_the_environment() {
    let bench = Bench::new()
        .with("SECRET_KEY", "changeme")
        .with("OPENAI_BASE_URL", "http://127.0.0.1:9/v1");
    let out = bench.run(&["quickstart", "--once", "--dir", "here"]).succeeds();
    assert!(out.contains("Model: extractive"), "{out}");
    assert!(!bench.folder.path().join("tenantry.db").exists());
}

#[test]
fn the_calls_that_quickstart_prints_work_as_they_stand() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let bench = Bench {
        folder: tempfile::tempdir().unwrap(),
        variables: Vec::new(),
    };
    let (_server, said) = Running::start(&bench, &["quickstart", "--port", &port], "/admin/tenants/");
    assert!(said.contains(&format!("Port {port} is taken")), "{said}");
    let calls: Vec<&str> = said
        .lines()
        .map(str::trim)
        .filter(|line| line.starts_with("TOKEN=") || line.starts_with("curl "))
        .collect();
    assert_eq!(calls.len(), 8, "{said}");
    let script = calls.join("\necho\n");
    let shell = Command::new("sh").arg("-euc").arg(&script).output().unwrap();
    let answers = String::from_utf8(shell.stdout).unwrap();
    let complaints = String::from_utf8(shell.stderr).unwrap();
    assert!(
        shell.status.success(),
        "the calls need curl and sed: {complaints}{answers}"
    );
    for part in [
        "10 euros for each hour",
        "20 cents for each opening day",
        "harbour-library",
        "\"total\":2",
        "\"title\":\"What does it cost to return something late?\"",
    ] {
        assert!(answers.contains(part), "{part}: {answers}");
    }
    // The command line answers as the API does.
    let given = answers.lines().filter(|line| line.starts_with("{\"answer\":"));
    let given: Vec<serde_json::Value> = given.map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(given.len(), 2, "{answers}");
    for answer in given {
        assert!(
            said.contains(answer["answer"].as_str().unwrap()),
            "{answer}: {said}"
        );
        assert_eq!(answer["supported"], true, "{answer}");
    }
    let address: SocketAddr = said
        .split("http://")
        .nth(1)
        .unwrap()
        .split(' ')
        .next()
        .unwrap()
        .parse()
        .unwrap();
    assert!(address.ip().is_loopback());
}
