//! How a tenant's questions are answered: what may be said of it, and what it becomes.

use tenantry_domain::{
    AllowedHost, AllowedHosts, ChatSettings, ClientInstructions, FollowUps, OnLeave, WithoutSupport,
};

use crate::InvalidField;
use crate::text::{line, prose};

const MAX_MODELS: usize = 8;
const MAX_MODEL: usize = 200;
const MAX_LANGUAGE: usize = 64;
const MAX_UNSUPPORTED: usize = 2_000;
const MAX_HOSTS: usize = 100;

/// What to change of how a tenant's questions are answered: `None` keeps a value, `Some(None)` brings its default back.
///
/// Numbers are taken as they were given, so that one out of range is told by the name of its field.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ChatTuning {
    /// The chat models in order: at most 8 different names of 1 to 200 visible ASCII characters; none for the server's own.
    pub models: Option<Vec<String>>,
    /// From 0 to 2.
    pub temperature: Option<Option<f32>>,
    /// The longest answer in tokens: 1 to 128,000.
    pub max_answer_tokens: Option<Option<i64>>,
    /// How many passages an answer may rest on: 1 to [`ChatSettings::MAX_PASSAGES`].
    pub passages: Option<Option<i64>>,
    /// The language of answers in words, as `German`: 1 to 64 characters on one line.
    pub language: Option<Option<String>>,
    /// What becomes of a question for which no passage is found.
    pub without_support: Option<WithoutSupport>,
    /// What is said instead of an answer that nothing supports: 1 to 2,000 characters.
    pub unsupported_text: Option<Option<String>>,
    /// What becomes of follow-up questions before retrieval.
    pub follow_ups: Option<FollowUps>,
    /// How many tokens of a conversation's history a prompt may have: 0 to 100,000.
    pub history_tokens: Option<Option<i64>>,
    /// What becomes of an answer whose reader leaves.
    pub on_leave: Option<OnLeave>,
    /// What becomes of the instructions that API clients send.
    pub client_instructions: Option<ClientInstructions>,
    /// The hosts that answers may link to: at most 100, each as [`AllowedHost`] reads it.
    pub allowed_hosts: Option<Vec<String>>,
    /// The embedding model of the tenant's next index, one of those that the server has.
    pub embedding_model: Option<Option<String>>,
    /// Whether the server's provider may answer where the tenant's own does not.
    pub server_provider: Option<bool>,
    /// How many answers of one user may be under way at once, on each server: 1 to 10,000. For superusers to say.
    pub streams_per_user: Option<Option<i64>>,
    /// How many answers of the tenant may be under way at once, on each server: 1 to 10,000. For superusers to say.
    pub streams_per_tenant: Option<Option<i64>>,
}

impl ChatTuning {
    /// What brings every default back but that of what superusers alone say.
    pub(super) fn to_defaults() -> Self {
        Self {
            models: Some(Vec::new()),
            temperature: Some(None),
            max_answer_tokens: Some(None),
            passages: Some(None),
            language: Some(None),
            without_support: Some(WithoutSupport::default()),
            unsupported_text: Some(None),
            follow_ups: Some(FollowUps::default()),
            history_tokens: Some(None),
            on_leave: Some(OnLeave::default()),
            client_instructions: Some(ClientInstructions::default()),
            allowed_hosts: Some(Vec::new()),
            embedding_model: Some(None),
            server_provider: Some(false),
            streams_per_user: None,
            streams_per_tenant: None,
        }
    }

    /// The settings that this makes of `settings`.
    pub(super) fn of(&self, settings: &ChatSettings) -> Result<ChatSettings, InvalidField> {
        let mut changed = settings.clone();
        self.set_model(&mut changed)?;
        self.set_manner(&mut changed)?;
        self.set_limits(&mut changed)?;
        Ok(changed)
    }

    /// Which models, and what is asked of them.
    fn set_model(&self, to: &mut ChatSettings) -> Result<(), InvalidField> {
        set(&mut to.models, self.models.as_ref(), |names| models(names))?;
        set(&mut to.temperature, self.temperature.as_ref(), |value| {
            temperature(*value)
        })?;
        set(
            &mut to.max_answer_tokens,
            self.max_answer_tokens.as_ref(),
            |value| {
                let reason = "is not a whole number from 1 to 128000";
                number("chat.max_answer_tokens", *value, 1, 128_000, reason)
            },
        )?;
        set(&mut to.embedding_model, self.embedding_model.as_ref(), |name| {
            name.as_deref()
                .map(|name| model("chat.embedding_model", name))
                .transpose()
        })?;
        set(
            &mut to.server_provider,
            self.server_provider.as_ref(),
            |allowed| Ok(*allowed),
        )
    }

    /// What an answer is like, and what becomes of a question.
    fn set_manner(&self, to: &mut ChatSettings) -> Result<(), InvalidField> {
        set(&mut to.language, self.language.as_ref(), |text| {
            text.as_deref().map(language).transpose()
        })?;
        set(&mut to.unsupported_text, self.unsupported_text.as_ref(), |text| {
            text.as_deref().map(unsupported_text).transpose()
        })?;
        set(&mut to.without_support, self.without_support.as_ref(), |choice| {
            Ok(*choice)
        })?;
        set(&mut to.follow_ups, self.follow_ups.as_ref(), |choice| Ok(*choice))?;
        set(&mut to.on_leave, self.on_leave.as_ref(), |choice| Ok(*choice))?;
        set(
            &mut to.client_instructions,
            self.client_instructions.as_ref(),
            |choice| Ok(*choice),
        )?;
        set(&mut to.allowed_hosts, self.allowed_hosts.as_ref(), |hosts| {
            allowed_hosts(hosts)
        })
    }

    /// How much of everything.
    fn set_limits(&self, to: &mut ChatSettings) -> Result<(), InvalidField> {
        set(&mut to.passages, self.passages.as_ref(), |value| {
            let most = ChatSettings::MAX_PASSAGES;
            number(
                "chat.passages",
                *value,
                1,
                most,
                "is not a whole number from 1 to 20",
            )
        })?;
        set(&mut to.history_tokens, self.history_tokens.as_ref(), |value| {
            let reason = "is not a whole number from 0 to 100000";
            number("chat.history_tokens", *value, 0, 100_000, reason)
        })?;
        for (to, value, field) in [
            (
                &mut to.streams_per_user,
                self.streams_per_user,
                "chat.streams_per_user",
            ),
            (
                &mut to.streams_per_tenant,
                self.streams_per_tenant,
                "chat.streams_per_tenant",
            ),
        ] {
            set(to, value.as_ref(), |value| {
                number(field, *value, 1, 10_000, "is not a whole number from 1 to 10000")
            })?;
        }
        Ok(())
    }

    /// The name of what is said here although superusers alone say it.
    pub(super) fn reserved(&self) -> Option<&'static str> {
        let user = self.streams_per_user.map(|_| "chat.streams_per_user");
        user.or(self.streams_per_tenant.map(|_| "chat.streams_per_tenant"))
    }
}

/// Replaces a value by what `parse` makes of a given one.
fn set<T, U: ?Sized>(
    to: &mut T,
    given: Option<&U>,
    parse: impl FnOnce(&U) -> Result<T, InvalidField>,
) -> Result<(), InvalidField> {
    if let Some(given) = given {
        *to = parse(given)?;
    }
    Ok(())
}

fn models(names: &[String]) -> Result<Vec<String>, InvalidField> {
    let field = "chat.models";
    let mut models: Vec<String> = Vec::with_capacity(names.len().min(MAX_MODELS));
    for name in names {
        if models.len() == MAX_MODELS {
            return Err(InvalidField::new(field, "has more than 8 names"));
        }
        let name = model(field, name)?;
        if models.contains(&name) {
            return Err(InvalidField::new(field, "has a name twice"));
        }
        models.push(name);
    }
    Ok(models)
}

fn model(field: &'static str, name: &str) -> Result<String, InvalidField> {
    let is_name = (1..=MAX_MODEL).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_graphic());
    if is_name {
        Ok(name.to_owned())
    } else {
        let reason = "has what is no model's name: 1 to 200 visible ASCII characters";
        Err(InvalidField::new(field, reason))
    }
}

fn temperature(value: Option<f32>) -> Result<Option<f32>, InvalidField> {
    match value {
        Some(value) if !(0.0..=2.0).contains(&value) => Err(InvalidField::new(
            "chat.temperature",
            "is not a number from 0 to 2",
        )),
        _ => Ok(value),
    }
}

fn number<N: TryFrom<i64> + PartialOrd>(
    field: &'static str,
    value: Option<i64>,
    least: N,
    most: N,
    reason: &'static str,
) -> Result<Option<N>, InvalidField> {
    let refused = || InvalidField::new(field, reason);
    value
        .map(|value| {
            let value = N::try_from(value).map_err(|_| refused())?;
            (least..=most)
                .contains(&value)
                .then_some(value)
                .ok_or_else(refused)
        })
        .transpose()
}

fn language(text: &str) -> Result<String, InvalidField> {
    line("chat.language", text, MAX_LANGUAGE, "has more than 64 characters")
}

fn unsupported_text(text: &str) -> Result<String, InvalidField> {
    let too_long = "has more than 2000 characters";
    prose("chat.unsupported_text", text, MAX_UNSUPPORTED, too_long)?;
    Ok(text.to_owned())
}

fn allowed_hosts(hosts: &[String]) -> Result<AllowedHosts, InvalidField> {
    let field = "chat.allowed_hosts";
    if hosts.len() > MAX_HOSTS {
        return Err(InvalidField::new(field, "has more than 100 hosts"));
    }
    let hosts = hosts.iter().map(|host| host.parse::<AllowedHost>());
    let hosts = hosts.collect::<Result<_, _>>().map_err(|_| {
        let reason = "has what is no host: `example.org` is one, `*.example.org` all below it";
        InvalidField::new(field, reason)
    })?;
    Ok(AllowedHosts::new(hosts))
}
