use tenantry_domain::{
    Actor, ForeignIdentity, IdentityProvider, IdentityProviderId, Page, Paged, TenantId, TenantScope,
    Timestamp, User, UserId,
};

use crate::StoreError;

/// What somebody with a foreign identity is here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admission {
    /// This user of the provider's tenant, active or not.
    User(Box<User>),
    /// Nobody: not seen before, and the provider makes no users, or the token has no address to make one with.
    Unknown,
    /// Nobody: the address belongs to a user of another tenant or of none, to a superuser, or to a user of this tenant and is not verified.
    AddressTaken,
}

/// Keeps the identity providers of one tenant at a time, and who their subjects are. What it changes it enters in the tenant's audit
/// log, in the same step.
pub trait IdentityStore: Send + Sync {
    /// Adds a provider.
    ///
    /// # Errors
    /// [`StoreError::IdTaken`] when the tenant has one of that id, or of the same issuer and audience with the same tenant claim,
    /// [`StoreError::UnknownTenant`] when the tenant is not in this store; else when the store fails.
    fn create_identity_provider(
        &self,
        scope: &TenantScope,
        provider: &IdentityProvider,
    ) -> Result<(), StoreError>;

    /// The provider of that id.
    ///
    /// # Errors
    /// When the store fails.
    fn identity_provider(
        &self,
        scope: &TenantScope,
        id: IdentityProviderId,
    ) -> Result<Option<IdentityProvider>, StoreError>;

    /// A page of the tenant's providers, by id.
    ///
    /// # Errors
    /// When the store fails.
    fn identity_providers(
        &self,
        scope: &TenantScope,
        page: Page,
    ) -> Result<Paged<IdentityProvider>, StoreError>;

    /// Replaces the provider of that id, but for when it was added; `false` when there is none. With another issuer, who its subjects
    /// were is forgotten.
    ///
    /// # Errors
    /// As [`IdentityStore::create_identity_provider`].
    fn update_identity_provider(
        &self,
        scope: &TenantScope,
        provider: &IdentityProvider,
    ) -> Result<bool, StoreError>;

    /// Removes a provider and who its subjects were; the users stay. Whether there was one of that id.
    ///
    /// # Errors
    /// When the store fails.
    fn remove_identity_provider(
        &self,
        scope: &TenantScope,
        id: IdentityProviderId,
        now: Timestamp,
    ) -> Result<bool, StoreError>;

    /// The active providers of that issuer, of whatever active tenant, by tenant and id.
    ///
    /// # Errors
    /// When the store fails.
    fn providers_of_issuer(&self, issuer: &str) -> Result<Vec<(TenantId, IdentityProvider)>, StoreError>;

    /// Who `identity`, which a token of that provider was verified to say, is: the user it was linked to and who still is in the provider's tenant; else the user of
    /// that tenant with its verified address, who is no superuser and is linked to it now; else, where the provider makes users, a new
    /// one of that id and address, linked to it. Where the provider maps roles, the user's becomes
    /// `identity.role`, which ends their sessions as of `identity.issued_at` when it was another; a token from before their sessions were last ended changes no
    /// role, and a superuser's stays. All in one step.
    ///
    /// # Errors
    /// [`StoreError::UnknownTenant`] when the tenant has no active provider of that id and issuer any more; else when the store fails.
    fn admit_identity(
        &self,
        tenant: &TenantId,
        provider: &IdentityProvider,
        identity: &ForeignIdentity,
        new_user: UserId,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<Admission, StoreError>;
}
