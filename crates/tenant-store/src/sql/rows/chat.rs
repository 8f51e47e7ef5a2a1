//! A tenant's chat settings as the JSON object of their column.

use std::str::FromStr;

use serde_json::{Map, Value, json};
use tenantry_domain::{AllowedHosts, BoxError, ChatSettings};

/// A value that this version does not know, or cannot read.
#[derive(Debug, thiserror::Error)]
#[error("the chat setting {key:?} cannot be read")]
struct UnreadableSetting {
    key: String,
    #[source]
    why: BoxError,
}

/// What differs from the defaults, so that a value which was never set follows the program's version.
pub(super) fn write_chat(settings: &ChatSettings) -> String {
    let defaults = values(&ChatSettings::default());
    let mut values = values(settings);
    values.retain(|key, value| defaults.get(key) != Some(value));
    Value::Object(values).to_string()
}

fn values(settings: &ChatSettings) -> Map<String, Value> {
    let ChatSettings {
        models,
        temperature,
        max_answer_tokens,
        passages,
        language,
        without_support,
        unsupported_text,
        follow_ups,
        history_tokens,
        on_leave,
        client_instructions,
        allowed_hosts,
        embedding_model,
        server_provider,
        streams_per_user,
        streams_per_tenant,
    } = settings;
    let hosts: Vec<_> = allowed_hosts.iter().map(ToString::to_string).collect();
    let values = [
        ("models", json!(models)),
        ("temperature", json!(temperature.map(decimal))),
        ("max_answer_tokens", json!(max_answer_tokens)),
        ("passages", json!(passages)),
        ("language", json!(language)),
        ("without_support", json!(without_support.as_str())),
        ("unsupported_text", json!(unsupported_text)),
        ("follow_ups", json!(follow_ups.as_str())),
        ("history_tokens", json!(history_tokens)),
        ("on_leave", json!(on_leave.as_str())),
        ("client_instructions", json!(client_instructions.as_str())),
        ("allowed_hosts", json!(hosts)),
        ("embedding_model", json!(embedding_model)),
        ("server_provider", json!(server_provider)),
        ("streams_per_user", json!(streams_per_user)),
        ("streams_per_tenant", json!(streams_per_tenant)),
    ];
    values
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value))
        .collect()
}

/// The number as people write it: `0.7` and not `0.699999988079071`.
fn decimal(number: f32) -> f64 {
    number.to_string().parse().unwrap_or_else(|_| f64::from(number))
}

pub(super) fn read_chat(text: &str) -> Result<ChatSettings, BoxError> {
    let mut settings = ChatSettings::default();
    for (key, value) in serde_json::from_str::<Map<String, Value>>(text)? {
        set(&mut settings, &key, &value).map_err(|why| UnreadableSetting { key, why })?;
    }
    Ok(settings)
}

fn set(settings: &mut ChatSettings, key: &str, value: &Value) -> Result<(), BoxError> {
    match key {
        "models" => settings.models = texts(value)?.map(str::to_owned).collect(),
        "temperature" => settings.temperature = Some(fraction(value)?),
        "max_answer_tokens" => settings.max_answer_tokens = Some(number(value)?),
        "passages" => settings.passages = Some(number(value)?),
        "language" => settings.language = Some(text(value)?.to_owned()),
        "without_support" => settings.without_support = text(value)?.parse()?,
        "unsupported_text" => settings.unsupported_text = Some(text(value)?.to_owned()),
        "follow_ups" => settings.follow_ups = text(value)?.parse()?,
        "history_tokens" => settings.history_tokens = Some(number(value)?),
        "on_leave" => settings.on_leave = text(value)?.parse()?,
        "client_instructions" => settings.client_instructions = text(value)?.parse()?,
        "allowed_hosts" => {
            let hosts = texts(value)?.map(str::parse).collect::<Result<_, _>>()?;
            settings.allowed_hosts = AllowedHosts::new(hosts);
        }
        "embedding_model" => settings.embedding_model = Some(text(value)?.to_owned()),
        "server_provider" => settings.server_provider = value.as_bool().ok_or("it is not a truth value")?,
        "streams_per_user" => settings.streams_per_user = Some(number(value)?),
        "streams_per_tenant" => settings.streams_per_tenant = Some(number(value)?),
        _ => return Err("this version does not know it".into()),
    }
    Ok(())
}

fn text(value: &Value) -> Result<&str, BoxError> {
    Ok(value.as_str().ok_or("it is not a text")?)
}

fn texts(value: &Value) -> Result<impl Iterator<Item = &str>, BoxError> {
    let texts = value.as_array().ok_or("it is not a list")?;
    let texts: Vec<_> = texts.iter().map(text).collect::<Result<_, _>>()?;
    Ok(texts.into_iter())
}

fn number<T: TryFrom<u64>>(value: &Value) -> Result<T, BoxError>
where
    T::Error: Into<BoxError>,
{
    let number = value.as_u64().ok_or("it is not a whole number")?;
    number.try_into().map_err(Into::into)
}

fn fraction(value: &Value) -> Result<f32, BoxError> {
    let number = value.as_number().ok_or("it is not a number")?;
    let number = f32::from_str(&number.to_string())?;
    if number.is_finite() {
        Ok(number)
    } else {
        Err("the number is too large".into())
    }
}

#[cfg(test)]
mod tests {
    use tenantry_domain::{ClientInstructions, FollowUps, OnLeave, WithoutSupport};

    use super::*;

    fn refusal(text: &str) -> String {
        read_chat(text).unwrap_err().to_string()
    }

    #[test]
    fn what_is_as_by_default_is_not_written() {
        assert_eq!(write_chat(&ChatSettings::default()), "{}");
        let settings = ChatSettings {
            on_leave: OnLeave::Finish,
            temperature: Some(0.7),
            ..ChatSettings::default()
        };
        assert_eq!(
            write_chat(&settings),
            r#"{"on_leave":"finish","temperature":0.7}"#
        );
        assert_eq!(read_chat("{}").unwrap(), ChatSettings::default());
    }

    #[test]
    fn every_choice_is_read_back() {
        let choices = |settings: &ChatSettings| read_chat(&write_chat(settings)).unwrap();
        for &without_support in WithoutSupport::ALL {
            for &follow_ups in FollowUps::ALL {
                for &on_leave in OnLeave::ALL {
                    for &client_instructions in ClientInstructions::ALL {
                        let settings = ChatSettings {
                            without_support,
                            follow_ups,
                            on_leave,
                            client_instructions,
                            ..ChatSettings::default()
                        };
                        assert_eq!(choices(&settings), settings);
                    }
                }
            }
        }
    }

    #[test]
    fn a_temperature_is_read_back_to_its_last_bit() {
        let numbers = (0..=2_000_u16).map(|thousandths| f32::from(thousandths) / 1_000.0);
        for number in numbers.chain([
            f32::EPSILON,
            1.999_999_9,
            1.0 / 3.0,
            0.1 + 0.2,
            -0.0,
            16_777_217.0,
        ]) {
            let settings = ChatSettings {
                temperature: Some(number),
                ..ChatSettings::default()
            };
            let read = read_chat(&write_chat(&settings)).unwrap().temperature.unwrap();
            assert_eq!(read.to_bits(), number.to_bits(), "{number:e}");
        }
    }

    #[test]
    fn what_this_version_does_not_know_is_refused_by_name() {
        for (text, key) in [
            (r#"{"reasoning":"high"}"#, "reasoning"),
            (r#"{"on_leave":"ask"}"#, "on_leave"),
            (r#"{"without_support":null}"#, "without_support"),
            (r#"{"models":"gpt"}"#, "models"),
            (r#"{"models":[1]}"#, "models"),
            (r#"{"temperature":"hot"}"#, "temperature"),
            (r#"{"temperature":1e300}"#, "temperature"),
            (r#"{"passages":-1}"#, "passages"),
            (r#"{"passages":65536}"#, "passages"),
            (r#"{"history_tokens":1.5}"#, "history_tokens"),
            (r#"{"allowed_hosts":["https://x.org"]}"#, "allowed_hosts"),
            (r#"{"server_provider":1}"#, "server_provider"),
        ] {
            assert_eq!(refusal(text), format!("the chat setting {key:?} cannot be read"));
        }
        for text in ["", "[]", "null"] {
            assert!(read_chat(text).is_err(), "{text}");
        }
    }
}
