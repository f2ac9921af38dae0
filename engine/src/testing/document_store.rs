//! The promises of [`DocumentStore`](crate::DocumentStore) and [`Checkpoints`](crate::Checkpoints), each a test over
//! a [`DocumentStoreHarness`].
//!
//! [`document_store_contract!`](crate::document_store_contract) makes tests of them all; one alone is called by name.

mod comparing;
mod documents;
mod durable;
mod harness;
mod lanes;
mod leases;
mod opening;
mod parking;
mod parts;
mod rebuilds;
mod refusals;
mod runner;
mod steps;

pub use comparing::*;
pub use documents::*;
pub use durable::*;
pub use harness::DocumentStoreHarness;
#[doc(hidden)]
pub use harness::DocumentStoreHarness as Harness;
pub use lanes::*;
pub use leases::*;
pub use opening::*;
pub use parking::*;
pub use parts::*;
pub use rebuilds::*;
pub use refusals::*;
pub use steps::*;

/// Makes one test per promise of a store of documents, named for it, over a
/// [`DocumentStoreHarness`](crate::testing::DocumentStoreHarness).
///
/// ```
/// use annals::{DocumentStore, MemoryDocuments, testing::DocumentStoreHarness};
/// use std::sync::Arc;
///
/// struct Memory(Arc<MemoryDocuments>);
///
/// #[async_trait::async_trait]
/// impl DocumentStoreHarness for Memory {
///     async fn open() -> Self {
///         Self(Arc::new(MemoryDocuments::new()))
///     }
///
///     fn store(&self) -> Arc<dyn DocumentStore> {
///         self.0.clone()
///     }
/// }
///
/// annals::document_store_contract!(Memory);
/// ```
#[macro_export]
macro_rules! document_store_contract {
    ($harness:ty) => {
        $crate::__promises! { $harness, document_store:
            opening_makes_one_live_generation
            opening_in_another_version_is_refused
            opening_under_a_name_that_is_none_is_refused
            subscribers_are_listed_by_name_and_generation
            a_failure_is_seen_until_it_is_cleared
            a_generation_that_is_not_there_is_refused
            a_lease_is_held_by_one_runner_at_a_time
            of_racing_runners_one_gets_the_lease
            a_runner_that_was_replaced_writes_nothing
            a_lease_is_taken_over_on_purpose
            signs_of_life_keep_a_lease
            a_lease_that_nobody_took_over_can_be_used
            a_page_that_is_delivered_twice_counts_once
            of_racing_steps_one_is_written
            a_page_is_seen_whole_or_not_at_all
            a_step_may_stay_where_it_is
            a_checkpoint_moves_without_documents
            every_written_step_is_told
            nul_is_refused_with_the_whole_page
            what_only_looks_like_nul_is_kept
            limits_are_refused_one_beyond_them
            documents_are_listed_in_the_order_of_their_bytes_in_pages
            loading_answers_each_key_in_order
            loading_takes_as_many_keys_as_a_page_touches
            documents_are_replaced_and_deleted
            documents_come_back_as_the_same_value
            subscribers_keep_their_documents_apart
            a_rebuild_runs_beside_the_live_generation
            an_interrupted_rebuild_goes_on
            a_rebuild_in_another_version_replaces_the_one_under_way
            a_rebuild_by_an_older_program_is_refused
            a_generation_that_is_behind_is_not_switched_to
            a_switch_retires_the_old_generation
            a_switch_and_a_step_do_not_pass_each_other
            a_rebuild_can_be_abandoned
            a_retired_generation_is_purged_bit_by_bit
            documents_are_compared_by_json_value
            a_comparison_counts_what_is_changed_missing_and_extra
            generations_apart_are_not_compared
            what_was_replaced_is_not_compared
            parked_events_are_listed_by_key_and_position_in_pages
            an_event_that_is_parked_again_keeps_its_place
            settled_events_are_gone
            a_request_is_kept_until_it_is_carried_out
            a_retry_that_fails_is_carried_out
            generations_keep_their_parked_events_apart
            a_divided_generation_stands_where_its_last_lane_does
            lanes_change_only_where_all_stand_at_one_position
            a_lane_counts_each_page_once
            lanes_are_written_beside_each_other
            lanes_apart_are_neither_compared_nor_switched_to
            a_page_of_a_part_counts_once
            a_document_that_changed_meanwhile_refuses_the_page_of_a_part
            of_racing_parts_each_event_counts_once
            parts_that_touch_each_others_documents_never_block_each_other
            parts_write_only_into_what_no_log_fills
            a_page_of_a_part_is_checked_as_any_other
            what_was_written_is_there_after_opening_again
        }
    };
}

#[cfg(test)]
mod tests {
    /// Each promise is in the macro: a new one that is not would be tested nowhere.
    #[test]
    fn every_promise_of_the_suite_is_a_test_of_every_store() {
        let suite = [
            include_str!("document_store/comparing.rs"),
            include_str!("document_store/documents.rs"),
            include_str!("document_store/durable.rs"),
            include_str!("document_store/lanes.rs"),
            include_str!("document_store/leases.rs"),
            include_str!("document_store/opening.rs"),
            include_str!("document_store/parking.rs"),
            include_str!("document_store/parts.rs"),
            include_str!("document_store/rebuilds.rs"),
            include_str!("document_store/refusals.rs"),
            include_str!("document_store/steps.rs"),
        ]
        .concat();
        crate::testing::promise::assert_all_listed(&suite, include_str!("document_store.rs"));
    }
}
