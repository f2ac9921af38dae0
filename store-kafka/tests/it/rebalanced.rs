//! A second consumer of a group takes over half of the partitions: the others go on, and nothing is handled or read
//! twice.

use crate::{metered::Metered, place::Place, slow_documents::SlowDocuments, tally::Elsewhere};
use annals::{Checkpoints, LeaseTerms, catch_up};
use annals_kafka::ConsumerTerms;
use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

/// Longer than this test runs: a lease changes hands only when it is given back.
const LEASE: Duration = Duration::from_secs(300);

async fn publish(place: &Place, rounds: u32) {
    for _ in 0..rounds {
        for key in 0..40 {
            place.append("order", key, 5).await;
        }
        catch_up(&*place.store, &mut place.publisher(place.terms())).await.unwrap();
    }
}

fn held_by(there: &Elsewhere, holder: &str) -> ConsumerTerms {
    let lease = LeaseTerms { holder: holder.into(), lasts: LEASE };
    ConsumerTerms { lease, ..there.terms() }
}

async fn has(there: &Elsewhere, holder: &str, count: usize) -> bool {
    let parts = there.parts().await;
    parts.iter().filter(|part| part.holder.as_deref() == Some(holder)).count() == count
}

/// Broken on purpose, and seen to fail this: `range` in place of `cooperative-sticky`, which takes every partition away
/// from everybody (each lease changes hands once more); offsets that are never stored (records are read again).
#[tokio::test(flavor = "multi_thread")]
async fn a_partition_that_does_not_move_keeps_its_lease_and_no_record_is_read_again() {
    let Some(place) = Place::shared() else { return };
    let metered = Metered::of_this_program();
    publish(&place, 1).await;
    let there = Elsewhere::new(&place.options, vec![place.topic("order")]);
    let one = there.run_with(held_by(&there, "one"));
    there.until_counted(200).await;
    there.until("one has all", || has(&there, "one", 4)).await;

    let other = there.run_with(held_by(&there, "other"));
    publish(&place, 4).await;
    there
        .until("the other has half", || async {
            has(&there, "one", 2).await && has(&there, "other", 2).await
        })
        .await;
    publish(&place, 1).await;
    there.until_counted(1_200).await;

    for part in there.parts().await {
        let moved = part.holder.as_deref() == Some("other");
        let looking = LeaseTerms { holder: "the test".into(), lasts: LEASE };
        let taken = there.documents.take_over(&part.subscriber, &looking).await.unwrap();
        assert_eq!(taken.epoch.0, if moved { 3 } else { 2 }, "as often its lease was taken: {part:?}");
        there.documents.release(&taken).await.unwrap();
        let labels = [part.subscriber.name(), &there.topics[0]];
        assert_eq!(metered.count("annals_records_repeated", &labels), 0, "records read again: {part:?}");
    }
    one.stop().await;
    other.stop().await;
}

/// How many events there are: in each partition more than three times as many as may wait for its task.
const BACKLOG: u64 = 120_000;

/// How long a page of a thousand takes, so that most of the backlog is there when partitions change hands.
const PAGE_TAKES: Duration = Duration::from_millis(250);

/// Broken on purpose, and seen to fail this: partitions that are taken away stay paused (no `resume` in
/// `pre_rebalance`), and those that come back are never read again.
#[tokio::test(flavor = "multi_thread")]
async fn a_partition_that_was_paused_when_it_was_taken_away_is_read_when_it_comes_back() {
    let Some(place) = Place::shared() else { return };
    for round in 0..BACKLOG / 20_000 {
        for key in 0..40 {
            place.append("order", 40 * round as u32 + key, 500).await;
        }
    }
    catch_up(&*place.store, &mut place.publisher(place.terms())).await.unwrap();
    let there = Elsewhere::new(&place.options, vec![place.topic("order")]);
    there.tally.mended.store(true, Ordering::Relaxed);
    let slow = Arc::new(SlowDocuments::taking(there.documents.clone(), PAGE_TAKES));
    let one = there.run_over(slow.clone(), held_by(&there, "one"));
    there.until("one has all", || has(&there, "one", 4)).await;
    there.until_counted(4_000).await;
    let other = there.run_over(slow, held_by(&there, "other"));
    there.until("the other has half", || has(&there, "other", 2)).await;
    let counted = there.counted().await;
    assert!(counted < BACKLOG * 3 / 4, "too little is left to have waited: {counted} are counted");
    other.stop().await;
    there.until_counted(BACKLOG).await;
    assert_eq!(there.counted().await, BACKLOG);
    one.stop().await;
}
