//! Commits that build on each other.

use super::{
    harness::EventStoreHarness,
    making::{append, append_to, at, event, event_with, events, stream},
    reading::whole_stream,
};
use crate::{
    AppendError, COMMIT_BYTES_MAX, Commit, EventData, EventId, Expected, Json, PAYLOAD_BYTES_MAX, Version,
};
use tokio::task::JoinSet;

/// A chain is written in order, each of its commits as one of its own.
pub async fn a_chain_is_written_in_order<H: EventStoreHarness>() {
    let harness = H::open().await;
    let store = &*harness.store();
    let (a, b) = (stream("order-a"), stream("order-b"));
    let chain: Vec<Commit> = (0..100)
        .map(|n| Commit::to(a.clone(), at(2 * n), events(2)))
        .chain([Commit::to(b.clone(), Expected::NEW, events(1)).and(a.clone(), at(200), events(1))])
        .collect();
    let answers = store.append_chain(chain.clone()).await;
    assert_eq!(answers.len(), 101);
    for (answer, n) in answers.iter().take(100).zip(1..) {
        let committed = answer.as_ref().unwrap_or_else(|error| panic!("{n}: {error}"));
        assert_eq!((committed.streams[0].last, committed.repeated), (Version::new(2 * n), false));
    }
    let rows = whole_stream(store, &a).await;
    assert_eq!(rows.len(), 201);
    assert!(rows[..200].iter().all(|row| row.commit.size == 2), "each is a commit of its own");
    assert!(append(store, chain[7].clone()).await.repeated, "and is recognised on its own");
    assert!(store.append_chain(vec![]).await.is_empty());
}

/// Nothing behind the first commit that is refused is written, also where its version happens to fit.
pub async fn a_chain_stops_at_a_conflict<H: EventStoreHarness>() {
    let harness = H::open().await;
    let store = &*harness.store();
    let a = stream("order-a");
    append_to(store, &a, events(2)).await;
    // Decided at version 1: the second expects what the first would have left, which somebody else has left.
    let chain = || {
        [(0, 1), (1, 1), (2, 1), (3, 1)].map(|(after, count)| Commit::to(a.clone(), at(after), events(count)))
    };
    for store in [store, &*harness.second().await.unwrap_or_else(|| harness.store())] {
        for cut in 0..3 {
            let answers = store.append_chain(chain()[cut.min(1)..].to_vec()).await;
            assert_eq!(answers.len(), 1, "{answers:?}");
            assert!(matches!(answers[0], Err(AppendError::Conflict { .. })), "{answers:?}");
        }
    }
    assert_eq!(whole_stream(store, &a).await.len(), 2);
}

/// Nothing behind a commit that had arrived before is written: what follows was not decided upon its first result.
pub async fn a_chain_stops_at_a_repeat<H: EventStoreHarness>() {
    let harness = H::open().await;
    let store = &*harness.store();
    let a = stream("order-a");
    let known = EventId::random();
    append(store, Commit::to(a.clone(), Expected::NEW, [event_with(known, 1)])).await;
    for _ in 0..2 {
        let again = Commit::to(a.clone(), at(1), [event_with(known, 2)]);
        let answers =
            store.append_chain(vec![again.clone(), Commit::to(a.clone(), Expected::Any, [event(3)])]).await;
        assert_eq!(answers.len(), 1, "{answers:?}");
        assert!(answers[0].as_ref().is_ok_and(|committed| committed.repeated), "{answers:?}");
        // Also in the middle; what went before is written.
        let before = whole_stream(store, &a).await.len() as u64;
        let fresh = Commit::to(a.clone(), at(before), [event(4)]);
        let behind = Commit::to(a.clone(), at(before + 1), [event(5)]);
        let answers = store.append_chain(vec![fresh, again, behind]).await;
        assert_eq!(answers.len(), 2, "{answers:?}");
        assert_eq!(whole_stream(store, &a).await.len() as u64, before + 1);
    }
}

/// A commit that stands in a chain twice is written once, and spoils nothing for those who append beside it.
pub async fn a_chain_that_repeats_itself_spoils_nothing<H: EventStoreHarness>() {
    let harness = H::open().await;
    let mut beside = JoinSet::new();
    for n in 0..64 {
        let store = harness.store();
        beside.spawn(async move {
            for _ in 0..10 {
                append_to(&*store, &stream(&format!("order-{n}")), events(1)).await;
            }
        });
    }
    let store = &*harness.store();
    for n in 0..20 {
        let (a, known) = (stream(&format!("stock-{n}")), EventId::random());
        let link = |version| Commit::to(a.clone(), at(version), [event_with(known, 1)]);
        let answers = store.append_chain(vec![link(0), link(1)]).await;
        let repeated: Vec<_> =
            answers.iter().map(|answer| answer.as_ref().map(|done| done.repeated).ok()).collect();
        assert_eq!(repeated, [Some(false), Some(true)], "{answers:?}");
        assert_eq!(whole_stream(store, &a).await.len(), 1);
    }
    beside.join_all().await;
}

/// A chain may be larger than a commit; one of its commits may not, and what lies behind that one is not written.
pub async fn a_chain_is_bounded_by_its_commits<H: EventStoreHarness>() {
    let harness = H::open().await;
    let store = &*harness.store();
    let a = stream("order-a");
    let large = |bytes: usize| {
        EventData::raw(
            EventId::random(),
            "Counted",
            1,
            Json::stored(format!("\"{}\"", "x".repeat(bytes - 2))),
        )
    };
    let count = 2 * COMMIT_BYTES_MAX / PAYLOAD_BYTES_MAX + 1;
    let mut chain: Vec<Commit> =
        (0..count).map(|n| Commit::to(a.clone(), at(n as u64), [large(PAYLOAD_BYTES_MAX)])).collect();
    chain.push(Commit::to(a.clone(), at(count as u64), [large(PAYLOAD_BYTES_MAX + 1)]));
    chain.push(Commit::to(a.clone(), Expected::Any, [event(1)]));
    let answers = store.append_chain(chain).await;
    assert_eq!(answers.len(), count + 1);
    assert!(answers[..count].iter().all(Result::is_ok));
    assert!(matches!(answers[count], Err(AppendError::TooLarge { .. })), "{:?}", answers[count]);
    assert_eq!(whole_stream(store, &a).await.len(), count);
}
