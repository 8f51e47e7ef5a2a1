//! A shell that runs one block of commands after another, as a person would in one terminal.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};

use rustix::process::{Pid, Signal};
use tempfile::TempDir;

use crate::database::{SQLITE_IN_PYTHON, is_installed, postgres_programs};
use crate::server::TENANTRY;
use crate::wait_for;

/// What the commands of the document need beside the binary.
const TOOLS: [&str; 3] = ["curl", "openssl", "sed"];

/// Run before the first block: a command that fails fails its block, `curl` says no more than it would say to a person and
/// cannot hang, and Python stands in for a missing `sqlite3`.
const PREPARE: &str = r#"
set -uEo pipefail
trap 'failed="${failed:-$BASH_COMMAND}"' ERR
printf 'silent\nshow-error\nmax-time = 60\n' > "$CURL_HOME/.curlrc"
command -v sqlite3 > /dev/null || sqlite3() { python3 -c "$SQLITE_IN_PYTHON" "$@"; }
"#;

/// A `bash` that keeps its variables and its background jobs between blocks.
pub(crate) struct Shell {
    bash: Child,
    stdin: ChildStdin,
    folder: TempDir,
    blocks: usize,
}

/// What a block of commands printed.
pub(crate) struct Printed {
    pub(crate) out: String,
    err: String,
}

impl fmt::Display for Printed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "standard output:\n{}\nstandard error:\n{}", self.out, self.err)
    }
}

impl Shell {
    /// Starts a shell in a folder of its own, which knows these variables and where the programs are, and no more.
    pub(crate) fn start(environment: &BTreeMap<&str, String>) -> Self {
        let missing: Vec<_> = ["bash"]
            .into_iter()
            .chain(TOOLS)
            .filter(|tool| !is_installed(tool))
            .collect();
        assert!(
            missing.is_empty(),
            "this test runs the commands of docs/walkthrough.md: install {missing:?}"
        );
        let folder = TempDir::new().unwrap();
        let mut bash = Command::new("bash")
            .args(["--noprofile", "--norc"])
            .current_dir(folder.path())
            .env_clear()
            .envs(environment)
            .env("PATH", programs())
            .envs([("HOME", folder.path()), ("CURL_HOME", folder.path())])
            .env("SQLITE_IN_PYTHON", SQLITE_IN_PYTHON)
            .stdin(Stdio::piped())
            .process_group(0)
            .spawn()
            .unwrap();
        let stdin = bash.stdin.take().unwrap();
        let mut shell = Self {
            bash,
            stdin,
            folder,
            blocks: 0,
        };
        shell.run(PREPARE).unwrap();
        shell
    }

    /// Runs a block to its end.
    ///
    /// # Errors
    /// With what it printed, when a command of it failed.
    pub(crate) fn run(&mut self, block: &str) -> Result<Printed, String> {
        self.blocks += 1;
        let name = |suffix: &str| format!("{}.{suffix}", self.blocks);
        let file = |suffix: &str| self.folder.path().join(name(suffix));
        fs::write(file("sh"), block).unwrap();
        writeln!(
            self.stdin,
            "failed=; source ./{sh} < /dev/null > {out} 2> {err}; printf '%s' \"$failed\" > {tmp}; mv {tmp} {end}",
            sh = name("sh"),
            out = name("out"),
            err = name("err"),
            tmp = name("tmp"),
            end = name("end"),
        )
        .unwrap();
        let read = |suffix: &str| fs::read_to_string(file(suffix)).unwrap_or_default();
        let bash = &mut self.bash;
        let failed = wait_for("a block of the document", || {
            // The file first: bash may end right after it.
            let failed = fs::read_to_string(file("end")).ok();
            let ended = bash
                .try_wait()
                .unwrap()
                .map(|status| format!("bash itself, {status}"));
            failed.or(ended)
        });
        let printed = Printed {
            out: read("out"),
            err: read("err"),
        };
        if failed.is_empty() {
            Ok(printed)
        } else {
            Err(format!("`{failed}` failed\n{printed}"))
        }
    }

    /// The value of a variable that the document has set.
    #[track_caller]
    pub(crate) fn variable(&mut self, name: &str) -> String {
        self.run(&format!("printf '%s' \"${name}\"")).unwrap().out
    }

    /// The folder that the shell runs in.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        // The whole group: the document leaves a server running.
        let _ = rustix::process::kill_process_group(Pid::from_child(&self.bash), Signal::KILL);
        drop(self.bash.wait());
    }
}

/// The binary under test, PostgreSQL's programs where they are known, and what the machine has.
#[expect(clippy::disallowed_methods, reason = "a reader's shell looks there too")]
fn programs() -> OsString {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let first = [
        Path::new(TENANTRY).parent().unwrap().to_owned(),
        postgres_programs(),
    ];
    let folders = first.into_iter().chain(std::env::split_paths(&path));
    // An empty entry would stand for the folder that the shell is in.
    std::env::join_paths(folders.filter(|folder| !folder.as_os_str().is_empty())).unwrap()
}
