//! What embedding takes, on whose account.

use std::sync::Arc;

use tenantry_domain::{Clock, EmbeddingModel, TenantScope, TokenUsage, UsageKind, UsageRecord};
use tenantry_llm_client::estimate_tokens;
use tenantry_tenant_store::{StoreError, UsageStore};

/// Counts what embedding documents takes, for which no user waits.
#[derive(Clone)]
pub(crate) struct Meter {
    usage: Arc<dyn UsageStore>,
    clock: Arc<dyn Clock>,
}

impl Meter {
    pub(crate) fn new(usage: Arc<dyn UsageStore>, clock: Arc<dyn Clock>) -> Self {
        Self { usage, clock }
    }

    /// Counts one call that embedded `texts`, of which the provider counted `tokens`.
    pub(crate) fn embedded(
        &self,
        scope: &TenantScope,
        model: &EmbeddingModel,
        texts: &[&str],
        tokens: Option<u64>,
    ) -> Result<(), StoreError> {
        let record = UsageRecord {
            user: None,
            kind: UsageKind::Embedding,
            model: model.name.clone(),
            usage: embedding_usage(texts, tokens),
            at: self.clock.now(),
        };
        self.usage.add_usage(scope, &[record])
    }
}

/// What embedding `texts` took: `tokens` as the provider counted, else our estimate.
pub(crate) fn embedding_usage(texts: &[&str], tokens: Option<u64>) -> TokenUsage {
    let estimate = || {
        let counts = texts.iter().map(|text| estimate_tokens(text));
        u64::try_from(counts.fold(0, usize::saturating_add)).unwrap_or(u64::MAX)
    };
    TokenUsage {
        prompt_tokens: tokens.unwrap_or_else(estimate),
        completion_tokens: 0,
        estimated: tokens.is_none(),
    }
}
