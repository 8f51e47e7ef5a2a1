//! What the configuration takes and refuses, and that the documentation says the same.
#![cfg(test)]

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use tenantry::config::variables::{COMMANDS, SERVER};
use tenantry::config::{Config, ConfigError, EmbeddingChoice, Embeddings, LocalVectors, Unset, Variable};

const SECRET: &str = "6f1c0b7e94d85a23b1f60c9d7e8a4f3512bd67ce90a1f4837d5e2c6b08f9a1d4";
const JWT_SECRET: &str = "kJ8vQz2LwN5rXb7TgYpC4mHs9DfEaR3uVi6ZoKx1BtWqMyGnSjPlUhAcFd0eOIrT";

type Variables = HashMap<&'static str, String>;

/// The least that a server needs.
fn least() -> Variables {
    [
        ("SECRET_KEY", SECRET),
        ("JWT_SECRET_KEY", JWT_SECRET),
        ("DATABASE_URL", "sqlite://tenantry.db"),
    ]
    .map(|(name, value)| (name, value.to_owned()))
    .into()
}

fn read(variables: &Variables) -> Result<Config, ConfigError> {
    Config::from_lookup(|name| variables.get(name).cloned())
}

fn with(changes: &[(&'static str, &str)]) -> Result<Config, ConfigError> {
    let mut variables = least();
    variables.extend(changes.iter().map(|(name, value)| (*name, (*value).to_owned())));
    read(&variables)
}

/// Every refused value is told by its variable's name alone.
fn refused(changes: &[(&'static str, &str)], blamed: &str) {
    let error = with(changes).expect_err(&format!("{changes:?} was taken"));
    let names: Vec<&str> = error.problems().iter().map(|problem| problem.variable).collect();
    assert_eq!(names, [blamed], "{changes:?}: {error}");
    assert!(
        error.to_string().contains(error.problems()[0].expected),
        "{error}"
    );
}

#[test]
fn three_variables_are_enough() {
    let Config {
        secret_keys,
        settings,
    } = read(&least()).unwrap();
    assert!(secret_keys.previous.is_empty());
    assert_eq!(settings.address.to_string(), "127.0.0.1:8000");
    assert_eq!(settings.tokens.lifetime.minutes(), 30);
    assert!(
        matches!(&settings.vector_store, LocalVectors::Embedded { data_dir } if data_dir == Path::new("./data"))
    );
    assert_eq!(settings.embedding.current, Embeddings::LocalIfThere);
    assert!(settings.reranker.is_none() && (1..=4).contains(&settings.ingest_workers));
    assert_eq!(settings.max_upload_bytes, 32 << 20);
    assert_eq!(settings.password_policy.min_characters, 12);
    assert!(settings.provider.is_none() && settings.cors_origins.is_empty() && !settings.registration_open);
}

#[test]
fn all_that_is_wrong_is_told_at_once_and_in_order() {
    let wrong = with(&[
        ("SECRET_KEY", "changeme"),
        ("JWT_SECRET_KEY", "short"),
        ("DATABASE_URL", "mysql://u:hunter2@db/x"),
        ("ALGORITHM", "none"),
        ("ACCESS_TOKEN_EXPIRE_MINUTES", "0"),
        ("OPENAI_BASE_URL", "ftp://models"),
        ("BACKEND_CORS_ORIGINS", "*"),
        ("PORT", "http"),
        ("HOST", "example.org"),
        ("VECTOR_STORE", "faiss"),
        ("LOG_FORMAT", "xml"),
        ("RUST_LOG", "loud"),
        ("REGISTRATION", "yes"),
        ("PASSWORD_MIN_LENGTH", "4"),
        ("PINECONE_API_VERSION", "latest"),
    ])
    .unwrap_err();
    let mut names: Vec<&str> = wrong.problems().iter().map(|problem| problem.variable).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "ACCESS_TOKEN_EXPIRE_MINUTES",
            "ALGORITHM",
            "BACKEND_CORS_ORIGINS",
            "DATABASE_URL",
            "HOST",
            "JWT_SECRET_KEY",
            "LOG_FORMAT",
            "OPENAI_BASE_URL",
            "PASSWORD_MIN_LENGTH",
            "PINECONE_API_VERSION",
            "PORT",
            "REGISTRATION",
            "RUST_LOG",
            "SECRET_KEY",
            "VECTOR_STORE",
        ]
    );
    assert!(!format!("{wrong} {wrong:?}").contains("hunter2"));
}

#[test]
fn what_is_missing_is_named() {
    let error = read(&HashMap::new()).unwrap_err();
    let names: Vec<&str> = error.problems().iter().map(|problem| problem.variable).collect();
    assert_eq!(names, ["SECRET_KEY", "DATABASE_URL", "JWT_SECRET_KEY"]);
    for name in ["SECRET_KEY", "DATABASE_URL", "JWT_SECRET_KEY"] {
        refused(&[(name, "")], name);
    }
}

#[test]
fn a_weak_or_mangled_sealing_key_is_refused() {
    let repeated = "a".repeat(64);
    let (newline, quoted) = (format!("{SECRET}\n"), format!("\"{SECRET}\""));
    for key in [
        "changeme",
        "your-secret-key-goes-here",
        "too short",
        &repeated,
        &newline,
        &quoted,
    ] {
        refused(&[("SECRET_KEY", key)], "SECRET_KEY");
        refused(&[("SECRET_KEY_PREVIOUS", key)], "SECRET_KEY_PREVIOUS");
    }
    refused(
        &[("SECRET_KEY_PREVIOUS", &format!("{JWT_SECRET},"))],
        "SECRET_KEY_PREVIOUS",
    );
    refused(&[("SECRET_KEY", "correct horse \u{FFFD} staple")], "SECRET_KEY");
}

#[test]
fn a_weak_signing_key_is_refused() {
    let placeholder = "your-jwt-secret-key-0123456789-abcdefghij";
    for key in ["changeme", placeholder, &"ab".repeat(32), &JWT_SECRET[..31]] {
        refused(&[("JWT_SECRET_KEY", key)], "JWT_SECRET_KEY");
        refused(&[("JWT_SECRET_KEY_PREVIOUS", key)], "JWT_SECRET_KEY_PREVIOUS");
    }
    refused(
        &[("ALGORITHM", "HS384"), ("JWT_SECRET_KEY", &JWT_SECRET[..47])],
        "JWT_SECRET_KEY",
    );
    refused(
        &[("ALGORITHM", "HS512"), ("JWT_SECRET_KEY", &JWT_SECRET[..63])],
        "JWT_SECRET_KEY",
    );
    for (algorithm, bytes) in [("HS256", 32), ("HS384", 48), ("HS512", 64)] {
        assert!(with(&[("ALGORITHM", algorithm), ("JWT_SECRET_KEY", &JWT_SECRET[..bytes])]).is_ok());
    }
}

#[test]
fn a_key_that_no_list_of_earlier_keys_can_hold_is_refused() {
    let passphrase = "four dull, grey pigeons and a heron";
    refused(&[("SECRET_KEY", passphrase)], "SECRET_KEY");
    assert!(with(&[("SECRET_KEY", &passphrase.replace(',', ""))]).is_ok());
    let secret = format!("{},{}", &JWT_SECRET[..20], &JWT_SECRET[20..]);
    refused(&[("JWT_SECRET_KEY", &secret)], "JWT_SECRET_KEY");
}

#[test]
fn a_key_has_one_purpose() {
    refused(&[("JWT_SECRET_KEY", SECRET)], "JWT_SECRET_KEY");
    refused(&[("JWT_SECRET_KEY", &SECRET.to_uppercase())], "JWT_SECRET_KEY");
    refused(&[("SECRET_KEY_PREVIOUS", JWT_SECRET)], "JWT_SECRET_KEY");
    refused(&[("JWT_SECRET_KEY_PREVIOUS", SECRET)], "JWT_SECRET_KEY_PREVIOUS");
    refused(&[("SECRET_KEY_PREVIOUS", SECRET)], "SECRET_KEY_PREVIOUS");
    let twice = "correct horse battery staple,correct horse battery staple";
    refused(&[("SECRET_KEY_PREVIOUS", twice)], "SECRET_KEY_PREVIOUS");
}

#[test]
fn the_sealing_key_comes_from_a_variable_or_a_file_and_never_both() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let from_file = |path: &str| with(&[("SECRET_KEY", ""), ("SECRET_KEY_FILE", path)]);
    for (name, text) in [
        ("a", SECRET.to_owned()),
        ("b", format!("{SECRET}\n")),
        ("c", format!("{SECRET}\r\n")),
    ] {
        assert!(from_file(&file(name, &text)).is_ok(), "{text:?}");
    }
    for (name, text) in [
        ("d", format!("{SECRET}\n\n")),
        ("e", String::new()),
        ("f", "x".repeat(5_000)),
    ] {
        let path = file(name, &text);
        refused(
            &[("SECRET_KEY", ""), ("SECRET_KEY_FILE", &path)],
            "SECRET_KEY_FILE",
        );
    }
    refused(
        &[("SECRET_KEY", ""), ("SECRET_KEY_FILE", "/nowhere/key")],
        "SECRET_KEY_FILE",
    );
    refused(&[("SECRET_KEY_FILE", &file("g", SECRET))], "SECRET_KEY_FILE");
}

#[test]
fn an_algorithm_and_a_lifetime_are_exact() {
    for algorithm in ["", "hs256", "HS256 ", " HS256", "RS256", "none"] {
        refused(&[("ALGORITHM", algorithm)], "ALGORITHM");
    }
    for minutes in ["", "0", "10081", "-1", "+5", "1.5", "30 ", "99999999999"] {
        refused(
            &[("ACCESS_TOKEN_EXPIRE_MINUTES", minutes)],
            "ACCESS_TOKEN_EXPIRE_MINUTES",
        );
    }
    assert!(with(&[("ACCESS_TOKEN_EXPIRE_MINUTES", "10080")]).is_ok());
}

#[test]
fn an_unknown_database_is_refused_and_no_file_made() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.db");
    for url in [
        path.to_str().unwrap(),
        "postgres:typo",
        "mysql://h/x",
        "sqlite:x.db",
        "sqlite://",
        "sqlite://:memory:",
    ] {
        refused(&[("DATABASE_URL", url)], "DATABASE_URL");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn origins_are_exact_and_wildcards_refused() {
    for origins in [
        "*",
        "https://*.example.org",
        "null",
        "https://a.example/",
        "[\"*\"]",
        "a.example",
    ] {
        refused(&[("BACKEND_CORS_ORIGINS", origins)], "BACKEND_CORS_ORIGINS");
    }
    let config = with(&[(
        "BACKEND_CORS_ORIGINS",
        r#"["https://a.example","http://localhost:3000"]"#,
    )])
    .unwrap();
    assert_eq!(
        config.settings.cors_origins,
        ["https://a.example", "http://localhost:3000"]
    );
}

#[test]
fn an_address_is_an_address() {
    for (host, port, expected) in [
        ("0.0.0.0", "80", "0.0.0.0:80"),
        ("::", "8000", "[::]:8000"),
        ("localhost", "65535", "127.0.0.1:65535"),
    ] {
        assert_eq!(
            with(&[("HOST", host), ("PORT", port)])
                .unwrap()
                .settings
                .address
                .to_string(),
            expected
        );
    }
    for port in ["", "0", "65536", "-1", "+80", "80a"] {
        refused(&[("PORT", port)], "PORT");
    }
    for host in ["", "example.org", "127.0.0.1:80", "http://127.0.0.1"] {
        refused(&[("HOST", host)], "HOST");
    }
}

#[test]
fn a_provider_is_a_key_or_an_address() {
    assert!(
        with(&[("OPENAI_API_KEY", ""), ("OPENAI_BASE_URL", "")])
            .unwrap()
            .settings
            .provider
            .is_none()
    );
    let openai = with(&[("OPENAI_API_KEY", "sk-hunter2")]).unwrap();
    let provider = openai.settings.provider.as_ref().unwrap();
    assert_eq!(provider.base_url.as_str(), "https://api.openai.com/v1");
    assert_eq!(provider.chat_model, "gpt-4o-mini");
    assert!(!format!("{openai:?}").contains("hunter2"));
    let local = with(&[("OPENAI_BASE_URL", "http://localhost:11434/v1")]).unwrap();
    assert!(local.settings.provider.unwrap().api_key.is_none());
    for url in [
        "api.openai.com",
        "ftp://x",
        "http://u:hunter2@x",
        "http://x?key=1",
        "http://x#y",
    ] {
        refused(&[("OPENAI_BASE_URL", url)], "OPENAI_BASE_URL");
        refused(&[("PINECONE_CONTROL_URL", url)], "PINECONE_CONTROL_URL");
    }
    refused(&[("OPENAI_API_KEY", "sk-with blank")], "OPENAI_API_KEY");
    refused(&[("OPENAI_CHAT_MODEL", "")], "OPENAI_CHAT_MODEL");
}

#[test]
fn tenants_may_choose_the_usual_model_and_those_that_are_listed() {
    let models = |changes: &[(&'static str, &str)]| {
        let provider = ("OPENAI_API_KEY", "sk-0123456789");
        let changes: Vec<_> = [provider].into_iter().chain(changes.iter().copied()).collect();
        with(&changes).unwrap().settings.provider.unwrap().chat_models
    };
    assert_eq!(models(&[]), ["gpt-4o-mini"]);
    assert_eq!(models(&[("OPENAI_CHAT_MODELS", "")]), ["gpt-4o-mini"]);
    let listed = ("OPENAI_CHAT_MODELS", "large,small,large,tiny");
    assert_eq!(
        models(&[("OPENAI_CHAT_MODEL", "small"), listed]),
        ["small", "large", "tiny"]
    );
    for wrong in ["a,,b", "a, b", "a b", ","] {
        refused(&[("OPENAI_CHAT_MODELS", wrong)], "OPENAI_CHAT_MODELS");
    }
}

#[test]
fn how_questions_are_answered_has_bounds() {
    let settings = read(&least()).unwrap().settings.answers;
    let seconds = |deadline: std::time::Duration| deadline.as_secs();
    let deadlines = settings.deadlines;
    assert_eq!(
        [deadlines.first_token, deadlines.between_tokens, deadlines.total].map(seconds),
        [30, 30, 600]
    );
    assert_eq!(
        [
            settings.max_streams,
            settings.streams_per_user,
            settings.streams_per_tenant
        ],
        [4_096, 16, 256]
    );
    assert!(settings.tenant_origins.is_empty());
    for (name, most) in [
        ("MAX_STREAMS", 20_000),
        ("STREAMS_PER_USER", 10_000),
        ("STREAMS_PER_TENANT", 10_000),
        ("LLM_FIRST_TOKEN_SECONDS", 3_600),
        ("LLM_BETWEEN_TOKENS_SECONDS", 3_600),
        ("LLM_TOTAL_SECONDS", 3_600),
    ] {
        for number in [1, most] {
            assert!(with(&[(name, &number.to_string())]).is_ok(), "{name} {number}");
        }
        for wrong in ["0", "-1", "1.5", "x", "", &(most + 1).to_string()] {
            refused(&[(name, wrong)], name);
        }
    }
}

#[test]
fn model_servers_in_the_house_are_named_by_their_origins() {
    let origins = |text: &str| {
        with(&[("TENANT_LLM_ORIGINS", text)])
            .unwrap()
            .settings
            .answers
            .tenant_origins
    };
    let written: Vec<String> = origins("http://llm.internal:8000, https://10.0.0.7")
        .iter()
        .map(url::Origin::ascii_serialization)
        .collect();
    assert_eq!(written, ["http://llm.internal:8000", "https://10.0.0.7"]);
    for wrong in [
        "llm.internal:8000",
        "http://llm.internal:8000/v1",
        "http://u:hunter2@llm.internal",
        "*",
        "http://*.internal",
        "capacitor://localhost",
        "null",
    ] {
        refused(&[("TENANT_LLM_ORIGINS", wrong)], "TENANT_LLM_ORIGINS");
    }
}

#[test]
fn identity_providers_in_the_house_are_named_by_their_origins() {
    let origins = |changes: &[(&'static str, &str)]| {
        let accounts = with(changes).unwrap().settings.accounts;
        let written = accounts
            .identity_origins
            .iter()
            .map(url::Origin::ascii_serialization);
        written.collect::<Vec<_>>()
    };
    assert!(origins(&[]).is_empty());
    let some = "http://login.internal:8080, https://10.0.0.7";
    assert_eq!(
        origins(&[("TENANT_OIDC_ORIGINS", some)]),
        ["http://login.internal:8080", "https://10.0.0.7"]
    );
    for wrong in [
        "login.internal",
        "http://login.internal/realms",
        "*",
        "ftp://login.internal",
    ] {
        refused(&[("TENANT_OIDC_ORIGINS", wrong)], "TENANT_OIDC_ORIGINS");
    }
}

fn embeddings(changes: &[(&'static str, &str)]) -> Embeddings {
    with(changes).unwrap().settings.embedding.current
}

#[test]
fn what_embeds_is_chosen_apart_from_what_answers() {
    let by = |name: &str| Embeddings::By(EmbeddingChoice::Provider(name.to_owned()));
    let provider = ("OPENAI_API_KEY", "sk-0123456789");
    assert_eq!(embeddings(&[provider]), by("text-embedding-3-small"));
    assert_eq!(
        embeddings(&[provider, ("OPENAI_EMBEDDING_MODEL", "other")]),
        by("other")
    );
    for provider in [Some(provider), None] {
        for (name, chosen) in [
            ("none", Embeddings::None),
            ("local", Embeddings::By(EmbeddingChoice::Local)),
        ] {
            let changes: Vec<_> = provider
                .into_iter()
                .chain([("OPENAI_EMBEDDING_MODEL", name)])
                .collect();
            assert_eq!(embeddings(&changes), chosen, "{changes:?}");
        }
    }
    assert_eq!(
        embeddings(&[("OPENAI_EMBEDDING_MODEL", "other")]),
        Embeddings::LocalIfThere
    );
    let named = ("MODEL_DIR", "/models");
    assert_eq!(embeddings(&[named]), Embeddings::By(EmbeddingChoice::Local));
    assert_eq!(embeddings(&[named, provider]), by("text-embedding-3-small"));
    refused(
        &[("OPENAI_EMBEDDING_MODEL", "two words")],
        "OPENAI_EMBEDDING_MODEL",
    );
}

#[test]
fn earlier_models_are_a_list() {
    let name = "OPENAI_EMBEDDING_MODEL_PREVIOUS";
    let config = with(&[("OPENAI_API_KEY", "sk-0123456789"), (name, "local,other")]).unwrap();
    let expected = [EmbeddingChoice::Local, EmbeddingChoice::Provider("other".into())];
    assert_eq!(config.settings.embedding.previous, expected);
    for list in ["other", "none", "local,", "local, local"] {
        refused(&[(name, list)], name);
    }
}

#[test]
fn a_reranker_is_an_address_and_a_model() {
    let url = ("RERANK_URL", "https://api.cohere.com/v2/rerank");
    refused(&[url], "RERANK_MODEL");
    let config = with(&[
        url,
        ("RERANK_MODEL", "rerank-v3.5"),
        ("RERANK_API_KEY", "hunter2"),
    ])
    .unwrap();
    let reranker = config.settings.reranker.unwrap();
    assert_eq!(reranker.model, "rerank-v3.5");
    assert!(!format!("{reranker:?}").contains("hunter2"));
    refused(&[("RERANK_URL", "cohere")], "RERANK_URL");
}

#[test]
fn workers_and_uploads_have_bounds() {
    for (name, wrong) in [("INGEST_WORKERS", ["65", "-1"]), ("MAX_UPLOAD_MIB", ["0", "201"])] {
        for value in wrong {
            refused(&[(name, value)], name);
        }
    }
    let settings = with(&[("INGEST_WORKERS", "0"), ("MAX_UPLOAD_MIB", "200")])
        .unwrap()
        .settings;
    assert_eq!(
        (settings.ingest_workers, settings.max_upload_bytes),
        (0, 200 << 20)
    );
}

#[cfg(feature = "pgvector")]
#[test]
fn pgvector_lives_in_the_database_of_the_records() {
    let postgres = ("DATABASE_URL", "postgres://u:hunter2@db/x");
    let settings = with(&[postgres, ("VECTOR_STORE", "pgvector")]).unwrap().settings;
    assert!(matches!(settings.vector_store, LocalVectors::PgVector { .. }));
    assert!(!format!("{settings:?}").contains("hunter2"));
    refused(&[("VECTOR_STORE", "pgvector")], "VECTOR_STORE");
}

#[test]
fn no_message_and_no_debug_shows_a_secret() {
    let secrets = [
        "hunter2hunter2hunter2",
        "Hunter2-secret-of-forty-characters-xyz-0",
        "sk-hunter2",
    ];
    let changes = [
        ("SECRET_KEY", secrets[0]),
        ("SECRET_KEY_PREVIOUS", "changeme-hunter2"),
        ("JWT_SECRET_KEY", secrets[1]),
        ("DATABASE_URL", "postgres://u:hunter2@db/x"),
        ("OPENAI_API_KEY", secrets[2]),
        ("PORT", "hunter2"),
    ];
    let error = with(&changes).unwrap_err();
    assert!(
        !format!("{error} {error:?}").to_lowercase().contains("hunter2"),
        "{error}"
    );
    for changes in [
        &changes[2..3],
        &changes[4..5],
        &[("SECRET_KEY", "hunter2 and a long enough passphrase")],
    ] {
        let shown = format!("{:?}", with(changes).unwrap());
        assert!(!shown.to_lowercase().contains("hunter2"), "{shown}");
    }
}

/// Values that would leave something open, by the variable that is blamed; each alone keeps every server from starting.
const INSECURE: [(&str, &[&str]); 18] = [
    (
        "SECRET_KEY",
        &[
            "changeme",
            "your-secret-key-goes-here",
            "correct horse bat",
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            " 6f1c0b7e94d85a23b1f60c9d7e8a4f3512bd67ce90a1f4837d5e2c6b08f9a1d4",
            "\"6f1c0b7e94d85a23b1f60c9d7e8a4f3512bd67ce90a1f4837d5e2c6b08f9a1d4\"",
        ],
    ),
    (
        "SECRET_KEY_PREVIOUS",
        &["changeme", SECRET, "correct horse battery staple,changeme"],
    ),
    ("SECRET_KEY_FILE", &["/dev/null", "/nowhere"]),
    (
        "JWT_SECRET_KEY",
        &[
            "changeme",
            "0123456789abcdef0123456789abcde",
            SECRET,
            "secretsecretsecretsecretsecretsecret",
        ],
    ),
    (
        "JWT_SECRET_KEY_PREVIOUS",
        &[
            "changeme",
            "0123456789abcdef0123456789abcde",
            SECRET,
            JWT_SECRET,
            "secretsecretsecretsecretsecretsecret",
            "Vb3Xw7Kz9Lp2Qm4Rt6Yh8Nj1Cd5Gs0Fa,Vb3Xw7Kz9Lp2Qm4Rt6Yh8Nj1Cd5Gs0Fa",
        ],
    ),
    ("ALGORITHM", &["none", "None", "RS256", "hs256", "HS256 "]),
    ("ACCESS_TOKEN_EXPIRE_MINUTES", &["0", "10081", "525600"]),
    ("REFRESH_TOKEN_EXPIRE_DAYS", &["0", "366"]),
    ("PASSWORD_MIN_LENGTH", &["0", "7"]),
    ("REGISTRATION", &["yes", "true"]),
    (
        "BACKEND_CORS_ORIGINS",
        &[
            "*",
            "null",
            "https://*.example.org",
            "[\"https://app.example.org\", \"*\"]",
        ],
    ),
    (
        "TENANT_LLM_ORIGINS",
        &["*", "null", "https://*.example.org", "https://"],
    ),
    (
        "TENANT_OIDC_ORIGINS",
        &["*", "null", "https://*.example.org", "https://"],
    ),
    (
        "TRUSTED_PROXIES",
        &["*", "all", "0.0.0.0/0", "::/0", "10.0.0.1,0.0.0.0/0"],
    ),
    (
        "PUBLIC_URL",
        &["http://rag.example.org", "https://ada:hunter2@rag.example.org"],
    ),
    (
        "SMTP_URL",
        &[
            "http://mail.example.org",
            "smtp://mail.example.org?tls=none",
            "smtp://ada@mail.example.org",
        ],
    ),
    ("OPENAI_BASE_URL", &["https://ada:hunter2@models.example.org/v1"]),
    (
        "PINECONE_CONTROL_URL",
        &["https://ada:hunter2@pinecone.example.org"],
    ),
];

/// The other keys fit the one that is wrong.
fn with_one(name: &'static str, value: &str) -> Variables {
    let mut variables = least();
    if name == "SECRET_KEY_FILE" {
        variables.remove("SECRET_KEY");
    }
    variables.insert(name, value.to_owned());
    variables
}

#[test]
fn what_is_not_safe_refuses_start_and_is_named() {
    for (name, values) in INSECURE {
        for value in values {
            let error = read(&with_one(name, value)).expect_err(&format!("{name}={value} was taken"));
            // A signing key that is the sealing key is the signing key's fault, whichever was changed.
            let names: Vec<&str> = error.problems().iter().map(|problem| problem.variable).collect();
            assert_eq!(names, [name], "{value}: {error}");
            let shown = format!("{error} {error:?}");
            assert!(value.len() < 8 || !shown.contains(value), "{name}: {shown}");
        }
    }
}

#[test]
fn the_server_itself_refuses_what_is_not_safe() {
    let folder = tempfile::tempdir().unwrap();
    for (name, values) in INSECURE {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_tenantry"));
        command.arg("serve").current_dir(&folder).env_clear();
        let output = command.envs(with_one(name, values[0])).output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{name}: {told}");
        assert!(told.contains(name), "{told}");
    }
    let left = fs::read_dir(&folder).unwrap().count();
    assert_eq!(left, 0, "a server that does not start leaves nothing behind");
}

fn repository(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(file);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn row(variable: &Variable) -> String {
    let default = match variable.unset {
        Unset::Refused => "required".to_owned(),
        Unset::Default(value) => format!("`{value}`"),
        Unset::Means(what) => format!("not set: {what}"),
    };
    format!(
        "| `{}` | {} | {default} | {} |",
        variable.name, variable.meaning, variable.expected
    )
}

#[test]
fn the_documentation_lists_every_variable_as_it_is() {
    let documented = repository("docs/configuration.md");
    let rows: Vec<&str> = documented
        .lines()
        .filter(|line| line.starts_with("| `"))
        .collect();
    let expected: Vec<String> = SERVER.iter().chain(&COMMANDS).map(row).collect();
    assert_eq!(
        rows,
        expected,
        "docs/configuration.md should have:\n{}",
        expected.join("\n")
    );
}

#[test]
fn the_example_names_every_variable_of_the_server_with_its_default() {
    let example = repository(".env.example");
    for variable in SERVER {
        let line = match variable.unset {
            Unset::Refused => format!("{}=", variable.name),
            Unset::Default(value) => format!("# {}={value}", variable.name),
            Unset::Means(_) if variable.name == "SECRET_KEY" => "SECRET_KEY=".to_owned(),
            Unset::Means(_) => format!("# {}=", variable.name),
        };
        assert!(
            example.lines().any(|found| found == line),
            ".env.example lacks the line `{line}`"
        );
    }
}

#[test]
fn sessions_end_and_the_time_is_configured() {
    let days = |text: &str| {
        let settings = with(&[("REFRESH_TOKEN_EXPIRE_DAYS", text)]).unwrap().settings;
        settings.accounts.session_lifetime.as_secs() / 86_400
    };
    assert_eq!((days("1"), days("365")), (1, 365));
    assert_eq!(
        read(&least())
            .unwrap()
            .settings
            .accounts
            .session_lifetime
            .as_secs(),
        30 * 86_400
    );
    for text in ["0", "366", "-1", "+7", "7d", "forever", ""] {
        refused(
            &[("REFRESH_TOKEN_EXPIRE_DAYS", text)],
            "REFRESH_TOKEN_EXPIRE_DAYS",
        );
    }
}

#[test]
fn proxies_that_are_everybody_or_have_a_name_are_refused() {
    for text in [
        "0.0.0.0/0",
        "::/0",
        "0.0.0.0/1,128.0.0.0/1",
        "proxy.internal",
        "10.0.0.1/8",
        "10.0.0.0/8 10.0.0.1",
        "*",
        "10.0.0.1,",
    ] {
        refused(&[("TRUSTED_PROXIES", text)], "TRUSTED_PROXIES");
    }
    for text in ["10.0.0.1", "10.0.0.0/8, 2001:db8::/32", "::1"] {
        assert!(with(&[("TRUSTED_PROXIES", text)]).is_ok(), "{text}");
    }
}

#[test]
fn links_lead_to_https_or_to_this_machine() {
    for text in [
        "http://rag.example.org",
        "rag.example.org",
        "https://u:p@rag.example.org",
        "https://rag.example.org/#x",
    ] {
        refused(&[("PUBLIC_URL", text)], "PUBLIC_URL");
    }
    let url = with(&[("PUBLIC_URL", "https://rag.example.org/")])
        .unwrap()
        .settings
        .accounts
        .public_url;
    assert_eq!(url.as_deref(), Some("https://rag.example.org"));
}

#[test]
fn mail_needs_a_server_a_sender_and_an_address_for_links() {
    let url = ("SMTP_URL", "smtps://ada:hunter2@mail.example.org");
    let from = ("MAIL_FROM", "tenantry@example.org");
    let public = ("PUBLIC_URL", "https://rag.example.org");
    assert!(read(&least()).unwrap().settings.accounts.mailer.is_none());
    assert!(with(&[from, public]).unwrap().settings.accounts.mailer.is_none());
    let settings = with(&[url, from, public]).unwrap().settings;
    assert!(settings.accounts.mailer.is_some());
    let shown = format!("{settings:?}");
    assert!(!shown.contains("hunter2"), "{shown}");
    refused(&[url, from], "PUBLIC_URL");
    refused(&[url, public], "MAIL_FROM");
    refused(&[url, public, ("MAIL_FROM", "nobody")], "MAIL_FROM");
    for text in [
        "mail.example.org",
        "https://mail.example.org",
        "smtps://ada@mail.example.org",
        "smtp://mail.example.org?tls=none",
    ] {
        refused(&[("SMTP_URL", text), from, public], "SMTP_URL");
    }
    let told = with(&[
        ("SMTP_URL", "smtps://ada:hunter2@mail.example.org/x"),
        from,
        public,
    ])
    .unwrap_err();
    assert!(!format!("{told} {told:?}").contains("hunter2"));
}

#[test]
fn the_mail_server_comes_from_a_variable_or_a_file_and_never_both() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("smtp-url");
    fs::write(&path, "smtps://ada:hunter2@mail.example.org\n").unwrap();
    let file = ("SMTP_URL_FILE", path.to_str().unwrap());
    let rest = [
        ("MAIL_FROM", "tenantry@example.org"),
        ("PUBLIC_URL", "https://rag.example.org"),
    ];
    let settings = with(&[file, rest[0], rest[1]]).unwrap().settings;
    assert!(settings.accounts.mailer.is_some());
    let url = ("SMTP_URL", "smtps://mail.example.org");
    refused(&[file, url, rest[0], rest[1]], "SMTP_URL_FILE");
    refused(
        &[("SMTP_URL_FILE", "/nonexistent/url"), rest[0], rest[1]],
        "SMTP_URL_FILE",
    );
    fs::write(&path, "mail.example.org").unwrap();
    refused(&[file, rest[0], rest[1]], "SMTP_URL_FILE");
}
