//! What is told of publishing.

use annals::Position;
use serde::Serialize;
use std::collections::BTreeMap;

/// What a publisher has done.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Published {
    /// Its name.
    pub name: String,
    /// The cluster, without secrets.
    pub to: String,
    /// How many records it has published, this time.
    pub records: u64,
    /// How many of them to each topic.
    pub topics: BTreeMap<String, u64>,
    /// Everything up to here is published, or was left out by the filter.
    pub position: Position,
    /// How long it took.
    pub seconds: f64,
}

/// What a consumer finds that reads all topics of a publisher from their beginnings, beside what the log holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Proven {
    /// Whether every event is there, once, in order, where it belongs, and nothing else.
    pub holds: bool,
    /// How many records there are.
    pub records: u64,
    /// How many events of the log should be there.
    pub events: u64,
    /// Topic by topic.
    pub topics: BTreeMap<String, ProvenTopic>,
}

/// What a consumer finds in one topic.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ProvenTopic {
    /// How many events of the log should be there.
    pub events: u64,
    /// How many records there are that are events.
    pub records: u64,
    /// How many streams they belong to.
    pub streams: u64,
    /// How many partitions there are.
    pub partitions: u32,
    /// Places where `previous-position` shows that records are missing.
    pub missing: u64,
    /// Records that were there before.
    pub repeated: u64,
    /// Records that do not follow the one before them in their stream or their partition.
    pub out_of_order: u64,
    /// Records under another key, or in another partition, than they belong to.
    pub misplaced: u64,
    /// Records that are no events.
    pub foreign: u64,
}

impl ProvenTopic {
    /// Whether every event is there, once, in order, where it belongs, and nothing else.
    pub fn holds(&self) -> bool {
        let Self { events, records, missing, repeated, out_of_order, misplaced, foreign, .. } = *self;
        events == records && [missing, repeated, out_of_order, misplaced, foreign] == [0; 5]
    }
}

impl Proven {
    /// The verdict over all of `topics`.
    #[cfg_attr(not(feature = "kafka"), allow(dead_code, reason = "nothing is read without the driver"))]
    pub(crate) fn of(topics: BTreeMap<String, ProvenTopic>) -> Self {
        let (records, events) = topics.values().fold((0, 0), |(r, e), it| (r + it.records, e + it.events));
        Self { holds: topics.values().all(ProvenTopic::holds), records, events, topics }
    }
}

/// What Kafka knows of a publisher.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Sent {
    /// Everything up to here is committed in Kafka, or was left out by the filter.
    pub position: Position,
    /// How many offsets are sent but not committed, in all topics.
    pub uncommitted: u64,
    /// Topic by topic.
    pub topics: BTreeMap<String, SentTopic>,
}

/// The ends of a topic, as sums over its partitions. Besides records, each transaction takes an offset of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SentTopic {
    /// How many partitions it has.
    pub partitions: u32,
    /// Behind the last record that was sent.
    pub end: u64,
    /// Consumers of committed records see no further.
    pub committed_end: u64,
    /// What lies between.
    pub uncommitted: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proof_holds_only_where_nothing_is_wrong_and_every_event_is_there() {
        let right = ProvenTopic { events: 3, records: 3, ..ProvenTopic::default() };
        let of = |topic: ProvenTopic| Proven::of([("order".to_string(), topic)].into());
        assert!(of(right.clone()).holds);
        assert_eq!((of(right.clone()).records, of(right.clone()).events), (3, 3));
        for wrong in [
            ProvenTopic { records: 2, ..right.clone() },
            ProvenTopic { records: 4, ..right.clone() },
            ProvenTopic { missing: 1, ..right.clone() },
            ProvenTopic { repeated: 1, ..right.clone() },
            ProvenTopic { out_of_order: 1, ..right.clone() },
            ProvenTopic { misplaced: 1, ..right.clone() },
            ProvenTopic { foreign: 1, ..right },
        ] {
            assert!(!of(wrong.clone()).holds, "{wrong:?}");
        }
    }
}
