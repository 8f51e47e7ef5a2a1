//! What a tenant's own people may see and change of it.

use std::sync::{Arc, Mutex};

use secrecy::ExposeSecret;
use tenantry_crypto::{Field, Sealer};
use tenantry_domain::{
    Actor, ChatSettings, Clock, OnLeave, Page, Paged, Permission, Role, SystemClock, Tenant, TenantId,
    Timestamp, User,
};
use tenantry_llm_client::MemoryProviders;
use tenantry_retrieval::{
    ChatTuning, NewTenant, OfferedModels, PromptAccess, Prompts, ProviderUpdate, ResolveError,
    SaveTenantError, SettingsUpdate, TenantAdmin, TenantSettings, TenantUpdate, Tenants, UserUpdate,
};
use tenantry_tenant_store::testing::unavailable;
use tenantry_tenant_store::{StoreError, TenantChange, TenantStore, UserChange, UserStore};

use crate::support::{World, claims, plain};

const KEY: &str = "sk-0123456789abcdef-WXYZ";
const OWN: &str = "https://llm.example.org/v1";

/// Acme with its admin, and tenants that may bring their own provider.
struct House {
    world: World,
    tenants: Tenants,
    acme: TenantId,
    ada: User,
}

impl House {
    fn new() -> Self {
        let world = World::new();
        let acme = world.tenant("acme");
        let ada = world.user("ada@example.org", Some(&acme));
        let tenants = Tenants::local(world.store.clone(), world.resolver.clone(), world.clock.clone())
            .with_providers(world.sealer.clone(), Arc::new(MemoryProviders::new()))
            .with_models(OfferedModels {
                chat: vec!["usual".into()],
                embedding: vec!["small".into()],
            });
        let house = Self {
            world,
            tenants,
            acme,
            ada,
        };
        house.appoint(Role::Admin);
        house
    }

    fn appoint(&self, role: Role) {
        let update = UserUpdate {
            role: Some(role),
            ..UserUpdate::default()
        };
        let Self { world, ada, .. } = self;
        world
            .accounts
            .update(&world.root, ada.id, update)
            .unwrap()
            .unwrap();
    }

    /// Ada as she is now: her role ends the tokens of the one before.
    fn ada(&self) -> User {
        self.world.as_now(&self.ada)
    }

    fn admin(&self) -> Result<TenantAdmin, ResolveError> {
        let caller = self.world.enter(&claims(&self.ada()))?;
        self.world.resolver.tenant_admin(&caller)
    }

    fn change(&self, update: SettingsUpdate) -> Result<(), SaveTenantError> {
        let settings = self.tenants.update_settings(&self.admin().unwrap(), update)?;
        settings.map(drop).ok_or_else(|| panic!("acme is gone"))
    }
}

fn own(key: Option<&str>) -> SettingsUpdate {
    SettingsUpdate {
        chat: Some(Some(ChatTuning {
            models: Some(vec!["own-large".into()]),
            ..ChatTuning::default()
        })),
        llm: Some(Some(ProviderUpdate {
            base_url: Some(OWN.into()),
            api_key: key.map(|key| Some(key.into())),
        })),
        ..SettingsUpdate::default()
    }
}

fn invalid(error: SaveTenantError) -> &'static str {
    match error {
        SaveTenantError::Invalid(invalid) => invalid.field,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_providers_key_is_sealed_for_its_tenant_and_its_column() {
    let house = House::new();
    house.change(own(Some(KEY))).unwrap();
    let scope = house.world.scope("acme");
    let key = scope.tenant().llm.clone().unwrap().api_key.unwrap();
    assert_eq!(key.last_four, "WXYZ");
    assert!(!format!("{:?} {}", scope.tenant(), key.sealed.as_str()).contains(KEY));
    let open = |field| house.world.sealer.open(field, &key.sealed);
    assert_eq!(
        open(Field::llm_api_key(&house.acme)).unwrap().expose_secret(),
        KEY
    );
    let other = house.world.tenant("other");
    assert!(open(Field::llm_api_key(&other)).is_err());
    assert!(open(Field::pinecone_api_key(&house.acme)).is_err());
}

#[test]
fn where_own_providers_are_switched_off_none_is_taken() {
    let house = House::new();
    let tenants = Tenants::local(
        house.world.store.clone(),
        house.world.resolver.clone(),
        house.world.clock.clone(),
    );
    let error = tenants
        .update_settings(&house.admin().unwrap(), own(None))
        .unwrap_err();
    assert_eq!(invalid(error), "llm_provider");
    let chosen = SettingsUpdate {
        chat: Some(Some(ChatTuning {
            models: Some(vec!["usual".into()]),
            ..ChatTuning::default()
        })),
        ..SettingsUpdate::default()
    };
    let error = tenants
        .update_settings(&house.admin().unwrap(), chosen)
        .unwrap_err();
    assert_eq!(
        invalid(error),
        "chat.models",
        "nothing is offered unless it is said"
    );
}

#[test]
fn a_tenant_is_made_with_its_settings_or_not_at_all() {
    let house = House::new();
    let new = |llm, models: &[&str]| NewTenant {
        chat: Some(ChatTuning {
            models: Some(models.iter().map(ToString::to_string).collect()),
            on_leave: Some(OnLeave::Finish),
            streams_per_user: Some(Some(2)),
            ..ChatTuning::default()
        }),
        llm,
        ..plain("other")
    };
    let own = || {
        Some(ProviderUpdate {
            base_url: Some(OWN.into()),
            api_key: Some(Some(KEY.into())),
        })
    };
    let root = &house.world.root;
    assert_eq!(
        invalid(house.tenants.create(root, new(own(), &[])).unwrap_err()),
        "chat.models"
    );
    assert!(
        house
            .world
            .store
            .inner()
            .tenant(&"other".parse().unwrap())
            .unwrap()
            .is_none()
    );
    let made = house
        .tenants
        .create(root, new(own(), &["own-large"]))
        .unwrap()
        .tenant;
    assert_eq!(
        (made.chat.on_leave, made.chat.streams_per_user),
        (OnLeave::Finish, Some(2))
    );
    assert_eq!(made.llm.unwrap().base_url, OWN);
}

#[test]
fn an_admin_is_who_the_store_says_at_this_moment() {
    let house = House::new();
    assert_eq!(house.admin().unwrap().scope().id(), &house.acme);
    let as_admin = claims(&house.ada());
    assert!(house.world.enter(&as_admin).is_ok());
    house.appoint(Role::Member);
    assert!(matches!(
        house.world.enter(&as_admin),
        Err(ResolveError::Unauthenticated)
    ));
    assert!(matches!(
        house.admin(),
        Err(ResolveError::PermissionRequired(Permission::Admin))
    ));
    // Given by another process: a refusal is never decided from memory.
    let again = UserChange {
        role: Some(Role::Admin),
        ..UserChange::default()
    };
    let store = house.world.store.inner();
    store
        .update_user(house.ada.id, &again, house.world.now())
        .unwrap()
        .unwrap();
    assert!(house.admin().is_ok());
    // Taken by another process: it ends within the second.
    let taken = UserChange {
        role: Some(Role::Member),
        ..UserChange::default()
    };
    store
        .update_user(house.ada.id, &taken, house.world.now())
        .unwrap()
        .unwrap();
    house.world.later(1_000);
    assert!(matches!(
        house.admin(),
        Err(ResolveError::PermissionRequired(Permission::Admin))
    ));
}

#[test]
fn who_has_no_active_tenant_administers_none() {
    let house = House::new();
    let caller = house.world.enter(&claims(&house.ada())).unwrap();
    house
        .tenants
        .deactivate(&house.world.root, &house.acme)
        .unwrap()
        .unwrap();
    assert!(house.admin().is_err());
    drop(caller);
    let nomad = house.world.user("nomad@example.org", None);
    let update = UserUpdate {
        role: Some(Role::Admin),
        ..UserUpdate::default()
    };
    let accounts = &house.world.accounts;
    accounts
        .update(&house.world.root, nomad.id, update)
        .unwrap()
        .unwrap();
    let caller = house.world.enter(&claims(&house.world.as_now(&nomad))).unwrap();
    assert!(matches!(
        house.world.resolver.tenant_admin(&caller),
        Err(ResolveError::TenantForbidden)
    ));
}

#[test]
fn an_admin_without_a_word_is_a_member_of_the_next_tenant() {
    let house = House::new();
    let other = house.world.tenant("other");
    let moved = |role| {
        let update = UserUpdate {
            tenant: Some(Some(other.clone())),
            role,
            ..UserUpdate::default()
        };
        let accounts = &house.world.accounts;
        accounts
            .update(&house.world.root, house.ada.id, update)
            .unwrap()
            .unwrap()
    };
    assert_eq!(moved(None).role, Role::Member);
    house.appoint(Role::Admin);
    assert_eq!(moved(None).role, Role::Admin, "it is the same tenant");
}

#[test]
fn a_store_that_fails_makes_nobody_an_admin() {
    let house = House::new();
    let caller = house.world.enter(&claims(&house.ada())).unwrap();
    house.appoint(Role::Member);
    let stale = house.world.enter(&claims(&house.ada())).unwrap();
    house.world.store.fail_when(|_| Some(unavailable()));
    assert!(matches!(
        house.world.resolver.tenant_admin(&stale),
        Err(ResolveError::Store(_))
    ));
    drop(caller);
}

#[test]
fn a_change_holds_for_the_next_request_of_a_caller_who_is_remembered() {
    let house = House::new();
    let seen = || {
        let caller = house.world.enter(&claims(&house.ada())).unwrap();
        let admin = house.world.resolver.tenant_admin(&caller).unwrap();
        house.tenants.settings(&admin)
    };
    assert_eq!(seen().chat.on_leave, OnLeave::Cancel);
    let finish = SettingsUpdate {
        chat: Some(Some(ChatTuning {
            on_leave: Some(OnLeave::Finish),
            ..ChatTuning::default()
        })),
        ..SettingsUpdate::default()
    };
    house.change(finish).unwrap();
    assert_eq!(seen().chat.on_leave, OnLeave::Finish);
}

#[test]
fn a_version_of_the_prompt_names_who_set_it() {
    let house = House::new();
    let world = &house.world;
    let set = |text: &str| Some(Some(text.to_owned()));
    let by_admin = SettingsUpdate {
        system_prompt: set("By Ada."),
        ..SettingsUpdate::default()
    };
    house.change(by_admin).unwrap();
    let by_operator = TenantUpdate {
        system_prompt: set("By the operator."),
        ..TenantUpdate::default()
    };
    house
        .tenants
        .update(&world.root, &house.acme, &by_operator)
        .unwrap()
        .unwrap();
    let prompts = Prompts::new(
        world.store.clone(),
        world.store.clone(),
        world.resolver.clone(),
        world.clock.clone(),
    );
    let access = PromptAccess::own(&house.admin().unwrap());
    prompts.restore(&access, 1).unwrap().unwrap();
    let versions = prompts.versions(&access, Page::default()).unwrap().unwrap().items;
    let told: Vec<_> = versions
        .iter()
        .map(|version| (version.number, version.text.as_deref(), version.author))
        .collect();
    let expected = [
        (4, Some("You speak for acme."), Some(house.ada.id)),
        (3, Some("By the operator."), None),
        (2, Some("By Ada."), Some(house.ada.id)),
        (1, Some("You speak for acme."), None),
    ];
    assert_eq!(told, expected);
    let nowhere = PromptAccess::any(&world.root, "nowhere".parse().unwrap());
    assert!(prompts.versions(&nowhere, Page::default()).unwrap().is_none());
    assert!(prompts.restore(&nowhere, 1).unwrap().is_none());
}

/// Tenants among whom somebody else makes a change right after the next time that one is read.
struct Raced {
    store: Arc<dyn TenantStore>,
    then: Mutex<Option<TenantChange>>,
}

impl Raced {
    /// Lets the admin of acme make `update` while `meanwhile` happens.
    fn change(
        house: &House,
        meanwhile: TenantChange,
        update: SettingsUpdate,
    ) -> Result<Option<TenantSettings>, SaveTenantError> {
        let World {
            store,
            resolver,
            clock,
            ..
        } = &house.world;
        let raced = Arc::new(Self {
            store: store.clone(),
            then: Mutex::new(Some(meanwhile)),
        });
        let tenants = Tenants::local(raced, resolver.clone(), clock.clone())
            .with_providers(house.world.sealer.clone(), Arc::new(MemoryProviders::new()))
            .with_models(OfferedModels {
                chat: vec!["usual".into()],
                embedding: Vec::new(),
            });
        tenants.update_settings(&house.admin().unwrap(), update)
    }
}

impl TenantStore for Raced {
    fn create_tenant(&self, tenant: &Tenant, actor: &Actor) -> Result<(), StoreError> {
        self.store.create_tenant(tenant, actor)
    }

    fn tenant(&self, id: &TenantId) -> Result<Option<Tenant>, StoreError> {
        let tenant = self.store.tenant(id);
        if let Some(change) = self.then.lock().unwrap().take() {
            self.store.update_tenant(id, &change, now()).unwrap().unwrap();
        }
        tenant
    }

    fn tenants(&self, page: Page) -> Result<Paged<Tenant>, StoreError> {
        self.store.tenants(page)
    }

    fn update_tenant(
        &self,
        id: &TenantId,
        change: &TenantChange,
        now: Timestamp,
    ) -> Result<Option<Tenant>, StoreError> {
        self.store.update_tenant(id, change, now)
    }
}

fn now() -> Timestamp {
    SystemClock.now()
}

fn models(names: &[&str]) -> SettingsUpdate {
    SettingsUpdate {
        chat: Some(Some(ChatTuning {
            models: Some(names.iter().copied().map(str::to_owned).collect()),
            ..ChatTuning::default()
        })),
        ..SettingsUpdate::default()
    }
}

#[test]
fn a_tenant_that_loses_its_provider_meanwhile_is_given_no_model_that_is_not_offered() {
    let house = House::new();
    house.change(own(Some(KEY))).unwrap();
    let meanwhile = TenantChange {
        chat: Some(ChatSettings::default()),
        llm: Some(None),
        ..TenantChange::default()
    };
    let refused = Raced::change(&house, meanwhile, models(&["dearest"])).unwrap_err();
    assert_eq!(invalid(refused), "chat.models");
    assert_eq!(house.world.scope("acme").tenant().chat.models, [""; 0]);
}

#[test]
fn an_admin_does_not_undo_the_cap_that_a_superuser_sets_meanwhile() {
    let house = House::new();
    let meanwhile = TenantChange {
        chat: Some(ChatSettings {
            streams_per_tenant: Some(1),
            ..ChatSettings::default()
        }),
        ..TenantChange::default()
    };
    let saved = Raced::change(&house, meanwhile, models(&["usual"])).unwrap();
    let chat = saved.unwrap().chat;
    assert_eq!(
        (chat.streams_per_tenant, chat.models),
        (Some(1), vec!["usual".into()])
    );
}
