//! The real binary, as commands and as running servers.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};

use rustix::process::{Pid, Signal};
use tempfile::TempDir;

use crate::client::Client;
use crate::wait_for;

/// The binary under test.
pub(crate) const TENANTRY: &str = env!("CARGO_BIN_EXE_tenantry");

/// Keys as `openssl rand -hex 32` makes them.
pub(crate) const SECRET_KEY: &str = "7a1f0d3c9b5e48261f6a0c7d92e4b83510cf6e2d8a947b13f05c6d7e8a9b1c24";
pub(crate) const JWT_SECRET_KEY: &str = "c2d94e7f1a6b38054d7e9f2a1b0c8d6e53f7a4b918c2d0e6f9a35b7c4d8e1f60";

/// The environment of a server, which is all it sees.
#[derive(Clone)]
pub(crate) struct Settings(BTreeMap<String, String>);

impl Settings {
    /// The variables that a server needs, for that database.
    pub(crate) fn new(database_url: &str) -> Self {
        Self(BTreeMap::new())
            .with("SECRET_KEY", SECRET_KEY)
            .with("JWT_SECRET_KEY", JWT_SECRET_KEY)
            .with("DATABASE_URL", database_url)
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.0.insert(name.to_owned(), value.to_owned());
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.0.remove(name);
        self
    }

    /// A `tenantry` command with these variables and no others, run in `folder`.
    pub(crate) fn command(&self, folder: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(TENANTRY);
        command.args(arguments).current_dir(folder).stdin(Stdio::null());
        command.env_clear().envs(&self.0);
        command
    }

    /// Runs a `tenantry` command to its end.
    pub(crate) fn run(&self, folder: &Path, arguments: &[&str]) -> Output {
        let (out, err) = (folder.join("command.out"), folder.join("command.err"));
        let mut command = self.command(folder, arguments);
        command
            .stdout(File::create(&out).unwrap())
            .stderr(File::create(&err).unwrap());
        let mut child = Process(command.spawn().unwrap());
        let status = wait_for("a command to end", || child.0.try_wait().unwrap());
        Output {
            status,
            stdout: fs::read(out).unwrap(),
            stderr: fs::read(err).unwrap(),
        }
    }
}

/// A child process that does not outlive its test.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // Either fails when the process has ended, which is what is wanted.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// A running `tenantry serve`.
pub(crate) struct Server {
    process: Process,
    port: u16,
    log: PathBuf,
    folder: TempDir,
}

impl Server {
    /// Starts a server and waits until it is ready.
    #[track_caller]
    pub(crate) fn start(settings: &Settings) -> Self {
        let mut server = Self::launch(settings);
        server.wait_until_ready();
        server
    }

    /// Starts a server and does not wait.
    pub(crate) fn launch(settings: &Settings) -> Self {
        Self::launch_at(settings, free_port())
    }

    fn launch_at(settings: &Settings, port: u16) -> Self {
        let folder = TempDir::new().unwrap();
        let log = folder.path().join("server.log");
        let out = File::create(&log).unwrap();
        let settings = settings.clone().with("PORT", &port.to_string());
        let mut command = settings.command(folder.path(), &["serve"]);
        command.stdout(out.try_clone().unwrap()).stderr(out);
        Self {
            process: Process(command.spawn().unwrap()),
            port,
            log,
            folder,
        }
    }

    /// Waits until `/readyz` says so.
    #[track_caller]
    pub(crate) fn wait_until_ready(&mut self) {
        wait_for("a server to be ready", || {
            if let Some(status) = self.process.0.try_wait().unwrap() {
                panic!("the server ended with {status}:\n{}", self.log());
            }
            self.client()
                .try_get("/readyz")
                .ok()
                .filter(|answer| answer.status == 200)
        });
    }

    /// A caller of this server without a token.
    pub(crate) fn client(&self) -> Client {
        Client::new(self.port)
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// What the server has logged so far.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }

    /// The folder that the server runs in.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Ends the server without a word.
    pub(crate) fn kill(&mut self) {
        self.process.0.kill().unwrap();
        self.process.0.wait().unwrap();
    }

    /// Asks the server to stop, as a platform does.
    pub(crate) fn terminate(&self) {
        rustix::process::kill_process(Pid::from_child(&self.process.0), Signal::TERM).unwrap();
    }

    /// Waits for the end of a server that was asked to stop, which is a good one, and gives what it logged.
    #[track_caller]
    pub(crate) fn wait_until_stopped(&mut self) -> String {
        let status = wait_for("a server to stop", || self.process.0.try_wait().unwrap());
        assert!(status.success(), "{status}:\n{}", self.log());
        self.log()
    }
}

/// A port that nothing listens at.
///
/// They lie below the range from which the system takes the ports of outgoing connections, and no two tests of this
/// process are given the same one; several test runs at a time start at different places.
pub(crate) fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let start = u16::try_from(std::process::id() % 10_000).unwrap();
    wait_for("a free port", || {
        let port = 20_000 + (start + NEXT.fetch_add(1, Ordering::Relaxed)) % 10_000;
        std::net::TcpListener::bind(("127.0.0.1", port))
            .is_ok()
            .then_some(port)
    })
}
