//! C1, C2, C5 (rows), C9: what a commit is, and what it leaves.

use super::{
    harness::{EventStoreHarness, writers},
    making::{append, append_to, assert_conflict, at, event, event_with, events, ids_of, refusal, stream},
    reading::{assert_empty, whole_log, whole_stream},
};
use crate::{AppendError, Commit, Expected, Json, PAYLOAD_BYTES_MAX, RecordedEvent, Version, Written};
use tokio::task::JoinSet;

/// C1: a commit over several streams leaves all its events, in its order.
pub async fn c1_a_commit_over_several_streams_leaves_all_of_it<H: EventStoreHarness>() {
    let harness = H::open().await;
    let store = &*harness.store();
    let (a, b, c) = (stream("order-1"), stream("acme/order-1"), stream("stock-hat"));
    append_to(store, &b, events(2)).await;
    let commit = Commit::to(c.clone(), Expected::NEW, events(2)).and(b.clone(), at(2), events(1)).and(
        a.clone(),
        Expected::Any,
        events(3),
    );
    let ids = ids_of(&commit);
    let committed = append(store, commit).await;
    let written = |stream, first, last| Written::new(stream, Version::new(first), Version::new(last));
    assert_eq!(committed.streams, [written(c, 1, 2), written(b, 3, 3), written(a, 1, 3)]);
    assert!(!committed.repeated);
    let log = whole_log(store).await.split_off(2);
    assert_eq!(log.iter().map(|event| event.id).collect::<Vec<_>>(), ids);
    assert_eq!(committed.position, log[5].position, "the answer has the position of the last event");
}

/// C1, C9: where one of several streams is elsewhere, nothing is left, and the conflict names that stream.
pub async fn c1_a_commit_over_several_streams_is_all_or_nothing<H: EventStoreHarness>() {
    let harness = H::open().await;
    let store = &*harness.store();
    let (a, b, c) = (stream("order-1"), stream("order-2"), stream("order-3"));
    for last_is in [at(1), at(7)] {
        let commit = Commit::to(a.clone(), Expected::NEW, events(2))
            .and(b.clone(), Expected::Any, events(1))
            .and(c.clone(), last_is, events(1));
        assert_conflict(&refusal(store, commit).await, &c, last_is, 0);
        assert_empty(store).await;
    }
    // Of two that are elsewhere, the first is named.
    let commit = Commit::to(a.clone(), Expected::NEW, events(1)).and(b.clone(), at(3), events(1)).and(
        c,
        at(4),
        events(1),
    );
    assert_conflict(&refusal(store, commit).await, &b, at(3), 0);
    assert_empty(store).await;
}

/// C1: a commit that names a stream without an event for it, or twice, is none.
pub async fn c1_a_commit_names_each_stream_once_and_with_events<H: EventStoreHarness>() {
    let harness = H::open().await;
    let store = &*harness.store();
    let (a, b) = (stream("order-1"), stream("order-2"));
    let empty = Commit::to(a.clone(), Expected::Any, []);
    let half_empty = Commit::to(a.clone(), Expected::Any, events(1)).and(b, Expected::Any, []);
    let twice = Commit::to(a.clone(), Expected::NEW, events(1)).and(a, Expected::Any, events(1));
    for commit in [empty, half_empty, twice] {
        let error = refusal(store, commit).await;
        assert!(matches!(error, AppendError::Malformed { .. }), "{error:?}");
        assert_empty(store).await;
    }
}

/// C2: the versions of a stream are 1, 2, 3…, across commits and whatever happens on other streams.
pub async fn c2_versions_count_from_one<H: EventStoreHarness>() {
    let harness = H::open().await;
    let store = &*harness.store();
    let (a, b) = (stream("order-1"), stream("order-2"));
    let mut last = 0;
    for count in [1, 3, 2, 5] {
        let committed = append_to(store, &a, events(count)).await;
        append_to(store, &b, events(2)).await;
        let written = Written::new(a.clone(), Version::new(last + 1), Version::new(last + count));
        assert_eq!(committed.streams, [written]);
        last += count;
    }
    let versions: Vec<_> = whole_stream(store, &a).await.iter().map(|event| event.version.get()).collect();
    assert_eq!(versions, (1..=11).collect::<Vec<_>>());
}

/// C5: a commit's rows are contiguous in the log, and each knows its place and the commit's size, also while others
/// write.
pub async fn c5_the_rows_of_a_commit_lie_together_and_know_their_place<H: EventStoreHarness>() {
    let harness = H::open().await;
    let mut tasks = JoinSet::new();
    for (writer, store) in writers(&harness).await.into_iter().cycle().take(16).enumerate() {
        tasks.spawn(async move {
            for i in 0..10 {
                let mine = stream(&format!("order-{writer}"));
                let shared = stream(&format!("stock-{}", i % 3));
                let commit = Commit::to(mine, Expected::Any, events(1 + i % 3)).and(
                    shared,
                    Expected::Any,
                    events(1 + i % 4),
                );
                append(&*store, commit).await;
            }
        });
    }
    while let Some(ended) = tasks.join_next().await {
        ended.expect("no writer fails");
    }
    let log = whole_log(&*harness.store()).await;
    let mut rest: &[RecordedEvent] = &log;
    let mut commits = 0;
    while let Some(first) = rest.first() {
        let (rows, behind) = rest.split_at((first.commit.size as usize).min(rest.len()));
        for (index, row) in rows.iter().enumerate() {
            assert_eq!((row.commit.index as usize, row.commit.size as usize), (index, rows.len()), "{row:?}");
        }
        if H::CONTIGUOUS_POSITIONS {
            assert_eq!(rows[rows.len() - 1].position.since(first.position) + 1, rows.len() as u64);
        }
        (rest, commits) = (behind, commits + 1);
    }
    assert_eq!(commits, 160);
    if H::CONTIGUOUS_POSITIONS {
        let positions: Vec<_> = log.iter().map(|event| event.position.get()).collect();
        assert_eq!(positions, (1..=log.len() as u64).collect::<Vec<_>>());
    }
}

/// C9: whatever the reason, a refused commit leaves neither events nor streams, and its ids stay free.
pub async fn c9_a_refused_commit_leaves_nothing<H: EventStoreHarness>() {
    let harness = H::open().await;
    let store = &*harness.store();
    let (a, b) = (stream("order-1"), stream("order-2"));
    let (first, twice) = (event(1), event(2));
    let large = Json::stored(format!("\"{}\"", "x".repeat(PAYLOAD_BYTES_MAX)));
    let too_large = crate::EventData::raw(first.id, "Counted", 1, large);
    let refused = [
        Commit::to(a.clone(), at(1), [first.clone()]),
        Commit::to(a.clone(), Expected::Any, [first.clone()]).and(b.clone(), at(9), events(1)),
        Commit::to(a.clone(), Expected::Any, [first.clone(), twice.clone(), twice]),
        Commit::to(a.clone(), Expected::Any, [too_large]),
        Commit::to(a.clone(), Expected::Any, [first.clone()]).and(b.clone(), Expected::Any, []),
    ];
    for commit in refused {
        refusal(store, commit).await;
        assert_empty(store).await;
    }
    let committed = append(store, Commit::to(a.clone(), Expected::NEW, [first.clone()])).await;
    assert!(!committed.repeated, "a refused commit is not remembered");
    refusal(store, Commit::to(b.clone(), Expected::NEW, [event(3), event_with(first.id, 4)])).await;
    let after = append_to(store, &a, events(1)).await;
    assert_eq!(after.streams[0].first, Version::new(2));
    assert!(whole_stream(store, &b).await.is_empty());
    if H::CONTIGUOUS_POSITIONS {
        assert_eq!(after.position.get(), 2, "a refused commit takes no position");
    }
}
