//! Records that came and are not handled yet.

use annals::{Position, RecordedEvent};
use rdkafka::{Message, message::OwnedMessage};
use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use crate::{Incoming, RecordError};

/// A record as it came, and as what it was read.
pub(crate) struct HeldRecord {
    pub(crate) raw: OwnedMessage,
    pub(crate) read: Result<Incoming, RecordError>,
}

/// Records of one partition that came and are not handled yet, in their order. Shared with whoever copies those that
/// are parked to where they are kept.
#[derive(Default)]
pub(crate) struct Held(Mutex<VecDeque<HeldRecord>>);

impl Held {
    pub(super) fn push(&self, raw: OwnedMessage) {
        let read = Incoming::read(&raw);
        self.records().push_back(HeldRecord { raw, read });
    }

    pub(super) fn len(&self) -> usize {
        self.records().len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.records().is_empty()
    }

    pub(super) fn first_offset(&self) -> Option<i64> {
        self.records().front().map(|held| held.raw.offset())
    }

    pub(super) fn drop_first(&self, count: usize) {
        self.records().drain(..count);
    }

    pub(super) fn clear(&self) {
        self.records().clear();
    }

    pub(super) fn look<T>(&self, look: impl FnOnce(&VecDeque<HeldRecord>) -> T) -> T {
        look(&self.records())
    }

    /// How many lie before the event at `position`; none where that is not in hand.
    pub(super) fn before(&self, position: Position) -> Option<usize> {
        self.records().iter().position(|held| held.position() == Some(position))
    }

    /// The record of an event in hand.
    pub(crate) fn record_of(&self, event: &RecordedEvent) -> Option<OwnedMessage> {
        let at = |held: &&HeldRecord| held.position() == Some(event.position);
        self.records().iter().find(at).map(|held| held.raw.clone())
    }

    fn records(&self) -> MutexGuard<'_, VecDeque<HeldRecord>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl HeldRecord {
    fn position(&self) -> Option<Position> {
        self.read.as_ref().ok().map(|incoming| incoming.event.position)
    }
}
