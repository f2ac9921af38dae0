//! What is sent and not committed is told apart from what consumers see.

use crate::broker::{shared, unique};
use annals::{
    Commit, EventData, EventId, EventStore, Expected, Json, MemoryDocuments, MemoryStore, Position, StreamId,
    catch_up,
};
use annals_kafka::{Publisher, PublisherLag, PublisherTerms, TopicNames};
use rdkafka::{
    ClientConfig,
    producer::{BaseProducer, BaseRecord, Producer},
};
use std::{sync::Arc, time::Duration};

const WAIT_MAX: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread")]
async fn an_open_transaction_is_sent_but_not_committed_until_it_is() {
    let Some(options) = shared() else { return };
    let (name, prefix) = (unique("publisher"), format!("{}.", unique("lag")));
    assert_eq!(PublisherLag::read(&options, &name).await.unwrap(), None);

    let (store, documents) = (Arc::new(MemoryStore::new()), Arc::new(MemoryDocuments::new()));
    let event = |n| EventData::raw(EventId::random(), "Noted", 1, Json::parse(&format!("{n}")).unwrap());
    let stream = StreamId::new("order", 1).unwrap();
    store.append(Commit::to(stream, Expected::Any, (0..3).map(event).collect::<Vec<_>>())).await.unwrap();
    let topics = TopicNames::prefixed(&prefix).unwrap();
    let terms = PublisherTerms { topics, create_topics: Some(2), ..PublisherTerms::default() };
    let mut publisher = Publisher::new(&name, options.clone(), terms, store.clone(), documents);
    catch_up(&*store, &mut publisher).await.unwrap();
    let lag = async || PublisherLag::read(&options, &name).await.unwrap().unwrap();
    let topic = format!("{prefix}order");
    let (before, ends) = (lag().await, |lag: &PublisherLag| lag.topics[&topic]);
    assert_eq!((before.position, before.uncommitted), (Position::new(3), 0));
    assert_eq!((ends(&before).partitions, ends(&before).end, ends(&before).committed_end), (2, 4, 4));

    let brokers = options.to_string();
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
