use std::time::Duration;

use tenantry_domain::{AccessClaims, Email, ManualClock, Role, User};
use tenantry_tenant_store::MemoryStore;

use super::*;

#[test]
fn whoever_stays_away_for_a_second_is_not_kept_in_memory() {
    let clock = Arc::new(ManualClock::new(Timestamp::from_unix_micros(0).unwrap()));
    let store = Arc::new(MemoryStore::new());
    let resolver = Resolver::new(store.clone(), store.clone(), clock.clone());
    let token = |name: &str| {
        let user = User {
            id: UserId::generate(clock.now()),
            email: Email::parse(&format!("{name}@example.org")).unwrap(),
            password_hash: None,
            is_superuser: false,
            is_active: true,
            tenant: None,
            role: Role::default(),
            token_version: 0,
            created_at: clock.now(),
            updated_at: clock.now(),
        };
        store.create_user(&user, &Actor::system()).unwrap();
        Credential::Token(AccessClaims {
            user: user.id,
            tenant: None,
            token_version: 0,
            session: None,
        })
    };
    let origin = RequestOrigin::default();
    let tokens = ["ada", "bo", "cy"].map(token);
    for token in &tokens {
        resolver.caller(token, &origin).unwrap();
    }
    assert_eq!(resolver.memory.count(), 3);
    clock.advance(Duration::from_secs(1));
    resolver.caller(&tokens[0], &origin).unwrap();
    assert_eq!(resolver.memory.count(), 1);
}
