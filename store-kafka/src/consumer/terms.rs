//! On what terms a consumer reads.

use super::Retries;
use annals::LeaseTerms;
use std::time::Duration;

/// How many records one page holds at most: they are handled in one transaction.
pub const PAGE_RECORDS_MAX: usize = 1_000;

/// How many records of one partition wait at most; then no more are fetched until half of them are handled.
pub const WAITING_RECORDS_MAX: usize = 8_192;

/// How many bytes of one partition wait at most, but for the last record.
pub const WAITING_BYTES_MAX: usize = 16 << 20;

/// How long it takes the group to notice that a member is gone without a word, unless the settings say otherwise
/// (`session.timeout.ms`).
pub const SESSION_LASTS: Duration = Duration::from_secs(10);

/// How often offsets are committed to Kafka, for people who watch the group: nothing rests on them.
pub const OFFSETS_INTERVAL: Duration = Duration::from_secs(1);

/// On what terms a consumer reads. `ConsumerTerms::default()` is strict: whatever is missing or does not belong stops
/// its partition.
#[derive(Debug, Clone, Default)]
pub struct ConsumerTerms {
    /// Where a partition begins of which nothing was handled yet.
    pub first: First,
    /// What becomes of records that are no events of a publisher of ours.
    pub foreign: Foreign,
    /// Makes topics that are missing, with so many partitions, for a publisher to come; else a missing topic is an error.
    pub create_topics: Option<u32>,
    /// Whether what a projection refuses comes again before it goes to the dead letters: that gives the order under a
    /// key up. All members of a group have the same. Take it away only when nothing waits in the retry topics.
    pub retries: Option<Retries>,
    /// On which terms the parts take their leases.
    pub lease: LeaseTerms,
}

/// Where a partition begins of which nothing was handled yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum First {
    /// With the first record that was ever written there; a topic that has lost its beginning is an error.
    #[default]
    Ever,
    /// With the oldest record that is there.
    Oldest,
}

/// What becomes of records that are no events of a publisher of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Foreign {
    /// The partition stops there, and says so.
    #[default]
    Stop,
    /// They are passed over, and counted.
    PassOver,
}
