use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::{Actor, ChatSettings, Ingesters, LlmProvider, SearchSettings, Timestamp};

/// A tenant's id: `^[a-z0-9][a-z0-9_-]{0,62}$`, chosen by a superuser, compared bytewise, never changed or reused.
///
/// # Examples
/// ```
/// use tenantry_domain::TenantId;
///
/// assert_eq!(TenantId::parse("acme-eu")?.as_str(), "acme-eu");
/// assert!(TenantId::parse("../acme").is_err());
/// # Ok::<(), tenantry_domain::ParseTenantIdError>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TenantId(Arc<str>);

/// Text that is not a tenant id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseTenantIdError {
    /// The text is empty.
    #[error("a tenant id is empty")]
    Empty,
    /// The text has more than 63 characters.
    #[error("a tenant id has more than 63 characters")]
    TooLong,
    /// The first character is not a lower-case letter or digit.
    #[error("a tenant id starts with a lower-case letter or a digit")]
    Start,
    /// A character is not allowed.
    #[error("a tenant id has only lower-case letters, digits, `-` and `_`")]
    Character,
}

impl TenantId {
    /// Reads a tenant id.
    ///
    /// # Errors
    /// When `id` is empty, longer than 63 characters, starts with `-` or `_`, or has other characters than
    /// `a-z`, `0-9`, `-` and `_`.
    pub fn parse(id: &str) -> Result<Self, ParseTenantIdError> {
        let alphanumeric = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let Some(&first) = id.as_bytes().first() else {
            return Err(ParseTenantIdError::Empty);
        };
        if id.len() > 63 {
            return Err(ParseTenantIdError::TooLong);
        }
        if !id
            .bytes()
            .all(|byte| alphanumeric(byte) || byte == b'-' || byte == b'_')
        {
            return Err(ParseTenantIdError::Character);
        }
        if alphanumeric(first) {
            Ok(Self(id.into()))
        } else {
            Err(ParseTenantIdError::Start)
        }
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for TenantId {
    type Err = ParseTenantIdError;

    fn from_str(id: &str) -> Result<Self, Self::Err> {
        Self::parse(id)
    }
}

impl fmt::Display for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TenantId({})", self.0)
    }
}

/// A secret as it is stored: text that only a sealer can open. What it looks like is the sealer's business.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Sealed(String);

impl Sealed {
    /// Takes the text as it was stored.
    pub fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// The text to store.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealed(..)")
    }
}

/// A sealed secret with the part of it that may be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedSecret {
    /// The secret itself, sealed.
    pub sealed: Sealed,
    /// Its last four characters, for people to tell one key from another; empty for a key too short to show any.
    pub last_four: String,
}

/// What a tenant says about its Pinecone project.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PineconeSettings {
    /// The legacy environment, as `us-east-1-aws`: a hint for cloud and region, never part of a host.
    pub environment: Option<String>,
    /// The index by name.
    pub index: Option<String>,
    /// The index's host, looked up when the tenant was saved; `None` while that check is pending.
    pub host: Option<String>,
    /// The API key.
    pub api_key: Option<SealedSecret>,
    /// An index that another tool fills; it is searched as it is, and never written.
    pub external: Option<ExternalIndex>,
}

/// How an index that another tool fills is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExternalIndex {
    /// The namespace; empty for the index's default one. A superuser names it, because all that is in it is shown.
    pub namespace: String,
    /// The metadata field that holds a record's text.
    pub text_field: String,
}

impl ExternalIndex {
    /// The field that common tools write the text to.
    pub const TEXT_FIELD: &str = "text";
}

/// A customer with its own knowledge, prompt and credentials.
#[derive(Debug, Clone, PartialEq)]
pub struct Tenant {
    /// The tenant's id.
    pub id: TenantId,
    /// Its name for people.
    pub name: String,
    /// Its Pinecone project; without an API key the server's own vector store is used.
    pub pinecone: PineconeSettings,
    /// What every answer for this tenant is told first.
    pub system_prompt: Option<String>,
    /// How its knowledge is searched unless a request says otherwise.
    pub search: SearchSettings,
    /// How its questions are answered.
    pub chat: ChatSettings,
    /// Its own provider of models; without one the server's is used.
    pub llm: Option<LlmProvider>,
    /// Which of its users keep its documents.
    pub ingesters: Ingesters,
    /// Whether the tenant may be used.
    pub is_active: bool,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// The tenant was deactivated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the tenant is not active")]
pub struct TenantInactive;

impl Tenant {
    /// Opens the tenant's data for one use by `actor`: every tenant-owned read and write asks for the scope.
    ///
    /// # Errors
    /// When the tenant was deactivated.
    pub fn activate(self: &Arc<Self>, actor: Actor) -> Result<TenantScope, TenantInactive> {
        if self.is_active {
            Ok(TenantScope {
                tenant: self.clone(),
                actor,
            })
        } else {
            Err(TenantInactive)
        }
    }
}

/// Proof that a request was resolved to one active tenant.
///
/// It cannot be cloned or made from an id: [`Tenant::activate`] is its only source, and in Tenantry only
/// `tenantry_retrieval::resolve` calls that, after a credential was verified.
#[derive(Debug)]
pub struct TenantScope {
    tenant: Arc<Tenant>,
    actor: Actor,
}

impl TenantScope {
    /// The tenant's id.
    pub fn id(&self) -> &TenantId {
        &self.tenant.id
    }

    /// The tenant as it was when the scope was made.
    pub fn tenant(&self) -> &Tenant {
        &self.tenant
    }

    /// Who it was opened for: what is done with the scope is entered under that name in the audit log.
    pub fn actor(&self) -> &Actor {
        &self.actor
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tenant(is_active: bool) -> Arc<Tenant> {
        let now = Timestamp::from_unix_micros(0).unwrap();
        Arc::new(Tenant {
            id: TenantId::parse("acme").unwrap(),
            name: "Acme".into(),
            pinecone: PineconeSettings::default(),
            system_prompt: None,
            search: SearchSettings::default(),
            chat: ChatSettings::default(),
            llm: None,
            ingesters: Ingesters::default(),
            is_active,
            created_at: now,
            updated_at: now,
        })
    }

    #[test]
    fn only_an_active_tenant_has_a_scope() {
        assert_eq!(
            tenant(true).activate(Actor::system()).unwrap().id().as_str(),
            "acme"
        );
        assert_eq!(
            tenant(false).activate(Actor::system()).unwrap_err(),
            TenantInactive
        );
    }

    #[test]
    fn a_sealed_secret_shows_nothing_in_debug() {
        assert_eq!(
            format!("{:?}", Sealed::from_stored("v1.ab.cd".into())),
            "Sealed(..)"
        );
    }

    #[test]
    fn absurd_ids_are_refused_with_their_reason() {
        let long = "a".repeat(10_000);
        for (id, reason) in [
            ("", ParseTenantIdError::Empty),
            (long.as_str(), ParseTenantIdError::TooLong),
            ("-a", ParseTenantIdError::Start),
            ("_a", ParseTenantIdError::Start),
            ("..", ParseTenantIdError::Character),
            ("Acme", ParseTenantIdError::Character),
            ("a/b", ParseTenantIdError::Character),
            ("a%2e", ParseTenantIdError::Character),
            ("a\0", ParseTenantIdError::Character),
            ("a ", ParseTenantIdError::Character),
            ("ä", ParseTenantIdError::Character),
        ] {
            assert_eq!(TenantId::parse(id), Err(reason), "{id:?}");
        }
    }

    proptest! {
        #[test]
        fn the_grammar_and_the_parser_agree(id in "\\PC{0,70}") {
            let first = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
            let wanted = id.starts_with(first)
                && id.len() <= 63
                && id.chars().all(|c| first(c) || c == '-' || c == '_');
            prop_assert_eq!(TenantId::parse(&id).is_ok(), wanted);
        }

        #[test]
        fn every_id_of_the_grammar_reads_back(id in "[a-z0-9][a-z0-9_-]{0,62}") {
            let parsed = TenantId::parse(&id).unwrap();
            prop_assert_eq!(parsed.as_str(), id);
        }
    }
}
