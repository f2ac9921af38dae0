//! Reads topics from their beginning to their end.

use crate::{
    KafkaFailed, KafkaOptions,
    client::{ANSWER_MAX, Hearing, partitions, polled, told},
};
use rdkafka::{
    Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer as _},
    error::{KafkaError, RDKafkaErrorCode},
    message::BorrowedMessage,
};
use std::{
    collections::HashSet,
    time::{Duration, Instant},
};
use tokio_util::sync::CancellationToken;

/// How often it is looked whether to stop while no record comes.
const LOOK_INTERVAL: Duration = Duration::from_millis(200);

/// Calls `each` for every record of `topics`, those of a partition in their order; topics that are not there have none.
/// False when `stop` was cancelled before their end. Blocks: for a thread that may.
pub(crate) fn scan(
    options: &KafkaOptions,
    topics: &[String],
    stop: &CancellationToken,
    mut each: impl FnMut(&BorrowedMessage<'_>),
) -> Result<bool, KafkaFailed> {
    if stop.is_cancelled() {
        return Ok(false);
    }
    let reader = options.reader()?;
    let failed = |error| options.failed("reading topics", error);
    for topic in topics {
        let count = partitions(options, &reader, topic)?.unwrap_or(0);
        if !scan_topic(&reader, topic, count, stop, &mut each).map_err(failed)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Calls `each` for every record of `topic`, which has so many partitions, up to where each of them ends when its end
/// is come to; records may come behind it meanwhile. False when `stop` was cancelled before.
pub(crate) fn scan_topic(
    reader: &BaseConsumer<Hearing>,
    topic: &str,
    count: u32,
    stop: &CancellationToken,
    each: impl FnMut(&BorrowedMessage<'_>),
) -> Result<bool, KafkaError> {
    let mut list = TopicPartitionList::new();
    for partition in 0..count {
        list.add_partition_offset(topic, partition as i32, Offset::Beginning)?;
    }
    reader.assign(&list)?;
    read_to_ends(reader, list.count(), stop, each)
}

/// The same for the partitions that `reader` was assigned, so many of one topic, from where it was told to begin.
pub(crate) fn read_to_ends(
    reader: &BaseConsumer<Hearing>,
    partitions: usize,
    stop: &CancellationToken,
    mut each: impl FnMut(&BorrowedMessage<'_>),
) -> Result<bool, KafkaError> {
    // Which, and not how many: one that grows meanwhile ends more than once. That an end says no topic is why there is
    // one topic at a time.
    let (mut ended, mut heard) = (HashSet::new(), Instant::now());
    while ended.len() < partitions {
        if stop.is_cancelled() {
            return Ok(false);
        }
        match polled(reader, LOOK_INTERVAL) {
            Some(Ok(record)) => each(&record),
            Some(Err(KafkaError::PartitionEOF(partition))) => {
                ended.insert(partition);
            }
            Some(Err(error)) => return Err(told(error, reader.context())),
            None if heard.elapsed() < ANSWER_MAX => continue,
            None => {
                let late = KafkaError::MessageConsumption(RDKafkaErrorCode::OperationTimedOut);
                return Err(told(late, reader.context()));
            }
        }
        heard = Instant::now();
    }
    Ok(true)
}
