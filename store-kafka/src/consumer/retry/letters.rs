//! Where a part keeps what it refuses while there is a retry topic left for it.

use super::{Retries, copy};
use crate::{
    KafkaFailed, KafkaOptions,
    blocking::blocking,
    client::partitions,
    dead_letters::PartLetters,
    partition_of,
    session::{Outgoing, Session},
};
use annals::{Parked, ParkedEvents, Position, RecordedEvent, StoreError};
use async_trait::async_trait;
use chrono::Utc;
use rdkafka::{
    Message,
    error::{KafkaError, RDKafkaErrorCode},
    message::{OwnedHeaders, OwnedMessage},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// What is being done, as errors name it.
const DOING: &str = "copying to a retry topic";

/// Keeps what one part refuses: in the next retry topic, or where there is none with the dead letters.
pub(in crate::consumer) struct RetryLetters {
    dead: PartLetters,
    options: KafkaOptions,
    /// The number of the next retry topic, and how long a record waits there.
    next: Option<(usize, Duration)>,
    sender: Mutex<Sender>,
}

/// Who copies.
#[derive(Default, Clone)]
struct Sender {
    part: String,
    /// Where it stands when it has decided; none where that is behind the event itself.
    decided_at: Option<Position>,
}

/// A copy on its way.
struct Outgo {
    topic: String,
    record: OwnedMessage,
    headers: OwnedHeaders,
}

impl RetryLetters {
    /// For a part that reads the retry topic of this number, or with 0 a topic itself.
    pub(in crate::consumer) fn new(
        dead: PartLetters,
        options: KafkaOptions,
        retries: &Retries,
        number: usize,
    ) -> Self {
        let next = retries.delay(number + 1).map(|delay| (number + 1, delay));
        Self { dead, options, next, sender: Mutex::default() }
    }

    /// From now on `part` copies, and has decided when it stands at `decided_at`, or else behind the event.
    pub(in crate::consumer) fn sends_as(&self, part: &str, decided_at: Option<Position>) {
        let sender = Sender { part: part.into(), decided_at };
        *self.sender.lock().unwrap_or_else(PoisonError::into_inner) = sender;
    }

    /// One copy of each event, whatever keys refuse it.
    fn outgoing(
        &self,
        number: usize,
        delay: Duration,
        parked: &[(&Parked, &RecordedEvent)],
    ) -> Result<Vec<Outgo>, StoreError> {
        let Sender { part, decided_at } = self.sender.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let (due, mut known, mut all) = (Utc::now() + delay, BTreeSet::new(), vec![]);
        for (entry, event) in parked.iter().filter(|(_, event)| known.insert(event.position)) {
            let missing = || StoreError::permanent(DOING, "its record is not in hand");
            let record = self.dead.held.record_of(event).ok_or_else(missing)?;
            let sender = (part.as_str(), decided_at.unwrap_or(event.position));
            let headers = copy::headers(&record, entry, sender, due);
            all.push(Outgo { topic: Retries::topic(record.topic(), number), record, headers });
        }
        Ok(all)
    }
}

#[async_trait]
impl ParkedEvents for RetryLetters {
    async fn keep(&self, parked: &[(&Parked, &RecordedEvent)]) -> Result<(), StoreError> {
        let Some((number, delay)) = self.next else { return self.dead.keep(parked).await };
        let (outgoing, options) = (self.outgoing(number, delay, parked)?, self.options.clone());
        match blocking(&self.options, DOING, move || send(&options, outgoing)).await {
            // With what a copy says besides, one of them is larger than its topic takes: they come again no more.
            Err(error) if error.code() == Some(RDKafkaErrorCode::MessageSizeTooLarge) => {
                tracing::warn!(%error, "a refused event is not tried again");
                self.dead.keep(parked).await
            }
            sent => Ok(sent?),
        }
    }

    async fn find(&self, parked: &[Parked]) -> Result<Vec<Result<RecordedEvent, String>>, StoreError> {
        self.dead.find(parked).await
    }
}

/// Sends copies; returns when all have arrived. Poison is rare: a producer of its own for each time.
fn send(options: &KafkaOptions, outgoing: Vec<Outgo>) -> Result<(), KafkaFailed> {
    let (reader, session) = (options.reader()?, Session::plain(options)?);
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    for Outgo { topic, record, headers } in outgoing {
        let count = match counts.get(&topic) {
            Some(count) => *count,
            None => {
                let unknown = KafkaError::MetadataFetch(RDKafkaErrorCode::UnknownTopicOrPartition);
                let missing = || options.failed(DOING, unknown);
                let count = partitions(options, &reader, &topic)?.ok_or_else(missing)?;
                *counts.entry(topic.clone()).or_insert(count)
            }
        };
        let key = record.key().unwrap_or_default();
        let partition = partition_of(key, count) as i32;
        let (value, headers) = (record.payload(), Some(headers));
        session.send(Outgoing { topic: &topic, partition, key, value, headers })?;
    }
    session.arrived()
}
