//! Parked events in topics of their own: there is no log here to read them from again.

mod copying;
mod letter;
mod original;

pub use letter::{DeadLetter, RecordPlace};
use original::originals;

use crate::{
    Consumer, Incoming, KafkaFailed, KafkaOptions, blocking::blocking, client::all_topics, consumer::Held,
    scan::scan,
};
use annals::{
    DocumentStore, Parked, ParkedAction, ParkedEvents, ParkedRequest, Position, RecordedEvent, StoreError,
    SubscriberId, SubscriberInfo, part_name,
};
use async_trait::async_trait;
use rdkafka::{error::KafkaError, message::BorrowedMessage};
use std::{collections::HashMap, sync::Arc};
use tokio_util::sync::CancellationToken;

/// What the name of a dead-letter topic ends with.
const SUFFIX: &str = ".dlt";

/// Dead letters of consumers: for each topic one called `<topic>.dlt`, to which every event that is parked is copied as
/// it came, with what went wrong and where it comes from in headers (see [`headers`](crate::headers), those that begin
/// with `dlt-`), in the partition that its own key has there.
///
/// What is parked, and why, says the store of documents; the topic keeps the events. A copy is written before the event
/// is parked, so a crash in between leaves one more with the same `event-id`, which does no harm.
///
/// An event that is larger than its dead-letter topic takes is copied without its value, and the header
/// `payload-omitted` says how large that is. It is then read where it came from, as long as that topic keeps it: let
/// the two take the same (`max.message.bytes`).
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

    /// What `pick` makes of every dead letter that is kept, also of those that were settled since; those of a partition
    /// in their order. Only one of them is in memory at a time, besides what is picked.
    ///
    /// # Errors
    /// When Kafka fails.
    pub async fn select<T: Send + 'static>(
        &self,
        pick: impl Fn(DeadLetter) -> Option<T> + Send + 'static,
    ) -> Result<Vec<T>, KafkaFailed> {
        let never = CancellationToken::new();
        Ok(self.scanned(&never, move |record| pick(DeadLetter::read(record)?)).await?.unwrap_or_default())
    }

    /// The event of a letter without its value, from the topic that it came from; none where that does not keep it any
    /// more.
    ///
    /// # Errors
    /// When Kafka fails.
    pub async fn original(&self, letter: &DeadLetter) -> Result<Option<RecordedEvent>, KafkaFailed> {
        let position = letter.event.position;
        let found = originals(&self.options, HashMap::from([(position, letter.origin())])).await?;
        Ok(found.into_values().next().filter(|event| event.stream == letter.event.stream))
    }

    /// All dead letters that are kept, the newest `limit` of each topic's partitions; also those that were settled
    /// since.
    ///
    /// # Errors
    /// When Kafka fails.
    pub async fn list(&self, limit: usize) -> Result<Vec<DeadLetter>, KafkaFailed> {
        let mut found: Vec<DeadLetter> = self.select(Some).await?;
        found.sort_by_key(|letter| (letter.event.recorded_at, letter.event.position));
        let skip = found.len().saturating_sub(limit);
        Ok(found.split_off(skip))
    }

    /// Asks the consumers of the read model `name` to feed the events that are parked under `key` again, in order, as
    /// far as they go; false when nothing is parked there. They do so within seconds.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn replay(documents: &dyn DocumentStore, name: &str, key: &str) -> Result<bool, StoreError> {
        let Some((live, _)) = documents.live(name).await? else { return Ok(false) };
        documents.request(&live, &ParkedRequest { key: key.into(), action: ParkedAction::Retry }).await
    }

    /// What `read` makes of every record there is; none when `stop` was cancelled meanwhile.
    async fn scanned<T: Send + 'static>(
        &self,
        stop: &CancellationToken,
        read: impl Fn(&BorrowedMessage<'_>) -> Option<T> + Send + 'static,
    ) -> Result<Option<Vec<T>>, KafkaFailed> {
        let (options, topics, stop) = (self.options.clone(), self.topics.clone(), stop.clone());
        let scanned = move || {
            let mut found = vec![];
            let ended = scan(&options, &topics, &stop, |record| found.extend(read(record)))?;
            Ok(ended.then_some(found))
        };
        blocking(&self.options, "reading dead letters", scanned).await
    }
}

/// Where one part keeps what it parks.
pub(crate) struct PartLetters {
    pub(crate) letters: Arc<DeadLetters>,
    /// The records in hand, those of the page among them.
    pub(crate) held: Arc<Held>,
    pub(crate) handler: &'static str,
    /// When the part is to stop, nothing is searched any more.
    pub(crate) stop: CancellationToken,
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

    async fn find(&self, parked: &[Parked]) -> Result<Vec<Result<RecordedEvent, String>>, StoreError> {
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
        let stopped = || StoreError::transient("reading parked events", "this consumer is to stop");
        for (event, omitted, from) in self.letters.scanned(&self.stop, read).await?.ok_or_else(stopped)? {
            match omitted {
                true => elsewhere.extend(from.map(|from| (event.position, from))),
                false => drop(found.insert(event.position, event)),
            }
        }
        elsewhere.retain(|position, _| !found.contains_key(position));
        found.extend(originals(&self.letters.options, elsewhere.clone()).await?);
        let missing = |entry: &Parked| {
            let (position, topics) = (entry.position, self.letters.topics.join(", "));
            match elsewhere.get(&position) {
                None => format!("position {position} is not in {topics} any more: discard it"),
                Some(RecordPlace { topic, partition, .. }) => format!(
                    "the value of position {position} was larger than {topics} takes, and {topic} {partition} does not have it any more: discard it"
                ),
            }
        };
        let event_of = |entry: &Parked| found.get(&entry.position).cloned().ok_or_else(|| missing(entry));
        Ok(parked.iter().map(event_of).collect())
    }
}

impl std::fmt::Debug for DeadLetters {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DeadLetters").field("topics", &self.topics).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use annals::Version;
    use std::time::{Duration, Instant};

    /// Broken on purpose, and seen to fail this: topics searched whatever `stop` says. There is no broker: whoever asks
    /// one waits for seconds, and is told so.
    #[tokio::test]
    async fn nothing_is_searched_for_a_part_that_is_to_stop() {
        let letters = Arc::new(DeadLetters::new("kafka://127.0.0.1:1".parse().unwrap(), ["order"]));
        let part = PartLetters { letters, held: Arc::default(), handler: "tally", stop: Default::default() };
        part.stop.cancel();
        let entry = Parked {
            key: "order-3".into(),
            position: Position::new(1),
            stream: "order-3".parse().unwrap(),
            version: Version::new(1),
            error: String::new(),
            attempts: 1,
            parked_at: Default::default(),
        };
        let begun = Instant::now();
        let told = part.find(&[entry]).await.unwrap_err();
        assert!(told.is_transient() && annals::error_text(&told).contains("is to stop"), "{told:?}");
        assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    }
}
