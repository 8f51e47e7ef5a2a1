//! What every error of the layers below becomes. The enums are `non_exhaustive`, so each match needs a last arm; a
//! variant that falls through to it is answered as an internal error, and a test beside this file fails.

use tenantry_auth::IssueError;
use tenantry_crypto::{OpenError, PasswordError, RejectedPassword, SealError};
use tenantry_domain::{PageOutOfRange, ParseEmailError, ParseTenantIdError, TopKOutOfRange};
use tenantry_llm_client::LlmError;
use tenantry_retrieval::{
    AccountError, ApiKeyError, ChatError, CollectionError, ConversationError, EmbeddingMismatch,
    IdentityProviderError, InvalidField, LoginError, RejectedPinecone, ResolveError, SaveTenantError,
    SearchError, SubmitError, TenantUserError, UsageError,
};
use tenantry_tenant_store::StoreError;
use tenantry_vector_client::VectorError;

use super::{ApiError, Code};
use crate::offload::{Full, OffloadError};

impl From<OffloadError> for ApiError {
    fn from(error: OffloadError) -> Self {
        let code = match error {
            OffloadError::Busy => Code::Busy,
            OffloadError::Panicked => Code::InternalError,
        };
        Self::new(code).because(error)
    }
}

impl From<Full> for ApiError {
    fn from(error: Full) -> Self {
        Self::new(Code::TooManyStreams).because(error)
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        let code = match &error {
            StoreError::IdTaken => Code::IdTaken,
            StoreError::EmailTaken => Code::EmailTaken,
            StoreError::UnknownTenant => Code::UnknownTenant,
            StoreError::LastSuperuser => Code::LastSuperuser,
            StoreError::Unavailable(_) => Code::StoreUnavailable,
            StoreError::Failed(_) => Code::StoreFailed,
            _ => Code::InternalError,
        };
        Self::new(code).because(error)
    }
}

impl From<ResolveError> for ApiError {
    fn from(error: ResolveError) -> Self {
        match error {
            ResolveError::Unauthenticated => Self::new(Code::Unauthenticated),
            ResolveError::TenantForbidden => Self::new(Code::TenantForbidden),
            ResolveError::NotSuperuser => Self::new(Code::SuperuserRequired),
            ResolveError::PermissionRequired(permission) => Self::new(Code::PermissionRequired)
                .saying(format!("the permission `{permission}` is required")),
            ResolveError::UserRequired => Self::new(Code::UserRequired),
            ResolveError::Provider(error) => Self::new(Code::IdentityProviderUnavailable).because(error),
            ResolveError::Store(error) => error.into(),
            unknown => Self::new(Code::InternalError).because(unknown),
        }
    }
}

impl From<LoginError> for ApiError {
    fn from(error: LoginError) -> Self {
        match error {
            LoginError::Refused => Self::new(Code::InvalidCredentials),
            LoginError::TooMany(error) => error.into(),
            LoginError::Random(error) => error.into(),
            LoginError::Password(error) => error.into(),
            LoginError::Store(error) => error.into(),
            unknown => Self::new(Code::InternalError).because(unknown),
        }
    }
}

impl From<AccountError> for ApiError {
    fn from(error: AccountError) -> Self {
        match error {
            AccountError::Email(error) => error.into(),
            AccountError::Password(error) => error.into(),
            AccountError::Hash(error) => error.into(),
            AccountError::Store(error) => error.into(),
            unknown => Self::new(Code::InternalError).because(unknown),
        }
    }
}

impl From<TenantUserError> for ApiError {
    fn from(error: TenantUserError) -> Self {
        match error {
            TenantUserError::RoleAboveOwn => Self::new(Code::RoleAboveOwn),
            TenantUserError::Account(error) => error.into(),
            unknown => Self::new(Code::InternalError).because(unknown),
        }
    }
}

impl From<ApiKeyError> for ApiError {
    fn from(error: ApiKeyError) -> Self {
        match error {
            ApiKeyError::Invalid(error) => error.into(),
            ApiKeyError::Beyond(permission) => ResolveError::PermissionRequired(permission).into(),
            ApiKeyError::NotLive => Self::new(Code::ApiKeyNotLive),
            ApiKeyError::Random(error) => Self::new(Code::InternalError).because(error),
            ApiKeyError::Store(error) => error.into(),
            unknown => Self::new(Code::InternalError).because(unknown),
        }
    }
}

impl From<SaveTenantError> for ApiError {
    fn from(error: SaveTenantError) -> Self {
        match error {
            SaveTenantError::Invalid(error) => error.into(),
            SaveTenantError::Pinecone(error) => error.into(),
            SaveTenantError::Seal(error) => error.into(),
            SaveTenantError::Open(error) => error.into(),
            SaveTenantError::Store(error) => error.into(),
            unknown => Self::new(Code::InternalError).because(unknown),
        }
    }
}

impl From<IdentityProviderError> for ApiError {
    fn from(error: IdentityProviderError) -> Self {
        match error {
            IdentityProviderError::Invalid(error) => error.into(),
            IdentityProviderError::Beyond(permission) => ResolveError::PermissionRequired(permission).into(),
            IdentityProviderError::TooMany => Self::new(Code::IdentityProviderLimit),
            IdentityProviderError::Anothers => Self::new(Code::IdentityProviderTaken),
            IdentityProviderError::Store(StoreError::IdTaken) => Self::new(Code::IdTaken)
                .saying("the tenant has an identity provider of the same issuer, audience and tenant claim"),
            IdentityProviderError::Store(error) => error.into(),
            unknown => Self::new(Code::InternalError).because(unknown),
        }
    }
}

impl From<UsageError> for ApiError {
    fn from(error: UsageError) -> Self {
        match error {
            UsageError::Invalid(error) => error.into(),
            UsageError::Store(error) => error.into(),
            unknown => Self::new(Code::InternalError).because(unknown),
        }
    }
}

impl From<RejectedPinecone> for ApiError {
    /// When a tenant is saved; in use the same finding is no mistake of the caller, see [`CollectionError`].
    fn from(error: RejectedPinecone) -> Self {
        // Names and metrics come from Pinecone, so they are left out of what the client is told.
        match &error {
            RejectedPinecone::Key => Self::new(Code::PineconeKeyRefused),
            RejectedPinecone::UnknownIndex(_) => Self::new(Code::PineconeIndexUnknown),
            RejectedPinecone::AmbiguousIndex(fitting) => Self::new(Code::PineconeIndexAmbiguous).saying(
                format!("name the index in `pinecone_index`: {fitting} of the project's indexes would fit"),
            ),
            RejectedPinecone::Dimension { expected, .. } => Self::new(Code::PineconeDimensionMismatch)
                .saying(format!(
                    "the index holds vectors of another dimension, the embedding model makes {expected}"
                )),
            RejectedPinecone::Metric { .. } => Self::new(Code::PineconeMetricUnsupported),
            RejectedPinecone::Refused => Self::new(Code::PineconeRefused),
            _ => Self::new(Code::InternalError),
        }
        .because(error)
    }
}

impl From<CollectionError> for ApiError {
    fn from(error: CollectionError) -> Self {
        match error {
            CollectionError::SealedKey(error) => error.into(),
            CollectionError::Rejected(RejectedPinecone::Key) => {
                Self::new(Code::VectorStoreUnauthorized).because(RejectedPinecone::Key)
            }
            CollectionError::Rejected(error) => Self::new(Code::VectorStoreMisconfigured).because(error),
            CollectionError::ReadOnly => Self::new(Code::ReadOnly),
            CollectionError::Pending => Self::new(Code::PineconePending).because(CollectionError::Pending),
            CollectionError::Vector(error) => error.into(),
            CollectionError::Store(error) => error.into(),
            unknown => Self::new(Code::InternalError).because(unknown),
        }
    }
}

impl From<SubmitError> for ApiError {
    fn from(error: SubmitError) -> Self {
        match error {
            SubmitError::Invalid(error) => error.into(),
            SubmitError::TooLarge { .. } => Self::new(Code::PayloadTooLarge),
            SubmitError::ReadOnly => Self::new(Code::ReadOnly),
            SubmitError::Read(cause) => Self::new(Code::InternalError).because(cause),
            SubmitError::Store(error) => error.into(),
            unknown => Self::new(Code::InternalError).because(unknown),
        }
    }
}

impl From<EmbeddingMismatch> for ApiError {
    fn from(error: EmbeddingMismatch) -> Self {
        Self::new(Code::EmbeddingMismatch).because(error)
    }
}

impl From<SearchError> for ApiError {
    fn from(error: SearchError) -> Self {
        match error {
            SearchError::Invalid(error) => error.into(),
            SearchError::Filter(error) => {
                Self::new(Code::InvalidRequest).saying(format!("`filter`: {error}"))
            }
            SearchError::Collection(error) => error.into(),
            SearchError::Model(error) => error.into(),
            SearchError::NoModel => Self::new(Code::EmbeddingNotConfigured),
            SearchError::Embed(error) => error.into(),
            SearchError::Vector(error) => error.into(),
            SearchError::Store(error) => error.into(),
            unknown => Self::new(Code::InternalError).because(unknown),
        }
    }
}

impl From<ChatError> for ApiError {
    fn from(error: ChatError) -> Self {
        match error {
            ChatError::Invalid(error) => error.into(),
            // Another user's conversation is answered like one that does not exist.
            ChatError::UnknownConversation => Self::unknown_conversation(),
            ChatError::UnknownModel => Self::new(Code::UnknownModel),
            ChatError::InstructionsRefused => Self::new(Code::InstructionsRefused),
            ChatError::Search(error) => error.into(),
            ChatError::SealedKey(error) => error.into(),
            ChatError::Complete(error) => error.into(),
            ChatError::Store(error) => error.into(),
            unknown => Self::new(Code::InternalError).because(unknown),
        }
    }
}

impl From<ConversationError> for ApiError {
    fn from(error: ConversationError) -> Self {
        match error {
            ConversationError::Invalid(error) => error.into(),
            ConversationError::Store(error) => error.into(),
            unknown => Self::new(Code::InternalError).because(unknown),
        }
    }
}

impl From<LlmError> for ApiError {
    fn from(error: LlmError) -> Self {
        let mut wait = None;
        let code = match &error {
            LlmError::Unauthorized(_) => Code::LlmUnauthorized,
            // 503 and not 429: it is the server's account that asks too much, not this client.
            LlmError::RateLimited { retry_after, .. } => {
                wait = *retry_after;
                Code::LlmRateLimited
            }
            LlmError::QuotaExceeded(_) => Code::LlmQuotaExceeded,
            LlmError::UnknownModel(_) => Code::LlmUnknownModel,
            LlmError::TooLong(_) => Code::InputTooLong,
            LlmError::Refused(_) => Code::LlmRefused,
            LlmError::Protocol(_) => Code::LlmProtocol,
            LlmError::Truncated(_) => Code::LlmTruncated,
            LlmError::Unavailable(_) => Code::LlmUnavailable,
            LlmError::Cancelled => Code::Cancelled,
            _ => Code::InternalError,
        };
        Self::new(code).retry_after(wait).because(error)
    }
}

impl From<VectorError> for ApiError {
    fn from(error: VectorError) -> Self {
        let mut wait = None;
        let code = match &error {
            VectorError::DimensionMismatch { .. } => Code::EmbeddingMismatch,
            VectorError::EmbeddingRequired => Code::EmbeddingNotConfigured,
            VectorError::Unauthorized(_) => Code::VectorStoreUnauthorized,
            VectorError::UnknownIndex(_) => Code::VectorStoreUnknownIndex,
            VectorError::RateLimited { retry_after, .. } => {
                wait = *retry_after;
                Code::VectorStoreRateLimited
            }
            VectorError::Refused(_) => Code::VectorStoreRefused,
            VectorError::Unavailable(_) => Code::VectorStoreUnavailable,
            _ => Code::InternalError,
        };
        Self::new(code).retry_after(wait).because(error)
    }
}

impl From<OpenError> for ApiError {
    fn from(error: OpenError) -> Self {
        Self::new(Code::TenantSecretUnavailable).because(error)
    }
}

impl From<SealError> for ApiError {
    fn from(error: SealError) -> Self {
        Self::new(Code::InternalError).because(error)
    }
}

impl From<PasswordError> for ApiError {
    fn from(error: PasswordError) -> Self {
        Self::new(Code::InternalError).because(error)
    }
}

impl From<IssueError> for ApiError {
    fn from(error: IssueError) -> Self {
        Self::new(Code::InternalError).because(error)
    }
}

impl From<RejectedPassword> for ApiError {
    fn from(error: RejectedPassword) -> Self {
        Self::new(Code::InvalidPassword).saying(error.to_string())
    }
}

impl From<InvalidField> for ApiError {
    fn from(error: InvalidField) -> Self {
        let said = Self::new(Code::InvalidRequest).saying(error.to_string());
        said.with_about(error.field)
    }
}

impl From<ParseEmailError> for ApiError {
    fn from(error: ParseEmailError) -> Self {
        Self::new(Code::InvalidRequest).saying(format!("`email`: {error}"))
    }
}

impl From<ParseTenantIdError> for ApiError {
    fn from(error: ParseTenantIdError) -> Self {
        Self::new(Code::InvalidRequest).saying(error.to_string())
    }
}

impl From<PageOutOfRange> for ApiError {
    fn from(error: PageOutOfRange) -> Self {
        Self::new(Code::InvalidRequest).saying(error.to_string())
    }
}

impl From<TopKOutOfRange> for ApiError {
    fn from(error: TopKOutOfRange) -> Self {
        Self::new(Code::InvalidRequest).saying(format!("`limit`: {error}"))
    }
}
