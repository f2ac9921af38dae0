//! The contract suite can fail: each fault here breaks one promise of a store that is sound otherwise, and the
//! promise notices.

use annals::testing::{EventStoreHarness, event_store::*, run_promise};
use annals::{
    AppendError, Commit, Committed, EventData, EventId, EventStore, Expected, Json, LogFilter, LogPage,
    MemoryStore, PageLimit, Position, RecordedEvent, StoreError, StreamFilter, StreamId, StreamInfo, Version,
    VersionRange,
};
use async_trait::async_trait;
use chrono::TimeDelta;
use std::{
    any::Any,
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};
use tokio::sync::watch;

mod appending;
mod chains;
mod connections;
mod others;
mod reading;
mod rows;

use appending::*;
use chains::*;
use connections::*;
use others::*;
use reading::*;
use rows::*;

/// What a faulty store does otherwise than the sound one behind it.
#[async_trait]
trait Fault: Default + Send + Sync + 'static {
    async fn append(&self, sound: &MemoryStore, commit: Commit) -> Result<Committed, AppendError> {
        sound.append(commit).await
    }

    async fn append_chain(
        &self,
        sound: &MemoryStore,
        commits: Vec<Commit>,
    ) -> Vec<Result<Committed, AppendError>> {
        sound.append_chain(commits).await
    }

    async fn read(
        &self,
        sound: &MemoryStore,
        stream: &StreamId,
        range: VersionRange,
        limit: PageLimit,
    ) -> Events {
        sound.read(stream, range, limit).await
    }

    async fn streams(
        &self,
        sound: &MemoryStore,
        filter: &StreamFilter,
        after: Option<&StreamId>,
        limit: PageLimit,
    ) -> Result<Vec<StreamInfo>, StoreError> {
        sound.streams(filter, after, limit).await
    }

    async fn read_log(
        &self,
        sound: &MemoryStore,
        after: Position,
        limit: PageLimit,
        filter: &LogFilter,
    ) -> Page {
        sound.read_log(after, limit, filter).await
    }

    async fn committed(
        &self,
        sound: &MemoryStore,
        stream: &StreamId,
        id: EventId,
    ) -> Result<Option<Committed>, StoreError> {
        sound.committed(stream, id).await
    }

    fn head(&self, sound: &MemoryStore) -> watch::Receiver<Position> {
        sound.head()
    }

    /// The connection is gone; false where there is none.
    fn cut(&self) -> bool {
        false
    }

    /// An unrelated transaction that stays open until the answer is dropped; none where nothing is shared.
    async fn transaction(&self) -> Option<Box<dyn Any + Send>> {
        None
    }
}

type Events = Result<Vec<RecordedEvent>, StoreError>;
type Page = Result<LogPage, StoreError>;

struct Faulty<F>(Arc<MemoryStore>, F);

#[async_trait]
impl<F: Fault> EventStore for Faulty<F> {
    async fn append(&self, commit: Commit) -> Result<Committed, AppendError> {
        self.1.append(&self.0, commit).await
    }

    async fn append_chain(&self, commits: Vec<Commit>) -> Vec<Result<Committed, AppendError>> {
        self.1.append_chain(&self.0, commits).await
    }

    async fn read(&self, stream: &StreamId, range: VersionRange, limit: PageLimit) -> Events {
        self.1.read(&self.0, stream, range, limit).await
    }

    async fn streams(
        &self,
        filter: &StreamFilter,
        after: Option<&StreamId>,
        limit: PageLimit,
    ) -> Result<Vec<StreamInfo>, StoreError> {
        self.1.streams(&self.0, filter, after, limit).await
    }

    async fn read_log(&self, after: Position, limit: PageLimit, filter: &LogFilter) -> Page {
        self.1.read_log(&self.0, after, limit, filter).await
    }

    async fn committed(&self, stream: &StreamId, id: EventId) -> Result<Option<Committed>, StoreError> {
        self.1.committed(&self.0, stream, id).await
    }

    fn head(&self) -> watch::Receiver<Position> {
        self.1.head(&self.0)
    }
}

/// The faulty store, with a second writer that shares its log but not its fault's memory.
struct Harness<F>(Arc<Faulty<F>>);

#[async_trait]
impl<F: Fault> EventStoreHarness for Harness<F> {
    async fn open() -> Self {
        Self(Arc::new(Faulty(Arc::new(MemoryStore::new()), F::default())))
    }

    fn store(&self) -> Arc<dyn EventStore> {
        self.0.clone()
    }

    async fn second(&self) -> Option<Arc<dyn EventStore>> {
        Some(Arc::new(Faulty(self.0.0.clone(), F::default())))
    }

    /// Claims to open the same log again, but opens an empty one.
    async fn reopen(&mut self) -> bool {
        *self = Self::open().await;
        true
    }

    async fn unrelated_transaction(&self) -> Option<Box<dyn Any + Send>> {
        self.0.1.transaction().await
    }

    async fn cut_connections(&self) -> bool {
        self.0.1.cut()
    }
}

#[track_caller]
fn assert_noticed(promise: impl Future<Output = ()>) {
    let kept = catch_unwind(AssertUnwindSafe(|| run_promise(promise)));
    assert!(kept.is_err(), "the promise is broken, but its test has passed");
}

/// One test per fault: these promises notice it.
macro_rules! noticed {
    ($($test:ident: $fault:ident breaks $($promise:ident)+;)+) => {$(
        #[test]
        fn $test() {
            $(assert_noticed($promise::<Harness<$fault>>());)+
        }
    )+};
}

noticed! {
    a_store_that_ignores_versions_is_noticed: IgnoresVersions breaks
        c1_a_commit_over_several_streams_is_all_or_nothing
        c4_a_conflict_tells_the_actual_version
        c4_one_of_racing_writers_wins
        c4_one_of_racing_commits_over_several_streams_wins
        c9_a_refused_commit_leaves_nothing;
    a_store_that_checks_versions_but_not_while_it_writes_is_noticed: ChecksTooEarly breaks
        c4_one_of_racing_writers_wins
        c4_one_of_racing_commits_over_several_streams_wins;
    a_store_that_forgets_ids_is_noticed: ForgetsIds breaks
        c5_a_repeat_gets_its_first_result
        c5_a_repeat_that_decides_otherwise_at_a_later_version_gets_its_first_result
        c5_a_repeat_over_several_streams_gets_the_whole_first_result
        c5_any_other_known_id_is_a_duplicate
        c5_repeats_that_race_are_written_once
        c5_committed_finds_the_first_result_and_nothing_else
        c6_nothing_appears_behind_a_reader_of_racing_writers
        an_append_that_nobody_waits_for_is_whole_or_not_there;
    a_store_that_tells_conflicts_before_repeats_is_noticed: ConflictFirst breaks
        c5_a_repeat_is_told_before_a_conflict
        c5_a_repeat_that_decides_otherwise_at_a_later_version_gets_its_first_result
        c6_nothing_appears_behind_a_reader_of_racing_writers;
    a_store_that_takes_any_known_id_for_a_repeat_is_noticed: AnyIdIsARepeat breaks
        c5_any_other_known_id_is_a_duplicate;
    a_store_that_finds_commits_by_any_of_their_events_is_noticed: FindsAnything breaks
        c5_committed_finds_the_first_result_and_nothing_else;
    a_store_that_goes_on_behind_a_broken_link_is_noticed: GoesOn breaks
        a_chain_stops_at_a_conflict
        a_chain_stops_at_a_repeat
        a_chain_is_bounded_by_its_commits;
    a_store_that_makes_one_commit_of_a_chain_is_noticed: JoinsChains breaks
        a_chain_is_written_in_order;
    a_store_that_writes_a_link_twice_is_noticed: WritesLinksTwice breaks
        a_chain_that_repeats_itself_spoils_nothing
        a_chain_stops_at_a_repeat;
    a_store_that_leaves_out_a_part_of_a_commit_is_noticed: LeavesOutParts breaks
        c1_a_commit_over_several_streams_leaves_all_of_it;
    a_store_that_mends_commits_that_are_none_is_noticed: MendsCommits breaks
        c1_a_commit_names_each_stream_once_and_with_events;
    a_store_that_commits_stream_by_stream_is_noticed: Tears breaks
        c1_a_commit_over_several_streams_is_all_or_nothing
        c5_the_rows_of_a_commit_lie_together_and_know_their_place;
    a_store_that_says_it_looked_further_than_it_did_is_noticed: LooksTooFar breaks
        c6_nothing_appears_behind_a_reader_of_racing_writers
        c6_at_the_head_a_page_is_empty;
    a_store_that_forgets_the_rest_behind_a_full_page_is_noticed: LooksToTheHead breaks
        c6_pages_of_every_size_hold_the_same
        log_filters_take_what_they_name;
    a_store_whose_rare_types_make_no_progress_is_noticed: StandsStill breaks
        c6_a_rare_type_makes_progress;
    a_store_that_filters_with_wildcards_is_noticed: Wildcards breaks
        log_filters_take_what_they_name
        streams_are_listed_in_the_order_of_their_bytes_in_pages;
    a_store_that_logs_in_another_order_than_it_numbers_is_noticed: SwapsVersions breaks
        c7_position_order_is_version_order
        c6_nothing_appears_behind_a_reader_of_racing_writers;
    a_store_that_parses_payloads_is_noticed: ParsesPayloads breaks
        c8_payload_and_metadata_come_back_byte_for_byte;
    a_store_that_parses_payloads_in_the_log_is_noticed: ParsesInTheLog breaks
        c8_any_event_comes_back_as_it_was
        c8_payload_and_metadata_come_back_byte_for_byte;
    a_store_that_cuts_large_payloads_is_noticed: CutsPayloads breaks
        c8_the_largest_event_comes_back_byte_for_byte;
    a_store_that_folds_the_case_of_names_is_noticed: FoldsCase breaks
        c8_hostile_names_are_kept_exactly_and_apart;
    a_store_that_folds_the_case_of_types_is_noticed: FoldsCaseOfTypes breaks
        c8_hostile_event_types_are_kept_exactly_and_apart;
    a_store_whose_readers_wait_for_others_is_noticed: WaitsForOthers breaks
        c10_an_unrelated_open_transaction_delays_no_reader;
    a_store_that_hears_only_itself_is_noticed: HearsOnlyItself breaks
        c14_commits_of_others_are_seen;
    a_store_that_keeps_what_it_refused_is_noticed: KeepsRefused breaks
        c9_a_refused_commit_leaves_nothing
        c1_a_commit_over_several_streams_is_all_or_nothing
        c11_beyond_a_limit_a_commit_is_refused;
    a_store_with_tighter_limits_is_noticed: TighterLimits breaks
        c11_at_a_limit_a_commit_goes_through;
    a_store_whose_clock_goes_back_is_noticed: ClockGoesBack breaks
        c13_time_never_goes_back_along_the_log;
    a_store_that_loses_wake_ups_is_noticed: Deaf breaks
        c14_the_head_comes_to_every_commit;
    a_store_that_wakes_nobody_is_noticed: Deaf breaks
        c14_the_head_loses_no_wake_up;
    a_store_that_is_empty_when_opened_again_is_noticed: Sound breaks
        c3_what_was_acknowledged_is_there_after_opening_again;
    a_store_that_acknowledges_what_a_lost_connection_took_is_noticed: AcknowledgesWhatIsLost breaks
        c12_a_lost_connection_is_transient_and_the_repeat_is_safe;
    a_store_that_fails_for_good_with_its_connection_is_noticed: FailsForGood breaks
        c12_a_lost_connection_is_transient_and_the_repeat_is_safe;
    a_store_that_writes_again_what_had_arrived_is_noticed: WritesAgain breaks
        c12_a_lost_connection_is_transient_and_the_repeat_is_safe;
    a_store_whose_connections_cannot_be_cut_is_noticed: NeverCut breaks
        c12_a_lost_connection_is_transient_and_the_repeat_is_safe;
    a_store_that_reads_only_forwards_is_noticed: OnlyForwards breaks
        a_stream_reads_in_ranges_forwards_and_backwards;
    a_store_that_counts_versions_from_zero_is_noticed: CountsFromZero breaks
        c2_versions_count_from_one
        a_stream_reads_in_ranges_forwards_and_backwards;
    a_store_that_lists_streams_unordered_is_noticed: ListsUnordered breaks
        streams_are_listed_in_the_order_of_their_bytes_in_pages;
}

/// No fault but that of the harness.
#[derive(Default)]
struct Sound;

impl Fault for Sound {}

/// What the promise of lost connections asks of a store, kept: the tests above fail for their faults, not for being
/// cut.
#[test]
fn a_store_that_is_cut_and_says_so_is_not_noticed() {
    run_promise(c12_a_lost_connection_is_transient_and_the_repeat_is_safe::<Harness<SaysItIsCut>>());
}

#[test]
fn a_store_beside_an_open_transaction_that_waits_for_nobody_is_not_noticed() {
    run_promise(c10_an_unrelated_open_transaction_delays_no_reader::<Harness<WaitsForNobody>>());
}

fn expecting(commit: &Commit, expected: impl Fn(Expected) -> Expected) -> Commit {
    rebuilt(commit, |write| (write.stream.clone(), expected(write.expected), write.events.clone()))
}

fn rebuilt(commit: &Commit, part: impl Fn(&annals::Write) -> (StreamId, Expected, Vec<EventData>)) -> Commit {
    let mut parts = commit.writes().iter().map(part);
    let (stream, expected, events) = parts.next().expect("a commit names a stream");
    parts.fold(Commit::to(stream, expected, events), |commit, (stream, expected, events)| {
        commit.and(stream, expected, events)
    })
}
