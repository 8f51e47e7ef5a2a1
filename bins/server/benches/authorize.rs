//! What it costs to know who calls: verify the token, resolve the caller, open the tenant's scope.
#![expect(clippy::unwrap_used, reason = "a benchmark has no caller to report to")]

use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use secrecy::ExposeSecret;
use tenantry_auth::{
    Algorithm, JwtIssuer, JwtKeys, JwtSettings, JwtVerifier, Lifetime, TokenIssuer, TokenVerifier,
};
use tenantry_domain::{
    AccessClaims, Actor, ChatSettings, Clock, Ingesters, LoginMethod, Permission, PineconeSettings,
    RequestOrigin, Role, SearchSettings, Session, SessionId, SystemClock, Tenant, TenantId, TokenHash, User,
    UserId,
};
use tenantry_retrieval::{Credential, Resolver};
use tenantry_tenant_store::{
    DatabaseUrl, NewSession, PoolOptions, SessionStore, SqlStore, TenantStore, UserStore,
};

fn authorize(c: &mut Criterion) {
    let clock = Arc::new(SystemClock);
    let secret = "n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg".into();
    let keys = JwtKeys::new(Algorithm::Hs256, &secret, &[]).unwrap();
    let settings = JwtSettings {
        issuer: "tenantry".to_owned(),
        audience: "tenantry-api".to_owned(),
        lifetime: Lifetime::from_minutes(10_080).unwrap(),
    };
    let verifier = JwtVerifier::new(&keys, &settings, clock.clone());
    let issuer = JwtIssuer::new(&keys, settings, clock.clone());

    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder.path().join("bench.sqlite"));
    let user = member(store.as_ref(), clock.as_ref());
    let session = session(store.as_ref(), &user);
    let resolver = Resolver::new(store.clone(), store, clock);
    let claims = AccessClaims {
        user: user.id,
        tenant: user.tenant,
        token_version: 0,
        session: Some(session),
    };
    let token = issuer.issue(&claims).unwrap().token;

    c.bench_function("verify a token and resolve its tenant, warm", |b| {
        b.iter(|| {
            let claims = verifier.verify(black_box(token.expose_secret())).unwrap();
            let caller = resolver
                .caller(&Credential::Token(claims), &RequestOrigin::default())
                .unwrap();
            black_box(resolver.scope(&caller, Permission::Chat).unwrap());
        });
    });
    c.bench_function("verify a token and resolve its tenant, read from SQLite", |b| {
        b.iter(|| {
            resolver.forget();
            let claims = verifier.verify(black_box(token.expose_secret())).unwrap();
            let caller = resolver
                .caller(&Credential::Token(claims), &RequestOrigin::default())
                .unwrap();
            black_box(resolver.scope(&caller, Permission::Chat).unwrap());
        });
    });
}

fn store(path: &std::path::Path) -> Arc<SqlStore> {
    let url = DatabaseUrl::parse(&format!("sqlite://{}", path.display())).unwrap();
    let store = SqlStore::connect(&url, PoolOptions::default()).unwrap();
    store.migrate().unwrap();
    Arc::new(store)
}

fn session(store: &SqlStore, user: &User) -> SessionId {
    let session = Session {
        id: SessionId::generate(user.created_at),
        user: user.id,
        method: LoginMethod::Password,
        client: None,
        address: None,
        created_at: user.created_at,
        used_at: user.created_at,
        expires_at: tenantry_domain::Timestamp::from_unix_day(100_000).unwrap(),
    };
    let new = NewSession {
        refresh: TokenHash::from_bytes([7; 32]),
        token_version: 0,
        rehash: None,
        session,
    };
    assert!(store.begin_session(&new, &Actor::system()).unwrap());
    new.session.id
}

fn member(store: &SqlStore, clock: &dyn Clock) -> User {
    let now = clock.now();
    let tenant = Tenant {
        id: TenantId::parse("acme").unwrap(),
        name: "Acme".into(),
        pinecone: PineconeSettings::default(),
        system_prompt: Some("Answer briefly.".into()),
        search: SearchSettings::default(),
        chat: ChatSettings::default(),
        llm: None,
        ingesters: Ingesters::default(),
        is_active: true,
        created_at: now,
        updated_at: now,
    };
    store.create_tenant(&tenant, &Actor::system()).unwrap();
    let user = User {
        id: UserId::generate(now),
        email: "ada@example.org".parse().unwrap(),
        password_hash: None,
        is_superuser: false,
        is_active: true,
        tenant: Some(tenant.id),
        role: Role::default(),
        token_version: 0,
        created_at: now,
        updated_at: now,
    };
    store.create_user(&user, &Actor::system()).unwrap();
    user
}

criterion_group!(benches, authorize);
criterion_main!(benches);
