use std::sync::Arc;

use secrecy::SecretString;
use tenantry_crypto::{Field, OpenError, SealError, Sealer};
use tenantry_domain::{ExternalIndex, PineconeSettings, SealedSecret, Tenant, TenantId};
use tenantry_tenant_store::TenantChange;

use super::{NewTenant, SaveTenantError, TenantUpdate, Tenants, fields, namespace};
use crate::{InvalidField, PineconeCheck, PineconeLookup};

/// What tenants that bring a Pinecone key need.
pub(super) struct Pinecone {
    sealer: Arc<dyn Sealer>,
    lookup: PineconeLookup,
}

impl Pinecone {
    pub(super) fn new(sealer: Arc<dyn Sealer>, lookup: PineconeLookup) -> Self {
        Self { sealer, lookup }
    }

    /// Checks a new tenant's settings and key, for vectors of the embedding model that it names, and adds the sealed key and what
    /// came of the check to the settings.
    pub(super) fn admit(
        &self,
        id: &TenantId,
        settings: PineconeSettings,
        key: &SecretString,
        model: Option<&str>,
    ) -> Result<(PineconeSettings, Option<PineconeCheck>), SaveTenantError> {
        let (index, environment) = (settings.index.as_deref(), settings.environment.as_deref());
        let check = self.lookup.of_model(model).check(key, index, environment)?;
        let (index, host) = match &check {
            PineconeCheck::Verified { index, host, .. } => (Some(index.clone()), Some(host.clone())),
            PineconeCheck::Pending { .. } => (settings.index, None),
        };
        let settings = PineconeSettings {
            environment: settings.environment,
            index,
            host,
            api_key: Some(self.seal(id, key)?),
            external: settings.external,
        };
        Ok((settings, Some(check)))
    }

    /// The lookup for a tenant whose settings name an embedding model, or none.
    pub(super) fn lookup(&self, model: Option<&str>) -> PineconeLookup {
        self.lookup.of_model(model)
    }

    pub(super) fn seal(&self, id: &TenantId, key: &SecretString) -> Result<SealedSecret, SealError> {
        Ok(SealedSecret {
            sealed: self.sealer.seal(Field::pinecone_api_key(id), key)?,
            last_four: fields::last_four(key),
        })
    }

    pub(super) fn open(&self, id: &TenantId, secret: &SealedSecret) -> Result<SecretString, OpenError> {
        self.sealer.open(Field::pinecone_api_key(id), &secret.sealed)
    }
}

impl Tenants {
    /// Checks a new tenant's Pinecone settings, and gives them with what came of it.
    pub(super) fn admit_pinecone(
        &self,
        new: &NewTenant,
        model: Option<&str>,
    ) -> Result<(PineconeSettings, Option<PineconeCheck>), SaveTenantError> {
        let settings = fields::pinecone(new)?;
        let (settings, check) = match &new.pinecone_api_key {
            Some(key) => {
                let key = fields::api_key("pinecone_api_key", key)?;
                self.pinecone()?.admit(&new.id, settings, key, model)?
            }
            None if settings.external.is_some() => return Err(external_without_key().into()),
            None => (settings, None),
        };
        self.check_external(&new.id, settings.external.as_ref(), settings.host.as_deref())?;
        Ok((settings, check))
    }

    /// Checks the settings as they will be, and has the change carry the host and index that came of it.
    pub(super) fn check_again(
        &self,
        tenant: &Tenant,
        update: &TenantUpdate,
        change: &mut TenantChange,
    ) -> Result<Option<PineconeCheck>, SaveTenantError> {
        let key = match (&update.pinecone_api_key, &tenant.pinecone.api_key) {
            (Some(key), _) => key.clone(),
            (None, Some(stored)) => self.pinecone()?.open(&tenant.id, stored)?,
            (None, None) if matches!(change.pinecone_external, Some(Some(_))) => {
                return Err(external_without_key().into());
            }
            (None, None) => return Ok(None),
        };
        let index = change
            .pinecone_index
            .as_ref()
            .unwrap_or(&tenant.pinecone.index)
            .clone();
        let environment = change
            .pinecone_environment
            .as_ref()
            .unwrap_or(&tenant.pinecone.environment);
        let chat = change.chat.as_ref().unwrap_or(&tenant.chat);
        let check = self.pinecone()?.lookup(chat.embedding_model.as_deref()).check(
            &key,
            index.as_deref(),
            environment.as_deref(),
        )?;
        if let PineconeCheck::Verified { index, host, .. } = &check {
            change.pinecone_index = Some(Some(index.clone()));
            change.pinecone_host = Some(Some(host.clone()));
        } else {
            change.pinecone_host = Some(None);
        }
        let external = change
            .pinecone_external
            .as_ref()
            .unwrap_or(&tenant.pinecone.external);
        let host = change.pinecone_host.as_ref().and_then(Option::as_deref);
        self.check_external(&tenant.id, external.as_ref(), host)?;
        Ok(Some(check))
    }

    fn check_external(
        &self,
        id: &TenantId,
        external: Option<&ExternalIndex>,
        host: Option<&str>,
    ) -> Result<(), SaveTenantError> {
        external.map_or(Ok(()), |external| {
            namespace::is_nobody_elses(self.store.as_ref(), id, host, &external.namespace)
        })
    }

    pub(super) fn pinecone(&self) -> Result<&Pinecone, InvalidField> {
        let refusal = || {
            InvalidField::new(
                "pinecone_api_key",
                "is not taken here: tenants' own indexes are switched off",
            )
        };
        self.pinecone.as_ref().ok_or_else(refusal)
    }
}

fn external_without_key() -> InvalidField {
    InvalidField::new("pinecone_external", "needs a `pinecone_api_key`")
}
