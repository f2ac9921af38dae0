//! Reads topics from their beginning to their end.

use crate::{
    KafkaFailed, KafkaOptions,
    client::{ANSWER_MAX, partitions, told},
};
use rdkafka::{
    Offset, TopicPartitionList,
    consumer::Consumer as _,
    error::{KafkaError, RDKafkaErrorCode},
    message::BorrowedMessage,
};
use std::time::{Duration, Instant};
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
    let mut list = TopicPartitionList::new();
    let failed = |error| options.failed("reading topics", error);
    for topic in topics {
        for partition in 0..partitions(options, &reader, topic)?.unwrap_or(0) {
            list.add_partition_offset(topic, partition as i32, Offset::Beginning).map_err(failed)?;
        }
    }
    reader.assign(&list).map_err(failed)?;
    let (mut ended, mut heard) = (0, Instant::now());
    while ended < list.count() {
        if stop.is_cancelled() {
            return Ok(false);
        }
        match reader.poll(LOOK_INTERVAL) {
            Some(Ok(record)) => each(&record),
            Some(Err(KafkaError::PartitionEOF(_))) => ended += 1,
            Some(Err(error)) => return Err(failed(told(error, reader.context()))),
            None if heard.elapsed() < ANSWER_MAX => continue,
            None => {
                let late = KafkaError::MessageConsumption(RDKafkaErrorCode::OperationTimedOut);
                return Err(failed(told(late, reader.context())));
            }
        }
        heard = Instant::now();
    }
    Ok(true)
}
