//! Every variable of the environment that the binary reads, one constant each.

mod accounts;
mod answers;

pub use accounts::{
    MAIL_FROM, PUBLIC_URL, REFRESH_TOKEN_EXPIRE_DAYS, SMTP_URL, SMTP_URL_FILE, TENANT_OIDC_ORIGINS,
    TRUSTED_PROXIES,
};
pub use answers::{
    LLM_BETWEEN_TOKENS_SECONDS, LLM_FIRST_TOKEN_SECONDS, LLM_TOTAL_SECONDS, MAX_STREAMS, OPENAI_CHAT_MODELS,
    STREAMS_PER_TENANT, STREAMS_PER_USER, TENANT_LLM_ORIGINS,
};

/// What a variable that is not set means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unset {
    /// The server does not start without it.
    Refused,
    /// The variable has this value then; an empty value is not the same and is refused.
    Default(&'static str),
    /// What then happens, in a few words; an empty value counts as not set.
    Means(&'static str),
}

/// A variable of the environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// What it sets.
    pub meaning: &'static str,
    /// What happens without it.
    pub unset: Unset,
    /// Which values it takes, to be read after "expected".
    pub expected: &'static str,
}

/// Seals the secrets of tenants.
pub const SECRET_KEY: Variable = Variable {
    name: "SECRET_KEY",
    meaning: "Seals what tenants trust the server with",
    unset: Unset::Means("`SECRET_KEY_FILE` is read"),
    expected: "64 hexadecimal digits, 32 bytes in base64, or a passphrase of 20 characters or more without a \
               comma",
};

/// A file with [`SECRET_KEY`].
pub const SECRET_KEY_FILE: Variable = Variable {
    name: "SECRET_KEY_FILE",
    meaning: "A file that holds what `SECRET_KEY` would; one line end at its end is not part of the key",
    unset: Unset::Means("`SECRET_KEY` is read"),
    expected: "the path of a readable file, when `SECRET_KEY` is not set",
};

/// Keys that open what was sealed before.
pub const SECRET_KEY_PREVIOUS: Variable = Variable {
    name: "SECRET_KEY_PREVIOUS",
    meaning: "Earlier keys, which open and no longer seal",
    unset: Unset::Means("no earlier keys"),
    expected: "keys as in `SECRET_KEY`, separated by commas without blanks, all different",
};

/// The database.
pub const DATABASE_URL: Variable = Variable {
    name: "DATABASE_URL",
    meaning: "The database of all records",
    unset: Unset::Refused,
    expected: "`sqlite://` and a path, or a `postgres://` or `postgresql://` URL",
};

/// Signs access tokens.
pub const JWT_SECRET_KEY: Variable = Variable {
    name: "JWT_SECRET_KEY",
    meaning: "Signs access tokens; after a change without `JWT_SECRET_KEY_PREVIOUS` they have to be refreshed",
    unset: Unset::Refused,
    expected: "32 bytes or more (48 for HS384, 64 for HS512) without a comma that are no placeholder, other than \
               any `SECRET_KEY`",
};

/// Secrets that still verify tokens.
pub const JWT_SECRET_KEY_PREVIOUS: Variable = Variable {
    name: "JWT_SECRET_KEY_PREVIOUS",
    meaning: "Earlier secrets, which verify tokens and no longer sign",
    unset: Unset::Means("no earlier secrets"),
    expected: "secrets as in `JWT_SECRET_KEY`, separated by commas without blanks, all different",
};

/// The algorithm of the signature.
pub const ALGORITHM: Variable = Variable {
    name: "ALGORITHM",
    meaning: "The algorithm that signs access tokens",
    unset: Unset::Default("HS256"),
    expected: "exactly `HS256`, `HS384` or `HS512`",
};

/// The lifetime of access tokens.
pub const ACCESS_TOKEN_EXPIRE_MINUTES: Variable = Variable {
    name: "ACCESS_TOKEN_EXPIRE_MINUTES",
    meaning: "How long an access token is good for, in minutes",
    unset: Unset::Default("30"),
    expected: "a whole number from 1 to 10080",
};

/// The key of the model provider.
pub const OPENAI_API_KEY: Variable = Variable {
    name: "OPENAI_API_KEY",
    meaning: "The key of OpenAI, or of the compatible server at `OPENAI_BASE_URL`",
    unset: Unset::Means("no key is sent; without `OPENAI_BASE_URL` no model is used"),
    expected: "a key without blanks",
};

/// The address of the model provider.
pub const OPENAI_BASE_URL: Variable = Variable {
    name: "OPENAI_BASE_URL",
    meaning: "An OpenAI-compatible server, for example `http://localhost:11434/v1`",
    unset: Unset::Means("`https://api.openai.com/v1` when `OPENAI_API_KEY` is set"),
    expected: "an `http://` or `https://` URL without credentials, query or fragment",
};

/// The model that answers.
pub const OPENAI_CHAT_MODEL: Variable = Variable {
    name: "OPENAI_CHAT_MODEL",
    meaning: "The model that writes answers",
    unset: Unset::Default("gpt-4o-mini"),
    expected: "the name of a model, without blanks",
};

/// The model that embeds.
pub const OPENAI_EMBEDDING_MODEL: Variable = Variable {
    name: "OPENAI_EMBEDDING_MODEL",
    meaning: "The model that embeds text: a provider's by its name, `local` for all-MiniLM-L6-v2 in the process, or `none` to \
              search by words alone",
    unset: Unset::Means(
        "`text-embedding-3-small` with a provider; without one `local` when the model's files are there, else `none`",
    ),
    expected: "the name of a model, without blanks, `local` or `none`",
};

/// The models of indexes that were made before.
pub const OPENAI_EMBEDDING_MODEL_PREVIOUS: Variable = Variable {
    name: "OPENAI_EMBEDDING_MODEL_PREVIOUS",
    meaning: "Earlier models, whose indexes are still searched and filled until `tenantry reindex` has built new ones",
    unset: Unset::Means("no earlier models"),
    expected: "models as in `OPENAI_EMBEDDING_MODEL` but `none`, separated by commas without blanks; a provider's need a \
               provider",
};

/// Where the local model's files are.
pub const MODEL_DIR: Variable = Variable {
    name: "MODEL_DIR",
    meaning: "The folder of the local model's files, which `scripts/fetch-model` fills",
    unset: Unset::Means("`models/all-MiniLM-L6-v2` in the working folder, else in `DATA_DIR`"),
    expected: "the path of a folder",
};

/// Where the reranker is.
pub const RERANK_URL: Variable = Variable {
    name: "RERANK_URL",
    meaning: "The rerank endpoint of a provider, for example `https://api.cohere.com/v2/rerank`",
    unset: Unset::Means("hits stay in the order of the search"),
    expected: "an `http://` or `https://` URL without credentials, query or fragment",
};

/// The model that reranks.
pub const RERANK_MODEL: Variable = Variable {
    name: "RERANK_MODEL",
    meaning: "The model that reranks",
    unset: Unset::Means("nothing is reranked, and `RERANK_URL` may not be set"),
    expected: "the name of a model, without blanks, when `RERANK_URL` is set",
};

/// The key of the reranker.
pub const RERANK_API_KEY: Variable = Variable {
    name: "RERANK_API_KEY",
    meaning: "The key of the provider at `RERANK_URL`",
    unset: Unset::Means("no key is sent"),
    expected: "a key without blanks",
};

/// Who may call from a browser.
pub const BACKEND_CORS_ORIGINS: Variable = Variable {
    name: "BACKEND_CORS_ORIGINS",
    meaning: "The sites whose pages may call the server from a browser",
    unset: Unset::Means("no site may"),
    expected: "a comma list or a JSON array of origins as `https://app.example.org`, with a port where it has one, \
               without a path, a slash at the end or a wildcard",
};

/// The port to listen at.
pub const PORT: Variable = Variable {
    name: "PORT",
    meaning: "The port to listen at",
    unset: Unset::Default("8000"),
    expected: "a whole number from 1 to 65535",
};

/// The address to listen at.
pub const HOST: Variable = Variable {
    name: "HOST",
    meaning: "The address to listen at; in a container `0.0.0.0`, or `::` for IPv4 and IPv6",
    unset: Unset::Default("127.0.0.1"),
    expected: "an IP address or `localhost`",
};

/// Where the files of the embedded stores lie.
pub const DATA_DIR: Variable = Variable {
    name: "DATA_DIR",
    meaning: "The folder of the embedded vector store; it is made when it is missing",
    unset: Unset::Default("./data"),
    expected: "the path of a folder",
};

/// The vector store of tenants without one of their own.
pub const VECTOR_STORE: Variable = Variable {
    name: "VECTOR_STORE",
    meaning: "The vector store of tenants that have no Pinecone key: files in `DATA_DIR`, or the PostgreSQL of `DATABASE_URL`",
    unset: Unset::Default("embedded"),
    expected: "`embedded`, or `pgvector` when `DATABASE_URL` is a PostgreSQL with that extension",
};

/// How many jobs are done at once.
pub const INGEST_WORKERS: Variable = Variable {
    name: "INGEST_WORKERS",
    meaning: "How many jobs on documents this server does at once; `0` leaves them to other servers",
    unset: Unset::Means("one a processor, at most 4"),
    expected: "a whole number from 0 to 64",
};

/// The largest file that is taken over HTTP.
pub const MAX_UPLOAD_MIB: Variable = Variable {
    name: "MAX_UPLOAD_MIB",
    meaning: "The largest file that is taken over HTTP, in MiB",
    unset: Unset::Default("32"),
    expected: "a whole number from 1 to 200",
};

/// The control plane of Pinecone.
pub const PINECONE_CONTROL_URL: Variable = Variable {
    name: "PINECONE_CONTROL_URL",
    meaning: "A stand-in for Pinecone's control plane; the hosts that it names are then trusted",
    unset: Unset::Means("Pinecone itself, and hosts below `pinecone.io` alone"),
    expected: "an `http://` or `https://` URL without credentials, query or fragment",
};

/// The version of Pinecone's API.
pub const PINECONE_API_VERSION: Variable = Variable {
    name: "PINECONE_API_VERSION",
    meaning: "The version of Pinecone's API that every request names",
    unset: Unset::Default("2026-04"),
    expected: "a year and a month as `2026-04`",
};

/// The form of log lines.
pub const LOG_FORMAT: Variable = Variable {
    name: "LOG_FORMAT",
    meaning: "The form of log lines on standard error",
    unset: Unset::Default("text"),
    expected: "`text` or `json`",
};

/// How much is logged.
pub const RUST_LOG: Variable = Variable {
    name: "RUST_LOG",
    meaning: "How much is logged, for all or by module as `info,tenantry=debug`",
    unset: Unset::Default("info"),
    expected: "a comma list of `off`, `error`, `warn`, `info`, `debug`, `trace` or `module=level`",
};

/// Whether strangers may make accounts.
pub const REGISTRATION: Variable = Variable {
    name: "REGISTRATION",
    meaning: "Whether anybody may make an account, which has no tenant at first",
    unset: Unset::Default("closed"),
    expected: "`open` or `closed`",
};

/// The shortest password.
pub const PASSWORD_MIN_LENGTH: Variable = Variable {
    name: "PASSWORD_MIN_LENGTH",
    meaning: "The fewest characters of a new password",
    unset: Unset::Default("12"),
    expected: "a whole number from 8 to 128",
};

/// A password for a command.
pub const TENANTRY_PASSWORD: Variable = Variable {
    name: "TENANTRY_PASSWORD",
    meaning: "The password that `user create` and `user password` set",
    unset: Unset::Means("asked for, or read from standard input"),
    expected: "a password",
};

/// A Pinecone key for a command.
pub const TENANTRY_PINECONE_API_KEY: Variable = Variable {
    name: "TENANTRY_PINECONE_API_KEY",
    meaning: "The key that `tenant create --with-pinecone-key` seals",
    unset: Unset::Means("asked for, or read from standard input"),
    expected: "a Pinecone API key",
};

/// What the server reads, in the order of the documentation.
pub const SERVER: [Variable; 45] = [
    SECRET_KEY,
    SECRET_KEY_FILE,
    SECRET_KEY_PREVIOUS,
    DATABASE_URL,
    JWT_SECRET_KEY,
    JWT_SECRET_KEY_PREVIOUS,
    ALGORITHM,
    ACCESS_TOKEN_EXPIRE_MINUTES,
    REFRESH_TOKEN_EXPIRE_DAYS,
    OPENAI_API_KEY,
    OPENAI_BASE_URL,
    OPENAI_CHAT_MODEL,
    OPENAI_CHAT_MODELS,
    OPENAI_EMBEDDING_MODEL,
    OPENAI_EMBEDDING_MODEL_PREVIOUS,
    MODEL_DIR,
    RERANK_URL,
    RERANK_MODEL,
    RERANK_API_KEY,
    TENANT_LLM_ORIGINS,
    LLM_FIRST_TOKEN_SECONDS,
    LLM_BETWEEN_TOKENS_SECONDS,
    LLM_TOTAL_SECONDS,
    MAX_STREAMS,
    STREAMS_PER_USER,
    STREAMS_PER_TENANT,
    BACKEND_CORS_ORIGINS,
    HOST,
    PORT,
    TRUSTED_PROXIES,
    DATA_DIR,
    VECTOR_STORE,
    INGEST_WORKERS,
    MAX_UPLOAD_MIB,
    PINECONE_CONTROL_URL,
    PINECONE_API_VERSION,
    LOG_FORMAT,
    RUST_LOG,
    REGISTRATION,
    PASSWORD_MIN_LENGTH,
    PUBLIC_URL,
    SMTP_URL,
    SMTP_URL_FILE,
    MAIL_FROM,
    TENANT_OIDC_ORIGINS,
];

/// What single commands read besides.
pub const COMMANDS: [Variable; 2] = [TENANTRY_PASSWORD, TENANTRY_PINECONE_API_KEY];
