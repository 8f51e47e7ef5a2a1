use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use secrecy::{ExposeSecret, SecretString};
use tenantry_auth::MAX_TOKEN_BYTES;
use tenantry_domain::{AccessClaims, TenantId, TenantScope, User, UserId};
use tenantry_retrieval::{Caller, Membership, Superuser, TenantAdmin};

use super::{only, shared};
use crate::app::App;
use crate::error::{ApiError, Code};
use crate::offload::{Class, Offload, Permit};

/// The tenant of the request's token, for the access log.
#[derive(Debug, Clone)]
pub(crate) struct LoggedTenant(pub(crate) TenantId);

/// A verified token and the bridge to cross with it.
#[derive(Debug, Clone)]
struct Bearer {
    bridge: Data<Offload>,
    token: SecretString,
    claims: AccessClaims,
}

impl Bearer {
    /// Reads the token from the one `Authorization` header, never from the address or a cookie, and verifies it.
    fn of(request: &HttpRequest) -> Result<Self, ApiError> {
        let bridge = shared::<Offload>(request)?;
        let refused = || ApiError::new(Code::Unauthenticated);
        let token = token(request).ok_or_else(refused)?;
        let claims = bridge.app().verifier.verify(token).map_err(|_| refused())?;
        if let Some(tenant) = &claims.tenant {
            request.extensions_mut().insert(LoggedTenant(tenant.clone()));
        }
        let token = token.into();
        Ok(Self {
            bridge,
            token,
            claims,
        })
    }

    /// Whether the token is still valid.
    fn verify(&self) -> Result<(), ApiError> {
        let verified = self.bridge.app().verifier.verify(self.token.expose_secret());
        verified
            .map(|_| ())
            .map_err(|_| ApiError::new(Code::Unauthenticated))
    }

    /// Crosses the bridge once, looks up who the bearer is now, and runs `work` for them.
    async fn run<T, E>(
        self,
        class: Class,
        work: impl FnOnce(&App, Caller) -> Result<T, E> + Send + 'static,
    ) -> Result<T, ApiError>
    where
        T: Send + 'static,
        E: Into<ApiError>,
    {
        let Self { bridge, claims, .. } = self;
        let hop = bridge.run(class, move |app| {
            let caller = app.resolver.caller(&claims)?;
            work(app, caller).map_err(Into::into)
        });
        hop.await?
    }
}

/// The token after the scheme `Bearer` (RFC 6750, section 2.1), when it is not too long to be one.
fn token(request: &HttpRequest) -> Option<&str> {
    let (scheme, token) = only(request, header::AUTHORIZATION)?.split_once(' ')?;
    let token = token.trim_start_matches(' ');
    (scheme.eq_ignore_ascii_case("bearer") && token.len() <= MAX_TOKEN_BYTES).then_some(token)
}

macro_rules! bearer {
    ($name:ident) => {
        impl FromRequest for $name {
            type Error = ApiError;
            type Future = Ready<Result<Self, ApiError>>;

            fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
                ready(Bearer::of(request).map(Self))
            }
        }
    };
}

/// Somebody with a verified token.
#[derive(Debug)]
pub struct CurrentUser(Bearer);

impl CurrentUser {
    /// Runs `work` for the user, as the store knows them now.
    ///
    /// # Errors
    /// When the user may no longer log in, no permit is free, or `work` fails.
    pub async fn run<T, E>(
        self,
        class: Class,
        work: impl FnOnce(&App, Caller) -> Result<T, E> + Send + 'static,
    ) -> Result<T, ApiError>
    where
        T: Send + 'static,
        E: Into<ApiError>,
    {
        self.0.run(class, work).await
    }
}

/// Somebody with a verified token, who may belong to a tenant. Each use looks again who that is now.
#[derive(Debug, Clone)]
pub struct CurrentTenant(Bearer);

impl CurrentTenant {
    /// Runs `work` in the scope of the caller's own active tenant.
    ///
    /// # Errors
    /// When the caller has no active tenant, no permit is free, or `work` fails.
    pub async fn run<T, E>(
        self,
        class: Class,
        work: impl FnOnce(&App, &TenantScope) -> Result<T, E> + Send + 'static,
    ) -> Result<T, ApiError>
    where
        T: Send + 'static,
        E: Into<ApiError>,
    {
        let scoped = |app: &App, caller: Caller| -> Result<T, ApiError> {
            let scope = app.resolver.scope(&caller)?;
            work(app, &scope).map_err(Into::into)
        };
        self.0.run(class, scoped).await
    }

    /// Runs `work` in the scope of the caller's own active tenant, for the caller.
    ///
    /// # Errors
    /// As [`CurrentTenant::run`].
    pub(crate) async fn run_own<T, E>(
        self,
        class: Class,
        work: impl FnOnce(&App, &TenantScope, UserId) -> Result<T, E> + Send + 'static,
    ) -> Result<T, ApiError>
    where
        T: Send + 'static,
        E: Into<ApiError>,
    {
        let owned = |app: &App, caller: Caller| -> Result<T, ApiError> {
            let scope = app.resolver.scope(&caller)?;
            work(app, &scope, caller.user().id).map_err(Into::into)
        };
        self.0.run(class, owned).await
    }

    /// Runs `work` with what the caller may do in their own active tenant.
    ///
    /// # Errors
    /// As [`CurrentTenant::run`].
    pub async fn run_as<T, E>(
        self,
        class: Class,
        work: impl FnOnce(&App, &Membership) -> Result<T, E> + Send + 'static,
    ) -> Result<T, ApiError>
    where
        T: Send + 'static,
        E: Into<ApiError>,
    {
        let found = |app: &App, caller: Caller| -> Result<T, ApiError> {
            let membership = app.resolver.membership(&caller)?;
            work(app, &membership).map_err(Into::into)
        };
        self.0.run(class, found).await
    }

    /// As [`CurrentTenant::run`], once more in the course of a long answer: the token must not have expired meanwhile either.
    pub(crate) async fn run_again<T, E>(
        &self,
        class: Class,
        work: impl FnOnce(&App, &TenantScope) -> Result<T, E> + Send + 'static,
    ) -> Result<T, ApiError>
    where
        T: Send + 'static,
        E: Into<ApiError>,
    {
        self.0.verify()?;
        self.clone().run(class, work).await
    }

    /// As [`CurrentTenant::run_again`], for one who has the permit and keeps what the caller was found to be.
    pub(crate) async fn run_phase<T: Send + 'static>(
        &self,
        permit: Permit,
        work: impl FnOnce(&App, Resolved) -> Result<T, ApiError> + Send + 'static,
    ) -> Result<T, ApiError> {
        self.0.verify()?;
        let claims = self.0.claims.clone();
        let hop = self.offload().run_with(permit, move |app| {
            let caller = app.resolver.caller(&claims)?;
            let scope = app.resolver.scope(&caller)?;
            work(app, Resolved { caller, scope })
        });
        hop.await?
    }

    /// The tenant that the token names; whether it may be used is known after a hop alone.
    ///
    /// # Errors
    /// When the token names none.
    pub(crate) fn id(&self) -> Result<&TenantId, ApiError> {
        let named = self.0.claims.tenant.as_ref();
        named.ok_or_else(|| ApiError::new(Code::TenantForbidden))
    }

    /// What the work for a request shares with that for others.
    pub(crate) fn offload(&self) -> &Offload {
        &self.0.bridge
    }
}

/// Who asks, as the store knew them when they were looked up last.
#[derive(Debug)]
pub(crate) struct Resolved {
    caller: Caller,
    scope: TenantScope,
}

impl Resolved {
    /// The scope of the caller's own active tenant.
    pub(crate) fn scope(&self) -> &TenantScope {
        &self.scope
    }

    /// The caller.
    pub(crate) fn caller(&self) -> &Caller {
        &self.caller
    }

    /// The caller's account.
    pub(crate) fn user(&self) -> &User {
        self.caller.user()
    }
}

/// Somebody with a verified token, who may be an admin of their tenant.
#[derive(Debug)]
pub struct CurrentAdmin(Bearer);

impl CurrentAdmin {
    /// Runs `work` with the proof that the caller is an admin of their own active tenant.
    ///
    /// # Errors
    /// When the caller is none, no permit is free, or `work` fails.
    pub async fn run<T, E>(
        self,
        class: Class,
        work: impl FnOnce(&App, &TenantAdmin) -> Result<T, E> + Send + 'static,
    ) -> Result<T, ApiError>
    where
        T: Send + 'static,
        E: Into<ApiError>,
    {
        let proven = |app: &App, caller: Caller| -> Result<T, ApiError> {
            let admin = app.resolver.tenant_admin(&caller)?;
            work(app, &admin).map_err(Into::into)
        };
        self.0.run(class, proven).await
    }
}

/// Somebody with a verified token, who may be a superuser.
#[derive(Debug)]
pub struct SuperUser(Bearer);

impl SuperUser {
    /// Runs `work` with the proof that the caller is a superuser.
    ///
    /// # Errors
    /// When the caller is none, no permit is free, or `work` fails.
    pub async fn run<T, E>(
        self,
        class: Class,
        work: impl FnOnce(&App, &Superuser) -> Result<T, E> + Send + 'static,
    ) -> Result<T, ApiError>
    where
        T: Send + 'static,
        E: Into<ApiError>,
    {
        let proven = |app: &App, caller: Caller| -> Result<T, ApiError> {
            let superuser = app.resolver.superuser(&caller)?;
            work(app, &superuser).map_err(Into::into)
        };
        self.0.run(class, proven).await
    }
}

bearer!(CurrentUser);
bearer!(CurrentTenant);
bearer!(CurrentAdmin);
bearer!(SuperUser);
