//! Two tenants, one question, two cited answers: memory parts alone, no HTTP and no async.
#![expect(clippy::print_stdout, reason = "an example shows what it found")]

use std::sync::Arc;

use tenantry_domain::{Cancellation, SystemClock, TenantId};
use tenantry_extraction::MemoryExtractor;
use tenantry_llm_client::ExtractiveCompleter;
use tenantry_retrieval::{
    Answers, Collections, Embedders, IngestParts, Ingestor, Knowledge, NewFile, NewTenant, Resolver,
    Searcher, Superuser, Tenants, Worked,
};
use tenantry_tenant_store::MemoryStore;
use tenantry_vector_client::MemoryVectorStore;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (clock, store) = (Arc::new(SystemClock), Arc::new(MemoryStore::new()));
    let resolver = Arc::new(Resolver::new(store.clone(), store.clone(), clock.clone()));
    let tenants = Tenants::local(store.clone(), resolver.clone(), clock.clone());
    let (vectors, embedders) = (
        Arc::new(MemoryVectorStore::default()),
        Arc::new(Embedders::none()),
    );
    let collections = Arc::new(Collections::new(
        vectors,
        store.clone(),
        embedders.clone(),
        clock.clone(),
    ));
    let knowledge = Knowledge::new(
        store.clone(),
        store.clone(),
        store.clone(),
        <_>::default(),
        clock.clone(),
    );
    let parts = IngestParts {
        queue: store.clone(),
        documents: store.clone(),
        sources: store.clone(),
        collections: collections.clone(),
        embedders: embedders.clone(),
        usage: store.clone(),
        extractor: Arc::new(MemoryExtractor),
        resolver: resolver.clone(),
        clock,
    };
    let ingestor = Ingestor::new(parts, <_>::default());
    let searcher = Arc::new(Searcher::new(store, collections, embedders, None));
    let answers = Answers::new(searcher, Arc::new(ExtractiveCompleter));

    let operator = Superuser::operator();
    for (id, fees) in [
        (
            "bikes",
            "A bike that comes back late costs 12 euros for each hour.",
        ),
        ("library", "A book that comes back late costs 20 cents a day."),
    ] {
        let id = TenantId::parse(id)?;
        tenants.create(&operator, NewTenant::named(id.clone(), "A tenant"))?;
        let scope = resolver.operator_scope(&operator, &id)?;
        knowledge.submit(&scope, &NewFile::default(), &mut fees.as_bytes())?;
        // A server has threads for this.
        while !matches!(ingestor.run_one(None, &Cancellation::new())?, Worked::Idle) {}
        let answer = answers.answer(&scope, "What does it cost to come back late?")?;
        println!("{id}: {}", answer.text);
    }
    Ok(())
}
