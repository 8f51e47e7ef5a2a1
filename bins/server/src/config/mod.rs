//! The configuration, from the environment alone.
//!
//! All that is wrong is told at once, by the variable's name and what was expected, never by its value.

mod accounts;
mod answers;
mod embedding;
mod env_file;
mod environment;
mod log_filter;
mod models;
mod origins;
mod problems;
mod reader;
mod secrets;
mod tokens;
pub mod variables;
mod vectors;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use secrecy::SecretString;
use tenantry_crypto::PasswordPolicy;
use tenantry_tenant_store::DatabaseUrl;
use tenantry_vector_client::PineconeOptions;

pub use accounts::AccountSettings;
pub use answers::AnswerSettings;
pub use embedding::{EmbeddingChoice, EmbeddingSettings, Embeddings};
pub use env_file::{EnvFile, EnvFileError};
pub use environment::Environment;
pub use models::{Provider, RerankProvider};
pub use problems::{ConfigError, Problem};
pub use secrets::SecretKeys;
pub use tokens::Tokens;
pub use variables::{Unset, Variable};
pub use vectors::LocalVectors;

use crate::logging::LogFormat;
use reader::{Reader, choice, number};

/// Everything that is configured.
#[derive(Debug)]
pub struct Config {
    /// The keys that seal tenants' secrets; the key ring takes them at start.
    pub secret_keys: SecretKeys,
    /// Everything else.
    pub settings: Settings,
}

/// What is configured besides the sealing keys.
#[derive(Debug)]
pub struct Settings {
    /// Where the records are.
    pub database: DatabaseUrl,
    /// How access tokens are signed.
    pub tokens: Tokens,
    /// How people log in, and how they are reached.
    pub accounts: AccountSettings,
    /// The provider of models, if there is one.
    pub provider: Option<Provider>,
    /// What embeds text.
    pub embedding: EmbeddingSettings,
    /// The provider that reranks, if there is one.
    pub reranker: Option<RerankProvider>,
    /// How questions are answered.
    pub answers: AnswerSettings,
    /// The origins whose pages may call from a browser.
    pub cors_origins: Vec<String>,
    /// Where to listen.
    pub address: SocketAddr,
    /// The folder of everything that is kept in files.
    pub data_dir: PathBuf,
    /// The vector store of tenants without one of their own.
    pub vector_store: LocalVectors,
    /// How many jobs on documents a server does at once.
    pub ingest_workers: usize,
    /// The largest file that is taken over HTTP, in bytes.
    pub max_upload_bytes: usize,
    /// How Pinecone is called.
    pub pinecone: PineconeOptions,
    /// What is logged.
    pub log: LogSettings,
    /// Whether anybody may make an account.
    pub registration_open: bool,
    /// What a new password must be like.
    pub password_policy: PasswordPolicy,
}

/// What is logged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogSettings {
    /// The form of a line.
    pub format: LogFormat,
    /// Which lines.
    pub filter: String,
}

impl Config {
    /// Reads the whole configuration. `lookup` gives the value of a variable, `std::env::var` for example; the file that
    /// `SECRET_KEY_FILE` names is read too.
    ///
    /// # Errors
    /// With everything that is missing or wrong.
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let mut reader = Reader::new(&lookup);
        let keys = secrets::secret_keys(&mut reader);
        let settings = settings(&mut reader, keys.as_ref());
        let config = keys.zip(settings).map(|(keys, settings)| Self {
            secret_keys: keys.into_keys(),
            settings,
        });
        reader.problems.finish(config)
    }
}

impl Settings {
    /// Says in the log what the server works with, without any secret.
    pub fn log_summary(&self) {
        log::info!("records: {}", self.database);
        match &self.vector_store {
            LocalVectors::Embedded { data_dir } => {
                log::info!("vectors: embedded, in {}", data_dir.join("vectors").display());
            }
            #[cfg(feature = "pgvector")]
            LocalVectors::PgVector { .. } => log::info!("vectors: pgvector, in the database of the records"),
        }
        match &self.provider {
            Some(provider) => log::info!("answers: {} at {}", provider.chat_model, provider.base_url),
            None => log::warn!("no model provider is configured: answers are quotes of the best passages"),
        }
        if let Some(reranker) = &self.reranker {
            log::info!("reranking: {} at {}", reranker.model, reranker.url);
        }
        if let (Some(url), Some(_)) = (&self.accounts.public_url, &self.accounts.mailer) {
            log::info!("mails: sent, with links to {url}");
        }
        log::info!("jobs on documents: {} at once", self.ingest_workers);
    }
}

/// What migrating needs: the database, and what is logged.
///
/// # Errors
/// As [`Config::from_lookup`], of those variables alone.
pub fn database_settings(
    lookup: impl Fn(&str) -> Option<String>,
) -> Result<(DatabaseUrl, LogSettings), ConfigError> {
    let mut reader = Reader::new(&lookup);
    let (database, log) = (database(&mut reader), log(&mut reader));
    reader.problems.finish(database.map(|(url, _)| url).zip(log))
}

/// What a health check needs: the address.
///
/// # Errors
/// As [`Config::from_lookup`], of those variables alone.
pub fn address_settings(lookup: impl Fn(&str) -> Option<String>) -> Result<SocketAddr, ConfigError> {
    let mut reader = Reader::new(&lookup);
    let address = address(&mut reader);
    reader.problems.finish(address)
}

fn settings(reader: &mut Reader<'_>, keys: Option<&secrets::WrittenKeys>) -> Option<Settings> {
    let database = database(reader);
    let tokens = tokens::tokens(reader, keys);
    let accounts = accounts::accounts(reader);
    let provider = models::provider(reader);
    let data_dir = reader.value(&variables::DATA_DIR, |text| Ok::<_, String>(PathBuf::from(text)));
    let known_provider = provider.as_ref().and_then(Option::as_ref);
    let embedding = embedding::embedding(reader, known_provider, data_dir.as_deref());
    let reranker = models::reranker(reader);
    let answers = answers::answers(reader);
    let cors_origins = reader.optional(&variables::BACKEND_CORS_ORIGINS, origins::origins);
    let address = address(reader);
    let vector_store = vectors::vectors(
        reader,
        database.as_ref().map(|(_, text)| text),
        data_dir.as_deref(),
    );
    let ingest_workers = reader.optional(&variables::INGEST_WORKERS, number(0, 64));
    let max_upload_mib = reader.value(&variables::MAX_UPLOAD_MIB, number(1, 200));
    let pinecone = pinecone(reader);
    let log = log(reader);
    let registration = reader.value(
        &variables::REGISTRATION,
        choice(&[("open", true), ("closed", false)]),
    );
    let min_characters = reader.value(&variables::PASSWORD_MIN_LENGTH, number(8, 128));
    Some(Settings {
        database: database?.0,
        tokens: tokens?,
        accounts: accounts?,
        provider: provider?,
        embedding: embedding?,
        reranker: reranker?,
        answers: answers?,
        cors_origins: cors_origins?.unwrap_or_default(),
        address: address?,
        data_dir: data_dir?,
        vector_store: vector_store?,
        ingest_workers: ingest_workers?.unwrap_or_else(usual_workers),
        max_upload_bytes: max_upload_mib? << 20,
        pinecone: pinecone?,
        log: log?,
        registration_open: registration?,
        password_policy: PasswordPolicy {
            min_characters: min_characters?,
        },
    })
}

/// The database, and its URL as it was written, with what may be secret of it.
fn database(reader: &mut Reader<'_>) -> Option<(DatabaseUrl, SecretString)> {
    reader.value(&variables::DATABASE_URL, |text| {
        let url = DatabaseUrl::parse(text).map_err(|error| format!("cannot be used ({error})"))?;
        Ok::<_, String>((url, text.into()))
    })
}

/// As many workers as there are processors, and few enough to leave a large machine to its requests.
pub fn usual_workers() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from).min(4)
}

fn address(reader: &mut Reader<'_>) -> Option<SocketAddr> {
    let host = reader.value(&variables::HOST, |text| match text {
        "localhost" => Ok(Ipv4Addr::LOCALHOST.into()),
        _ => text.parse::<IpAddr>().map_err(|_| "is no address"),
    });
    let port = reader.value(&variables::PORT, number(1, u16::MAX));
    Some(SocketAddr::new(host?, port?))
}

fn pinecone(reader: &mut Reader<'_>) -> Option<PineconeOptions> {
    let control_url = reader.optional(&variables::PINECONE_CONTROL_URL, |text| {
        models::operator_url(text)?;
        PineconeOptions::new(Some(text), None)
            .map(|_| text.to_owned())
            .map_err(|_| "cannot be used")
    });
    let api_version = reader.value(&variables::PINECONE_API_VERSION, |text| {
        PineconeOptions::new(None, Some(text))
            .map(|_| text.to_owned())
            .map_err(|_| "is no version")
    });
    // Each was taken alone, so that both are taken together.
    PineconeOptions::new(control_url?.as_deref(), Some(&api_version?)).ok()
}

fn log(reader: &mut Reader<'_>) -> Option<LogSettings> {
    let formats = &[("text", LogFormat::Text), ("json", LogFormat::Json)];
    let format = reader.value(&variables::LOG_FORMAT, choice(formats));
    let filter = reader.value(&variables::RUST_LOG, log_filter::log_filter);
    Some(LogSettings {
        format: format?,
        filter: filter?,
    })
}
