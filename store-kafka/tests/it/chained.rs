//! Records that are lost, repeated or forked, put into a topic by hand: each is told, and stops its own partition only.

use crate::{
    broker::{shared, unique},
    tally::Elsewhere,
};
use annals::Position;
use annals_kafka::{ConsumerTerms, First, Foreign, KafkaOptions, PassOverError, headers, pass_over};
use rdkafka::{
    ClientConfig,
    admin::{AdminClient, AdminOptions, NewTopic, TopicReplication},
    client::DefaultClientContext,
    message::{Header, OwnedHeaders},
    producer::{BaseProducer, BaseRecord, Producer},
};
use std::time::Duration;

/// Writes records by hand to a topic of two partitions.
struct Forger {
    producer: BaseProducer,
    topic: String,
}

impl Forger {
    async fn new(options: &KafkaOptions) -> Self {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", options.to_string().trim_start_matches("kafka://"));
        let admin: AdminClient<DefaultClientContext> = config.create().unwrap();
        let topic = unique("forged");
        let wanted = NewTopic::new(&topic, 2, TopicReplication::Fixed(1));
        admin.create_topics([&wanted], &AdminOptions::new()).await.unwrap();
        Self { producer: config.create().unwrap(), topic }
    }

    /// A note in `partition` at `position`, that claims to follow `previous`.
    fn write(&self, partition: i32, position: u64, previous: u64) {
        let texts = [
            (headers::EVENT_ID, uuid::Uuid::from_u128(u128::from(position)).to_string()),
            (headers::EVENT_TYPE, "Noted".into()),
            (headers::SCHEMA_VERSION, "1".into()),
            (headers::STREAM, format!("order-{partition}")),
            (headers::STREAM_VERSION, position.to_string()),
            (headers::POSITION, position.to_string()),
            (headers::PREVIOUS_POSITION, previous.to_string()),
            (headers::RECORDED_AT, "2026-01-01T00:00:00.000000Z".into()),
        ];
        let all = texts.iter().fold(OwnedHeaders::new(), |all, (key, value)| {
            all.insert(Header { key, value: Some(value.as_str()) })
        });
        self.send(partition, &format!("{{\"n\":{position}}}"), all);
    }

    fn send(&self, partition: i32, value: &str, all: OwnedHeaders) {
        let record = BaseRecord::to(&self.topic).partition(partition).key("k").payload(value).headers(all);
        self.producer.send(record).map_err(|(error, _)| error).unwrap();
        self.producer.flush(Duration::from_secs(10)).unwrap();
    }

    fn read_by(&self, options: &KafkaOptions) -> Elsewhere {
        Elsewhere::new(options, vec![self.topic.clone()])
    }
}

async fn notes(there: &Elsewhere, partition: i32) -> String {
    let found = there.tallied().await.remove(&format!("order-{partition}"));
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

/// Broken on purpose, and seen to fail this: a chain that takes a loss for the next record.
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
    // A person decides; the consumer goes on by itself.
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
    forger.send(0, "hello", OwnedHeaders::new());
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
