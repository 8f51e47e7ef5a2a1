//! What every store must do, one function per documented obligation; each takes a store without records and panics
//! where the store fails it. [`conformance_tests!`](crate::conformance_tests) makes a test of each.

pub mod keys;
mod samples;
pub mod tenants;
pub mod users;

/// Makes one `#[test]` of each obligation. The expression gives a store without records, and whatever must outlive
/// it, as a temporary folder.
///
/// # Examples
/// ```
/// # use tenantry_tenant_store::MemoryStore;
/// mod conformance {
/// #   use super::*;
///     tenantry_tenant_store::conformance_tests!((MemoryStore::new(), ()));
/// }
/// ```
#[macro_export]
macro_rules! conformance_tests {
    ($fresh:expr) => {
        $crate::conformance_tests! { @topics ($fresh)
            tenants {
                a_tenant_is_read_back_as_it_was_written,
                a_tenant_id_is_taken_for_ever,
                an_absent_tenant_is_none,
                tenants_are_listed_by_id_in_pages_with_the_total,
                an_update_changes_what_it_names_and_keeps_the_rest,
                an_update_clears_what_it_sets_to_none,
                an_update_of_an_absent_tenant_is_none,
                changes_of_different_values_made_at_once_are_all_kept,
                text_with_nul_is_refused_and_nothing_stored,
                any_other_text_is_kept,
            }
            users {
                a_user_is_read_back_as_it_was_written,
                a_user_id_is_taken,
                an_address_is_taken_in_every_spelling,
                a_user_of_an_unknown_tenant_is_refused,
                an_absent_user_is_none,
                users_are_listed_by_address_in_pages_with_the_total,
                users_of_one_tenant_are_listed_alone,
                an_update_changes_what_it_names_and_keeps_the_rest,
                an_update_clears_the_tenant,
                an_update_to_an_unknown_tenant_is_refused,
                an_update_of_an_absent_user_is_none,
                ending_sessions_at_once_counts_each_time,
                the_last_token_version_is_not_passed,
                access_gives_the_user_with_the_tenant,
                text_with_nul_is_refused_and_nothing_stored,
            }
            keys {
                keys_are_listed_oldest_first_as_written,
                the_first_record_of_a_key_stays,
                secrets_are_counted_by_format_and_key,
                a_sealed_value_of_another_form_is_counted_too,
                text_with_nul_is_refused_and_nothing_stored,
            }
        }
    };
    (@topics ($fresh:expr) $($topic:ident { $($obligation:ident,)* })*) => {
        $(
            mod $topic {
                use super::*;

                $(
                    #[test]
                    fn $obligation() {
                        let (store, _kept) = $fresh;
                        $crate::conformance::$topic::$obligation(&store);
                    }
                )*
            }
        )*
    };
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_obligation_is_made_a_test() {
        let list = include_str!("mod.rs");
        for (topic, source) in [
            ("tenants", include_str!("tenants.rs")),
            ("users", include_str!("users.rs")),
            ("keys", include_str!("keys.rs")),
        ] {
            let (_, listed) = list.split_once(&format!("            {topic} {{")).unwrap();
            let (listed, _) = listed.split_once('}').unwrap();
            let listed: Vec<_> = listed
                .split(',')
                .map(str::trim)
                .filter(|name| !name.is_empty())
                .collect();
            let written: Vec<_> = source
                .lines()
                .filter_map(|line| line.strip_prefix("pub fn "))
                .filter_map(|line| line.split('<').next())
                .collect();
            assert_eq!(listed, written, "{topic}");
        }
    }
}
