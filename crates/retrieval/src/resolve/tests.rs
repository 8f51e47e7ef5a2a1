//! What a credential lets in, on one server and on two.

use std::time::Duration;

use tenantry_domain::{
    AccessClaims, ApiKey, ApiKeyId, ChatSettings, Email, Ingesters, LoginMethod, ManualClock, Permissions,
    PineconeSettings, Principal, Role, SearchSettings, Session, Tenant, User,
};
use tenantry_tenant_store::{MemoryStore, NewSession, SessionStore, TenantChange, UserChange};

use super::*;
use crate::opaque::hash_of;

/// Two servers on one store, with the users `reader`, `member` and `admin` of acme.
struct Servers {
    clock: Arc<ManualClock>,
    store: Arc<MemoryStore>,
    here: Resolver,
    there: Resolver,
}

impl Servers {
    fn new() -> Self {
        let clock = Arc::new(ManualClock::new(
            Timestamp::from_unix_micros(1_700_000_000_000_000).unwrap(),
        ));
        let store = Arc::new(MemoryStore::new());
        let resolver =
            || Resolver::new(store.clone(), store.clone(), clock.clone()).with_api_keys(store.clone());
        let servers = Self {
            here: resolver(),
            there: resolver(),
            clock,
            store,
        };
        for id in ["acme", "globex"] {
            servers.add_tenant(id);
        }
        servers
    }

    fn add_tenant(&self, id: &str) {
        let now = self.clock.now();
        let tenant = Tenant {
            id: id.parse().unwrap(),
            name: id.to_owned(),
            pinecone: PineconeSettings::default(),
            system_prompt: None,
            search: SearchSettings::default(),
            chat: ChatSettings::default(),
            llm: None,
            ingesters: Ingesters::default(),
            is_active: true,
            created_at: now,
            updated_at: now,
        };
        self.store.create_tenant(&tenant, &Actor::system()).unwrap();
    }

    fn user(&self, name: &str, tenant: Option<&str>, role: Role) -> User {
        let now = self.clock.now();
        let user = User {
            id: UserId::generate(now),
            email: Email::parse(&format!("{name}@example.org")).unwrap(),
            password_hash: None,
            is_superuser: false,
            is_active: true,
            tenant: tenant.map(|id| id.parse().unwrap()),
            role,
            token_version: 0,
            created_at: now,
            updated_at: now,
        };
        self.store.create_user(&user, &Actor::system()).unwrap();
        user
    }

    fn change(&self, user: &User, change: &UserChange) -> User {
        let changed = self.store.update_user(user.id, change, self.clock.now());
        changed.unwrap().unwrap()
    }

    /// Begins a session of the user, and gives its token.
    fn log_in(&self, user: &User) -> Credential {
        let now = self.clock.now();
        let session = Session {
            id: SessionId::generate(now),
            user: user.id,
            method: LoginMethod::Password,
            client: None,
            address: None,
            created_at: now,
            used_at: now,
            expires_at: Timestamp::from_unix_micros(now.unix_micros() + 3_600_000_000).unwrap(),
        };
        let id = session.id;
        let new = NewSession {
            session,
            refresh: hash_of(&id.to_string()),
            token_version: user.token_version,
            rehash: None,
        };
        assert!(self.store.begin_session(&new, &Actor::system()).unwrap());
        token(user, Some(id))
    }

    /// Makes an API key of a tenant.
    fn key(
        &self,
        tenant: &str,
        permissions: &[Permission],
        expires_in: Option<u64>,
    ) -> (ApiKeyId, Credential) {
        let now = self.clock.now();
        let id = ApiKeyId::generate(now);
        let key = ApiKey {
            id,
            name: "a key".into(),
            prefix: "tnk_abcdefgh".into(),
            permissions: Permissions::of(permissions),
            created_by: Principal::Operator,
            created_at: now,
            expires_at: expires_in.map(|seconds| after(now, seconds)),
            used_at: None,
            revoked_at: None,
            replaced_by: None,
        };
        let hash = hash_of(&id.to_string());
        self.store
            .create_api_key(&self.scope(tenant), &key, hash)
            .unwrap();
        (id, Credential::ApiKey(hash))
    }

    fn scope(&self, tenant: &str) -> TenantScope {
        let operator = Superuser::operator();
        self.here
            .operator_scope(&operator, &tenant.parse().unwrap())
            .unwrap()
    }

    /// An identity of a token that is issued now and lives for an hour.
    fn identity(&self, user: &User, tenant: &str) -> Credential {
        let now = self.clock.now();
        Credential::Identity(AdmittedIdentity {
            user: user.id,
            tenant: tenant.parse().unwrap(),
            issued_at: now,
            expires_at: after(now, 3_600),
        })
    }

    fn enter(&self, credential: &Credential) -> Result<Caller, ResolveError> {
        self.there.caller(credential, &RequestOrigin::default())
    }

    fn later(&self, millis: u64) {
        self.clock.advance(Duration::from_millis(millis));
    }

    /// Asserts that what was let in on both servers is refused within a second of `end`, and on the one that did it at once.
    #[track_caller]
    fn ends_within_a_second(&self, credential: &Credential, end: impl FnOnce(&Self)) -> ResolveError {
        let origin = RequestOrigin::default();
        self.here.caller(credential, &origin).unwrap();
        self.enter(credential).unwrap();
        end(self);
        self.here.forget();
        assert!(self.here.caller(credential, &origin).is_err(), "at once here");
        self.later(999);
        assert!(self.enter(credential).is_ok(), "remembered for a second there");
        self.later(1);
        self.enter(credential).unwrap_err()
    }
}

fn after(at: Timestamp, seconds: u64) -> Timestamp {
    let micros = i64::try_from(seconds).unwrap() * 1_000_000;
    Timestamp::from_unix_micros(at.unix_micros() + micros).unwrap()
}

fn token(user: &User, session: Option<SessionId>) -> Credential {
    Credential::Token(AccessClaims {
        user: user.id,
        tenant: user.tenant.clone(),
        token_version: user.token_version,
        session,
    })
}

fn switch_off(servers: &Servers, tenant: &str) {
    let off = TenantChange {
        is_active: Some(false),
        ..TenantChange::default()
    };
    let id = tenant.parse().unwrap();
    servers
        .store
        .update_tenant(&id, &off, servers.clock.now())
        .unwrap()
        .unwrap();
}

#[test]
fn whoever_stays_away_for_a_second_is_not_kept_in_memory() {
    let servers = Servers::new();
    let tokens = ["ada", "bo", "cy"].map(|name| token(&servers.user(name, None, Role::Member), None));
    for token in &tokens {
        servers.enter(token).unwrap();
    }
    assert_eq!(servers.there.memory.count(), 3);
    servers.later(1_000);
    servers.enter(&tokens[0]).unwrap();
    assert_eq!(servers.there.memory.count(), 1);
}

#[test]
fn a_role_may_do_what_its_permissions_say_and_no_more() {
    let servers = Servers::new();
    for (role, may) in [
        (Role::Reader, &[Permission::Chat][..]),
        (
            Role::Member,
            &[Permission::Chat, Permission::Search, Permission::Ingest],
        ),
        (Role::Admin, Permission::ALL),
    ] {
        let user = servers.user(role.as_str(), Some("acme"), role);
        let caller = servers.enter(&token(&user, None)).unwrap();
        for permission in Permission::ALL {
            match servers.there.scope(&caller, *permission) {
                Ok(scope) => {
                    assert!(may.contains(permission), "{role} {permission}");
                    assert_eq!(scope.id().as_str(), "acme");
                    assert_eq!(scope.actor().principal, Principal::User(user.id));
                }
                Err(ResolveError::PermissionRequired(lacking)) => {
                    assert!(
                        lacking == *permission && !may.contains(permission),
                        "{role} {permission}"
                    );
                }
                Err(error) => panic!("{role} {permission}: {error}"),
            }
        }
        assert_eq!(servers.there.tenant_admin(&caller).is_ok(), role == Role::Admin);
    }
}

#[test]
fn members_ingest_only_where_the_tenant_lets_them() {
    let servers = Servers::new();
    let user = servers.user("ada", Some("acme"), Role::Member);
    let caller = servers.enter(&token(&user, None)).unwrap();
    assert!(servers.there.scope(&caller, Permission::Ingest).is_ok());
    let admins = TenantChange {
        ingesters: Some(Ingesters::Admins),
        ..TenantChange::default()
    };
    let id = "acme".parse().unwrap();
    servers
        .store
        .update_tenant(&id, &admins, servers.clock.now())
        .unwrap();
    servers.later(1_000);
    let caller = servers.enter(&token(&user, None)).unwrap();
    assert!(matches!(
        servers.there.scope(&caller, Permission::Ingest),
        Err(ResolveError::PermissionRequired(Permission::Ingest))
    ));
    assert!(servers.there.scope(&caller, Permission::Search).is_ok());
}

#[test]
fn a_session_that_ends_is_over_on_every_server_within_a_second() {
    let servers = Servers::new();
    let user = servers.user("ada", Some("acme"), Role::Member);
    let (ended, other) = (servers.log_in(&user), servers.log_in(&user));
    let refused = servers.ends_within_a_second(&ended, |servers| {
        let Credential::Token(AccessClaims {
            session: Some(id), ..
        }) = &ended
        else {
            panic!("no session");
        };
        let now = servers.clock.now();
        assert!(
            servers
                .store
                .end_session(user.id, *id, &Actor::system(), now)
                .unwrap()
        );
    });
    assert!(matches!(refused, ResolveError::Unauthenticated));
    assert!(
        servers.enter(&other).is_ok(),
        "of its user's sessions it alone has ended"
    );
}

#[test]
fn what_ends_all_sessions_ends_them_on_every_server_within_a_second() {
    let changes = [
        UserChange {
            end_sessions: true,
            ..UserChange::default()
        },
        UserChange {
            is_active: Some(false),
            ..UserChange::default()
        },
        UserChange {
            role: Some(Role::Reader),
            ..UserChange::default()
        },
        UserChange {
            tenant: Some(Some("globex".parse().unwrap())),
            ..UserChange::default()
        },
    ];
    for change in changes {
        let servers = Servers::new();
        let user = servers.user("ada", Some("acme"), Role::Member);
        let refused = servers.ends_within_a_second(&servers.log_in(&user), |servers| {
            servers.change(&user, &change);
        });
        assert!(matches!(refused, ResolveError::Unauthenticated), "{change:?}");
    }
}

#[test]
fn a_tenant_that_is_switched_off_closes_to_every_credential_within_a_second() {
    let servers = Servers::new();
    let user = servers.user("ada", Some("acme"), Role::Admin);
    let (_, key) = servers.key("acme", &[Permission::Chat], None);
    let other = servers.user("bo", Some("globex"), Role::Member);
    let others = [servers.identity(&other, "globex"), servers.log_in(&other)];
    for credential in [key, servers.identity(&user, "acme")] {
        let refused = servers.ends_within_a_second(&credential, |servers| switch_off(servers, "acme"));
        assert!(!matches!(refused, ResolveError::Store(_)), "{credential:?}");
        let on = TenantChange {
            is_active: Some(true),
            ..TenantChange::default()
        };
        let id = "acme".parse().unwrap();
        servers
            .store
            .update_tenant(&id, &on, servers.clock.now())
            .unwrap();
    }
    for credential in &others {
        assert!(servers.enter(credential).is_ok(), "{credential:?}");
    }
}

#[test]
fn an_api_key_acts_for_its_tenant_with_its_scopes() {
    let servers = Servers::new();
    let (id, key) = servers.key("acme", &[Permission::Search], None);
    let caller = servers.enter(&key).unwrap();
    assert_eq!(caller.principal(), Principal::ApiKey(id));
    assert_eq!(caller.owner().as_uuid(), id.as_uuid());
    let scope = servers.there.scope(&caller, Permission::Search).unwrap();
    assert_eq!((scope.id().as_str(), scope.actor()), ("acme", caller.actor()));
    for lacking in [Permission::Chat, Permission::Ingest, Permission::Admin] {
        let refused = servers.there.scope(&caller, lacking);
        assert!(matches!(refused, Err(ResolveError::PermissionRequired(p)) if p == lacking));
    }
    assert!(matches!(
        servers.there.superuser(&caller),
        Err(ResolveError::NotSuperuser)
    ));
    assert!(matches!(
        servers.there.account_holder(&caller),
        Err(ResolveError::UserRequired)
    ));
}

#[test]
fn an_api_key_with_all_scopes_manages_its_tenant_and_no_platform() {
    let servers = Servers::new();
    let (_, key) = servers.key("acme", Permission::ALL, None);
    let caller = servers.enter(&key).unwrap();
    let admin = servers.there.tenant_admin(&caller).unwrap();
    assert_eq!((admin.email(), admin.role()), (None, None));
    assert!(servers.there.superuser(&caller).is_err());
}

#[test]
fn an_api_key_ends_when_it_is_revoked_or_expires() {
    let servers = Servers::new();
    let (id, key) = servers.key("acme", &[Permission::Chat], None);
    let refused = servers.ends_within_a_second(&key, |servers| {
        let scope = servers.scope("acme");
        servers
            .store
            .revoke_api_key(&scope, id, servers.clock.now())
            .unwrap()
            .unwrap();
    });
    assert!(matches!(refused, ResolveError::Unauthenticated));
    let (_, short) = servers.key("acme", &[Permission::Chat], Some(1));
    servers.enter(&short).unwrap();
    servers.later(999);
    assert!(servers.enter(&short).is_ok());
    servers.later(1);
    assert!(matches!(
        servers.enter(&short),
        Err(ResolveError::Unauthenticated)
    ));
    let unknown = Credential::ApiKey(hash_of("nobody's"));
    assert!(matches!(
        servers.enter(&unknown),
        Err(ResolveError::Unauthenticated)
    ));
}

#[test]
fn the_use_of_an_api_key_is_noted_once_a_minute() {
    let servers = Servers::new();
    let (id, key) = servers.key("acme", &[Permission::Chat], None);
    let begun = servers.clock.now();
    let noted = || {
        servers
            .store
            .api_key(&servers.scope("acme"), id)
            .unwrap()
            .unwrap()
            .used_at
    };
    assert_eq!(noted(), None);
    for _ in 0..59 {
        servers.enter(&key).unwrap();
        assert_eq!(noted(), Some(begun));
        servers.later(1_000);
    }
    servers.later(1_000);
    servers.enter(&key).unwrap();
    assert_eq!(noted(), Some(after(begun, 60)));
}

#[test]
fn an_identity_has_the_users_role_and_nothing_of_a_superuser() {
    let servers = Servers::new();
    let user = servers.user("ada", Some("acme"), Role::Admin);
    let promoted = UserChange {
        is_superuser: Some(true),
        ..UserChange::default()
    };
    servers.change(&user, &promoted);
    servers.later(1);
    let caller = servers.enter(&servers.identity(&user, "acme")).unwrap();
    assert!(servers.there.tenant_admin(&caller).is_ok());
    assert_eq!(servers.there.account_holder(&caller).unwrap().user().id, user.id);
    assert!(matches!(
        servers.there.superuser(&caller),
        Err(ResolveError::NotSuperuser)
    ));
}

#[test]
fn an_identity_of_another_tenants_provider_opens_nothing() {
    let servers = Servers::new();
    let user = servers.user("ada", Some("acme"), Role::Admin);
    let refused = servers.enter(&servers.identity(&user, "globex"));
    assert!(matches!(refused, Err(ResolveError::Unauthenticated)));
}

#[test]
fn an_identity_ends_with_its_token() {
    let servers = Servers::new();
    let user = servers.user("ada", Some("acme"), Role::Member);
    let identity = servers.identity(&user, "acme");
    servers.later(3_599_999);
    assert!(servers.enter(&identity).is_ok());
    servers.later(1);
    assert!(matches!(
        servers.enter(&identity),
        Err(ResolveError::Unauthenticated)
    ));
}

#[test]
fn an_identity_that_was_issued_before_the_sessions_ended_is_refused() {
    let servers = Servers::new();
    let user = servers.user("ada", Some("acme"), Role::Member);
    let before = servers.identity(&user, "acme");
    servers.later(1);
    let refused = servers.ends_within_a_second(&before, |servers| {
        let all = UserChange {
            end_sessions: true,
            ..UserChange::default()
        };
        servers.change(&user, &all);
    });
    assert!(matches!(refused, ResolveError::Unauthenticated));
    assert!(
        servers.enter(&servers.identity(&user, "acme")).is_ok(),
        "a later one"
    );
}

#[test]
fn a_session_is_known_to_its_user_alone() {
    let servers = Servers::new();
    let (ada, bo) = (
        servers.user("ada", Some("acme"), Role::Member),
        servers.user("bo", Some("acme"), Role::Member),
    );
    let Credential::Token(AccessClaims { session, .. }) = servers.log_in(&ada) else {
        panic!("no token");
    };
    let foreign = servers.enter(&token(&bo, session));
    assert!(matches!(foreign, Err(ResolveError::Unauthenticated)));
    let own = servers.enter(&token(&ada, session)).unwrap();
    assert_eq!(servers.there.account_holder(&own).unwrap().session(), session);
}

#[test]
fn what_is_done_is_known_to_come_from_its_request() {
    let servers = Servers::new();
    let user = servers.user("ada", Some("acme"), Role::Admin);
    let origin = |id: &str| RequestOrigin {
        request: Some(id.to_owned()),
        address: Some([192, 0, 2, 1].into()),
    };
    // The second comes from memory, and is told from the first all the same.
    for id in ["one", "two"] {
        let caller = servers.there.caller(&token(&user, None), &origin(id)).unwrap();
        let admin = servers.there.tenant_admin(&caller).unwrap();
        assert_eq!(admin.actor().origin, origin(id));
        assert_eq!(admin.scope().actor().principal, Principal::User(user.id));
    }
}
