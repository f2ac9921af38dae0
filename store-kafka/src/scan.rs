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

/// Calls `each` for every record of `topics`, those of a partition in their order; topics that are not there have none.
/// Blocks: for a thread that may.
pub(crate) fn scan(
    options: &KafkaOptions,
    topics: &[String],
    mut each: impl FnMut(&BorrowedMessage<'_>),
) -> Result<(), KafkaFailed> {
    let reader = options.reader()?;
    let mut list = TopicPartitionList::new();
    let failed = |error| options.failed("reading topics", error);
    for topic in topics {
        for partition in 0..partitions(options, &reader, topic)?.unwrap_or(0) {
            list.add_partition_offset(topic, partition as i32, Offset::Beginning).map_err(failed)?;
        }
    }
    reader.assign(&list).map_err(failed)?;
    let mut ended = 0;
    while ended < list.count() {
        match reader.poll(ANSWER_MAX) {
            Some(Ok(record)) => each(&record),
            Some(Err(KafkaError::PartitionEOF(_))) => ended += 1,
            Some(Err(error)) => return Err(failed(told(error, reader.context()))),
            None => {
                let late = KafkaError::MessageConsumption(RDKafkaErrorCode::OperationTimedOut);
                return Err(failed(told(late, reader.context())));
            }
        }
    }
    Ok(())
}
