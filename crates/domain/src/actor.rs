use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use crate::{ApiKeyId, UserId};

/// Who does something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Principal {
    /// The service itself, without anybody having asked.
    #[default]
    System,
    /// Whoever runs the program on the database, as the command line does.
    Operator,
    /// Somebody whose credential was not accepted, or who needed none.
    Anonymous,
    /// A user.
    User(UserId),
    /// An API key of a tenant.
    ApiKey(ApiKeyId),
}

impl Principal {
    /// The name of its kind, in the store and the API.
    pub fn kind(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Operator => "operator",
            Self::Anonymous => "anonymous",
            Self::User(_) => "user",
            Self::ApiKey(_) => "api_key",
        }
    }

    /// The id of the user or the API key that it is; `None` for the kinds that have none.
    pub fn id(self) -> Option<String> {
        match self {
            Self::User(id) => Some(id.to_string()),
            Self::ApiKey(id) => Some(id.to_string()),
            Self::System | Self::Operator | Self::Anonymous => None,
        }
    }

    /// The principal of that [`kind`](Self::kind) and [`id`](Self::id).
    ///
    /// # Errors
    /// When there is no such kind, the id is none, or is there for a kind that has none.
    pub fn from_parts(kind: &str, id: Option<&str>) -> Result<Self, ParsePrincipalError> {
        let no_id = |_| ParsePrincipalError;
        match (kind, id) {
            ("system", None) => Ok(Self::System),
            ("operator", None) => Ok(Self::Operator),
            ("anonymous", None) => Ok(Self::Anonymous),
            ("user", Some(id)) => id.parse().map(Self::User).map_err(no_id),
            ("api_key", Some(id)) => id.parse().map(Self::ApiKey).map_err(no_id),
            _ => Err(ParsePrincipalError),
        }
    }

    /// The id under which it owns conversations and is counted in usage: a user's, or an API key's.
    pub fn owner(self) -> Option<UserId> {
        match self {
            Self::User(id) => Some(id),
            Self::ApiKey(id) => Some(UserId::from_uuid(id.as_uuid())),
            Self::System | Self::Operator | Self::Anonymous => None,
        }
    }
}

impl fmt::Display for Principal {
    /// As `user 0199...`, or the kind alone.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(id) => write!(f, "user {id}"),
            Self::ApiKey(id) => write!(f, "api_key {id}"),
            Self::System | Self::Operator | Self::Anonymous => f.write_str(self.kind()),
        }
    }
}

/// Text that names nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected who it is, as `operator`, or `user` and an id")]
pub struct ParsePrincipalError;

impl FromStr for Principal {
    type Err = ParsePrincipalError;

    /// Reads what `Display` writes.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once(' ') {
            Some((kind, id)) => Self::from_parts(kind, Some(id)),
            None => Self::from_parts(text, None),
        }
    }
}

/// Who does something, and by which request: what the audit log keeps beside the deed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Actor {
    /// Who.
    pub principal: Principal,
    /// By which request.
    pub origin: RequestOrigin,
}

/// The request that something comes from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RequestOrigin {
    /// The request's id, which its answer and the log name too.
    pub request: Option<String>,
    /// The client's address.
    pub address: Option<IpAddr>,
}

impl Actor {
    /// The service itself.
    pub fn system() -> Self {
        Self::default()
    }

    /// `principal`, by no request.
    pub fn of(principal: Principal) -> Self {
        Self {
            principal,
            origin: RequestOrigin::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Timestamp;

    #[test]
    fn a_principal_is_read_as_it_is_written_and_from_its_parts() {
        let now = Timestamp::from_unix_micros(0).unwrap();
        let all = [
            Principal::System,
            Principal::Operator,
            Principal::Anonymous,
            Principal::User(UserId::generate(now)),
            Principal::ApiKey(ApiKeyId::generate(now)),
        ];
        for one in all {
            assert_eq!(one.to_string().parse(), Ok(one));
            assert_eq!(Principal::from_parts(one.kind(), one.id().as_deref()), Ok(one));
            assert_eq!(one.id().is_some(), one.owner().is_some());
        }
    }

    #[test]
    fn what_names_nobody_is_refused() {
        let id = UserId::generate(Timestamp::from_unix_micros(0).unwrap());
        for text in [
            "",
            "user",
            "user ",
            "user x",
            "User 1",
            &format!("system {id}"),
            &id.to_string(),
        ] {
            assert_eq!(text.parse::<Principal>(), Err(ParsePrincipalError), "{text}");
        }
    }
}
