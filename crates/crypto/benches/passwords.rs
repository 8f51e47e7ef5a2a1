//! What hashing and verifying a password costs.
#![expect(clippy::unwrap_used, reason = "a benchmark has no caller to report to")]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use tenantry_crypto::{Argon2Hasher, Password, PasswordHasher};

fn passwords(c: &mut Criterion) {
    let hasher = Argon2Hasher::default();
    let password = Password::new(&"correct horse battery staple".into()).unwrap();
    let hash = hasher.hash(&password).unwrap();
    c.bench_function("hash a password", |b| {
        b.iter(|| hasher.hash(black_box(&password)).unwrap());
    });
    c.bench_function("verify a password", |b| {
        b.iter(|| hasher.verify(black_box(&password), Some(&hash)).unwrap());
    });
    c.bench_function("verify a password of nobody", |b| {
        b.iter(|| hasher.verify(black_box(&password), None).unwrap());
    });
}

criterion_group!(benches, passwords);
criterion_main!(benches);
