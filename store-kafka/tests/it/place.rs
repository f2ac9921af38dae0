//! A log, where its publishers keep their place, and topics of their own.

use crate::broker::{shared, unique};
use annals::{
    Commit, EventData, EventId, EventStore, Expected, Json, MemoryDocuments, MemoryStore, StreamId,
};
use annals_kafka::{KafkaOptions, Proof, Publisher, PublisherTerms, TopicNames};
use rdkafka::{
    ClientConfig, Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer},
    error::KafkaError,
    message::OwnedMessage,
};
use std::{collections::BTreeSet, sync::Arc, time::Duration};

pub(crate) struct Place {
    pub(crate) options: KafkaOptions,
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) documents: Arc<MemoryDocuments>,
    pub(crate) name: String,
    pub(crate) prefix: String,
}

impl Place {
    /// On the broker that all tests share; none where there is none.
    pub(crate) fn shared() -> Option<Self> {
        shared().map(Self::on)
    }

    pub(crate) fn on(options: KafkaOptions) -> Self {
        let (store, documents) = Default::default();
        Self { options, store, documents, name: unique("publisher"), prefix: format!("{}.", unique("test")) }
    }

    pub(crate) fn terms(&self) -> PublisherTerms {
        let topics = TopicNames::prefixed(&self.prefix).unwrap();
        PublisherTerms { topics, create_topics: Some(4), ..PublisherTerms::default() }
    }

    pub(crate) fn publisher(&self, terms: PublisherTerms) -> Publisher {
        self.publisher_to(self.options.clone(), terms)
    }

    pub(crate) fn publisher_to(&self, options: KafkaOptions, terms: PublisherTerms) -> Publisher {
        Publisher::new(&self.name, options, terms, self.store.clone(), self.documents.clone())
    }

    pub(crate) fn topic(&self, category: &str) -> String {
        format!("{}{category}", self.prefix)
    }

    /// Small events, all in one commit.
    pub(crate) async fn append(&self, category: &str, key: u32, events: u32) {
        let payloads: Vec<_> = (0..events).map(|n| format!("{{\"n\":{n}}}")).collect();
        self.append_payloads(category, key, &payloads).await;
    }

    pub(crate) async fn append_payloads(&self, category: &str, key: u32, payloads: &[String]) {
        let stream = StreamId::new(category, key).unwrap();
        let event =
            |payload: &String| EventData::raw(EventId::random(), "Noted", 1, Json::parse(payload).unwrap());
        let commit = Commit::to(stream, Expected::Any, payloads.iter().map(event).collect::<Vec<_>>());
        self.store.append(commit).await.unwrap();
    }

    /// What a client needs to find the broker, which lets in whoever comes.
    pub(crate) fn client(&self) -> ClientConfig {
        let url = self.options.to_string();
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", url.trim_start_matches("kafka://"));
        config
    }

    /// What a reader of committed records finds in the topic of `category`.
    pub(crate) fn records(&self, category: &str) -> Vec<OwnedMessage> {
        self.records_seen(category, "read_committed")
    }

    /// What a reader with this isolation finds.
    pub(crate) fn records_seen(&self, category: &str, isolation: &str) -> Vec<OwnedMessage> {
        let mut config = self.client();
        config
            .set("group.id", unique("reader"))
            .set("enable.auto.commit", "false")
            .set("enable.partition.eof", "true")
            .set("isolation.level", isolation);
        let reader: BaseConsumer = config.create().unwrap();
        let topic = self.topic(category);
        let metadata = reader.fetch_metadata(Some(&topic), Duration::from_secs(10)).unwrap();
        let count = metadata.topics()[0].partitions().len();
        let mut list = TopicPartitionList::new();
        list.add_partition_range(&topic, 0, count as i32 - 1);
        list.set_all_offsets(Offset::Beginning).unwrap();
        reader.assign(&list).unwrap();
        let (mut records, mut ended) = (vec![], 0);
        while ended < count {
            match reader.poll(Duration::from_secs(10)).expect("a topic ends") {
                Ok(record) => records.push(record.detach()),
                Err(KafkaError::PartitionEOF(_)) => ended += 1,
                Err(error) => panic!("{error}"),
            }
        }
        records
    }

    pub(crate) async fn proof(&self, categories: &[&str]) -> Proof {
        let topics = categories.iter().map(|category| self.topic(category));
        Proof::read(&self.options, topics.collect::<BTreeSet<_>>()).await.unwrap()
    }
}
