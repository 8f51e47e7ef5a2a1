//! The identity providers whose tokens tenants accept.

mod memory;
mod provider;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};
use tenantry_auth::{IDENTITY_LEEWAY, IdentityVerifier};
use tenantry_domain::{
    Actor, Clock, ForeignIdentity, IdentityProvider, IdentityProviderId, Page, Paged, Permission,
    Permissions, Principal, RequestOrigin, TenantId, Timestamp, UserId,
};
use tenantry_tenant_store::{Admission, IdentityStore, StoreError};

use self::memory::{Candidates, Remembered};
pub use self::provider::{ClaimMappingUpdate, IdentityProviderUpdate, NewIdentityProvider};
use crate::opaque::hash_of;
use crate::{AdmittedIdentity, IdentityGate, InvalidField, ResolveError, TenantAdmin};

/// How many providers a tenant may have: each may cost a call whenever it is asked.
const MAX_PROVIDERS: u64 = 10;

/// Why a provider was not kept.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IdentityProviderError {
    /// A value cannot be kept.
    #[error(transparent)]
    Invalid(#[from] InvalidField),
    /// The caller may not do all that a user of the tenant may, whom a provider can name.
    #[error("the caller lacks the permission `{0}`")]
    Beyond(Permission),
    /// Another tenant accepts the same tokens, which could then not be told to be of either.
    #[error("another tenant accepts tokens of this issuer for this audience")]
    Anothers,
    /// The tenant has as many as it may.
    #[error("the tenant has 10 identity providers")]
    TooMany,
    /// The tenant has one of the same tokens, or the store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Knows whom the tokens of identity providers name, and lets tenants' admins say which providers those are.
///
/// A token that was admitted is remembered for a minute, and not beyond its end, so that a request needs no write. Whether its providers are
/// still as they were is read once a second.
pub struct Identities {
    store: Arc<dyn IdentityStore>,
    verifier: Arc<dyn IdentityVerifier>,
    clock: Arc<dyn Clock>,
    remembered: Remembered,
}

impl Identities {
    /// The providers in `store`, whose tokens `verifier` verifies.
    pub fn new(
        store: Arc<dyn IdentityStore>,
        verifier: Arc<dyn IdentityVerifier>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            store,
            verifier,
            clock,
            remembered: Remembered::default(),
        }
    }

    /// Adds a provider to the admin's tenant.
    ///
    /// # Errors
    /// [`IdentityProviderError::Beyond`] when the caller may not do all that a tenant's user may; [`IdentityProviderError::Anothers`] when
    /// another tenant has one of the same issuer and audience, unless both ask for the same tenant claim with different texts; when a
    /// value cannot be kept, the tenant has ten or one of the same issuer, audience and tenant claim, or the store fails.
    pub fn create(
        &self,
        admin: &TenantAdmin,
        new: NewIdentityProvider,
    ) -> Result<IdentityProvider, IdentityProviderError> {
        may_speak_for_all(admin)?;
        let now = self.clock.now();
        let provider = new.provider(IdentityProviderId::generate(now), now, &*self.verifier)?;
        let there = self.store.identity_providers(admin.scope(), Page::default())?;
        if there.total >= MAX_PROVIDERS {
            return Err(IdentityProviderError::TooMany);
        }
        self.refuse_anothers(admin, &provider)?;
        self.store.create_identity_provider(admin.scope(), &provider)?;
        self.remembered.forget();
        Ok(provider)
    }

    /// A provider of the admin's tenant.
    ///
    /// # Errors
    /// When the store fails.
    pub fn provider(
        &self,
        admin: &TenantAdmin,
        id: IdentityProviderId,
    ) -> Result<Option<IdentityProvider>, IdentityProviderError> {
        Ok(self.store.identity_provider(admin.scope(), id)?)
    }

    /// A page of the providers of the admin's tenant, by id.
    ///
    /// # Errors
    /// When the store fails.
    pub fn providers(
        &self,
        admin: &TenantAdmin,
        page: Page,
    ) -> Result<Paged<IdentityProvider>, IdentityProviderError> {
        Ok(self.store.identity_providers(admin.scope(), page)?)
    }

    /// Changes a provider of the admin's tenant; `None` when there is none of that id.
    ///
    /// # Errors
    /// As [`Identities::create`].
    pub fn update(
        &self,
        admin: &TenantAdmin,
        id: IdentityProviderId,
        update: IdentityProviderUpdate,
    ) -> Result<Option<IdentityProvider>, IdentityProviderError> {
        may_speak_for_all(admin)?;
        let Some(provider) = self.store.identity_provider(admin.scope(), id)? else {
            return Ok(None);
        };
        let changed = update.applied_to(provider, self.clock.now(), &*self.verifier)?;
        self.refuse_anothers(admin, &changed)?;
        let is_there = self.store.update_identity_provider(admin.scope(), &changed)?;
        self.remembered.forget();
        Ok(is_there.then_some(changed))
    }

    /// Removes a provider of the admin's tenant: none of its tokens is accepted any more. Its users stay. Whether there was one.
    ///
    /// # Errors
    /// When the store fails.
    pub fn remove(&self, admin: &TenantAdmin, id: IdentityProviderId) -> Result<bool, IdentityProviderError> {
        let now = self.clock.now();
        let was_there = self.store.remove_identity_provider(admin.scope(), id, now)?;
        self.remembered.forget();
        Ok(was_there)
    }

    /// Tokens that two tenants would accept are refused, so that whoever came second would shut out the users of the first.
    fn refuse_anothers(
        &self,
        admin: &TenantAdmin,
        provider: &IdentityProvider,
    ) -> Result<(), IdentityProviderError> {
        let claim = provider.claims.tenant.as_ref();
        let accepts_the_same = |other: &IdentityProvider| {
            other.audience == provider.audience && !are_told_apart(claim, other.claims.tenant.as_ref())
        };
        let all = self.store.providers_of_issuer(&provider.issuer)?;
        let mut others = all.iter().filter(|(tenant, _)| tenant != admin.scope().id());
        if provider.is_active && others.any(|(_, other)| accepts_the_same(other)) {
            return Err(IdentityProviderError::Anothers);
        }
        Ok(())
    }

    /// The providers of that issuer as they are.
    fn read(&self, issuer: &str, now: Timestamp) -> Result<Candidates, StoreError> {
        let generation = self.remembered.generation();
        let read = self.store.providers_of_issuer(issuer)?;
        Ok(self.remembered.keep_candidates(issuer, read, now, generation))
    }

    /// Whom the token names by these providers: as remembered, or verified and admitted now.
    fn admitted_by(
        &self,
        candidates: &Candidates,
        token: &str,
        origin: &RequestOrigin,
        now: Timestamp,
    ) -> Result<AdmittedIdentity, ResolveError> {
        let hash = hash_of(token);
        if let Some(admitted) = self.remembered.admitted(&hash, candidates, now) {
            return Ok(admitted);
        }
        let admitted = self.admit(candidates, token, origin, now)?;
        self.remembered.keep(hash, candidates, &admitted, now);
        Ok(admitted)
    }

    /// Verifies the token for each candidate, and admits whom it names.
    fn admit(
        &self,
        candidates: &Candidates,
        token: &str,
        origin: &RequestOrigin,
        now: Timestamp,
    ) -> Result<AdmittedIdentity, ResolveError> {
        let (tenant, provider, identity) = self.judge(candidates, token)?;
        let actor = Actor {
            principal: Principal::Anonymous,
            origin: origin.clone(),
        };
        let new_user = UserId::generate(now);
        let admitted = self
            .store
            .admit_identity(tenant, provider, &identity, new_user, &actor, now);
        match admitted {
            Ok(Admission::User(user)) => Ok(AdmittedIdentity {
                user: user.id,
                tenant: tenant.clone(),
                issued_at: identity.issued_at,
                // By a clock that may be behind the provider's.
                expires_at: identity.expires_at.saturating_add(IDENTITY_LEEWAY),
            }),
            // The provider was removed or changed meanwhile.
            Ok(Admission::Unknown | Admission::AddressTaken) | Err(StoreError::UnknownTenant) => {
                Err(ResolveError::Unauthenticated)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The one provider that accepts the token. Of one tenant's, one that asks for a tenant claim speaks more exactly than one that takes
    /// every token of the issuer. Between tenants it does not: whoever names a claim that all tokens have would take another's users.
    /// Two that would do are none, because nothing tells whose user it is.
    fn judge<'c>(
        &self,
        candidates: &'c Candidates,
        token: &str,
    ) -> Result<(&'c TenantId, &'c IdentityProvider, ForeignIdentity), ResolveError> {
        let mut accepted = Vec::new();
        for (tenant, provider) in candidates.iter() {
            match self.verifier.verify(provider, token) {
                Ok(identity) => accepted.push((tenant, provider, identity)),
                // It might accept the token as well: who alone is left is not known.
                Err(error) if error.is_transient() => return Err(ResolveError::Provider(error.into())),
                Err(_) => {}
            }
        }
        let asks = |provider: &IdentityProvider| provider.claims.tenant.is_some();
        let mut tenants = accepted.iter().map(|(tenant, ..)| *tenant);
        let first = tenants.next();
        if tenants.any(|tenant| Some(tenant) != first) {
            return Err(ResolveError::Unauthenticated);
        }
        if accepted.iter().any(|(_, provider, _)| asks(provider)) {
            accepted.retain(|(_, provider, _)| asks(provider));
        }
        let only = accepted.pop().filter(|_| accepted.is_empty());
        only.ok_or(ResolveError::Unauthenticated)
    }
}

impl IdentityGate for Identities {
    fn authenticate(
        &self,
        token: &SecretString,
        origin: &RequestOrigin,
    ) -> Result<AdmittedIdentity, ResolveError> {
        let (token, now) = (token.expose_secret(), self.clock.now());
        let issuer = self.verifier.issuer_of(token);
        let issuer = issuer.ok_or(ResolveError::Unauthenticated)?;
        let Some(known) = self.remembered.candidates(&issuer, now) else {
            return self.admitted_by(&self.read(&issuer, now)?, token, origin, now);
        };
        let admitted = self.admitted_by(&known, token, origin, now);
        if !matches!(admitted, Err(ResolveError::Unauthenticated)) {
            return admitted;
        }
        // A refusal is never decided from memory: the provider may have been added on another server just now.
        let read = self.read(&issuer, now)?;
        if Arc::ptr_eq(&known, &read) {
            return admitted;
        }
        self.admitted_by(&read, token, origin, now)
    }
}

impl fmt::Debug for Identities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identities").finish_non_exhaustive()
    }
}

/// Whether no token has what both ask for: the same claim with different texts.
fn are_told_apart(one: Option<&(String, String)>, other: Option<&(String, String)>) -> bool {
    one.zip(other)
        .is_some_and(|((claim, text), (other_claim, other_text))| claim == other_claim && text != other_text)
}

/// Whoever says which issuer is believed can be any user of the tenant, its admins among them.
fn may_speak_for_all(admin: &TenantAdmin) -> Result<(), IdentityProviderError> {
    let mut all = Permissions::ALL.iter();
    match all.find(|one| !admin.permissions().has(*one)) {
        Some(missing) => Err(IdentityProviderError::Beyond(missing)),
        None => Ok(()),
    }
}
