//! Runs over real stores (specification 3.3, 3.4, 4.4): completed, canceled, interrupted, and taken
//! up, over stores that fail; and that rebuild, replay, and verify report on them correctly.

mod accounts;
mod books;
mod configuring;
mod desk;
mod failing;
mod faulty_store;
mod handing_over;
mod in_memory;
mod large_tables;
mod later_tables;
mod lifecycle;
mod publishing;
mod replaying;
mod scenarios;
mod stalling;
mod stories;
mod taken_up;
mod telling;
mod timeline;

/// Runs tests over three stores: in memory, in a SQLite file, and in a PostgreSQL database.
macro_rules! over_each_store {
    ($($module:ident { $($test:ident,)* })*) => {
        mod memory {
            $($(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $test() {
                    crate::$module::$test(&crate::desk::Desk::in_memory()).await;
                }
            )*)*
        }
        mod sqlite {
            $($(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $test() {
                    crate::$module::$test(&crate::desk::Desk::in_a_file()).await;
                }
            )*)*
        }
        mod postgres {
            $($(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $test() {
                    crate::$module::$test(&crate::desk::Desk::in_a_database().await).await;
                }
            )*)*
        }
    };
}

over_each_store! {
    accounts {
        every_loan_and_trade_of_every_case_has_an_account,
        a_loan_that_the_snapshot_does_not_have_is_unknown,
        what_if_uses_the_captured_input,
    }
    configuring {
        concurrent_changes_are_all_recorded,
        of_two_changes_with_one_token_one_is_stale,
        a_change_with_a_lost_answer_is_recorded_once,
        another_tenants_store_is_refused,
        the_configuration_is_read_as_of_any_moment,
        runs_and_configuration_share_a_log,
        a_managed_run_equals_that_of_its_source,
    }
    large_tables {
        large_tables_are_built_or_stored,
        a_large_table_is_built_from_any_version_on,
    }
    lifecycle {
        a_run_is_carried_from_request_to_published_tables,
        a_run_that_preflight_refuses_leaves_the_former_outputs,
        a_run_is_cancelled_at_any_step_and_leaves_the_former_outputs,
        a_cancel_does_not_wait_for_the_engine,
        a_certificate_is_recorded_beside_the_next_run,
        of_two_simultaneous_requests_one_is_accepted,
        rebuilt_tables_equal_the_published_ones,
        a_rebuild_is_refused_while_a_run_is_active,
    }
    taken_up {
        a_worker_that_dies_at_any_call_changes_no_decision,
        a_stream_of_any_length_is_completed,
        a_worker_that_dies_between_appends_changes_no_decision,
        a_run_requested_by_an_older_version_completes,
        a_run_begun_by_another_engine_fails_and_frees_the_tenant,
        an_ended_stream_is_not_changed,
        a_run_cancelled_while_it_is_taken_up_keeps_its_events,
        a_queued_run_without_a_request_fails,
        a_worker_that_lost_its_lease_writes_no_more,
    }
    handing_over {
        a_run_that_is_handed_over_is_taken_up_at_once,
        a_run_cancelled_in_the_queue_is_never_started,
        a_run_cancelled_while_it_is_recorded_ends_there,
        a_cancel_does_not_wait_for_the_store,
        another_tenants_book_is_refused_before_anything_is_written,
    }
    publishing {
        any_complete_run_can_be_published_again,
        a_run_that_is_not_complete_is_not_published,
        transient_errors_are_retried_and_others_returned,
        a_publisher_publishes_completed_runs_from_its_position_on,
        a_publisher_waits_for_an_unavailable_target,
        a_publisher_ends_when_it_is_stopped,
        warnings_of_a_source_are_in_the_log_of_the_run,
    }
    replaying {
        a_run_with_any_end_is_reproduced,
        a_cancelled_run_is_reproduced_up_to_its_end,
    }
    scenarios {
        a_scenario_is_kept_and_never_official,
        a_try_comes_to_what_its_scenario_does,
    }
    later_tables {
        later_tables_and_columns_are_no_difference_of_an_older_run,
    }
    timeline {
        the_state_after_any_event_is_shown,
        tables_are_made_as_of_any_event,
    }
    stories {
        stories_from_the_index_equal_those_from_all_events,
        a_run_without_an_index_is_read_whole,
        an_index_that_ends_early_is_not_read,
        an_index_of_another_projector_is_not_read,
        a_rebuild_restores_the_index,
    }
    failing {
        calls_to_a_briefly_unavailable_store_are_repeated,
        an_unavailable_store_fails_the_run_and_not_the_next,
        a_store_that_refuses_a_call_fails_the_run_and_not_the_next,
        a_run_whose_outputs_are_published_late_is_complete,
    }
}
