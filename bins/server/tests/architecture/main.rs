//! The rules of `docs/ARCHITECTURE.md` that the compiler cannot hold.
#![cfg(test)]

mod graph;
mod layout;
mod sources;

use std::path::PathBuf;

/// The workspace's root.
fn root() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
        .canonicalize()
        .unwrap()
}

/// Fails with every breach of `rule`, and says where another rule would be argued for.
#[track_caller]
fn hold(rule: &str, breaches: &[String]) {
    assert!(
        breaches.is_empty(),
        "\n\nThe rule: {rule}\nBroken by:\n  {}\n\nTo change the rule, argue for it in a new docs/decisions/NNNN-title.md, and change \
         docs/ARCHITECTURE.md and this test in the same commit.\n",
        breaches.join("\n  "),
    );
}
