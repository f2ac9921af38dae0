//! The events of dead letters that were too large to be copied whole, from the topics that they came from.

use super::RecordPlace;
use crate::{
    Incoming, KafkaFailed, KafkaOptions,
    client::{ANSWER_MAX, Hearing, one_partition, polled, told},
};
use annals::{Position, RecordedEvent};
use rdkafka::{
    Message,
    consumer::{BaseConsumer, Consumer as _},
    error::{KafkaError, RDKafkaErrorCode},
};
use std::collections::HashMap;

const READING: &str = "reading an event where it came from";

/// The events at `places`, each known by its position; those that are not there any more are left out.
pub(super) async fn originals(
    options: &KafkaOptions,
    places: HashMap<Position, RecordPlace>,
) -> Result<HashMap<Position, RecordedEvent>, KafkaFailed> {
    if places.is_empty() {
        return Ok(HashMap::new());
    }
    let asking = options.clone();
    let read = move || {
        let (reader, mut found) = (asking.reader()?, HashMap::new());
        for (position, place) in places {
            let event = original(&reader, &place);
            let failed = |error| asking.failed_as(reader.context(), READING, told(error, reader.context()));
            let event = event.map_err(failed)?.filter(|event| event.position == position);
            found.extend(event.map(|event| (position, event)));
        }
        Ok(found)
    };
    let read = tokio::task::spawn_blocking(read).await;
    read.unwrap_or_else(|_| Err(options.failed(READING, KafkaError::Canceled)))
}

/// The event at `place`, if it is still there with its value.
fn original(
    reader: &BaseConsumer<Hearing>,
    place: &RecordPlace,
) -> Result<Option<RecordedEvent>, KafkaError> {
    let RecordPlace { topic, partition, offset } = place;
    reader.assign(&one_partition(topic, *partition, *offset)?)?;
    match polled(reader, ANSWER_MAX) {
        // Where it is gone, reading begins with the oldest that is there.
        Some(Ok(record)) if record.offset() == *offset => {
            let incoming = Incoming::read(&record).ok();
            Ok(incoming.filter(|incoming| incoming.omitted.is_none()).map(|incoming| incoming.event))
        }
        Some(Ok(_) | Err(KafkaError::PartitionEOF(_))) => Ok(None),
        Some(Err(error)) if is_gone(&error) => Ok(None),
        Some(Err(error)) => Err(error),
        None => Err(KafkaError::MessageConsumption(RDKafkaErrorCode::OperationTimedOut)),
    }
}

/// Whether the topic is no more.
fn is_gone(error: &KafkaError) -> bool {
    let gone = [
        RDKafkaErrorCode::UnknownTopic,
        RDKafkaErrorCode::UnknownTopicOrPartition,
        RDKafkaErrorCode::UnknownPartition,
    ];
    error.rdkafka_error_code().is_some_and(|code| gone.contains(&code))
}
