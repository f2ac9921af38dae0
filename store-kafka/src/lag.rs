//! How far a publisher is by what Kafka knows of it, and what it has sent without committing it.

use crate::{
    KafkaFailed, KafkaOptions, PublishError, Publisher,
    client::{Hearing, end_of, partitions},
    control::Control,
    sent::Sent,
};
use annals::{DocumentStore, GenerationState, Position, SubscriberError, SubscriberInfo};
use rdkafka::{
    consumer::{BaseConsumer, Consumer as _},
    error::{KafkaError, RDKafkaErrorCode},
};
use serde::Serialize;
use std::collections::BTreeMap;

/// How far a publisher is by its control record, and what lies in its topics behind what consumers of committed records
/// see.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PublisherLag {
    /// Everything up to here is committed in Kafka, or was left out by the filter.
    pub position: Position,
    /// How many offsets of all topics are sent but not committed.
    pub uncommitted: u64,
    /// The topics that it has written to, by name.
    pub topics: BTreeMap<String, TopicLag>,
}

/// The ends of a topic, as sums over its partitions. Besides records, each transaction takes an offset of its own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct TopicLag {
    /// How many partitions it has.
    pub partitions: u32,
    /// The offsets behind the last record that was sent.
    pub end: u64,
    /// The offsets up to which everything is committed or taken back: consumers of committed records see no further.
    pub committed_end: u64,
    /// What lies between: an open transaction, or one that nobody has ended yet.
    pub uncommitted: u64,
}

impl PublisherLag {
    /// Asks what the cluster knows of the publisher `name`; none where it has never published.
    ///
    /// # Errors
    /// When the cluster does not answer, or a topic that the publisher has written to is gone.
    pub async fn read(options: &KafkaOptions, name: &str) -> Result<Option<Self>, PublishError> {
        let (options, name) = (options.clone(), name.to_string());
        let read = tokio::task::spawn_blocking(move || Self::read_now(&options, &name)).await;
        read.unwrap_or(Err(PublishError::Ended))
    }

    /// The same of a publisher without transactions, of whom the cluster knows nothing: which topics it has written to
    /// says the store in which it keeps its place. None where that says nothing of them.
    ///
    /// # Errors
    /// As for [`read`](Self::read), and when the store fails.
    pub async fn read_at_least_once(
        options: &KafkaOptions,
        documents: &dyn DocumentStore,
        name: &str,
    ) -> Result<Option<Self>, SubscriberError> {
        let is_it =
            |info: &SubscriberInfo| info.subscriber.name() == name && info.state == GenerationState::Live;
        let Some(info) = documents.subscribers().await?.into_iter().find(is_it) else { return Ok(None) };
        let slots = documents.load(&info.subscriber, &[Sent::KEY.into()]).await?;
        let Some(text) = slots.into_iter().next().and_then(|slot| slot.document) else { return Ok(None) };
        // A read model may have a document of that key.
        let Ok(sent) = Sent::read(&text) else { return Ok(None) };
        let (options, control) = (options.clone(), sent.parts(info.checkpoint).0);
        let read = tokio::task::spawn_blocking(move || Self::of(&options, &control)).await;
        read.unwrap_or(Err(PublishError::Ended)).map(Some).map_err(|error| error.of(name))
    }

    fn read_now(options: &KafkaOptions, name: &str) -> Result<Option<Self>, PublishError> {
        let control_topic = Publisher::control_topic(name);
        let found = Control::read(options, &control_topic, name);
        let found = found.map_err(PublishError::control(&control_topic))?;
        found.map(|control| Self::of(options, &control)).transpose()
    }

    fn of(options: &KafkaOptions, control: &Control) -> Result<Self, PublishError> {
        let (committed, sent) = (options.reader()?, options.reader_of_all()?);
        let mut topics = BTreeMap::new();
        for topic in control.topics.keys() {
            let lag = TopicLag::read(options, &committed, &sent, topic)?;
            topics.insert(topic.clone(), lag);
        }
        let uncommitted = topics.values().map(|topic| topic.uncommitted).sum();
        Ok(Self { position: control.position, uncommitted, topics })
    }
}

impl TopicLag {
    fn read(
        options: &KafkaOptions,
        committed: &BaseConsumer<Hearing>,
        sent: &BaseConsumer<Hearing>,
        topic: &str,
    ) -> Result<Self, KafkaFailed> {
        let unknown = KafkaError::MetadataFetch(RDKafkaErrorCode::UnknownTopicOrPartition);
        let missing = || options.failed("asking for the ends of a topic", unknown);
        let partitions = partitions(options, committed, topic)?.ok_or_else(missing)?;
        let end = |reader: &BaseConsumer<Hearing>, partition: u32| {
            let end = end_of(reader, topic, partition as i32).map_err(|error| {
                options.failed_as(reader.context(), "asking for the ends of a topic", error)
            })?;
            Ok(u64::try_from(end).unwrap_or(0))
        };
        let mut lag = Self { partitions, ..Self::default() };
        for partition in 0..partitions {
            // Asked first, so that what is committed between the two questions counts as neither.
            let (end, committed_end) = (end(sent, partition)?, end(committed, partition)?);
            lag.end += end;
            lag.committed_end += committed_end;
            lag.uncommitted += end.saturating_sub(committed_end);
        }
        Ok(lag)
    }
}
