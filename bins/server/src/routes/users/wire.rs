use serde::{Deserialize, Serialize};
use tenantry_domain::{Role, TenantId, User};
use tenantry_retrieval::{NewUser, UserUpdate};
use utoipa::ToSchema;

use crate::error::{ApiError, Code};
use crate::extract::present;
use crate::routes::wire::Secret;

/// A user.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = User)]
pub(in crate::routes) struct UserView {
    /// The user's id, which is the `sub` of their tokens.
    id: String,
    /// The address to log in with.
    email: String,
    /// Whether the user manages the platform.
    is_superuser: bool,
    /// Whether the user may log in.
    is_active: bool,
    /// The user's tenant.
    tenant_id: Option<String>,
    /// What the user may do there: `reader`, `member` or `admin`.
    #[schema(example = "member")]
    role: &'static str,
    /// When the user was made.
    #[schema(format = DateTime)]
    created_at: String,
    /// When the user last changed.
    #[schema(format = DateTime)]
    updated_at: String,
}

impl From<User> for UserView {
    fn from(user: User) -> Self {
        Self {
            id: user.id.to_string(),
            email: user.email.as_str().to_owned(),
            is_superuser: user.is_superuser,
            is_active: user.is_active,
            tenant_id: user.tenant.map(|tenant| tenant.to_string()),
            role: user.role.as_str(),
            created_at: user.created_at.to_string(),
            updated_at: user.updated_at.to_string(),
        }
    }
}

/// Who wants an account.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"email": "ada@example.org", "password": "correct horse battery"}))]
pub(super) struct Registration {
    /// The address to log in with.
    pub(super) email: String,
    /// The password: at least 12 characters, at most 1,024 bytes, not a common one.
    #[schema(value_type = String, format = Password)]
    pub(super) password: Secret,
}

/// A user to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewUser, example = json!({
    "email": "grace@example.org", "password": "correct horse battery", "tenant_id": "acme"
}))]
pub(super) struct NewUserBody {
    /// The address to log in with.
    email: String,
    /// The password: at least 12 characters, at most 1,024 bytes, not a common one.
    #[schema(value_type = String, format = Password)]
    password: Secret,
    /// The user's tenant.
    tenant_id: Option<String>,
    /// What the user may do in the tenant: `reader`, `member` or `admin`, else `member`.
    #[schema(example = "member")]
    role: Option<String>,
    /// Whether the user manages the platform.
    #[serde(default)]
    is_superuser: bool,
}

/// What to change of a user; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = UserUpdate, example = json!({"tenant_id": "acme"}))]
pub(super) struct UserUpdateBody {
    /// The tenant; `null` takes the user out of it. A change ends the user's sessions.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    tenant_id: Option<Option<String>>,
    /// What the user may do in the tenant: `reader`, `member` or `admin`. Who comes to another tenant is a member there unless this says
    /// otherwise.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = String)]
    role: Option<String>,
    /// Whether the user may log in. A change ends the user's sessions.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = bool)]
    is_active: Option<bool>,
    /// Whether the user manages the platform. A change ends the user's sessions.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = bool)]
    is_superuser: Option<bool>,
    /// A new password, which ends the user's sessions.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = String, format = Password)]
    password: Option<Secret>,
}

/// Which users to list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct UserParams {
    /// Only users of this tenant.
    pub(super) tenant_id: Option<String>,
    /// How many entries at most: 1 to 100, else 50.
    pub(super) limit: Option<u32>,
    /// How many entries to skip.
    pub(super) offset: Option<u32>,
}

/// A tenant id in a body or a query; one that nothing can have is a mistake there.
pub(super) fn tenant(id: Option<String>) -> Result<Option<TenantId>, ApiError> {
    Ok(id.map(|id| TenantId::parse(&id)).transpose()?)
}

/// A role by its name.
pub(in crate::routes) fn role(name: Option<String>) -> Result<Option<Role>, ApiError> {
    let wrong =
        || ApiError::new(Code::InvalidRequest).saying("`role` is none of `reader`, `member` and `admin`");
    name.map(|name| name.parse().map_err(|_| wrong())).transpose()
}

impl NewUserBody {
    pub(super) fn into_new(self) -> Result<NewUser, ApiError> {
        Ok(NewUser {
            email: self.email,
            password: self.password.into_inner(),
            is_superuser: self.is_superuser,
            tenant: tenant(self.tenant_id)?,
            role: role(self.role)?.unwrap_or_default(),
        })
    }
}

impl UserUpdateBody {
    pub(super) fn into_update(self) -> Result<UserUpdate, ApiError> {
        Ok(UserUpdate {
            tenant: self.tenant_id.map(tenant).transpose()?,
            role: role(self.role)?,
            is_active: self.is_active,
            is_superuser: self.is_superuser,
            password: self.password.map(Secret::into_inner),
        })
    }
}
