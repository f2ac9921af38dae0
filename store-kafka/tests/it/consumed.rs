//! A read model that is filled from topics is the one that the log would have made.

use crate::{
    place::Place,
    tally::{Elsewhere, Tally, all},
};
use annals::{EventStore, MemoryDocuments, Projector, catch_up};
use annals_kafka::{PartitionLag, partition_of, pass_over};
use std::{collections::BTreeMap, sync::Arc};

pub(crate) async fn publish(place: &Place) {
    catch_up(&*place.store, &mut place.publisher(place.terms())).await.unwrap();
}

/// What the log itself makes of it.
pub(crate) async fn from_the_log(place: &Place) -> BTreeMap<String, String> {
    let documents = Arc::new(MemoryDocuments::new());
    let mut projector = Projector::new(Tally::default(), place.store.clone(), documents.clone());
    catch_up(&*place.store, &mut projector).await.unwrap();
    all(&documents).await
}

/// The holder of leases that nobody gives back.
const CUT_OFF: &str = "a process that is killed";

/// Broken on purpose, and seen to fail this: documents written upon whatever is there (`commit_part` without a look at
/// what was seen), so that partitions lose what others count; consumers that end without giving their leases back.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn consumers_that_come_and_go_make_what_the_log_makes() {
    const ROUNDS: u32 = 8;
    let Some(place) = Place::shared() else { return };
    for key in 0..40 {
        place.append("order", key, 1).await;
        place.append("stock", key, 1).await;
    }
    publish(&place).await;
    let there = Elsewhere::new(&place.options, vec![place.topic("order"), place.topic("stock")]);
    let mut running = vec![there.run()];
    let mut others = vec![];
    for round in 0..ROUNDS {
        for key in 0..40 {
            place.append("order", key, 20).await;
            place.append("stock", key, 5).await;
        }
        publish(&place).await;
        match round % 4 {
            0 => running.push(there.run()),
            1 => {
                // Another process: its tasks are gone at once, and its leases run out.
                let (elsewhere, runtime) = (there.clone(), tokio::runtime::Runtime::new().unwrap());
                let mut terms = elsewhere.terms();
                terms.lease.holder = CUT_OFF.into();
                runtime.spawn(elsewhere.consumer(terms).run(Default::default()));
                others.push(runtime);
            }
            2 => running.remove(0).stop().await,
            _ => others.drain(..).for_each(tokio::runtime::Runtime::shutdown_background),
        }
        // All of the round before, while this one is under way.
        there.until_counted(80 + u64::from(round) * 1_000).await;
    }
    others.drain(..).for_each(tokio::runtime::Runtime::shutdown_background);
    there.until_counted(80 + u64::from(ROUNDS) * 1_000).await;
    assert_eq!(there.tallied().await, from_the_log(&place).await);
    for consumer in running {
        consumer.stop().await;
    }
    for part in there.parts().await {
        // Who was stopped gave its leases back; those of who was cut off may not have run out yet.
        assert!(part.holder.as_deref().is_none_or(|holder| holder == CUT_OFF), "{part:?}");
        assert_eq!(part.failure, None, "{}", part.subscriber);
    }
    assert_eq!(there.parts().await.len(), 8);
}

/// The control of the story above, and of its like in `annals-tests`: what one partition leaves out is found.
#[tokio::test(flavor = "multi_thread")]
async fn events_that_a_partition_leaves_out_are_found() {
    let Some(place) = Place::shared() else { return };
    for key in 0..10 {
        place.append("order", key, 3).await;
    }
    publish(&place).await;
    let there = Elsewhere::new(&place.options, vec![place.topic("order")]);
    let running = there.run();
    there.until_counted(30).await;
    running.stop().await;
    assert_eq!(there.tallied().await, from_the_log(&place).await);
    place.append("order", 1, 3).await;
    let left_out = *place.store.head().borrow();
    place.append("order", 1, 2).await;
    publish(&place).await;
    let part = there.part(&there.topics[0], partition_of(b"1", 4) as i32);
    pass_over(&*there.documents, &part, left_out).await.unwrap();
    let running = there.run();
    there.until_counted(32).await;
    running.stop().await;
    let (here, log) = (there.tallied().await, from_the_log(&place).await);
    let differ: Vec<&String> = log.keys().filter(|key| here.get(*key) != log.get(*key)).collect();
    assert_eq!(differ, ["all", "order-1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn how_far_a_group_is_behind_is_told_in_every_partition() {
    let Some(place) = Place::shared() else { return };
    for key in 0..20 {
        place.append("order", key, 5).await;
    }
    publish(&place).await;
    let there = Elsewhere::new(&place.options, vec![place.topic("order")]);
    let lag = || async { PartitionLag::of(&there.options, &there.group, &there.topics).await.unwrap() };
    let before = lag().await;
    assert_eq!(before.len(), 4);
    assert!(before.iter().all(|found| found.committed.is_none()));
    let behind: u64 = before.iter().map(|found| found.behind).sum();
    assert!((100..=108).contains(&behind), "with the marks of transactions: {before:?}");
    let running = there.run();
    there.until_counted(100).await;
    there
        .until("offsets are committed", || async { lag().await.iter().all(|found| found.behind == 0) })
        .await;
    running.stop().await;
    place.append("order", 1, 3).await;
    publish(&place).await;
    let after: u64 = lag().await.iter().map(|found| found.behind).sum();
    assert!((3..=6).contains(&after), "{:?}", lag().await);
}

/// Whoever has the offsets of the group moved forward loses nothing: nothing rests on them. Broken on purpose, and seen
/// to fail this: a chain that takes a loss for the next record.
#[tokio::test(flavor = "multi_thread")]
async fn offsets_that_somebody_moved_forward_do_no_harm() {
    use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
    let Some(place) = Place::shared() else { return };
    for key in 0..20 {
        place.append("order", key, 5).await;
    }
    publish(&place).await;
    let there = Elsewhere::new(&place.options, vec![place.topic("order")]);
    let url = place.options.to_string();
    let somebody: BaseConsumer = rdkafka::ClientConfig::new()
        .set("bootstrap.servers", url.trim_start_matches("kafka://"))
        .set("group.id", &there.group)
        .create()
        .unwrap();
    let mut moved = rdkafka::TopicPartitionList::new();
    for partition in 0..4 {
        moved.add_partition_offset(&there.topics[0], partition, rdkafka::Offset::Offset(15)).unwrap();
    }
    somebody.commit(&moved, CommitMode::Sync).unwrap();
    let running = there.run();
    there.until_counted(100).await;
    running.stop().await;
    assert_eq!(there.tallied().await, from_the_log(&place).await);
}
