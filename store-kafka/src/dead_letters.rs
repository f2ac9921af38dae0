//! Parked events in topics of their own: there is no log here to read them from again.

mod copying;
mod letter;
mod original;

pub use letter::{DeadLetter, RecordPlace};
use original::originals;

use crate::{Consumer, Incoming, KafkaFailed, KafkaOptions, client::all_topics, consumer::Held, scan::scan};
use annals::{
    DocumentStore, Parked, ParkedAction, ParkedEvents, ParkedRequest, Position, RecordedEvent, StoreError,
    SubscriberId, SubscriberInfo, part_name,
};
use async_trait::async_trait;
use rdkafka::{error::KafkaError, message::BorrowedMessage};
use std::{collections::HashMap, sync::Arc};

/// What the name of a dead-letter topic ends with.
const SUFFIX: &str = ".dlt";

/// Dead letters of consumers: for each topic one called `<topic>.dlt`, to which every event that is parked is copied as it
/// came, with what went wrong and where it comes from in headers (see [`headers`](crate::headers), those that begin with
/// `dlt-`). Under one key of documents they are in order.
///
/// What is parked, and why, says the store of documents; the topic keeps the events. A copy is written before the event is
/// parked, so a crash in between leaves one more with the same `event-id`, which does no harm.
///
/// An event that is larger than its dead-letter topic takes is copied without its value, and the header `payload-omitted`
/// says how large that is. It is then read where it came from, as long as that topic keeps it: let the two take the same
/// (`max.message.bytes`).
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

    /// The event of a letter without its value, from the topic that it came from; none where that does not keep it any more.
    ///
    /// # Errors
    /// When Kafka fails.
    pub async fn original(&self, letter: &DeadLetter) -> Result<Option<RecordedEvent>, KafkaFailed> {
        let position = letter.event.position;
        let found = originals(&self.options, HashMap::from([(position, letter.origin())])).await?;
        Ok(found.into_values().next().filter(|event| event.stream == letter.event.stream))
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
            let incoming = Incoming::read(record).ok()?;
            let entry = wanted.get(&incoming.event.position)?;
            let from = incoming.omitted.and_then(|_| Some(DeadLetter::read(record)?.origin()));
            (entry.stream == incoming.event.stream).then_some((
                incoming.event,
                incoming.omitted.is_some(),
                from,
            ))
        };
        let (mut found, mut elsewhere) = (HashMap::new(), HashMap::new());
        for (event, omitted, from) in self.letters.scanned(read).await? {
            match omitted {
                true => elsewhere.extend(from.map(|from| (event.position, from))),
                false => drop(found.insert(event.position, event)),
            }
        }
        elsewhere.retain(|position, _| !found.contains_key(position));
        found.extend(originals(&self.letters.options, elsewhere.clone()).await?);
        let missing = |entry: &Parked| {
            let (position, topics) = (entry.position, self.letters.topics.join(", "));
            let reason = match elsewhere.get(&position) {
                None => format!("position {position} is not in {topics} any more: discard it"),
                Some(RecordPlace { topic, partition, .. }) => format!(
                    "the value of position {position} was larger than {topics} takes, and {topic} {partition} does not have it any more: discard it"
                ),
            };
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
