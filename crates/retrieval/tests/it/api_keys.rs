//! Keys with which other programs act for a tenant.

use std::sync::Arc;

use secrecy::ExposeSecret;
use tenantry_domain::{
    ApiKey, ApiKeyId, Page, Permission, Permissions, Principal, RequestOrigin, TenantScope, Timestamp,
};
use tenantry_retrieval::{
    ApiKeyError, ApiKeys, Credential, IssuedApiKey, KeyRights, NewApiKey, ResolveError, Resolver,
};
use tenantry_tenant_store::StoreError;
use tenantry_tenant_store::testing::unavailable;

use crate::support::World;

const DAY: i64 = 86_400_000_000;

struct Bench {
    world: World,
    resolver: Arc<Resolver>,
    keys: ApiKeys,
    acme: TenantScope,
}

fn bench() -> Bench {
    let world = World::new();
    for id in ["acme", "globex"] {
        world.tenant(id);
    }
    let store = world.store.clone();
    let resolver = Resolver::new(store.clone(), store.clone(), world.clock.clone());
    let resolver = Arc::new(resolver.with_api_keys(store.clone()));
    Bench {
        keys: ApiKeys::new(store, resolver.clone(), world.clock.clone()),
        acme: world.scope("acme"),
        resolver,
        world,
    }
}

fn wanted(permissions: Permissions) -> NewApiKey {
    NewApiKey {
        name: "Importer".into(),
        permissions,
        expires_at: None,
    }
}

fn all() -> NewApiKey {
    wanted(Permissions::ALL)
}

impl Bench {
    fn rights(&self) -> KeyRights<'_> {
        KeyRights::any(&self.world.root, &self.acme)
    }

    fn create(&self, new: &NewApiKey) -> IssuedApiKey {
        self.keys.create(&self.rights(), new).unwrap()
    }

    /// Makes a key as the key `maker` would.
    fn create_as(&self, maker: &IssuedApiKey, new: &NewApiKey) -> Result<IssuedApiKey, ApiKeyError> {
        let caller = self
            .resolver
            .caller(&credential(maker), &RequestOrigin::default());
        let admin = self.resolver.tenant_admin(&caller.unwrap()).unwrap();
        self.keys.create(&KeyRights::own(&admin), new)
    }

    fn kept(&self, id: ApiKeyId) -> ApiKey {
        self.keys.show(&self.rights(), id).unwrap().unwrap()
    }

    /// Whether the key is let in.
    fn works(&self, key: &IssuedApiKey) -> bool {
        let caller = self.resolver.caller(&credential(key), &RequestOrigin::default());
        match caller {
            Ok(caller) => caller.principal() == Principal::ApiKey(key.key.id),
            Err(ResolveError::Unauthenticated) => false,
            Err(error) => panic!("{error:?}"),
        }
    }

    fn in_micros(&self, micros: i64) -> Timestamp {
        Timestamp::from_unix_micros(self.world.now().unix_micros() + micros).unwrap()
    }
}

fn credential(key: &IssuedApiKey) -> Credential {
    Credential::api_key(key.text.expose_secret()).unwrap()
}

#[test]
fn a_key_is_shown_once_and_works_at_once() {
    let bench = bench();
    let key = bench.create(&NewApiKey {
        name: "  Importer \u{200b}A ".into(),
        ..all()
    });
    let text = key.text.expose_secret();
    assert_eq!((text.len(), &text[..4]), (47, "tnk_"));
    assert_eq!(key.key.prefix, text[..12]);
    assert_eq!(key.key.name, "Importer A");
    assert_eq!(key.key.created_by, Principal::Operator);
    assert!(bench.works(&key));
    let kept = bench.kept(key.key.id);
    assert_eq!(kept.used_at, Some(bench.world.now()));
    let listed = bench.keys.list(&bench.rights(), Page::default()).unwrap();
    assert_eq!((listed.total, &listed.items[0]), (1, &kept));
    assert!(!format!("{key:?} {listed:?} {:?}", bench.keys).contains(&text[12..]));
}

#[test]
fn what_cannot_be_kept_of_a_key_is_refused() {
    let bench = bench();
    let named = |name: &str| NewApiKey {
        name: name.into(),
        ..all()
    };
    let until = |end| NewApiKey {
        expires_at: Some(end),
        ..all()
    };
    for (new, field) in [
        (named(""), "name"),
        (named(" \u{200b} "), "name"),
        (named("a\nb"), "name"),
        (named(&"a".repeat(101)), "name"),
        (wanted(Permissions::default()), "scopes"),
        (until(bench.world.now()), "expires_at"),
        (until(bench.in_micros(-1)), "expires_at"),
    ] {
        let refused = bench.keys.create(&bench.rights(), &new);
        let Err(ApiKeyError::Invalid(invalid)) = refused else {
            panic!("{refused:?}")
        };
        assert_eq!(invalid.field, field, "{new:?}");
    }
    assert_eq!(
        bench.keys.list(&bench.rights(), Page::default()).unwrap().total,
        0
    );
    bench.create(&named(&"é".repeat(100)));
    bench.create(&until(bench.in_micros(1)));
}

#[test]
fn nobody_makes_a_key_that_may_more_than_they_may() {
    let bench = bench();
    let of = |permissions: &[Permission]| wanted(Permissions::of(permissions));
    let narrow = bench.create(&of(&[Permission::Admin, Permission::Search]));
    let made = bench.create_as(&narrow, &of(&[Permission::Search])).unwrap();
    assert_eq!(made.key.created_by, Principal::ApiKey(narrow.key.id));
    for beyond in [
        of(&[Permission::Chat]),
        of(&[Permission::Search, Permission::Chat]),
        all(),
    ] {
        let refused = bench.create_as(&narrow, &beyond);
        assert!(
            matches!(refused, Err(ApiKeyError::Beyond(Permission::Chat))),
            "{refused:?}"
        );
    }
    // A successor is a key like any other.
    let broad = bench.create(&all());
    let caller = bench
        .resolver
        .caller(&credential(&narrow), &RequestOrigin::default());
    let admin = bench.resolver.tenant_admin(&caller.unwrap()).unwrap();
    let refused = bench.keys.rotate(&KeyRights::own(&admin), broad.key.id, 0);
    assert!(
        matches!(refused, Err(ApiKeyError::Beyond(Permission::Chat))),
        "{refused:?}"
    );
    assert_eq!(bench.kept(broad.key.id).replaced_by, None);
}

#[test]
fn a_key_without_the_permission_manages_none() {
    let bench = bench();
    let chat = bench.create(&wanted(Permissions::of(&[Permission::Chat])));
    let caller = bench
        .resolver
        .caller(&credential(&chat), &RequestOrigin::default());
    let refused = bench.resolver.tenant_admin(&caller.unwrap());
    assert!(matches!(
        refused,
        Err(ResolveError::PermissionRequired(Permission::Admin))
    ));
}

#[test]
fn a_key_ends_when_it_is_said_to() {
    let bench = bench();
    let key = bench.create(&NewApiKey {
        expires_at: Some(bench.in_micros(2_000_000)),
        ..all()
    });
    bench.world.later(1_999);
    assert!(bench.works(&key));
    bench.world.later(1);
    assert!(!bench.works(&key));
}

#[test]
fn a_revoked_key_ends_at_once_and_its_successor_lives_on() {
    let bench = bench();
    let key = bench.create(&all());
    assert!(bench.works(&key));
    let next = bench
        .keys
        .rotate(&bench.rights(), key.key.id, 60)
        .unwrap()
        .unwrap();
    assert!(bench.works(&key) && bench.works(&next));
    let revoked = bench.keys.revoke(&bench.rights(), key.key.id).unwrap().unwrap();
    assert_eq!(revoked.revoked_at, Some(bench.world.now()));
    assert!(!bench.works(&key) && bench.works(&next));
    bench.keys.revoke(&bench.rights(), next.key.id).unwrap().unwrap();
    assert!(!bench.works(&next));
}

#[test]
fn a_rotated_key_lives_on_for_the_overlap() {
    let bench = bench();
    let key = bench.create(&all());
    let next = bench
        .keys
        .rotate(&bench.rights(), key.key.id, 2)
        .unwrap()
        .unwrap();
    assert_eq!(bench.kept(key.key.id).replaced_by, Some(next.key.id));
    assert_eq!(
        (&next.key.name, next.key.permissions),
        (&key.key.name, Permissions::ALL)
    );
    assert_ne!(next.text.expose_secret(), key.text.expose_secret());
    bench.world.later(1_999);
    assert!(bench.works(&key) && bench.works(&next));
    bench.world.later(1);
    assert!(!bench.works(&key) && bench.works(&next));
    let last = bench
        .keys
        .rotate(&bench.rights(), next.key.id, 0)
        .unwrap()
        .unwrap();
    assert!(!bench.works(&next) && bench.works(&last));
}

#[test]
fn a_successor_lives_as_long_as_its_key_was_made_for() {
    let bench = bench();
    let key = bench.create(&NewApiKey {
        expires_at: Some(bench.in_micros(10 * DAY)),
        ..all()
    });
    let forever: Timestamp = "9999-12-31T23:59:59.5Z".parse().unwrap();
    let distant = bench.create(&NewApiKey {
        expires_at: Some(forever),
        ..all()
    });
    bench.world.later(1_000);
    let next = bench
        .keys
        .rotate(&bench.rights(), key.key.id, 60)
        .unwrap()
        .unwrap();
    assert_eq!(next.key.expires_at, Some(bench.in_micros(10 * DAY)));
    let next = bench
        .keys
        .rotate(&bench.rights(), distant.key.id, 60)
        .unwrap()
        .unwrap();
    assert_eq!(next.key.expires_at, Some(forever));
}

#[test]
fn only_a_live_key_is_rotated_and_within_thirty_days() {
    let bench = bench();
    let [revoked, replaced, over, live] = [(); 4].map(|()| {
        bench.create(&NewApiKey {
            expires_at: Some(bench.in_micros(DAY)),
            ..all()
        })
    });
    let rotate = |key: &IssuedApiKey, overlap| bench.keys.rotate(&bench.rights(), key.key.id, overlap);
    bench
        .keys
        .revoke(&bench.rights(), revoked.key.id)
        .unwrap()
        .unwrap();
    rotate(&replaced, 60).unwrap().unwrap();
    let refused = rotate(&live, 2_592_001);
    assert!(matches!(refused, Err(ApiKeyError::Invalid(invalid)) if invalid.field == "overlap_seconds"));
    rotate(&live, 2_592_000).unwrap().unwrap();
    bench.world.clock.advance(std::time::Duration::from_hours(24));
    for key in [revoked, replaced, over] {
        let refused = rotate(&key, 60);
        assert!(matches!(refused, Err(ApiKeyError::NotLive)), "{refused:?}");
    }
    let absent = bench
        .keys
        .rotate(&bench.rights(), ApiKeyId::generate(bench.world.now()), 60);
    assert!(absent.unwrap().is_none());
}

#[test]
fn a_key_of_another_tenant_does_not_exist() {
    let bench = bench();
    let key = bench.create(&all());
    let globex = bench.world.scope("globex");
    let foreign = KeyRights::any(&bench.world.root, &globex);
    assert_eq!(bench.keys.list(&foreign, Page::default()).unwrap().total, 0);
    assert_eq!(bench.keys.show(&foreign, key.key.id).unwrap(), None);
    assert_eq!(bench.keys.revoke(&foreign, key.key.id).unwrap(), None);
    assert!(bench.keys.rotate(&foreign, key.key.id, 60).unwrap().is_none());
    assert!(bench.works(&key));
    let caller = bench
        .resolver
        .caller(&credential(&key), &RequestOrigin::default());
    let scope = bench
        .resolver
        .scope(&caller.unwrap(), Permission::Search)
        .unwrap();
    assert_eq!(scope.id().as_str(), "acme");
}

#[test]
fn a_store_that_fails_is_said_to() {
    let bench = bench();
    let key = bench.create(&all());
    for method in [
        "create_api_key",
        "rotate_api_key",
        "revoke_api_key",
        "api_keys",
        "api_key",
    ] {
        bench
            .world
            .store
            .fail_when(move |called| (called == method).then(unavailable));
        let rights = bench.rights();
        let failed = match method {
            "create_api_key" => matches!(
                bench.keys.create(&rights, &all()),
                Err(ApiKeyError::Store(StoreError::Unavailable(_)))
            ),
            "rotate_api_key" => matches!(
                bench.keys.rotate(&rights, key.key.id, 60),
                Err(ApiKeyError::Store(StoreError::Unavailable(_)))
            ),
            "revoke_api_key" => bench.keys.revoke(&rights, key.key.id).is_err(),
            "api_keys" => bench.keys.list(&rights, Page::default()).is_err(),
            _ => bench.keys.show(&rights, key.key.id).is_err(),
        };
        assert!(failed, "{method}");
        bench.world.store.heal();
    }
    assert!(bench.works(&key));
}
