//! What every [`UsageStore`] must do, beside a [`TenantStore`] of the same records.
#![expect(clippy::unwrap_used, reason = "an obligation panics where the store fails it")]

use tenantry_domain::{TenantScope, Timestamp, TokenUsage, UsageKind, UsageRecord, UsageTotals, UserId};

use super::chat::{tokens, user_id};
use super::samples::{foreign_scope, scope};
use crate::{StoreError, TenantStore, UsageFilter, UsageGroup, UsageStore, UsageSum};

const DAY: i64 = 86_400_000_000;

/// Midnight (UTC) of 2026-11-23 and so many days later.
fn midnight(days: i64) -> Timestamp {
    Timestamp::from_unix_micros((20_780 + days) * DAY).unwrap()
}

/// A moment of the day that so many days later is.
fn noon(days: i64) -> Timestamp {
    Timestamp::from_unix_micros(midnight(days).unix_micros() + DAY / 2).unwrap()
}

fn call(user: Option<UserId>, kind: UsageKind, model: &str, usage: TokenUsage, at: Timestamp) -> UsageRecord {
    UsageRecord {
        user,
        kind,
        model: model.into(),
        usage,
        at,
    }
}

fn answered(usage: TokenUsage, at: Timestamp) -> UsageRecord {
    call(None, UsageKind::Answering, "owl-1", usage, at)
}

/// Calls of these days, the last one excluded.
fn days(from: i64, until: i64) -> UsageFilter {
    UsageFilter {
        from: midnight(from),
        until: midnight(until),
        user: None,
    }
}

fn totals(calls: u64, prompt_tokens: u64, completion_tokens: u64) -> UsageTotals {
    UsageTotals {
        calls,
        estimated_calls: 0,
        prompt_tokens,
        completion_tokens,
    }
}

fn sum(key: impl Into<String>, totals: UsageTotals) -> UsageSum {
    UsageSum {
        key: key.into(),
        totals,
    }
}

fn by_model<S: UsageStore>(store: &S, scope: &TenantScope) -> Vec<UsageSum> {
    store
        .usage(scope, &days(-1_000, 1_000), UsageGroup::Model)
        .unwrap()
}

/// Calls add up, those of one step and those of many, the estimated ones counted apart.
pub fn calls_of_one_account_are_counted_together<S: TenantStore + UsageStore>(store: &S) {
    let acme = scope(store, "acme");
    assert_eq!(by_model(store, &acme), []);
    store.add_usage(&acme, &[]).unwrap();
    assert_eq!(by_model(store, &acme), []);
    let estimated = TokenUsage {
        estimated: true,
        ..tokens(1_000, 200)
    };
    let step = [answered(tokens(10, 2), noon(0)), answered(estimated, noon(0))];
    for _ in 0..2 {
        store.add_usage(&acme, &step).unwrap();
    }
    let wanted = UsageTotals {
        estimated_calls: 2,
        ..totals(4, 2_020, 404)
    };
    assert_eq!(by_model(store, &acme), [sum("owl-1", wanted)]);
}

/// Sums are told apart by user, day, kind, model or tenant, in the order of the keys' bytes.
pub fn usage_is_told_apart_by_every_group<S: TenantStore + UsageStore>(store: &S) {
    let acme = scope(store, "acme");
    let (ada, bob) = (user_id(), user_id());
    let (answering, embedding) = (UsageKind::Answering, UsageKind::Embedding);
    let records = [
        call(Some(bob), answering, "b-1", tokens(1, 1), noon(8)),
        call(Some(ada), answering, "a_1", tokens(2, 0), noon(-1)),
        call(Some(ada), UsageKind::Rewriting, "B", tokens(4, 0), noon(8)),
        call(None, embedding, "b-1", tokens(8, 0), noon(0)),
        call(None, embedding, "é", tokens(16, 0), noon(0)),
    ];
    store.add_usage(&acme, &records).unwrap();
    let users = |first: UserId, one, second: UserId, two| {
        let mut users = [sum(first.to_string(), one), sum(second.to_string(), two)];
        users.sort_by(|a, b| a.key.cmp(&b.key));
        users
    };
    let mut by_user = vec![sum("", totals(2, 24, 0))];
    by_user.extend(users(ada, totals(2, 6, 0), bob, totals(1, 1, 1)));
    for (group, wanted) in [
        (UsageGroup::Tenant, vec![sum("acme", totals(5, 31, 1))]),
        (UsageGroup::User, by_user),
        (
            UsageGroup::Day,
            vec![
                sum("2026-11-22", totals(1, 2, 0)),
                sum("2026-11-23", totals(2, 24, 0)),
                sum("2026-12-01", totals(2, 5, 1)),
            ],
        ),
        (
            UsageGroup::Kind,
            vec![
                sum(answering.as_str(), totals(2, 3, 1)),
                sum(embedding.as_str(), totals(2, 24, 0)),
                sum(UsageKind::Rewriting.as_str(), totals(1, 4, 0)),
            ],
        ),
        (
            UsageGroup::Model,
            vec![
                sum("B", totals(1, 4, 0)),
                sum("a_1", totals(1, 2, 0)),
                sum("b-1", totals(2, 9, 1)),
                sum("é", totals(1, 16, 0)),
            ],
        ),
    ] {
        assert_eq!(
            store.usage(&acme, &days(-1, 9), group).unwrap(),
            wanted,
            "{group:?}"
        );
        assert_eq!(
            store.usage_of_all(&days(-1, 9), group).unwrap(),
            wanted,
            "{group:?}"
        );
    }
}

/// A day lasts from midnight to midnight (UTC), also before 1970; a filter's moments stand for their days.
pub fn a_day_begins_at_midnight_utc<S: TenantStore + UsageStore>(store: &S) {
    let acme = scope(store, "acme");
    let before = |at: Timestamp| Timestamp::from_unix_micros(at.unix_micros() - 1).unwrap();
    let long_ago = Timestamp::from_unix_micros(-1).unwrap();
    for at in [
        before(midnight(0)),
        midnight(0),
        before(midnight(1)),
        midnight(1),
        long_ago,
    ] {
        store.add_usage(&acme, &[answered(tokens(1, 0), at)]).unwrap();
    }
    let listed = |from, until| -> Vec<_> {
        let filter = UsageFilter {
            from,
            until,
            user: None,
        };
        let sums = store.usage(&acme, &filter, UsageGroup::Day).unwrap();
        let told = |sum: UsageSum| format!("{} {}", sum.key, sum.totals.calls);
        sums.into_iter().map(told).collect()
    };
    let (first, second, third) = ("2026-11-22 1", "2026-11-23 2", "2026-11-24 1");
    assert_eq!(
        listed(long_ago, midnight(9)),
        ["1969-12-31 1", first, second, third]
    );
    assert_eq!(listed(midnight(0), midnight(1)), [second]);
    assert_eq!(listed(noon(0), noon(1)), [second]);
    assert_eq!(listed(before(midnight(0)), noon(0)), [first]);
    assert_eq!(listed(noon(0), noon(0)), [""; 0]);
    assert_eq!(listed(noon(1), noon(0)), [""; 0]);
}

/// A filter by user lets through that user's calls alone, and none that no user waited for.
pub fn usage_of_one_user_is_summed_alone<S: TenantStore + UsageStore>(store: &S) {
    let acme = scope(store, "acme");
    let (ada, bob) = (user_id(), user_id());
    for (user, prompt_tokens) in [(Some(ada), 1), (Some(bob), 2), (None, 4)] {
        let record = UsageRecord {
            user,
            ..answered(tokens(prompt_tokens, 0), noon(0))
        };
        store.add_usage(&acme, &[record]).unwrap();
    }
    let of_ada = UsageFilter {
        user: Some(ada),
        ..days(0, 1)
    };
    for (group, key) in [
        (UsageGroup::User, ada.to_string()),
        (UsageGroup::Kind, "answering".to_owned()),
    ] {
        let wanted = [sum(key, totals(1, 1, 0))];
        assert_eq!(store.usage(&acme, &of_ada, group).unwrap(), wanted);
        assert_eq!(store.usage_of_all(&of_ada, group).unwrap(), wanted);
    }
    let of_nobody = UsageFilter {
        user: Some(user_id()),
        ..days(0, 1)
    };
    assert_eq!(store.usage(&acme, &of_nobody, UsageGroup::Kind).unwrap(), []);
}

/// A tenant's sums have nothing of another tenant's calls, not even of a user who belonged to both.
pub fn usage_of_another_tenant_does_not_exist<S: TenantStore + UsageStore>(store: &S) {
    let (acme, globex) = (scope(store, "acme"), scope(store, "acme2"));
    let ada = user_id();
    for (tenant, prompt_tokens) in [(&acme, 1), (&globex, 2)] {
        let record = UsageRecord {
            user: Some(ada),
            ..answered(tokens(prompt_tokens, 0), noon(0))
        };
        store.add_usage(tenant, &[record]).unwrap();
    }
    let of_ada = UsageFilter {
        user: Some(ada),
        ..days(0, 1)
    };
    for filter in [days(0, 1), of_ada] {
        for (tenant, prompt_tokens) in [(&acme, 1), (&globex, 2)] {
            let sums = store.usage(tenant, &filter, UsageGroup::Tenant).unwrap();
            assert_eq!(sums, [sum(tenant.id().as_str(), totals(1, prompt_tokens, 0))]);
        }
    }
}

/// The operator's sums are those of all tenants together, or tenant by tenant.
pub fn usage_of_all_tenants_is_summed_for_the_operator<S: TenantStore + UsageStore>(store: &S) {
    assert_eq!(store.usage_of_all(&days(0, 9), UsageGroup::Tenant).unwrap(), []);
    let tenants = ["acme", "globex", "initech"].map(|id| scope(store, id));
    for (tenant, prompt_tokens) in tenants.iter().zip([1, 2, 4]) {
        let record = answered(tokens(prompt_tokens, 0), noon(0));
        store.add_usage(tenant, &[record]).unwrap();
    }
    let late = answered(tokens(100, 0), noon(1));
    store.add_usage(&tenants[0], &[late]).unwrap();
    let by = |group| store.usage_of_all(&days(0, 1), group).unwrap();
    assert_eq!(
        by(UsageGroup::Tenant),
        [
            sum("acme", totals(1, 1, 0)),
            sum("globex", totals(1, 2, 0)),
            sum("initech", totals(1, 4, 0))
        ]
    );
    assert_eq!(by(UsageGroup::Model), [sum("owl-1", totals(3, 7, 0))]);
    assert_eq!(by(UsageGroup::Day), [sum("2026-11-23", totals(3, 7, 0))]);
}

/// Usage of a tenant that the store does not know is refused and not counted.
pub fn usage_of_an_unknown_tenant_is_refused<S: TenantStore + UsageStore>(store: &S) {
    let nowhere = foreign_scope("nowhere");
    let refused = store.add_usage(&nowhere, &[answered(tokens(1, 1), noon(0))]);
    assert!(matches!(refused, Err(StoreError::UnknownTenant)), "{refused:?}");
    assert_eq!(by_model(store, &nowhere), []);
    assert_eq!(store.usage_of_all(&days(0, 1), UsageGroup::Kind).unwrap(), []);
}

/// Text with U+0000 is refused as [`StoreError::Failed`], and none of the calls beside it is counted.
pub fn calls_are_counted_all_or_none<S: TenantStore + UsageStore>(store: &S) {
    let acme = scope(store, "acme");
    let bad = call(None, UsageKind::Embedding, "owl\0", tokens(1, 0), noon(1));
    let good = answered(tokens(1, 1), noon(0));
    for records in [[good.clone(), bad.clone()], [bad, good]] {
        let refused = store.add_usage(&acme, &records);
        assert!(matches!(refused, Err(StoreError::Failed(_))), "{refused:?}");
    }
    assert_eq!(by_model(store, &acme), []);
}

/// Calls that are counted at once, in whatever order of their accounts, are all counted.
pub fn calls_counted_at_once_are_all_counted<S: TenantStore + UsageStore>(store: &S) {
    let acme = scope(store, "acme");
    std::thread::scope(|threads| {
        for thread in 0..4 {
            let acme = &acme;
            threads.spawn(move || {
                let mut records = UsageKind::ALL
                    .iter()
                    .map(|&kind| call(None, kind, "owl-1", tokens(3, 1), noon(0)))
                    .collect::<Vec<_>>();
                records.rotate_left(thread % 3);
                for _ in 0..5 {
                    store.add_usage(acme, &records).unwrap();
                }
            });
        }
    });
    let sums = store.usage(&acme, &days(0, 1), UsageGroup::Kind).unwrap();
    assert_eq!(sums.len(), 3);
    for sum in sums {
        assert_eq!(sum.totals, totals(20, 60, 20), "{}", sum.key);
    }
}

/// Counts go up to 2^63 - 1 and stay there: of one call, of one day, and of all days and tenants together.
pub fn counts_stop_at_the_greatest_number<S: TenantStore + UsageStore>(store: &S) {
    const MOST: u64 = u64::MAX / 2;
    let (acme, globex) = (scope(store, "acme"), scope(store, "globex"));
    let add = |tenant: &TenantScope, usage, days| {
        store.add_usage(tenant, &[answered(usage, noon(days))]).unwrap();
    };
    add(&acme, tokens(u64::MAX, MOST - 2), 0);
    assert_eq!(by_model(store, &acme), [sum("owl-1", totals(1, MOST, MOST - 2))]);
    add(&acme, tokens(1, 1), 0);
    assert_eq!(by_model(store, &acme), [sum("owl-1", totals(2, MOST, MOST - 1))]);
    add(&acme, tokens(0, 1), 1);
    assert_eq!(by_model(store, &acme), [sum("owl-1", totals(3, MOST, MOST))]);
    for day in [0, 1, 2] {
        add(&acme, tokens(MOST, MOST), day);
        add(&globex, tokens(MOST, MOST), day);
    }
    assert_eq!(by_model(store, &acme), [sum("owl-1", totals(6, MOST, MOST))]);
    let of_all = store.usage_of_all(&days(0, 9), UsageGroup::Kind).unwrap();
    assert_eq!(of_all, [sum("answering", totals(9, MOST, MOST))]);
}

/// A model is counted under the name that its provider gave it, to the letter.
pub fn any_name_of_a_model_is_kept<S: TenantStore + UsageStore>(store: &S) {
    let acme = scope(store, "acme");
    let mut names = [
        "",
        " ",
        "owl",
        "Owl",
        "owl ",
        "'; DROP TABLE usage_by_day; --",
        "%_",
        "\u{1}\u{1F989}",
    ];
    for name in names {
        let record = call(None, UsageKind::Answering, name, tokens(1, 0), noon(0));
        store.add_usage(&acme, &[record]).unwrap();
    }
    names.sort_unstable();
    let listed = by_model(store, &acme);
    let listed: Vec<_> = listed.iter().map(|sum| sum.key.as_str()).collect();
    assert_eq!(listed, names);
}
