//! Parked events, and what people ask for about them.

use super::{
    harness::{DocumentStoreHarness, stores},
    runner::{ORDERS, Runner, done, park, parked, settle},
};
use crate::{PARKED_ERROR_BYTES_MAX, PageLimit, Parked, ParkedAction, ParkedRequest, Position, SubscriberId};

fn request(key: &str, action: ParkedAction) -> ParkedRequest {
    ParkedRequest { key: key.into(), action }
}

async fn all(runner: &Runner) -> Vec<Parked> {
    done(runner.store.parked(runner.id(), None, None, PageLimit::MAX).await)
}

async fn requests(runner: &Runner) -> Vec<ParkedRequest> {
    done(runner.store.requests(runner.id(), PageLimit::MAX).await)
}

/// Parked events come back as they were, ordered by the bytes of their keys and by position, of one key or of all,
/// in pages of any size.
pub async fn parked_events_are_listed_by_key_and_position_in_pages<H: DocumentStoreHarness>() {
    let harness = H::open().await;
    let mut runner = Runner::live(harness.store()).await;
    let mut wanted: Vec<Parked> = Vec::new();
    for key in ["b", "B", "a'%_", "é", "b-", "z😀"] {
        wanted.extend([9, 1, 10, 2].map(|position| parked(key, position)));
    }
    let long =
        Parked { error: "x".repeat(PARKED_ERROR_BYTES_MAX), attempts: u32::MAX >> 1, ..parked("b", 11) };
    wanted.extend([long, Parked { error: String::new(), attempts: 0, ..parked("b", 12) }]);
    wanted.sort_by(|a, b| (a.key.as_bytes(), a.position).cmp(&(b.key.as_bytes(), b.position)));
    runner.write(20, park(wanted.iter().rev().cloned())).await;
    for store in stores(&harness).await {
        for key in [None, Some("b"), Some("a'%_"), Some("none"), Some("%")] {
            let of_key: Vec<_> =
                wanted.iter().filter(|p| key.is_none_or(|key| *p.key == *key)).cloned().collect();
            for limit in [1, 3, 1_000] {
                let limit = PageLimit::new(limit).expect("a page");
                let mut listed: Vec<Parked> = Vec::new();
                loop {
                    let last = listed.last().cloned();
                    let after = last.as_ref().map(|last| (&*last.key, last.position));
                    let page = done(store.parked(runner.id(), key, after, limit).await);
                    assert!(page.len() <= limit.get());
                    if page.is_empty() {
                        break;
                    }
                    listed.extend(page);
                }
                assert_eq!(listed, of_key, "of {key:?} in pages of {limit:?}");
            }
        }
    }
    assert_eq!(runner.info().await.parked, wanted.len() as u64);
}

/// An event that is parked again keeps its place and takes the new error and number of attempts.
pub async fn an_event_that_is_parked_again_keeps_its_place<H: DocumentStoreHarness>() {
    let harness = H::open().await;
    let mut runner = Runner::live(harness.store()).await;
    runner.write(5, park([parked("a", 1), parked("a", 3)])).await;
    let again = Parked { error: "another".into(), attempts: 9, ..parked("a", 1) };
    runner.write(5, park([again.clone()])).await;
    assert_eq!(all(&runner).await, [again, parked("a", 3)]);
}

/// Settled events are gone, the others stay; settling what is not parked changes nothing.
pub async fn settled_events_are_gone<H: DocumentStoreHarness>() {
    let harness = H::open().await;
    let mut runner = Runner::live(harness.store()).await;
    runner.write(5, park([parked("a", 1), parked("a", 3), parked("b", 3)])).await;
    runner.write(5, settle([("a", 1), ("b", 1), ("none", 3)])).await;
    assert_eq!(all(&runner).await, [parked("a", 3), parked("b", 3)]);
    let slots = done(runner.store.load(runner.id(), &["a".into(), "b".into()]).await);
    assert!(slots.iter().all(|slot| slot.parked));
    runner.write(5, settle([("a", 3)])).await;
    let slots = done(runner.store.load(runner.id(), &["a".into(), "b".into()]).await);
    assert_eq!([slots[0].parked, slots[1].parked], [false, true], "nothing is parked under a any more");
    assert_eq!(runner.info().await.parked, 1);
}

/// A request is taken where something is parked, and seen by the lease holder until it is carried out.
pub async fn a_request_is_kept_until_it_is_carried_out<H: DocumentStoreHarness>() {
    let harness = H::open().await;
    let mut runner = Runner::live(harness.store()).await;
    runner.write(5, park([parked("a", 1), parked("a", 2), parked("b", 3), parked("c", 4)])).await;
    let asker = stores(&harness).await.pop().expect("there is a store");
    let (retry_a, discard_b) = (request("a", ParkedAction::Retry), request("b", ParkedAction::Discard));
    assert!(!done(asker.request(runner.id(), &request("none", ParkedAction::Retry)).await));
    for request in [&retry_a, &discard_b] {
        assert!(done(asker.request(runner.id(), request).await));
    }
    let both = [retry_a.clone(), discard_b.clone()];
    let mut seen = requests(&runner).await;
    seen.sort_by(|x, y| x.key.cmp(&y.key));
    assert_eq!(seen, both);
    assert_eq!(done(runner.store.requests(runner.id(), PageLimit::ONE).await).len(), 1);
    // Neither other keys nor a newcomer under the key carry it out.
    runner.write(6, settle([("c", 4)])).await;
    runner.write(7, park([parked("a", 6)])).await;
    assert_eq!(requests(&runner).await.len(), 2);
    runner.write(7, settle([("a", 1)])).await;
    assert_eq!(requests(&runner).await, [discard_b]);
    runner.write(7, settle([("b", 3)])).await;
    assert!(requests(&runner).await.is_empty());
    assert!(
        !done(asker.request(runner.id(), &request("b", ParkedAction::Retry)).await),
        "nothing is left there"
    );
}

/// A retry that fails at once has been carried out too: it is not asked for for ever.
pub async fn a_retry_that_fails_is_carried_out<H: DocumentStoreHarness>() {
    let harness = H::open().await;
    let mut runner = Runner::live(harness.store()).await;
    runner.write(5, park([parked("a", 1), parked("a", 2)])).await;
    assert!(done(runner.store.request(runner.id(), &request("a", ParkedAction::Retry)).await));
    runner.write(5, park([Parked { attempts: 4, ..parked("a", 1) }])).await;
    assert!(requests(&runner).await.is_empty());
    assert!(done(runner.store.request(runner.id(), &request("a", ParkedAction::Discard)).await));
    assert_eq!(requests(&runner).await, [request("a", ParkedAction::Discard)]);
}

/// Parked events and requests belong to a generation.
pub async fn generations_keep_their_parked_events_apart<H: DocumentStoreHarness>() {
    let harness = H::open().await;
    let store = harness.store();
    let mut live = Runner::live(store.clone()).await;
    let id: SubscriberId = done(store.start_rebuild(ORDERS, 1).await);
    let mut new = Runner::of(store, &id).await;
    live.write(5, park([parked("a", 1)])).await;
    new.write(5, park([parked("b", 1)])).await;
    assert!(!done(live.store.request(live.id(), &request("b", ParkedAction::Retry)).await));
    assert!(done(new.store.request(new.id(), &request("b", ParkedAction::Retry)).await));
    assert_eq!((all(&live).await, all(&new).await), (vec![parked("a", 1)], vec![parked("b", 1)]));
    assert_eq!((requests(&live).await.len(), requests(&new).await.len()), (0, 1));
    live.write(5, settle([("b", 1)])).await;
    assert_eq!((all(&new).await.len(), requests(&new).await.len()), (1, 1));
    let behind = done(new.store.parked(&id, None, Some(("b", Position::new(1))), PageLimit::MAX).await);
    assert!(behind.is_empty());
}
