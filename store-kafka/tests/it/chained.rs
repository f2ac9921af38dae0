//! Records that are lost, repeated or forked, put into a topic by hand: each is told, and stops its own partition only.

use crate::{
    broker::shared,
    forger::{Forged, Forger},
    obeyed::{Copies, CopyNotes},
    tally::Elsewhere,
};
use annals::{Checkpoints, Engine, MemoryStore, Position, part_name};
use annals_kafka::{Consumer, ConsumerTerms, First, Foreign, Handler, PassOverError, headers, pass_over};
use rdkafka::message::{Header, OwnedHeaders};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

async fn notes(there: &Elsewhere, partition: i32) -> String {
    let found = there.tallied().await.remove(&format!("order-{}", Forger::key_of(partition)));
    found.map_or_else(String::new, |text| text[text.find('[').unwrap()..].trim_end_matches('}').to_string())
}

/// Waits until the partition reports something that holds `text`.
async fn until_told(there: &Elsewhere, partition: i32, text: &str) -> String {
    let topic = &there.topics[0];
    there
        .until(&format!("{partition} reports {text}"), || async {
            there.failure(topic, partition).await.is_some_and(|failure| failure.contains(text))
        })
        .await;
    there.failure(topic, partition).await.unwrap()
}

/// Broken on purpose, and seen to fail this: a chain that takes a loss for the next record; any subscriber passed over.
#[tokio::test(flavor = "multi_thread")]
async fn a_loss_stops_its_partition_repeats_are_dropped_and_a_person_decides() {
    let Some(options) = shared() else { return };
    let forger = Forger::new(&options).await;
    for (position, previous) in [(1, 0), (2, 1), (2, 1), (1, 0), (4, 2), (9, 7), (10, 9)] {
        forger.write(0, position, previous);
    }
    let there = forger.read_by(&options);
    let running = there.run();
    let told = until_told(&there, 0, "are missing").await;
    assert!(told.contains("behind position 4 and up to 7"), "{told}");
    let part = there.part(&forger.topic, 0);
    assert!(told.contains(&format!("pass_over({part:?}, 7)")), "{told}");
    assert_eq!(notes(&there, 0).await, "[1,2,4]");
    // The other partition goes on.
    forger.write(1, 3, 0);
    forger.write(1, 5, 3);
    there.until("the other is handled", || async { notes(&there, 1).await == "[3,5]" }).await;
    assert_eq!(notes(&there, 0).await, "[1,2,4]");
    // A person decides; the consumer goes on by itself. What is no part is left where it is.
    let other = pass_over(&*there.documents, "tally", Position::new(7)).await;
    assert!(matches!(other, Err(PassOverError::NoPart { .. })), "{other:?}");
    let unknown = pass_over(&*there.documents, "tally-1-at-nowhere", Position::new(7)).await;
    assert!(matches!(unknown, Err(PassOverError::Unknown { .. })));
    let back = pass_over(&*there.documents, &part, Position::new(4)).await;
    assert!(matches!(back, Err(PassOverError::Behind { .. })), "{back:?}");
    pass_over(&*there.documents, &part, Position::new(7)).await.unwrap();
    there.until("it goes on", || async { notes(&there, 0).await == "[1,2,4,9,10]" }).await;
    there.until("nothing is reported", || async { there.failure(&forger.topic, 0).await.is_none() }).await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_publisher_is_told_by_the_fork_that_it_makes() {
    let Some(options) = shared() else { return };
    let forger = Forger::new(&options).await;
    for (position, previous) in [(1, 0), (4, 1), (5, 1), (6, 5)] {
        forger.write(0, position, previous);
    }
    let there = forger.read_by(&options);
    let running = there.run();
    let told = until_told(&there, 0, "a second publisher").await;
    assert!(told.contains("follows position 1, and others up to 4"), "{told}");
    running.stop().await;
    assert_eq!(notes(&there, 0).await, "[1,4]");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_event_stops_its_partition_unless_it_is_to_be_passed_over() {
    let Some(options) = shared() else { return };
    let forger = Forger::new(&options).await;
    forger.write(0, 1, 0);
    forger.send(0, "k", Some("hello"), OwnedHeaders::new());
    forger.write(0, 2, 1);
    let there = forger.read_by(&options);
    let running = there.run();
    let told = until_told(&there, 0, "something else writes").await;
    assert!(told.contains("at offset 1"), "{told}");
    running.stop().await;
    assert_eq!(notes(&there, 0).await, "[1]");
    let running = there.run_with(ConsumerTerms { foreign: Foreign::PassOver, ..there.terms() });
    there.until("it goes on", || async { notes(&there, 0).await == "[1,2]" }).await;
    running.stop().await;
    // At an end it is found by looking; with an event behind it, the partition does not end with it.
    let looking = there.consumer(there.terms());
    assert_eq!(looking.foreign_ends().await.unwrap(), []);
    forger.send(1, "k", Some("hello"), OwnedHeaders::new());
    let ends = looking.foreign_ends().await.unwrap();
    assert_eq!(ends.iter().map(|end| (end.partition, end.offset)).collect::<Vec<_>>(), [(1, 0)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_that_lost_its_beginning_is_read_only_by_who_says_so() {
    let Some(options) = shared() else { return };
    let forger = Forger::new(&options).await;
    forger.write(0, 8, 7);
    forger.write(0, 9, 8);
    let there = forger.read_by(&options);
    let running = there.run();
    until_told(&there, 0, "behind position 0 and up to 7 are missing").await;
    running.stop().await;
    let running = there.run_with(ConsumerTerms { first: First::Oldest, ..there.terms() });
    there.until("it begins", || async { notes(&there, 0).await == "[8,9]" }).await;
    running.stop().await;
}

/// Where the parts of a policy stand goes by their own names, not by that of the policy. Broken on purpose, and seen to
/// fail this: a part that says the name of its policy.
#[tokio::test(flavor = "multi_thread")]
async fn a_loss_stops_a_part_of_a_policy_and_a_person_decides_about_that_part() {
    let Some(options) = shared() else { return };
    let forger = Forger::new(&options).await;
    for (position, previous) in [(1, 0), (9, 7), (10, 9)] {
        forger.write(0, position, previous);
    }
    forger.write(1, 3, 0);
    let there = forger.read_by(&options);
    let copies = Arc::new(Engine::new(Arc::new(MemoryStore::new())));
    let handler = Handler::policy(CopyNotes, copies.clone(), there.documents.clone());
    let consumer = Consumer::new(&there.group, options, there.topics.clone(), handler, there.terms());
    let stop = CancellationToken::new();
    let running = tokio::spawn(consumer.run(stop.clone()));
    let copied =
        async |partition: i32| copies.load::<Copies>(&Forger::key_of(partition)).await.unwrap().version.get();
    let part = part_name("copy-notes", 1, &Consumer::part(&forger.topic, 0));
    let told = || async {
        let all = there.documents.subscribers().await.unwrap();
        all.into_iter().find(|info| info.subscriber.name() == part).and_then(|info| info.failure)
    };
    there.until("the loss is told", || async { told().await.is_some() }).await;
    let (told_as, _) = told().await.unwrap();
    assert!(told_as.contains(&format!("pass_over({part:?}, 7)")), "{told_as}");
    there.until("the other partition goes on", || async { copied(1).await == 1 }).await;
    assert_eq!(copied(0).await, 1);
    pass_over(&*there.documents, &part, Position::new(7)).await.unwrap();
    there.until("it goes on", || async { copied(0).await == 3 }).await;
    there.until("nothing is told", || async { told().await.is_none() }).await;
    stop.cancel();
    running.await.unwrap().unwrap();
}

/// A record without its value is one that the handler wants, and does not have.
#[tokio::test(flavor = "multi_thread")]
async fn a_record_without_its_value_stops_its_partition_and_a_person_decides() {
    let Some(options) = shared() else { return };
    let forger = Forger::new(&options).await;
    let key = Forger::key_of(0);
    let omitted = |event_type, position, previous| {
        let forged = Forged { event_type, key: &key, version: position, position, previous };
        let bytes = Header { key: headers::PAYLOAD_OMITTED, value: Some("2000000") };
        forger.send(0, &key, None, forged.headers().insert(bytes));
    };
    forger.write(0, 1, 0);
    // Of a type that nobody here takes: its value is not missed.
    omitted("Weighed", 2, 1);
    omitted("Noted", 3, 2);
    forger.write(0, 4, 3);
    let there = forger.read_by(&options);
    let running = there.run();
    let told = until_told(&there, 0, "came without its value").await;
    let part = there.part(&forger.topic, 0);
    assert!(told.contains(&format!("order-{key} at position 3")), "{told}");
    assert!(told.contains(&format!("pass_over({part:?}, 3)")), "{told}");
    assert_eq!(notes(&there, 0).await, "[1]");
    pass_over(&*there.documents, &part, Position::new(3)).await.unwrap();
    there.until("it goes on", || async { notes(&there, 0).await == "[1,4]" }).await;
    running.stop().await;
}

/// It has no key under which it could be parked. Broken on purpose, and seen to fail this: a page that holds it refused as
/// a whole, so that whoever passes over it loses what lies in front of it; a checkpoint that does not follow what was
/// left out (`settle`).
#[tokio::test(flavor = "multi_thread")]
async fn an_event_of_another_shape_stops_its_partition_right_in_front_of_it_until_a_person_decides() {
    let Some(options) = shared() else { return };
    let forger = Forger::new(&options).await;
    let key = Forger::key_of(0);
    let misshapen = |position: u64| {
        let previous = position - 1;
        let forged = Forged { event_type: "Noted", key: &key, version: position, position, previous };
        forger.send(0, &key, Some("{\"n\":\"two\"}"), forged.headers());
    };
    (1..=5).for_each(|position| forger.write(0, position, position - 1));
    misshapen(6);
    forger.write(0, 7, 6);
    let there = forger.read_by(&options);
    let running = there.run();
    let part = there.part(&forger.topic, 0);
    let stands = async || {
        let parts = there.parts().await;
        parts.iter().find(|info| info.subscriber.name() == part).map(|info| info.checkpoint.get())
    };
    let told = until_told(&there, 0, "has a payload of another shape").await;
    assert!(told.contains(&format!("order-{key} at version 6 (position 6)")), "{told}");
    assert!(told.contains(&format!("pass_over({part:?}, 6)")), "{told}");
    assert_eq!((stands().await, &*notes(&there, 0).await), (Some(5), "[1,2,3,4,5]"));
    forger.write(1, 5, 0);
    there.until("the other partition goes on", || async { notes(&there, 1).await == "[5]" }).await;
    pass_over(&*there.documents, &part, Position::new(6)).await.unwrap();
    there.until("it goes on", || async { notes(&there, 0).await == "[1,2,3,4,5,7]" }).await;
    there.until("nothing is reported", || async { there.failure(&forger.topic, 0).await.is_none() }).await;
    // In front of the next one lies only what nobody here takes.
    forger.write_as(0, "Weighed", 8, 7);
    misshapen(9);
    until_told(&there, 0, "(position 9)").await;
    assert_eq!(stands().await, Some(8));
    running.stop().await;
}
