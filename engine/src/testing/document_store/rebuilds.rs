//! Generations: rebuilding beside the live one, switching, retiring.

use super::{
    harness::{DocumentStoreHarness, stores},
    runner::{ORDERS, Runner, done, info, page, park, parked, put, refused, step, terms, these},
};
use crate::{
    CheckpointError, DocumentStore, GenerationState, LeaseError, OpenError, PageLimit, Position,
    SubscriberId, SwitchError,
};
use std::sync::Arc;

async fn state_of(store: &dyn DocumentStore, id: &SubscriberId) -> GenerationState {
    info(store, id).await.state
}

/// A live generation at 10, and one being built at 4 with documents of its own.
async fn building<H: DocumentStoreHarness>(harness: &H) -> (Runner, Runner) {
    let mut live = Runner::live(harness.store()).await;
    live.write(10, put("a", "1")).await;
    let id = done(harness.store().start_rebuild(ORDERS, 2).await);
    let mut new = Runner::of(harness.store(), &id).await;
    new.write(4, page([("a", Some("2")), ("b", Some("3"))])).await;
    (live, new)
}

/// A rebuild fills a new generation from the start of the log; the live one serves and follows on beside it.
pub async fn a_rebuild_runs_beside_the_live_generation<H: DocumentStoreHarness>() {
    let harness = H::open().await;
    let (mut live, new) = building(&harness).await;
    assert_eq!(new.id().to_string(), "orders/2");
    assert_eq!(state_of(&*new.store, new.id()).await, GenerationState::Building);
    live.write(11, put("c", "4")).await;
    assert_eq!(live.documents().await, these([("a", "1"), ("c", "4")]));
    assert_eq!(new.documents().await, these([("a", "2"), ("b", "3")]));
    assert_eq!(done(live.store.live(ORDERS).await), Some((live.id().clone(), 1)));
    assert_eq!(done(live.store.open(ORDERS, 1).await), *live.id());
    assert_eq!((live.info().await.version, new.info().await.version), (1, 2));
}

/// A rebuild that was interrupted goes on where it was left.
pub async fn an_interrupted_rebuild_goes_on<H: DocumentStoreHarness>() {
    let harness = H::open().await;
    let (_, new) = building(&harness).await;
    done(new.store.release(&new.lease).await);
    for store in stores(&harness).await {
        let again = done(store.start_rebuild(ORDERS, 2).await);
        assert_eq!(again, *new.id());
        assert_eq!(info(&*store, &again).await.checkpoint, Position::new(4));
    }
    assert_eq!(new.documents().await, these([("a", "2"), ("b", "3")]));
}

/// A rebuild in another version takes the place of the one under way, whose runner writes nothing any more.
pub async fn a_rebuild_in_another_version_replaces_the_one_under_way<H: DocumentStoreHarness>() {
    let harness = H::open().await;
    let (live, new) = building(&harness).await;
    let other = done(harness.store().start_rebuild(ORDERS, 3).await);
    assert_eq!(other.to_string(), "orders/3");
    assert_eq!(info(&*new.store, &other).await.checkpoint, Position::START);
    assert_retired(&new, Position::new(4)).await;
    assert!(matches!(refused(new.store.switch(new.id()).await), SwitchError::Gone { .. }));
    assert_eq!(done(live.store.live(ORDERS).await), Some((live.id().clone(), 1)));
}

/// A program that is older than the live generation rebuilds nothing.
pub async fn a_rebuild_by_an_older_program_is_refused<H: DocumentStoreHarness>() {
    let harness = H::open().await;
    let store = harness.store();
    done(store.open(ORDERS, 5).await);
    match refused(store.start_rebuild(ORDERS, 4).await) {
        OpenError::Outdated { name, generation, live, ours } => {
            assert_eq!((name.as_str(), generation, live, ours), (ORDERS, 1, 5, 4));
        }
        other => panic!("expected outdated, got {other:?}"),
    }
    assert_eq!(done(store.subscribers().await).len(), 1);
    done(store.start_rebuild(ORDERS, 5).await);
}

/// A generation that has not come as far as the live one does not replace it.
pub async fn a_generation_that_is_behind_is_not_switched_to<H: DocumentStoreHarness>() {
    let harness = H::open().await;
    let (live, mut new) = building(&harness).await;
    for at in [4, 9] {
        new.write(at, park([])).await;
        match refused(new.store.switch(new.id()).await) {
            SwitchError::Behind { subscriber, at: told, live: live_at } => {
                assert_eq!((&subscriber, told.get(), live_at.get()), (new.id(), at, 10));
            }
            other => panic!("expected behind, got {other:?}"),
        }
        assert_eq!(state_of(&*live.store, live.id()).await, GenerationState::Live);
        assert_eq!(state_of(&*live.store, new.id()).await, GenerationState::Building);
    }
    new.write(10, park([])).await;
    done(new.store.switch(new.id()).await);
}

/// After the switch readers see the new generation, its runner goes on, and the old one can write nothing any more.
pub async fn a_switch_retires_the_old_generation<H: DocumentStoreHarness>() {
    let harness = H::open().await;
    let (live, mut new) = building(&harness).await;
    new.write(12, put("c", "4")).await;
    done(new.store.switch(new.id()).await);
    for store in stores(&harness).await {
        assert_eq!(done(store.live(ORDERS).await), Some((new.id().clone(), 2)));
        assert_eq!(done(store.open(ORDERS, 2).await), *new.id());
        assert!(matches!(refused(store.open(ORDERS, 1).await), OpenError::Outdated { live: 2, .. }));
        assert!(matches!(refused(store.switch(new.id()).await), SwitchError::Gone { .. }));
        assert!(matches!(refused(store.switch(live.id()).await), SwitchError::Gone { .. }));
    }
    new.write(13, put("d", "5")).await;
    assert_eq!(new.documents().await, these([("a", "2"), ("b", "3"), ("c", "4"), ("d", "5")]));
    assert_retired(&live, Position::new(10)).await;
    assert_eq!(live.documents().await, these([("a", "1")]), "a retired generation writes nothing");
}

/// Its runner is told that it is retired, whatever it tries, and nothing is left of it.
async fn assert_retired(old: &Runner, at: Position) {
    let before = old.documents().await;
    let outcomes = [
        old.try_write(20, put("a", "9")).await,
        old.try_write(at.get(), park([parked("a", 1)])).await,
        old.store.advance(&step(&old.lease, at, 20)).await,
        old.store.renew(&old.lease).await,
    ];
    for outcome in outcomes {
        match refused(outcome) {
            CheckpointError::Retired { subscriber } => assert_eq!(subscriber, *old.id()),
            other => panic!("expected {} to be retired, got {other:?}", old.id()),
        }
    }
    for refusal in [
        refused(old.store.acquire(old.id(), &terms("late")).await),
        refused(old.store.take_over(old.id(), &terms("late")).await),
    ] {
        match refusal {
            LeaseError::Retired { subscriber } => assert_eq!(subscriber, *old.id()),
            other => panic!("expected {} to be retired, got {other:?}", old.id()),
        }
    }
    let info = old.info().await;
    assert_eq!((info.state, info.checkpoint, info.parked), (GenerationState::Retired, at, 0));
    assert_eq!(old.documents().await, before);
}

/// A switch races with the runner of the live generation: afterwards the old one has written nothing that the new one
/// was not compared with.
pub async fn a_switch_and_a_step_do_not_pass_each_other<H: DocumentStoreHarness>() {
    for round in 0..10 {
        let harness = H::open().await;
        let (live, mut new) = building(&harness).await;
        new.write(10, park([])).await;
        let other: Arc<dyn DocumentStore> = stores(&harness).await.pop().expect("there is a store");
        let (step, to) = (live.step(11), new.id().clone());
        let stepping = {
            let store = live.store.clone();
            async move { store.commit(&step, put("late", "1")).await }
        };
        let switching = async move { other.switch(&to).await };
        let (stepped, switched) = if round % 2 == 0 {
            let stepping = tokio::spawn(stepping);
            let switched = switching.await;
            (stepping.await.expect("no panic"), switched)
        } else {
            let switching = tokio::spawn(switching);
            let stepped = stepping.await;
            (stepped, switching.await.expect("no panic"))
        };
        match (stepped, switched) {
            (Ok(()), Err(SwitchError::Behind { live, .. })) => assert_eq!(live, Position::new(11)),
            (Err(CheckpointError::Retired { .. }), Ok(())) => {
                assert_eq!(live.info().await.checkpoint, Position::new(10));
            }
            other => panic!("expected one of the two to win, got {other:?}"),
        }
    }
}

/// Abandoning ends a rebuild; the live generation is never ended so.
pub async fn a_rebuild_can_be_abandoned<H: DocumentStoreHarness>() {
    let harness = H::open().await;
    let (live, new) = building(&harness).await;
    done(new.store.abandon(new.id()).await);
    assert_retired(&new, Position::new(4)).await;
    // Refused or without effect: what matters is that readers keep what they see.
    let _ = live.store.abandon(live.id()).await;
    assert_eq!(state_of(&*live.store, live.id()).await, GenerationState::Live);
    let next = done(live.store.start_rebuild(ORDERS, 2).await);
    assert_eq!(next.to_string(), "orders/3", "a number is never used again");
}

/// Purging deletes the documents of a retired generation bit by bit, and of no other.
pub async fn a_retired_generation_is_purged_bit_by_bit<H: DocumentStoreHarness>() {
    let harness = H::open().await;
    let (live, mut new) = building(&harness).await;
    let keys: Vec<String> = (0..25).map(|i| format!("key {i}")).collect();
    new.write(5, page(keys.iter().map(|key| (key.as_str(), Some("1"))))).await;
    done(new.store.abandon(new.id()).await);
    let limit = PageLimit::new(10).expect("a page");
    let mut calls = 0;
    loop {
        let before = new.documents().await.len();
        let none_left = done(new.store.purge(new.id(), limit).await);
        let left = new.documents().await.len();
        assert!(before - left <= limit.get(), "{} documents were deleted at once", before - left);
        assert_eq!(none_left, left == 0);
        calls += 1;
        if none_left {
            break;
        }
        assert!(calls < 10, "purging makes no progress");
    }
    assert!(done(new.store.purge(new.id(), limit).await));
    let _ = live.store.purge(live.id(), limit).await;
    assert_eq!(live.documents().await, these([("a", "1")]), "a live generation is not purged");
}
