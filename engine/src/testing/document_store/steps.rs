//! Steps: a page counts once, whole or not at all.

use super::{
    harness::{DocumentStoreHarness, stores},
    runner::{Runner, done, page, park, parked, put, refused, these},
};
use crate::{CheckpointError, PageLimit, Position};
use std::sync::Arc;
use tokio::task::JoinSet;

fn assert_moved(refusal: &CheckpointError, expected_at: u64, is_at: u64) {
    match refusal {
        CheckpointError::Moved { expected, actual, .. } => {
            assert_eq!((expected.get(), actual.get()), (expected_at, is_at));
        }
        other => panic!("expected the checkpoint to be elsewhere, got {other:?}"),
    }
}

/// A page that is delivered again is refused as a whole: its effect is there once.
pub async fn a_page_that_is_delivered_twice_counts_once<H: DocumentStoreHarness>() {
    let harness = H::open().await;
    let mut runner = Runner::live(harness.store()).await;
    let first = runner.step(10);
    runner.write(10, put("a", "1")).await;
    for again in [put("a", "2"), put("b", "1"), park([parked("a", 3)])] {
        assert_moved(&refused(runner.store.commit(&first, again).await), 0, 10);
    }
    assert_moved(&refused(runner.store.advance(&first).await), 0, 10);
    runner.write(20, page([("a", Some("3")), ("b", Some("4"))])).await;
    assert_moved(&refused(runner.store.commit(&first, put("a", "5")).await), 0, 20);
    // A step from further on than the checkpoint has missed something.
    runner.at = Position::new(25);
    assert_moved(&refused(runner.try_write(30, put("a", "6")).await), 25, 20);
    assert_eq!(runner.documents().await, these([("a", "3"), ("b", "4")]));
    let info = runner.info().await;
    assert_eq!((info.checkpoint.get(), info.parked), (20, 0));
}

/// Of steps that race from one place, one is written, whole.
pub async fn of_racing_steps_one_is_written<H: DocumentStoreHarness>() {
    let harness = H::open().await;
    let mut runner = Runner::live(harness.store()).await;
    for round in 0..10 {
        let mut tasks = JoinSet::new();
        for (racer, store) in stores(&harness).await.into_iter().cycle().take(16).enumerate() {
            let (step, text) = (runner.step(round + 1), racer.to_string());
            tasks.spawn(async move {
                let page = page([("a", Some(text.as_str())), ("b", Some(text.as_str()))]);
                (text.clone(), store.commit(&step, page).await)
            });
        }
        let mut winners = Vec::new();
        for (racer, outcome) in tasks.join_all().await {
            match outcome {
                Ok(()) => winners.push(racer),
                Err(refusal) => assert_moved(&refusal, round, round + 1),
            }
        }
        assert_eq!(winners.len(), 1, "steps that were written");
        let text = winners[0].as_str();
        assert_eq!(runner.documents().await, these([("a", text), ("b", text)]));
        runner.at = Position::new(round + 1);
    }
}

/// Documents, parked events and checkpoint of a page are written together: a reader sees all of a page or nothing.
pub async fn a_page_is_seen_whole_or_not_at_all<H: DocumentStoreHarness>() {
    const PAGES: u64 = 60;
    let harness = H::open().await;
    let mut runner = Runner::live(harness.store()).await;
    let mut readers = JoinSet::new();
    for store in stores(&harness).await {
        let id = runner.id().clone();
        let keys = [Arc::from("a"), Arc::from("m"), Arc::from("z")];
        readers.spawn(async move {
            let mut last = 0;
            while last < PAGES {
                let slots = done(store.load(&id, &keys).await);
                let seen: Vec<Option<u64>> = slots
                    .iter()
                    .map(|slot| slot.document.as_ref().map(|json| json.read().expect("a number")))
                    .collect();
                assert!(seen.windows(2).all(|pair| pair[0] == pair[1]), "half a page was seen: {seen:?}");
                let now = seen[0].unwrap_or(0);
                assert!(now >= last, "a page was taken back");
                last = now;
                tokio::task::yield_now().await;
            }
        });
    }
    for number in 1..=PAGES {
        let text = number.to_string();
        runner.write(number, page(["a", "m", "z"].map(|key| (key, Some(text.as_str()))))).await;
    }
    readers.join_all().await;
}

/// A step may stay where it is, as when only parked events are settled; it is written all the same.
pub async fn a_step_may_stay_where_it_is<H: DocumentStoreHarness>() {
    let harness = H::open().await;
    let mut runner = Runner::live(harness.store()).await;
    runner.write(0, put("a", "1")).await;
    runner.write(0, put("b", "2")).await;
    runner.write(7, put("c", "3")).await;
    runner.write(7, page([("a", None)])).await;
    assert_eq!(runner.documents().await, these([("b", "2"), ("c", "3")]));
    assert_eq!(runner.info().await.checkpoint, Position::new(7));
}

/// An empty page moves the checkpoint, as `advance` does, and far.
pub async fn a_checkpoint_moves_without_documents<H: DocumentStoreHarness>() {
    let harness = H::open().await;
    let mut runner = Runner::live(harness.store()).await;
    runner.write(1_000_000_007, park([])).await;
    done(runner.store.advance(&runner.step(i64::MAX as u64)).await);
    let info = runner.info().await;
    assert_eq!(info.checkpoint, Position::new(i64::MAX as u64));
    assert!(done(runner.store.documents(runner.id(), None, PageLimit::MAX).await).is_empty());
    done(runner.store.release(&runner.lease).await);
    let next = Runner::live(harness.store()).await;
    assert_eq!(next.at, info.checkpoint, "a lease says where the subscriber stands");
}

/// Whoever listens is told of every step that was written.
pub async fn every_written_step_is_told<H: DocumentStoreHarness>() {
    let harness = H::open().await;
    let mut runner = Runner::live(harness.store()).await;
    let mut moved = runner.store.moved();
    for to in 1..=5 {
        let before = *moved.borrow_and_update();
        if to % 2 == 0 {
            runner.write(to, put("a", "1")).await;
        } else {
            done(runner.store.advance(&runner.step(to)).await);
            runner.at = Position::new(to);
        }
        assert!(moved.has_changed().expect("the store is open"), "the step to {to} was not told");
        assert_ne!(*moved.borrow_and_update(), before);
    }
}
