//! What a publisher without transactions has sent: as the store's database knows it, and as the topics show it.

use crate::{
    Incoming, KafkaFailed, KafkaOptions,
    client::{ANSWER_MAX, Ends, Hearing, end_of},
    control::Control,
    scan::read_to_ends,
};
use annals::{Json, Position};
use rdkafka::{
    Message, Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer},
    error::{KafkaError, RDKafkaErrorCode},
    message::BorrowedMessage,
};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, HashSet},
    thread,
    time::{Duration, Instant},
};
use tokio_util::sync::CancellationToken;

/// A document of the publisher, written with its checkpoint: how far its topics were filled then. What lies behind that
/// in a topic was sent later, by a session that did not live to write it down.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Sent {
    /// For each topic, and each of its partitions.
    topics: BTreeMap<String, Vec<End>>,
}

/// The end of a partition: the position of the last record that was sent there, and the offset behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct End(Position, i64);

impl Sent {
    /// The key of the document.
    pub(crate) const KEY: &str = "sent";

    /// As publishing has left it, when everything has arrived.
    pub(crate) fn of(control: &Control, ends: &Ends) -> Self {
        let both = |(topic, ends): (&String, &Vec<i64>)| {
            let last = |at: usize| control.topics.get(topic).and_then(|all| all.get(at)).copied();
            let ends = ends.iter().enumerate();
            (topic.clone(), ends.map(|(at, end)| End(last(at).unwrap_or(Position::START), *end)).collect())
        };
        Self { topics: ends.iter().map(both).collect() }
    }

    /// With a topic that was not written to yet.
    pub(crate) fn begin(&mut self, topic: &str, ends: &[i64]) {
        self.topics.insert(topic.into(), ends.iter().map(|end| End(Position::START, *end)).collect());
    }

    pub(crate) fn read(text: &Json) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text.as_str())
    }

    pub(crate) fn text(&self) -> Json {
        Json::of(self).expect("numbers under names are JSON")
    }

    /// The same as two: where the publisher stands that has handled everything up to `position`, and where topics end.
    pub(crate) fn parts(&self, position: Position) -> (Control, Ends) {
        let lasts = |ends: &Vec<End>| ends.iter().map(|End(last, _)| *last).collect();
        let offsets = |ends: &Vec<End>| ends.iter().map(|End(_, offset)| *offset).collect();
        let topics = self.topics.iter().map(|(topic, ends)| (topic.clone(), lasts(ends))).collect();
        let ends = self.topics.iter().map(|(topic, ends)| (topic.clone(), offsets(ends))).collect();
        (Control { position, topics, last: None }, ends)
    }

    /// Reads what lies behind, up to the ends of the topics as they are now, and moves there. The positions that it
    /// finds.
    ///
    /// Blocks: for a thread that may.
    pub(crate) fn look_behind(&mut self, options: &KafkaOptions) -> Result<HashSet<Position>, KafkaFailed> {
        let failed = |error| options.failed("reading what was sent before", error);
        let reader = options.reader_of_all()?;
        let mut found = HashSet::new();
        // One after another: the end of a partition is told by its number only.
        for (topic, ends) in &mut self.topics {
            let mut list = TopicPartitionList::new();
            for (End(_, offset), partition) in ends.iter().zip(0..) {
                list.add_partition_offset(topic, partition, Offset::Offset(*offset)).map_err(failed)?;
            }
            reader.assign(&list).map_err(failed)?;
            let count = ends.len();
            let each = |record: &BorrowedMessage<'_>| {
                let at = usize::try_from(record.partition()).ok();
                let Some(End(last, offset)) = at.and_then(|at| ends.get_mut(at)) else { return };
                *offset = record.offset() + 1;
                if let Ok(incoming) = Incoming::read(record) {
                    *last = incoming.event.position.max(*last);
                    found.insert(incoming.event.position);
                }
            };
            read_to_ends(&reader, count, &CancellationToken::new(), each).map_err(failed)?;
        }
        Ok(found)
    }
}

/// How long a partition that was just made, or changes its leader, is given between two questions.
const ASK_INTERVAL: Duration = Duration::from_millis(50);

fn is_unsettled(error: &KafkaError) -> bool {
    let codes = [
        RDKafkaErrorCode::NotLeaderForPartition,
        RDKafkaErrorCode::LeaderNotAvailable,
        RDKafkaErrorCode::UnknownTopicOrPartition,
    ];
    error.rdkafka_error_code().is_some_and(|code| codes.contains(&code))
}

/// Where the partitions of a topic end that was not written to yet. Blocks.
pub(crate) fn ends(
    options: &KafkaOptions,
    reader: &BaseConsumer<Hearing>,
    topic: &str,
    partitions: u32,
) -> Result<Vec<i64>, KafkaFailed> {
    let failed = |error| options.failed("asking where a topic ends", error);
    let end = |partition| {
        let begun = Instant::now();
        loop {
            match end_of(reader, topic, partition) {
                Ok(end) => return Ok(end),
                Err(error) if is_unsettled(&error) && begun.elapsed() < ANSWER_MAX => {
                    thread::sleep(ASK_INTERVAL)
                }
                Err(error) => return Err(failed(error)),
            }
        }
    };
    (0..partitions as i32).map(end).collect()
}
