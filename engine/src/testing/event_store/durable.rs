//! C3: what was acknowledged outlives the store.

use super::{
    super::promise::does_not_apply,
    harness::EventStoreHarness,
    making::{append, append_to, assert_conflict, at, events, refusal, stream},
    reading::{head_comes_to, read, whole_log},
};
use crate::{Commit, Expected, PageLimit, StreamFilter, Version};

/// C3: after closing and opening again everything acknowledged is there; repeats are still known, versions and
/// positions go on, and the head stands where it stood.
pub async fn c3_what_was_acknowledged_is_there_after_opening_again<H: EventStoreHarness>() {
    let mut harness = H::open().await;
    let (a, b) = (stream("order-a"), stream("acme/order-b"));
    let several = Commit::to(a.clone(), Expected::NEW, events(3)).and(b.clone(), Expected::NEW, events(2));
    let (first, before) = {
        let store = &*harness.store();
        let first = append(store, several.clone()).await;
        append_to(store, &b, events(4)).await;
        (first, whole_log(store).await)
    };
    if !harness.reopen().await {
        return does_not_apply(
            "c3_what_was_acknowledged_is_there_after_opening_again",
            "nothing outlives the store",
        );
    }
    let store = &*harness.store();
    let places = |log: &[crate::RecordedEvent]| {
        log.iter()
            .map(|e| {
                (e.position, e.stream.clone(), e.version, e.id, e.commit, e.recorded_at, e.payload.clone())
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(places(&whole_log(store).await), places(&before));
    head_comes_to(store, before[8].position).await;
    let again = append(store, several).await;
    assert!(again.repeated);
    assert_eq!((again.streams, again.position), (first.streams, first.position));
    assert_conflict(&refusal(store, Commit::to(b.clone(), at(2), events(1))).await, &b, at(2), 6);
    let next = append(store, Commit::to(b.clone(), at(6), events(1))).await;
    assert!(next.position > before[8].position);
    assert_eq!(next.streams[0].last, Version::new(7));
    let log = whole_log(store).await;
    assert_eq!(log.len(), 10);
    assert!(log[8].recorded_at <= log[9].recorded_at);
    let listed = read(store.streams(&StreamFilter::all(), None, PageLimit::MAX).await);
    assert_eq!(listed.iter().map(|info| info.version.get()).collect::<Vec<_>>(), [7, 3]);
}
