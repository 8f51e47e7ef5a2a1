use std::collections::BTreeSet;
use std::error::Error as _;
use std::fs;
use std::path::{Path, PathBuf};

use actix_web::body;
use tenantry_auth::IssueError;
use tenantry_crypto::{KeyId, OpenError, PasswordError, RejectedPassword, SealError};
use tenantry_domain::{Dimension, EmbeddingModel, Filter, MetadataValue, Permission};
use tenantry_llm_client::LlmError;
use tenantry_mail::MailError;
use tenantry_retrieval::{
    AccountError, ApiKeyError, ChangePasswordError, ChatError, CollectionError, ConversationError,
    EmbeddingMismatch, IdentityProviderError, LoginError, RedeemError, RefreshError, RegisterError,
    RejectedPinecone, ResetError, ResolveError, SaveTenantError, SearchError, SubmitError, TenantUserError,
    TooManyAttempts,
};
use tenantry_tenant_store::StoreError;
use tenantry_vector_client::VectorError;

use super::*;
use crate::offload::OffloadError;

/// What no answer may show.
const SECRET: &str = "what-an-upstream-said";

fn check(error: impl Into<ApiError>, status: u16, code: &str) {
    let error = error.into();
    let response = error.error_response();
    assert_eq!(
        (response.status().as_u16(), error.code().as_str()),
        (status, code),
        "{error:?}"
    );
    let retry = response.headers().contains_key(header::RETRY_AFTER);
    assert_eq!(retry, status == 503, "{code}");
    assert_eq!(
        response.headers().contains_key(header::WWW_AUTHENTICATE),
        status == 401,
        "{code}"
    );
    let bytes = futures_util::FutureExt::now_or_never(body::to_bytes(response.into_body()))
        .unwrap()
        .unwrap();
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    assert!(!text.contains(SECRET), "{text}");
}

fn small() -> Dimension {
    Dimension::new(8).unwrap()
}

#[test]
fn every_failure_of_the_store_and_the_offload_has_its_answer() {
    check(StoreError::IdTaken, 409, "id_taken");
    check(StoreError::EmailTaken, 409, "email_taken");
    check(StoreError::UnknownTenant, 422, "unknown_tenant");
    check(StoreError::Unavailable(SECRET.into()), 503, "store_unavailable");
    check(StoreError::Failed(SECRET.into()), 500, "store_failed");
    check(OffloadError::Busy, 503, "busy");
    check(OffloadError::Panicked, 500, "internal_error");
}

#[test]
fn every_failure_of_an_account_has_its_answer() {
    let store = || StoreError::Unavailable(SECRET.into());
    let hash = || PasswordError::Unavailable(SECRET.into());
    check(ResolveError::Unauthenticated, 401, "unauthenticated");
    check(ResolveError::TenantForbidden, 403, "tenant_forbidden");
    check(ResolveError::NotSuperuser, 403, "superuser_required");
    let lacking = ResolveError::PermissionRequired(Permission::Ingest);
    assert!(ApiError::from(lacking).to_string().contains("`ingest`"));
    for permission in Permission::ALL {
        check(
            ResolveError::PermissionRequired(*permission),
            403,
            "permission_required",
        );
    }
    check(ResolveError::UserRequired, 403, "user_required");
    check(
        ResolveError::Provider(SECRET.into()),
        503,
        "identity_provider_unavailable",
    );
    check(IdentityProviderError::TooMany, 409, "identity_provider_limit");
    check(IdentityProviderError::Anothers, 409, "identity_provider_taken");
    check(
        IdentityProviderError::Beyond(Permission::Chat),
        403,
        "permission_required",
    );
    check(IdentityProviderError::from(StoreError::IdTaken), 409, "id_taken");
    check(TenantUserError::RoleAboveOwn, 403, "role_above_own");
    check(TenantUserError::from(StoreError::EmailTaken), 409, "email_taken");
    check(StoreError::LastSuperuser, 409, "last_superuser");
    check(ApiKeyError::NotLive, 409, "api_key_not_live");
    check(ApiKeyError::Beyond(Permission::Chat), 403, "permission_required");
    check(ApiKeyError::Store(store()), 503, "store_unavailable");
    check(ResolveError::Store(store()), 503, "store_unavailable");
    check(LoginError::Refused, 401, "invalid_credentials");
    check(LoginError::Password(hash()), 500, "internal_error");
    check(LoginError::Store(store()), 503, "store_unavailable");
    check(AccountError::Email(ParseEmailError), 422, "invalid_request");
    check(AccountError::Hash(hash()), 500, "internal_error");
    check(AccountError::Store(StoreError::EmailTaken), 409, "email_taken");
    for rejected in [
        RejectedPassword::TooShort { min: 12 },
        RejectedPassword::TooLong,
        RejectedPassword::Common,
        RejectedPassword::Guessable,
    ] {
        check(AccountError::Password(rejected), 422, "invalid_password");
    }
    check(IssueError::Unavailable(SECRET.into()), 500, "internal_error");
}

use tenantry_domain::ParseEmailError;

#[test]
fn every_failure_of_a_session_or_a_password_has_its_answer() {
    let store = || StoreError::Unavailable(SECRET.into());
    check(RefreshError::Refused, 401, "invalid_refresh_token");
    check(RefreshError::Store(store()), 503, "store_unavailable");
    check(ChangePasswordError::Wrong, 422, "wrong_password");
    check(ChangePasswordError::Changed, 401, "unauthenticated");
    check(
        ChangePasswordError::Rejected(RejectedPassword::Common),
        422,
        "invalid_password",
    );
    check(ChangePasswordError::Store(store()), 503, "store_unavailable");
    check(RedeemError::Invalid, 422, "invalid_reset_token");
    check(
        RedeemError::Rejected(RejectedPassword::Common),
        422,
        "invalid_password",
    );
    check(RedeemError::Store(store()), 503, "store_unavailable");
    check(ResetError::Store(store()), 503, "store_unavailable");
    check(
        ResetError::Mail(MailError::Unavailable(SECRET.into())),
        500,
        "internal_error",
    );
}

#[test]
fn whoever_has_to_wait_is_told_how_long_however_long_that_is() {
    let wait = Duration::from_millis(899_001);
    let errors: [ApiError; 5] = [
        LoginError::TooMany(TooManyAttempts { wait }).into(),
        RegisterError::TooMany(TooManyAttempts { wait }).into(),
        ChangePasswordError::TooMany(TooManyAttempts { wait }).into(),
        RedeemError::TooMany(TooManyAttempts { wait }).into(),
        ResetError::TooMany(TooManyAttempts { wait }).into(),
    ];
    for error in errors {
        assert_eq!(error.code(), Code::TooManyAttempts);
        let response = error.error_response();
        assert_eq!(response.status().as_u16(), 429);
        assert_eq!(response.headers().get(header::RETRY_AFTER).unwrap(), "900");
    }
}

fn rejections() -> [(RejectedPinecone, &'static str); 6] {
    [
        (RejectedPinecone::Key, "pinecone_key_refused"),
        (
            RejectedPinecone::UnknownIndex(SECRET.into()),
            "pinecone_index_unknown",
        ),
        (RejectedPinecone::AmbiguousIndex(2), "pinecone_index_ambiguous"),
        (
            RejectedPinecone::Dimension {
                index: SECRET.into(),
                actual: SECRET.into(),
                expected: small(),
            },
            "pinecone_dimension_mismatch",
        ),
        (
            RejectedPinecone::Metric {
                index: SECRET.into(),
                metric: SECRET.into(),
            },
            "pinecone_metric_unsupported",
        ),
        (RejectedPinecone::Refused, "pinecone_refused"),
    ]
}

#[test]
fn a_tenant_that_cannot_be_saved_is_the_callers_mistake_unless_it_is_ours() {
    for (rejected, code) in rejections() {
        check(SaveTenantError::Pinecone(rejected), 422, code);
    }
    let invalid = tenantry_retrieval::InvalidField {
        field: "name",
        reason: "is empty",
    };
    check(SaveTenantError::Invalid(invalid), 422, "invalid_request");
    check(
        SaveTenantError::Seal(SealError::Unavailable(SECRET.into())),
        500,
        "internal_error",
    );
    check(
        SaveTenantError::Open(OpenError::Rejected),
        503,
        "tenant_secret_unavailable",
    );
    check(SaveTenantError::Store(StoreError::IdTaken), 409, "id_taken");
}

#[test]
fn settings_that_do_not_work_in_use_are_not_the_callers_mistake() {
    for (rejected, _) in rejections() {
        let code = match rejected {
            RejectedPinecone::Key => "vector_store_unauthorized",
            _ => "vector_store_misconfigured",
        };
        check(CollectionError::Rejected(rejected), 502, code);
    }
    check(CollectionError::Pending, 503, "pinecone_pending");
    let unknown_key = OpenError::UnknownKey(KeyId::from_bytes([0; 8]));
    for error in [OpenError::Malformed, OpenError::Rejected, unknown_key] {
        check(
            CollectionError::SealedKey(error),
            503,
            "tenant_secret_unavailable",
        );
    }
    check(
        CollectionError::Store(StoreError::Unavailable(SECRET.into())),
        503,
        "store_unavailable",
    );
}

#[test]
fn every_failure_of_a_vector_store_has_its_answer() {
    let mismatch = || VectorError::DimensionMismatch {
        expected: small(),
        actual: small(),
    };
    let limited = || VectorError::RateLimited {
        retry_after: None,
        source: SECRET.into(),
    };
    check(mismatch(), 503, "embedding_mismatch");
    check(VectorError::EmbeddingRequired, 500, "embedding_not_configured");
    check(
        VectorError::Unauthorized(SECRET.into()),
        502,
        "vector_store_unauthorized",
    );
    check(
        VectorError::UnknownIndex(SECRET.into()),
        502,
        "vector_store_unknown_index",
    );
    check(limited(), 503, "vector_store_rate_limited");
    check(VectorError::Refused(SECRET.into()), 502, "vector_store_refused");
    check(
        VectorError::Unavailable(SECRET.into()),
        503,
        "vector_store_unavailable",
    );
    check(
        CollectionError::Vector(limited()),
        503,
        "vector_store_rate_limited",
    );
    check(SearchError::Vector(mismatch()), 503, "embedding_mismatch");
}

#[test]
fn every_failure_of_documents_and_searches_has_its_answer() {
    let invalid = tenantry_retrieval::InvalidField {
        field: "file",
        reason: "is empty",
    };
    check(SubmitError::Invalid(invalid), 422, "invalid_request");
    check(SubmitError::TooLarge { max_bytes: 1 }, 413, "payload_too_large");
    check(SubmitError::ReadOnly, 409, "read_only");
    check(SubmitError::Read(SECRET.into()), 500, "internal_error");
    check(
        SubmitError::Store(StoreError::Failed(SECRET.into())),
        500,
        "store_failed",
    );
    check(CollectionError::ReadOnly, 409, "read_only");
    let mismatch = EmbeddingMismatch {
        index: EmbeddingModel {
            provider: SECRET.into(),
            name: "a".into(),
            dimension: None,
        },
        configured: Vec::new(),
    };
    let error = ApiError::from(SearchError::Model(mismatch.clone()));
    assert!(error.chain().contains(SECRET), "the log has both models");
    check(SearchError::Model(mismatch), 503, "embedding_mismatch");
    check(SearchError::NoModel, 500, "embedding_not_configured");
    let filter = Filter::Eq("and".into(), MetadataValue::Bool(true));
    check(
        SearchError::Filter(filter.check().unwrap_err()),
        422,
        "invalid_request",
    );
}

#[test]
fn every_failure_of_a_model_has_its_answer() {
    let limited = || LlmError::RateLimited {
        retry_after: None,
        source: SECRET.into(),
    };
    check(LlmError::Unauthorized(SECRET.into()), 502, "llm_unauthorized");
    check(limited(), 503, "llm_rate_limited");
    check(LlmError::QuotaExceeded(SECRET.into()), 502, "llm_quota_exceeded");
    check(LlmError::UnknownModel(SECRET.into()), 502, "llm_unknown_model");
    check(LlmError::TooLong(SECRET.into()), 422, "input_too_long");
    check(LlmError::Refused(SECRET.into()), 502, "llm_refused");
    check(LlmError::Protocol(SECRET.into()), 502, "llm_protocol");
    check(LlmError::Truncated(SECRET.into()), 502, "llm_truncated");
    check(LlmError::Unavailable(SECRET.into()), 503, "llm_unavailable");
    check(LlmError::Cancelled, 503, "cancelled");
    check(ChatError::Complete(limited()), 503, "llm_rate_limited");
    check(
        ChatError::Search(SearchError::Embed(limited())),
        503,
        "llm_rate_limited",
    );
}

#[test]
fn every_failure_of_a_question_and_a_conversation_has_its_answer() {
    let invalid = || tenantry_retrieval::InvalidField {
        field: "message",
        reason: "is empty",
    };
    let store = || StoreError::Unavailable(SECRET.into());
    check(ChatError::Invalid(invalid()), 422, "invalid_request");
    check(ChatError::UnknownConversation, 404, "not_found");
    check(ChatError::UnknownModel, 422, "unknown_model");
    check(ChatError::InstructionsRefused, 422, "instructions_refused");
    check(
        ChatError::SealedKey(OpenError::Rejected),
        503,
        "tenant_secret_unavailable",
    );
    check(ChatError::Store(store()), 503, "store_unavailable");
    check(ConversationError::Invalid(invalid()), 422, "invalid_request");
    check(ConversationError::Store(store()), 503, "store_unavailable");
}

#[test]
fn the_wait_that_an_upstream_asks_for_is_passed_on_within_bounds() {
    for (asked, told) in [
        (0, "1"),
        (1, "1"),
        (1_001, "2"),
        (90_000, "90"),
        (86_400_000, "300"),
    ] {
        let retry_after = Some(Duration::from_millis(asked));
        let error = ApiError::from(LlmError::RateLimited {
            retry_after,
            source: SECRET.into(),
        });
        let response = error.error_response();
        assert_eq!(
            response.headers().get(header::RETRY_AFTER).unwrap(),
            told,
            "{asked} ms"
        );
    }
}

#[test]
fn the_log_gets_the_whole_chain_on_one_line() {
    let cause = StoreError::Unavailable("no route\r\nto host".into());
    let error = ApiError::from(SearchError::Store(cause));
    assert!(error.source().is_some());
    assert_eq!(
        error.chain(),
        "the database is unavailable, try again in a moment: the store is unavailable: no route  to host"
    );
}

#[test]
fn codes_and_sentences_are_well_formed_and_codes_are_distinct() {
    let names: BTreeSet<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(names.len(), Code::ALL.len());
    for code in Code::ALL {
        assert!(
            code.as_str().chars().all(|c| c.is_ascii_lowercase() || c == '_'),
            "{code:?}"
        );
        assert!(
            !code.sentence().ends_with('.') && !code.sentence().starts_with(char::is_whitespace),
            "{code:?}"
        );
    }
}

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The names of the variants of a `pub enum`, as its source has them.
fn variants(source: &str, name: &str) -> Vec<String> {
    let start = format!("pub enum {name} {{\n");
    let body = source
        .split_once(&start)
        .unwrap_or_else(|| panic!("no enum {name}"))
        .1;
    let body = body.split_once("\n}").unwrap().0;
    let lines = body
        .lines()
        .filter(|line| line.starts_with("    ") && !line.starts_with("     "));
    let names = lines.map(|line| {
        line.trim()
            .chars()
            .take_while(|c| c.is_alphanumeric())
            .collect::<String>()
    });
    names
        .filter(|name| name.starts_with(char::is_uppercase))
        .collect()
}

/// A match over an enum of another crate needs an arm for what that crate may add; this holds that nothing falls into it.
#[test]
fn every_variant_of_every_error_is_mapped_by_name() {
    let mapping = concat!(include_str!("from.rs"), include_str!("accounts.rs"));
    for (file, name) in [
        ("tenant-store/src/error.rs", "StoreError"),
        ("vector-client/src/error.rs", "VectorError"),
        ("llm-client/src/error.rs", "LlmError"),
        ("retrieval/src/resolve/mod.rs", "ResolveError"),
        ("retrieval/src/accounts/login.rs", "LoginError"),
        ("retrieval/src/accounts/mod.rs", "AccountError"),
        ("retrieval/src/accounts/mod.rs", "RegisterError"),
        ("retrieval/src/accounts/passwords.rs", "ChangePasswordError"),
        ("retrieval/src/accounts/resets.rs", "RedeemError"),
        ("retrieval/src/sessions.rs", "RefreshError"),
        ("retrieval/src/api_keys.rs", "ApiKeyError"),
        ("retrieval/src/tenants/mod.rs", "SaveTenantError"),
        ("retrieval/src/pinecone.rs", "RejectedPinecone"),
        ("retrieval/src/collections/mod.rs", "CollectionError"),
        ("retrieval/src/knowledge.rs", "SubmitError"),
        ("retrieval/src/search/error.rs", "SearchError"),
        ("retrieval/src/chat/error.rs", "ChatError"),
        ("retrieval/src/conversations.rs", "ConversationError"),
    ] {
        let source = fs::read_to_string(workspace().join("crates").join(file)).unwrap();
        let variants = variants(&source, name);
        assert!(!variants.is_empty(), "{name}");
        for variant in variants {
            let whole = format!("{name}::{variant}");
            let named = mapping
                .split(&whole)
                .skip(1)
                .any(|rest| !rest.starts_with(char::is_alphanumeric));
            assert!(named, "{whole} is not mapped");
        }
    }
}

#[test]
fn the_documented_codes_are_those_that_there_are() {
    let page = fs::read_to_string(workspace().join("docs/http-api.md")).unwrap();
    let table = page.split_once("| Status | Code |").unwrap().1;
    let table = table.split_once("\n\n").unwrap().0;
    let documented: BTreeSet<(String, String)> = table
        .lines()
        .skip(2)
        .map(|row| {
            let mut cells = row
                .split('|')
                .map(|cell| cell.trim().trim_matches('`').to_owned())
                .skip(1);
            (cells.next().unwrap(), cells.next().unwrap())
        })
        .collect();
    let actual = Code::ALL
        .iter()
        .map(|code| (code.status().as_u16().to_string(), code.as_str().to_owned()));
    assert_eq!(documented, actual.collect());
}
