//! Where a publisher stands, kept in Kafka itself, in the same transactions as what it published.

use crate::{KafkaFailed, KafkaOptions, client::partitions, last::last_in};
use annals::{EventId, Position, RecordedEvent};
use rdkafka::{Message, message::BorrowedMessage};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Where a publisher stands: a record of its control topic, keyed by its name, written last in each of its
/// transactions. The topic is compacted: the newest record is kept for ever.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Control {
    /// Everything up to here is published, or was left out by the filter.
    pub(crate) position: Position,
    /// For each topic the position of the last record in each of its partitions; their number is that of the
    /// partitions.
    pub(crate) topics: BTreeMap<String, Vec<Position>>,
    /// The last event that was published: whoever goes on must have it at that place in his log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) last: Option<Last>,
}

/// An event that was published, and where it lies in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Last {
    pub(crate) position: Position,
    pub(crate) event: EventId,
}

impl Last {
    pub(crate) fn of(event: &RecordedEvent) -> Self {
        Self { position: event.position, event: event.id }
    }
}

/// The control topic has one partition, of which one publisher is the only writer: were there others, their open
/// transactions would hide what it has committed.
pub(crate) const CONTROL_PARTITION: i32 = 0;

impl Control {
    /// Where a publisher stands that has published nothing.
    pub(crate) fn at(position: Position) -> Self {
        Self { position, topics: BTreeMap::new(), last: None }
    }

    /// The position of the last record in `partition` of `topic`, which has so many.
    pub(crate) fn last_of(&mut self, topic: &str, partitions: u32, partition: u32) -> &mut Position {
        if !self.topics.contains_key(topic) {
            self.topics.insert(topic.into(), vec![Position::START; partitions as usize]);
        }
        let all = self.topics.entry(topic.into()).or_default();
        let at = partition as usize;
        if all.len() <= at {
            all.resize(at + 1, Position::START);
        }
        &mut all[at]
    }

    /// How many partitions `topic` has; none where nothing was written to it.
    pub(crate) fn partitions(&self, topic: &str) -> Option<u32> {
        self.topics.get(topic).map(|all| all.len() as u32)
    }

    /// As it is written.
    pub(crate) fn text(&self) -> String {
        serde_json::to_string(self).expect("numbers under names are JSON")
    }

    /// The last committed record of `publisher`. To be asked when no older instance can commit any more.
    pub(crate) fn read(
        options: &KafkaOptions,
        topic: &str,
        publisher: &str,
    ) -> Result<Option<Self>, ControlError> {
        let failed = |error| options.failed("reading where the publisher stands", error);
        let reader = options.reader()?;
        if partitions(options, &reader, topic)?.is_none() {
            return Ok(None);
        }
        let of_it = |record: &BorrowedMessage<'_>| {
            (record.key() == Some(publisher.as_bytes())).then(|| record.payload().map(Vec::from))
        };
        let found = last_in(&reader, topic, CONTROL_PARTITION, of_it).map_err(failed)?;
        Ok(found.flatten().map(|text| serde_json::from_slice(&text)).transpose()?)
    }
}

/// Why it is not known where a publisher stands.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ControlError {
    #[error(transparent)]
    Kafka(#[from] KafkaFailed),
    #[error(
        "the control record of this publisher is none that this program knows: a newer one wrote it, or something else writes to the control topic"
    )]
    Unreadable(#[from] serde_json::Error),
}
