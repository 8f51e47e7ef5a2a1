use serde::Deserialize;
use tenantry_retrieval::{NewTenantUser, TenantUserUpdate};
use utoipa::ToSchema;

use crate::error::ApiError;
use crate::extract::present;
use crate::routes::users::wire::role;
use crate::routes::wire::Secret;

/// A user of the caller's own tenant to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewTenantUser, example = json!({
    "email": "grace@example.org", "password": "correct horse battery", "role": "member"
}))]
pub(super) struct NewTenantUserBody {
    /// The address to log in with.
    email: String,
    /// The password: at least 12 characters, at most 1,024 bytes, not a common one. Without one the user sets it by a link, or logs in at an
    /// identity provider.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = String, format = Password)]
    password: Option<Secret>,
    /// What the user may do in the tenant: `reader`, `member` or `admin`, else `member`.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = String, example = "member")]
    role: Option<String>,
}

/// What to change of a user; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TenantUserUpdate, example = json!({"role": "reader"}))]
pub(super) struct TenantUserUpdateBody {
    /// What the user may do in the tenant: `reader`, `member` or `admin`.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = String)]
    role: Option<String>,
    /// Whether the user may log in.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = bool)]
    is_active: Option<bool>,
}

impl NewTenantUserBody {
    pub(super) fn into_new(self) -> Result<NewTenantUser, ApiError> {
        Ok(NewTenantUser {
            email: self.email,
            password: self.password.map(Secret::into_inner),
            role: role(self.role)?.unwrap_or_default(),
        })
    }
}

impl TenantUserUpdateBody {
    pub(super) fn into_update(self) -> Result<TenantUserUpdate, ApiError> {
        Ok(TenantUserUpdate {
            role: role(self.role)?,
            is_active: self.is_active,
        })
    }
}
