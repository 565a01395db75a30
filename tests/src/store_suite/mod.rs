//! What every store must do (specification 3.2, 3.3, 4.4), one function per behavior. The suite
//! knows no database: an adapter implements [`StoreLocation`] and runs
//! [`store_suite!`](crate::store_suite!).

pub mod appending;
pub mod copying;
pub mod headlines;
pub mod indexes;
pub mod outputs;
pub mod public_face;
pub mod reading;
pub mod runs;
pub mod samples;
pub mod snapshots;
pub mod subscribers;
pub mod subscribing;

use std::future::Future;

use powerfill_ports::copying::CopyStore;

/// The location of a store. A store that is opened again has everything that was stored before.
/// Each test has its own location.
pub trait StoreLocation: Send + Sync + 'static {
    /// The store under test.
    type Store: SuiteStore;

    /// Opens the store at this location.
    fn open(&self) -> impl Future<Output = Self::Store> + Send;
}

/// A store under test.
pub trait SuiteStore: CopyStore + Clone + 'static {}

impl<S: CopyStore + Clone + 'static> SuiteStore for S {}

/// Runs the whole suite. `$location` is an expression that creates a new [`StoreLocation`]. A test
/// gets the store that is open there, or, if it opens it again, the location.
#[macro_export]
macro_rules! store_suite {
    ($location:expr) => {
        $crate::store_suite!(@tests $location;
            appending {
                versions_and_positions_count_from_one,
                a_wrong_expected_version_is_a_conflict_and_writes_nothing,
                a_repeated_append_is_recognized,
                a_repeat_by_another_worker_is_recognized,
                an_append_id_with_other_content_is_refused,
                an_append_without_events_is_refused,
                a_payload_with_a_line_break_is_refused,
                an_append_of_many_blocks_is_stored_and_recognized,
                one_of_many_writers_wins_a_version,
                the_envelope_comes_back_whole,
                what_was_appended_is_there_after_reopening(location),
            }
            reading {
                a_stream_that_does_not_exist_is_empty,
                a_long_stream_comes_in_batches_and_in_order,
                a_stream_is_read_from_any_version,
                a_stream_is_read_between_any_versions,
                streams_are_named_in_the_order_in_which_they_began,
                chosen_versions_of_a_stream_are_read,
                many_chosen_versions_come_in_batches,
                chosen_types_of_a_stream_are_read,
                all_streams_are_read_in_the_order_of_positions,
                reading_ends_where_the_log_ended_at_the_call,
                the_hash_chain_links_batches_appends_and_streams,
                a_sound_log_verifies,
                the_configuration_is_a_stream_of_its_own,
                seals_are_found_by_number,
            }
            subscribers {
                a_subscriber_moves_on_from_its_position(location),
                one_of_many_moves_a_subscriber_on,
            }
            subscribing {
                a_subscription_catches_up_and_continues_live,
                a_subscription_resumes_after_reopening(location),
                subscribers_see_no_gap_with_many_writers,
                an_append_through_another_handle_is_seen(location),
                a_slow_subscriber_loses_nothing,
            }
            snapshots {
                a_snapshot_is_stored_once_and_comes_back(location),
                a_wrong_digest_is_refused,
                a_snapshot_that_is_not_there_is_not_found,
                verification_counts_snapshots,
            }
            outputs {
                staged_rows_are_unseen_until_published(location),
                cells_come_back_exact,
                published_rows_replace_the_former_runs_all_at_once,
                an_abandoned_staging_area_is_dropped(location),
                a_table_that_is_left_out_is_removed,
                only_the_run_that_staged_may_publish,
                a_row_that_does_not_fit_its_table_stages_nothing,
                a_table_that_keeps_every_run_keeps_every_run,
                many_rows_come_back_in_the_staged_order,
                a_published_table_may_be_empty,
            }
            indexes {
                events_are_found_by_subject(location),
                an_index_replaces_the_runs_former_one,
                a_run_without_events_has_no_index,
                many_entries_come_back_in_order,
                a_malformed_list_comes_back_unchanged,
            }
            headlines {
                a_headline_and_annotations_are_kept_side_by_side(location),
                a_run_is_found_by_its_name,
            }
            copying {
                a_store_is_the_tenants_of_its_first_event,
                appends_are_read_back_with_their_seals,
                a_stored_event_is_appended_as_it_was,
                snapshots_are_listed,
                a_run_that_is_over_is_added_to_the_history_once,
            }
            runs {
                one_run_is_active_at_a_time,
                a_run_in_another_tenants_store_is_refused,
                one_of_many_requests_gets_the_run(location),
                a_run_is_claimed_once_until_its_lease_is_over,
                a_renewed_lease_keeps_others_out,
                a_run_is_in_the_queue_with_its_request_or_not_at_all,
                a_repeated_request_is_recognized,
                an_expired_lease_holds_until_the_next_claim,
                a_lost_lease_cannot_write,
                a_lost_lease_is_the_first_error,
                an_active_run_keeps_maintenance_out,
                a_cancel_request_is_returned_by_the_next_renewal,
                a_run_that_is_over_frees_the_tenant,
                runs_are_listed_newest_first_in_pages,
                runs_are_found_and_counted_by_status,
                an_unclaimed_run_survives_reopening(location),
            }
            public_face {
                an_eventually_repository_works,
                an_eventually_conflict_is_a_conflict,
                an_eventually_subscription_is_live,
                an_eventually_reader_of_all_runs_gets_no_configuration,
                an_audited_stream_is_never_removed,
            }
        );
    };
    (@tests $location:expr; $($module:ident { $($test:ident $(($with:ident))?,)* })*) => {
        $(mod $module {
            use super::*;
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $test() {
                    let location = $location;
                    $crate::store_suite!(@call $module $test location $($with)?);
                }
            )*
        })*
    };
    (@call $module:ident $test:ident $location:ident) => {
        let store = $crate::store_suite::StoreLocation::open(&$location).await;
        $crate::store_suite::$module::$test(store).await;
    };
    (@call $module:ident $test:ident $location:ident location) => {
        $crate::store_suite::$module::$test(&$location).await;
    };
}

#[cfg(test)]
mod tests {
    use crate::repository::{sources, text};

    /// The names that the macro lists for a module.
    fn listed<'a>(suite: &'a str, module: &str) -> Vec<&'a str> {
        let section = suite.split_once(&format!("\n            {module} {{\n"));
        let section = section.and_then(|(_, rest)| rest.split_once('}'));
        let name = |listed: &'a str| listed.trim().trim_end_matches("(location)");
        section.map_or_else(Vec::new, |(names, _)| names.split(',').map(name).collect())
    }

    /// A behavior that the macro does not list would never run.
    #[test]
    fn every_behavior_is_listed() {
        let suite = text("tests/src/store_suite/mod.rs");
        let mut count = 0;
        for (file, source) in sources() {
            let Some(module) = file.strip_prefix("tests/src/store_suite/") else { continue };
            let listed = listed(&suite, module.trim_end_matches(".rs"));
            for function in source.split("\npub async fn ").skip(1) {
                let Some((name, parameters)) = function.split_once('(') else { continue };
                let parameters = parameters.trim_start();
                if ["location: &impl StoreLocation", "store: impl SuiteStore"]
                    .iter()
                    .any(|first| parameters.starts_with(first))
                {
                    assert!(listed.contains(&name), "{file}: {name} is not in store_suite!");
                    count += 1;
                }
            }
        }
        assert!(count > 60, "only {count} behaviors were found");
    }
}
