//! Copies of what is parked.

use super::{DeadLetters, letter};
use crate::{
    KafkaFailed, KafkaOptions,
    admin::record_bytes_max,
    blocking::blocking,
    client::partitions,
    headers::PAYLOAD_OMITTED,
    partition_of,
    session::{Outgoing, Session},
    size::batch_of_one,
};
use annals::Parked;
use rdkafka::{
    Message,
    error::{KafkaError, RDKafkaErrorCode},
    message::{Header, OwnedMessage},
};
use std::collections::{BTreeMap, BTreeSet};

const COPYING: &str = "copying to a dead-letter topic";

/// What a dead-letter topic is like.
#[derive(Clone, Copy)]
struct Takes {
    partitions: u32,
    /// Its `max.message.bytes`.
    record_bytes_max: usize,
}

impl DeadLetters {
    /// Copies records to their topics; returns when all have arrived.
    pub(super) async fn copy(
        &self,
        handler: &'static str,
        copies: Vec<(Parked, OwnedMessage)>,
    ) -> Result<(), KafkaFailed> {
        let options = self.options.clone();
        let topics: BTreeSet<String> = copies.iter().map(|(_, record)| Self::topic(record.topic())).collect();
        let mut sizes = BTreeMap::new();
        for topic in topics {
            let max = record_bytes_max(&options, &topic).await?;
            sizes.insert(topic, max);
        }
        blocking(&self.options, COPYING, move || copy(&options, handler, &copies, sizes)).await
    }
}

/// Poison is rare: a producer of its own for each time.
fn copy(
    options: &KafkaOptions,
    handler: &str,
    copies: &[(Parked, OwnedMessage)],
    sizes: BTreeMap<String, usize>,
) -> Result<(), KafkaFailed> {
    let (reader, mut topics) = (options.reader()?, BTreeMap::new());
    for (topic, record_bytes_max) in sizes {
        let unknown = KafkaError::MetadataFetch(RDKafkaErrorCode::UnknownTopicOrPartition);
        let partitions =
            partitions(options, &reader, &topic)?.ok_or_else(|| options.failed(COPYING, unknown))?;
        topics.insert(topic, Takes { partitions, record_bytes_max });
    }
    match sent(options, handler, copies, &topics) {
        // It takes less than was known of it.
        Err(failed) if failed.code() == Some(RDKafkaErrorCode::MessageSizeTooLarge) => {
            let nothing = |takes: Takes| Takes { record_bytes_max: 0, ..takes };
            let topics = topics.into_iter().map(|(topic, takes)| (topic, nothing(takes)));
            sent(options, handler, copies, &topics.collect())
        }
        outcome => outcome,
    }
}

/// Sends them all, those without their value that are too large with it.
fn sent(
    options: &KafkaOptions,
    handler: &str,
    copies: &[(Parked, OwnedMessage)],
    topics: &BTreeMap<String, Takes>,
) -> Result<(), KafkaFailed> {
    let batch_bytes_max = topics.values().map(|takes| takes.record_bytes_max).min().unwrap_or(0);
    let session = Session::plain_to(options, batch_bytes_max.max(1))?;
    for (entry, record) in copies {
        let topic = DeadLetters::topic(record.topic());
        let Some(takes) = topics.get(&topic) else { continue };
        let (key, value) = (record.key().unwrap_or_default(), record.payload().unwrap_or_default());
        let headers = letter::headers(handler, entry, record);
        let partition = partition_of(key, takes.partitions) as i32;
        let (headers, value) = match batch_of_one(key, value, &headers) > takes.record_bytes_max {
            true => {
                let bytes = value.len().to_string();
                tracing::warn!(topic, position = %entry.position, bytes, "a dead letter is kept without its value, which is larger than the topic takes: raise its max.message.bytes");
                (headers.insert(Header { key: PAYLOAD_OMITTED, value: Some(&bytes) }), None)
            }
            false => (headers, record.payload()),
        };
        session.send(Outgoing { topic: &topic, partition, key, value, headers: Some(headers) })?;
    }
    session.arrived()
}
