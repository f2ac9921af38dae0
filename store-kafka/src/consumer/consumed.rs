//! What a consumer has done, for whoever runs it.

use super::{PartitionError, partition::Partition};
use annals::{Parked, ParkedEvents, Position, RecordedEvent, StoreError};
use async_trait::async_trait;
use std::{
    collections::{BTreeMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// What a consumer has done since it began, and which of its partitions stand still. Clones see the same.
///
/// What is written is counted, once: a page that was taken back counts when it is written. A page that was written while
/// its answer was lost comes again and counts as repeated, though it was handled, or parked, here.
#[derive(Debug, Clone, Default)]
pub struct Consumed(Arc<Mutex<Seen>>);

#[derive(Debug, Default)]
struct Seen {
    topics: BTreeMap<String, TopicConsumed>,
    stopped: BTreeMap<Partition, PartitionError>,
}

/// What became of the records of one topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct TopicConsumed {
    /// Events that the handler takes, those that were parked included.
    pub handled: u64,
    /// Events of types that it does not take.
    pub skipped: u64,
    /// Records that were there before, or are read again since a member or a broker was lost before it was told how far
    /// the group is.
    pub repeated: u64,
    /// Records that are no events.
    pub foreign: u64,
    /// Of the events that were handled those that were parked, be it behind another one.
    pub parked: u64,
}

impl Consumed {
    /// What became of the records, topic by topic; a topic of which nothing came is not there.
    pub fn topics(&self) -> BTreeMap<String, TopicConsumed> {
        self.seen().topics.clone()
    }

    /// Why partitions of this member stand still until a person has done something, by their topics and numbers.
    pub fn stopped(&self) -> Vec<(String, i32, PartitionError)> {
        let seen = self.seen();
        let told = |(partition, error): (&Partition, &PartitionError)| {
            (partition.topic.to_string(), partition.number, error.clone())
        };
        seen.stopped.iter().map(told).collect()
    }

    pub(super) fn add(&self, topic: &str, more: TopicConsumed) {
        if more == TopicConsumed::default() {
            return;
        }
        let mut seen = self.seen();
        let topic = seen.topics.entry(topic.into()).or_default();
        topic.handled += more.handled;
        topic.skipped += more.skipped;
        topic.repeated += more.repeated;
        topic.foreign += more.foreign;
        topic.parked += more.parked;
    }

    pub(super) fn stands_still(&self, partition: &Partition, error: &PartitionError) {
        self.seen().stopped.insert(partition.clone(), error.clone());
    }

    /// It goes on, or is somebody else's.
    pub(super) fn goes_on(&self, partition: &Partition) {
        self.seen().stopped.remove(partition);
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Which events of the page in hand are to be parked.
#[derive(Debug, Clone, Default)]
pub(super) struct Parking(Arc<Mutex<HashSet<Position>>>);

impl Parking {
    /// How many there were since this was asked last.
    pub(super) fn take(&self) -> u64 {
        std::mem::take(&mut *self.positions()).len() as u64
    }

    fn positions(&self) -> MutexGuard<'_, HashSet<Position>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where a part keeps what it parks, and notes it.
pub(super) struct Noted {
    pub(super) kept: Arc<dyn ParkedEvents>,
    pub(super) parking: Parking,
}

#[async_trait]
impl ParkedEvents for Noted {
    async fn keep(&self, parked: &[(&Parked, &RecordedEvent)]) -> Result<(), StoreError> {
        self.kept.keep(parked).await?;
        self.parking.positions().extend(parked.iter().map(|(entry, _)| entry.position));
        Ok(())
    }

    async fn find(&self, parked: &[Parked]) -> Result<Vec<Result<RecordedEvent, String>>, StoreError> {
        self.kept.find(parked).await
    }
}
