//! What a publisher must know of a topic before it writes there.

use crate::{
    KafkaFailed, KafkaOptions, PARTITIONS_MAX, PublishError, PublisherTerms,
    admin::{Keeps, create_topic, record_bytes_max},
    client::{Hearing, partitions, partitions_surely},
    control::Control,
};
use rdkafka::consumer::BaseConsumer;
use std::{sync::Arc, time::Duration};

/// A topic that is there.
#[derive(Debug, Clone)]
pub(crate) struct Topic {
    pub(crate) name: String,
    pub(crate) partitions: u32,
    /// Its `max.message.bytes`.
    pub(crate) record_bytes_max: usize,
}

/// How often a topic that was just made is looked for: every broker learns of it in its own time.
const LOOKS_MAX: u32 = 50;

/// The time between two such looks.
const LOOK_INTERVAL: Duration = Duration::from_millis(100);

impl Topic {
    /// The topic for the events of `category`, made where it may be; with as many partitions as it had when this
    /// publisher first wrote to it.
    pub(crate) async fn open(
        options: &KafkaOptions,
        reader: &Arc<BaseConsumer<Hearing>>,
        terms: &PublisherTerms,
        control: &Control,
        category: &str,
    ) -> Result<Self, PublishError> {
        let name = terms.topics.of(category).to_string();
        let found = match (look(options, reader, &name).await?, terms.create_topics) {
            (Some(found), _) => found,
            (None, Some(wanted)) => {
                made(options, reader, &name, wanted.clamp(1, PARTITIONS_MAX), Keeps::AsUsual).await?
            }
            (None, None) => return Err(PublishError::NoTopic { topic: name, category: category.into() }),
        };
        if let Some(before) = control.partitions(&name).filter(|before| *before != found) {
            return Err(PublishError::Repartitioned { topic: name, before, now: found });
        }
        let record_bytes_max = record_bytes_max(options, &name).await?;
        Ok(Self { name, partitions: found, record_bytes_max })
    }
}

/// Makes `topic` and waits until it can be written to; how many partitions it has, which somebody else may have made.
pub(crate) async fn made(
    options: &KafkaOptions,
    reader: &Arc<BaseConsumer<Hearing>>,
    topic: &str,
    partitions: u32,
    keeps: Keeps,
) -> Result<u32, PublishError> {
    if options.by_token() {
        let settings = match keeps {
            Keeps::AsUsual => "",
            Keeps::LastOfKey => " and cleanup.policy=compact",
            Keeps::All => " and retention.ms=-1",
        };
        return Err(PublishError::TopicByHand { topic: topic.into(), partitions, settings });
    }
    create_topic(options, topic, partitions, keeps).await?;
    for _ in 0..LOOKS_MAX {
        if let Some(found) = look(options, reader, topic).await? {
            return Ok(found);
        }
        tokio::time::sleep(LOOK_INTERVAL).await;
    }
    let missing = rdkafka::error::RDKafkaErrorCode::UnknownTopicOrPartition;
    let failed = rdkafka::error::KafkaError::MetadataFetch(missing);
    Err(options.failed("waiting for a topic that was made", failed).into())
}

/// Checks that the topics that were written to are as they were.
pub(crate) async fn check_topics(
    options: &KafkaOptions,
    reader: &Arc<BaseConsumer<Hearing>>,
    control: &Control,
) -> Result<(), PublishError> {
    for topic in control.topics.keys() {
        let before = control.partitions(topic).unwrap_or(0);
        let Some(now) = counted(options, reader, topic, partitions_surely).await? else {
            return Err(PublishError::TopicGone { topic: topic.clone() });
        };
        if before != now {
            return Err(PublishError::Repartitioned { topic: topic.clone(), before, now });
        }
    }
    Ok(())
}

/// How many partitions `topic` has.
pub(crate) async fn look(
    options: &KafkaOptions,
    reader: &Arc<BaseConsumer<Hearing>>,
    topic: &str,
) -> Result<Option<u32>, KafkaFailed> {
    counted(options, reader, topic, partitions).await
}

/// A way to count the partitions of a topic. Blocks.
type Count = fn(&KafkaOptions, &BaseConsumer<Hearing>, &str) -> Result<Option<u32>, KafkaFailed>;

/// How many partitions `topic` has, as `count` finds.
async fn counted(
    options: &KafkaOptions,
    reader: &Arc<BaseConsumer<Hearing>>,
    topic: &str,
    count: Count,
) -> Result<Option<u32>, KafkaFailed> {
    let (asking, reader, topic) = (options.clone(), reader.clone(), topic.to_string());
    let counted = tokio::task::spawn_blocking(move || count(&asking, &reader, &topic)).await;
    counted
        .unwrap_or_else(|_| Err(options.failed("asking for a topic", rdkafka::error::KafkaError::Canceled)))
}
