//! What a publisher publishes, and how.

use crate::{CloudEvents, TopicNames};
use annals::{LeaseTerms, LogFilter, Position};

/// How many records one transaction holds at most: what a publisher far behind the end of the log sends at once. One
/// that follows ends a transaction with each page of the log, which is 10 000 events at most.
pub const TRANSACTION_RECORDS_MAX: usize = 50_000;

/// The most partitions that a publisher makes a topic with.
pub const PARTITIONS_MAX: u32 = 1_000;

/// What a publisher publishes, and how. `PublisherTerms::default()` publishes everything, exactly once, from the
/// beginning of the log to topics called like the categories, which must be there.
#[derive(Debug, Clone, Default)]
pub struct PublisherTerms {
    /// How often a record goes out, at least and at most.
    pub delivery: Delivery,
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

/// How often a record goes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Delivery {
    /// Once, for consumers that read committed records only. Wants a broker with transactions.
    #[default]
    ExactlyOnce,
    /// Once as a rule, in order always. What can repeat is what a publisher still had on its way when a session began
    /// after it that looked which records are there: [`REPEATED_RECORDS_MAX`] at most each time, and none where the
    /// lease outlasts the way. That is so after a kill or a pause, and where the store's database failed for a moment
    /// while the lease was renewed: then this publisher begins anew itself, at once. Consumers that check
    /// [`previous-position`](crate::headers::PREVIOUS_POSITION), as [`Chain`](crate::Chain) does, tell them and drop
    /// them.
    ///
    /// Kafka fences nobody off here: a publisher that was paused and replaced may still send the rest of its page when
    /// it goes on, and then finds its lease lost.
    AtLeastOnce,
}

/// How many records a publisher without transactions has on their way at once, and so how many can repeat after it was
/// killed or paused, or could not renew its lease for a moment: those of one page of the log.
pub const REPEATED_RECORDS_MAX: usize = annals::PageLimit::MAX.get();

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
