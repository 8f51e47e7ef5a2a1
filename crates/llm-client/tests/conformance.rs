//! Every implementation keeps every obligation.
#![cfg(feature = "testing")]

use tenantry_llm_client::{ExtractiveCompleter, MemoryCompleter, MemoryEmbedder, conformance};

#[test]
fn the_memory_embedder_conforms() {
    conformance::embedder(&MemoryEmbedder);
}

#[test]
fn the_memory_completer_conforms() {
    conformance::completer(&MemoryCompleter::saying("Within 30 days [1]."));
}

#[test]
fn the_extractive_completer_conforms() {
    conformance::completer(&ExtractiveCompleter);
}
