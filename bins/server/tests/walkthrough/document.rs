//! Runs `docs/walkthrough.md`: each block of commands in turn, and compares what it prints with what the document shows.

use std::collections::BTreeMap;
use std::fs;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::client::Client;
use crate::database::Database;
use crate::expect::{answer_matches, lines_match};
use crate::on_both_databases;
use crate::root;
use crate::server::free_port;
use crate::shell::Shell;
use crate::upstreams::{OPENAI_API_KEY, PineconeAccount, TenantTraffic, Upstreams};

on_both_databases! {
    every_command_of_the_walkthrough_does_what_it_shows
}

const ACME_KEY: &str = "pcsk_acme_0123456789abcdef";
const GLOBEX_KEY: &str = "pcsk_globex_0123456789abcdef";

/// Commands of the document, and what it shows after them.
#[derive(Debug, PartialEq)]
pub(crate) struct Step {
    line: usize,
    /// Runs on this database alone, if on one.
    only: Option<String>,
    pub(crate) commands: String,
    pub(crate) shown: Option<Shown>,
}

#[derive(Debug, PartialEq)]
pub(crate) enum Shown {
    Answer(String),
    Text(String),
}

/// The blocks marked `sh walkthrough`, each with the block of kind `http` or `text` that follows it, if one does.
pub(crate) fn steps(document: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut lines = document.lines().zip(1..);
    while let Some((opening, line)) = lines.next() {
        let Some(kind) = opening.strip_prefix("```") else {
            continue;
        };
        let block: Vec<_> = lines
            .by_ref()
            .map(|(line, _)| line)
            .take_while(|line| *line != "```")
            .collect();
        let block = block.join("\n");
        let words: Vec<_> = kind.split(' ').collect();
        match (words.as_slice(), steps.last_mut()) {
            (["sh", "walkthrough", only @ ..], _) => {
                let only = only.first().map(|name| (*name).to_owned());
                steps.push(Step {
                    line,
                    only,
                    commands: block,
                    shown: None,
                });
            }
            (["http"], Some(step)) if step.shown.is_none() => step.shown = Some(Shown::Answer(block)),
            (["text"], Some(step)) if step.shown.is_none() => step.shown = Some(Shown::Text(block)),
            // Not every machine has the client of `OpenAI`: scripts/test-chat-clients runs what is shown of it.
            (["python" | "sh" | "rust"], _) => {}
            _ => panic!("line {line}: nothing checks this block"),
        }
    }
    steps
}

fn every_command_of_the_walkthrough_does_what_it_shows(database: &Database) {
    let document = fs::read_to_string(root().join("docs/walkthrough.md")).unwrap();
    let kind = database.kind();
    let (acme, globex) = (
        PineconeAccount::new(ACME_KEY, "acme-docs"),
        PineconeAccount::new(GLOBEX_KEY, "globex-docs"),
    );
    let upstreams = Upstreams::start(&[acme.clone(), globex.clone()]);
    let port = free_port();
    let mut shell = Shell::start(&environment(&upstreams, database, port));

    let mut ran = 0;
    for step in steps(&document) {
        if step.only.as_deref().is_some_and(|only| only != kind) {
            continue;
        }
        // The server stops in the end, and what is asked of it is asked before.
        if step.commands.starts_with("kill ") {
            check_the_running_server(&mut shell, port);
        }
        let place = format!("docs/walkthrough.md:{}:\n{}\n", step.line, step.commands);
        let printed = shell
            .run(&step.commands)
            .unwrap_or_else(|error| panic!("{place}{error}"));
        let compared = match &step.shown {
            Some(Shown::Answer(shown)) => answer_matches(shown, &printed.out),
            Some(Shown::Text(shown)) => lines_match(shown, &printed.out),
            None => Ok(()),
        };
        compared.unwrap_or_else(|difference| panic!("{place}{difference}\n{printed}"));
        ran += 1;
    }
    assert!(ran > 40, "only {ran} blocks of the document ran");

    upstreams.assert_kept_apart(&traffic(acme, globex));
    assert_nothing_tells_a_key(&shell, database);
}

fn traffic(acme: PineconeAccount, globex: PineconeAccount) -> [TenantTraffic; 4] {
    let tenant = |id: &str, pinecone, prompts: &[&str]| TenantTraffic {
        id: id.to_owned(),
        pinecone,
        prompts: prompts.iter().map(|prompt| (*prompt).to_owned()).collect(),
    };
    [
        tenant(
            "acme",
            Some(acme),
            &[
                "You answer the customers of Acme Tools, in one friendly sentence.",
                "You answer the customers of Acme Tools, in rhymes.",
            ],
        ),
        tenant(
            "globex",
            Some(globex),
            &["You answer the customers of Globex Books, briefly and to the point."],
        ),
        tenant(
            "initech",
            None,
            &["You answer the customers of Initech Printers."],
        ),
        // Its key is asked about, and refused.
        tenant(
            "typo",
            Some(PineconeAccount::new("pcsk_not-a-key-of-anybody", "docs")),
            &[],
        ),
    ]
}

/// What a reader would set, with upstreams that record in place of the real ones.
fn environment(upstreams: &Upstreams, database: &Database, port: u16) -> BTreeMap<&'static str, String> {
    [
        ("PORT", port.to_string()),
        ("DATABASE_URL", database.url()),
        ("OPENAI_API_KEY", OPENAI_API_KEY.to_owned()),
        ("OPENAI_BASE_URL", upstreams.openai_url()),
        ("PINECONE_CONTROL_URL", upstreams.control_url()),
        ("ACME_PINECONE_API_KEY", ACME_KEY.to_owned()),
        ("GLOBEX_PINECONE_API_KEY", GLOBEX_KEY.to_owned()),
    ]
    .into()
}

/// What the document tells in words: the third tenant answers from its own documents, and tokens name their tenant.
fn check_the_running_server(shell: &mut Shell, port: u16) {
    let user = |shell: &mut Shell, name: &str| Client::new(port).with_token(&shell.variable(name));
    let question = json!({ "message": "How many days do I have to bring something back?" });
    for (name, tenant, days) in [
        ("ACME", "acme", "30 days"),
        ("GLOBEX", "globex", "14 days"),
        ("INITECH", "initech", "7 days"),
    ] {
        let user = user(shell, name);
        let answer = user.post("/chat", &question).expect(200);
        let text = answer["answer"].as_str().unwrap();
        assert!(text.contains(days) && text.contains("[1]"), "{name}: {text}");
        let claims = claims(&shell.variable(name));
        assert_eq!(claims["tenant_id"], tenant);
        assert_eq!(claims["sub"], user.get("/users/me").expect(200)["id"]);
    }
}

/// What a token says, unverified.
fn claims(token: &str) -> Value {
    let claims = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap()
}

/// Neither the database nor anything that was printed or logged has a key or a password in it.
fn assert_nothing_tells_a_key(shell: &Shell, database: &Database) {
    let stored = database.sql("SELECT pinecone_api_key FROM tenants WHERE pinecone_api_key IS NOT NULL");
    assert_eq!(
        stored.lines().filter(|sealed| sealed.starts_with("v1.")).count(),
        2,
        "{stored}"
    );
    for file in fs::read_dir(shell.folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
    {
        if file
            .extension()
            .is_some_and(|kind| kind == "out" || kind == "err")
        {
            let text = fs::read_to_string(&file).unwrap();
            for key in [ACME_KEY, GLOBEX_KEY, OPENAI_API_KEY] {
                assert!(!text.contains(key), "{} tells a key", file.display());
            }
        }
    }
}

#[test]
fn a_step_is_its_commands_and_what_is_shown_next() {
    let document = "a\n```sh walkthrough\nb\nc\n```\nd\n```http\ne\n```\n```sh\nf\n```\n```sh walkthrough sqlite\ng\n```\n";
    let expected = [
        Step {
            line: 2,
            only: None,
            commands: "b\nc".into(),
            shown: Some(Shown::Answer("e".into())),
        },
        Step {
            line: 13,
            only: Some("sqlite".into()),
            commands: "g".into(),
            shown: None,
        },
    ];
    assert_eq!(steps(document), expected);
}
