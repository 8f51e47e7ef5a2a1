//! What the whole process of a test has open.

use std::process::Command;
use std::time::{Duration, Instant};

use super::live::Live;
use crate::turn::testing::PATIENCE;

/// Runs a test that is ignored otherwise in a process of its own, because descriptors, threads and memory are counted for a process.
pub(super) fn alone(module: &str, name: &str) {
    let this = std::env::current_exe().unwrap();
    // Paths within the binary of the tests begin after the crate's name.
    let module = module.split_once("::").unwrap().1;
    let name = format!("{module}::{name}");
    let arguments = [
        "--exact",
        &name,
        "--ignored",
        "--nocapture",
        "--test-threads",
        "1",
    ];
    let run = Command::new(this).args(arguments).output().unwrap();
    let said = String::from_utf8_lossy(&run.stdout);
    assert!(
        run.status.success() && said.contains("1 passed"),
        "{said}{}",
        String::from_utf8_lossy(&run.stderr)
    );
    print!("{said}");
}

/// How many files a server has open that has answered once.
pub(super) fn files_of(live: &Live) -> usize {
    assert!(live.request("GET /healthz HTTP/1.1").starts_with("HTTP/1.1 200 "));
    files()
}

fn files() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

/// Waits until no more files are open than there were.
pub(super) fn wait_for_files(before: usize) {
    let deadline = Instant::now() + PATIENCE;
    while files() > before {
        assert!(
            Instant::now() < deadline,
            "{} files are open, {before} were",
            files()
        );
        std::thread::sleep(Duration::from_millis(5));
    }
}
