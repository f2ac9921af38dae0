//! How far a consumer group is behind.

use crate::{
    KafkaFailed, KafkaOptions,
    client::{ANSWER_MAX, Hearing, one_partition, partitions, told},
};
use rdkafka::{
    Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer as _},
    error::{KafkaError, RDKafkaErrorCode},
};
use serde::Serialize;
use std::collections::BTreeSet;

/// How far a group is behind in one partition, by what it has committed to Kafka: a second behind what it has handled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PartitionLag {
    /// The topic.
    pub topic: String,
    /// The partition.
    pub partition: i32,
    /// The offset behind the last record that the group has handled; none where it has handled none.
    pub committed: Option<i64>,
    /// The offset behind the last committed record of the partition.
    pub end: i64,
    /// How many offsets lie between. Marks of transactions have offsets too, so it may be more than there are records; 0
    /// exactly where no record is left.
    pub behind: u64,
}

impl PartitionLag {
    /// Of every partition of `topics`, for `group`; a topic that is not there has none.
    ///
    /// # Errors
    /// When Kafka fails.
    pub async fn of(
        options: &KafkaOptions,
        group: &str,
        topics: impl IntoIterator<Item = impl Into<String>>,
    ) -> Result<Vec<Self>, KafkaFailed> {
        let (asking, group) = (options.clone(), group.to_string());
        let topics: BTreeSet<String> = topics.into_iter().map(Into::into).collect();
        let read = tokio::task::spawn_blocking(move || Self::read(&asking, &group, &topics)).await;
        read.unwrap_or_else(|_| Err(options.failed("asking how far a group is behind", KafkaError::Canceled)))
    }

    fn read(
        options: &KafkaOptions,
        group: &str,
        topics: &BTreeSet<String>,
    ) -> Result<Vec<Self>, KafkaFailed> {
        let reader = options.reader()?;
        let failed = |error| {
            options.failed_as(
                reader.context(),
                "asking how far a group is behind",
                told(error, reader.context()),
            )
        };
        let mut list = TopicPartitionList::new();
        for topic in topics {
            for partition in 0..partitions(options, &reader, topic)?.unwrap_or(0) {
                list.add_partition(topic, partition as i32);
            }
        }
        // It asks for the offsets of its group and joins nothing.
        let asks: BaseConsumer<Hearing> = options.asking_for(group)?;
        let committed = asks.committed_offsets(list, ANSWER_MAX).map_err(failed)?;
        let mut found = vec![];
        for element in committed.elements() {
            let (topic, partition) = (element.topic(), element.partition());
            let committed = match element.offset() {
                Offset::Offset(offset) => Some(offset),
                _ => None,
            };
            let (low, end) = reader.fetch_watermarks(topic, partition, ANSWER_MAX).map_err(failed)?;
            let from = committed.unwrap_or(low).clamp(low, end);
            let between = end.saturating_sub(from).unsigned_abs();
            let behind = match between > 0 && is_read(&reader, topic, partition, from).map_err(failed)? {
                true => 0,
                false => between,
            };
            found.push(Self { topic: topic.into(), partition, committed, end, behind });
        }
        Ok(found)
    }
}

/// Whether no record is left from `offset` on: what lies there are marks of transactions.
fn is_read(
    reader: &BaseConsumer<Hearing>,
    topic: &str,
    partition: i32,
    offset: i64,
) -> Result<bool, KafkaError> {
    reader.assign(&one_partition(topic, partition, offset)?)?;
    match reader.poll(ANSWER_MAX) {
        Some(Ok(_)) => Ok(false),
        Some(Err(KafkaError::PartitionEOF(_))) => Ok(true),
        Some(Err(error)) => Err(error),
        None => Err(KafkaError::MessageConsumption(RDKafkaErrorCode::OperationTimedOut)),
    }
}
