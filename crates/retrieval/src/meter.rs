//! What embedding takes, on whose account.

use std::sync::Arc;

use tenantry_domain::{Clock, EmbeddingModel, TenantScope, TokenUsage, UsageKind, UsageRecord, UserId};
use tenantry_llm_client::estimate_tokens;
use tenantry_tenant_store::{StoreError, UsageStore};

use crate::QuerySpending;

/// Counts what embedding takes.
#[derive(Clone)]
pub(crate) struct Meter {
    usage: Arc<dyn UsageStore>,
    clock: Arc<dyn Clock>,
}

impl Meter {
    pub(crate) fn new(usage: Arc<dyn UsageStore>, clock: Arc<dyn Clock>) -> Self {
        Self { usage, clock }
    }

    /// Counts one call that embedded pieces of documents, of which the provider counted `tokens`; no user waits for it.
    pub(crate) fn embedded(
        &self,
        scope: &TenantScope,
        model: &EmbeddingModel,
        texts: &[&str],
        tokens: Option<u64>,
    ) -> Result<(), StoreError> {
        self.count(scope, None, model.name.clone(), embedding_usage(texts, tokens))
    }

    /// Counts what embedding a query took, for the user who asks.
    pub(crate) fn searched(
        &self,
        scope: &TenantScope,
        user: UserId,
        spent: QuerySpending,
    ) -> Result<(), StoreError> {
        self.count(scope, Some(user), spent.model, spent.usage)
    }

    fn count(
        &self,
        scope: &TenantScope,
        user: Option<UserId>,
        model: String,
        usage: TokenUsage,
    ) -> Result<(), StoreError> {
        let record = UsageRecord {
            user,
            kind: UsageKind::Embedding,
            model,
            usage,
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
