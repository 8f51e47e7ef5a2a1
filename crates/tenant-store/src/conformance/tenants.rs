//! What every [`TenantStore`] must do.
#![expect(clippy::unwrap_used, reason = "an obligation panics where the store fails it")]

use tenantry_domain::{
    Actor, ChatSettings, ExternalIndex, Fusion, LlmProvider, OnLeave, Page, SealedSecret, SearchSettings,
};

use super::samples::{at, full_chat, full_tenant, secret, tenant, tenant_id};
use crate::{ChangeBasis, StoreError, TenantChange, TenantStore};

/// A tenant is read back as it was written, to the microsecond, with nothing or everything set.
pub fn a_tenant_is_read_back_as_it_was_written<S: TenantStore>(store: &S) {
    let inactive = tenantry_domain::Tenant {
        is_active: false,
        ..tenant("inactive")
    };
    for tenant in [tenant("plain"), full_tenant("full"), inactive] {
        store.create_tenant(&tenant, &Actor::system()).unwrap();
        assert_eq!(store.tenant(&tenant.id).unwrap(), Some(tenant));
    }
}

/// An id that exists cannot be given again, not even that of a deactivated tenant; the first tenant stays.
pub fn a_tenant_id_is_taken_for_ever<S: TenantStore>(store: &S) {
    let first = full_tenant("acme");
    store.create_tenant(&first, &Actor::system()).unwrap();
    assert!(matches!(
        store.create_tenant(&tenant("acme"), &Actor::system()),
        Err(StoreError::IdTaken)
    ));
    assert_eq!(store.tenant(&first.id).unwrap(), Some(first.clone()));
    let off = TenantChange {
        is_active: Some(false),
        ..TenantChange::default()
    };
    store.update_tenant(&first.id, &off, at(9)).unwrap().unwrap();
    assert!(matches!(
        store.create_tenant(&tenant("acme"), &Actor::system()),
        Err(StoreError::IdTaken)
    ));
}

/// An absent tenant is `None`, not an error; ids are compared bytewise.
pub fn an_absent_tenant_is_none<S: TenantStore>(store: &S) {
    store.create_tenant(&tenant("acme_eu"), &Actor::system()).unwrap();
    for id in ["acme-eu", "acme", "acme_eu1", "acmeaeu"] {
        assert_eq!(store.tenant(&tenant_id(id)).unwrap(), None, "{id}");
    }
}

/// The list is ordered by the bytes of the id, cut into pages, and knows its whole length.
pub fn tenants_are_listed_by_id_in_pages_with_the_total<S: TenantStore>(store: &S) {
    // Bytewise: `-` before digits before `_` before letters, which a language's own order would not give.
    let ordered = ["a", "a-b", "a1", "a_b", "aa", "ab", "b"];
    for id in ["b", "aa", "a_b", "a", "ab", "a1", "a-b"] {
        store.create_tenant(&tenant(id), &Actor::system()).unwrap();
    }
    let mut listed = Vec::new();
    let mut page = Page::new(3, 0).unwrap();
    for wanted in [3, 3, 1, 0] {
        let paged = store.tenants(page).unwrap();
        assert_eq!((paged.items.len(), paged.total), (wanted, 7));
        listed.extend(paged.items);
        page = page.next().unwrap();
    }
    assert_eq!(listed, ordered.map(tenant));
}

/// An update changes what it names, keeps the rest, sets `updated_at`, and gives the tenant as it is then.
pub fn an_update_changes_what_it_names_and_keeps_the_rest<S: TenantStore>(store: &S) {
    let mut wanted = full_tenant("acme");
    store.create_tenant(&wanted, &Actor::system()).unwrap();
    store
        .create_tenant(&full_tenant("other"), &Actor::system())
        .unwrap();

    let external = ExternalIndex {
        namespace: "their own".into(),
        text_field: ExternalIndex::TEXT_FIELD.into(),
    };
    let search = SearchSettings {
        fusion: Fusion::new(1.0, 0.0, 0.1).unwrap(),
        min_score: None,
    };
    let chat = ChatSettings {
        passages: Some(1),
        on_leave: OnLeave::Cancel,
        ..ChatSettings::default()
    };
    let llm = LlmProvider {
        base_url: "http://llm.internal:8000/v1".into(),
        api_key: None,
    };
    let change = TenantChange {
        name: Some("Acme Ltd".into()),
        pinecone_host: Some(Some("new.svc.pinecone.io".into())),
        pinecone_api_key: Some(Some(secret("v1.ffffffffffffffff.bmV3", "9876"))),
        pinecone_external: Some(Some(external.clone())),
        search: Some(search),
        chat: Some(chat.clone()),
        llm: Some(Some(llm.clone())),
        is_active: Some(false),
        ..TenantChange::default()
    };
    wanted.pinecone.external = Some(external);
    wanted.search = search;
    wanted.chat = chat;
    wanted.llm = Some(llm);
    wanted.name = "Acme Ltd".into();
    wanted.pinecone.host = Some("new.svc.pinecone.io".into());
    wanted.pinecone.api_key = Some(secret("v1.ffffffffffffffff.bmV3", "9876"));
    wanted.is_active = false;
    wanted.updated_at = at(60);
    assert_eq!(
        store.update_tenant(&wanted.id, &change, at(60)).unwrap(),
        Some(wanted.clone())
    );
    assert_eq!(store.tenant(&wanted.id).unwrap(), Some(wanted.clone()));

    wanted.updated_at = at(61);
    assert_eq!(
        store
            .update_tenant(&wanted.id, &TenantChange::default(), at(61))
            .unwrap(),
        Some(wanted)
    );
    let other = full_tenant("other");
    assert_eq!(store.tenant(&other.id).unwrap(), Some(other));
}

/// `Some(None)` clears a value, and search and chat settings go back to what they are by default.
pub fn an_update_clears_what_it_sets_to_none<S: TenantStore>(store: &S) {
    store
        .create_tenant(&full_tenant("acme"), &Actor::system())
        .unwrap();
    let change = TenantChange {
        pinecone_environment: Some(None),
        pinecone_index: Some(None),
        pinecone_host: Some(None),
        pinecone_api_key: Some(None),
        pinecone_external: Some(None),
        search: Some(SearchSettings::default()),
        chat: Some(ChatSettings::default()),
        llm: Some(None),
        system_prompt: Some(None),
        ..TenantChange::default()
    };
    let cleared = store.update_tenant(&tenant_id("acme"), &change, at(1)).unwrap();
    assert_eq!(cleared, Some(tenant("acme")));
    assert_eq!(store.tenant(&tenant_id("acme")).unwrap(), cleared);
}

/// An update of an absent tenant is `None` and makes no tenant.
pub fn an_update_of_an_absent_tenant_is_none<S: TenantStore>(store: &S) {
    let change = TenantChange {
        name: Some("Nobody".into()),
        ..TenantChange::default()
    };
    assert_eq!(
        store.update_tenant(&tenant_id("acme"), &change, at(1)).unwrap(),
        None
    );
    assert_eq!(store.tenants(Page::default()).unwrap().total, 0);
}

/// Changes of different values made at once are all kept.
pub fn changes_of_different_values_made_at_once_are_all_kept<S: TenantStore>(store: &S) {
    store.create_tenant(&tenant("acme"), &Actor::system()).unwrap();
    let change = |round: i32, part: i32| {
        let text = format!("{round}");
        match part {
            0 => TenantChange {
                name: Some(text),
                ..TenantChange::default()
            },
            1 => TenantChange {
                system_prompt: Some(Some(text)),
                ..TenantChange::default()
            },
            _ => TenantChange {
                pinecone_index: Some(Some(text)),
                ..TenantChange::default()
            },
        }
    };
    for round in 0..5 {
        std::thread::scope(|threads| {
            for part in 0..3 {
                threads.spawn(move || {
                    store
                        .update_tenant(&tenant_id("acme"), &change(round, part), at(5))
                        .unwrap()
                        .unwrap();
                });
            }
        });
        let now = store.tenant(&tenant_id("acme")).unwrap().unwrap();
        let round = Some(round.to_string());
        assert_eq!(
            (Some(now.name), now.system_prompt, now.pinecone.index),
            (round.clone(), round.clone(), round)
        );
    }
}

fn with_llm(base_url: &str, api_key: SealedSecret) -> TenantChange {
    TenantChange {
        llm: Some(Some(LlmProvider {
            base_url: base_url.into(),
            api_key: Some(api_key),
        })),
        ..TenantChange::default()
    }
}

fn with_chat(change: impl FnOnce(&mut ChatSettings)) -> TenantChange {
    let mut chat = full_chat();
    change(&mut chat);
    TenantChange {
        chat: Some(chat),
        ..TenantChange::default()
    }
}

/// A change is not applied where the tenant is no longer what the change was made of, not even in part; of changes made at once
/// of the same, one is applied.
pub fn a_change_of_what_is_no_longer_so_is_not_applied<S: TenantStore>(store: &S) {
    let first = full_tenant("acme");
    store.create_tenant(&first, &Actor::system()).unwrap();
    let model = |name: &str, basis| TenantChange {
        system_prompt: Some(Some(name.into())),
        basis: Some(basis),
        ..with_chat(|chat| chat.models = vec![name.into()])
    };
    let applied = |change: &TenantChange| store.update_tenant(&first.id, change, at(70)).unwrap();
    let basis = ChangeBasis::of(&first);
    let second = applied(&model("second", basis.clone())).unwrap();
    assert_eq!(second.chat.models, ["second"]);
    for gone in [
        basis,
        ChangeBasis {
            llm: None,
            ..ChangeBasis::of(&second)
        },
    ] {
        assert_eq!(applied(&model("third", gone)), None);
    }
    assert_eq!(store.tenant(&first.id).unwrap(), Some(second.clone()));

    let basis = ChangeBasis::of(&second);
    let count = std::thread::scope(|threads| {
        let threads: Vec<_> = ["a", "b", "c", "d"]
            .map(|name| model(name, basis.clone()))
            .into_iter()
            .map(|change| threads.spawn(move || store.update_tenant(&tenant_id("acme"), &change, at(71))))
            .collect();
        let outcomes = threads.into_iter().map(|thread| thread.join().unwrap().unwrap());
        outcomes.flatten().count()
    });
    assert_eq!(count, 1);
}

/// Text with U+0000 is refused as [`StoreError::Failed`] and nothing is stored.
pub fn text_with_nul_is_refused_and_nothing_stored<S: TenantStore>(store: &S) {
    let mut bad = tenant("bad");
    bad.system_prompt = Some("a\0b".into());
    assert!(matches!(
        store.create_tenant(&bad, &Actor::system()),
        Err(StoreError::Failed(_))
    ));
    assert_eq!(store.tenant(&bad.id).unwrap(), None);

    let good = full_tenant("good");
    store.create_tenant(&good, &Actor::system()).unwrap();
    for change in [
        TenantChange {
            name: Some("\0".into()),
            ..TenantChange::default()
        },
        TenantChange {
            pinecone_environment: Some(Some("a\0".into())),
            ..TenantChange::default()
        },
        TenantChange {
            pinecone_external: Some(Some(ExternalIndex {
                namespace: "a\0".into(),
                text_field: "text".into(),
            })),
            ..TenantChange::default()
        },
        TenantChange {
            pinecone_api_key: Some(Some(secret("v1.a\0.b", "wxyz"))),
            ..TenantChange::default()
        },
        with_llm("https://x.org\0", secret("v1.a.b", "wxyz")),
        with_llm("https://x.org", secret("v1.a\0.b", "wxyz")),
        with_llm("https://x.org", secret("v1.a.b", "\0")),
        with_chat(|chat| chat.models.push("\0".into())),
        with_chat(|chat| chat.language = Some("\0".into())),
        with_chat(|chat| chat.unsupported_text = Some("\0".into())),
        with_chat(|chat| chat.embedding_model = Some("\0".into())),
    ] {
        assert!(matches!(
            store.update_tenant(&good.id, &change, at(9)),
            Err(StoreError::Failed(_))
        ));
    }
    assert_eq!(store.tenant(&good.id).unwrap(), Some(good));
}

/// Any other text is kept as it is: quotes, empty text, every plane of Unicode, a million characters.
pub fn any_other_text_is_kept<S: TenantStore>(store: &S) {
    let long = "äß".repeat(500_000);
    for text in [
        "",
        " ",
        "'; DROP TABLE tenants; --",
        "\\",
        "%_",
        "\u{1}\u{7f}\u{feff}\u{202e}\u{10ffff}",
        "\r\n\t",
        &long,
    ] {
        let change = TenantChange {
            name: Some(text.into()),
            system_prompt: Some(Some(text.into())),
            ..TenantChange::default()
        };
        store.create_tenant(&tenant("acme"), &Actor::system()).ok();
        let now = store
            .update_tenant(&tenant_id("acme"), &change, at(1))
            .unwrap()
            .unwrap();
        assert_eq!(
            (now.name.as_str(), now.system_prompt.as_deref()),
            (text, Some(text))
        );
        assert_eq!(store.tenant(&now.id).unwrap(), Some(now));
    }
}
