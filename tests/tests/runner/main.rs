//! Runs over real ports: from request to shown tables, cancelled, interrupted, taken up, over
//! stores that fail; and whether rebuilding and verifying tell the truth about them (specification
//! 3.3, 3.4, 4.4).

mod accounts;
mod books;
mod configuring;
mod desk;
mod failing;
mod faulty_store;
mod handing_over;
mod later_tables;
mod lifecycle;
mod looking_back;
mod publishing;
mod replaying;
mod stalling;
mod stories;
mod taken_up;
mod telling;

/// Runs tests over the store in memory, the one in a file and the one in a PostgreSQL database.
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
        what_if_is_asked_of_the_captured_input,
    }
    configuring {
        of_many_who_change_at_once_nobody_is_lost,
        of_two_with_the_same_token_one_is_stale,
        a_change_whose_answer_was_lost_is_recorded_once,
        another_tenants_store_is_refused,
        the_configuration_is_read_as_it_was,
        runs_and_configuration_share_a_log,
        a_managed_run_is_that_of_the_source,
    }
    lifecycle {
        a_run_goes_from_request_to_shown_tables,
        a_run_that_preflight_refuses_leaves_the_former_outputs,
        a_run_is_cancelled_at_any_step_and_leaves_the_former_outputs,
        a_cancel_asked_of_the_store_reaches_the_worker,
        a_cancel_does_not_wait_for_the_engine,
        of_two_who_ask_at_once_one_gets_the_run,
        rebuilt_tables_are_the_live_ones,
        a_rebuild_waits_for_the_active_run,
    }
    taken_up {
        a_run_that_dies_at_any_call_comes_out_the_same,
        a_stream_of_any_length_is_completed,
        a_run_of_several_appends_comes_out_the_same,
        a_run_that_an_older_powerfill_asked_for_is_carried_through,
        a_run_begun_by_another_engine_fails_and_frees_the_tenant,
        a_stream_that_has_ended_is_left_as_it_is,
        a_run_cancelled_before_it_caught_up_ends_behind_its_stream,
        a_run_that_was_never_recorded_is_failed,
        a_worker_that_lost_its_lease_writes_no_more,
    }
    handing_over {
        a_run_that_is_handed_over_is_taken_up_at_once,
        a_run_cancelled_while_it_waits_is_never_begun,
        a_run_cancelled_while_it_is_recorded_ends_there,
        another_tenants_book_is_refused_before_anything_is_written,
    }
    publishing {
        any_complete_run_can_be_shown_again,
        a_run_that_is_not_complete_is_not_shown,
        what_passes_is_tried_again_and_what_fails_is_said,
        one_who_follows_shows_what_completes_and_goes_on_where_it_was,
        one_who_follows_waits_for_a_place_that_is_away,
        one_who_follows_ends_when_it_is_told_to,
        what_a_source_had_to_say_stands_in_the_log_of_the_run,
    }
    replaying {
        a_run_is_reproduced_whatever_became_of_it,
        a_cancelled_run_is_reproduced_as_far_as_it_went,
    }
    later_tables {
        later_tables_and_columns_are_no_difference_of_an_older_run,
    }
    looking_back {
        a_run_is_shown_as_it_stood_after_any_event,
        tables_are_made_as_of_any_event,
    }
    stories {
        every_story_of_a_run_is_that_of_all_its_events,
        a_run_without_an_index_is_read_whole,
        an_index_that_ends_early_is_not_read,
        an_index_of_another_projector_is_not_read,
        a_rebuild_makes_the_index_anew,
    }
    failing {
        a_store_that_is_away_for_a_moment_is_asked_again,
        a_store_that_stays_away_fails_the_run_and_not_the_next,
        a_store_that_refuses_a_call_fails_the_run_and_not_the_next,
        a_run_whose_outputs_could_not_be_shown_at_first_is_complete,
    }
}
