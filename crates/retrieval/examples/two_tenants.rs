//! Two tenants, one question, two cited answers: memory parts alone, no HTTP and no async.
#![expect(clippy::print_stdout, reason = "an example shows what it found")]

use std::sync::Arc;

use tenantry_domain::{Clock, MediaType, PineconeSettings, SystemClock, Tenant, TenantId};
use tenantry_llm_client::ExtractiveCompleter;
use tenantry_retrieval::{Answers, Collections, Knowledge, NewText, Resolver, Searcher, Superuser};
use tenantry_tenant_store::{MemoryStore, TenantStore};
use tenantry_vector_client::MemoryVectorStore;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let clock = Arc::new(SystemClock);
    let store = Arc::new(MemoryStore::new());
    let collections = Arc::new(Collections::local(Arc::new(MemoryVectorStore::default())));
    let resolver = Resolver::new(store.clone(), store.clone(), clock.clone());
    let knowledge = Knowledge::new(store.clone(), collections.clone(), None, clock.clone());
    let searcher = Arc::new(Searcher::new(store.clone(), collections, None));
    let answers = Answers::new(searcher, Arc::new(ExtractiveCompleter));

    for (id, text) in [
        (
            "bikes",
            "A bike that comes back late costs 12 euros for each hour.",
        ),
        ("library", "A book that comes back late costs 20 cents a day."),
    ] {
        let (id, now) = (TenantId::parse(id)?, clock.now());
        store.create_tenant(&Tenant {
            id: id.clone(),
            name: id.to_string(),
            pinecone: PineconeSettings::default(),
            system_prompt: None,
            is_active: true,
            created_at: now,
            updated_at: now,
        })?;
        let scope = resolver.operator_scope(&Superuser::operator(), &id)?;
        let fees = NewText {
            title: "Fees".into(),
            media_type: MediaType::PlainText,
            text: text.into(),
        };
        knowledge.ingest(&scope, &fees, &mut |_| {})?;
        let answer = answers.answer(&scope, "What does it cost to come back late?")?;
        println!("{id}: {}", answer.text);
    }
    Ok(())
}
