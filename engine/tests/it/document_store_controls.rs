//! The suite for stores of documents can fail: each fault here breaks one promise of a store that is sound otherwise,
//! and the promise notices.

use annals::testing::{DocumentStoreHarness, document_store::*, run_promise};
use annals::{
    Change, CheckpointError, Checkpoints, CompareError, Comparison, DocumentStore, Epoch, Json, Lease,
    LeaseError, LeaseTerms, MemoryDocuments, OpenError, PageLimit, PageWrite, Parked, ParkedRequest,
    Position, Slot, Step, StoreError, SubscriberId, SubscriberInfo, SwitchError,
};
use async_trait::async_trait;
use std::{
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};
use tokio::sync::watch;

mod faulty;
mod needs;

use faulty::{Fault, Faulty};
use needs::Needs;

/// The names of faults as types, for the harness makes stores by type.
macro_rules! faults {
    ($($test:ident: $fault:ident breaks $($promise:ident)+;)+) => {$(
        struct $fault(Arc<MemoryDocuments>);

        #[async_trait]
        impl DocumentStoreHarness for $fault {
            async fn open() -> Self {
                Self(Arc::new(MemoryDocuments::new()))
            }

            fn store(&self) -> Arc<dyn DocumentStore> {
                Arc::new(Faulty(self.0.clone(), Fault::$fault, Needs::default()))
            }

            async fn second(&self) -> Option<Arc<dyn DocumentStore>> {
                Some(self.store())
            }

            /// Claims to open the same documents again, but opens empty ones.
            async fn reopen(&mut self) -> bool {
                *self = Self::open().await;
                true
            }
        }

        #[test]
        fn $test() {
            $(assert_noticed($promise::<$fault>());)+
        }
    )+};
}

#[track_caller]
fn assert_noticed(promise: impl Future<Output = ()>) {
    let kept = catch_unwind(AssertUnwindSafe(|| run_promise(promise)));
    assert!(kept.is_err(), "the promise is broken, but its test has passed");
}

faults! {
    a_store_that_is_empty_when_opened_again_is_noticed: Sound breaks
        what_was_written_is_there_after_opening_again;
    a_store_that_opens_any_version_is_noticed: OpensAnyVersion breaks
        opening_in_another_version_is_refused
        a_switch_retires_the_old_generation;
    a_store_that_gives_leases_away_is_noticed: GivesLeasesAway breaks
        a_lease_is_held_by_one_runner_at_a_time
        of_racing_runners_one_gets_the_lease;
    a_store_whose_epochs_do_not_rise_is_noticed: ReusesEpochs breaks
        a_lease_is_held_by_one_runner_at_a_time
        a_runner_that_was_replaced_writes_nothing;
    a_store_that_fences_nobody_is_noticed: FencesNobody breaks
        a_runner_that_was_replaced_writes_nothing
        a_lease_that_nobody_took_over_can_be_used
        a_page_of_a_part_counts_once;
    a_store_whose_renewals_do_nothing_is_noticed: KeepsNoLeaseAlive breaks
        a_runner_that_was_replaced_writes_nothing;
    a_store_that_counts_a_page_twice_is_noticed: CountsTwice breaks
        a_page_that_is_delivered_twice_counts_once
        of_racing_steps_one_is_written
        a_page_of_a_part_counts_once;
    a_store_that_writes_pages_piece_by_piece_is_noticed: Tears breaks
        a_page_is_seen_whole_or_not_at_all
        nul_is_refused_with_the_whole_page
        limits_are_refused_one_beyond_them;
    a_store_that_tells_no_step_is_noticed: TellsNothing breaks
        every_written_step_is_told;
    a_store_that_takes_nul_is_noticed: TakesNul breaks
        nul_is_refused_with_the_whole_page;
    a_store_that_drops_what_is_too_large_is_noticed: HasNoLimits breaks
        limits_are_refused_one_beyond_them;
    a_store_that_lists_in_another_order_is_noticed: ListsUnordered breaks
        documents_are_listed_in_the_order_of_their_bytes_in_pages
        parked_events_are_listed_by_key_and_position_in_pages
        subscribers_are_listed_by_name_and_generation;
    a_store_that_loads_in_another_order_is_noticed: LoadsSorted breaks
        loading_answers_each_key_in_order;
    a_store_that_deletes_nothing_is_noticed: ForgetsDeletions breaks
        documents_are_replaced_and_deleted;
    a_store_that_begins_rebuilds_anew_is_noticed: RebuildsAnew breaks
        an_interrupted_rebuild_goes_on;
    a_store_that_switches_to_what_is_behind_is_noticed: SwitchesBehind breaks
        a_generation_that_is_behind_is_not_switched_to
        a_switch_and_a_step_do_not_pass_each_other;
    a_store_that_lets_the_retired_write_is_noticed: LetsTheRetiredWrite breaks
        a_switch_retires_the_old_generation
        a_rebuild_in_another_version_replaces_the_one_under_way
        a_rebuild_can_be_abandoned
        parts_write_only_into_what_no_log_fills;
    a_store_that_compares_text_is_noticed: ComparesText breaks
        documents_are_compared_by_json_value;
    a_store_that_compares_generations_apart_is_noticed: ComparesApart breaks
        generations_apart_are_not_compared;
    a_store_that_compares_what_was_replaced_is_noticed: ComparesReplaced breaks
        what_was_replaced_is_not_compared;
    a_store_that_takes_no_lease_over_is_noticed: FencesNobodyOnPurpose breaks
        a_lease_is_taken_over_on_purpose;
    a_store_that_forgets_attempts_is_noticed: ForgetsAttempts breaks
        an_event_that_is_parked_again_keeps_its_place
        a_retry_that_fails_is_carried_out;
    a_store_that_settles_whole_keys_is_noticed: SettlesWholeKeys breaks
        settled_events_are_gone;
    a_store_that_asks_for_ever_is_noticed: AsksForEver breaks
        a_request_is_kept_until_it_is_carried_out
        a_retry_that_fails_is_carried_out;
    a_store_that_drops_requests_for_newcomers_is_noticed: AnswersTooEarly breaks
        a_request_is_kept_until_it_is_carried_out;
    a_store_that_takes_requests_for_nothing_is_noticed: RequestsAnything breaks
        a_request_is_kept_until_it_is_carried_out
        generations_keep_their_parked_events_apart;
    a_store_whose_lanes_are_one_is_noticed: HasOneLane breaks
        a_divided_generation_stands_where_its_last_lane_does
        lanes_change_only_where_all_stand_at_one_position
        lanes_are_written_beside_each_other
        lanes_apart_are_neither_compared_nor_switched_to;
    a_store_that_believes_what_a_part_has_seen_is_noticed: BelievesParts breaks
        a_document_that_changed_meanwhile_refuses_the_page_of_a_part
        of_racing_parts_each_event_counts_once;
    a_store_that_overlooks_what_was_parked_meanwhile_is_noticed: OverlooksParking breaks
        a_document_that_changed_meanwhile_refuses_the_page_of_a_part;
    a_store_that_writes_a_part_in_pieces_is_noticed: TearsParts breaks
        a_document_that_changed_meanwhile_refuses_the_page_of_a_part;
    a_store_that_hears_no_sign_of_life_is_noticed: HearsNoSignOfLife breaks
        signs_of_life_keep_a_lease;
    a_store_that_counts_a_page_of_a_lane_twice_is_noticed: CountsLanesTwice breaks
        a_lane_counts_each_page_once;
    a_store_that_rebuilds_for_older_programs_is_noticed: RebuildsOlder breaks
        a_rebuild_by_an_older_program_is_refused;
    a_store_that_shows_the_documents_of_another_is_noticed: SharesDocuments breaks
        subscribers_keep_their_documents_apart;
    a_store_whose_parts_fail_beside_each_other_is_noticed: FailsBesideOthers breaks
        parts_that_touch_each_others_documents_never_block_each_other;
    a_store_that_purges_at_once_is_noticed: PurgesAtOnce breaks
        a_retired_generation_is_purged_bit_by_bit;
}

/// The faults are faults of the wrapper: without one it keeps every promise that it is tested for here.
#[test]
fn the_wrapper_without_a_fault_keeps_the_promises() {
    run_promise(a_page_that_is_delivered_twice_counts_once::<Sound>());
    run_promise(a_runner_that_was_replaced_writes_nothing::<Sound>());
    run_promise(a_request_is_kept_until_it_is_carried_out::<Sound>());
    run_promise(a_switch_retires_the_old_generation::<Sound>());
    run_promise(documents_are_compared_by_json_value::<Sound>());
    run_promise(a_document_that_changed_meanwhile_refuses_the_page_of_a_part::<Sound>());
    run_promise(of_racing_parts_each_event_counts_once::<Sound>());
    run_promise(signs_of_life_keep_a_lease::<Sound>());
    run_promise(a_lane_counts_each_page_once::<Sound>());
    run_promise(parts_that_touch_each_others_documents_never_block_each_other::<Sound>());
}
