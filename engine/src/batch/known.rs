//! What the writer remembers of the log.

use crate::{Position, StreamId, Version};
use chrono::{DateTime, SubsecRound, Utc};
use quick_cache::unsync::Cache;

/// How many streams a writer remembers the version of.
pub const KNOWN_STREAMS_MAX: usize = 65_536;

/// What the writer remembers of the log. True as long as nobody else has appended since; the store finds out.
pub struct Known {
    pub(super) head: Position,
    pub(super) last_at: DateTime<Utc>,
    streams: Cache<StreamId, StreamAt>,
}

/// A stream as the log holds it. The default is one that does not exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StreamAt {
    /// What its rows know it by: the position of its first event, so the writer needs no sequence for it.
    pub id: Position,
    /// The version of its last event.
    pub version: Version,
}

impl Known {
    /// Of a log whose last event stands at `head` and was recorded at `last_at`; of an empty one,
    /// [`Position::START`] and any time that has passed.
    pub fn new(head: Position, last_at: DateTime<Utc>) -> Self {
        Self { head, last_at, streams: Cache::new(KNOWN_STREAMS_MAX) }
    }

    /// The position of the last event.
    pub fn head(&self) -> Position {
        self.head
    }

    /// Forgets everything, because somebody else appended or a transaction was taken back.
    pub fn forget(&mut self, head: Position, last_at: DateTime<Utc>) {
        self.streams.clear();
        (self.head, self.last_at) = (head, last_at);
    }

    /// What is remembered of `stream`.
    pub fn stream(&self, stream: &StreamId) -> Option<StreamAt> {
        self.streams.get(stream).copied()
    }

    pub(super) fn learn(&mut self, stream: &StreamId, at: StreamAt) {
        self.streams.insert(stream.clone(), at);
    }

    /// One time for a whole batch, in microseconds; never before the last one, also when the clock was set back.
    pub(super) fn time(&self, clock: DateTime<Utc>) -> DateTime<Utc> {
        clock.trunc_subsecs(6).max(self.last_at)
    }
}

impl std::fmt::Debug for Known {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Known").field("head", &self.head).field("streams", &self.streams.len()).finish()
    }
}
