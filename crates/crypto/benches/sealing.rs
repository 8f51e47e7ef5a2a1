//! What sealing and opening a tenant's key costs.
#![expect(clippy::unwrap_used, reason = "a benchmark has no caller to report to")]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use tenantry_crypto::{Field, KeyRing, Sealer, SecretKey, generate_secret_key};
use tenantry_domain::TenantId;

fn sealing(c: &mut Criterion) {
    let Ok(SecretKey::Raw(key)) = SecretKey::parse(&generate_secret_key().unwrap()) else {
        return;
    };
    let ring = KeyRing::new(key, Vec::new());
    let tenant = TenantId::parse("acme").unwrap();
    let field = Field::pinecone_api_key(&tenant);
    let secret = "pcsk_5XbZQ2_0123456789abcdef0123456789abcdef0123456789abcdef01234567".into();
    let value = ring.seal(field, &secret).unwrap();
    c.bench_function("seal a Pinecone key", |b| {
        b.iter(|| ring.seal(field, black_box(&secret)).unwrap());
    });
    c.bench_function("open a Pinecone key", |b| {
        b.iter(|| ring.open(field, black_box(&value)).unwrap());
    });
}

criterion_group!(benches, sealing);
criterion_main!(benches);
