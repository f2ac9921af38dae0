//! What is told of consumers.

use crate::operations::lag::SubscriberKind;
use serde::Serialize;

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
