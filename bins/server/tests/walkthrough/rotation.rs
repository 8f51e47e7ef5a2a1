//! Keys are changed while two servers answer: the one that seals, killed half-way through, and the one that signs tokens.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, RwLock};

use serde_json::{Value, json};
use tempfile::TempDir;
use tenantry_http_client::{Answer, StubServer};

use crate::client::{Client, Response};
use crate::database::Database;
use crate::house::{PASSWORD, user_create};
use crate::on_both_databases;
use crate::server::{JWT_SECRET_KEY, SECRET_KEY, Server, Settings};
use crate::upstreams::quote;
use crate::wait_for;

const NEW_SECRET_KEY: &str = "e0b3c94f5a7d12866fd1c8a7205b9e34d7f16c3a80e25b9471d4a6c3f98e0b57";
const NEW_JWT_SECRET_KEY: &str = "9b1e7f3ac05d48627e1fa9c3d05b6e8241c7d9f3a60b5e8c27d14f9a3c6e0b85";

/// The tenants that people talk to all the time, and those that only have a key.
const TALKING: usize = 3;
const SILENT: usize = 300;

on_both_databases! {
    no_request_fails_while_the_sealing_key_is_changed
    nobody_is_logged_out_while_the_signing_key_is_changed
}

fn no_request_fails_while_the_sealing_key_is_changed(database: &Database) {
    let provider = Provider::start();
    let folder = TempDir::new().unwrap();
    let base = provider.settings(database);
    let keys = |active: &str, previous: &str| {
        let settings = base.clone().with("SECRET_KEY", active);
        settings.with("SECRET_KEY_PREVIOUS", previous)
    };
    let command = |settings: &Settings, arguments: &[&str]| succeeds(settings, folder.path(), arguments);

    let fleet = Fleet::open(&keys(SECRET_KEY, ""));
    let superuser = fleet.superuser(&base);
    let clients = provider.tenants(&fleet, &superuser);
    let secrets = TALKING + SILENT;
    let old = active_key(&command(&keys(SECRET_KEY, ""), &["secrets", "status"]));

    let traffic = Traffic::default();
    std::thread::scope(|threads| {
        // Whatever fails below, those who ask are to stop.
        let _stop = traffic.stop_at_end();
        for (at, client) in clients.iter().enumerate() {
            let (fleet, traffic) = (&fleet, &traffic);
            threads.spawn(move || traffic.go_on(fleet, at, client));
        }
        traffic.wait_for_more();

        // 1. Every server is given the new key as one that opens.
        fleet.roll(&keys(SECRET_KEY, NEW_SECRET_KEY), &traffic);

        // 2. The two are swapped, on one server after the other.
        let swapped = keys(NEW_SECRET_KEY, SECRET_KEY);
        fleet.replace(0, &swapped);
        // What the first seals with the new key, the second opens.
        provider.set_key(&fleet, &superuser, "talking-0");
        traffic.wait_for_more();
        fleet.replace(1, &swapped);
        traffic.wait_for_more();

        // 3. Secrets are sealed anew; killed half-way, and called again.
        let mut rotation = swapped
            .command(folder.path(), &["secrets", "rotate"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut told = String::new();
        BufReader::new(rotation.stdout.take().unwrap())
            .read_line(&mut told)
            .unwrap();
        rotation.kill().unwrap();
        rotation.wait().unwrap();
        assert!(told.contains("sealed anew so far"), "{told}");
        let status = command(&swapped, &["secrets", "status"]);
        let left = sealed_with(&status, &old);
        assert!(left > 0 && left < secrets - 1, "half-way is elsewhere: {status}");
        assert!(status.contains("`tenantry secrets rotate`"), "{status}");
        traffic.wait_for_more();

        let ended = AtomicBool::new(false);
        std::thread::scope(|threads| {
            let _end = SetAtEnd(&ended);
            threads.spawn(|| {
                while !ended.load(Ordering::SeqCst) {
                    provider.set_key(&fleet, &superuser, "talking-1");
                }
            });
            let done = command(&swapped, &["secrets", "rotate"]);
            // One may have got its new key before its turn came.
            let told = [left - 1, left].map(|count| format!("{count} that {old} had sealed"));
            assert!(told.iter().any(|told| done.contains(told)), "{done}");
        });

        // 4. Everything opens, and nothing needs the old key.
        let verified = command(&swapped, &["secrets", "verify"]);
        assert_eq!(verified, format!("{secrets} secrets open, 0 do not\n"));
        assert_eq!(sealed_in(database, &old), "0");
        let status = command(&swapped, &["secrets", "status"]);
        assert!(
            status.contains(&format!("{old} is not needed any more")),
            "{status}"
        );
        traffic.wait_for_more();

        // 5. The old key goes.
        let only_new = keys(NEW_SECRET_KEY, "");
        fleet.roll(&only_new, &traffic);
        let verified = command(&only_new, &["secrets", "verify"]);
        assert_eq!(verified, format!("{secrets} secrets open, 0 do not\n"));

        // 6. And is forgotten.
        let forgotten = command(&only_new, &["secrets", "rotate", "--forget-unused"]);
        assert!(forgotten.contains(&format!("{old} is forgotten")), "{forgotten}");
        let status = command(&only_new, &["secrets", "status"]);
        assert!(!status.contains(&old), "{status}");
        traffic.wait_for_more();
    });

    // The last key that was set is the one that is sent.
    provider.forget_earlier_keys();
    for client in &clients {
        assert_answered(&ask(&fleet, 0, client));
    }
    let late = keys(SECRET_KEY, "").run(folder.path(), &["secrets", "status"]);
    let told = String::from_utf8_lossy(&late.stderr).into_owned();
    assert!(
        !late.status.success() && told.contains("SECRET_KEY does not match"),
        "{told}"
    );
    for log in fleet.logs() {
        assert!(!log.contains(" ERROR "), "{log}");
    }
}

fn nobody_is_logged_out_while_the_signing_key_is_changed(database: &Database) {
    let base = Settings::new(&database.url()).with("OPENAI_EMBEDDING_MODEL", "none");
    let keys = |active: &str, previous: &str| {
        let settings = base.clone().with("JWT_SECRET_KEY", active);
        settings.with("JWT_SECRET_KEY_PREVIOUS", previous)
    };
    let fleet = Fleet::open(&keys(JWT_SECRET_KEY, ""));
    let early = fleet.superuser(&base);
    let both = |client: &Client, status: u16| {
        for which in [0, 1] {
            assert_eq!(fleet.client_at(which, client).get("/users/me").status, status);
        }
    };
    both(&early, 200);

    let announced = keys(JWT_SECRET_KEY, NEW_JWT_SECRET_KEY);
    fleet.replace(0, &announced);
    fleet.replace(1, &announced);
    both(&early, 200);

    let swapped = keys(NEW_JWT_SECRET_KEY, JWT_SECRET_KEY);
    fleet.replace(0, &swapped);
    both(&early, 200);
    let by_the_new_key = fleet.log_in(0, ROOT);
    both(&by_the_new_key, 200);
    let by_the_old_key = fleet.log_in(1, ROOT);
    both(&by_the_old_key, 200);
    fleet.replace(1, &swapped);
    for client in [&early, &by_the_new_key, &by_the_old_key] {
        both(client, 200);
    }

    let only_new = keys(NEW_JWT_SECRET_KEY, "");
    fleet.replace(0, &only_new);
    fleet.replace(1, &only_new);
    both(&by_the_new_key, 200);
    for client in [&early, &by_the_old_key] {
        both(client, 401);
    }
}

const ROOT: &str = "root@example.org";

/// Two servers on one database, as behind a balancer: a server is taken out of service before it is stopped.
struct Fleet {
    doors: [Door; 2],
}

struct Door {
    /// The port while the server is in service; read as long as it is asked something.
    port: RwLock<Option<u16>>,
    server: Mutex<Server>,
}

impl Fleet {
    #[track_caller]
    fn open(settings: &Settings) -> Self {
        let doors = [(); 2].map(|()| {
            let server = Server::start(settings);
            Door {
                port: RwLock::new(Some(server.port())),
                server: Mutex::new(server),
            }
        });
        Self { doors }
    }

    #[track_caller]
    fn superuser(&self, settings: &Settings) -> Client {
        user_create(
            &self.doors[0].server.lock().unwrap(),
            settings,
            ROOT,
            &["--superuser"],
        );
        self.log_in(0, ROOT)
    }

    #[track_caller]
    fn log_in(&self, which: usize, email: &str) -> Client {
        let server = self.doors[which].server.lock().unwrap();
        server.client().log_in(email, PASSWORD)
    }

    /// The same caller at one of the servers.
    fn client_at(&self, which: usize, client: &Client) -> Client {
        client.at(self.doors[which].server.lock().unwrap().port())
    }

    /// Replaces one server by one with these settings.
    #[track_caller]
    fn replace(&self, which: usize, settings: &Settings) {
        let door = &self.doors[which];
        // Waits for what it is doing.
        *door.port.write().unwrap() = None;
        let mut server = door.server.lock().unwrap();
        server.terminate();
        server.wait_until_stopped();
        *server = Server::start(settings);
        *door.port.write().unwrap() = Some(server.port());
    }

    /// Replaces both, one after the other.
    #[track_caller]
    fn roll(&self, settings: &Settings, traffic: &Traffic) {
        for which in [0, 1] {
            self.replace(which, settings);
            traffic.wait_for_more();
        }
    }

    fn logs(&self) -> Vec<String> {
        self.doors
            .iter()
            .map(|door| door.server.lock().unwrap().log())
            .collect()
    }

    /// Runs `call` with a server that is in service, `first` if it is.
    #[track_caller]
    fn with<T>(&self, first: usize, call: impl FnOnce(usize, u16) -> T) -> T {
        for which in [first, 1 - first] {
            let port = self.doors[which].port.read().unwrap();
            if let Some(port) = *port {
                return call(which, port);
            }
        }
        panic!("no server is in service");
    }
}

/// Questions without a pause, and how many each server answered.
#[derive(Default)]
struct Traffic {
    ends: AtomicBool,
    answered: [AtomicUsize; 2],
}

impl Traffic {
    /// Asks until the end, the servers in turn.
    fn go_on(&self, fleet: &Fleet, at: usize, client: &Client) {
        // Who fails ends the others' waiting too.
        let _stop = self.stop_at_end();
        for turn in at.. {
            if self.ends.load(Ordering::SeqCst) {
                return;
            }
            let which = fleet.with(turn % 2, |which, port| {
                assert_answered(&question(&client.at(port), turn % 3 == 0));
                which
            });
            self.answered[which].fetch_add(1, Ordering::SeqCst);
        }
    }

    /// Waits until both servers have answered some more.
    #[track_caller]
    fn wait_for_more(&self) {
        let before = self.counts();
        wait_for("more answers", || {
            assert!(!self.ends.load(Ordering::SeqCst), "a question failed");
            let now = self.counts();
            now.iter()
                .zip(before)
                .all(|(now, before)| *now >= before + 4)
                .then_some(())
        });
    }

    fn counts(&self) -> [usize; 2] {
        [0, 1].map(|which| self.answered[which].load(Ordering::SeqCst))
    }

    fn stop_at_end(&self) -> SetAtEnd<'_> {
        SetAtEnd(&self.ends)
    }
}

/// Sets a flag when it goes, also because something failed.
struct SetAtEnd<'a>(&'a AtomicBool);

impl Drop for SetAtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// What came of a question: its status and what was said.
type Answered = (u16, String);

fn ask(fleet: &Fleet, first: usize, client: &Client) -> Answered {
    fleet.with(first, |_, port| question(&client.at(port), false))
}

fn question(client: &Client, streamed: bool) -> Answered {
    let body = json!({ "message": "How many days are tools taken back?" });
    if streamed {
        let events = client.events("/chat", &body);
        let status = events.status;
        let told: Vec<_> = events.map(|event| (event.name, event.data)).collect();
        let done = told.last().is_some_and(|(name, _)| name == "done");
        (if done { status } else { 0 }, format!("{told:?}"))
    } else {
        let Response { status, body, .. } = client.post("/chat", &body);
        (status, body)
    }
}

#[track_caller]
fn assert_answered((status, told): &Answered) {
    assert_eq!(*status, 200, "{told}");
    // So does the tenant's own provider alone speak, to who has its key.
    assert!(told.contains("passages"), "{told}");
}

/// A provider of models where every tenant has a key of its own.
struct Provider {
    stub: StubServer,
    keys: Arc<Mutex<BTreeSet<String>>>,
    made: AtomicUsize,
}

impl Provider {
    fn start() -> Self {
        let keys = Arc::new(Mutex::new(BTreeSet::<String>::new()));
        let known = keys.clone();
        let stub = StubServer::unrecorded(move |request| {
            let key = request
                .header("authorization")
                .and_then(|value| value.strip_prefix("Bearer "));
            if key.is_some_and(|key| known.lock().unwrap().contains(key)) {
                quote(&request.json())
            } else {
                let error = json!({ "message": "Incorrect API key", "code": "invalid_api_key" });
                Answer::json(401, &json!({ "error": error }))
            }
        });
        Self {
            stub,
            keys,
            made: AtomicUsize::new(0),
        }
    }

    fn origin(&self) -> String {
        format!("http://{}", self.stub.address())
    }

    fn settings(&self, database: &Database) -> Settings {
        Settings::new(&database.url())
            .with("TENANT_LLM_ORIGINS", &self.origin())
            .with("OPENAI_EMBEDDING_MODEL", "none")
    }

    /// Makes every tenant, and gives a user of each that talks.
    fn tenants(&self, fleet: &Fleet, superuser: &Client) -> Vec<Client> {
        let talking = (0..TALKING).map(|number| format!("talking-{number}"));
        let silent = (0..SILENT).map(|number| format!("silent-{number:03}"));
        for id in talking.clone().chain(silent) {
            let provider = json!({ "base_url": format!("{}/v1", self.origin()), "api_key": self.key(&id) });
            let chat = json!({ "models": ["own"], "without_support": "answer" });
            let tenant = json!({ "id": id, "name": id, "chat": chat, "llm_provider": provider });
            superuser.post("/admin/tenants/", &tenant).expect(201);
        }
        let user = |id: String| {
            let email = format!("user@{id}.example.org");
            let user = json!({ "email": email, "password": PASSWORD, "tenant_id": id });
            superuser.post("/admin/users/", &user).expect(201);
            fleet.log_in(0, &email)
        };
        talking.map(user).collect()
    }

    /// Gives the tenant another key, at the first server in service.
    fn set_key(&self, fleet: &Fleet, superuser: &Client, tenant: &str) {
        let change: Value = json!({ "llm_provider": { "api_key": self.key(tenant) } });
        fleet.with(0, |_, port| {
            let target = format!("/admin/tenants/{tenant}");
            superuser.at(port).put(&target, &change).expect(200);
        });
    }

    /// A key that was never used, which is taken from now on.
    fn key(&self, tenant: &str) -> String {
        let number = self.made.fetch_add(1, Ordering::SeqCst);
        let key = format!("sk-{tenant}-{number:06}");
        self.keys.lock().unwrap().insert(key.clone());
        key
    }

    /// Takes only each tenant's latest key from now on.
    fn forget_earlier_keys(&self) {
        let mut keys = self.keys.lock().unwrap();
        let tenant = |key: &String| key.rsplit_once('-').unwrap().0.to_owned();
        let all: Vec<_> = keys.iter().cloned().collect();
        let latest = all.iter().filter(|key| {
            let mut later = all.iter().filter(|other| tenant(other) == tenant(key));
            later.all(|other| other <= *key)
        });
        *keys = latest.cloned().collect();
    }
}

/// What a command that succeeds prints.
#[track_caller]
fn succeeds(settings: &Settings, folder: &Path, arguments: &[&str]) -> String {
    let output = settings.run(folder, arguments);
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The id of the active key in what `secrets status` prints.
#[track_caller]
fn active_key(status: &str) -> String {
    let line = status.lines().find(|line| line.contains("  active"));
    let id = line.and_then(|line| line.split(' ').next());
    id.unwrap_or_else(|| panic!("no active key: {status}")).to_owned()
}

/// How many secrets are sealed with that key by what `secrets status` prints.
#[track_caller]
fn sealed_with(status: &str, key: &str) -> usize {
    let line = status
        .lines()
        .find(|line| line.starts_with(key) && line.ends_with(" sealed"));
    let count = line.and_then(|line| line.split_whitespace().rev().nth(1)?.parse().ok());
    count.unwrap_or_else(|| panic!("no key {key}: {status}"))
}

/// The same by the table itself.
fn sealed_in(database: &Database, key: &str) -> String {
    database.sql(&format!(
        "select count(*) from tenants where llm_api_key like '%.{key}.%'"
    ))
}
