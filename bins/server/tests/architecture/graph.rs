use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use cargo_metadata::{DependencyKind, MetadataCommand, Package};

use crate::{hold, root};

const SERVER: &str = "tenantry";
const DOMAIN: &str = "tenantry-domain";
const RETRIEVAL: &str = "tenantry-retrieval";

/// Who depends on whom among our own crates: these edges and no others.
const EDGES: [(&str, &[&str]); 11] = [
    (DOMAIN, &[]),
    ("tenantry-http-client", &[]),
    ("tenantry-crypto", &[DOMAIN]),
    ("tenantry-tenant-store", &[DOMAIN]),
    ("tenantry-auth", &[DOMAIN, "tenantry-http-client"]),
    ("tenantry-extraction", &[DOMAIN]),
    ("tenantry-mail", &[DOMAIN]),
    ("tenantry-vector-client", &[DOMAIN, "tenantry-http-client"]),
    ("tenantry-llm-client", &[DOMAIN, "tenantry-http-client"]),
    (
        RETRIEVAL,
        &[
            DOMAIN,
            "tenantry-auth",
            "tenantry-crypto",
            "tenantry-tenant-store",
            "tenantry-vector-client",
            "tenantry-llm-client",
            "tenantry-extraction",
            "tenantry-mail",
        ],
    ),
    (
        SERVER,
        &[
            DOMAIN,
            "tenantry-crypto",
            "tenantry-tenant-store",
            "tenantry-http-client",
            "tenantry-vector-client",
            "tenantry-llm-client",
            "tenantry-auth",
            "tenantry-extraction",
            "tenantry-mail",
            RETRIEVAL,
        ],
    ),
];

/// Who may name a heavy dependency: these crates and no others.
const OWNERS: [(&str, &[&str]); 21] = [
    ("actix-web", &[SERVER]),
    ("argon2", &["tenantry-crypto"]),
    ("calamine", &["tenantry-extraction"]),
    ("chacha20poly1305", &["tenantry-crypto"]),
    ("clap", &[SERVER]),
    ("diesel", &["tenantry-tenant-store", "tenantry-vector-client"]),
    ("diesel_migrations", &["tenantry-tenant-store"]),
    ("env_logger", &[SERVER]),
    ("hayro-interpret", &["tenantry-extraction"]),
    ("html5ever", &["tenantry-extraction"]),
    ("jsonwebtoken", &["tenantry-auth"]),
    ("lettre", &["tenantry-mail"]),
    ("mail-parser", &["tenantry-extraction"]),
    ("quick-xml", &["tenantry-extraction"]),
    // The record store takes it through diesel, which re-exports it.
    ("r2d2", &[]),
    ("ring", &["tenantry-auth", "tenantry-crypto"]),
    ("rten", &["tenantry-llm-client"]),
    ("sqlite-vec", &["tenantry-vector-client"]),
    ("tokio", &[SERVER]),
    ("ureq", &["tenantry-http-client"]),
    ("zip", &["tenantry-extraction"]),
];

fn packages() -> Vec<Package> {
    MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .no_deps()
        .other_options(["--locked".to_owned(), "--offline".to_owned()])
        .exec()
        .unwrap()
        .packages
}

/// The names of what `package` depends on in the given way.
fn dependencies(package: &Package, kind: DependencyKind) -> BTreeSet<&str> {
    package
        .dependencies
        .iter()
        .filter(|d| d.kind == kind)
        .map(|d| d.name.as_str())
        .collect()
}

fn ours(names: BTreeSet<&str>) -> BTreeSet<&str> {
    names
        .into_iter()
        .filter(|name| *name == SERVER || name.starts_with("tenantry-"))
        .collect()
}

/// Every package that ends up below `roots` in an ordinary build, by name.
fn tree(roots: &[&str]) -> BTreeSet<String> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(root()).args([
        "tree",
        "--locked",
        "--offline",
        "-e",
        "normal",
        "--prefix",
        "none",
    ]);
    let output = cargo
        .args(roots.iter().flat_map(|root| ["-p", root]))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let lines = String::from_utf8(output.stdout).unwrap();
    lines
        .lines()
        .filter_map(|line| line.split(' ').next())
        .map(str::to_owned)
        .collect()
}

#[test]
fn crates_depend_on_each_other_as_drawn() {
    let drawn: BTreeMap<_, _> = EDGES.into_iter().collect();
    let packages = packages();
    let mut breaches = Vec::new();
    for package in &packages {
        let name = package.name.as_str();
        let Some(allowed) = drawn.get(name) else {
            breaches.push(format!("{name} is not in the drawing"));
            continue;
        };
        let allowed = allowed.iter().copied().collect();
        let actual = ours(dependencies(package, DependencyKind::Normal));
        breaches.extend(
            actual
                .difference(&allowed)
                .map(|to| format!("{name} depends on {to}")),
        );
        breaches.extend(
            allowed
                .difference(&actual)
                .map(|to| format!("{name} is drawn above {to}, and is not")),
        );
        let aside = ours(dependencies(package, DependencyKind::Development))
            .into_iter()
            .chain(ours(dependencies(package, DependencyKind::Build)));
        breaches.extend(
            aside
                .filter(|to| !allowed.contains(to))
                .map(|to| format!("{name} is tested or built with {to}")),
        );
    }
    let found: BTreeSet<_> = packages.iter().map(|package| package.name.as_str()).collect();
    breaches.extend(
        drawn
            .keys()
            .filter(|name| !found.contains(*name))
            .map(|name| format!("{name} does not exist")),
    );
    hold(
        "our crates depend on each other as the drawing shows, in tests too",
        &breaches,
    );
}

#[test]
fn each_heavy_dependency_has_exactly_its_owners() {
    let packages = packages();
    let mut breaches = Vec::new();
    for (dependency, owners) in OWNERS {
        for package in &packages {
            let name = package.name.as_str();
            let owns = dependencies(package, DependencyKind::Normal).contains(dependency);
            // The server's tests and examples may stand in for the other side of a connection.
            let borrows = name != SERVER
                && [DependencyKind::Development, DependencyKind::Build]
                    .into_iter()
                    .any(|kind| dependencies(package, kind).contains(dependency));
            match owners.contains(&name) {
                true if !owns => breaches.push(format!("{name} no longer uses {dependency}, its own")),
                false if owns || borrows => {
                    breaches.push(format!("{name} uses {dependency}, which is of {owners:?}"));
                }
                _ => {}
            }
        }
    }
    hold("each heavy dependency is named by its owners alone", &breaches);
}

#[test]
fn the_domain_knows_no_format_no_database_and_no_network() {
    let banned = [
        "serde",
        "serde_core",
        "serde_json",
        "diesel",
        "rusqlite",
        "http",
        "ureq",
        "log",
    ];
    let breaches: Vec<_> = tree(&[DOMAIN])
        .into_iter()
        .filter(|name| banned.contains(&name.as_str()))
        .collect();
    hold(
        "tenantry-domain has no serialisation, no database, no HTTP and no logger, directly or below",
        &breaches,
    );
}

#[test]
fn libraries_know_no_async_runtime_and_no_web_framework() {
    let libraries: Vec<_> = EDGES
        .iter()
        .map(|(name, _)| *name)
        .filter(|name| *name != SERVER)
        .collect();
    let asynchronous = |name: &str| {
        name.starts_with("actix") || name.starts_with("futures") || matches!(name, "tokio" | "hyper" | "axum")
    };
    let breaches: Vec<_> = tree(&libraries)
        .into_iter()
        .filter(|name| asynchronous(name))
        .collect();
    hold("async and the web framework live in bins/server alone", &breaches);
}

#[test]
fn the_use_cases_name_no_adapter() {
    let packages = packages();
    let retrieval = packages
        .iter()
        .find(|package| package.name.as_str() == RETRIEVAL)
        .unwrap();
    let breaches: Vec<_> = retrieval
        .dependencies
        .iter()
        .filter(|d| d.kind == DependencyKind::Normal && d.name.starts_with("tenantry-") && d.name != DOMAIN)
        .filter(|d| d.uses_default_features || !d.features.is_empty())
        .map(|d| format!("{RETRIEVAL} takes {} with features", d.name))
        .collect();
    hold(
        "tenantry-retrieval takes the capability crates without features: concrete adapters are wired in the server",
        &breaches,
    );
}
