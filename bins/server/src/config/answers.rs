use std::time::Duration;

use tenantry_llm_client::CompletionDeadlines;
use url::{Origin, Url};

use super::reader::{Reader, number, token};
use super::variables::{
    LLM_BETWEEN_TOKENS_SECONDS, LLM_FIRST_TOKEN_SECONDS, LLM_TOTAL_SECONDS, MAX_STREAMS, STREAMS_PER_TENANT,
    STREAMS_PER_USER, TENANT_LLM_ORIGINS,
};
use super::{Variable, origins};

/// How questions are answered, whichever model does it.
#[derive(Debug, Clone)]
pub struct AnswerSettings {
    /// The origins that tenants' own providers may have although they are not public.
    pub tenant_origins: Vec<Origin>,
    /// How long a model may take.
    pub deadlines: CompletionDeadlines,
    /// How many answers are made at once.
    pub max_streams: usize,
    /// How many of them for one user.
    pub streams_per_user: usize,
    /// How many of them for one tenant.
    pub streams_per_tenant: usize,
}

pub(super) fn answers(reader: &mut Reader<'_>) -> Option<AnswerSettings> {
    let tenant_origins = reader.optional(&TENANT_LLM_ORIGINS, callable_origins);
    let max_streams = reader.value(&MAX_STREAMS, number(1, 20_000));
    let per_user = reader.value(&STREAMS_PER_USER, number(1, 10_000));
    let per_tenant = reader.value(&STREAMS_PER_TENANT, number(1, 10_000));
    let mut seconds = |variable: &Variable| reader.value(variable, number(1, 3_600));
    let first_token = seconds(&LLM_FIRST_TOKEN_SECONDS);
    let between_tokens = seconds(&LLM_BETWEEN_TOKENS_SECONDS);
    let total = seconds(&LLM_TOTAL_SECONDS);
    Some(AnswerSettings {
        tenant_origins: tenant_origins?.unwrap_or_default(),
        deadlines: CompletionDeadlines {
            first_token: Duration::from_secs(first_token?),
            between_tokens: Duration::from_secs(between_tokens?),
            total: Duration::from_secs(total?),
        },
        max_streams: max_streams?,
        streams_per_user: per_user?,
        streams_per_tenant: per_tenant?,
    })
}

/// Origins of servers that can be called, each as it is written in a URL.
pub(super) fn callable_origins(text: &str) -> Result<Vec<Origin>, String> {
    let parsed = origins::origins(text)?.into_iter().map(|origin| {
        let url = Url::parse(&origin).ok();
        let url = url.filter(|url| matches!(url.scheme(), "http" | "https"));
        url.map(|url| url.origin())
            .ok_or_else(|| "has an entry that is neither http nor https".to_owned())
    });
    parsed.collect()
}

/// The models that tenants may choose: `usual` first, and each once.
pub(super) fn offered(usual: &str, more: &str) -> Result<Vec<String>, &'static str> {
    let mut names = vec![usual.to_owned()];
    for name in more.split(',') {
        let name = token(name)?;
        if name.is_empty() {
            return Err("has an empty entry");
        }
        if !names.contains(&name) {
            names.push(name);
        }
    }
    Ok(names)
}
