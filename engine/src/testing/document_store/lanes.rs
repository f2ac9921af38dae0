//! Lanes: parts of one generation, written beside each other. Skipped, out loud, where a store writes in one lane only.

use super::{
    harness::{DocumentStoreHarness, stores},
    runner::{ORDERS, Runner, done, info, page, put, refused, terms, these},
};
use crate::{
    CheckpointError, CompareError, PageLimit, PageWrite, Position, Step, SwitchError,
    testing::promise::does_not_apply,
};
use std::sync::Arc;

/// A live generation at 10, divided into three lanes; none where the store has no lanes.
async fn divided<H: DocumentStoreHarness>(harness: &H, promise: &str) -> Option<Runner> {
    let mut live = Runner::live(harness.store()).await;
    live.write(10, put("a", "1")).await;
    if !done(live.store.divide(&live.lease, 3).await) {
        does_not_apply(promise, "the store writes in one lane");
        return None;
    }
    Some(live)
}

async fn write(
    runner: &Runner,
    lane: u32,
    (from, to): (u64, u64),
    page: PageWrite,
) -> Result<(), CheckpointError> {
    let (subscriber, epoch) = (runner.id().clone(), runner.lease.epoch);
    let step = Step { subscriber, epoch, from: Position::new(from), to: Position::new(to) };
    runner.store.commit_lane(lane, &step, page).await
}

async fn lanes(runner: &Runner) -> Vec<u64> {
    done(runner.store.lanes(&runner.lease).await).iter().map(|at| at.get()).collect()
}

/// Each lane goes on by itself; the generation stands where the lane does that is furthest behind.
pub async fn a_divided_generation_stands_where_its_last_lane_does<H: DocumentStoreHarness>() {
    let harness = H::open().await;
    let promise = "a_divided_generation_stands_where_its_last_lane_does";
    let Some(live) = divided(&harness, promise).await else { return };
    assert_eq!(lanes(&live).await, [10, 10, 10]);
    done(write(&live, 0, (10, 15), put("b", "2")).await);
    done(write(&live, 2, (10, 12), put("c", "3")).await);
    assert_eq!(live.info().await.checkpoint, Position::new(10));
    done(write(&live, 1, (10, 13), page([("a", None)])).await);
    assert_eq!((lanes(&live).await, live.info().await.checkpoint), (vec![15, 13, 12], Position::new(12)));
    assert_eq!(live.documents().await, these([("b", "2"), ("c", "3")]));
    // Whoever comes next finds them so.
    done(live.store.release(&live.lease).await);
    for store in stores(&harness).await {
        let lease = done(store.acquire(live.id(), &terms("next")).await);
        assert_eq!(lease.checkpoint, Position::new(12));
        assert_eq!(done(store.lanes(&lease).await).len(), 3);
        done(store.release(&lease).await);
    }
}

/// Keys change their lane only when all lanes stand at one position.
pub async fn lanes_change_only_where_all_stand_at_one_position<H: DocumentStoreHarness>() {
    let harness = H::open().await;
    let promise = "lanes_change_only_where_all_stand_at_one_position";
    let Some(mut live) = divided(&harness, promise).await else { return };
    done(write(&live, 1, (10, 20), put("b", "2")).await);
    for count in [1, 2, 3] {
        match refused(live.store.divide(&live.lease, count).await) {
            CheckpointError::Moved { expected, actual, .. } => {
                assert_eq!((expected.get(), actual.get()), (20, 10));
            }
            other => panic!("expected moved, got {other:?}"),
        }
    }
    for lane in [0, 2] {
        done(write(&live, lane, (10, 20), PageWrite::default()).await);
    }
    done(live.store.divide(&live.lease, 2).await);
    assert_eq!(lanes(&live).await, [20, 20]);
    done(live.store.divide(&live.lease, 1).await);
    assert_eq!((lanes(&live).await, live.info().await.checkpoint), (vec![], Position::new(20)));
    live.at = Position::new(20);
    live.write(21, put("c", "3")).await;
    assert_eq!(live.documents().await, these([("a", "1"), ("b", "2"), ("c", "3")]));
}

/// A lane is written from where it stands, under the newest lease, and by nobody who does not know of lanes.
pub async fn a_lane_counts_each_page_once<H: DocumentStoreHarness>() {
    let harness = H::open().await;
    let Some(live) = divided(&harness, "a_lane_counts_each_page_once").await else { return };
    done(write(&live, 0, (10, 15), put("b", "2")).await);
    match refused(write(&live, 0, (10, 15), put("b", "3")).await) {
        CheckpointError::Moved { expected, actual, .. } => {
            assert_eq!((expected.get(), actual.get()), (10, 15));
        }
        other => panic!("expected moved, got {other:?}"),
    }
    for outcome in [live.try_write(11, put("b", "3")).await, write(&live, 3, (10, 15), put("b", "3")).await] {
        assert!(matches!(refused(outcome), CheckpointError::Divided { .. }));
    }
    done(live.store.release(&live.lease).await);
    let next = Runner::of(harness.store(), live.id()).await;
    let divided = live.store.divide(&live.lease, 1).await.map(drop);
    for outcome in [write(&live, 0, (15, 16), put("b", "3")).await, divided] {
        assert!(matches!(refused(outcome), CheckpointError::Fenced { .. }));
    }
    assert_eq!(next.documents().await, these([("a", "1"), ("b", "2")]));
    done(write(&next, 0, (15, 16), put("b", "4")).await);
}

/// Lanes written at once lose nothing to each other.
pub async fn lanes_are_written_beside_each_other<H: DocumentStoreHarness>() {
    let harness = H::open().await;
    let Some(live) = divided(&harness, "lanes_are_written_beside_each_other").await else { return };
    let live = Arc::new(live);
    let writing = (0..3_u32).map(|lane| {
        let live = live.clone();
        tokio::spawn(async move {
            for at in 10..40 {
                let key = format!("{lane} {at}");
                done(write(&live, lane, (at, at + 1), page([(key.as_str(), Some("1"))])).await);
            }
        })
    });
    for writing in writing.collect::<Vec<_>>() {
        writing.await.expect("no panic");
    }
    assert_eq!((lanes(&live).await, live.documents().await.len()), (vec![40, 40, 40], 91));
}

/// Lanes that stand apart are neither compared nor, behind the live generation, switched to.
pub async fn lanes_apart_are_neither_compared_nor_switched_to<H: DocumentStoreHarness>() {
    let harness = H::open().await;
    let mut live = Runner::live(harness.store()).await;
    live.write(10, put("a", "1")).await;
    let id = done(harness.store().start_rebuild(ORDERS, 1).await);
    let new = Runner::of(harness.store(), &id).await;
    if !done(new.store.divide(&new.lease, 2).await) {
        return does_not_apply(
            "lanes_apart_are_neither_compared_nor_switched_to",
            "the store writes in one lane",
        );
    }
    done(write(&new, 0, (0, 10), put("a", "1")).await);
    match refused(new.store.compare(live.id(), &id).await) {
        CompareError::Apart { old, new } => assert_eq!((old.get(), new.get()), (10, 10)),
        other => panic!("expected apart, got {other:?}"),
    }
    assert!(matches!(refused(new.store.switch(&id).await), SwitchError::Behind { .. }));
    done(write(&new, 1, (0, 10), PageWrite::default()).await);
    assert_eq!(done(new.store.compare(live.id(), &id).await).differences(), 0);
    done(new.store.switch(&id).await);
    assert_eq!(info(&*new.store, &id).await.checkpoint, Position::new(10));
    while !done(new.store.purge(live.id(), PageLimit::MAX).await) {}
}
