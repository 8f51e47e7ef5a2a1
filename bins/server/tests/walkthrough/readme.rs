//! Runs what the README says: quickstart, and its lines of curl against it.

use std::collections::BTreeMap;
use std::fs;

use crate::client::Client;
use crate::document::{Shown, steps};
use crate::expect::lines_match;
use crate::server::free_port;
use crate::shell::Shell;
use crate::{root, wait_for};

#[test]
fn the_lines_of_curl_work_right_after_quickstart() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let port = free_port();
    let mut shell = Shell::start(&BTreeMap::new());
    shell
        .run(&format!("tenantry quickstart --port {port} &"))
        .unwrap();
    wait_for("quickstart to serve", || {
        Client::new(port).try_get("/readyz").ok()
    });

    let steps = steps(&readme);
    let [step] = steps.as_slice() else {
        panic!("the README has one block to run, not {}", steps.len())
    };
    assert!(step.commands.lines().count() <= 10, "ten lines, it says");
    let commands = step
        .commands
        .replace("127.0.0.1:8000", &format!("127.0.0.1:{port}"));
    let printed = shell.run(&commands).unwrap();
    let Some(Shown::Text(shown)) = &step.shown else {
        panic!("nothing is shown")
    };
    lines_match(shown, &printed.out)
        .unwrap_or_else(|difference| panic!("README.md: {difference}\n{printed}"));
}
