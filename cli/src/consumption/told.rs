//! What is told of consumers.

use crate::{CliError, EventShown, operations::lag::SubscriberKind, text::plain};
use annals::{Parked, Position};
use serde::Serialize;
use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    sync::Arc,
};

/// How far a consumer group is behind in one partition, by what it has committed to Kafka.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct GroupLag {
    /// The name of the group.
    pub name: String,
    /// That it is a group.
    pub kind: SubscriberKind,
    /// The topic.
    pub topic: String,
    /// The partition.
    pub partition: i32,
    /// The offset behind the last record that the group has handled; none where it has handled none.
    pub committed: Option<i64>,
    /// The offset behind the last committed record of the partition.
    pub end: i64,
    /// How many offsets lie between; each transaction takes one besides its records. 0 exactly where no record is left.
    pub offsets_behind: u64,
}

/// What was done with the records of one topic for one read model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Filled {
    /// The read model.
    pub name: String,
    /// The consumer group in which its topics were read.
    pub group: String,
    /// The topic.
    pub topic: String,
    /// Events that the read model takes, those that were parked included.
    pub handled: u64,
    /// Events of types that it does not take.
    pub skipped: u64,
    /// Records that were there before.
    pub repeated: u64,
    /// Records that are no events, and were passed over.
    pub foreign: u64,
    /// Of the events that were handled those that were parked.
    pub parked: u64,
}

/// What came of filling read models.
#[derive(Debug, Default)]
pub(crate) struct Filling {
    pub(crate) filled: Vec<Filled>,
    /// What is to be looked at.
    pub(crate) notes: Vec<String>,
    pub(crate) failed: Vec<CliError>,
}

/// Where a record lies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Place {
    pub(crate) topic: String,
    pub(crate) partition: i32,
    pub(crate) offset: i64,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} at {}", plain(&self.topic), self.partition, self.offset)
    }
}

/// What dead-letter topics keep of parked events, each by its key and position.
#[derive(Debug, Default)]
pub(crate) struct Letters(pub(super) HashMap<(Arc<str>, Position), Letter>);

/// What they keep of one.
#[derive(Debug, Default)]
pub(crate) struct Letter {
    pub(crate) r#type: Option<String>,
    /// Where it came from.
    pub(crate) from: Option<Place>,
    /// Where it is kept; a crash can leave a second copy.
    pub(crate) copies: Vec<Place>,
    /// Of the newest copy.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) event: Option<EventShown>,
}

impl Letters {
    /// What they keep of `parked`.
    pub(crate) fn take(&mut self, parked: &Parked) -> Letter {
        self.0.remove(&(parked.key.clone(), parked.position)).unwrap_or_default()
    }
}
