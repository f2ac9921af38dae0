//! Feeds a projection or a policy of another service from topics.

mod back;
mod consumed;
mod ends;
mod error;
mod foreign;
mod handler;
mod held;
mod member;
mod partition;
mod parts;
mod pass_over;
mod reader;
mod retry;
mod sieve;
mod task;
mod terms;
mod waiting;

pub use consumed::{Consumed, TopicConsumed};
pub use error::{ConsumeError, PartitionError};
pub use handler::Handler;
pub use member::REVOKED_WAIT_MAX;
pub use pass_over::{PassOverError, pass_over};
pub use retry::{RETRY_DELAY_MAX, RETRY_TOPICS_MAX, Retries, RetriesError};
pub use terms::{
    ConsumerTerms, First, Foreign, OFFSETS_INTERVAL, PAGE_RECORDS_MAX, SESSION_LASTS, WAITING_BYTES_MAX,
    WAITING_RECORDS_MAX,
};

pub(crate) use held::Held;

use crate::{
    DeadLetters, KafkaOptions, PARTITIONS_MAX,
    admin::Keeps,
    topic::{look, made},
};
use member::Member;
use partition::{Partition, hash};
use parts::{Parts, retry_topics};
use rdkafka::{
    config::ClientConfig,
    consumer::{BaseConsumer, Consumer as _},
};
use reader::Reader;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use tokio::{runtime::Handle, sync::oneshot};
use tokio_util::sync::CancellationToken;

/// How often the client says how far it is behind, for metrics.
const STATISTICS_INTERVAL_MS: &str = "5000";

/// How many records the client fetches ahead, beside those that [wait](WAITING_RECORDS_MAX).
const FETCHED_RECORDS: usize = 4_096;

/// How long it asks for no more when it has so many. Its own second is longer than it takes to handle them.
const FETCH_PAUSE_MS: &str = "5";

/// Feeds a projection or a policy from topics: a member of a consumer group, of which any number may run, in any number
/// of processes.
///
/// **Exactly-once effect.** Each partition is a part of the handler: a subscriber of its own with a lease, whose
/// checkpoint (a position of the publisher's log) is written in one transaction with what the records make. A partition
/// that changes its member begins there, so nothing counts twice and nothing is left out, whatever was killed. Offsets
/// are committed to Kafka too, for people and tools that watch the group; nothing rests on them. A policy sends its
/// commands before its checkpoint is moved; those that are sent again are known ([`Handler::policy`]).
///
/// **In order.** Events of one aggregate are in one partition and are handled in their order. Partitions are handled
/// beside each other; a document that several touch is folded again when another came first.
///
/// **Checked.** `previous-position` of each record tells whether one is missing before it, or was there already:
/// repeats are dropped and counted, a loss or a second publisher stops the partition with a [`PartitionError`] that is
/// reported on its part, while others go on. It is tried again every half minute at most.
///
/// **Poison.** An event that a projection refuses, also after a few tries, is parked under its key, with later ones of
/// that key behind it, and copied to the [dead-letter topic](DeadLetters); everything else goes on. With [`Retries`] it
/// comes again before that, later and later, and its key goes on meanwhile: each event still counts once, but not in
/// order. It is listed as parked as long as it waits. Events of types that the handler does not take are passed over
/// and counted. One that cannot be decoded at all stops its partition.
///
/// The topics of one consumer come from one log: parked events are told apart by their positions.
///
/// Metrics: `annals_records_behind` (group, topic, partition), `annals_records_skipped`, `_repeated`, `_foreign`,
/// `_omitted`, `_lost`, `_forked` (subscriber, topic), `annals_part_races`, besides those of every subscriber.
#[derive(Debug)]
pub struct Consumer {
    options: KafkaOptions,
    group: Arc<str>,
    topics: BTreeSet<String>,
    handler: Handler,
    terms: ConsumerTerms,
    consumed: Consumed,
}

impl Consumer {
    /// Feeds `handler` from `topics` as a member of `group`. A group has one handler: give each its own.
    pub fn new(
        group: &str,
        options: KafkaOptions,
        topics: impl IntoIterator<Item = impl Into<String>>,
        handler: Handler,
        terms: ConsumerTerms,
    ) -> Self {
        let topics = topics.into_iter().map(Into::into).collect();
        Self { options, group: group.into(), topics, handler, terms, consumed: Consumed::default() }
    }

    /// What it does from now on, to be looked at while it runs and behind that.
    pub fn consumed(&self) -> Consumed {
        self.consumed.clone()
    }

    /// The name of the part that handles `partition` of `topic`, in front of it the projection's or policy's name and
    /// the generation: as [`part_name`](annals::part_name) makes it.
    pub fn part(topic: &str, partition: i32) -> String {
        Partition { topic: topic.into(), number: partition }.part()
    }

    /// Runs until `stop` is cancelled and every partition has finished the page in hand. Dropped before that, it ends
    /// by itself the same way.
    ///
    /// # Errors
    /// When a topic is missing, or Kafka lets this consumer not in. What may pass is waited out.
    pub async fn run(self, stop: CancellationToken) -> Result<(), ConsumeError> {
        if self.handler.parks().is_none() && self.terms.retries.is_some() {
            return Err(ConsumeError::Retries { handler: self.handler.name() });
        }
        // Each question may take long where nobody answers.
        match stop.run_until_cancelled(self.see_to_topics()).await {
            Some(seen_to) => seen_to?,
            None => return Ok(()),
        }
        let stop = stop.child_token();
        let _ends_with_this_future = stop.clone().drop_guard();
        let (tell, ended) = oneshot::channel();
        let reader = self.reader(stop)?;
        let read = move || {
            // Nobody listens any more where the future was dropped.
            let _ = tell.send(reader.run());
        };
        std::thread::Builder::new()
            .name("annals-kafka-reads".into())
            .spawn(read)
            .map_err(ConsumeError::Thread)?;
        ended.await.unwrap_or(Err(ConsumeError::Ended))
    }

    async fn see_to_topics(&self) -> Result<(), ConsumeError> {
        let partitions = self.look_at_topics().await?;
        match self.handler.parks() {
            Some(_) => self.make_topics_of_refused(&partitions).await,
            None => Ok(()),
        }
    }

    async fn look_at_topics(&self) -> Result<BTreeMap<String, u32>, ConsumeError> {
        let reader = Arc::new(self.options.reader()?);
        let (mut found, mut hashes) = (BTreeMap::new(), BTreeMap::new());
        for topic in &self.topics {
            let partitions = match (look(&self.options, &reader, topic).await?, self.terms.create_topics) {
                (Some(partitions), _) => partitions,
                (None, Some(wanted)) => {
                    let wanted = wanted.clamp(1, PARTITIONS_MAX);
                    let made = made(&self.options, &reader, topic, wanted, Keeps::AsUsual).await;
                    made.map_err(ConsumeError::Topic)?
                }
                (None, None) => return Err(ConsumeError::NoTopic { topic: topic.clone() }),
            };
            found.insert(topic.clone(), partitions);
        }
        for topic in self.topics_read() {
            if let Some(one) = hashes.insert(hash(&topic), topic.clone()) {
                return Err(ConsumeError::Alike { one, other: topic });
            }
        }
        Ok(found)
    }

    /// The topics, and the retry topics of each.
    fn topics_read(&self) -> impl Iterator<Item = String> {
        let again = retry_topics(&self.topics, self.terms.retries.as_ref());
        self.topics.iter().cloned().chain(again.into_keys())
    }

    /// Made at the start, so that a missing right is not found out by the first event that is refused.
    async fn make_topics_of_refused(&self, topics: &BTreeMap<String, u32>) -> Result<(), ConsumeError> {
        let reader = Arc::new(self.options.reader()?);
        for (topic, partitions) in topics {
            let retries = self.terms.retries.iter().flat_map(|retries| retries.topics(topic));
            let retries = retries.map(|(_, name)| (name, Keeps::AsUsual));
            // Nobody knows when a person comes to look at dead letters.
            for (name, keeps) in retries.chain([(DeadLetters::topic(topic), Keeps::All)]) {
                if look(&self.options, &reader, &name).await?.is_none() {
                    let made = made(&self.options, &reader, &name, *partitions, keeps).await;
                    made.map_err(ConsumeError::DeadLetters)?;
                }
            }
        }
        Ok(())
    }

    fn reader(self, stop: CancellationToken) -> Result<Reader, ConsumeError> {
        let (options, runtime) = (self.options.clone(), Handle::current());
        let member = Member::new(options.hearing(), self.group.clone());
        let made = self.config().create_with_context(member);
        let consumer: BaseConsumer<Member> = made.map_err(|error| options.failed("connecting", error))?;
        let topics: Vec<String> = self.topics_read().collect();
        let topics: Vec<&str> = topics.iter().map(String::as_str).collect();
        consumer.subscribe(&topics).map_err(|error| options.failed("subscribing", error))?;
        let parts = Parts::new(self.options, &self.topics, self.handler, self.terms, self.consumed);
        let make = move |partition, consumer, rewind, stop| parts.task(partition, consumer, rewind, stop);
        Ok(Reader { options, consumer: Arc::new(consumer), make: Box::new(make), runtime, stop })
    }

    fn config(&self) -> ClientConfig {
        let mut config = self.options.config();
        if config.get("session.timeout.ms").is_none() {
            config.set("session.timeout.ms", SESSION_LASTS.as_millis().to_string());
        }
        config
            .set("group.id", &*self.group)
            .set("partition.assignment.strategy", "cooperative-sticky")
            .set("isolation.level", "read_committed")
            .set("auto.offset.reset", "earliest")
            // What is committed is what the parts have handled.
            .set("enable.auto.commit", "true")
            .set("enable.auto.offset.store", "false")
            .set("auto.commit.interval.ms", OFFSETS_INTERVAL.as_millis().to_string())
            .set("queued.min.messages", FETCHED_RECORDS.to_string())
            .set("queued.max.messages.kbytes", (WAITING_BYTES_MAX >> 10).to_string())
            .set("fetch.queue.backoff.ms", FETCH_PAUSE_MS)
            .set("fetch.wait.max.ms", "50")
            .set("statistics.interval.ms", STATISTICS_INTERVAL_MS);
        config
    }
}
