//! Why a consumer, or one partition of it, cannot go on.

use crate::{KafkaFailed, PublishError, RecordError};
use annals::{Position, StreamId, SubscriberError};
use std::sync::Arc;

/// Why a consumer cannot go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConsumeError {
    /// There is no such topic.
    #[error("there is no topic {topic}: see that its publisher has made it, and that the name is right")]
    NoTopic {
        /// The topic.
        topic: String,
    },
    /// A missing topic cannot be made.
    #[error(transparent)]
    Topic(PublishError),
    /// Two topics would keep their places under one name.
    #[error("topics {one} and {other} cannot be read by one consumer: give each a group of its own")]
    Alike {
        /// The one.
        one: String,
        /// The other.
        other: String,
    },
    /// Kafka failed.
    #[error(transparent)]
    Kafka(#[from] KafkaFailed),
    /// A dead-letter topic or a retry topic is missing, and cannot be made.
    #[error(transparent)]
    DeadLetters(PublishError),
    /// A policy refuses nothing, so nothing comes again.
    #[error("{handler} is a policy, which refuses nothing: leave retry topics out")]
    Retries {
        /// The policy.
        handler: &'static str,
    },
    /// The thread that reads could not be started.
    #[error("no thread could be started to read with")]
    Thread(#[source] std::io::Error),
    /// The thread that reads, or the task of a partition, is gone.
    #[error("the thread that read ended early: see the log for why")]
    Ended,
}

/// Why one partition stands still. Nothing was passed over; the others go on.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum PartitionError {
    /// Records are missing.
    #[error(
        "{topic} {partition} at offset {offset}: records behind position {last} and up to {previous} are missing, also from the beginning of the topic: whoever deleted them (retention, or by hand) did so before they were handled; fill the read model anew from a topic that has them, or go on without them with pass_over({part}, {previous})"
    )]
    Lost {
        /// The topic.
        topic: String,
        /// The partition.
        partition: i32,
        /// The offset of the record in front of which they are missing.
        offset: i64,
        /// The subscriber whose checkpoint it is.
        part: String,
        /// The position of the last record that was handled.
        last: Position,
        /// The position of the last one that is missing.
        previous: Position,
    },
    /// A record claims to follow one that others have followed.
    #[error(
        "{topic} {partition} at offset {offset}: the record follows position {previous}, and others up to {last} have followed that: a second publisher writes to this topic, or one that began anew; stop it, and read its topic with a consumer of another group, or go on without it with pass_over({part}, {position})"
    )]
    Forked {
        /// The topic.
        topic: String,
        /// The partition.
        partition: i32,
        /// The offset of the record.
        offset: i64,
        /// The subscriber whose checkpoint it is.
        part: String,
        /// The position of the last record that was handled.
        last: Position,
        /// The position that the record claims to follow.
        previous: Position,
        /// Its own.
        position: Position,
    },
    /// A record is no event of ours.
    #[error(
        "{0}: something else writes to this topic; stop it, or let the consumer pass such records over (Foreign::PassOver)"
    )]
    Foreign(#[source] RecordError),
    /// A record without its value, which the handler wants.
    #[error(
        "{topic} {partition} at offset {offset}: {stream} at position {position} came without its value, for it was larger than the topic takes: raise max.message.bytes and publish again under another name, or go on without it with pass_over({part}, {position})"
    )]
    Omitted {
        /// The topic.
        topic: String,
        /// The partition.
        partition: i32,
        /// The offset of the record.
        offset: i64,
        /// The subscriber whose checkpoint it is.
        part: String,
        /// The stream of the event.
        stream: StreamId,
        /// Its position.
        position: Position,
    },
    /// An event that this program cannot read, or a command that it calls for and that cannot be carried out.
    #[error(
        "{topic} {partition} at offset {offset}: its event cannot be handled here: mend or update the program, or go on without it with pass_over({part}, {position})"
    )]
    Unhandled {
        /// The topic.
        topic: String,
        /// The partition.
        partition: i32,
        /// The offset of the record.
        offset: i64,
        /// The subscriber whose checkpoint it is.
        part: String,
        /// Its position; in a retry topic the place of the copy.
        position: Position,
        /// Why.
        #[source]
        source: Arc<SubscriberError>,
    },
    /// Kafka failed.
    #[error(transparent)]
    Kafka(#[from] KafkaFailed),
    /// The thread that reads is gone.
    #[error("the thread that read ended early: see the log for why")]
    Ended,
}

impl PartitionError {
    /// The part that stands still, and the position to which [`pass_over`](crate::pass_over) moves it; none where there
    /// is nothing to be passed over by that.
    pub fn passed_over_by(&self) -> Option<(&str, Position)> {
        match self {
            Self::Lost { part, previous: to, .. }
            | Self::Forked { part, position: to, .. }
            | Self::Omitted { part, position: to, .. }
            | Self::Unhandled { part, position: to, .. } => Some((part.trim_matches('"'), *to)),
            Self::Foreign(_) | Self::Kafka(_) | Self::Ended => None,
        }
    }

    pub(super) fn of(self, subscriber: &str) -> SubscriberError {
        SubscriberError::Elsewhere { subscriber: subscriber.into(), source: self.into() }
    }
}
