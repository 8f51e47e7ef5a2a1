use std::sync::Arc;

use secrecy::SecretString;
use tenantry_crypto::{Field, OpenError, SealError, Sealer};
use tenantry_domain::{PineconeSettings, SealedSecret, TenantId};

use super::{SaveTenantError, fields};
use crate::{PineconeCheck, PineconeLookup, RejectedPinecone};

/// What tenants that bring a Pinecone key need.
pub(super) struct Pinecone {
    sealer: Arc<dyn Sealer>,
    lookup: PineconeLookup,
}

impl Pinecone {
    pub(super) fn new(sealer: Arc<dyn Sealer>, lookup: PineconeLookup) -> Self {
        Self { sealer, lookup }
    }

    /// Checks a new tenant's settings and key, and adds the sealed key and what came of the check to the settings.
    pub(super) fn admit(
        &self,
        id: &TenantId,
        settings: PineconeSettings,
        key: &SecretString,
    ) -> Result<(PineconeSettings, Option<PineconeCheck>), SaveTenantError> {
        let check = self.check(key, settings.index.as_deref(), settings.environment.as_deref())?;
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

    pub(super) fn check(
        &self,
        key: &SecretString,
        index: Option<&str>,
        environment: Option<&str>,
    ) -> Result<PineconeCheck, RejectedPinecone> {
        self.lookup.check(key, index, environment)
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
