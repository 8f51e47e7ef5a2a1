//! Two tenants, one question, two cited answers: memory parts alone, no HTTP and no async.
#![expect(clippy::print_stdout, reason = "an example shows what it found")]

use std::sync::Arc;

use tenantry_domain::{Cancellation, SystemClock, TenantId};
use tenantry_extraction::MemoryExtractor;
use tenantry_retrieval::{
    Asker, Chat, ChatModels, ChatParts, Collections, Embedders, IngestParts, Ingestor, Knowledge, NewFile,
    NewTenant, Question, Resolver, Searcher, Superuser, Tenants, Worked,
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
        clock: clock.clone(),
    };
    let ingestor = Ingestor::new(parts, <_>::default());
    let chat = Chat::new(ChatParts {
        searcher: Arc::new(Searcher::new(store.clone(), collections, embedders, None)),
        models: Arc::new(ChatModels::extractive()),
        messages: store.clone(),
        usage: store,
        clock,
    });

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
        let question = Question::alone("What does it cost to come back late?");
        let answer = chat.answer(&scope, &Asker::operator(), question)?;
        println!("{id}: {}", answer.text);
    }
    Ok(())
}
