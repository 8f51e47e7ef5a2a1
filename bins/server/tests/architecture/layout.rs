use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use crate::{hold, root};

/// The folders of the root. `target`, `data` and `tenantry-quickstart` are made by running things, not kept.
const FOLDERS: [&str; 6] = ["bins", "crates", "docs", "migrations", "scripts", "specs"];
const MADE: [&str; 3] = ["target", "data", "tenantry-quickstart"];

/// The files of the root that people look for.
const FILES: [&str; 14] = [
    ".env.example",
    "CHANGELOG.md",
    "Cargo.lock",
    "Cargo.toml",
    "Dockerfile",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "clippy.toml",
    "compose.yaml",
    "deny.toml",
    "justfile",
    "railway.json",
    "rustfmt.toml",
];

fn names(folder: &Path) -> BTreeSet<String> {
    fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

#[test]
fn the_root_holds_what_the_map_lists() {
    let expected: BTreeSet<_> = FOLDERS.into_iter().collect();
    let found = names(&root());
    let mut breaches: Vec<_> = found
        .iter()
        .filter(|name| root().join(name).is_dir() && !name.starts_with('.') && !MADE.contains(&name.as_str()))
        .filter(|name| !expected.contains(name.as_str()))
        .map(|name| format!("{name}/ is not in the map"))
        .collect();
    let wanted = FOLDERS.iter().chain(&FILES);
    breaches.extend(
        wanted
            .filter(|name| !found.contains(**name))
            .map(|name| format!("{name} is missing")),
    );
    hold(
        "code lives in crates/ and bins/, and the root is as docs/ARCHITECTURE.md maps it",
        &breaches,
    );
}

#[test]
fn migrations_at_the_root_are_those_of_the_store() {
    let link = fs::read_link(root().join("migrations")).ok();
    let expected = Path::new("crates/tenant-store/migrations");
    let breaches = if link.as_deref() == Some(expected) {
        vec![]
    } else {
        vec![format!("migrations -> {link:?}")]
    };
    hold(
        "`migrations` is a link into crates/tenant-store, because the crate must package its own",
        &breaches,
    );
}

#[test]
fn both_databases_have_the_same_migrations() {
    let trees = root().join("crates/tenant-store/migrations");
    let mut steps = BTreeMap::new();
    let mut breaches = Vec::new();
    for database in names(&trees).into_iter().filter(|name| trees.join(name).is_dir()) {
        let folder = trees.join(&database);
        for step in names(&folder) {
            for direction in ["up.sql", "down.sql"] {
                if fs::read_to_string(folder.join(&step).join(direction))
                    .unwrap_or_default()
                    .trim()
                    .is_empty()
                {
                    breaches.push(format!("{database}/{step} has no {direction}"));
                }
            }
        }
        steps.insert(database, names(&folder));
    }
    assert_eq!(
        steps.keys().collect::<Vec<_>>(),
        ["postgres", "sqlite"],
        "one tree for each database"
    );
    let all: BTreeSet<_> = steps.values().flatten().collect();
    for (database, own) in &steps {
        breaches.extend(
            all.iter()
                .filter(|step| !own.contains(**step))
                .map(|step| format!("{database} lacks {step}")),
        );
    }
    hold(
        "both databases have the same migrations, each with a way up and a way down",
        &breaches,
    );
}

#[test]
fn the_map_names_only_what_exists() {
    let map = fs::read_to_string(root().join("docs/ARCHITECTURE.md")).unwrap();
    let paths = |text: &str| {
        let quoted: Vec<_> = text.split('`').skip(1).step_by(2).map(str::to_owned).collect();
        quoted
            .into_iter()
            .filter(|path| path.starts_with("crates/") || path.starts_with("bins/"))
            .collect::<Vec<_>>()
    };
    let named = paths(&map);
    let mut breaches: Vec<_> = named
        .iter()
        .filter(|path| !root().join(path).exists())
        .map(|path| format!("docs/ARCHITECTURE.md names {path}, which does not exist"))
        .collect();
    for folder in ["crates", "bins"] {
        for name in names(&root().join(folder))
            .into_iter()
            .map(|name| format!("{folder}/{name}"))
        {
            if !named.contains(&name) {
                breaches.push(format!("docs/ARCHITECTURE.md does not name `{name}`"));
            }
        }
    }
    for decision in names(&root().join("docs/decisions")) {
        if !map.contains(&format!("decisions/{decision}")) {
            breaches.push(format!(
                "docs/ARCHITECTURE.md does not link to decisions/{decision}"
            ));
        }
    }
    hold(
        "the map names every crate and every decision, and nothing that is not there",
        &breaches,
    );
}
