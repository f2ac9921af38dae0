//! Records put into a topic by hand, as no publisher would write them.

use crate::{broker::unique, tally::Elsewhere};
use annals_kafka::{KafkaOptions, headers, partition_of};
use rdkafka::{
    ClientConfig,
    admin::{AdminClient, AdminOptions, NewTopic, TopicReplication},
    client::DefaultClientContext,
    message::{Header, OwnedHeaders},
    producer::{BaseProducer, BaseRecord, Producer},
};
use std::time::Duration;

/// How many partitions its topic has.
const PARTITIONS: u32 = 2;

/// Writes records by hand to a topic of two partitions.
pub(crate) struct Forger {
    producer: BaseProducer,
    pub(crate) topic: String,
}

/// What a forged note says of itself.
pub(crate) struct Forged<'a> {
    pub(crate) event_type: &'a str,
    pub(crate) key: &'a str,
    pub(crate) version: u64,
    pub(crate) position: u64,
    /// The position that it claims to follow.
    pub(crate) previous: u64,
}

impl Forger {
    pub(crate) async fn new(options: &KafkaOptions) -> Self {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", options.to_string().trim_start_matches("kafka://"));
        let admin: AdminClient<DefaultClientContext> = config.create().unwrap();
        let topic = unique("forged");
        let wanted = NewTopic::new(&topic, PARTITIONS as i32, TopicReplication::Fixed(1));
        admin.create_topics([&wanted], &AdminOptions::new()).await.unwrap();
        Self { producer: config.create().unwrap(), topic }
    }

    /// A note in `partition` at `position`, that claims to follow `previous`.
    pub(crate) fn write(&self, partition: i32, position: u64, previous: u64) {
        self.write_as(partition, "Noted", position, previous);
    }

    /// The same, as an event of this type.
    pub(crate) fn write_as(&self, partition: i32, event_type: &str, position: u64, previous: u64) {
        let key = Self::key_of(partition);
        let forged = Forged { event_type, key: &key, version: position, position, previous };
        self.send(partition, &key, Some(&format!("{{\"n\":{position}}}")), forged.headers());
    }

    /// So many notes of a kilobyte, one behind the other.
    pub(crate) fn fill(&self, partition: i32, count: u64) {
        let (key, text) = (Self::key_of(partition), "x".repeat(1_000));
        for position in 1..=count {
            let previous = position - 1;
            let forged = Forged { event_type: "Noted", key: &key, version: position, position, previous };
            let value = format!("{{\"n\":{position},\"text\":\"{text}\"}}");
            let record = BaseRecord::to(&self.topic).partition(partition).key(&key).payload(&value);
            self.producer.send(record.headers(forged.headers())).map_err(|(error, _)| error).unwrap();
        }
        self.producer.flush(Duration::from_secs(30)).unwrap();
    }

    /// A record that need not be a note.
    pub(crate) fn send(&self, partition: i32, key: &str, value: Option<&str>, headers: OwnedHeaders) {
        let mut record = BaseRecord::to(&self.topic).partition(partition).key(key).headers(headers);
        record.payload = value;
        self.producer.send(record).map_err(|(error, _)| error).unwrap();
        self.producer.flush(Duration::from_secs(10)).unwrap();
    }

    pub(crate) fn read_by(&self, options: &KafkaOptions) -> Elsewhere {
        Elsewhere::new(options, vec![self.topic.clone()])
    }

    /// A key that belongs into `partition`.
    pub(crate) fn key_of(partition: i32) -> String {
        let belongs = |key: &String| partition_of(key.as_bytes(), PARTITIONS) as i32 == partition;
        (0..).map(|n: u32| n.to_string()).find(belongs).unwrap()
    }
}

impl Forged<'_> {
    /// As a publisher writes them.
    pub(crate) fn headers(&self) -> OwnedHeaders {
        let texts = [
            (headers::EVENT_ID, uuid::Uuid::from_u128(u128::from(self.position)).to_string()),
            (headers::EVENT_TYPE, self.event_type.into()),
            (headers::SCHEMA_VERSION, "1".into()),
            (headers::STREAM, format!("order-{}", self.key)),
            (headers::STREAM_VERSION, self.version.to_string()),
            (headers::POSITION, self.position.to_string()),
            (headers::PREVIOUS_POSITION, self.previous.to_string()),
            (headers::RECORDED_AT, "2026-01-01T00:00:00.000000Z".into()),
        ];
        texts.iter().fold(OwnedHeaders::new(), |all, (key, value)| {
            all.insert(Header { key, value: Some(value.as_str()) })
        })
    }
}
