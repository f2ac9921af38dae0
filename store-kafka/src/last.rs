//! What the records at the end of a partition say.

use crate::{
    REPEATED_RECORDS_MAX,
    client::{ANSWER_MAX, Hearing, bounds_of, one_partition, polled, told},
};
use rdkafka::{
    Message,
    consumer::{BaseConsumer, Consumer},
    error::{KafkaError, RDKafkaErrorCode},
    message::BorrowedMessage,
};

/// How far behind the end of a partition it is looked for at first; then eight times as far, and so on to its beginning.
const LOOK_BACK_FIRST: i64 = 64;

/// What `read` makes of the last committed record of `partition` of which it makes anything. Blocks.
pub(crate) fn last_in<T>(
    reader: &BaseConsumer<Hearing>,
    topic: &str,
    partition: i32,
    read: impl Fn(&BorrowedMessage<'_>) -> Option<T>,
) -> Result<Option<T>, KafkaError> {
    found_in(reader, topic, partition, LOOK_BACK_FIRST, read, |_, later| later)
}

/// The greatest that `read` makes of one of the last committed records of `partition`: of as many as a publisher may
/// repeat, and of more where it makes nothing of those. Blocks.
pub(crate) fn greatest_in<T: Ord>(
    reader: &BaseConsumer<Hearing>,
    topic: &str,
    partition: i32,
    read: impl Fn(&BorrowedMessage<'_>) -> Option<T>,
) -> Result<Option<T>, KafkaError> {
    // The one in front of those that are repeated is among them.
    let back = i64::try_from(REPEATED_RECORDS_MAX).unwrap_or(i64::MAX).saturating_add(1);
    found_in(reader, topic, partition, back, read, T::max)
}

fn found_in<T>(
    reader: &BaseConsumer<Hearing>,
    topic: &str,
    partition: i32,
    mut back: i64,
    read: impl Fn(&BorrowedMessage<'_>) -> Option<T>,
    choose: impl Fn(T, T) -> T,
) -> Result<Option<T>, KafkaError> {
    // The high mark is the last stable offset: nothing of an open transaction lies below it.
    let (low, high) = bounds_of(reader, topic, partition)?;
    if low == high {
        return Ok(None);
    }
    loop {
        let from = low.max(high.saturating_sub(back));
        reader.assign(&one_partition(topic, partition, from)?)?;
        let found = found_in_assigned(reader, high, &read, &choose);
        // It is heard again, and then must have no records to say.
        reader.unassign()?;
        match found? {
            None if from > low => back = back.saturating_mul(8),
            found => return Ok(found),
        }
    }
}

/// The same in what is assigned, up to offset `high`.
fn found_in_assigned<T>(
    reader: &BaseConsumer<Hearing>,
    high: i64,
    read: impl Fn(&BorrowedMessage<'_>) -> Option<T>,
    choose: impl Fn(T, T) -> T,
) -> Result<Option<T>, KafkaError> {
    let mut found = None;
    loop {
        match polled(reader, ANSWER_MAX) {
            Some(Ok(record)) if record.offset() >= high => return Ok(found),
            Some(Ok(record)) => {
                found = match (found, read(&record)) {
                    (Some(one), Some(later)) => Some(choose(one, later)),
                    (one, later) => later.or(one),
                };
                if record.offset() + 1 >= high {
                    return Ok(found);
                }
            }
            // Behind the last record there may be marks of transactions, which are nobody's to see.
            Some(Err(KafkaError::PartitionEOF(_))) => return Ok(found),
            Some(Err(error)) => return Err(told(error, reader.context())),
            None => break,
        }
    }
    Err(told(KafkaError::MessageConsumption(RDKafkaErrorCode::OperationTimedOut), reader.context()))
}
