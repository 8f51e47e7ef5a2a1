use actix_web::http::StatusCode;
use actix_web::web::{Data, Json};
use actix_web::{CustomizeResponder, Responder, delete, get, post, put};
use serde::{Deserialize, Serialize};
use tenantry_domain::{TenantId, User, UserId};
use tenantry_retrieval::{NewUser, UserUpdate};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::wire::{Listing, Secret};
use crate::error::{ApiError, Code};
use crate::extract::{Body, CurrentUser, PageParams, Params, PathId, SuperUser, present};
use crate::offload::{Class, Offload};

pub(super) fn configure(config: &mut ServiceConfig<'_>) {
    config
        .service(register)
        .service(me)
        .service(create_user)
        .service(list_users)
        .service(show_user)
        .service(update_user)
        .service(deactivate_user);
}

/// A user.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = User)]
struct UserView {
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
            created_at: user.created_at.to_string(),
            updated_at: user.updated_at.to_string(),
        }
    }
}

/// Who wants an account.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"email": "ada@example.org", "password": "correct horse battery"}))]
struct Registration {
    /// The address to log in with.
    email: String,
    /// The password: at least 12 characters, at most 1,024 bytes, not a common one.
    #[schema(value_type = String, format = Password)]
    password: Secret,
}

/// A user to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewUser, example = json!({
    "email": "grace@example.org", "password": "correct horse battery", "tenant_id": "acme"
}))]
struct NewUserBody {
    /// The address to log in with.
    email: String,
    /// The password: at least 12 characters, at most 1,024 bytes, not a common one.
    #[schema(value_type = String, format = Password)]
    password: Secret,
    /// The user's tenant.
    tenant_id: Option<String>,
    /// Whether the user manages the platform.
    #[serde(default)]
    is_superuser: bool,
}

/// What to change of a user; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = UserUpdate, example = json!({"tenant_id": "acme"}))]
struct UserUpdateBody {
    /// The tenant; `null` takes the user out of it. A change ends the user's sessions.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    tenant_id: Option<Option<String>>,
    /// Whether the user may log in. A change ends the user's sessions.
    #[serde(default, deserialize_with = "present")]
    is_active: Option<bool>,
    /// Whether the user manages the platform.
    #[serde(default, deserialize_with = "present")]
    is_superuser: Option<bool>,
    /// A new password, which ends the user's sessions.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>, format = Password)]
    password: Option<Secret>,
}

/// Which users to list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct UserParams {
    /// Only users of this tenant.
    tenant_id: Option<String>,
    /// How many entries at most: 1 to 100, else 50.
    limit: Option<u32>,
    /// How many entries to skip.
    offset: Option<u32>,
}

/// Makes an account without a tenant, where the server is open to that.
#[utoipa::path(tag = "Accounts", request_body = Registration, responses((status = 201, body = UserView)))]
#[post("/register")]
async fn register(
    bridge: Data<Offload>,
    body: Body<Registration>,
) -> Result<CustomizeResponder<Json<UserView>>, ApiError> {
    let Registration { email, password } = body.0;
    let work = bridge.run(Class::Password, move |app| {
        if !app.registration_open {
            return Err(ApiError::new(Code::RegistrationClosed));
        }
        Ok(app.accounts.register(&email, password.into_inner())?)
    });
    Ok(created(work.await??))
}

/// The caller.
#[utoipa::path(tag = "Accounts", security(("bearer" = [])), responses((status = 200, body = UserView)))]
#[get("/users/me")]
async fn me(caller: CurrentUser) -> Result<Json<UserView>, ApiError> {
    let user = caller.run(Class::Store, |_, caller| Ok::<_, ApiError>(caller.user().clone()));
    Ok(Json(user.await?.into()))
}

/// Makes a user.
#[utoipa::path(
    tag = "Administration",
    security(("bearer" = [])),
    request_body = NewUserBody,
    responses((status = 201, body = UserView))
)]
#[post("/admin/users")]
async fn create_user(
    admin: SuperUser,
    body: Body<NewUserBody>,
) -> Result<CustomizeResponder<Json<UserView>>, ApiError> {
    let new = body.0.into_new()?;
    let user = admin.run(Class::Password, |app, superuser| {
        app.accounts.create(superuser, new)
    });
    Ok(created(user.await?))
}

/// Lists users by address.
#[utoipa::path(
    tag = "Administration",
    security(("bearer" = [])),
    params(UserParams),
    responses((status = 200, body = Listing<UserView>))
)]
#[get("/admin/users")]
async fn list_users(
    admin: SuperUser,
    params: Params<UserParams>,
) -> Result<Json<Listing<UserView>>, ApiError> {
    let UserParams {
        tenant_id,
        limit,
        offset,
    } = params.0;
    let page = PageParams::new(limit, offset).page()?;
    let tenant = tenant(tenant_id)?;
    let users = admin.run(Class::Store, move |app, superuser| {
        app.accounts.users(superuser, tenant, page)
    });
    Ok(Json(Listing::of(users.await?, UserView::from)))
}

/// Shows a user.
#[utoipa::path(
    tag = "Administration",
    security(("bearer" = [])),
    params(("id" = String, Path, description = "The user's id")),
    responses((status = 200, body = UserView))
)]
#[get("/admin/users/{id}")]
async fn show_user(admin: SuperUser, id: PathId) -> Result<Json<UserView>, ApiError> {
    let user = admin.run(Class::Store, move |app, superuser| {
        let user = app.accounts.user(superuser, id.parse()?)?;
        user.ok_or_else(ApiError::not_found)
    });
    Ok(Json(user.await?.into()))
}

/// Changes a user: assigns it to a tenant, deactivates it, promotes it, sets its password.
#[utoipa::path(
    tag = "Administration",
    security(("bearer" = [])),
    params(("id" = String, Path, description = "The user's id")),
    request_body = UserUpdateBody,
    responses((status = 200, body = UserView))
)]
#[put("/admin/users/{id}")]
async fn update_user(
    admin: SuperUser,
    id: PathId,
    body: Body<UserUpdateBody>,
) -> Result<Json<UserView>, ApiError> {
    change(admin, Class::Password, id, body.0.into_update()?).await
}

/// Deactivates a user, which ends their sessions.
#[utoipa::path(
    tag = "Administration",
    security(("bearer" = [])),
    params(("id" = String, Path, description = "The user's id")),
    responses((status = 200, body = UserView))
)]
#[delete("/admin/users/{id}")]
async fn deactivate_user(admin: SuperUser, id: PathId) -> Result<Json<UserView>, ApiError> {
    let off = UserUpdate {
        is_active: Some(false),
        ..UserUpdate::default()
    };
    change(admin, Class::Store, id, off).await
}

async fn change(
    admin: SuperUser,
    class: Class,
    id: PathId,
    wanted: UserUpdate,
) -> Result<Json<UserView>, ApiError> {
    let user = admin.run(class, move |app, superuser| {
        let user = app.accounts.update(superuser, id.parse::<UserId>()?, wanted)?;
        user.ok_or_else(ApiError::not_found)
    });
    Ok(Json(user.await?.into()))
}

fn created(user: User) -> CustomizeResponder<Json<UserView>> {
    Json(UserView::from(user))
        .customize()
        .with_status(StatusCode::CREATED)
}

/// A tenant id in a body or a query; one that nothing can have is a mistake there.
fn tenant(id: Option<String>) -> Result<Option<TenantId>, ApiError> {
    Ok(id.map(|id| TenantId::parse(&id)).transpose()?)
}

impl NewUserBody {
    fn into_new(self) -> Result<NewUser, ApiError> {
        Ok(NewUser {
            email: self.email,
            password: self.password.into_inner(),
            is_superuser: self.is_superuser,
            tenant: tenant(self.tenant_id)?,
        })
    }
}

impl UserUpdateBody {
    fn into_update(self) -> Result<UserUpdate, ApiError> {
        Ok(UserUpdate {
            tenant: self.tenant_id.map(tenant).transpose()?,
            is_active: self.is_active,
            is_superuser: self.is_superuser,
            password: self.password.map(Secret::into_inner),
        })
    }
}

#[cfg(test)]
mod tests;
