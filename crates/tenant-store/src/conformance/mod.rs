//! What every store must do, one function per documented obligation; each takes a store without records and panics
//! where the store fails it. [`conformance_tests!`](crate::conformance_tests) makes a test of each.

pub(crate) mod accounts;
pub mod admissions;
pub mod api_keys;
pub mod archives;
pub mod audit;
pub(crate) mod chat;
pub mod conversations;
pub mod documents;
pub mod endings;
pub mod erasures;
pub mod indexes;
pub mod jobs;
pub mod keys;
pub mod messages;
pub mod outcomes;
pub mod prompts;
pub mod providers;
pub mod queue;
pub mod removals;
pub mod replacements;
pub mod resets;
pub(crate) mod samples;
pub mod session_log;
pub mod sessions;
pub mod sources;
pub mod steps;
pub mod submissions;
pub mod tenants;
pub mod throttle;
pub mod turns;
pub mod usage;
pub mod users;
pub(crate) mod whole;
mod work;
pub mod workers;

pub use accounts::AccountStore;
pub use admissions::AdmittingStore;
pub use audit::AuditedStore;
pub use chat::ChatStore;
pub use whole::WholeStore;
pub use work::RecordStore;

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
                a_change_of_what_is_no_longer_so_is_not_applied,
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
                users_are_listed_with_or_without_superusers,
                a_change_within_a_tenant_reaches_its_users_alone,
                an_update_changes_what_it_names_and_keeps_the_rest,
                an_update_clears_the_tenant,
                an_update_to_an_unknown_tenant_is_refused,
                an_update_of_an_absent_user_is_none,
                ending_sessions_at_once_counts_each_time,
                the_last_token_version_is_not_passed,
                access_gives_the_user_with_the_tenant,
                text_with_nul_is_refused_and_nothing_stored,
            }
            sessions {
                a_session_is_read_back_as_it_was_begun,
                a_session_id_is_taken,
                a_session_does_not_begin_for_a_user_who_changed,
                a_rehash_replaces_the_verified_hash_alone,
                sessions_are_listed_by_their_last_use,
                a_session_of_another_user_does_not_exist,
                a_session_is_over_at_its_time,
                refreshing_does_not_move_the_end,
                of_too_many_sessions_the_least_used_is_ended,
                a_refresh_token_gives_the_next,
                a_refresh_token_used_twice_ends_its_session,
                a_refresh_token_presented_at_once_is_taken_once,
                sessions_refreshed_at_once_all_go_on,
                an_unknown_refresh_token_is_refused,
                an_ended_session_is_over,
                access_looks_at_the_session,
                text_with_nul_is_refused_and_nothing_stored,
            }
            endings {
                a_change_of_the_user_ends_every_session,
                a_change_that_changes_nothing_ends_nothing,
                deactivating_a_tenant_ends_its_users_sessions,
                a_tenant_is_deactivated_whole_or_not_at_all,
                the_last_active_superuser_stays,
                superusers_who_step_down_at_once_leave_one,
                no_session_outlives_an_ending_at_the_same_time,
                changes_of_users_and_tenants_at_once_are_all_made,
            }
            resets {
                a_link_sets_the_password_once,
                setting_the_password_ends_every_session,
                a_link_works_until_its_time,
                a_link_takes_the_place_of_the_one_before,
                a_secret_is_taken,
                a_link_is_of_a_user_who_may_log_in,
                a_link_ends_with_all_the_sessions,
                a_link_redeemed_at_once_sets_one_password,
                the_last_token_version_is_not_passed,
                text_with_nul_is_refused_and_nothing_stored,
            }
            session_log {
                what_becomes_of_a_session_is_entered,
                a_refresh_is_the_users_own_deed,
                a_session_that_made_room_is_entered,
                what_becomes_of_a_link_is_entered,
                what_sessions_refuse_is_not_entered,
                no_secret_of_a_session_is_entered,
            }
            throttle {
                the_wait_doubles_up_to_the_longest,
                an_attempt_that_waits_is_not_counted,
                keys_are_told_apart,
                an_attempt_waits_for_the_longest_of_its_keys,
                an_attempt_counts_for_each_of_its_keys,
                success_forgets_the_failures,
                an_attempt_is_taken_back,
                failures_are_forgotten_in_time,
                a_failure_of_a_clock_ahead_counts,
                abandoned_failures_are_removed,
                attempts_at_once_do_not_slip_through,
                attempts_at_once_on_the_same_keys_are_all_answered,
            }
            documents {
                a_document_of_another_tenant_does_not_exist,
                documents_are_listed_newest_first_in_pages_with_the_total,
                a_list_of_documents_may_be_narrowed,
                only_ready_documents_may_be_found,
                ready_versions_are_listed_by_document,
                segments_are_read_as_they_were_added,
            }
            submissions {
                a_new_document_begins_pending,
                an_id_is_taken_in_its_tenant_alone,
                a_submission_of_an_unknown_tenant_is_refused,
                the_same_submission_again_is_unchanged,
                a_name_makes_a_document_of_its_own,
                one_file_handed_in_by_many_at_once_is_one_document,
                text_with_nul_is_refused_and_nothing_stored,
            }
            replacements {
                a_document_stays_what_it_is_until_its_next_version_is_ready,
                a_submission_ends_the_job_before_it,
                a_document_that_failed_is_tried_again,
                a_file_of_a_document_being_removed_becomes_a_new_one,
                another_submission_of_a_document_is_its_next_version,
            }
            removals {
                removing_a_document_adds_one_job,
                removing_a_document_ends_its_job,
                a_removal_that_is_done_leaves_nothing,
            }
            sources {
                parts_are_read_back_by_their_place,
                a_part_replaces_the_one_of_its_place,
                a_part_of_an_unknown_tenant_is_refused,
                a_source_of_another_tenant_does_not_exist,
                removing_a_source_removes_every_part,
                abandoned_sources_are_removed,
            }
            jobs {
                an_absent_job_is_none,
                a_job_of_another_tenant_does_not_exist,
                jobs_are_listed_newest_first_in_pages_with_the_total,
                a_list_of_jobs_may_be_narrowed,
                a_job_that_was_never_begun_is_cancelled_at_once,
                the_end_of_a_job_that_was_begun_is_left_to_a_worker,
                a_job_that_waits_for_its_next_try_is_ended_without_waiting,
                what_cannot_be_undone_is_not_cancelled,
                a_cancelled_replacement_leaves_the_document_ready,
            }
            queue {
                a_queue_without_a_job_to_do_gives_none,
                a_claimed_job_says_what_is_known_of_its_version,
                a_job_is_given_to_one_worker_at_a_time,
                the_tenant_served_longest_ago_is_next,
                within_a_tenant_the_job_that_waits_longest_is_next,
                jobs_of_inactive_tenants_wait,
                a_claim_may_be_for_one_tenant_alone,
                two_jobs_on_one_document_are_never_given_out_together,
                a_document_is_worked_on_in_the_order_of_its_versions,
                a_worker_who_lost_its_job_changes_nothing,
                a_lease_is_of_its_tenant_alone,
                a_renewed_lease_keeps_the_job,
                a_job_without_its_bytes_is_given_out,
            }
            steps {
                the_first_segment_removes_those_of_an_earlier_try,
                the_text_read_moves_the_job_on,
                progress_is_kept,
                a_worker_is_told_that_its_job_is_to_end,
                a_published_version_may_be_found,
                a_version_is_written_to_every_index_in_use,
                a_step_out_of_its_order_is_refused,
            }
            outcomes {
                a_job_that_yields_lets_other_tenants_go_first,
                a_job_is_tried_again_when_it_is_time,
                attempts_are_counted_anew_when_the_job_has_come_further,
                a_job_that_was_given_up_leaves_nothing,
                a_published_version_outlives_its_job,
            }
            workers {
                every_job_ends_once_and_none_is_forgotten,
            }
            indexes {
                a_tenant_without_an_index_gets_the_first,
                many_who_ask_at_once_get_the_same_index,
                an_index_of_an_unknown_tenant_is_refused,
                a_dimension_is_kept_once,
                one_index_at_a_time_is_built,
                switching_is_to_the_index_that_was_built,
                a_retired_index_can_be_gone_back_to,
                a_forgotten_index_is_gone_for_good,
                the_indexes_in_use_are_those_of_active_tenants,
                text_with_nul_is_refused_and_nothing_stored,
            }
            conversations {
                a_conversation_is_read_back_as_it_was_written,
                a_conversation_id_is_taken_in_its_tenant_alone,
                a_conversation_of_an_unknown_tenant_is_refused,
                an_absent_conversation_is_none,
                a_conversation_of_another_user_does_not_exist,
                a_conversation_of_another_tenant_does_not_exist,
                conversations_are_listed_by_their_last_change_in_pages_with_the_total,
                renaming_changes_the_title_and_the_moment,
                removing_a_conversation_removes_its_messages,
                text_with_nul_is_refused_and_nothing_stored,
            }
            messages {
                a_message_is_read_back_as_it_was_written,
                messages_are_listed_in_their_order_in_pages_with_the_total,
                the_last_messages_come_in_their_order,
                messages_of_another_user_do_not_exist,
                messages_of_another_tenant_do_not_exist,
                citations_outlive_their_document,
                text_with_nul_is_refused_and_nothing_stored,
            }
            turns {
                a_turn_begins_a_conversation,
                a_turn_updates_its_conversation,
                a_turn_in_an_absent_conversation_is_none,
                a_conversation_begins_as_its_owners_alone,
                a_turn_of_an_unknown_tenant_is_refused,
                an_id_that_is_taken_leaves_nothing_behind,
                an_answer_is_added_and_counted,
                an_answer_to_a_removed_conversation_is_counted,
                usage_with_nul_is_refused_and_nothing_stored,
                turns_at_once_keep_every_message_in_one_order,
                users_answered_at_once_are_all_counted,
                a_conversation_removed_during_turns_is_gone,
            }
            archives {
                a_tenant_is_read_whole_and_in_order,
                reading_stops_when_told,
                an_absent_tenant_is_not_read,
                what_was_read_makes_the_same_tenant,
                a_tenant_being_filled_is_inactive_and_has_no_secret,
                an_import_of_a_taken_id_is_refused,
                an_import_is_begun_once,
                a_batch_is_kept_whole_or_not_at_all,
                users_whose_id_or_address_is_taken_are_left_out,
                an_identity_of_somebody_elses_user_is_left_out,
                an_audit_log_is_restored_as_it_was,
                records_for_any_other_tenant_are_refused,
                a_finished_import_is_entered_and_takes_no_more,
                an_abandoned_import_leaves_nothing,
            }
            erasures {
                an_erased_tenant_leaves_nothing_and_others_everything,
                an_active_tenant_is_not_erased,
                a_superuser_is_never_erased,
                an_erased_id_is_never_used_again,
                an_erasure_is_remembered_by_the_hash_of_the_id,
                every_generation_is_told,
                an_absent_tenant_is_not_erased,
                vacuuming_changes_no_record,
            }
            audit {
                an_entry_is_read_back_as_it_was_made,
                no_text_keeps_an_entry_out,
                entries_of_a_log_follow_each_other,
                entries_made_at_once_leave_no_gap,
                entries_are_listed_latest_first_in_pages_with_the_total,
                a_list_of_entries_is_read_piece_by_piece,
                a_list_of_entries_may_be_narrowed,
                every_log_is_listed,
                making_a_tenant_is_entered,
                changing_a_tenant_is_entered_by_kind,
                making_a_user_is_entered,
                changing_a_user_is_entered,
                a_user_who_moves_is_entered_in_both_logs,
                what_is_done_to_documents_is_entered,
                the_end_of_a_job_is_entered_when_it_is_asked_for,
                what_was_refused_is_not_entered,
                no_secret_and_no_text_is_entered,
                what_is_said_is_not_entered,
            }
            prompts {
                a_prompt_at_creation_is_the_first_version,
                a_changed_prompt_becomes_the_next_version,
                a_prompt_that_stays_makes_no_version,
                versions_are_listed_latest_first_in_pages_with_the_total,
                a_version_of_another_tenant_does_not_exist,
                an_absent_tenant_has_no_version,
                what_was_refused_makes_no_version,
                prompts_changed_at_once_are_all_versions,
            }
            usage {
                calls_of_one_account_are_counted_together,
                usage_is_told_apart_by_every_group,
                a_day_begins_at_midnight_utc,
                usage_of_one_user_is_summed_alone,
                usage_of_another_tenant_does_not_exist,
                usage_of_all_tenants_is_summed_for_the_operator,
                usage_of_an_unknown_tenant_is_refused,
                calls_are_counted_all_or_none,
                calls_counted_at_once_are_all_counted,
                counts_stop_at_the_greatest_number,
                any_name_of_a_model_is_kept,
            }
            api_keys {
                a_key_is_read_back_as_it_was_written,
                an_id_and_a_secret_are_taken,
                a_key_of_an_unknown_tenant_is_refused,
                a_key_of_another_tenant_does_not_exist,
                keys_are_listed_newest_first_in_pages_with_the_total,
                a_key_is_revoked_once,
                a_rotated_key_overlaps_with_its_successor,
                only_a_live_key_without_a_successor_is_rotated,
                a_refused_successor_leaves_the_key_alone,
                of_rotations_at_once_one_wins,
                access_gives_the_tenant_as_it_is,
                the_latest_use_is_kept,
                text_with_nul_is_refused_and_nothing_stored,
            }
            providers {
                a_provider_is_read_back_as_it_was_written,
                tokens_are_accepted_by_one_provider_of_a_tenant,
                a_provider_of_an_unknown_tenant_is_refused,
                a_provider_of_another_tenant_does_not_exist,
                providers_are_listed_by_id_in_pages_with_the_total,
                a_change_replaces_all_but_the_creation,
                the_providers_of_an_issuer_are_found_in_every_active_tenant,
                text_with_nul_is_refused_and_nothing_stored,
            }
            admissions {
                somebody_new_becomes_a_user_once,
                a_verified_address_is_linked_to_its_user,
                an_address_of_somebody_else_admits_nobody,
                somebody_unknown_is_nobody,
                a_subject_is_known_to_its_own_provider_alone,
                a_provider_that_does_not_speak_any_more_admits_nobody,
                subjects_are_forgotten_with_their_issuer,
                a_user_who_left_is_not_admitted,
                an_inactive_user_is_found_as_such,
                a_mapped_role_is_followed,
                a_role_that_was_taken_is_not_brought_back,
                first_sights_at_once_make_one_user,
                a_taken_id_admits_nobody,
                any_other_subject_is_kept,
            }
            keys {
                keys_are_listed_oldest_first_as_written,
                the_first_record_of_a_key_stays,
                secrets_are_counted_by_format_and_key,
                every_secret_of_a_tenant_is_counted,
                a_sealed_value_of_another_form_is_counted_too,
                text_with_nul_is_refused_and_nothing_stored,
                secrets_are_listed_in_pages,
                a_resealed_secret_keeps_all_else,
                a_resealed_secret_is_in_the_audit_log,
                a_changed_secret_is_not_resealed,
                of_those_who_reseal_at_once_one_does,
                a_key_in_use_is_not_forgotten,
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
            ("documents", include_str!("documents.rs")),
            ("submissions", include_str!("submissions.rs")),
            ("replacements", include_str!("replacements.rs")),
            ("removals", include_str!("removals.rs")),
            ("sources", include_str!("sources.rs")),
            ("jobs", include_str!("jobs.rs")),
            ("queue", include_str!("queue.rs")),
            ("steps", include_str!("steps.rs")),
            ("outcomes", include_str!("outcomes.rs")),
            ("workers", include_str!("workers.rs")),
            ("indexes", include_str!("indexes.rs")),
            ("conversations", include_str!("conversations.rs")),
            ("messages", include_str!("messages.rs")),
            ("turns", include_str!("turns.rs")),
            ("archives", include_str!("archives.rs")),
            ("erasures", include_str!("erasures.rs")),
            ("audit", include_str!("audit.rs")),
            ("prompts", include_str!("prompts.rs")),
            ("usage", include_str!("usage.rs")),
            ("api_keys", include_str!("api_keys.rs")),
            ("providers", include_str!("providers.rs")),
            ("admissions", include_str!("admissions.rs")),
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
