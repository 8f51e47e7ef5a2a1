use tenantry_domain::{Page, Paged, PromptVersion, TenantId};

use super::{MemoryStore, Records, paged};
use crate::ledger::PromptChange;
use crate::{PromptStore, StoreError};

impl Records {
    fn prompts_of(&self, tenant: &TenantId) -> impl DoubleEndedIterator<Item = &PromptVersion> {
        self.prompts
            .range((tenant.clone(), 0)..=(tenant.clone(), u32::MAX))
            .map(|(_, version)| version)
    }

    /// Adds what the change adds to the tenant's history, and gives the number of the last version that it added; nothing is added
    /// when that fails.
    pub(super) fn change_prompt(
        &mut self,
        tenant: &TenantId,
        change: PromptChange<'_>,
    ) -> Result<Option<u32>, StoreError> {
        let versions = change.versions(self.prompts_of(tenant).next_back())?;
        let last = versions.last().map(|version| version.number);
        for version in versions {
            self.prompts.insert((tenant.clone(), version.number), version);
        }
        Ok(last)
    }
}

impl PromptStore for MemoryStore {
    fn prompt_versions(&self, tenant: &TenantId, page: Page) -> Result<Paged<PromptVersion>, StoreError> {
        let records = self.records();
        let versions: Vec<_> = records.prompts_of(tenant).rev().collect();
        Ok(paged(&versions, page))
    }

    fn prompt_version(&self, tenant: &TenantId, number: u32) -> Result<Option<PromptVersion>, StoreError> {
        Ok(self.records().prompts.get(&(tenant.clone(), number)).cloned())
    }
}
