//! What every store that keeps tenants with a [`PromptStore`] of the same records must do.
#![expect(clippy::unwrap_used, reason = "an obligation panics where the store fails it")]

use std::collections::BTreeSet;

use tenantry_domain::{Actor, Page, Principal, PromptVersion, Tenant, TenantId, Timestamp, UserId};

use super::samples::{at, full_tenant, tenant, tenant_id};
use crate::{PromptStore, StoreError, TenantChange, TenantStore};

fn with_prompt(id: &str, prompt: &str) -> Tenant {
    Tenant {
        system_prompt: Some(prompt.into()),
        ..tenant(id)
    }
}

fn change(prompt: Option<&str>, author: Option<UserId>) -> TenantChange {
    TenantChange {
        system_prompt: Some(prompt.map(str::to_owned)),
        actor: author.map_or_else(Actor::system, |author| Actor::of(Principal::User(author))),
        ..TenantChange::default()
    }
}

fn set<S: TenantStore>(store: &S, id: &TenantId, prompt: Option<&str>, now: Timestamp) {
    let changed = store
        .update_tenant(id, &change(prompt, None), now)
        .unwrap()
        .unwrap();
    assert_eq!(changed.system_prompt.as_deref(), prompt);
}

fn versions<S: PromptStore>(store: &S, id: &TenantId) -> Vec<PromptVersion> {
    let page = Page::new(Page::MAX_LIMIT, 0).unwrap();
    let versions = store.prompt_versions(id, page).unwrap();
    assert_eq!(versions.total, u64::try_from(versions.items.len()).unwrap());
    versions.items
}

/// The prompt that a tenant is created with is its first version, of the tenant's own moment; without one there is none.
pub fn a_prompt_at_creation_is_the_first_version<S: TenantStore + PromptStore>(store: &S) {
    let full = full_tenant("full");
    store.create_tenant(&full, &Actor::system()).unwrap();
    let first = PromptVersion {
        number: 1,
        text: full.system_prompt.clone(),
        author: None,
        created_at: full.created_at,
    };
    assert_eq!(versions(store, &full.id), [first]);
    let plain = tenant("plain");
    store.create_tenant(&plain, &Actor::system()).unwrap();
    assert_eq!(versions(store, &plain.id), []);
    let empty = with_prompt("empty", "");
    store.create_tenant(&empty, &Actor::system()).unwrap();
    assert_eq!(versions(store, &empty.id).len(), 1);
}

/// A prompt that is changed or cleared becomes the next version, with its author and moment; those before stay as they are.
pub fn a_changed_prompt_becomes_the_next_version<S: TenantStore + PromptStore>(store: &S) {
    let acme = with_prompt("acme", "Be brief.");
    store.create_tenant(&acme, &Actor::system()).unwrap();
    let author = UserId::generate(at(0));
    let texts = [Some("Be kind. 'Æ' \u{1F989}\r\n"), None, Some("Be brief.")];
    for (text, seconds) in texts.into_iter().zip(10..) {
        let author = text.is_some().then_some(author);
        let changed = store.update_tenant(&acme.id, &change(text, author), at(seconds));
        assert_eq!(changed.unwrap().unwrap().system_prompt.as_deref(), text);
    }
    let version = |number: u32, text: Option<&str>, author, created_at| PromptVersion {
        number,
        text: text.map(str::to_owned),
        author,
        created_at,
    };
    let wanted = [
        version(4, Some("Be brief."), Some(author), at(12)),
        version(3, None, None, at(11)),
        version(2, texts[0], Some(author), at(10)),
        version(1, Some("Be brief."), None, acme.created_at),
    ];
    assert_eq!(versions(store, &acme.id), wanted);
    for version in wanted {
        let read = store.prompt_version(&acme.id, version.number).unwrap();
        assert_eq!(read, Some(version));
    }
}

/// A change to what the prompt is already, or of anything else, makes no version.
pub fn a_prompt_that_stays_makes_no_version<S: TenantStore + PromptStore>(store: &S) {
    let acme = with_prompt("acme", "Be brief.");
    let plain = tenant("plain");
    for tenant in [&acme, &plain] {
        store.create_tenant(tenant, &Actor::system()).unwrap();
    }
    let other = TenantChange {
        name: Some("Acme Ltd".into()),
        actor: Actor::of(Principal::User(UserId::generate(at(0)))),
        ..TenantChange::default()
    };
    store.update_tenant(&acme.id, &other, at(10)).unwrap().unwrap();
    set(store, &acme.id, Some("Be brief."), at(11));
    set(store, &plain.id, None, at(11));
    assert_eq!(versions(store, &acme.id).len(), 1);
    assert_eq!(versions(store, &plain.id), []);
}

/// Versions are listed the latest first, cut into pages, with their number in all.
pub fn versions_are_listed_latest_first_in_pages_with_the_total<S: TenantStore + PromptStore>(store: &S) {
    let acme = with_prompt("acme", "1");
    store.create_tenant(&acme, &Actor::system()).unwrap();
    for number in 2..=12 {
        set(store, &acme.id, Some(&number.to_string()), at(number));
    }
    let mut listed = Vec::new();
    let mut page = Page::new(5, 0).unwrap();
    for wanted in [5, 5, 2, 0] {
        let paged = store.prompt_versions(&acme.id, page).unwrap();
        assert_eq!((paged.items.len(), paged.total), (wanted, 12));
        listed.extend(paged.items.into_iter().map(|version| version.number));
        page = page.next().unwrap();
    }
    assert_eq!(listed, (1..=12).rev().collect::<Vec<_>>());
}

/// A tenant's versions are numbered, listed and read for that tenant alone.
pub fn a_version_of_another_tenant_does_not_exist<S: TenantStore + PromptStore>(store: &S) {
    let (acme, globex) = (with_prompt("acme", "A"), with_prompt("acme2", "B"));
    for tenant in [&acme, &globex] {
        store.create_tenant(tenant, &Actor::system()).unwrap();
    }
    set(store, &acme.id, Some("A2"), at(10));
    assert_eq!(versions(store, &acme.id).len(), 2);
    let [version] = &versions(store, &globex.id)[..] else {
        unreachable!("one prompt, one version")
    };
    assert_eq!((version.number, version.text.as_deref()), (1, Some("B")));
    assert_eq!(store.prompt_version(&globex.id, 2).unwrap(), None);
}

/// A tenant that does not exist has no version, and an update of it makes none.
pub fn an_absent_tenant_has_no_version<S: TenantStore + PromptStore>(store: &S) {
    let nobody = tenant_id("nobody");
    let changed = store.update_tenant(&nobody, &change(Some("x"), None), at(1));
    assert_eq!(changed.unwrap(), None);
    assert_eq!(versions(store, &nobody), []);
    let acme = with_prompt("acme", "x");
    store.create_tenant(&acme, &Actor::system()).unwrap();
    for (id, number) in [(&nobody, 1), (&acme.id, 0), (&acme.id, 2), (&acme.id, u32::MAX)] {
        assert_eq!(store.prompt_version(id, number).unwrap(), None, "{id} {number}");
    }
}

/// A creation or change that is refused makes no version.
pub fn what_was_refused_makes_no_version<S: TenantStore + PromptStore>(store: &S) {
    let acme = tenant("acme");
    store.create_tenant(&acme, &Actor::system()).unwrap();
    let again = store.create_tenant(&with_prompt("acme", "x"), &Actor::system());
    assert!(matches!(again, Err(StoreError::IdTaken)));
    let nul = store.update_tenant(&acme.id, &change(Some("\0"), None), at(1));
    assert!(matches!(nul, Err(StoreError::Failed(_))));
    assert_eq!(versions(store, &acme.id), []);
    let nul = with_prompt("nul", "\0");
    assert!(matches!(
        store.create_tenant(&nul, &Actor::system()),
        Err(StoreError::Failed(_))
    ));
    assert_eq!(versions(store, &nul.id), []);
}

/// Of prompts that are set at once each becomes a version, and the last one is the tenant's.
pub fn prompts_changed_at_once_are_all_versions<S: TenantStore + PromptStore>(store: &S) {
    let acme = tenant("acme");
    store.create_tenant(&acme, &Actor::system()).unwrap();
    std::thread::scope(|threads| {
        for thread in 0..4 {
            let id = &acme.id;
            threads.spawn(move || {
                for round in 0..5 {
                    set(store, id, Some(&format!("{thread} {round}")), at(round));
                }
            });
        }
    });
    let versions = versions(store, &acme.id);
    let numbers: Vec<_> = versions.iter().map(|version| version.number).collect();
    assert_eq!(numbers, (1..=20).rev().collect::<Vec<_>>());
    let texts: BTreeSet<_> = versions.iter().map(|version| version.text.as_deref()).collect();
    assert_eq!(texts.len(), 20);
    let now = store.tenant(&acme.id).unwrap().unwrap().system_prompt;
    assert_eq!(versions.first().unwrap().text, now);
}
