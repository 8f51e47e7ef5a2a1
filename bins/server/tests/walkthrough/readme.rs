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

#[test]
fn every_link_of_the_documents_leads_to_a_file() {
    let docs = fs::read_dir(root().join("docs"))
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let pages = docs.filter(|path| path.extension().is_some_and(|kind| kind == "md"));
    for page in pages.chain([root().join("README.md")]) {
        let text = fs::read_to_string(&page).unwrap();
        let targets = text.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
        for (target, _) in targets.filter(|(target, _)| !target.contains("://") && !target.starts_with('#')) {
            let file = target.split_once('#').map_or(target, |(file, _)| file);
            assert!(
                page.with_file_name(file).exists(),
                "{} links to {target}",
                page.display()
            );
        }
    }
}
