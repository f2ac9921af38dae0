//! C11: limits.

use super::{
    harness::EventStoreHarness,
    making::{append, at, event, events, refusal, stream},
    reading::{assert_empty, whole_stream},
};
use crate::{
    AppendError, COMMIT_BYTES_MAX, COMMIT_EVENTS_MAX, Commit, EVENT_TYPE_BYTES_MAX, EventData, EventId,
    Expected, Json, METADATA_BYTES_MAX, PAYLOAD_BYTES_MAX,
};

fn text(bytes: usize) -> Json {
    Json::stored(format!("\"{}\"", "x".repeat(bytes - 2)))
}

fn payload(bytes: usize) -> EventData {
    EventData::raw(EventId::random(), "Sized", 1, text(bytes))
}

/// A commit of exactly `bytes`, none of its events too large. The empty metadata of an event counts with 2 bytes.
fn commit_of(bytes: usize) -> Commit {
    let parts = bytes / PAYLOAD_BYTES_MAX + 1;
    let whole = (1..parts).map(|_| payload(PAYLOAD_BYTES_MAX - 2));
    let rest = bytes - (parts - 1) * PAYLOAD_BYTES_MAX;
    let rest = (rest > 4).then(|| payload(rest - 2));
    Commit::to(stream("order-1"), Expected::NEW, whole.chain(rest))
}

/// C11: each limit is refused one beyond it, and leaves nothing.
pub async fn c11_beyond_a_limit_a_commit_is_refused<H: EventStoreHarness>() {
    let harness = H::open().await;
    let store = &*harness.store();
    let to = |events: Vec<EventData>| Commit::to(stream("order-1"), Expected::NEW, events);
    let many = COMMIT_EVENTS_MAX as u64;
    for (commit, limit) in [
        (to(vec![payload(PAYLOAD_BYTES_MAX + 1)]), PAYLOAD_BYTES_MAX),
        (to(vec![event(1).with_metadata(text(METADATA_BYTES_MAX + 1))]), METADATA_BYTES_MAX),
        (to(events(many + 1)), COMMIT_EVENTS_MAX),
        (to(events(many)).and(stream("order-2"), Expected::Any, events(1)), COMMIT_EVENTS_MAX),
        (commit_of(COMMIT_BYTES_MAX + 8), COMMIT_BYTES_MAX),
    ] {
        match refusal(store, commit).await {
            AppendError::TooLarge { is, max, .. } => assert!(max == limit && is > limit, "{is} of {max}"),
            other => panic!("expected too large for {limit}, got {other:?}"),
        }
        assert_empty(store).await;
    }
    for event_type in [String::new(), "t".repeat(EVENT_TYPE_BYTES_MAX + 1), "a\0b".into()] {
        let nameless = EventData::raw(EventId::random(), &*event_type, 1, Json::empty());
        let error = refusal(store, to(vec![nameless])).await;
        assert!(matches!(error, AppendError::Malformed { .. }), "{event_type:?}: {error:?}");
    }
    for version in [0, i32::MAX as u32 + 1] {
        let error =
            refusal(store, to(vec![EventData::raw(EventId::random(), "V", version, Json::empty())])).await;
        assert!(matches!(error, AppendError::Malformed { .. }), "schema version {version}: {error:?}");
    }
    assert_empty(store).await;
}

/// C11: exactly at each limit a commit goes through.
pub async fn c11_at_a_limit_a_commit_goes_through<H: EventStoreHarness>() {
    let harness = H::open().await;
    let store = &*harness.store();
    let largest = commit_of(COMMIT_BYTES_MAX);
    assert_eq!(largest.bytes(), COMMIT_BYTES_MAX);
    append(store, largest).await;
    let (a, b) = (stream("order-a"), stream("order-b"));
    append(store, Commit::to(a.clone(), Expected::NEW, events(COMMIT_EVENTS_MAX as u64))).await;
    let half = COMMIT_EVENTS_MAX as u64 / 2;
    append(store, Commit::to(a.clone(), at(2 * half), events(half)).and(b, Expected::NEW, events(half)))
        .await;
    assert_eq!(whole_stream(store, &a).await.len() as u64, 3 * half);
    let metadata = event(1).with_metadata(text(METADATA_BYTES_MAX));
    append(store, Commit::to(a, at(3 * half), [payload(PAYLOAD_BYTES_MAX), metadata])).await;
}
