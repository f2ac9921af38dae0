//! Opening, and what is told about subscribers.

use super::{
    harness::{DocumentStoreHarness, stores},
    runner::{ORDERS, Runner, done, info, park, parked, refused, terms},
};
use crate::{GenerationState, OpenError, Position, SubscriberId};
use chrono::{TimeDelta, Utc};
use tokio::task::JoinSet;

/// Opening a name for the first time makes generation 1, live and at the start of the log; after that it finds it.
pub async fn opening_makes_one_live_generation<H: DocumentStoreHarness>() {
    let harness = H::open().await;
    let first = SubscriberId::new(ORDERS, 1).expect("a name");
    assert_eq!(done(harness.store().live(ORDERS).await), None);
    let mut tasks = JoinSet::new();
    for store in stores(&harness).await.into_iter().cycle().take(8) {
        tasks.spawn(async move { done(store.open(ORDERS, 7).await) });
    }
    assert!(tasks.join_all().await.iter().all(|id| *id == first), "all open the same generation");
    let store = &*harness.store();
    assert_eq!(done(store.open("stock", 1).await).to_string(), "stock/1");
    assert_eq!(done(store.subscribers().await).len(), 2);
    let info = info(store, &first).await;
    assert_eq!((info.version, info.state, info.checkpoint), (7, GenerationState::Live, Position::START));
    assert_eq!((info.holder, info.parked, info.failure), (None, 0, None));
    assert_eq!(done(store.live(ORDERS).await), Some((first, 7)));
}

/// A program of another version than the live generation's does not open it: an older one is outdated, a newer one
/// needs a rebuild.
pub async fn opening_in_another_version_is_refused<H: DocumentStoreHarness>() {
    let harness = H::open().await;
    for store in stores(&harness).await {
        done(store.open(ORDERS, 5).await);
        match refused(store.open(ORDERS, 4).await) {
            OpenError::Outdated { name, generation, live, ours } => {
                assert_eq!((name.as_str(), generation, live, ours), (ORDERS, 1, 5, 4));
            }
            other => panic!("expected outdated, got {other:?}"),
        }
        match refused(store.open(ORDERS, 6).await) {
            OpenError::NeedsRebuild { name, generation, live, ours } => {
                assert_eq!((name.as_str(), generation, live, ours), (ORDERS, 1, 5, 6));
            }
            other => panic!("expected needs rebuild, got {other:?}"),
        }
        assert_eq!(done(store.subscribers().await).len(), 1, "a refusal makes no generation");
    }
}

/// What is no name of a subscriber is refused, and makes none.
pub async fn opening_under_a_name_that_is_none_is_refused<H: DocumentStoreHarness>() {
    let harness = H::open().await;
    let store = &*harness.store();
    for name in ["", "Orders", "1orders", "or_ders", "orders/1", "o'rders", "bücher", "a\0b", &"o".repeat(65)]
    {
        assert!(matches!(refused(store.open(name, 1).await), OpenError::Name(_)), "{name:?}");
        assert!(matches!(refused(store.start_rebuild(name, 1).await), OpenError::Name(_)), "{name:?}");
    }
    assert!(done(store.subscribers().await).is_empty());
    done(store.open(&"o".repeat(64), 1).await);
}

/// Subscribers are listed by name and generation, with who holds them and how many events are parked.
pub async fn subscribers_are_listed_by_name_and_generation<H: DocumentStoreHarness>() {
    let harness = H::open().await;
    let store = harness.store();
    for name in ["stock", "a", "orders-by-day"] {
        done(store.open(name, 1).await);
    }
    let mut runner = Runner::live(store.clone()).await;
    // Generation 10 comes behind 9: numbers, not text.
    for version in 2..=10 {
        done(store.start_rebuild(ORDERS, version).await);
    }
    runner.write(3, park([parked("a", 1), parked("a", 2), parked("b", 2)])).await;
    let listed = done(store.subscribers().await);
    let ids: Vec<_> = listed.iter().map(|info| info.subscriber.clone()).collect();
    let mut sorted = ids.clone();
    sorted.sort();
    assert_eq!(ids, sorted);
    assert_eq!(ids.len(), 13);
    let info = runner.info().await;
    assert_eq!((info.holder.as_deref(), info.parked, info.checkpoint), (Some("runner"), 3, Position::new(3)));
    done(store.release(&runner.lease).await);
    assert_eq!(runner.info().await.holder, None);
}

/// A failure that was reported is seen by all, with its time, until it is cleared.
pub async fn a_failure_is_seen_until_it_is_cleared<H: DocumentStoreHarness>() {
    let harness = H::open().await;
    let store = &*harness.store();
    let id = done(store.open(ORDERS, 1).await);
    for text in ["first", "then: '\"%\u{202e}😀\n"] {
        let before = Utc::now();
        done(store.report(&id, Some(text)).await);
        for seen_by in stores(&harness).await {
            let (failure, at) = info(&*seen_by, &id).await.failure.expect("it was reported");
            assert_eq!(failure, text);
            // A database has a clock of its own, which may differ by this much.
            assert!(at > before - TimeDelta::minutes(5) && at < Utc::now() + TimeDelta::minutes(5));
        }
    }
    done(store.report(&id, None).await);
    assert_eq!(info(store, &id).await.failure, None);
}

/// What there is not has no lease, and nothing is written for it.
pub async fn a_generation_that_is_not_there_is_refused<H: DocumentStoreHarness>() {
    let harness = H::open().await;
    let store = &*harness.store();
    done(store.open(ORDERS, 1).await);
    let none = SubscriberId::new(ORDERS, 2).expect("a name");
    let refusal = refused(store.acquire(&none, &terms("a")).await);
    assert!(matches!(refusal, crate::LeaseError::Unknown { subscriber } if subscriber == none));
    assert_eq!(done(store.subscribers().await).len(), 1);
}
