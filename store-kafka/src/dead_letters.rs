//! Parked events in topics of their own: there is no log here to read them from again.

mod letter;

pub use letter::{DeadLetter, RecordPlace};

use crate::{
    Consumer, Incoming, KafkaFailed, KafkaOptions,
    client::{all_topics, partitions},
    consumer::Held,
    partition_of,
    scan::scan,
    session::{Outgoing, Session},
};
use annals::{
    DocumentStore, Parked, ParkedAction, ParkedEvents, ParkedRequest, Position, RecordedEvent, StoreError,
    SubscriberId, SubscriberInfo, part_name,
};
use async_trait::async_trait;
use rdkafka::{
    Message,
    error::{KafkaError, RDKafkaErrorCode},
    message::{BorrowedMessage, OwnedMessage},
};
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

/// What the name of a dead-letter topic ends with.
const SUFFIX: &str = ".dlt";

/// Dead letters of consumers: for each topic one called `<topic>.dlt`, to which every event that is parked is copied as it
/// came, with what went wrong and where it comes from in headers (see [`headers`](crate::headers), those that begin with
/// `dlt-`). Under one key of documents they are in order.
///
/// What is parked, and why, says the store of documents; the topic keeps the events. A copy is written before the event is
/// parked, so a crash in between leaves one more with the same `event-id`, which does no harm.
pub struct DeadLetters {
    options: KafkaOptions,
    topics: Vec<String>,
}

impl DeadLetters {
    /// Those of consumers of `topics`.
    pub fn new(options: KafkaOptions, topics: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let topics = topics.into_iter().map(|topic| Self::topic(&topic.into())).collect();
        Self { options, topics }
    }

    /// Events are looked for in these topics too, when parked ones are fed again.
    pub(crate) fn found_in(mut self, topics: impl IntoIterator<Item = String>) -> Self {
        self.topics.extend(topics);
        self
    }

    /// What the topic of dead letters of `topic` is called.
    pub fn topic(topic: &str) -> String {
        format!("{topic}{SUFFIX}")
    }

    /// Those of the topics that fill the generation `of` of a read model: found by what its `parts` are called
    /// ([`Consumer::part`](crate::Consumer::part)), among all topics of the cluster that this user may see.
    ///
    /// # Errors
    /// When Kafka fails.
    pub async fn filling(
        options: KafkaOptions,
        parts: &[SubscriberInfo],
        of: &SubscriberId,
    ) -> Result<Self, KafkaFailed> {
        let asking = options.clone();
        let asked = tokio::task::spawn_blocking(move || all_topics(&asking, &asking.reader()?)).await;
        let gone = |_| Err(options.failed("asking for the topics of the cluster", KafkaError::Canceled));
        let all = asked.unwrap_or_else(gone)?;
        let fills = |topic: &str| {
            let of_first = part_name(of.name(), of.generation(), &Consumer::part(topic, 0));
            // The number of the partition stands last.
            let begins = of_first.trim_end_matches('0');
            parts.iter().any(|part| part.subscriber.name().starts_with(begins))
        };
        let kept = all.into_keys().filter(|topic| topic.strip_suffix(SUFFIX).is_some_and(fills));
        Ok(Self { topics: kept.collect(), options })
    }

    /// What `pick` makes of every dead letter that is kept, also of those that were settled since; those of a partition in
    /// their order. Only one of them is in memory at a time, besides what is picked.
    ///
    /// # Errors
    /// When Kafka fails.
    pub async fn select<T: Send + 'static>(
        &self,
        pick: impl Fn(DeadLetter) -> Option<T> + Send + 'static,
    ) -> Result<Vec<T>, KafkaFailed> {
        self.scanned(move |record| pick(DeadLetter::read(record)?)).await
    }

    /// All dead letters that are kept, the newest `limit` of each topic's partitions; also those that were settled since.
    ///
    /// # Errors
    /// When Kafka fails.
    pub async fn list(&self, limit: usize) -> Result<Vec<DeadLetter>, KafkaFailed> {
        let mut found: Vec<DeadLetter> = self.select(Some).await?;
        found.sort_by_key(|letter| (letter.event.recorded_at, letter.event.position));
        let skip = found.len().saturating_sub(limit);
        Ok(found.split_off(skip))
    }

    /// Asks the consumers of the read model `name` to feed the events that are parked under `key` again, in order, as far
    /// as they go; false when nothing is parked there. They do so within seconds.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn replay(documents: &dyn DocumentStore, name: &str, key: &str) -> Result<bool, StoreError> {
        let Some((live, _)) = documents.live(name).await? else { return Ok(false) };
        documents.request(&live, &ParkedRequest { key: key.into(), action: ParkedAction::Retry }).await
    }

    /// What `read` makes of every record there is.
    async fn scanned<T: Send + 'static>(
        &self,
        read: impl Fn(&BorrowedMessage<'_>) -> Option<T> + Send + 'static,
    ) -> Result<Vec<T>, KafkaFailed> {
        let (options, topics) = (self.options.clone(), self.topics.clone());
        let scanned = tokio::task::spawn_blocking(move || {
            let mut found = vec![];
            scan(&options, &topics, |record| found.extend(read(record)))?;
            Ok(found)
        });
        scanned
            .await
            .unwrap_or_else(|_| Err(self.options.failed("reading dead letters", KafkaError::Canceled)))
    }

    /// Copies records to their topics; returns when all have arrived.
    async fn copy(
        &self,
        handler: &'static str,
        copies: Vec<(Parked, OwnedMessage)>,
    ) -> Result<(), KafkaFailed> {
        let options = self.options.clone();
        let copied = tokio::task::spawn_blocking(move || copy(&options, handler, &copies)).await;
        copied.unwrap_or_else(|_| {
            Err(self.options.failed("copying to a dead-letter topic", KafkaError::Canceled))
        })
    }
}

/// Poison is rare: a producer of its own for each time.
fn copy(options: &KafkaOptions, handler: &str, copies: &[(Parked, OwnedMessage)]) -> Result<(), KafkaFailed> {
    let (reader, session) = (options.reader()?, Session::plain(options)?);
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    for (entry, record) in copies {
        let topic = DeadLetters::topic(record.topic());
        let count = match counts.get(&topic) {
            Some(count) => *count,
            None => {
                let unknown = KafkaError::MetadataFetch(RDKafkaErrorCode::UnknownTopicOrPartition);
                let missing = || options.failed("copying to a dead-letter topic", unknown);
                let count = partitions(options, &reader, &topic)?.ok_or_else(missing)?;
                *counts.entry(topic.clone()).or_insert(count)
            }
        };
        let key = record.key().unwrap_or_default();
        let partition = partition_of(key, count) as i32;
        let headers = Some(letter::headers(handler, entry, record));
        session.send(Outgoing { topic: &topic, partition, key, value: record.payload(), headers })?;
    }
    session.arrived()
}

/// Where one part keeps what it parks.
pub(crate) struct PartLetters {
    pub(crate) letters: Arc<DeadLetters>,
    /// The records in hand, those of the page among them.
    pub(crate) held: Arc<Held>,
    pub(crate) handler: &'static str,
}

#[async_trait]
impl ParkedEvents for PartLetters {
    async fn keep(&self, parked: &[(&Parked, &RecordedEvent)]) -> Result<(), StoreError> {
        let mut copies = Vec::with_capacity(parked.len());
        for (entry, event) in parked {
            let missing = || StoreError::permanent("keeping a parked event", "its record is not in hand");
            copies.push(((*entry).clone(), self.held.record_of(event).ok_or_else(missing)?));
        }
        Ok(self.letters.copy(self.handler, copies).await?)
    }

    async fn find(&self, parked: &[Parked]) -> Result<Vec<RecordedEvent>, StoreError> {
        if parked.is_empty() {
            return Ok(vec![]);
        }
        let wanted: HashMap<Position, Parked> =
            parked.iter().map(|entry| (entry.position, entry.clone())).collect();
        let read = move |record: &BorrowedMessage<'_>| {
            let event = Incoming::read(record).ok()?.event;
            let entry = wanted.get(&event.position)?;
            (entry.stream == event.stream).then_some((event.position, event))
        };
        let found: HashMap<Position, RecordedEvent> = self.letters.scanned(read).await?.into_iter().collect();
        let missing = |entry: &Parked| {
            let topics = self.letters.topics.join(", ");
            let reason = format!("position {} is not in {topics} any more: discard it", entry.position);
            StoreError::permanent("reading a parked event", reason)
        };
        parked.iter().map(|entry| found.get(&entry.position).cloned().ok_or_else(|| missing(entry))).collect()
    }
}

impl std::fmt::Debug for DeadLetters {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DeadLetters").field("topics", &self.topics).finish_non_exhaustive()
    }
}
