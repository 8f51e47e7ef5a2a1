//! What every [`KeyStateStore`] must do, beside a [`TenantStore`] of the same records.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "an obligation panics where the store fails it"
)]

use std::sync::Barrier;
use std::thread;

use tenantry_domain::{Actor, AuditAction, LlmProvider, Principal, Sealed, Tenant, Timestamp};

use super::samples::{at, secret, tenant, tenant_id};
use crate::{
    AuditHead, AuditLog, AuditStore, KeyDerivation, KeyState, KeyStateStore, SealedValue, SecretKind,
    SecretSample, StoreError, TenantChange, TenantStore,
};

fn key(key_id: &str, derivation: KeyDerivation, created_at: Timestamp) -> KeyState {
    let canary = Sealed::from_stored(format!("v1.{key_id}.Y2FuYXJ5"));
    KeyState {
        key_id: key_id.into(),
        canary,
        derivation,
        created_at,
    }
}

fn holder(id: &str, sealed: &str) -> Tenant {
    let mut tenant = tenant(id);
    tenant.pinecone.api_key = Some(secret(sealed, "wxyz"));
    tenant
}

fn llm(sealed: &str) -> LlmProvider {
    LlmProvider {
        base_url: "https://llm.example.org/v1".into(),
        api_key: Some(secret(sealed, "wxyz")),
    }
}

fn in_order(mut samples: Vec<SecretSample>) -> Vec<(String, String, u64)> {
    samples.sort_by(|a, b| a.tenant.cmp(&b.tenant));
    let part = |sample: SecretSample| {
        (
            sample.tenant.to_string(),
            sample.sealed.as_str().to_owned(),
            sample.secrets,
        )
    };
    samples.into_iter().map(part).collect()
}

/// Keys are read back as they were written, oldest first, with every byte of their salts.
pub fn keys_are_listed_oldest_first_as_written<S: TenantStore + KeyStateStore>(store: &S) {
    assert_eq!(store.key_states().unwrap(), []);
    let salt = [0, 255, 39, 92, 10, 13, 26, 127, 128, 1, 2, 3, 4, 5, 6, 0];
    let old = key("ffffffffffffffff", KeyDerivation::Passphrase { salt }, at(0));
    let new = key("0000000000000000", KeyDerivation::Raw, at(1));
    for state in [&new, &old] {
        store.remember_key(state).unwrap();
    }
    assert_eq!(store.key_states().unwrap(), [old, new]);
}

/// The first writer's record of a key stays, and the second hears of no error.
pub fn the_first_record_of_a_key_stays<S: TenantStore + KeyStateStore>(store: &S) {
    let first = key(
        "00112233aabbccdd",
        KeyDerivation::Passphrase { salt: [7; 16] },
        at(0),
    );
    store.remember_key(&first).unwrap();
    store
        .remember_key(&key("00112233aabbccdd", KeyDerivation::Raw, at(1)))
        .unwrap();
    assert_eq!(store.key_states().unwrap(), [first]);
}

/// Stored secrets are counted by format and key id, each with one that is really stored.
pub fn secrets_are_counted_by_format_and_key<S: TenantStore + KeyStateStore>(store: &S) {
    assert_eq!(store.secrets_by_key().unwrap(), []);
    store.create_tenant(&tenant("none"), &Actor::system()).unwrap();
    for (id, sealed) in [
        ("a", "v1.aaaa.1"),
        ("b", "v1.bbbb.2.3"),
        ("c", "v1.bbbb.2"),
        ("d", "v2.aaaa.4"),
    ] {
        store
            .create_tenant(&holder(id, sealed), &Actor::system())
            .unwrap();
    }
    let samples = store.secrets_by_key().unwrap();
    assert_eq!(samples.iter().map(|sample| sample.secrets).sum::<u64>(), 4);
    for sample in &samples {
        let tenant = store.tenant(&sample.tenant).unwrap().unwrap();
        assert_eq!(tenant.pinecone.api_key.unwrap().sealed, sample.sealed);
    }
    let groups = in_order(samples);
    assert_eq!(
        groups.iter().map(|(_, _, secrets)| *secrets).collect::<Vec<_>>(),
        [1, 2, 1]
    );
    assert_eq!(groups.first(), Some(&("a".into(), "v1.aaaa.1".into(), 1)));
    assert_eq!(groups.last(), Some(&("d".into(), "v2.aaaa.4".into(), 1)));

    let clear = TenantChange {
        pinecone_api_key: Some(None),
        ..TenantChange::default()
    };
    store
        .update_tenant(&tenant_id("a"), &clear, at(1))
        .unwrap()
        .unwrap();
    assert_eq!(store.secrets_by_key().unwrap().len(), 2);
}

/// Each of a tenant's secrets is counted, and a sample says which it is.
pub fn every_secret_of_a_tenant_is_counted<S: TenantStore + KeyStateStore>(store: &S) {
    let mut acme = holder("acme", "v1.aaaa.1");
    acme.llm = Some(llm("v1.bbbb.2"));
    store.create_tenant(&acme, &Actor::system()).unwrap();
    let mut globex = tenant("globex");
    globex.llm = Some(llm("v1.cccc.3"));
    store.create_tenant(&globex, &Actor::system()).unwrap();
    let mut initech = holder("initech", "v1.dddd.4");
    initech.llm = Some(llm("v1.dddd.5"));
    store.create_tenant(&initech, &Actor::system()).unwrap();

    let samples = store.secrets_by_key().unwrap();
    for sample in &samples {
        let tenant = store.tenant(&sample.tenant).unwrap().unwrap();
        assert_eq!(sample.kind.of(&tenant).unwrap().sealed, sample.sealed);
    }
    let kinds = |id: &str| -> Vec<_> {
        let of_tenant = samples.iter().filter(|sample| sample.tenant.as_str() == id);
        let mut kinds: Vec<_> = of_tenant.map(|sample| (sample.kind, sample.secrets)).collect();
        kinds.sort_unstable();
        kinds
    };
    assert_eq!(
        kinds("acme"),
        [(SecretKind::PineconeApiKey, 1), (SecretKind::LlmApiKey, 1)]
    );
    assert_eq!(kinds("globex"), [(SecretKind::LlmApiKey, 1)]);
    let of_one_key: Vec<_> = kinds("initech").into_iter().map(|(_, secrets)| secrets).collect();
    assert_eq!(of_one_key, [2]);
}

/// A stored value without two dots is counted too, under all of its text: a start-up check must see it.
pub fn a_sealed_value_of_another_form_is_counted_too<S: TenantStore + KeyStateStore>(store: &S) {
    let forms = [
        ("a", ""),
        ("b", "plain"),
        ("c", "plain."),
        ("d", "v1.aaaa"),
        ("e", "v1.aaaa.1"),
        ("f", "..\n."),
    ];
    for (id, sealed) in forms {
        store
            .create_tenant(&holder(id, sealed), &Actor::system())
            .unwrap();
    }
    // `v1.aaaa` and `v1.aaaa.1` have the same text before the second dot.
    let groups: Vec<_> = store
        .secrets_by_key()
        .unwrap()
        .into_iter()
        .map(|sample| sample.secrets)
        .collect();
    assert_eq!(
        (groups.len(), groups.iter().sum::<u64>(), groups.iter().max()),
        (5, 6, Some(&2))
    );
}

/// Text with U+0000 is refused as [`StoreError::Failed`] and nothing is stored.
pub fn text_with_nul_is_refused_and_nothing_stored<S: TenantStore + KeyStateStore>(store: &S) {
    let bad = key("0011\0", KeyDerivation::Raw, at(0));
    assert!(matches!(store.remember_key(&bad), Err(StoreError::Failed(_))));
    assert!(matches!(store.forget_key("0011\0"), Err(StoreError::Failed(_))));
    assert_eq!(store.key_states().unwrap(), []);
}

/// Three secrets of two keys and one value that is not sealed, of tenants `a` to `c`.
fn some_secrets<S: TenantStore>(store: &S) {
    let mut b = holder("b", "v1.aaaa.2");
    b.llm = Some(llm("v1.bbbb.3"));
    for tenant in [holder("c", "plain"), b, holder("a", "v1.aaaa.1"), tenant("d")] {
        store.create_tenant(&tenant, &Actor::system()).unwrap();
    }
}

fn texts(values: &[SealedValue]) -> Vec<&str> {
    values.iter().map(|value| value.sealed.as_str()).collect()
}

/// Secrets are listed by tenant and kind, page after page.
pub fn secrets_are_listed_in_pages<S: TenantStore + KeyStateStore>(store: &S) {
    assert_eq!(store.sealed_values(None, 10).unwrap(), []);
    some_secrets(store);
    let all = store.sealed_values(None, 10).unwrap();
    assert_eq!(texts(&all), ["v1.aaaa.1", "v1.aaaa.2", "v1.bbbb.3", "plain"]);
    for value in &all {
        let tenant = store.tenant(&value.tenant).unwrap().unwrap();
        assert_eq!(value.kind.of(&tenant).unwrap().sealed, value.sealed);
    }

    let mut read = Vec::new();
    while let Some(next) = {
        let after = read.last().map(SealedValue::place);
        store.sealed_values(after.as_ref(), 1).unwrap().pop()
    } {
        read.push(next);
    }
    assert_eq!(read, all);
}

/// A secret that is sealed otherwise is the same secret: nothing else of its tenant changes.
pub fn a_resealed_secret_keeps_all_else<S: TenantStore + KeyStateStore>(store: &S) {
    some_secrets(store);
    let before = store.tenant(&tenant_id("b")).unwrap().unwrap();
    let values = store.sealed_values(None, 10).unwrap();
    for (value, new) in [(&values[1], "v1.cccc.8"), (&values[2], "v1.cccc.9")] {
        let new = Sealed::from_stored(new.into());
        assert!(store.reseal(value, &new, &Actor::system(), at(9)).unwrap());
    }
    let after = store.tenant(&tenant_id("b")).unwrap().unwrap();
    let mut expected = before;
    expected.pinecone.api_key = Some(secret("v1.cccc.8", "wxyz"));
    expected.llm = Some(llm("v1.cccc.9"));
    assert_eq!(after, expected);
}

/// Sealing a secret anew is entered in the tenant's log, with the keys' ids and nothing of what is sealed, and nowhere else.
pub fn a_resealed_secret_is_in_the_audit_log<S: TenantStore + KeyStateStore + AuditStore>(store: &S) {
    some_secrets(store);
    let log = AuditLog::Tenant(tenant_id("b"));
    let before = store.audit_head(&log).unwrap();
    let value = store.sealed_values(None, 10).unwrap().swap_remove(2);
    let new = Sealed::from_stored("v1.cccc.9".into());
    let actor = Actor::of(Principal::Operator);
    assert!(store.reseal(&value, &new, &actor, at(9)).unwrap());
    assert!(!store.reseal(&value, &new, &actor, at(10)).unwrap());
    let entries = store.audit_after(&log, before.number, 10).unwrap();
    let [entry] = entries.as_slice() else {
        panic!("{entries:?}");
    };
    assert_eq!((entry.action, entry.at), (AuditAction::CredentialResealed, at(9)));
    assert_eq!(entry.actor.principal, Principal::Operator);
    assert_eq!(entry.target, Some(("credential".into(), "llm_api_key".into())));
    assert_eq!(
        entry.details,
        [("key".to_owned(), "bbbb to cccc".to_owned())].into()
    );
    assert_eq!(store.audit_head(&AuditLog::Platform).unwrap(), AuditHead::START);
}

/// What somebody changed meanwhile is never overwritten.
pub fn a_changed_secret_is_not_resealed<S: TenantStore + KeyStateStore>(store: &S) {
    some_secrets(store);
    let values = store.sealed_values(None, 10).unwrap();
    let new = Sealed::from_stored("v1.cccc.9".into());
    let reseal = |value: &SealedValue| store.reseal(value, &new, &Actor::system(), at(9)).unwrap();

    let change = TenantChange {
        pinecone_api_key: Some(Some(secret("v1.bbbb.7", "7777"))),
        ..TenantChange::default()
    };
    store
        .update_tenant(&tenant_id("a"), &change, at(5))
        .unwrap()
        .unwrap();
    let clear = TenantChange {
        llm: Some(None),
        ..TenantChange::default()
    };
    store
        .update_tenant(&tenant_id("b"), &clear, at(5))
        .unwrap()
        .unwrap();
    let before = store.sealed_values(None, 10).unwrap();
    assert!(!reseal(&values[0]), "it was changed");
    assert!(!reseal(&values[2]), "it was cleared");
    let stranger = SealedValue {
        tenant: tenant_id("nobody"),
        ..values[0].clone()
    };
    assert!(!reseal(&stranger), "nobody has it");
    let other_kind = SealedValue {
        kind: SecretKind::LlmApiKey,
        ..values[1].clone()
    };
    assert!(!reseal(&other_kind), "it is a secret of another kind");
    assert_eq!(store.sealed_values(None, 10).unwrap(), before);

    let nul = Sealed::from_stored("v1.cccc.\0".into());
    let refused = store.reseal(&values[1], &nul, &Actor::system(), at(9));
    assert!(matches!(refused, Err(StoreError::Failed(_))));
    assert!(reseal(&values[1]));
    assert!(!reseal(&values[1]), "it is no longer what it was");
}

/// Of several that reseal the same secret at once, one does.
pub fn of_those_who_reseal_at_once_one_does<S: TenantStore + KeyStateStore>(store: &S) {
    store
        .create_tenant(&holder("acme", "v1.aaaa.1"), &Actor::system())
        .unwrap();
    let value = store.sealed_values(None, 1).unwrap().pop().unwrap();
    let start = Barrier::new(4);
    let reseal = |by: usize| {
        let new = Sealed::from_stored(format!("v1.bbbb.{by}"));
        start.wait();
        store
            .reseal(&value, &new, &Actor::system(), at(9))
            .unwrap()
            .then_some(new)
    };
    let won: Vec<Sealed> = thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|by| scope.spawn(move || reseal(by))).collect();
        threads
            .into_iter()
            .filter_map(|thread| thread.join().unwrap())
            .collect()
    });
    let stored = store
        .tenant(&value.tenant)
        .unwrap()
        .unwrap()
        .pinecone
        .api_key
        .unwrap();
    assert_eq!(won, [stored.sealed]);
}

/// A key is forgotten when nothing is sealed with it, whatever the format and the kind, and never before.
pub fn a_key_in_use_is_not_forgotten<S: TenantStore + KeyStateStore>(store: &S) {
    let keys = ["aaaa", "bbbb", "cccc"].map(|id| key(id, KeyDerivation::Raw, at(0)));
    for key in &keys {
        store.remember_key(key).unwrap();
    }
    store
        .create_tenant(&holder("a", "v2.aaaa.1"), &Actor::system())
        .unwrap();
    let mut b = tenant("b");
    b.llm = Some(llm("v1.bbbb"));
    store.create_tenant(&b, &Actor::system()).unwrap();
    store
        .create_tenant(&holder("c", "cccc"), &Actor::system())
        .unwrap();
    for (id, forgotten) in [
        ("aaaa", false),
        ("bbbb", false),
        ("aa", false),
        ("dddd", false),
        ("cccc", true),
        ("cccc", false),
    ] {
        assert_eq!(store.forget_key(id).unwrap(), forgotten, "{id}");
    }
    assert_eq!(store.key_states().unwrap(), keys[..2]);
    let clear = TenantChange {
        pinecone_api_key: Some(None),
        ..TenantChange::default()
    };
    store
        .update_tenant(&tenant_id("a"), &clear, at(1))
        .unwrap()
        .unwrap();
    assert!(store.forget_key("aaaa").unwrap());
    assert_eq!(store.key_states().unwrap(), keys[1..2]);
}
