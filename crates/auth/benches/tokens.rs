//! What issuing and verifying an access token costs.
#![expect(clippy::unwrap_used, reason = "a benchmark has no caller to report to")]

use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use secrecy::ExposeSecret;
use tenantry_auth::{
    Algorithm, JwtIssuer, JwtKeys, JwtSettings, JwtVerifier, Lifetime, TokenIssuer, TokenVerifier,
};
use tenantry_domain::{AccessClaims, SystemClock, TenantId, UserId};

fn tokens(c: &mut Criterion) {
    let secret = "n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg".into();
    let keys = JwtKeys::new(Algorithm::Hs256, &secret, &[]).unwrap();
    let settings = JwtSettings {
        issuer: "tenantry".to_owned(),
        audience: "tenantry-api".to_owned(),
        lifetime: Lifetime::from_minutes(10_080).unwrap(),
    };
    let verifier = JwtVerifier::new(&keys, &settings, Arc::new(SystemClock));
    let issuer = JwtIssuer::new(&keys, settings, Arc::new(SystemClock));
    let claims = AccessClaims {
        user: UserId::from_uuid(uuid::Uuid::from_u128(7)),
        tenant: Some(TenantId::parse("acme").unwrap()),
        token_version: 3,
        session: None,
    };
    let token = issuer.issue(&claims).unwrap().token;
    c.bench_function("issue a token", |b| {
        b.iter(|| issuer.issue(black_box(&claims)).unwrap());
    });
    c.bench_function("verify a token", |b| {
        b.iter(|| verifier.verify(black_box(token.expose_secret())).unwrap());
    });
}

criterion_group!(benches, tokens);
criterion_main!(benches);
