//! What a tenant's values must be like.

use secrecy::{ExposeSecret, SecretString};
use tenantry_domain::PineconeSettings;

use super::NewTenant;
use crate::InvalidField;
use crate::text::{line, prose};

const MAX_NAME: usize = 200;
const MAX_SETTING: usize = 255;
const MAX_KEY: usize = 512;
const MAX_PROMPT: usize = 32_000;

pub(super) fn name(text: &str) -> Result<String, InvalidField> {
    line("name", text, MAX_NAME, "has more than 200 characters")
}

/// The Pinecone settings that a new tenant names, without a key.
pub(super) fn pinecone(new: &NewTenant) -> Result<PineconeSettings, InvalidField> {
    Ok(PineconeSettings {
        environment: new.pinecone_environment.as_deref().map(environment).transpose()?,
        index: new.pinecone_index.as_deref().map(index_name).transpose()?,
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

pub(super) fn api_key(key: &SecretString) -> Result<&SecretString, InvalidField> {
    let text = key.expose_secret();
    let field = "pinecone_api_key";
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
