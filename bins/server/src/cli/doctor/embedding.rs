//! What embeds text, and whether the indexes were built by it.

use std::sync::Arc;

use tenantry_http_client::Transport;
use tenantry_retrieval::Embedders;
use tenantry_tenant_store::SqlStore;

use super::probe::Hurried;
use super::report::Report;
use crate::config::Settings;
use crate::logging::chain;
use crate::startup::check_embeddings;
use crate::wiring;

const CHECK: &str = "embeddings";

/// Opens the models as a server would.
pub(super) fn check(settings: &Settings, store: Option<&SqlStore>, report: &mut Report) {
    let transport: Arc<dyn Transport> = Arc::new(Hurried::new());
    match wiring::embedders(&settings.embedding, settings.provider.as_ref(), &transport) {
        Ok(embedders) => judge(&embedders, store, report),
        Err(error) => report.problem(
            CHECK,
            chain(&error),
            "scripts/fetch-model brings the local model's files, MODEL_DIR names their folder; or set OPENAI_EMBEDDING_MODEL",
        ),
    }
}

fn judge(embedders: &Embedders, store: Option<&SqlStore>, report: &mut Report) {
    match embedders.current_model() {
        Some(model) => report.ok(CHECK, format_args!("by {model}")),
        None => report.warning(
            CHECK,
            "none: documents are found by their words alone",
            "set OPENAI_EMBEDDING_MODEL, or fetch the local model with scripts/fetch-model, unless that is meant",
        ),
    }
    let Some(store) = store else { return };
    if let Err(error) = check_embeddings(store, embedders, None) {
        let hint = error
            .hint()
            .unwrap_or_else(|| "see the database's log".to_owned());
        report.problem(CHECK, chain(&error), hint);
    }
}
