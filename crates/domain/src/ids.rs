use std::fmt;
use std::str::FromStr;

use uuid::{NoContext, Uuid};

use crate::Timestamp;

/// Text that is not an id: lower-case hyphenated UUID expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a lower-case hyphenated uuid")]
pub struct ParseIdError;

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// A new id (UUID version 7), which sorts by `now`.
            pub fn generate(now: Timestamp) -> Self {
                let seconds = u64::try_from(now.unix_seconds()).unwrap_or(0);
                let nanos = now.to_offset_date_time().nanosecond();
                Self(Uuid::new_v7(uuid::Timestamp::from_unix(NoContext, seconds, nanos)))
            }

            /// The id that a store kept as a UUID.
            pub const fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// The id as a UUID.
            pub const fn as_uuid(&self) -> Uuid {
                self.0
            }
        }

        impl FromStr for $name {
            type Err = ParseIdError;

            /// Reads the one canonical spelling, so that an id and its text stand for each other.
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let uuid = Uuid::try_parse(text).map_err(|_| ParseIdError)?;
                let id = Self(uuid);
                if id.to_string() == text { Ok(id) } else { Err(ParseIdError) }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.as_hyphenated().fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0.as_hyphenated())
            }
        }
    };
}

uuid_id! {
    /// A user's immutable id, claim `sub` of an access token.
    UserId
}
uuid_id! {
    /// A document's id within its tenant.
    DocumentId
}
uuid_id! {
    /// A job's id.
    JobId
}
uuid_id! {
    /// The id of a file that was handed in and is still to be read.
    SourceId
}

uuid_id! {
    /// A conversation's id within its tenant.
    ConversationId
}
uuid_id! {
    /// A message's id within its tenant.
    MessageId
}

uuid_id! {
    /// A session's id, claim `sid` of its access tokens.
    SessionId
}
uuid_id! {
    /// An API key's id.
    ApiKeyId
}
uuid_id! {
    /// The id of an identity provider within its tenant.
    IdentityProviderId
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_by_the_moment_they_were_made() {
        let at = |seconds: i64| Timestamp::from_unix_micros(seconds * 1_000_000).unwrap();
        assert!(DocumentId::generate(at(1)) < DocumentId::generate(at(2)));
        assert_ne!(UserId::generate(at(1)), UserId::generate(at(1)));
    }

    #[test]
    fn an_id_has_one_spelling() {
        let id = UserId::generate(Timestamp::from_unix_micros(0).unwrap());
        assert_eq!(id.to_string().parse(), Ok(id));
        for other in [
            id.to_string().to_uppercase(),
            format!("{{{id}}}"),
            id.to_string().replace('-', ""),
        ] {
            assert_eq!(other.parse::<UserId>(), Err(ParseIdError), "{other}");
        }
    }
}
