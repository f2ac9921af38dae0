//! C5: a commit that arrives again.

use super::{
    harness::{EventStoreHarness, writers},
    making::{append, append_to, at, event, event_with, events, refusal, stream},
    reading::{read, whole_log, whole_stream},
};
use crate::{AppendError, Commit, Committed, EventId, EventStore, Expected, StreamId};
use tokio::task::JoinSet;

/// Asserts that `again` tells the first result, and that it is a repeat.
fn assert_first_result(again: &Committed, first: &Committed) {
    assert!(again.repeated, "a repeat says that it is one: {again:?}");
    assert_eq!((&again.streams, again.position), (&first.streams, first.position));
}

/// C5: a commit that arrives again is answered with its first result, and written once.
pub async fn c5_a_repeat_gets_its_first_result<H: EventStoreHarness>() {
    let harness = H::open().await;
    let a = stream("order-a");
    for store in writers(&harness).await {
        let store = &*store;
        let before = whole_stream(store, &a).await.len();
        for expected in [Expected::Any, at(before as u64 + 3)] {
            let commit = Commit::to(a.clone(), expected, events(3));
            let first = append(store, commit.clone()).await;
            assert!(!first.repeated);
            assert_first_result(&append(store, commit.clone()).await, &first);
            assert_first_result(&append(&*harness.store(), commit).await, &first);
        }
        assert_eq!(whole_stream(store, &a).await.len(), before + 6);
    }
}

/// C5: a repeat is told before a conflict: the first arrival itself moved the stream.
pub async fn c5_a_repeat_is_told_before_a_conflict<H: EventStoreHarness>() {
    let harness = H::open().await;
    let store = &*harness.store();
    let (a, b) = (stream("order-a"), stream("order-b"));
    let commit = Commit::to(a.clone(), Expected::NEW, events(2));
    let first = append(store, commit.clone()).await;
    append_to(store, &a, events(2)).await;
    assert_first_result(&append(store, commit).await, &first);
    let several = Commit::to(b.clone(), Expected::NEW, events(1)).and(a.clone(), at(4), events(1));
    let first = append(store, several.clone()).await;
    append_to(store, &a, events(1)).await;
    assert_first_result(&append(store, several).await, &first);
    assert_eq!((whole_stream(store, &a).await.len(), whole_stream(store, &b).await.len()), (6, 1));
}

/// C5: a repeat that decides otherwise, at a later version, gets its first result: its first id is what counts.
pub async fn c5_a_repeat_that_decides_otherwise_at_a_later_version_gets_its_first_result<
    H: EventStoreHarness,
>() {
    let harness = H::open().await;
    let store = &*harness.store();
    let (a, b) = (stream("order-a"), stream("order-b"));
    let known = EventId::random();
    let first = append(store, Commit::to(a.clone(), Expected::NEW, [event_with(known, 1), event(2)])).await;
    append_to(store, &a, events(5)).await;
    let other_events = || [event_with(known, 99), event(3), event(4), event(5)];
    for repeat in [
        Commit::to(a.clone(), at(7), other_events()),
        Commit::to(a.clone(), Expected::Any, [event_with(known, 98)]),
        Commit::to(a.clone(), at(3), other_events()).and(b.clone(), at(9), events(1)),
        Commit::to(a.clone(), at(7), other_events()).and(b.clone(), Expected::Any, events(1)),
    ] {
        assert_first_result(&append(store, repeat).await, &first);
    }
    assert_eq!(whole_log(store).await.len(), 7, "a repeat writes nothing");
    assert!(whole_stream(store, &b).await.is_empty());
}

/// C5: a repeat of a commit over several streams is answered for all of them, whatever it now carries.
pub async fn c5_a_repeat_over_several_streams_gets_the_whole_first_result<H: EventStoreHarness>() {
    let harness = H::open().await;
    let store = &*harness.store();
    let (a, b, c) = (stream("order-a"), stream("acme/stock-b"), stream("order-c"));
    append_to(store, &b, events(2)).await;
    let known = EventId::random();
    let commit = Commit::to(a.clone(), Expected::NEW, [event_with(known, 1)])
        .and(b.clone(), at(2), events(3))
        .and(c.clone(), Expected::Any, events(2));
    let first = append(store, commit.clone()).await;
    append_to(store, &c, events(1)).await;
    assert_first_result(&append(store, commit).await, &first);
    let first_part_only = Commit::to(a.clone(), at(1), [event_with(known, 1)]);
    assert_first_result(&append(store, first_part_only).await, &first);
    assert_first_result(&committed(store, &a, known).await.expect("it was committed"), &first);
    assert_eq!(whole_log(store).await.len(), 9);
}

/// C5: an id that is stored already, but not as the first of a commit on that stream, is a duplicate.
pub async fn c5_any_other_known_id_is_a_duplicate<H: EventStoreHarness>() {
    let harness = H::open().await;
    let store = &*harness.store();
    let (a, b, c) = (stream("order-a"), stream("order-b"), stream("order-c"));
    let [first, second, elsewhere, twice] = [(); 4].map(|()| EventId::random());
    let commit = Commit::to(a.clone(), Expected::NEW, [event_with(first, 1), event_with(second, 2)]).and(
        b.clone(),
        Expected::NEW,
        [event_with(elsewhere, 3)],
    );
    append(store, commit).await;
    let any = |stream: &StreamId, events: Vec<_>| Commit::to(stream.clone(), Expected::Any, events);
    for (id, commit) in [
        (second, any(&a, vec![event_with(second, 9)])),
        (elsewhere, any(&b, vec![event_with(elsewhere, 9)])),
        (first, any(&c, vec![event_with(first, 9)])),
        (first, any(&a, vec![event(9), event_with(first, 9)])),
        (elsewhere, any(&c, vec![event(9)]).and(a.clone(), Expected::Any, [event_with(elsewhere, 9)])),
        (twice, any(&c, vec![event_with(twice, 9), event_with(twice, 9)])),
        (twice, any(&c, vec![event_with(twice, 9)]).and(a.clone(), Expected::Any, [event_with(twice, 9)])),
    ] {
        match refusal(store, commit.clone()).await {
            AppendError::DuplicateId { id: told } => assert_eq!(told, id, "{commit:?}"),
            other => panic!("expected {id} to be a duplicate, got {other:?} for {commit:?}"),
        }
    }
    assert_eq!(whole_log(store).await.len(), 3);
}

/// C5: of many arrivals at once of one commit, one is written and all get the same result.
pub async fn c5_repeats_that_race_are_written_once<H: EventStoreHarness>() {
    let harness = H::open().await;
    let (a, b) = (stream("order-a"), stream("order-b"));
    for round in 0..20 {
        let expected = if round % 2 == 0 { Expected::Any } else { at(2 * round) };
        let commit = Commit::to(a.clone(), expected, events(2)).and(b.clone(), Expected::Any, events(1));
        let mut tasks = JoinSet::new();
        for store in writers(&harness).await.into_iter().cycle().take(16) {
            let commit = commit.clone();
            tasks.spawn(async move { append(&*store, commit).await });
        }
        let answers = tasks.join_all().await;
        let written: Vec<_> = answers.iter().filter(|answer| !answer.repeated).collect();
        assert_eq!(written.len(), 1, "arrivals that were written in round {round}");
        for again in answers.iter().filter(|answer| answer.repeated) {
            assert_first_result(again, written[0]);
        }
    }
    assert_eq!(whole_stream(&*harness.store(), &a).await.len(), 40);
}

/// C5: `committed` finds the result of the commit that begins with an event on a stream, and no other.
pub async fn c5_committed_finds_the_first_result_and_nothing_else<H: EventStoreHarness>() {
    let harness = H::open().await;
    let (a, b) = (stream("order-a"), stream("order-b"));
    let [first, second, other] = [(); 3].map(|()| EventId::random());
    let store = &*harness.store();
    let commit = Commit::to(a.clone(), Expected::NEW, [event_with(first, 1), event_with(second, 2)]).and(
        b.clone(),
        Expected::NEW,
        [event_with(other, 3)],
    );
    assert_eq!(committed(store, &a, first).await, None);
    let result = append(store, commit).await;
    for store in writers(&harness).await {
        let found = committed(&*store, &a, first).await.expect("it was committed");
        assert_eq!((&found.streams, found.position), (&result.streams, result.position));
        for (stream, id) in [(&a, second), (&b, other), (&b, first), (&a, EventId::random())] {
            assert_eq!(committed(&*store, stream, id).await, None, "{stream} {id}");
        }
        assert_eq!(committed(&*store, &stream("order-none"), first).await, None);
    }
}

async fn committed(store: &dyn EventStore, stream: &StreamId, id: EventId) -> Option<Committed> {
    read(store.committed(stream, id).await)
}
