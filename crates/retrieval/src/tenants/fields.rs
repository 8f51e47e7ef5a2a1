//! What a tenant's values must be like.

use secrecy::{ExposeSecret, SecretString};
use tenantry_domain::{ExternalIndex, Fusion, PineconeSettings, SearchSettings};

use super::{NewTenant, SearchTuning};
use crate::InvalidField;
use crate::text::{line, prose};

const MAX_NAME: usize = 200;
const MAX_SETTING: usize = 255;
const MAX_KEY: usize = 512;
const MAX_PROMPT: usize = 32_000;
const MAX_NAMESPACE: usize = 128;
const MAX_TEXT_FIELD: usize = 64;

pub(super) fn name(text: &str) -> Result<String, InvalidField> {
    line("name", text, MAX_NAME, "has more than 200 characters")
}

/// The Pinecone settings that a new tenant names, without a key.
pub(super) fn pinecone(new: &NewTenant) -> Result<PineconeSettings, InvalidField> {
    Ok(PineconeSettings {
        environment: new.pinecone_environment.as_deref().map(environment).transpose()?,
        index: new.pinecone_index.as_deref().map(index_name).transpose()?,
        external: new.pinecone_external.as_ref().map(external).transpose()?,
        ..PineconeSettings::default()
    })
}

/// A value that may be kept, cleared or set, as `parse` reads what is set.
pub(super) fn nested(
    value: Option<&Option<String>>,
    parse: impl Fn(&str) -> Result<String, InvalidField>,
) -> Result<Option<Option<String>>, InvalidField> {
    value
        .map(|value| value.as_deref().map(&parse).transpose())
        .transpose()
}

pub(super) fn environment(text: &str) -> Result<String, InvalidField> {
    line(
        "pinecone_environment",
        text,
        MAX_SETTING,
        "has more than 255 characters",
    )
}

pub(super) fn index_name(text: &str) -> Result<String, InvalidField> {
    let alphanumeric = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let well_formed = (1..=45).contains(&text.len())
        && text.chars().all(|c| alphanumeric(c) || c == '-')
        && text.starts_with(alphanumeric)
        && text.ends_with(alphanumeric);
    if well_formed {
        Ok(text.to_owned())
    } else {
        let reason = "is not an index name: 1 to 45 of a-z, 0-9 and `-`, with a letter or digit at both ends";
        Err(InvalidField::new("pinecone_index", reason))
    }
}

/// How an index that another tool fills is read. Pinecone takes no other characters in a namespace than ASCII's.
pub(super) fn external(index: &ExternalIndex) -> Result<ExternalIndex, InvalidField> {
    let ExternalIndex {
        namespace,
        text_field,
    } = index;
    let visible = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
    if namespace.len() > MAX_NAMESPACE || !visible(namespace) {
        let reason = "is not a namespace: at most 128 visible ASCII characters";
        return Err(InvalidField::new("pinecone_external.namespace", reason));
    }
    let named = !text_field.trim().is_empty() && !text_field.starts_with('$');
    if !named || text_field.chars().count() > MAX_TEXT_FIELD || text_field.chars().any(char::is_control) {
        let reason = "is not a metadata field: 1 to 64 characters that do not start with `$`";
        return Err(InvalidField::new("pinecone_external.text_field", reason));
    }
    Ok(index.clone())
}

/// The settings that `tuning` makes of the defaults.
pub(super) fn search(tuning: SearchTuning) -> Result<SearchSettings, InvalidField> {
    let usual = Fusion::default();
    let fusion = Fusion::new(
        tuning.k.unwrap_or(usual.k()),
        tuning.dense_weight.unwrap_or(usual.dense_weight()),
        tuning.lexical_weight.unwrap_or(usual.lexical_weight()),
    );
    let Ok(fusion) = fusion else {
        let reason = "needs an `rrf_k` of 1 to 1000 and weights of 0 to 10, not both 0";
        return Err(InvalidField::new("search", reason));
    };
    if tuning
        .min_score
        .is_some_and(|score| !(0.0..=1.0).contains(&score))
    {
        return Err(InvalidField::new(
            "search",
            "has a `min_score` that is not between 0 and 1",
        ));
    }
    Ok(SearchSettings {
        fusion,
        min_score: tuning.min_score,
    })
}

pub(super) fn api_key<'k>(
    field: &'static str,
    key: &'k SecretString,
) -> Result<&'k SecretString, InvalidField> {
    let text = key.expose_secret();
    if text.is_empty() {
        Err(InvalidField::new(field, "is empty"))
    } else if text.len() > MAX_KEY {
        Err(InvalidField::new(field, "has more than 512 bytes"))
    } else if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        Err(InvalidField::new(
            field,
            "has white space, control characters or characters outside ASCII",
        ))
    } else {
        Ok(key)
    }
}

pub(super) fn system_prompt(text: &str) -> Result<(), InvalidField> {
    prose(
        "system_prompt",
        text,
        MAX_PROMPT,
        "has more than 32000 characters",
    )
}

/// The end of a key by which people tell it from another; nothing of a key that is too short to spare four.
pub(super) fn last_four(key: &SecretString) -> String {
    let text = key.expose_secret();
    if text.len() < 16 {
        String::new()
    } else {
        text.get(text.len() - 4..).unwrap_or_default().to_owned()
    }
}
