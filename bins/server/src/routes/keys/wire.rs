use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use tenantry_domain::{ApiKey, Permission, Permissions, Principal, Timestamp};
use tenantry_retrieval::{IssuedApiKey, NewApiKey};
use utoipa::ToSchema;

use crate::error::{ApiError, Code};

/// An API key to make.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = NewApiKey, example = json!({"name": "website", "scopes": ["chat", "search"]}))]
#[serde(deny_unknown_fields)]
pub(super) struct NewApiKeyBody {
    /// Its name for people, 1 to 100 characters.
    #[schema(example = "website")]
    name: String,
    /// What it may do: of `chat`, `search`, `ingest` and `admin` one at least, and none that its maker lacks.
    #[schema(example = json!(["chat", "search"]))]
    scopes: Vec<String>,
    /// When it ends, as `2027-01-31T00:00:00Z`; else it does not.
    #[schema(format = DateTime)]
    expires_at: Option<String>,
}

impl NewApiKeyBody {
    pub(super) fn into_new(self) -> Result<NewApiKey, ApiError> {
        let scope = |all: Permissions, name: &String| -> Result<_, ApiError> {
            let one: Permission = name.parse().map_err(|_| unknown_scope())?;
            Ok(all.with(one))
        };
        let expires_at = self.expires_at.as_deref().map(str::parse::<Timestamp>);
        Ok(NewApiKey {
            name: self.name,
            permissions: self.scopes.iter().try_fold(Permissions::default(), scope)?,
            expires_at: expires_at
                .transpose()
                .map_err(|_| wrong("`expires_at` is no moment, as `2027-01-31T00:00:00Z`"))?,
        })
    }
}

fn unknown_scope() -> ApiError {
    wrong("`scopes` has one that is none of `chat`, `search`, `ingest` and `admin`")
}

fn wrong(sentence: &str) -> ApiError {
    ApiError::new(Code::InvalidRequest).saying(sentence.to_owned())
}

/// How to replace a key.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = ApiKeyRotation, example = json!({"overlap_seconds": 3600}))]
#[serde(deny_unknown_fields)]
pub(super) struct RotationBody {
    /// How long the key may still be used beside its successor: 0 to 2592000 seconds (30 days), else 86400 (a day).
    pub(super) overlap_seconds: Option<u32>,
}

/// An API key. It has no `Debug`, which would show its text.
#[derive(Serialize, ToSchema)]
#[schema(as = ApiKey)]
pub(super) struct ApiKeyView {
    /// The key's id, which also owns the conversations that it begins.
    id: String,
    /// The key itself, to be sent as `Authorization: Bearer tnk_...`; only in the answer that made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "tnk_9Zk0o2dFQ0tH4nB8cX1vY7sLwJ5mRpEaUiGhKqTzDfM")]
    key: Option<String>,
    /// Its name for people.
    name: String,
    /// How the key begins.
    #[schema(example = "tnk_9Zk0o2dF")]
    prefix: String,
    /// What it may do.
    scopes: Vec<&'static str>,
    /// Who made it.
    created_by: MakerView,
    /// When it was made.
    #[schema(format = DateTime)]
    created_at: String,
    /// When it ends; `null` for never.
    #[schema(format = DateTime)]
    expires_at: Option<String>,
    /// When it was last used, to the minute.
    #[schema(format = DateTime)]
    last_used_at: Option<String>,
    /// When it was revoked.
    #[schema(format = DateTime)]
    revoked_at: Option<String>,
    /// The id of its successor.
    replaced_by: Option<String>,
}

/// Who made a key.
#[derive(Serialize, ToSchema)]
#[schema(as = ApiKeyMaker)]
struct MakerView {
    /// `user`, `api_key`, or `operator` for the command line.
    #[schema(example = "user")]
    kind: &'static str,
    /// The user's or the key's id.
    id: Option<String>,
}

impl From<Principal> for MakerView {
    fn from(principal: Principal) -> Self {
        Self {
            kind: principal.kind(),
            id: principal.id(),
        }
    }
}

impl From<ApiKey> for ApiKeyView {
    fn from(key: ApiKey) -> Self {
        let written = |at: Option<Timestamp>| at.map(|at| at.to_string());
        Self {
            id: key.id.to_string(),
            key: None,
            name: key.name,
            prefix: key.prefix,
            scopes: key.permissions.iter().map(Permission::as_str).collect(),
            created_by: key.created_by.into(),
            created_at: key.created_at.to_string(),
            expires_at: written(key.expires_at),
            last_used_at: written(key.used_at),
            revoked_at: written(key.revoked_at),
            replaced_by: key.replaced_by.map(|id| id.to_string()),
        }
    }
}

impl From<IssuedApiKey> for ApiKeyView {
    fn from(issued: IssuedApiKey) -> Self {
        Self {
            key: Some(issued.text.expose_secret().to_owned()),
            ..issued.key.into()
        }
    }
}
