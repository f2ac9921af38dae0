//! The last record of a partition that says something.

use crate::client::{ANSWER_MAX, Hearing, bounds_of, one_partition, polled, told};
use rdkafka::{
    Message,
    consumer::{BaseConsumer, Consumer},
    error::{KafkaError, RDKafkaErrorCode},
    message::BorrowedMessage,
};
use std::time::Instant;

/// How far behind the end of a partition it is looked for at first; then eight times as far, and so on to its beginning.
const LOOK_BACK_FIRST: i64 = 64;

/// What `read` makes of the last committed record of `partition` of which it makes anything. Blocks.
pub(crate) fn last_in<T>(
    reader: &BaseConsumer<Hearing>,
    topic: &str,
    partition: i32,
    read: impl Fn(&BorrowedMessage<'_>) -> Option<T>,
) -> Result<Option<T>, KafkaError> {
    // The high mark is the last stable offset: nothing of an open transaction lies below it.
    let (low, high) = bounds_of(reader, topic, partition)?;
    if low == high {
        return Ok(None);
    }
    let mut back = LOOK_BACK_FIRST;
    loop {
        let from = low.max(high.saturating_sub(back));
        reader.assign(&one_partition(topic, partition, from)?)?;
        let found = last_of_assigned(reader, high, &read);
        // It is heard again, and then must have no records to say.
        reader.unassign()?;
        match found? {
            None if from > low => back = back.saturating_mul(8),
            found => return Ok(found),
        }
    }
}

/// The same in what is assigned, up to offset `high`.
fn last_of_assigned<T>(
    reader: &BaseConsumer<Hearing>,
    high: i64,
    read: impl Fn(&BorrowedMessage<'_>) -> Option<T>,
) -> Result<Option<T>, KafkaError> {
    let mut last = None;
    let begun = Instant::now();
    while begun.elapsed() < ANSWER_MAX {
        match polled(reader, ANSWER_MAX) {
            Some(Ok(record)) if record.offset() >= high => return Ok(last),
            Some(Ok(record)) => {
                last = read(&record).or(last);
                if record.offset() + 1 >= high {
                    return Ok(last);
                }
            }
            // Behind the last record there may be marks of transactions, which are nobody's to see.
            Some(Err(KafkaError::PartitionEOF(_))) => return Ok(last),
            Some(Err(error)) => return Err(told(error, reader.context())),
            None => break,
        }
    }
    Err(told(KafkaError::MessageConsumption(RDKafkaErrorCode::OperationTimedOut), reader.context()))
}
