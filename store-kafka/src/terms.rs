//! What a publisher publishes, and how.

use crate::{CloudEvents, TopicNames};
use annals::{LeaseTerms, LogFilter, Position};

/// How many records one transaction holds at most.
pub const TRANSACTION_RECORDS_MAX: usize = 10_000;

/// The most partitions that a publisher makes a topic with.
pub const PARTITIONS_MAX: u32 = 1_000;

/// What a publisher publishes, and how. `PublisherTerms::default()` publishes everything, exactly once, from the beginning
/// of the log to topics called like the categories, which must be there.
#[derive(Debug, Clone, Default)]
pub struct PublisherTerms {
    /// Which topic the events of a category go to.
    pub topics: TopicNames,
    /// Which events.
    pub filter: LogFilter,
    /// Where a publisher begins that has published nothing yet.
    pub start: Start,
    /// Topics that are missing are made with so many partitions, at most [`PARTITIONS_MAX`].
    pub create_topics: Option<u32>,
    /// What becomes of an event that is larger than its topic takes.
    pub oversize: Oversize,
    /// Headers in the words of CloudEvents besides.
    pub cloud_events: Option<CloudEvents>,
    /// On which terms it takes its lease.
    pub lease: LeaseTerms,
}

/// Where a publisher begins that has published nothing yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Start {
    /// With the first event of the log.
    #[default]
    Beginning,
    /// With what is committed from now on.
    Now,
    /// With what lies behind this position.
    Behind(Position),
}

/// What becomes of an event that is larger than its topic takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Oversize {
    /// The publisher stops there, and says so.
    #[default]
    Stop,
    /// It goes out without its value and with the header [`PAYLOAD_OMITTED`](crate::headers::PAYLOAD_OMITTED).
    Omit,
}
