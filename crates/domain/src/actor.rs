use std::fmt;
use std::net::IpAddr;

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
