//! The configuration, from the environment alone.
//!
//! All that is wrong is told at once, by the variable's name and what was expected, never by its value.

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

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use tenantry_crypto::PasswordPolicy;
use tenantry_tenant_store::DatabaseUrl;
use tenantry_vector_client::PineconeOptions;

pub use env_file::{EnvFile, EnvFileError};
pub use environment::Environment;
pub use models::Provider;
pub use problems::{ConfigError, Problem};
pub use secrets::SecretKeys;
pub use tokens::Tokens;
pub use variables::{Unset, Variable};

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
    /// The provider of models, if there is one.
    pub provider: Option<Provider>,
    /// The origins whose pages may call from a browser.
    pub cors_origins: Vec<String>,
    /// Where to listen.
    pub address: SocketAddr,
    /// The vector store of tenants without one of their own.
    pub vector_store: LocalVectors,
    /// How Pinecone is called.
    pub pinecone: PineconeOptions,
    /// What is logged.
    pub log: LogSettings,
    /// Whether anybody may make an account.
    pub registration_open: bool,
    /// What a new password must be like.
    pub password_policy: PasswordPolicy,
}

/// The vector store of tenants without one of their own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LocalVectors {
    /// One file a tenant in a folder.
    Embedded {
        /// The folder of all data; the files lie below it.
        data_dir: PathBuf,
    },
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
        let LocalVectors::Embedded { data_dir } = &self.vector_store;
        log::info!("records: {}", self.database);
        log::info!("vectors: embedded, in {}", data_dir.join("vectors").display());
        match &self.provider {
            Some(provider) => log_models(provider),
            None => log::warn!(
                "no model provider is configured: answers are extractive quotes, search is lexical"
            ),
        }
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
    reader.problems.finish(database.zip(log))
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
    let provider = models::provider(reader);
    let cors_origins = reader.optional(&variables::BACKEND_CORS_ORIGINS, origins::origins);
    let address = address(reader);
    let vector_store = local_vectors(reader);
    let pinecone = pinecone(reader);
    let log = log(reader);
    let registration = reader.value(
        &variables::REGISTRATION,
        choice(&[("open", true), ("closed", false)]),
    );
    let min_characters = reader.value(&variables::PASSWORD_MIN_LENGTH, number(8, 128));
    Some(Settings {
        database: database?,
        tokens: tokens?,
        provider: provider?,
        cors_origins: cors_origins?.unwrap_or_default(),
        address: address?,
        vector_store: vector_store?,
        pinecone: pinecone?,
        log: log?,
        registration_open: registration?,
        password_policy: PasswordPolicy {
            min_characters: min_characters?,
        },
    })
}

fn database(reader: &mut Reader<'_>) -> Option<DatabaseUrl> {
    reader.value(&variables::DATABASE_URL, |text| {
        DatabaseUrl::parse(text).map_err(|error| format!("cannot be used ({error})"))
    })
}

fn address(reader: &mut Reader<'_>) -> Option<SocketAddr> {
    let host = reader.value(&variables::HOST, |text| match text {
        "localhost" => Ok(Ipv4Addr::LOCALHOST.into()),
        _ => text.parse::<IpAddr>().map_err(|_| "is no address"),
    });
    let port = reader.value(&variables::PORT, number(1, u16::MAX));
    Some(SocketAddr::new(host?, port?))
}

fn local_vectors(reader: &mut Reader<'_>) -> Option<LocalVectors> {
    let data_dir = reader.value(&variables::DATA_DIR, |text| Ok::<_, String>(PathBuf::from(text)));
    let known = reader.value(&variables::VECTOR_STORE, choice(&[("embedded", ())]));
    let ((), data_dir) = (known?, data_dir?);
    Some(LocalVectors::Embedded { data_dir })
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

fn log_models(provider: &Provider) {
    log::info!("answers: {} at {}", provider.chat_model, provider.base_url);
    match &provider.embedding_model {
        Some(model) => log::info!("embeddings: {model}"),
        None => log::info!("embeddings: none, search is lexical"),
    }
}
