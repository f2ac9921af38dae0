//! Why a publisher cannot go on.

use crate::{KafkaFailed, control::ControlError};
use annals::{Position, StreamId, SubscriberError};

/// Why a publisher cannot go on. Nothing was skipped: what is not published yet is published when the reason is gone.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PublishError {
    /// There is no such topic.
    #[error(
        "there is no topic {topic} for the events of {category}: create it, or let the publisher do it with --create-topics PARTITIONS"
    )]
    NoTopic {
        /// The topic.
        topic: String,
        /// The category whose events should go there.
        category: String,
    },
    /// A topic is gone that was written to.
    #[error(
        "topic {topic} is gone, with what was published to it: restore it, or make it anew and publish under another --name, from the beginning or from where consumers shall begin"
    )]
    TopicGone {
        /// The topic.
        topic: String,
    },
    /// There is no such topic, and who logs in with a token makes none from here: the driver cannot.
    #[error(
        "there is no topic {topic}, and with OAUTHBEARER none is made from here: create it with {partitions} partitions{settings}"
    )]
    TopicByHand {
        /// The topic.
        topic: String,
        /// How many partitions it is to have.
        partitions: u32,
        /// What it must be set to besides.
        settings: &'static str,
    },
    /// Keys would go to other partitions than before, beside records of theirs that wait in the old ones.
    #[error(
        "topic {topic} has {now} partitions, and {before} when this publisher began: keys would change their partitions and lose their order; make a new topic with {now}, publish to it under another --name, and let the consumers change over"
    )]
    Repartitioned {
        /// The topic.
        topic: String,
        /// How many partitions there were.
        before: u32,
        /// How many there are.
        now: u32,
    },
    /// An event is larger than the topic takes.
    #[error(
        "{stream} at position {position} makes a record of {bytes} bytes, and topic {topic} takes {max}: raise its max.message.bytes, or publish with --oversize omit"
    )]
    Oversize {
        /// The stream of the event.
        stream: StreamId,
        /// Its place in the log.
        position: Position,
        /// The topic.
        topic: String,
        /// The size of the record.
        bytes: usize,
        /// What the topic takes: its `max.message.bytes`.
        max: usize,
    },
    /// Kafka knows less of this publisher than the store does.
    #[error(
        "{place} knows this publisher up to position {there}, and it had published up to {here}: this is another cluster, or one that lost its control topic {control}; restore that, or publish under another --name"
    )]
    Behind {
        /// The cluster.
        place: String,
        /// Where the publisher stands by its control record.
        there: Position,
        /// Where it stands by its checkpoint in the store.
        here: Position,
        /// The control topic.
        control: String,
    },
    /// A publisher of this name published from another log.
    #[error(
        "{place} has from this publisher the event {event} of position {position}, which this log does not have there: it is of another log, or of one that was restored to an earlier state; publish under another --name"
    )]
    OtherLog {
        /// The cluster.
        place: String,
        /// The position of the last event that was published.
        position: Position,
        /// The id of the last event that was published.
        event: annals::EventId,
    },
    /// The control record cannot be read.
    #[error(
        "the control record in {topic} is none that this program knows: a newer one wrote it, or something else writes to that topic"
    )]
    Control {
        /// The control topic.
        topic: String,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// The document in which a publisher without transactions keeps what it has sent cannot be read.
    #[error(
        "what this publisher has sent is written down in a way that this program does not know: a newer one wrote it"
    )]
    Sent(#[source] serde_json::Error),
    /// It published in transactions until now, and what it had sent is written down elsewhere.
    #[error(
        "this publisher stands at {position} and published exactly once until now: at least once wants another --name, that begins behind it (--from {position}), and consumers that begin anew there"
    )]
    WasExactlyOnce {
        /// Where it stands by its checkpoint.
        position: Position,
    },
    /// Kafka failed.
    #[error(transparent)]
    Kafka(#[from] KafkaFailed),
    /// The thread that published is gone.
    #[error("the thread that published ended early: see the log for why")]
    Ended,
}

impl PublishError {
    pub(crate) fn of(self, subscriber: &str) -> SubscriberError {
        SubscriberError::Elsewhere { subscriber: subscriber.into(), source: self.into() }
    }

    pub(crate) fn control(topic: &str) -> impl Fn(ControlError) -> Self {
        let topic = topic.to_string();
        move |error| match error {
            ControlError::Kafka(failed) => Self::Kafka(failed),
            ControlError::Unreadable(source) => Self::Control { topic: topic.clone(), source },
        }
    }
}
