//! Changing a password that is known, and setting one that is not by a one-time link.

use std::sync::Arc;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use tenantry_crypto::RejectedPassword;
use tenantry_domain::{
    ApiKey, ApiKeyId, AuditAction, Page, Permission, Permissions, Principal, RequestOrigin, Role, TenantId,
    TokenHash, User, UserId,
};
use tenantry_mail::MemoryMailer;
use tenantry_mail::testing::Breakable;
use tenantry_retrieval::{
    ChangePasswordError, Client, Credential, LoggedIn, LoginError, Passwords, RedeemError, ResetError,
    ResetLink, Resets, Resolver, TenantAdmin, UserUpdate,
};
use tenantry_tenant_store::testing::unavailable;
use tenantry_tenant_store::{ApiKeyStore, AuditFilter, AuditStore, UserStore};

use crate::support::{PASSWORD, World};

const OTHER: &str = "another horse battery";

struct House {
    world: World,
    acme: TenantId,
    ada: User,
    passwords: Passwords,
    resets: Resets,
    mailer: Arc<Breakable<MemoryMailer>>,
}

impl std::ops::Deref for House {
    type Target = World;

    fn deref(&self) -> &World {
        &self.world
    }
}

fn house() -> House {
    let world = World::new();
    let acme = world.tenant("acme");
    let ada = world.user("ada@example.org", Some(&acme));
    let mailer = Arc::new(Breakable::new(MemoryMailer::new()));
    let parts = world.account_parts.clone();
    House {
        passwords: Passwords::new(parts.clone(), world.sessions.clone()),
        resets: Resets::new(
            parts,
            Some(mailer.clone()),
            Some("https://rag.example.org".into()),
        ),
        world,
        acme,
        ada,
        mailer,
    }
}

impl House {
    fn change(&self, of: &LoggedIn, current: &str, new: &str) -> Result<LoggedIn, ChangePasswordError> {
        let holder = self.holder(of).unwrap();
        self.passwords
            .change(&holder, &current.into(), &new.into(), &Client::default())
    }

    fn issue(&self, user: UserId) -> ResetLink {
        self.resets.issue(&self.root, user).unwrap().unwrap()
    }

    fn redeem(&self, token: &SecretString, new: &str) -> Result<(), RedeemError> {
        self.resets.redeem(token, &new.into(), &Client::default())
    }

    fn admin(&self, email: &str, tenant: &TenantId) -> TenantAdmin {
        let user = self.user(email, Some(tenant));
        let admin = UserUpdate {
            role: Some(Role::Admin),
            ..UserUpdate::default()
        };
        self.accounts.update(&self.root, user.id, admin).unwrap();
        let claims = self.log_in(email, PASSWORD).unwrap().claims();
        let caller = self
            .resolver
            .caller(&Credential::Token(claims), &RequestOrigin::default())
            .unwrap();
        self.resolver.tenant_admin(&caller).unwrap()
    }

    fn count(&self, action: AuditAction) -> u64 {
        let filter = AuditFilter {
            action: Some(action),
            ..AuditFilter::default()
        };
        self.store.inner().audit(&filter, Page::default()).unwrap().total
    }
}

#[test]
fn a_changed_password_ends_every_session_and_begins_one() {
    let house = house();
    let (here, there) = (
        house.log_in("ada@example.org", PASSWORD).unwrap(),
        house.log_in("ada@example.org", PASSWORD).unwrap(),
    );
    let next = house.change(&here, PASSWORD, OTHER).unwrap();
    assert!(house.holder(&next).is_ok());
    assert!(house.holder(&here).is_err() && house.holder(&there).is_err());
    assert!(house.log_in("ada@example.org", OTHER).is_ok());
    assert!(matches!(
        house.log_in("ada@example.org", PASSWORD),
        Err(LoginError::Refused)
    ));
    assert!(house.count(AuditAction::PasswordChanged) == 1);
}

#[test]
fn whoever_does_not_know_the_password_does_not_change_it_and_may_not_guess_for_ever() {
    let house = house();
    let stolen = house.log_in("ada@example.org", PASSWORD).unwrap();
    let mut told = Vec::new();
    for _ in 0..12 {
        told.push(house.change(&stolen, "a wrong guess", OTHER).unwrap_err());
    }
    assert!(matches!(told[0], ChangePasswordError::Wrong));
    assert!(matches!(told[11], ChangePasswordError::TooMany(_)), "{told:?}");
    assert!(matches!(
        house.change(&stolen, PASSWORD, OTHER),
        Err(ChangePasswordError::TooMany(_))
    ));
    assert!(house.holder(&stolen).is_ok() && house.log_in("ada@example.org", PASSWORD).is_ok());
    assert_eq!(house.count(AuditAction::LoginFailed), 11);
    house.clock.advance(Duration::from_mins(15));
    assert!(house.change(&stolen, PASSWORD, OTHER).is_ok());
}

#[test]
fn a_weak_password_is_refused_before_the_old_one_is_looked_at() {
    let house = house();
    let here = house.log_in("ada@example.org", PASSWORD).unwrap();
    for _ in 0..20 {
        let refused = house.change(&here, "a wrong guess", "short");
        assert!(matches!(
            refused,
            Err(ChangePasswordError::Rejected(RejectedPassword::TooShort { .. }))
        ));
    }
    assert!(
        house.change(&here, PASSWORD, OTHER).is_ok(),
        "that counted for nothing"
    );
}

#[test]
fn a_change_that_we_failed_counts_for_nobody() {
    let house = house();
    let here = house.log_in("ada@example.org", PASSWORD).unwrap();
    house.holder(&here).unwrap();
    house
        .store
        .fail_when(|method| (method == "user").then(unavailable));
    for _ in 0..20 {
        assert!(matches!(
            house.change(&here, PASSWORD, OTHER),
            Err(ChangePasswordError::Store(_))
        ));
    }
    house.store.heal();
    assert!(house.change(&here, PASSWORD, OTHER).is_ok());
}

#[test]
fn a_link_sets_a_password_once() {
    let house = house();
    let here = house.log_in("ada@example.org", PASSWORD).unwrap();
    let link = house.issue(house.ada.id);
    let token = link.token.expose_secret();
    assert_eq!(
        link.url.expose_secret(),
        &format!("https://rag.example.org/password-reset#token={token}")
    );
    assert_eq!(link.expires_at.unix_seconds(), house.now().unix_seconds() + 3_600);
    assert!(house.holder(&here).is_ok(), "a link alone changes nothing");
    house.redeem(&link.token, OTHER).unwrap();
    assert!(house.holder(&here).is_err());
    assert!(house.log_in("ada@example.org", OTHER).is_ok());
    assert!(matches!(
        house.redeem(&link.token, PASSWORD),
        Err(RedeemError::Invalid)
    ));
    assert!(house.log_in("ada@example.org", OTHER).is_ok());
}

#[test]
fn a_link_works_for_an_hour_and_until_there_is_another() {
    let house = house();
    let late = house.issue(house.ada.id);
    house.clock.advance(Duration::from_hours(1));
    assert!(matches!(
        house.redeem(&late.token, OTHER),
        Err(RedeemError::Invalid)
    ));
    let (first, second) = (house.issue(house.ada.id), house.issue(house.ada.id));
    assert!(matches!(
        house.redeem(&first.token, OTHER),
        Err(RedeemError::Invalid)
    ));
    assert!(house.redeem(&second.token, OTHER).is_ok());
    assert!(
        house
            .resets
            .issue(&house.root, UserId::generate(house.now()))
            .unwrap()
            .is_none()
    );
}

#[test]
fn a_refused_password_leaves_the_link_as_it_is() {
    let house = house();
    let link = house.issue(house.ada.id);
    for weak in [
        "short",
        "password1234",
        "my tenantry password",
        &"x".repeat(1_025),
    ] {
        assert!(
            matches!(house.redeem(&link.token, weak), Err(RedeemError::Rejected(_))),
            "{weak}"
        );
    }
    assert!(house.redeem(&link.token, OTHER).is_ok());
}

#[test]
fn a_link_that_was_redeemed_forgives_what_strangers_failed() {
    let house = house();
    while !matches!(
        house.log_in("ada@example.org", "a wrong guess"),
        Err(LoginError::TooMany(_))
    ) {}
    assert!(matches!(
        house.log_in("ada@example.org", PASSWORD),
        Err(LoginError::TooMany(_))
    ));
    house.redeem(&house.issue(house.ada.id).token, OTHER).unwrap();
    assert!(house.log_in("ada@example.org", OTHER).is_ok());
}

#[test]
fn whoever_guesses_links_has_to_wait() {
    let house = house();
    let client = Client {
        origin: RequestOrigin {
            address: Some("203.0.113.9".parse().unwrap()),
            ..RequestOrigin::default()
        },
        ..Client::default()
    };
    let guess = |token: &str| house.resets.redeem(&token.into(), &OTHER.into(), &client);
    let wrong = format!("tnp_{}", "A".repeat(43));
    assert!((0..30).all(|_| matches!(guess(&wrong), Err(RedeemError::Invalid))));
    guess("nonsense").unwrap_err();
    assert!(matches!(guess(&wrong), Err(RedeemError::TooMany(_))));
}

#[test]
fn an_admin_gives_links_to_the_users_of_the_own_tenant_alone() {
    let house = house();
    let globex = house.tenant("globex");
    let admin = house.admin("boss@example.org", &house.acme);
    let (theirs, nobodys) = (
        house.user("grace@example.org", Some(&globex)),
        house.user("nomad@example.org", None),
    );
    let root = house.user("root@example.org", Some(&house.acme));
    let superuser = UserUpdate {
        is_superuser: Some(true),
        ..UserUpdate::default()
    };
    house.accounts.update(&house.root, root.id, superuser).unwrap();
    for id in [theirs.id, nobodys.id, root.id, UserId::generate(house.now())] {
        assert!(house.resets.issue_in_tenant(&admin, id).unwrap().is_none());
    }
    assert_eq!(house.count(AuditAction::PasswordResetIssued), 0);
    let link = house
        .resets
        .issue_in_tenant(&admin, house.ada.id)
        .unwrap()
        .unwrap();
    house.redeem(&link.token, OTHER).unwrap();
    assert!(house.log_in("ada@example.org", OTHER).is_ok());
    assert_eq!(house.count(AuditAction::PasswordResetIssued), 1);
}

#[test]
fn a_link_does_not_outlive_the_rank_that_it_was_given_for() {
    let house = house();
    let admin = house.admin("boss@example.org", &house.acme);
    let link = house
        .resets
        .issue_in_tenant(&admin, house.ada.id)
        .unwrap()
        .unwrap();
    let superuser = UserUpdate {
        is_superuser: Some(true),
        ..UserUpdate::default()
    };
    house
        .accounts
        .update(&house.root, house.ada.id, superuser)
        .unwrap();
    assert!(matches!(
        house.redeem(&link.token, OTHER),
        Err(RedeemError::Invalid)
    ));
}

#[test]
fn a_key_gives_no_link_to_who_may_do_what_it_may_not() {
    let house = house();
    let key = |permissions: Permissions, secret: u8| {
        let now = house.now();
        let key = ApiKey {
            id: ApiKeyId::generate(now),
            name: "automation".into(),
            prefix: "tnk_".into(),
            permissions,
            created_by: Principal::Operator,
            created_at: now,
            expires_at: None,
            used_at: None,
            revoked_at: None,
            replaced_by: None,
        };
        let hash = TokenHash::from_bytes([secret; 32]);
        house
            .store
            .inner()
            .create_api_key(&house.scope("acme"), &key, hash)
            .unwrap();
        let resolver = Resolver::new(house.store.clone(), house.store.clone(), house.clock.clone());
        let resolver = resolver.with_api_keys(house.store.clone());
        let caller = resolver
            .caller(&Credential::ApiKey(hash), &RequestOrigin::default())
            .unwrap();
        resolver.tenant_admin(&caller).unwrap()
    };
    let narrow = key(Permissions::of(&[Permission::Admin]), 1);
    assert!(
        house
            .resets
            .issue_in_tenant(&narrow, house.ada.id)
            .unwrap()
            .is_none(),
        "ada may chat"
    );
    let wide = key(Permissions::ALL, 2);
    assert!(
        house
            .resets
            .issue_in_tenant(&wide, house.ada.id)
            .unwrap()
            .is_some()
    );
}

#[test]
fn a_mail_goes_to_the_one_who_has_the_account() {
    let house = house();
    let deliver = |email: &str| {
        house.resets.ask(email, &Client::default()).unwrap();
        house.resets.deliver(email, &Client::default()).unwrap();
    };
    deliver("Ada@Example.org");
    let sent = house.mailer.inner().sent();
    assert_eq!((sent.len(), sent[0].to.as_str()), (1, "ada@example.org"));
    let text = sent[0].text.expose_secret();
    let (_, rest) = text
        .split_once("https://rag.example.org/password-reset#token=")
        .unwrap();
    let token = rest.split_whitespace().next().unwrap();
    house.redeem(&token.into(), OTHER).unwrap();
    assert!(house.log_in("ada@example.org", OTHER).is_ok());
    for email in ["nobody@example.org", "no address"] {
        deliver(email);
    }
    assert_eq!(house.mailer.inner().sent().len(), 1);
}

#[test]
fn nobody_is_sent_a_link_who_may_not_log_in_with_a_password() {
    let house = house();
    let off = UserUpdate {
        is_active: Some(false),
        ..UserUpdate::default()
    };
    let bo = house.user("bo@example.org", Some(&house.acme));
    house.accounts.update(&house.root, bo.id, off).unwrap();
    let mut eve = house.ada.clone();
    eve.id = UserId::generate(house.now());
    eve.email = "eve@example.org".parse().unwrap();
    eve.password_hash = None;
    house
        .store
        .inner()
        .create_user(&eve, &tenantry_domain::Actor::system())
        .unwrap();
    for email in ["bo@example.org", "eve@example.org"] {
        house.resets.deliver(email, &Client::default()).unwrap();
    }
    house.tenants.deactivate(&house.root, &house.acme).unwrap();
    house
        .resets
        .deliver("ada@example.org", &Client::default())
        .unwrap();
    assert!(house.mailer.inner().sent().is_empty());
}

#[test]
fn a_mailbox_is_not_flooded_and_the_log_in_not_held_up() {
    let house = house();
    for email in ["ada@example.org", "nobody@example.org"] {
        let told: Vec<bool> = (0..6)
            .map(|_| house.resets.ask(email, &Client::default()).is_ok())
            .collect();
        assert_eq!(told, [true, true, true, true, false, false], "{email}");
    }
    assert!(matches!(
        house.resets.ask("ADA@example.org", &Client::default()),
        Err(ResetError::TooMany(_))
    ));
    assert!(house.log_in("ada@example.org", PASSWORD).is_ok());
}

#[test]
fn a_mail_that_was_not_sent_is_told_to_whoever_sends_it() {
    let house = house();
    house.mailer.break_down();
    let failed = house.resets.deliver("ada@example.org", &Client::default());
    assert!(matches!(failed, Err(ResetError::Mail(_))));
}

#[test]
fn without_a_mail_server_nobody_is_sent_anything_and_links_have_a_path_alone() {
    let house = house();
    let resets = Resets::new(house.account_parts.clone(), None, None);
    resets.ask("ada@example.org", &Client::default()).unwrap();
    resets.deliver("ada@example.org", &Client::default()).unwrap();
    assert_eq!(house.count(AuditAction::PasswordResetIssued), 0);
    let link = resets.issue(&house.root, house.ada.id).unwrap().unwrap();
    assert!(link.url.expose_secret().starts_with("/password-reset#token=tnp_"));
}

#[test]
fn debug_shows_no_secret() {
    let house = house();
    let link = house.issue(house.ada.id);
    let shown = format!("{link:?} {:?} {:?}", house.resets, house.passwords);
    assert!(!shown.contains("tnp_"), "{shown}");
}
