use actix_web::http::header;
use actix_web::web::Data;
use actix_web::{HttpMessage, HttpRequest};
use secrecy::{ExposeSecret, SecretString};
use tenantry_domain::{RequestOrigin, TenantId};
use tenantry_retrieval::{Caller, Credential};

use super::origin::origin;
use super::{only, shared};
use crate::app::App;
use crate::error::{ApiError, Code};
use crate::offload::{Class, Offload, Permit};

/// The longest token in bytes that is looked at: identity providers put more into theirs than we do.
const MAX_TOKEN_BYTES: usize = 16_384;

/// The tenant of the request's credential, for the access log.
#[derive(Debug, Clone)]
pub(crate) struct LoggedTenant(pub(crate) TenantId);

/// A genuine credential, and the bridge to cross with it.
#[derive(Debug, Clone)]
pub(super) struct Bearer {
    bridge: Data<Offload>,
    credential: Credential,
    /// A token of ours, which may expire while it is used.
    token: Option<SecretString>,
    /// The tenant that the credential names.
    tenant: Option<TenantId>,
    origin: RequestOrigin,
}

impl Bearer {
    /// Reads the one `Authorization` header, never the address or a cookie, and verifies what it holds: a token of ours at once; an API
    /// key that was not seen within the last second, and a token of another issuer, by a hop of their own.
    pub(super) async fn of(request: HttpRequest) -> Result<Self, ApiError> {
        let bearer = Self::read(&request).await?;
        if let Some(tenant) = &bearer.tenant {
            request.extensions_mut().insert(LoggedTenant(tenant.clone()));
        }
        Ok(bearer)
    }

    async fn read(request: &HttpRequest) -> Result<Self, ApiError> {
        let bridge = shared::<Offload>(request)?;
        let text = token(request).ok_or_else(|| ApiError::new(Code::Unauthenticated))?;
        let origin = origin(request);
        if let Some(key) = Credential::api_key(text) {
            return Self::of_api_key(bridge, key, origin).await;
        }
        let token = SecretString::from(text);
        match bridge.app().verifier.verify(text) {
            Ok(claims) => Ok(Self {
                bridge,
                tenant: claims.tenant.clone(),
                credential: Credential::Token(claims),
                token: Some(token),
                origin,
            }),
            Err(_) if may_be_foreign(text) => Self::of_another_issuer(bridge, token, origin).await,
            Err(_) => Err(ApiError::new(Code::Unauthenticated)),
        }
    }

    async fn of_api_key(
        bridge: Data<Offload>,
        credential: Credential,
        origin: RequestOrigin,
    ) -> Result<Self, ApiError> {
        let mut tenant = bridge.app().resolver.remembered_tenant(&credential);
        if tenant.is_none() {
            let (key, from) = (credential.clone(), origin.clone());
            let hop = bridge.run(Class::Store, move |app| {
                let caller = app.resolver.caller(&key, &from)?;
                Ok::<_, ApiError>(caller.tenant().map(|tenant| tenant.id.clone()))
            });
            tenant = hop.await??;
        }
        Ok(Self {
            bridge,
            credential,
            token: None,
            tenant,
            origin,
        })
    }

    async fn of_another_issuer(
        bridge: Data<Offload>,
        token: SecretString,
        origin: RequestOrigin,
    ) -> Result<Self, ApiError> {
        let from = origin.clone();
        let hop = bridge.run(Class::Upstream, move |app| {
            app.identities.authenticate(&token, &from)
        });
        let identity = hop.await??;
        Ok(Self {
            bridge,
            tenant: Some(identity.tenant.clone()),
            credential: Credential::Identity(identity),
            token: None,
            origin,
        })
    }

    /// Whether a token is still valid; of the other kinds that is looked up with the caller.
    pub(super) fn verify(&self) -> Result<(), ApiError> {
        let Some(token) = &self.token else {
            return Ok(());
        };
        let verified = self.bridge.app().verifier.verify(token.expose_secret());
        verified
            .map(|_| ())
            .map_err(|_| ApiError::new(Code::Unauthenticated))
    }

    /// Crosses the bridge once, looks up who the bearer is now, and runs `work` for them.
    pub(super) async fn run<T, E>(
        self,
        class: Class,
        work: impl FnOnce(&App, Caller) -> Result<T, E> + Send + 'static,
    ) -> Result<T, ApiError>
    where
        T: Send + 'static,
        E: Into<ApiError>,
    {
        let Self {
            bridge,
            credential,
            origin,
            ..
        } = self;
        let hop = bridge.run(class, move |app| {
            let caller = app.resolver.caller(&credential, &origin)?;
            work(app, caller).map_err(Into::into)
        });
        hop.await?
    }

    /// As [`Bearer::run`], for one who has the permit.
    pub(super) async fn run_with<T: Send + 'static>(
        &self,
        permit: Permit,
        work: impl FnOnce(&App, Caller) -> Result<T, ApiError> + Send + 'static,
    ) -> Result<T, ApiError> {
        let (credential, origin) = (self.credential.clone(), self.origin.clone());
        let hop = self.bridge.run_with(permit, move |app| {
            let caller = app.resolver.caller(&credential, &origin)?;
            work(app, caller)
        });
        hop.await?
    }

    /// The tenant that the credential names; whether it may be used is known after a hop alone.
    pub(super) fn tenant(&self) -> Option<&TenantId> {
        self.tenant.as_ref()
    }

    pub(super) fn bridge(&self) -> &Offload {
        &self.bridge
    }
}

/// The token after the scheme `Bearer` (RFC 6750, section 2.1), when it is not too long to be one.
fn token(request: &HttpRequest) -> Option<&str> {
    let (scheme, token) = only(request, header::AUTHORIZATION)?.split_once(' ')?;
    let token = token.trim_start_matches(' ');
    (scheme.eq_ignore_ascii_case("bearer") && token.len() <= MAX_TOKEN_BYTES).then_some(token)
}

/// Whether a token that is none of ours has the form of one that another issuer may have signed (RFC 7515, section 7.1).
fn may_be_foreign(token: &str) -> bool {
    let mut parts = token.split('.');
    let all = [parts.next(), parts.next(), parts.next()];
    let are_there = all.iter().all(|part| part.is_some_and(|part| !part.is_empty()));
    are_there && parts.next().is_none()
}
