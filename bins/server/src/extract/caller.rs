use std::marker::PhantomData;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use futures_util::future::LocalBoxFuture;
use tenantry_domain::{TenantId, TenantScope, UserId};
use tenantry_retrieval::{AccountHolder, Caller, ResolveError, Resolver, Superuser, TenantAdmin};

use super::bearer::Bearer;
use super::permission::Needs;
use crate::app::App;
use crate::error::{ApiError, Code};
use crate::offload::{Class, Offload, Permit};

/// What a use case asks of its caller, as the resolver proves it.
pub trait Proof: Sized + 'static {
    /// The proof for that caller.
    ///
    /// # Errors
    /// When the caller is not what it proves, or may not come in any more.
    fn of(resolver: &Resolver, caller: &Caller) -> Result<Self, ResolveError>;
}

impl Proof for AccountHolder {
    fn of(resolver: &Resolver, caller: &Caller) -> Result<Self, ResolveError> {
        resolver.account_holder(caller)
    }
}

impl Proof for TenantAdmin {
    fn of(resolver: &Resolver, caller: &Caller) -> Result<Self, ResolveError> {
        resolver.tenant_admin(caller)
    }
}

impl Proof for Superuser {
    fn of(resolver: &Resolver, caller: &Caller) -> Result<Self, ResolveError> {
        resolver.superuser(caller)
    }
}

/// Somebody with a genuine credential, who may be a user.
pub type CurrentUser = Current<AccountHolder>;
/// Somebody with a genuine credential, who may manage their tenant.
pub type CurrentAdmin = Current<TenantAdmin>;
/// Somebody with a genuine credential, who may be a superuser.
pub type SuperUser = Current<Superuser>;

/// Somebody with a genuine credential, who may be what `P` proves. Each use looks again who that is now.
#[derive(Debug)]
pub struct Current<P>(Bearer, PhantomData<P>);

impl<P: Proof> Current<P> {
    /// Runs `work` with the proof of what the caller is.
    ///
    /// # Errors
    /// When the caller is not what `P` proves, no permit is free, or `work` fails.
    pub async fn run<T, E>(
        self,
        class: Class,
        work: impl FnOnce(&App, &P) -> Result<T, E> + Send + 'static,
    ) -> Result<T, ApiError>
    where
        T: Send + 'static,
        E: Into<ApiError>,
    {
        let proven = |app: &App, caller: Caller| -> Result<T, ApiError> {
            let proof = P::of(&app.resolver, &caller)?;
            work(app, &proof).map_err(Into::into)
        };
        self.0.run(class, proven).await
    }

    /// As [`Current::run`], once more in the course of a long answer: the token must not have expired meanwhile either.
    pub(crate) async fn run_again<T, E>(
        &self,
        class: Class,
        work: impl FnOnce(&App, &P) -> Result<T, E> + Send + 'static,
    ) -> Result<T, ApiError>
    where
        T: Send + 'static,
        E: Into<ApiError>,
    {
        self.0.verify()?;
        let again = Self(self.0.clone(), PhantomData);
        again.run(class, work).await
    }
}

impl<P: Proof> FromRequest for Current<P> {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let reading = Bearer::of(request.clone());
        Box::pin(async move { Ok(Self(reading.await?, PhantomData)) })
    }
}

/// Somebody with a genuine credential, who may have the permission `P` in a tenant. Each use looks again who that is now.
#[derive(Debug, Clone)]
pub struct CurrentTenant<P>(Bearer, PhantomData<P>);

impl<P: Needs> CurrentTenant<P> {
    /// Runs `work` in the scope of the caller's own active tenant.
    ///
    /// # Errors
    /// When the caller has no active tenant or not the permission, no permit is free, or `work` fails.
    pub async fn run<T, E>(
        self,
        class: Class,
        work: impl FnOnce(&App, &TenantScope) -> Result<T, E> + Send + 'static,
    ) -> Result<T, ApiError>
    where
        T: Send + 'static,
        E: Into<ApiError>,
    {
        self.run_own(class, |app, scope, _| work(app, scope)).await
    }

    /// Runs `work` in the scope of the caller's own active tenant, for the one who owns what the caller begins.
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
            let scope = app.resolver.scope(&caller, P::PERMISSION)?;
            work(app, &scope, caller.owner()).map_err(Into::into)
        };
        self.0.run(class, owned).await
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
        let phase = |app: &App, caller: Caller| {
            let scope = app.resolver.scope(&caller, P::PERMISSION)?;
            work(app, Resolved { caller, scope })
        };
        self.0.run_with(permit, phase).await
    }

    /// The tenant that the credential names; whether it may be used is known after a hop alone.
    ///
    /// # Errors
    /// When the credential names none.
    pub(crate) fn id(&self) -> Result<&TenantId, ApiError> {
        self.0
            .tenant()
            .ok_or_else(|| ApiError::new(Code::TenantForbidden))
    }

    /// What the work for a request shares with that for others.
    pub(crate) fn offload(&self) -> &Offload {
        self.0.bridge()
    }
}

impl<P: Needs> FromRequest for CurrentTenant<P> {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let reading = Bearer::of(request.clone());
        Box::pin(async move { Ok(Self(reading.await?, PhantomData)) })
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

    /// The id that owns what the caller begins.
    pub(crate) fn owner(&self) -> UserId {
        self.caller.owner()
    }
}
