//! What is sent and not committed is told apart from what consumers see.

use crate::{broker::unique, place::Place};
use annals::{Position, catch_up};
use annals_kafka::{PublisherLag, PublisherTerms};
use rdkafka::{
    ClientConfig,
    producer::{BaseProducer, BaseRecord, Producer},
};
use std::time::Duration;

const WAIT_MAX: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread")]
async fn an_open_transaction_is_sent_but_not_committed_until_it_is() {
    let Some(place) = Place::shared() else { return };
    let lag = async || PublisherLag::read(&place.options, &place.name).await.unwrap();
    assert_eq!(lag().await, None);
    place.append("order", 1, 3).await;
    let terms = PublisherTerms { create_topics: Some(2), ..place.terms() };
    catch_up(&*place.store, &mut place.publisher(terms)).await.unwrap();
    let (lag, topic) = (async || lag().await.unwrap(), place.topic("order"));
    let (before, ends) = (lag().await, |lag: &PublisherLag| lag.topics[&topic]);
    assert_eq!((before.position, before.uncommitted), (Position::new(3), 0));
    assert_eq!((ends(&before).partitions, ends(&before).end, ends(&before).committed_end), (2, 4, 4));

    let brokers = place.options.to_string();
    let producer: BaseProducer = ClientConfig::new()
        .set("bootstrap.servers", brokers.trim_start_matches("kafka://"))
        .set("transactional.id", unique("open"))
        .create()
        .unwrap();
    producer.init_transactions(WAIT_MAX).unwrap();
    producer.begin_transaction().unwrap();
    for _ in 0..5 {
        producer.send(BaseRecord::<str, str>::to(&topic).partition(0).payload("{}")).unwrap();
    }
    producer.flush(WAIT_MAX).unwrap();
    let open = lag().await;
    assert_eq!((open.uncommitted, ends(&open).uncommitted), (5, 5));
    assert_eq!((ends(&open).end, ends(&open).committed_end), (9, 4));

    producer.commit_transaction(WAIT_MAX).unwrap();
    let committed = lag().await;
    assert_eq!((committed.uncommitted, ends(&committed).end, ends(&committed).committed_end), (0, 10, 10));
}
