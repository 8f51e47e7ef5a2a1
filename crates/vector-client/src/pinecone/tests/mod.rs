//! The store, the records and the catalog over real HTTP, against the stand-in, and against scripted answers.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use secrecy::SecretString;
use serde_json::{Value, json};
use tenantry_domain::{
    Dimension, ExternalIndex, Filter, Fusion, Generation, IndexScope, Metadata, MetadataValue, TenantScope,
    TopK,
};
use tenantry_http_client::{Answer, HttpError, MemoryTransport, Recorded, Transport, UreqTransport};

use super::{PineconeCatalog, PineconeOptions, PineconeRecordIndex, PineconeStore, PineconeStores};
use crate::conformance::{
    self, Capabilities, CatalogFixture, chunk, document, embedding, hash, metadata, scope, version,
};
use crate::testing::PineconeStub;
use crate::{
    IndexCatalog, IndexDescription, IndexedChunk, Match, Metric, RecordIndex, RecordQuery, StoredVersion,
    VectorError, VectorQuery, VectorStore,
};

mod answers;
mod catalog;
mod external;
mod finding;
mod requests;
mod versions;

const KEY: &str = "pcsk_4f9a1c";
const NORTH: [f32; 3] = [1.0, 0.0, 0.0];
const EAST: [f32; 3] = [0.0, 1.0, 0.0];

static ACME: LazyLock<TenantScope> = LazyLock::new(|| scope("acme"));

fn acme() -> IndexScope<'static> {
    ACME.index(Generation::FIRST)
}

fn none() -> Metadata {
    Metadata::default()
}

fn text(text: &str) -> MetadataValue {
    MetadataValue::Text(text.to_owned())
}

fn options(url: &str) -> PineconeOptions {
    PineconeOptions::new(Some(url), None).unwrap()
}

fn connected(stub: &PineconeStub) -> PineconeStore {
    let transport = Arc::new(UreqTransport::new());
    PineconeStore::connect(transport, &options(&stub.url()), &stub.url(), KEY.into()).unwrap()
}

/// A store whose upstream gives one scripted answer after the other.
fn scripted(answers: Vec<Answer>) -> (PineconeStore, Arc<MemoryTransport>) {
    let transport = Arc::new(MemoryTransport::queue(answers.into_iter().map(Ok)));
    let host = "http://index.test";
    (
        PineconeStore::connect(transport.clone(), &options(host), host, KEY.into()).unwrap(),
        transport,
    )
}

fn north() -> IndexedChunk {
    chunk(7, "Refunds take \"five\" days.", Some(&NORTH))
}

fn search(store: &PineconeStore) -> Result<Vec<Match>, VectorError> {
    let wanted = embedding(&NORTH);
    store.search(acme(), five_nearest(&wanted))
}

fn five_nearest(wanted: &tenantry_domain::Embedding) -> VectorQuery<'_> {
    VectorQuery {
        embedding: Some(wanted),
        ..VectorQuery::words("", TopK::new(5).unwrap())
    }
}

/// A request as one readable text; the host differs from run to run.
fn transcript(request: &Recorded) -> String {
    let known = ["api-key", "x-pinecone-api-version", "content-type", "accept"];
    let head = request
        .headers
        .iter()
        .filter(|(name, _)| known.contains(&name.as_str()));
    let head: Vec<_> = head.map(|(name, value)| format!("{name}: {value}\n")).collect();
    let body = String::from_utf8_lossy(&request.body);
    format!("{} {}\n{}{body}", request.method, request.target, head.concat())
}

/// The requests to one path.
fn sent(stub: &PineconeStub, path: &str) -> Vec<Recorded> {
    let mut requests = stub.requests();
    requests.retain(|request| request.path() == path);
    requests
}

#[test]
fn it_keeps_the_promises_of_a_vector_store() {
    let stub = PineconeStub::start(3, &[KEY]);
    conformance::vector_store(&connected(&stub), Capabilities::DENSE);
}

#[test]
fn two_tenants_never_see_each_other_whatever_they_ask() {
    let stub = PineconeStub::start(3, &[KEY]);
    for seed in 1..4 {
        conformance::isolation(&connected(&stub), Capabilities::DENSE, seed, 150);
    }
}

#[test]
fn the_stores_keep_the_promises_of_remote_stores() {
    let stub = PineconeStub::start(3, &[KEY]);
    let stores = PineconeStores::new(Arc::new(UreqTransport::new()), options(&stub.url()));
    conformance::remote_stores(&stores, &stub.url(), &KEY.into());
}

#[test]
fn debug_shows_no_key() {
    let transport = Arc::new(MemoryTransport::queue([]));
    let host = "http://index.test";
    let store = PineconeStore::connect(transport.clone(), &options(host), host, KEY.into()).unwrap();
    let records = PineconeRecordIndex::connect(transport.clone(), &options(host), host, KEY.into()).unwrap();
    let catalog = PineconeCatalog::new(transport, options(host));
    assert!(!format!("{store:?} {records:?} {catalog:?}").contains(KEY));
}
