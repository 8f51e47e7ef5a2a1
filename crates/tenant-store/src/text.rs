use tenantry_domain::{
    ApiKey, ChatSettings, Conversation, EmbeddingModel, ExternalIndex, ForeignIdentity, IdentityProvider,
    LlmProvider, Message, Origin, PasswordHash, PineconeSettings, SealedSecret, Segment, Tenant, UsageRecord,
    User,
};

use crate::{
    AuditFilter, KeyState, MessageTarget, NewSession, Settlement, StoreError, Submission, TenantChange,
    TextRead, UserChange,
};

/// Text that holds U+0000, which PostgreSQL cannot store and SQLite cuts short in its own functions.
#[derive(Debug, thiserror::Error)]
#[error("{0} holds the character U+0000")]
struct NulCharacter(&'static str);

/// The text of a record by column: what must not hold U+0000 on its way into any store.
pub(crate) trait Texts {
    /// Each text with the column that it goes to.
    fn texts(&self) -> Vec<(&'static str, Option<&str>)>;

    /// Refuses U+0000, so that every store gives the same answer to it.
    fn refuse_nul(&self) -> Result<(), StoreError> {
        match self
            .texts()
            .into_iter()
            .find(|(_, text)| text.is_some_and(|text| text.contains('\0')))
        {
            Some((column, _)) => Err(StoreError::Failed(NulCharacter(column).into())),
            None => Ok(()),
        }
    }
}

/// Refuses U+0000 in the text of one column.
pub(crate) fn refuse_nul(column: &'static str, text: &str) -> Result<(), StoreError> {
    if text.contains('\0') {
        return Err(StoreError::Failed(NulCharacter(column).into()));
    }
    Ok(())
}

fn external(index: Option<&ExternalIndex>) -> [(&'static str, Option<&str>); 2] {
    [
        (
            "pinecone_external_namespace",
            index.map(|index| index.namespace.as_str()),
        ),
        (
            "pinecone_external_text_field",
            index.map(|index| index.text_field.as_str()),
        ),
    ]
}

fn pinecone(settings: &PineconeSettings) -> [(&'static str, Option<&str>); 5] {
    [
        ("pinecone_environment", settings.environment.as_deref()),
        ("pinecone_index", settings.index.as_deref()),
        ("pinecone_host", settings.host.as_deref()),
        (
            "pinecone_api_key",
            settings.api_key.as_ref().map(|key| key.sealed.as_str()),
        ),
        (
            "pinecone_api_key_last_four",
            settings.api_key.as_ref().map(|key| key.last_four.as_str()),
        ),
    ]
}

fn chat(settings: &ChatSettings) -> impl Iterator<Item = (&'static str, Option<&str>)> {
    [
        settings.language.as_deref(),
        settings.unsupported_text.as_deref(),
        settings.embedding_model.as_deref(),
    ]
    .into_iter()
    .chain(settings.models.iter().map(|model| Some(model.as_str())))
    .map(|text| ("chat", text))
}

fn llm(provider: Option<&LlmProvider>) -> [(&'static str, Option<&str>); 3] {
    let key = provider.and_then(|provider| provider.api_key.as_ref());
    [
        (
            "llm_base_url",
            provider.map(|provider| provider.base_url.as_str()),
        ),
        ("llm_api_key", key.map(|key| key.sealed.as_str())),
        ("llm_api_key_last_four", key.map(|key| key.last_four.as_str())),
    ]
}

impl Texts for Tenant {
    fn texts(&self) -> Vec<(&'static str, Option<&str>)> {
        let mut texts = vec![
            ("name", Some(self.name.as_str())),
            ("system_prompt", self.system_prompt.as_deref()),
        ];
        texts.extend(pinecone(&self.pinecone));
        texts.extend(chat(&self.chat));
        texts.extend(llm(self.llm.as_ref()));
        texts.extend(external(self.pinecone.external.as_ref()));
        texts
    }
}

impl Texts for TenantChange {
    fn texts(&self) -> Vec<(&'static str, Option<&str>)> {
        fn set(value: Option<&Option<String>>) -> Option<&str> {
            value?.as_deref()
        }
        let key: Option<&SealedSecret> = self.pinecone_api_key.as_ref().and_then(Option::as_ref);
        let mut texts = vec![
            ("name", self.name.as_deref()),
            ("pinecone_environment", set(self.pinecone_environment.as_ref())),
            ("pinecone_index", set(self.pinecone_index.as_ref())),
            ("pinecone_host", set(self.pinecone_host.as_ref())),
            ("pinecone_api_key", key.map(|key| key.sealed.as_str())),
            (
                "pinecone_api_key_last_four",
                key.map(|key| key.last_four.as_str()),
            ),
            ("system_prompt", set(self.system_prompt.as_ref())),
        ];
        texts.extend(external(self.pinecone_external.as_ref().and_then(Option::as_ref)));
        texts.extend(self.chat.iter().flat_map(chat));
        texts.extend(llm(self.llm.as_ref().and_then(Option::as_ref)));
        texts
    }
}

impl Texts for User {
    fn texts(&self) -> Vec<(&'static str, Option<&str>)> {
        vec![(
            "password_hash",
            self.password_hash.as_ref().map(PasswordHash::as_str),
        )]
    }
}

impl Texts for UserChange {
    fn texts(&self) -> Vec<(&'static str, Option<&str>)> {
        vec![(
            "password_hash",
            self.password_hash.as_ref().map(PasswordHash::as_str),
        )]
    }
}

impl Texts for AuditFilter {
    fn texts(&self) -> Vec<(&'static str, Option<&str>)> {
        vec![
            ("actor_id", self.actor.as_deref()),
            ("target_id", self.target.as_deref()),
        ]
    }
}

impl Texts for NewSession {
    fn texts(&self) -> Vec<(&'static str, Option<&str>)> {
        let rehashed = self.rehash.as_ref().map(|(newer, _)| newer.as_str());
        vec![
            ("client", self.session.client.as_deref()),
            ("password_hash", rehashed),
        ]
    }
}

impl Texts for Submission {
    fn texts(&self) -> Vec<(&'static str, Option<&str>)> {
        // Metadata cannot hold it.
        vec![
            ("external_id", self.external_id.as_deref()),
            ("title", self.title.as_deref()),
            ("file_name", self.file_name.as_deref()),
        ]
    }
}

impl Texts for Segment {
    fn texts(&self) -> Vec<(&'static str, Option<&str>)> {
        let headings = self.headings.iter();
        let headings = headings.map(|heading| ("headings", Some(heading.as_str())));
        std::iter::once(("text", Some(self.text.as_str())))
            .chain(headings)
            .collect()
    }
}

impl Texts for TextRead {
    fn texts(&self) -> Vec<(&'static str, Option<&str>)> {
        vec![("title", Some(self.title.as_str()))]
    }
}

impl Texts for Settlement {
    fn texts(&self) -> Vec<(&'static str, Option<&str>)> {
        let reason = match self {
            Self::Retry { reason, .. } | Self::Failed { reason } => Some(reason.as_str()),
            Self::Yielded | Self::Cancelled | Self::Done => None,
        };
        vec![("reason", reason)]
    }
}

impl Texts for EmbeddingModel {
    fn texts(&self) -> Vec<(&'static str, Option<&str>)> {
        vec![
            ("provider", Some(self.provider.as_str())),
            ("model", Some(self.name.as_str())),
        ]
    }
}

impl Texts for Conversation {
    fn texts(&self) -> Vec<(&'static str, Option<&str>)> {
        vec![("title", Some(self.title.as_str()))]
    }
}

impl Texts for Message {
    fn texts(&self) -> Vec<(&'static str, Option<&str>)> {
        let citations = self.citations.iter().flat_map(|citation| {
            let record = match &citation.origin {
                Origin::Record(id) => Some(id.as_str()),
                Origin::Document(_) => None,
            };
            [
                record,
                Some(citation.title.as_str()),
                Some(citation.excerpt.as_str()),
            ]
        });
        [
            ("text", Some(self.text.as_str())),
            ("model", self.model.as_deref()),
        ]
        .into_iter()
        .chain(citations.map(|text| ("citations", text)))
        .collect()
    }
}

impl Texts for MessageTarget {
    fn texts(&self) -> Vec<(&'static str, Option<&str>)> {
        match self {
            Self::New(conversation) => conversation.texts(),
            Self::Existing(_) => Vec::new(),
        }
    }
}

impl Texts for UsageRecord {
    fn texts(&self) -> Vec<(&'static str, Option<&str>)> {
        vec![("model", Some(self.model.as_str()))]
    }
}

impl Texts for ApiKey {
    fn texts(&self) -> Vec<(&'static str, Option<&str>)> {
        vec![
            ("name", Some(self.name.as_str())),
            ("prefix", Some(self.prefix.as_str())),
        ]
    }
}

impl Texts for IdentityProvider {
    fn texts(&self) -> Vec<(&'static str, Option<&str>)> {
        let claims = &self.claims;
        let of_tenant = claims.tenant.as_ref();
        let mut texts = vec![
            ("name", Some(self.name.as_str())),
            ("issuer", Some(self.issuer.as_str())),
            ("audience", Some(self.audience.as_str())),
            ("email_claim", Some(claims.email.as_str())),
            ("tenant_claim", of_tenant.map(|(claim, _)| claim.as_str())),
            ("tenant_value", of_tenant.map(|(_, value)| value.as_str())),
            ("role_claim", claims.role.as_deref()),
        ];
        let roles = claims.roles.keys();
        texts.extend(roles.map(|name| ("roles", Some(name.as_str()))));
        texts
    }
}

impl Texts for ForeignIdentity {
    fn texts(&self) -> Vec<(&'static str, Option<&str>)> {
        vec![("subject", Some(self.subject.as_str()))]
    }
}

impl Texts for KeyState {
    fn texts(&self) -> Vec<(&'static str, Option<&str>)> {
        vec![
            ("kid", Some(self.key_id.as_str())),
            ("canary", Some(self.canary.as_str())),
        ]
    }
}
