//! Where the topics of a consumer end, and what it says of what it has done.

use crate::{broker::shared, forger::Forger};
use annals::Position;
use annals_kafka::{
    ConsumeError, Consumer, ConsumerTerms, Foreign, Handler, PartitionError, REPEATED_RECORDS_MAX,
};
use rdkafka::message::OwnedHeaders;
use tokio_util::sync::CancellationToken;

/// How it was broken: with one look back only (64 records), there is no end.
#[tokio::test(flavor = "multi_thread")]
async fn a_topic_ends_with_its_last_event_whatever_lies_behind_it() {
    let Some(options) = shared() else { return };
    let forger = Forger::new(&options).await;
    let consumer = |there: &crate::tally::Elsewhere| there.consumer(there.terms());
    let there = forger.read_by(&options);
    assert!(consumer(&there).ends().await.unwrap().is_empty(), "nothing is there yet");
    forger.write(0, 1, 0);
    forger.write(0, 7, 1);
    let of_the_first = [((forger.topic.clone(), 0), Position::new(7))];
    assert_eq!(consumer(&there).ends().await.unwrap(), of_the_first.clone().into());
    for _ in 0..100 {
        forger.send(0, "k", Some("no event"), OwnedHeaders::new());
    }
    assert_eq!(consumer(&there).ends().await.unwrap(), of_the_first.into());
}

/// How it was broken: with the last one in place of the greatest (`greatest_in`), 10 000 and 3; with one record less to
/// look back, 10 000 and 7.
#[tokio::test(flavor = "multi_thread")]
async fn a_topic_ends_where_its_positions_do_whoever_repeats_them_at_its_end() {
    let Some(options) = shared() else { return };
    let forger = Forger::new(&options).await;
    let there = forger.read_by(&options);
    let most = REPEATED_RECORDS_MAX as u64;
    forger.fill(0, most + 1);
    // All that a publisher may repeat; and one of another log.
    forger.fill(0, most);
    forger.write(1, 7, 0);
    forger.write(1, 3, 0);
    let ends = [((forger.topic.clone(), 0), most + 1), ((forger.topic.clone(), 1), 7)];
    let ends = ends.map(|(partition, end)| (partition, Position::new(end)));
    assert_eq!(there.consumer(there.terms()).ends().await.unwrap(), ends.into());
}

/// How it was broken: where a partition that began with its first record is read from there once more, six are told.
#[tokio::test(flavor = "multi_thread")]
async fn records_that_are_no_events_are_counted_once_where_there_is_nothing_else() {
    let Some(options) = shared() else { return };
    let forger = Forger::new(&options).await;
    let there = forger.read_by(&options);
    (0..3).for_each(|_| forger.send(0, "k", Some("no event"), OwnedHeaders::new()));
    let consumer = there.consumer(ConsumerTerms { foreign: Foreign::PassOver, ..there.terms() });
    let (consumed, stop) = (consumer.consumed(), CancellationToken::new());
    let running = tokio::spawn(consumer.run(stop.clone()));
    let foreign = || consumed.topics().get(&forger.topic).map_or(0, |counted| counted.foreign);
    there.until("they are told", || async { foreign() >= 3 }).await;
    forger.write(0, 1, 0);
    there.until_counted(1).await;
    stop.cancel();
    running.await.unwrap().unwrap();
    assert_eq!(foreign(), 3);
}

/// How it was broken: where a task that ends does not say that its partition goes on, it stands still for ever.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_done_is_counted_once_and_what_stands_still_is_told() {
    let Some(options) = shared() else { return };
    let forger = Forger::new(&options).await;
    let there = forger.read_by(&options);
    forger.write(0, 1, 0);
    forger.write_as(0, "Unheard", 2, 1);
    forger.write(0, 1, 0);
    // Refused, and parked; then something is missing.
    forger.write(0, 13, 2);
    forger.write(0, 20, 15);
    let consumer = there.consumer(there.terms());
    let (consumed, stop) = (consumer.consumed(), CancellationToken::new());
    let running = tokio::spawn(consumer.run(stop.clone()));
    there.until("it stands still", || async { !consumed.stopped().is_empty() }).await;
    let counted = consumed.topics()[&forger.topic];
    assert_eq!((counted.handled, counted.skipped, counted.repeated), (2, 1, 1));
    assert_eq!((counted.parked, counted.foreign), (1, 0));
    let (topic, partition, error) = consumed.stopped().remove(0);
    assert_eq!((topic, partition), (forger.topic.clone(), 0));
    assert!(matches!(error, PartitionError::Lost { .. }), "{error}");
    let part = there.part(&forger.topic, 0);
    assert_eq!(error.passed_over_by(), Some((&*part, Position::new(15))));
    stop.cancel();
    running.await.unwrap().unwrap();
    assert!(consumed.stopped().is_empty(), "it is somebody else's now");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_that_is_missing_is_an_error_or_made() {
    let Some(options) = shared() else { return };
    let mut there = Forger::new(&options).await.read_by(&options);
    let topic = crate::broker::unique("missing");
    there.topics = vec![topic.clone()];
    let handler = || Handler::projection(there.tally.clone(), there.documents.clone());
    let consumer =
        |terms| Consumer::new(&there.group, options.clone(), there.topics.clone(), handler(), terms);
    let missing = consumer(there.terms()).ends().await;
    assert!(
        matches!(&missing, Err(ConsumeError::NoTopic { topic: named }) if *named == topic),
        "{missing:?}"
    );
    let making = ConsumerTerms { create_topics: Some(3), ..there.terms() };
    assert!(consumer(making).ends().await.unwrap().is_empty());
    assert!(consumer(there.terms()).ends().await.unwrap().is_empty(), "it is there now");
}
