//! Every error code of the API, with its status and its sentence.

use actix_web::http::StatusCode;

macro_rules! codes {
    ($($variant:ident = $status:ident, $code:literal, $sentence:literal;)*) => {
        /// A stable name for what went wrong, with the status that it is answered with.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Code { $(#[doc = $sentence] $variant,)* }

        impl Code {
            /// Every code.
            #[cfg(test)]
            pub(crate) const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name that clients match on.
            pub(crate) fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code,)* }
            }

            /// The status of the answer.
            pub(crate) fn status(self) -> StatusCode {
                match self { $(Self::$variant => StatusCode::$status,)* }
            }

            /// What a person is told, where nothing more exact is known.
            pub(crate) fn sentence(self) -> &'static str {
                match self { $(Self::$variant => $sentence,)* }
            }
        }
    };
}

codes! {
    BadRequest = BAD_REQUEST, "bad_request", "the request is malformed";
    InvalidJson = BAD_REQUEST, "invalid_json", "the body is not JSON";
    UnsupportedParameter = BAD_REQUEST, "unsupported_parameter", "a parameter is not supported";
    UnknownParameter = BAD_REQUEST, "unknown_parameter", "a parameter is not known";
    Unauthenticated = UNAUTHORIZED, "unauthenticated", "a valid bearer token is required";
    InvalidCredentials = UNAUTHORIZED, "invalid_credentials", "the e-mail address or the password is wrong";
    InvalidRefreshToken = UNAUTHORIZED, "invalid_refresh_token", "the refresh token is not valid, or was used before: log in again";
    TenantForbidden = FORBIDDEN, "tenant_forbidden", "the account has no tenant that may be used";
    SuperuserRequired = FORBIDDEN, "superuser_required", "only a superuser may do this";
    PermissionRequired = FORBIDDEN, "permission_required", "the caller lacks a permission that this needs";
    RoleAboveOwn = FORBIDDEN, "role_above_own", "nobody gives a role that may do more than they may themselves";
    UserRequired = FORBIDDEN, "user_required", "only a user may do this, not an API key";
    RegistrationClosed = FORBIDDEN, "registration_closed", "registration is closed";
    OriginNotAllowed = FORBIDDEN, "origin_not_allowed", "the origin, method or header is not allowed across origins";
    NotFound = NOT_FOUND, "not_found", "there is nothing at this address";
    MethodNotAllowed = METHOD_NOT_ALLOWED, "method_not_allowed", "the address does not take this method";
    RequestTimeout = REQUEST_TIMEOUT, "request_timeout", "the body did not arrive in time";
    IdTaken = CONFLICT, "id_taken", "the id is or was in use";
    EmailTaken = CONFLICT, "email_taken", "the e-mail address is in use";
    IdentityProviderLimit = CONFLICT, "identity_provider_limit", "the tenant has as many identity providers as it may";
    IdentityProviderTaken = CONFLICT, "identity_provider_taken", "another tenant accepts tokens of this issuer for this audience: choose an audience for each, or have each ask for its own `claims.tenant`";
    LastSuperuser = CONFLICT, "last_superuser", "the last active superuser must stay one";
    ApiKeyNotLive = CONFLICT, "api_key_not_live", "the key is revoked, over, or has a successor";
    ReadOnly = CONFLICT, "read_only", "another tool fills the tenant's index: it is searched, and takes no documents here";
    PayloadTooLarge = PAYLOAD_TOO_LARGE, "payload_too_large", "the body is too large";
    UnsupportedMediaType = UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", "the content type is not supported here";
    InvalidRequest = UNPROCESSABLE_ENTITY, "invalid_request", "a value cannot be used";
    InvalidPassword = UNPROCESSABLE_ENTITY, "invalid_password", "the password may not be used";
    WrongPassword = UNPROCESSABLE_ENTITY, "wrong_password", "the current password is wrong";
    InvalidResetToken = UNPROCESSABLE_ENTITY, "invalid_reset_token", "the link was used, is too old, or never was one";
    UnknownTenant = UNPROCESSABLE_ENTITY, "unknown_tenant", "the tenant does not exist";
    UnknownModel = UNPROCESSABLE_ENTITY, "unknown_model", "the tenant has no model of that name; `GET /v1/models` lists those that it has";
    InstructionsRefused = UNPROCESSABLE_ENTITY, "instructions_refused", "the tenant takes no instructions from clients";
    PineconeKeyRefused = UNPROCESSABLE_ENTITY, "pinecone_key_refused", "Pinecone refused the API key";
    PineconeIndexUnknown = UNPROCESSABLE_ENTITY, "pinecone_index_unknown", "the Pinecone project has no index of that name";
    PineconeIndexAmbiguous = UNPROCESSABLE_ENTITY, "pinecone_index_ambiguous", "name the index in `pinecone_index`";
    PineconeDimensionMismatch = UNPROCESSABLE_ENTITY, "pinecone_dimension_mismatch", "the index holds vectors of another dimension";
    PineconeMetricUnsupported = UNPROCESSABLE_ENTITY, "pinecone_metric_unsupported", "the index has another metric than cosine or dotproduct";
    PineconeRefused = UNPROCESSABLE_ENTITY, "pinecone_refused", "Pinecone refused to describe the index";
    InputTooLong = UNPROCESSABLE_ENTITY, "input_too_long", "the text is too long for the model";
    TooManyRequests = TOO_MANY_REQUESTS, "too_many_requests", "too many requests, try again later";
    TooManyAttempts = TOO_MANY_REQUESTS, "too_many_attempts", "too many attempts have failed, try again later";
    TooManyStreams = TOO_MANY_REQUESTS, "too_many_streams", "as many answers are under way as may be at once, try again when one has ended";
    InternalError = INTERNAL_SERVER_ERROR, "internal_error", "something went wrong on our side";
    StoreFailed = INTERNAL_SERVER_ERROR, "store_failed", "the database could not do this";
    EmbeddingNotConfigured = INTERNAL_SERVER_ERROR, "embedding_not_configured", "the tenant's vector store needs an embedding model, and the server has none";
    LlmUnauthorized = BAD_GATEWAY, "llm_unauthorized", "the model provider refused the API key";
    LlmUnknownModel = BAD_GATEWAY, "llm_unknown_model", "the model provider does not know the configured model";
    LlmQuotaExceeded = BAD_GATEWAY, "llm_quota_exceeded", "the quota at the model provider is used up";
    LlmRefused = BAD_GATEWAY, "llm_refused", "the model provider refused the request";
    LlmProtocol = BAD_GATEWAY, "llm_protocol", "the model provider's answer is not understood";
    LlmTruncated = BAD_GATEWAY, "llm_truncated", "the model provider's answer broke off";
    VectorStoreUnauthorized = BAD_GATEWAY, "vector_store_unauthorized", "the vector store refused the tenant's API key";
    VectorStoreUnknownIndex = BAD_GATEWAY, "vector_store_unknown_index", "the vector store does not know the tenant's index";
    VectorStoreMisconfigured = BAD_GATEWAY, "vector_store_misconfigured", "the tenant's vector store settings do not work";
    VectorStoreRefused = BAD_GATEWAY, "vector_store_refused", "the vector store refused the request";
    DeadlineExceeded = GATEWAY_TIMEOUT, "deadline_exceeded", "the answer took too long";
    Busy = SERVICE_UNAVAILABLE, "busy", "the server is busy, try again in a moment";
    NotReady = SERVICE_UNAVAILABLE, "not_ready", "the server is not ready";
    StoreUnavailable = SERVICE_UNAVAILABLE, "store_unavailable", "the database is unavailable, try again in a moment";
    EmbeddingMismatch = SERVICE_UNAVAILABLE, "embedding_mismatch", "the tenant's index was made with an embedding model that is not configured";
    TenantSecretUnavailable = SERVICE_UNAVAILABLE, "tenant_secret_unavailable", "the tenant's stored key cannot be opened";
    PineconePending = SERVICE_UNAVAILABLE, "pinecone_pending", "the tenant's Pinecone settings could not be checked yet";
    VectorStoreRateLimited = SERVICE_UNAVAILABLE, "vector_store_rate_limited", "the vector store limits the rate, try again later";
    VectorStoreUnavailable = SERVICE_UNAVAILABLE, "vector_store_unavailable", "the vector store is unavailable, try again in a moment";
    IdentityProviderUnavailable = SERVICE_UNAVAILABLE, "identity_provider_unavailable", "the identity provider could not be asked, try again in a moment";
    LlmRateLimited = SERVICE_UNAVAILABLE, "llm_rate_limited", "the model provider limits the rate, try again later";
    LlmUnavailable = SERVICE_UNAVAILABLE, "llm_unavailable", "the model provider is unavailable, try again in a moment";
    ShuttingDown = SERVICE_UNAVAILABLE, "shutting_down", "the server is shutting down, try again in a moment";
    Cancelled = SERVICE_UNAVAILABLE, "cancelled", "the request was cancelled";
}

impl Code {
    /// The code for an error answer that the framework made.
    pub(crate) fn of_status(status: StatusCode) -> Self {
        match status {
            StatusCode::NOT_FOUND => Self::NotFound,
            StatusCode::METHOD_NOT_ALLOWED => Self::MethodNotAllowed,
            StatusCode::REQUEST_TIMEOUT => Self::RequestTimeout,
            StatusCode::PAYLOAD_TOO_LARGE => Self::PayloadTooLarge,
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Self::UnsupportedMediaType,
            StatusCode::TOO_MANY_REQUESTS => Self::TooManyRequests,
            status if status.is_server_error() => Self::InternalError,
            _ => Self::BadRequest,
        }
    }
}
