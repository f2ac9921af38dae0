//! The promises of [`EventStore`](crate::EventStore), each a test over an [`EventStoreHarness`].
//!
//! [`event_store_contract!`](crate::event_store_contract) makes tests of them all; one alone is called by name.

mod broken_off;
mod bytes;
mod chains;
mod commits;
mod conflicts;
mod durable;
mod harness;
mod head;
mod limits;
mod listing;
mod log;
mod making;
mod names;
mod racing;
mod reading;
mod repeats;
mod stream;
mod times;

pub use broken_off::*;
pub use bytes::*;
pub use chains::*;
pub use commits::*;
pub use conflicts::*;
pub use durable::*;
pub use harness::EventStoreHarness;
#[doc(hidden)]
pub use harness::EventStoreHarness as Harness;
pub use head::*;
pub use limits::*;
pub use listing::*;
pub use log::*;
pub use names::*;
pub use racing::*;
pub use repeats::*;
pub use stream::*;
pub use times::*;

/// Makes one test per promise of an event store, named for it, over an
/// [`EventStoreHarness`](crate::testing::EventStoreHarness).
///
/// ```
/// use annals::{EventStore, MemoryStore, testing::EventStoreHarness};
/// use std::sync::Arc;
///
/// struct Memory(Arc<MemoryStore>);
///
/// #[async_trait::async_trait]
/// impl EventStoreHarness for Memory {
///     async fn open() -> Self {
///         Self(Arc::new(MemoryStore::new()))
///     }
///
///     fn store(&self) -> Arc<dyn EventStore> {
///         self.0.clone()
///     }
/// }
///
/// annals::event_store_contract!(Memory);
/// ```
#[macro_export]
macro_rules! event_store_contract {
    ($harness:ty) => {
        $crate::__promises! { $harness, event_store:
            c1_a_commit_over_several_streams_leaves_all_of_it
            c1_a_commit_over_several_streams_is_all_or_nothing
            c1_a_commit_names_each_stream_once_and_with_events
            c2_versions_count_from_one
            c3_what_was_acknowledged_is_there_after_opening_again
            c4_one_of_racing_writers_wins
            c4_one_of_racing_commits_over_several_streams_wins
            c4_a_conflict_tells_the_actual_version
            a_chain_is_written_in_order
            a_chain_stops_at_a_conflict
            a_chain_stops_at_a_repeat
            a_chain_that_repeats_itself_spoils_nothing
            a_chain_is_bounded_by_its_commits
            c5_the_rows_of_a_commit_lie_together_and_know_their_place
            c5_a_repeat_gets_its_first_result
            c5_a_repeat_is_told_before_a_conflict
            c5_a_repeat_that_decides_otherwise_at_a_later_version_gets_its_first_result
            c5_a_repeat_over_several_streams_gets_the_whole_first_result
            c5_any_other_known_id_is_a_duplicate
            c5_repeats_that_race_are_written_once
            c5_committed_finds_the_first_result_and_nothing_else
            c6_nothing_appears_behind_a_reader_of_racing_writers
            c6_a_rare_type_makes_progress
            c6_pages_of_every_size_hold_the_same
            c6_at_the_head_a_page_is_empty
            c7_position_order_is_version_order
            c8_payload_and_metadata_come_back_byte_for_byte
            c8_any_event_comes_back_as_it_was
            c8_the_largest_event_comes_back_byte_for_byte
            c8_hostile_names_are_kept_exactly_and_apart
            c8_hostile_event_types_are_kept_exactly_and_apart
            c9_a_refused_commit_leaves_nothing
            c10_an_unrelated_open_transaction_delays_no_reader
            c11_beyond_a_limit_a_commit_is_refused
            c11_at_a_limit_a_commit_goes_through
            c12_a_lost_connection_is_transient_and_the_repeat_is_safe
            c13_time_never_goes_back_along_the_log
            c14_the_head_comes_to_every_commit
            c14_the_head_loses_no_wake_up
            c14_commits_of_others_are_seen
            log_filters_take_what_they_name
            an_append_that_nobody_waits_for_is_whole_or_not_there
            a_stream_reads_in_ranges_forwards_and_backwards
            a_stream_that_does_not_exist_is_empty
            a_stream_longer_than_a_page_reads_in_pages
            streams_are_listed_in_the_order_of_their_bytes_in_pages
            a_listing_goes_on_behind_a_name_that_is_none
        }
    };
}

#[cfg(test)]
mod tests {
    /// Each promise is in the macro: a new one that is not would be tested nowhere.
    #[test]
    fn every_promise_of_the_suite_is_a_test_of_every_store() {
        let suite = [
            include_str!("event_store/broken_off.rs"),
            include_str!("event_store/bytes.rs"),
            include_str!("event_store/chains.rs"),
            include_str!("event_store/commits.rs"),
            include_str!("event_store/conflicts.rs"),
            include_str!("event_store/durable.rs"),
            include_str!("event_store/head.rs"),
            include_str!("event_store/limits.rs"),
            include_str!("event_store/listing.rs"),
            include_str!("event_store/log.rs"),
            include_str!("event_store/names.rs"),
            include_str!("event_store/racing.rs"),
            include_str!("event_store/repeats.rs"),
            include_str!("event_store/stream.rs"),
            include_str!("event_store/times.rs"),
        ]
        .concat();
        crate::testing::promise::assert_all_listed(&suite, include_str!("event_store.rs"));
    }
}
