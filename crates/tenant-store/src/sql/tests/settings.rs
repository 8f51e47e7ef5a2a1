//! What becomes of settings and prompts that a hand, or a later version, wrote.

use tenantry_domain::Principal;

use super::*;
use crate::{PromptStore, TenantChange};

fn acme() -> TenantId {
    TenantId::parse("acme").unwrap()
}

fn with_prompt(prompt: Option<&str>) -> SqlStoreWithFolder {
    let (store, folder) = migrated();
    let tenant = Tenant {
        system_prompt: prompt.map(str::to_owned),
        ..crate::conformance::samples::tenant("acme")
    };
    store.create_tenant(&tenant, &Actor::system()).unwrap();
    (store, folder)
}

type SqlStoreWithFolder = (SqlStore, TempDir);

/// The versions' texts, the first first, each with whether it has an author.
fn history(store: &SqlStore) -> Vec<(Option<String>, bool)> {
    let versions = store.prompt_versions(&acme(), Page::default()).unwrap().items;
    let numbers: Vec<_> = versions.iter().map(|version| version.number).collect();
    assert!(numbers.is_sorted_by(|a, b| a == &(b + 1)), "{numbers:?}");
    let told = |version: tenantry_domain::PromptVersion| (version.text, version.author.is_some());
    versions.into_iter().rev().map(told).collect()
}

fn change(store: &SqlStore, prompt: Option<&str>) {
    let change = TenantChange {
        system_prompt: Some(prompt.map(str::to_owned)),
        actor: Actor::of(Principal::User(UserId::generate(now()))),
        ..TenantChange::default()
    };
    store.update_tenant(&acme(), &change, now()).unwrap().unwrap();
}

fn version(text: &str, has_author: bool) -> (Option<String>, bool) {
    (Some(text.to_owned()), has_author)
}

#[test]
fn a_prompt_written_by_hand_is_recorded_with_the_next_change() {
    for first in [None, Some("first")] {
        let (store, _folder) = with_prompt(first);
        let mut wanted: Vec<_> = first.map(|text| version(text, false)).into_iter().collect();
        sql(&store, "UPDATE tenants SET system_prompt = 'by hand'");
        assert_eq!(history(&store), wanted);
        change(&store, Some("next"));
        wanted.extend([version("by hand", false), version("next", true)]);
        assert_eq!(history(&store), wanted);
    }
}

#[test]
fn a_prompt_written_by_hand_is_nobodys_also_when_it_stays() {
    let (store, _folder) = with_prompt(None);
    sql(&store, "UPDATE tenants SET system_prompt = 'by hand'");
    for _ in 0..2 {
        change(&store, Some("by hand"));
        assert_eq!(history(&store), [version("by hand", false)]);
    }
}

#[test]
fn a_prompt_cleared_by_hand_is_recorded_as_cleared() {
    let (store, _folder) = with_prompt(Some("first"));
    sql(&store, "UPDATE tenants SET system_prompt = NULL");
    change(&store, Some("first"));
    assert_eq!(
        history(&store),
        [version("first", false), (None, false), version("first", true)]
    );
}

#[test]
fn the_last_number_of_a_version_is_not_passed() {
    let (store, _folder) = with_prompt(Some("first"));
    sql(&store, "UPDATE system_prompts SET number = 4294967295");
    let next = TenantChange {
        name: Some("changed".into()),
        system_prompt: Some(Some("next".into())),
        ..TenantChange::default()
    };
    let refused = store.update_tenant(&acme(), &next, now());
    assert!(matches!(refused, Err(StoreError::Failed(_))), "{refused:?}");
    let kept = store.tenant(&acme()).unwrap().unwrap();
    assert_eq!(
        (kept.name.as_str(), kept.system_prompt.as_deref()),
        ("ACME", Some("first"))
    );
}

#[test]
fn settings_of_a_later_version_are_a_failure_that_names_them() {
    let (store, _folder) = with_prompt(None);
    for (column, wanted) in [
        (
            r#"{"reasoning":"high"}"#,
            r#"the chat setting "reasoning" cannot be read"#,
        ),
        (
            r#"{"on_leave":"ask"}"#,
            r#"the chat setting "on_leave" cannot be read"#,
        ),
    ] {
        sql(&store, &format!("UPDATE tenants SET chat = '{column}'"));
        let Err(StoreError::Failed(row)) = store.tenant(&acme()) else {
            panic!("{column} was read")
        };
        assert_eq!(row.to_string(), "a row of tenants cannot be read");
        assert_eq!(row.source().map(ToString::to_string).as_deref(), Some(wanted));
    }
    let anew = TenantChange {
        chat: Some(ChatSettings::default()),
        ..TenantChange::default()
    };
    store.update_tenant(&acme(), &anew, now()).unwrap().unwrap();
    assert!(store.tenant(&acme()).is_ok());
}

#[test]
fn a_setting_that_was_never_set_is_not_written() {
    let (store, _folder) = with_prompt(None);
    let change = TenantChange {
        chat: Some(ChatSettings {
            passages: Some(3),
            ..ChatSettings::default()
        }),
        ..TenantChange::default()
    };
    store.update_tenant(&acme(), &change, now()).unwrap().unwrap();
    let written: String = store
        .run(|conn| schema::tenants::table.select(schema::tenants::chat).first(conn))
        .unwrap();
    assert_eq!(written, r#"{"passages":3}"#);
}
