//! The control of everything that [`Proof`] is asked about: shown a topic where something is wrong, it finds just that.

use crate::{
    broker::shared,
    forger::{Forged, Forger},
};
use annals_kafka::{KafkaOptions, Proof};
use rdkafka::message::OwnedHeaders;
use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicBool, Ordering},
};

/// What is told of a topic, to be compared.
#[derive(Debug, Default, Clone, PartialEq)]
struct Found {
    records: u64,
    streams: u64,
    missing: u64,
    repeated: u64,
    out_of_order: u64,
    misplaced: u64,
    foreign: u64,
}

/// What is found where records stand at these positions of one partition, each behind the one that it claims to follow.
async fn found(options: &KafkaOptions, records: &[(u64, u64)]) -> Found {
    let forger = Forger::new(options).await;
    for (position, previous) in records {
        forger.write(0, *position, *previous);
    }
    proven(options, &forger).await
}

async fn proven(options: &KafkaOptions, forger: &Forger) -> Found {
    let proof = Proof::read(options, BTreeSet::from([forger.topic.clone()])).await.unwrap();
    let told = &proof.topics[&forger.topic];
    let found = Found {
        records: told.records,
        streams: told.streams,
        missing: told.missing,
        repeated: told.repeated,
        out_of_order: told.out_of_order,
        misplaced: told.misplaced,
        foreign: told.foreign,
    };
    let well = Found { records: found.records, streams: found.streams, ..Found::default() };
    assert_eq!(proof.holds(), found == well, "{proof:?}");
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_is_lost_repeated_or_out_of_order_is_found() {
    let Some(options) = shared() else { return };
    let whole = [(1, 0), (2, 1), (3, 2), (4, 3)];
    let in_order = Found { records: 4, streams: 1, ..Found::default() };
    assert_eq!(found(&options, &whole).await, in_order);
    let lost = found(&options, &[whole[0], whole[1], whole[3]]).await;
    assert_eq!(lost, Found { records: 3, missing: 1, ..in_order.clone() });
    let first_lost = found(&options, &whole[1..]).await;
    assert_eq!(first_lost, Found { records: 3, missing: 1, ..in_order.clone() });
    let repeated = found(&options, &[whole[0], whole[1], whole[0], whole[1], whole[2], whole[3]]).await;
    assert_eq!(repeated, Found { repeated: 2, ..in_order.clone() });
    // One that comes too early is missed by the one in its place, and then comes again.
    let reordered = found(&options, &[whole[0], whole[2], whole[1], whole[3]]).await;
    assert_eq!(reordered, Found { records: 3, missing: 1, repeated: 1, ..in_order.clone() });
    let forked = found(&options, &[whole[0], whole[1], (3, 1), (4, 3)]).await;
    assert_eq!(forked, Found { out_of_order: 1, ..in_order });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_in_the_wrong_place_or_of_somebody_else_is_found() {
    let Some(options) = shared() else { return };
    let forger = Forger::new(&options).await;
    let (here, there) = (Forger::key_of(0), Forger::key_of(1));
    let forged = |key, version, position, previous| {
        Forged { event_type: "Noted", key, version, position, previous }.headers()
    };
    forger.send(0, &here, Some("{}"), forged(&here, 1, 1, 0));
    forger.send(0, &there, Some("{}"), forged(&there, 1, 2, 1));
    forger.send(0, "another", Some("{}"), forged(&here, 2, 3, 2));
    forger.send(0, &here, Some("hello"), OwnedHeaders::new());
    // Later in the log, and yet before in its stream.
    forger.send(0, &here, Some("{}"), forged(&here, 1, 4, 3));
    let wanted =
        Found { records: 4, streams: 2, misplaced: 2, foreign: 1, out_of_order: 1, ..Found::default() };
    assert_eq!(proven(&options, &forger).await, wanted);
}

/// A partition that grows while the others are read comes to its end again and again.
///
/// Broken on purpose, and seen to fail this: ends that are counted, whichever partition has come to one (in
/// `scan_topic`).
#[tokio::test(flavor = "multi_thread")]
async fn a_partition_that_grows_hides_nothing_of_the_others() {
    const NOTES: u64 = 40_000;
    let Some(options) = shared() else { return };
    let (forger, enough) = (Forger::new(&options).await, AtomicBool::new(false));
    forger.fill(1, NOTES);
    let found = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !enough.load(Ordering::Relaxed) {
                forger.send(0, "k", Some("hello"), OwnedHeaders::new());
            }
        });
        let found = tokio::task::block_in_place(|| {
            tokio::runtime::Handle::current().block_on(proven(&options, &forger))
        });
        enough.store(true, Ordering::Relaxed);
        found
    });
    assert_eq!((found.records, found.missing), (NOTES, 0));
    assert!(found.foreign > 0, "the partition did not grow");
}
