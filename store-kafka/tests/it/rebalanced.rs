//! A second consumer of a group takes over half of the partitions: the others go on, and nothing is handled or read
//! twice.

use crate::{metered::Metered, place::Place, tally::Elsewhere};
use annals::{Checkpoints, LeaseTerms, catch_up};
use annals_kafka::ConsumerTerms;
use std::time::Duration;

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
