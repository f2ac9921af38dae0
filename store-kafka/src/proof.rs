//! Reads topics from beginning to end as a consumer would, and says whether everything is there, once and in order.

use crate::{
    Chain, Incoming, KafkaFailed, KafkaOptions, Link,
    client::{ANSWER_MAX, Hearing, end_of, partitions},
    running::key_of,
    scan::scan_topic,
};
use annals::{StreamId, Version};
use rdkafka::{
    Message, Offset, TopicPartitionList,
    consumer::BaseConsumer,
    error::{KafkaError, RDKafkaErrorCode},
    message::BorrowedMessage,
};
use serde::Serialize;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    thread,
    time::{Duration, Instant},
};
use tokio_util::sync::CancellationToken;

/// How often it is asked whether what was committed can be seen.
const SETTLE_INTERVAL: Duration = Duration::from_millis(20);

/// What a consumer finds that reads topics from their beginning to their end, committed records only.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Proof {
    /// The topics, by name.
    pub topics: BTreeMap<String, TopicProof>,
}

/// What a consumer finds in one topic.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct TopicProof {
    /// How many partitions it has.
    pub partitions: u32,
    /// How many records there are that are events.
    pub records: u64,
    /// How many streams they belong to.
    pub streams: u64,
    /// Places where `previous-position` shows that records are missing.
    pub missing: u64,
    /// Records that were there before.
    pub repeated: u64,
    /// Records that do not follow the one before them in their stream, or not in their partition.
    pub out_of_order: u64,
    /// Records under another key, or in another partition, than their stream belongs to.
    pub misplaced: u64,
    /// Records that are no events of ours.
    pub foreign: u64,
}

impl Proof {
    /// Whether every record is there, once, in order, and where it belongs.
    pub fn holds(&self) -> bool {
        self.topics.values().all(|topic| {
            let TopicProof { missing, repeated, out_of_order, misplaced, foreign, .. } = topic;
            [missing, repeated, out_of_order, misplaced, foreign].into_iter().all(|count| *count == 0)
        })
    }

    /// How many records there are in all.
    pub fn records(&self) -> u64 {
        self.topics.values().map(|topic| topic.records).sum()
    }

    /// Reads `topics`. Remembers one number for each partition and each stream.
    ///
    /// # Errors
    /// When a topic is not there, or cannot be read to its end.
    pub async fn read(options: &KafkaOptions, topics: BTreeSet<String>) -> Result<Self, KafkaFailed> {
        let (reading, options) = (options.clone(), options.clone());
        let read = tokio::task::spawn_blocking(move || Self::read_now(&reading, &topics)).await;
        read.unwrap_or_else(|_| Err(options.failed("reading topics", KafkaError::Canceled)))
    }

    fn read_now(options: &KafkaOptions, topics: &BTreeSet<String>) -> Result<Self, KafkaFailed> {
        let failed = |error| options.failed("reading topics", error);
        let reader = options.reader()?;
        let (mut proof, mut list) = (Self::default(), TopicPartitionList::new());
        for topic in topics {
            let unknown = KafkaError::MetadataFetch(RDKafkaErrorCode::UnknownTopicOrPartition);
            let count = partitions(options, &reader, topic)?.ok_or_else(|| failed(unknown))?;
            for partition in 0..count {
                list.add_partition_offset(topic, partition as i32, Offset::Beginning).map_err(failed)?;
            }
            let found = TopicProof { partitions: count, ..TopicProof::default() };
            proof.topics.insert(topic.clone(), found);
        }
        settle(options, &reader, &list)?;
        let (mut versions, never) = (HashMap::new(), CancellationToken::new());
        for (topic, found) in &mut proof.topics {
            let (mut chains, partitions) = (HashMap::new(), found.partitions);
            let each = |record: &BorrowedMessage<'_>| found.look(record, &mut chains, &mut versions);
            scan_topic(&reader, topic, partitions, &never, each).map_err(failed)?;
        }
        Ok(proof)
    }
}

/// Waits until what was committed can be seen: a commit is answered before every partition knows of it. What stays open
/// longer is not waited for.
fn settle(
    options: &KafkaOptions,
    reader: &BaseConsumer<Hearing>,
    list: &TopicPartitionList,
) -> Result<(), KafkaFailed> {
    let failed = |error| options.failed("asking where topics end", error);
    let all = options.reader_of_all()?;
    let begun = Instant::now();
    for element in list.elements() {
        let (topic, partition) = (element.topic(), element.partition());
        let end = end_of(&all, topic, partition).map_err(failed)?;
        while end_of(reader, topic, partition).map_err(failed)? < end {
            if begun.elapsed() > ANSWER_MAX {
                return Ok(());
            }
            thread::sleep(SETTLE_INTERVAL);
        }
    }
    Ok(())
}

impl TopicProof {
    fn look(
        &mut self,
        record: &BorrowedMessage<'_>,
        chains: &mut HashMap<i32, Chain>,
        versions: &mut HashMap<StreamId, Version>,
    ) {
        let Ok(incoming) = Incoming::read(record) else {
            self.foreign += 1;
            return;
        };
        let chain = chains.entry(record.partition()).or_default();
        let link = chain.see(&incoming);
        match link {
            Link::Next => {}
            Link::Repeated => {
                self.repeated += 1;
                return;
            }
            Link::Lost { .. } => self.missing += 1,
            Link::Forked { .. } => self.out_of_order += 1,
        }
        if link != Link::Next {
            *chain = Chain::behind(incoming.event.position);
        }
        self.note(&incoming, record, versions);
    }

    fn note(
        &mut self,
        incoming: &Incoming,
        record: &impl Message,
        versions: &mut HashMap<StreamId, Version>,
    ) {
        let event = &incoming.event;
        self.records += 1;
        let key = key_of(event);
        let partition = crate::partition_of(key.as_bytes(), self.partitions);
        let placed = record.key() == Some(key.as_bytes()) && record.partition() == partition as i32;
        self.misplaced += u64::from(!placed);
        match versions.get_mut(&event.stream) {
            Some(last) => {
                self.out_of_order += u64::from(event.version <= *last);
                *last = event.version;
            }
            None => {
                self.streams += 1;
                versions.insert(event.stream.clone(), event.version);
            }
        }
    }
}
