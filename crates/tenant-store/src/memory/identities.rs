use tenantry_domain::{
    Actor, ForeignIdentity, IdentityProvider, IdentityProviderId, Page, Paged, TenantId, TenantScope,
    Timestamp, User, UserId,
};

use super::{MemoryStore, Records, paged};
use crate::ledger::audit::{user_changed, user_created};
use crate::ledger::identities::{
    Standing, added, changed, linked as linked_to, new_role, new_user, removed, role_since, standing,
    still_speaks,
};
use crate::text::Texts;
use crate::{Admission, IdentityStore, StoreError, UserChange};

impl IdentityStore for MemoryStore {
    fn create_identity_provider(
        &self,
        scope: &TenantScope,
        provider: &IdentityProvider,
    ) -> Result<(), StoreError> {
        provider.refuse_nul()?;
        let mut records = self.records();
        let place = (scope.id().clone(), provider.id);
        if records.providers.contains_key(&place) || records.speaks_already(scope.id(), provider) {
            return Err(StoreError::IdTaken);
        }
        records.refuse_unknown(scope.id())?;
        records.providers.insert(place, provider.clone());
        let entry = added(scope.id(), provider);
        records.append_audit(&[entry], scope.actor(), provider.created_at);
        Ok(())
    }

    fn identity_provider(
        &self,
        scope: &TenantScope,
        id: IdentityProviderId,
    ) -> Result<Option<IdentityProvider>, StoreError> {
        let records = self.records();
        Ok(records.providers.get(&(scope.id().clone(), id)).cloned())
    }

    fn identity_providers(
        &self,
        scope: &TenantScope,
        page: Page,
    ) -> Result<Paged<IdentityProvider>, StoreError> {
        let records = self.records();
        let of_tenant = records
            .providers
            .iter()
            .filter(|((tenant, _), _)| tenant == scope.id());
        Ok(paged(
            &of_tenant.map(|(_, provider)| provider).collect::<Vec<_>>(),
            page,
        ))
    }

    fn update_identity_provider(
        &self,
        scope: &TenantScope,
        provider: &IdentityProvider,
    ) -> Result<bool, StoreError> {
        provider.refuse_nul()?;
        let mut records = self.records();
        let place = (scope.id().clone(), provider.id);
        let Some(before) = records.providers.get(&place).cloned() else {
            return Ok(false);
        };
        if records.speaks_already(scope.id(), provider) {
            return Err(StoreError::IdTaken);
        }
        if before.issuer != provider.issuer {
            records.forget_subjects(scope.id(), provider.id);
        }
        let provider = IdentityProvider {
            created_at: before.created_at,
            ..provider.clone()
        };
        if let Some(entry) = changed(scope.id(), &before, &provider) {
            records.append_audit(&[entry], scope.actor(), provider.updated_at);
        }
        records.providers.insert(place, provider);
        Ok(true)
    }

    fn remove_identity_provider(
        &self,
        scope: &TenantScope,
        id: IdentityProviderId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut records = self.records();
        if records.providers.remove(&(scope.id().clone(), id)).is_none() {
            return Ok(false);
        }
        records.forget_subjects(scope.id(), id);
        records.append_audit(&[removed(scope.id(), id)], scope.actor(), now);
        Ok(true)
    }

    fn providers_of_issuer(&self, issuer: &str) -> Result<Vec<(TenantId, IdentityProvider)>, StoreError> {
        let records = self.records();
        let is_active = |tenant| records.tenants.get(tenant).is_some_and(|tenant| tenant.is_active);
        let found = records
            .providers
            .iter()
            .filter(|((tenant, _), provider)| {
                provider.issuer == issuer && provider.is_active && is_active(tenant)
            })
            .map(|((tenant, _), provider)| (tenant.clone(), provider.clone()));
        Ok(found.collect())
    }

    fn admit_identity(
        &self,
        tenant: &TenantId,
        provider: &IdentityProvider,
        identity: &ForeignIdentity,
        new_user_id: UserId,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<Admission, StoreError> {
        identity.refuse_nul()?;
        let mut records = self.records();
        let kept = records.providers.get(&(tenant.clone(), provider.id)).cloned();
        let Some(provider) = kept.filter(|kept| still_speaks(kept, provider)) else {
            return Err(StoreError::UnknownTenant);
        };
        let place = (tenant.clone(), provider.id, identity.subject.clone());
        let linked = records.linked(&place);
        let is_linked = linked.is_some();
        let user = match linked {
            Some(user) => user,
            None => match standing(tenant, &provider, identity, records.of_address(identity)) {
                Standing::Known(user) => *user,
                Standing::New(email) => {
                    let user = new_user(tenant, identity, new_user_id, email, now);
                    records.add_first_seen(user, actor)?
                }
                Standing::Unknown => return Ok(Admission::Unknown),
                Standing::AddressTaken => return Ok(Admission::AddressTaken),
            },
        };
        let user = records.follow_role(user, identity, actor, now)?;
        if !is_linked {
            records.identities.insert(place, user.id);
            records.append_audit(&[linked_to(tenant, provider.id, user.id)], actor, now);
        }
        Ok(Admission::User(Box::new(user)))
    }
}

impl Records {
    /// Whether the tenant has another provider of the same tokens.
    fn speaks_already(&self, tenant: &TenantId, provider: &IdentityProvider) -> bool {
        let same = |other: &IdentityProvider| {
            other.id != provider.id
                && other.issuer == provider.issuer
                && other.audience == provider.audience
                && other.claims.tenant == provider.claims.tenant
        };
        let mut providers = self.providers.iter();
        providers.any(|((of, _), other)| of == tenant && same(other))
    }

    fn forget_subjects(&mut self, tenant: &TenantId, provider: IdentityProviderId) {
        self.identities
            .retain(|(of, at, _), _| of != tenant || *at != provider);
    }

    /// The user whom the subject was linked to and who still is in the provider's tenant.
    fn linked(&self, place: &(TenantId, IdentityProviderId, String)) -> Option<User> {
        let user = self.users.get(self.identities.get(place)?)?;
        (user.tenant.as_ref() == Some(&place.0)).then(|| user.clone())
    }

    /// Adds a user of a tenant that is there, with an address that nobody has.
    fn add_first_seen(&mut self, user: User, actor: &Actor) -> Result<User, StoreError> {
        if self.users.contains_key(&user.id) {
            return Err(StoreError::IdTaken);
        }
        self.users.insert(user.id, user.clone());
        self.append_audit(&user_created(&user), actor, user.created_at);
        Ok(user)
    }

    /// Gives the user the role that the provider says, which ends their sessions when it was another.
    fn follow_role(
        &mut self,
        user: User,
        identity: &ForeignIdentity,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<User, StoreError> {
        let ended_at = self.sessions.ended_at(user.id);
        let Some(role) = new_role(identity, &user, ended_at) else {
            return Ok(user);
        };
        let change = UserChange {
            role: Some(role),
            actor: actor.clone(),
            ..UserChange::default()
        };
        let Some(changed) = self.change_user(user.id, &change, now)? else {
            return Ok(user);
        };
        self.sessions.end_all(user.id, role_since(identity, now));
        self.append_audit(&user_changed(&user, &changed, &change), actor, now);
        Ok(changed)
    }

    fn of_address(&self, identity: &ForeignIdentity) -> Option<User> {
        let email = identity.email.as_ref()?;
        self.users.values().find(|user| user.email == *email).cloned()
    }
}
